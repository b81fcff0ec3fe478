//! Lanes: the hop from async handlers to blocking store threads, and the only place that makes it.
//!
//! Requests wait in one bounded queue. Each lane is a thread that waits until work is there, then takes a session of the
//! store, then drains the queue in batches: no work ever sits in a lane without a session, so that two sessions serve
//! everything however many lanes there are. Nobody waits for a batch to fill: with one caller a batch is one key, under
//! load batches grow by themselves. Equal keys that are in flight share one piece of work, whatever lane has it.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Answer, Core, LaneSettings, Replies, ServiceError};
use crate::domain::Key;
use crate::model::Predictor;
use crate::store::StoreError;

/// A key to answer for, and what to predict from where the store has nothing.
pub(super) struct Job<I> {
    pub(super) key: Key,
    pub(super) input: I,
}

/// The queue and its threads. Dropping it ends the lanes once the queue is empty.
pub(super) struct Lanes<P: Predictor> {
    shared: Arc<Shared<P>>,
    timeout: Duration,
}

struct Shared<P: Predictor> {
    queue: Mutex<Queue<P::Input>>,
    /// Signalled when work is queued while a lane is idle, and at the end.
    work: Condvar,
    core: Arc<Core<P>>,
    settings: LaneSettings,
}

struct Queue<I> {
    /// Keys that no lane has taken yet, oldest first; each has a flight.
    waiting: VecDeque<(Key, Instant)>,
    /// All keys that are waiting or being worked on.
    flights: HashMap<Key, Flight<I>>,
    /// Requests that have no answer yet: what `queue_capacity` bounds.
    requests: usize,
    idle_lanes: usize,
    closed: bool,
}

/// One piece of work and everybody who waits for it.
struct Flight<I> {
    /// Taken out by the lane that works on it.
    input: Option<I>,
    waiters: Vec<Waiter>,
}

struct Waiter {
    deadline: Instant,
    collapsed: bool,
    reply: oneshot::Sender<Result<Answer, ServiceError>>,
}

impl Waiter {
    fn is_gone(&self, now: Instant) -> bool {
        self.reply.is_closed() || self.deadline <= now
    }
}

impl<P: Predictor> Lanes<P> {
    /// Starts as many lanes as the store has sessions.
    pub(super) fn start(core: Arc<Core<P>>, settings: LaneSettings, timeout: Duration) -> std::io::Result<Self> {
        let lanes = core.store.max_sessions();
        let queue =
            Queue { waiting: VecDeque::new(), flights: HashMap::new(), requests: 0, idle_lanes: 0, closed: false };
        let shared = Arc::new(Shared { queue: Mutex::new(queue), work: Condvar::new(), core, settings });
        // Made first: if a thread cannot be had, dropping it ends those that were.
        let lanes_handle = Self { shared: Arc::clone(&shared), timeout };
        for lane in 0..lanes {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name(format!("lane-{lane}")).spawn(move || shared.run())?;
        }
        Ok(lanes_handle)
    }

    pub(super) async fn answer(&self, key: Key, input: P::Input) -> Result<Answer, ServiceError> {
        let deadline = Instant::now() + self.timeout;
        let answer = self.shared.submit(key, input, deadline)?;
        match tokio::time::timeout_at(deadline.into(), answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(ServiceError::Deadline),
        }
    }
}

impl<P: Predictor> Drop for Lanes<P> {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_all();
    }
}

