//! Lanes: the hop from async handlers to blocking store threads.
//!
//! Requests wait in one bounded queue. Each lane is a thread that waits until work is there, then takes a session of the
//! store, then drains the queue in batches: no work ever sits in a lane without a session, so that two sessions serve
//! everything however many lanes there are. Nobody waits for a batch to fill: with one caller a batch is one key, under
//! load batches grow by themselves. Equal keys that are in flight share one piece of work, whatever lane has it.
//!
//! A lane's work is either to look keys up (and predict what is missing, or leave that to the [`ModelThreads`] of a slow
//! model) or to store predictions. Only as many lanes store
//! as the store has use for: with SQLite's one writer, the others go on looking up while it waits for the disk, and what
//! they predict meanwhile shares the next commit.

mod batch;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::core::Core;
use super::flight::Flight;
use super::mailbox::Post;
use super::model_threads::{ModelThreads, Task};
use super::queue::Queue;
use super::work::{Job, Prediction, Reply, Work};
use super::{Answer, LaneSettings, ServiceError};
use crate::model::Predictor;
use crate::store::StoreSession;
use batch::{Batch, Storing};

/// How long to wait for a session at least: after a slow batch whoever comes next may have waited too long already, but a
/// session that is just being given back will do.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

/// A flight, and what everybody who waits for it gets.
type Answered<I> = (Flight<I>, Result<Answer, ServiceError>);

/// What the lanes share with those who bring them work.
pub(super) struct Shared<P: Predictor> {
    queue: Mutex<Queue<P::Input>>,
    /// Signalled when a sleeping lane has been claimed for work, and at the end.
    work: Condvar,
    pub(super) core: Arc<Core<P>>,
    pub(super) settings: LaneSettings,
    /// Where a slow model works.
    model_threads: Option<ModelThreads>,
}

impl<P: Predictor> Shared<P> {
    /// The queue, and as many lanes as the store has sessions.
    pub(super) fn start(core: Arc<Core<P>>, settings: LaneSettings) -> std::io::Result<Arc<Self>> {
        let queue = Mutex::new(Queue::new(settings.max_batch, core.store.max_writers(), core.store.commit_patience()));
        // The lanes of a slow model leave half of the sessions to others on the same store.
        let slow = core.live.get().parallelism();
        let lanes = if slow.is_some() { core.store.max_sessions().div_ceil(2) } else { core.store.max_sessions() };
        let model_threads = slow.map(ModelThreads::start).transpose()?;
        let shared = Arc::new(Self { queue, work: Condvar::new(), core, settings, model_threads });
        for lane in 0..lanes {
            let lane_shared = Arc::clone(&shared);
            let thread = std::thread::Builder::new().name(format!("lane-{lane}"));
            if let Err(error) = thread.spawn(move || lane_shared.run()) {
                shared.close();
                return Err(error);
            }
        }
        Ok(shared)
    }

    /// Ends the lanes once the queue is empty.
    pub(super) fn close(&self) {
        self.lock().close();
        self.work.notify_all();
    }

    /// Nothing panics while the lock is held, so a poisoned queue cannot be half-changed.
    fn lock(&self) -> MutexGuard<'_, Queue<P::Input>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unlocks, and wakes a lane if there is work for one that sleeps.
    fn unlock(&self, mut queue: MutexGuard<'_, Queue<P::Input>>) {
        let wake = queue.claim_lane(Instant::now());
        drop(queue);
        if wake {
            self.work.notify_one();
        }
    }

    /// Adds what `join` brings, under one lock.
    pub(super) fn submit(&self, join: impl FnOnce(&mut Queue<P::Input>)) {
        let mut queue = self.lock();
        // Requests that were given up leave their keys behind; when those are the half of it they are swept out. Single
        // requests and batches may each fill the capacity.
        if queue.waiting() >= 4 * self.settings.queue_capacity {
            queue.sweep();
        }
        join(&mut queue);
        self.unlock(queue);
    }

    /// A lane's life. A panic in the store or the model costs its batch and its session, not the lane.
    fn run(self: Arc<Self>) {
        while let Some(oldest) = self.wait_for_work() {
            let worked = catch_unwind(AssertUnwindSafe(|| self.work_off(oldest)));
            self.lock().crew.end();
            if worked.is_err() {
                log::error!(target: "augur::service", "a lane panicked; its batch is answered with 500");
            }
        }
    }

