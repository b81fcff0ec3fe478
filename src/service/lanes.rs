//! The lanes as the service sees them: requests go in, answers come out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::{Semaphore, oneshot};

use super::core::Core;
use super::flight::{Recipient, Waiter};
use super::gathering::Gathering;
use super::lane::Shared;
use super::mailbox::Mailbox;
use super::{Answer, LaneSettings, ServiceError};
use crate::domain::Key;
use crate::model::Predictor;

/// The queue and its threads. Dropping it ends the lanes once the queue is empty.
pub(super) struct Lanes<P: Predictor> {
    shared: Arc<Shared<P>>,
    /// Single requests that have no answer yet: what `queue_capacity` bounds.
    requests: AtomicUsize,
    /// A permit for each entry of a batch that may be in the queue: as many again, so that neither crowds out the other.
    room: Semaphore,
}

/// A request's place among those that wait; given back when it is answered, times out, or its client leaves.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<P: Predictor> Lanes<P> {
    /// Starts as many lanes as the store has sessions.
    pub(super) fn start(core: Arc<Core<P>>, settings: LaneSettings) -> std::io::Result<Self> {
        let room = Semaphore::new(settings.queue_capacity.min(Semaphore::MAX_PERMITS));
        Ok(Self { shared: Shared::start(core, settings)?, requests: AtomicUsize::new(0), room })
    }

    pub(super) async fn answer(&self, key: Key, input: P::Input, deadline: Instant) -> Result<Answer, ServiceError> {
        let _place = self.place()?;
        let (reply, answer) = oneshot::channel();
        let waiter = Waiter { deadline, recipient: Recipient::Single { reply, mailbox: Mailbox::here() } };
        self.shared.submit(|queue| queue.join(key, input, waiter));
        match tokio::time::timeout_at(deadline.into(), answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(ServiceError::Deadline),
        }
    }

    /// Answers in the order of `entries`. A batch waits its turn for room in the queue; one that is larger than the queue
    /// has it for itself.
    pub(super) async fn answer_many(
        &self,
        entries: Vec<(Key, P::Input)>,
        deadline: Instant,
    ) -> Result<Vec<Result<Answer, ServiceError>>, ServiceError> {
        let needed = entries.len().min(self.shared.settings.queue_capacity);
        let room = self.room.acquire_many(u32::try_from(needed).unwrap_or(u32::MAX));
        let Ok(Ok(_room)) = tokio::time::timeout_at(deadline.into(), room).await else {
            return Err(ServiceError::Overloaded);
        };
        let batch = Gathering::of(entries.len());
        self.shared.submit(|queue| {
            for (at, (key, input)) in entries.into_iter().enumerate() {
                queue.join(key, input, Waiter { deadline, recipient: Recipient::entry(&batch, at) });
            }
        });
        // Entries without an answer by then fail, each by itself.
        let _ = tokio::time::timeout_at(deadline.into(), batch.complete()).await;
        Ok(batch.take())
    }

    /// What `question` gets from the model, as a task among its others; not asked where nobody waits any more.
    pub(super) async fn consult<T: Send + 'static>(
        &self,
        question: impl FnOnce(&P) -> T + Send + 'static,
        deadline: Instant,
    ) -> Result<T, ServiceError> {
        let _place = self.place()?;
        let (reply, answer) = oneshot::channel();
        let live = Arc::clone(&self.shared.core.live);
        self.shared.on_model_threads(Box::new(move || {
            if !reply.is_closed() {
                // A receiver that is gone has withdrawn its request.
                let _ = reply.send(question(&live.get()));
            }
        }));
        match tokio::time::timeout_at(deadline.into(), answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(ServiceError::internal("the model panicked")),
            Err(_) => Err(ServiceError::Deadline),
        }
    }

    fn place(&self) -> Result<Place<'_>, ServiceError> {
        let place = Place(&self.requests);
        if place.0.fetch_add(1, Ordering::Relaxed) >= self.shared.settings.queue_capacity {
            return Err(ServiceError::Overloaded);
        }
        Ok(place)
    }
}

impl<P: Predictor> Drop for Lanes<P> {
    fn drop(&mut self) {
        self.shared.close();
    }
}