impl<P: Predictor> Shared<P> {
    /// Nothing panics while the lock is held, so a poisoned queue cannot be half-changed.
    fn lock(&self) -> MutexGuard<'_, Queue<P::Input>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(
        &self,
        key: Key,
        input: P::Input,
        deadline: Instant,
    ) -> Result<oneshot::Receiver<Result<Answer, ServiceError>>, ServiceError> {
        let (reply, answer) = oneshot::channel();
        let mut queue = self.lock();
        if queue.requests >= self.settings.queue_capacity {
            return Err(ServiceError::Overloaded);
        }
        queue.requests += 1;
        if let Some(flight) = queue.flights.get_mut(&key) {
            flight.waiters.push(Waiter { deadline, collapsed: true, reply });
            return Ok(answer);
        }
        let flight = Flight { input: Some(input), waiters: vec![Waiter { deadline, collapsed: false, reply }] };
        queue.flights.insert(key.clone(), flight);
        queue.waiting.push_back((key, Instant::now()));
        let wake = queue.idle_lanes > 0;
        drop(queue);
        if wake {
            self.work.notify_one();
        }
        Ok(answer)
    }

    fn run(&self) {
        while let Some(oldest) = self.wait_for_work() {
            let expires = oldest + self.core.store.acquire_timeout();
            match self.core.store.session(expires.saturating_duration_since(Instant::now())) {
                Ok(mut session) => {
                    while let Some(batch) = self.take_batch() {
                        let core = &self.core;
                        let worked = catch_unwind(AssertUnwindSafe(|| {
                            core.run(&mut *session, &batch, &mut |replies| self.reply(&batch, replies))
                        }));
                        if worked.is_err() {
                            let error = ServiceError::Internal(Arc::new(anyhow::anyhow!("a lane panicked")));
                            self.reply(&batch, super::all(0..batch.len(), &error));
                        }
                        if !worked.unwrap_or(false) {
                            // The session may be dead, or its state unknown: the next batch waits in the queue for
                            // another one, where its patience counts.
                            break;
                        }
                    }
                }
                Err(error) => self.refuse(error),
            }
        }
    }

    /// Sleeps until a key is waiting; answers since when. `None` ends the lane.
    fn wait_for_work(&self) -> Option<Instant> {
        let mut queue = self.lock();
        loop {
            if let Some((_, since)) = queue.waiting.front() {
                return Some(*since);
            }
            if queue.closed {
                return None;
            }
            queue.idle_lanes += 1;
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle_lanes -= 1;
        }
    }

    /// Up to `max_batch` keys that somebody still waits for; `None` when there are none.
    fn take_batch(&self) -> Option<Vec<Job<P::Input>>> {
        let mut batch = Vec::new();
        let now = Instant::now();
        let mut queue = self.lock();
        while batch.len() < self.settings.max_batch
            && let Some((key, _)) = queue.waiting.pop_front()
        {
            let Queue { flights, requests, .. } = &mut *queue;
            let Some(flight) = flights.get_mut(&key) else { continue };
            let before = flight.waiters.len();
            flight.waiters.retain(|waiter| !waiter.is_gone(now));
            *requests -= before - flight.waiters.len();
            match flight.input.take() {
                Some(input) if !flight.waiters.is_empty() => batch.push(Job { key, input }),
                _ => {
                    flights.remove(&key);
                }
            }
        }
        (!batch.is_empty()).then_some(batch)
    }

    /// Answers everybody who waits for these jobs. A job that was answered before is left alone.
    fn reply(&self, batch: &[Job<P::Input>], replies: Replies) {
        let mut landed = Vec::with_capacity(replies.len());
        let mut queue = self.lock();
        for (at, answer) in replies {
            if let Some(flight) = queue.flights.remove(&batch[at].key) {
                queue.requests -= flight.waiters.len();
                landed.push((flight.waiters, answer));
            }
        }
        // Waking the callers needs no lock.
        drop(queue);
        for (waiters, answer) in landed {
            send(waiters, &answer);
        }
    }

    /// Tells those who waited in vain for a session: after a timeout the ones whose time is up, else everybody.
    fn refuse(&self, error: StoreError) {
        let patience = match &error {
            StoreError::Unavailable(_) | StoreError::Overloaded(_) | StoreError::Timeout(_) => {
                self.core.store.acquire_timeout()
            }
            StoreError::Refused(_)
            | StoreError::Schema { .. }
            | StoreError::NoSpace(_)
            | StoreError::ClientLibrary { .. }
            | StoreError::Internal(_) => Duration::ZERO,
        };
        let mut refused = Vec::new();
        let now = Instant::now();
        let mut queue = self.lock();
        while let Some((_, since)) = queue.waiting.front()
            && *since + patience <= now
            && let Some((key, _)) = queue.waiting.pop_front()
        {
            if let Some(flight) = queue.flights.remove(&key) {
                queue.requests -= flight.waiters.len();
                refused.push(flight.waiters);
            }
        }
        drop(queue);
        if refused.is_empty() {
            return;
        }
        if let Err(error) = self.core.note::<()>(&self.core.lookups, Err(error)) {
            for waiters in refused {
                send(waiters, &Err(error.clone()));
            }
        }
    }
}

fn send(waiters: Vec<Waiter>, answer: &Result<Answer, ServiceError>) {
    for waiter in waiters {
        let mut answer = answer.clone();
        if let Ok(answer) = &mut answer {
            answer.collapsed = waiter.collapsed;
        }
        // A receiver that is gone has withdrawn its request.
        let _ = waiter.reply.send(answer);
    }
}