    /// Sleeps until there is work; answers since when the oldest waits. `None` ends the lane.
    fn wait_for_work(&self) -> Option<Instant> {
        let mut queue = self.lock();
        loop {
            if let Some(since) = queue.oldest(Instant::now()) {
                queue.crew.begin();
                return Some(since);
            }
            if queue.is_closed() {
                return None;
            }
            // Under load the next requests are about to come: giving way to the workers that bring them costs less than
            // falling asleep and being woken. When nothing comes, this is one short call.
            if queue.crew.begin_look() {
                drop(queue);
                std::thread::yield_now();
                queue = self.lock();
                queue.crew.end_look();
                if queue.oldest(Instant::now()).is_some() {
                    continue;
                }
            }
            let sleeps_on = |queue: &mut Queue<P::Input>| queue.sleeps_on();
            if let Some(limit) = queue.fall_asleep(Instant::now()) {
                let sleep = self.work.wait_timeout_while(queue, limit, sleeps_on);
                queue = sleep.unwrap_or_else(PoisonError::into_inner).0;
                queue.crew.end_deputy();
            } else {
                queue = self.work.wait_while(queue, sleeps_on).unwrap_or_else(PoisonError::into_inner);
                queue.crew.wake_up();
            }
        }
    }

    /// Takes a session, then drains the queue with it.
    fn work_off(self: &Arc<Self>, oldest: Instant) {
        let store = &self.core.store;
        let expires = oldest + store.acquire_timeout();
        match store.session(expires.saturating_duration_since(Instant::now()).max(SHORTEST_WAIT)) {
            Ok(mut session) => {
                while let Some(work) = self.take() {
                    let worked = match work {
                        Work::Look(jobs) => self.look(&mut *session, jobs),
                        Work::Store(predictions) => self.store(&mut *session, predictions),
                    };
                    if !worked {
                        // The session may be dead: what waits does so in the queue, for another one, where its patience
                        // counts.
                        break;
                    }
                }
            }
            Err(error) => {
                let patience = if error.may_pass() { store.acquire_timeout() } else { Duration::ZERO };
                let refused = self.lock().take_older_than(patience);
                if !refused.is_empty() {
                    let error = self.core.session_failed(error);
                    self.answer(refused.into_iter().map(|flight| (flight, Err(error.clone()))).collect());
                }
            }
        }
    }

    fn take(&self) -> Option<Work<P::Input>> {
        let mut queue = self.lock();
        let work = queue.take(Instant::now());
        // What is left is another lane's, at once or after its patience.
        self.unlock(queue);
        work
    }

    /// Whether the store worked.
    fn look(self: &Arc<Self>, session: &mut dyn StoreSession, jobs: Vec<Job<P::Input>>) -> bool {
        let mut batch = Batch::of(self, jobs.iter().map(Job::ticket));
        let Some(misses) = self.core.look(session, jobs, &mut |replies| batch.settle(replies)) else {
            return false;
        };
        if self.model_threads.is_some() {
            // Each is a batch of its own from now on.
            batch.hand_on(misses.len());
            for job in misses {
                let shared = Arc::clone(self);
                self.on_model_threads(Box::new(move || shared.predict_alone(job)));
            }
            return true;
        }
        let predictions = self.core.predict(&misses, &mut |replies| batch.settle(replies));
        batch.hand_on(predictions.len());
        if !predictions.is_empty() {
            // This lane goes on with it at once, if another is not there first.
            self.lock().hand_over(predictions);
        }
        true
    }

    pub(super) fn on_model_threads(&self, task: Task) {
        match &self.model_threads {
            Some(threads) => threads.run(task),
            None => task(),
        }
    }

    /// A slow model's prediction for one job, which a lane then stores.
    fn predict_alone(&self, job: Job<P::Input>) {
        if !self.lock().is_wanted(&job.ticket()) {
            return;
        }
        let mut batch = Batch::of(self, [job.ticket()]);
        let predictions = self.core.predict(&[job], &mut |replies| batch.settle(replies));
        batch.hand_on(predictions.len());
        let mut queue = self.lock();
        queue.hand_over(predictions);
        self.unlock(queue);
    }

    /// Whether the store worked.
    fn store(&self, session: &mut dyn StoreSession, predictions: Vec<Prediction>) -> bool {
        let mut storing = Storing::of(self);
        let mut batch = Batch::of(self, predictions.iter().map(Prediction::ticket));
        let worked = self.core.store(session, predictions, &mut |replies| batch.settle(replies));
        storing.stored_at = worked.then(Instant::now);
        worked
    }

    /// Answers everybody who waits for these flights.
    fn land(&self, replies: Vec<Reply>) {
        let mut landed = Vec::with_capacity(replies.len());
        let mut queue = self.lock();
        for Reply { ticket, answer } in replies {
            landed.extend(queue.land(&ticket).map(|flight| (flight, answer)));
        }
        // Waking the callers needs no lock.
        drop(queue);
        self.answer(landed);
    }

    /// Counts these answers, and sends them off.
    fn answer(&self, flights: Vec<Answered<P::Input>>) {
        let successes = flights.iter().filter(|(_, answer)| answer.is_ok()).count();
        self.core.counters.answered(successes, flights.len() - successes);
        let mut post = Post::default();
        flights.into_iter().for_each(|(flight, answer)| flight.land(&answer, &mut post));
    }
}
