//! Look up first, else predict, store and answer: the one place that knows this.

mod error;
mod lane;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

pub use error::ServiceError;

use crate::domain::{Key, NewResult, Outcome};
use crate::model::{Predictor, UrlModel};
pub use crate::store::Rejection;
use crate::store::{Found, Inserted, ResultStore, StoreError, StoreSession};
use lane::{Job, Lanes};

/// `lanes.*`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneSettings {
    /// Most keys that one lane takes at a time: one round trip, one model call, one commit.
    pub max_batch: usize,
    /// Most requests that may wait; one more is refused at once.
    pub queue_capacity: usize,
}

/// What a request gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The value.
    pub outcome: Outcome,
    /// `name@version` of the model that made it, where known.
    pub model: Option<Arc<str>>,
    /// Where it comes from.
    pub source: Source,
    /// Whether the request shared work that another one had started.
    pub collapsed: bool,
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The result table had it.
    Hit,
    /// Predicted, and stored before it was answered.
    Stored,
    /// Predicted, but somebody else stored the key meanwhile: the answer is what stands in the table.
    StoredByOther,
    /// Predicted; the table cannot take it.
    NotStored(Rejection),
}

/// The service: a result table, a model, and the lanes between them and the async handlers.
pub struct LookupThenPredict<P: Predictor> {
    lanes: Lanes<P>,
    core: Arc<Core<P>>,
    timeout: Duration,
    /// The last probe of the store and its result. Held while one is under way.
    readiness: Arc<tokio::sync::Mutex<Option<Probe>>>,
}

/// When the store was probed, and what came of it.
type Probe = (Instant, Result<(), ServiceError>);

/// The service behind `/url`.
pub type UrlService = LookupThenPredict<UrlModel>;

/// Probes of the store are answered from the last one for this long, so that they cost the database nothing.
const READINESS_TTL: Duration = Duration::from_secs(1);

impl<P: Predictor> LookupThenPredict<P> {
    /// Starts the lanes. A request waits at most `timeout` for its answer.
    ///
    /// # Errors
    /// Where the system gives no more threads.
    pub fn start(
        store: Arc<dyn ResultStore>,
        predictor: Arc<P>,
        settings: LaneSettings,
        timeout: Duration,
    ) -> std::io::Result<Self> {
        let core = Arc::new(Core { store, predictor, lookups: Mutex::default(), inserts: Mutex::default() });
        let lanes = Lanes::start(Arc::clone(&core), settings, timeout)?;
        Ok(Self { lanes, core, timeout, readiness: Arc::default() })
    }

    /// Answers for `key`: what is stored, or else a prediction from `input`, stored.
    ///
    /// # Errors
    /// [`ServiceError`]. Nothing is half-stored then.
    ///
    /// # Cancel safety
    /// Dropping the future withdraws the request; work that a lane has begun for it is finished and stored.
    pub async fn answer(&self, key: Key, input: P::Input) -> Result<Answer, ServiceError> {
        self.lanes.answer(key, input).await
    }

    /// Whether the store can be used right now: one round trip, at most once a second whatever the number of callers,
    /// and none while lookups show it anyway.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn ready(&self) -> Result<(), ServiceError> {
        // Under load the lanes hold all sessions all the time, and a probe would wait for one in vain.
        if self.core.has_worked_within(READINESS_TTL) {
            return Ok(());
        }
        match tokio::time::timeout(self.timeout, self.probe()).await {
            Ok(result) => result,
            Err(_) => Err(ServiceError::Deadline),
        }
    }

    async fn probe(&self) -> Result<(), ServiceError> {
        let mut last = Arc::clone(&self.readiness).lock_owned().await;
        if let Some((at, result)) = &*last
            && at.elapsed() < READINESS_TTL
        {
            return result.clone();
        }
        let core = Arc::clone(&self.core);
        // The lock goes with the probe: a caller who gives up on a store that hangs does not let another one begin.
        let probe = tokio::task::spawn_blocking(move || {
            let result = core.ping();
            *last = Some((Instant::now(), result.clone()));
            result
        });
        probe.await.unwrap_or_else(|panic| Err(ServiceError::Internal(Arc::new(panic.into()))))
    }
}

/// Answers to jobs of a batch, by their index in it.
type Replies = Vec<(usize, Result<Answer, ServiceError>)>;

/// What a lane needs to work off a batch.
struct Core<P> {
    store: Arc<dyn ResultStore>,
    predictor: Arc<P>,
    /// Lookups and inserts apart: where only inserts fail, each request has one of both.
    lookups: Mutex<Health>,
    inserts: Mutex<Health>,
}

/// How calls of a kind have gone lately.
#[derive(Default)]
struct Health {
    last_success: Option<Instant>,
    /// The failure that the log was last told of, so that an outage is one line and not one a request.
    reported: Option<String>,
}

impl<P: Predictor> Core<P> {
    /// Works off a batch of jobs with distinct keys. `reply` is called with the index of a job and its answer, hits
    /// before anything is predicted: they do not wait for the others' commit. `false` where the session failed.
    fn run(&self, session: &mut dyn StoreSession, jobs: &[Job<P::Input>], reply: &mut dyn FnMut(Replies)) -> bool {
        let keys: Vec<Key> = jobs.iter().map(|job| job.key.clone()).collect();
        let found = match self.note(&self.lookups, session.find_many(&keys)) {
            Ok(found) => found,
            Err(error) => {
                reply(all(0..jobs.len(), &error));
                return false;
            }
        };
        let mut misses = Vec::new();
        let mut hits = Vec::with_capacity(jobs.len());
        for (at, found) in found.into_iter().enumerate() {
            match found {
                Some(found) => hits.push((at, Ok(Answer::found(found, Source::Hit)))),
                None => misses.push(at),
            }
        }
        if !hits.is_empty() {
            reply(hits);
        }
        misses.is_empty() || self.predict_and_store(session, jobs, misses, reply)
    }

    fn predict_and_store(
        &self,
        session: &mut dyn StoreSession,
        jobs: &[Job<P::Input>],
        misses: Vec<usize>,
        reply: &mut dyn FnMut(Replies),
    ) -> bool {
        let model: Arc<str> = self.predictor.version().as_str().into();
        let mut rows = Vec::with_capacity(misses.len());
        let mut stored = Vec::with_capacity(misses.len());
        let mut failed = Vec::new();
        for (at, outcome) in self.predict(jobs, misses) {
            match outcome {
                Ok(outcome) => {
                    rows.push(NewResult { key: jobs[at].key.clone(), outcome, model: Some(model.to_string()) });
                    stored.push(at);
                }
                Err(error) => failed.push((at, Err(error))),
            }
        }
        if !failed.is_empty() {
            reply(failed);
        }
        if rows.is_empty() {
            return true;
        }
        let inserted = self.note(&self.inserts, session.insert_many(&rows));
        let worked = inserted.is_ok();
        reply(match inserted {
            Ok(inserted) => stored
                .into_iter()
                .zip(rows)
                .zip(inserted)
                .map(|((at, row), inserted)| (at, Ok(Answer::inserted(inserted, row, &model))))
                .collect(),
            Err(error) => all(stored, &error),
        });
        worked
    }

    /// One model call for all; where that fails, one for each, so that a bad input fails alone.
    fn predict(&self, jobs: &[Job<P::Input>], misses: Vec<usize>) -> Vec<(usize, Result<Outcome, ServiceError>)> {
        let inputs: Vec<&P::Input> = misses.iter().map(|&at| &jobs[at].input).collect();
        match self.predictor.predict(&inputs) {
            Ok(outcomes) => misses.into_iter().zip(outcomes.into_iter().map(Ok)).collect(),
            Err(error) if inputs.len() == 1 => {
                let error = ServiceError::Internal(Arc::new(error.into()));
                misses.into_iter().map(|at| (at, Err(error.clone()))).collect()
            }
            Err(_) => misses.into_iter().flat_map(|at| self.predict(jobs, vec![at])).collect(),
        }
    }

    fn ping(&self) -> Result<(), ServiceError> {
        let pinged = self.store.session(self.store.acquire_timeout()).and_then(|mut session| session.ping());
        self.note(&self.lookups, pinged)
    }

    /// Whether a lookup succeeded in the last `span`, and none has failed since.
    fn has_worked_within(&self, span: Duration) -> bool {
        let health = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        health.last_success.is_some_and(|at| at.elapsed() < span) && health.reported.is_none()
    }

    /// Tells the log when the store begins to fail, fails in another way, or works again.
    fn note<T>(&self, health: &Mutex<Health>, result: Result<T, StoreError>) -> Result<T, ServiceError> {
        let mut health = health.lock().unwrap_or_else(PoisonError::into_inner);
        let Health { last_success, reported } = &mut *health;
        match &result {
            Ok(_) => {
                *last_success = Some(Instant::now());
                if reported.take().is_some() {
                    log::info!(target: "augur::store", "the result store works again");
                }
            }
            Err(error) => {
                let what = error.to_string();
                if reported.as_ref() != Some(&what) {
                    log::error!(target: "augur::store", "{what}: {}", chain(error));
                    *reported = Some(what);
                }
            }
        }
        result.map_err(Into::into)
    }
}

/// The causes of an error, outermost first, without the error itself.
fn chain(error: &dyn std::error::Error) -> String {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.join(": ")
}

fn all(jobs: impl IntoIterator<Item = usize>, error: &ServiceError) -> Replies {
    jobs.into_iter().map(|at| (at, Err(error.clone()))).collect()
}

impl Answer {
    fn found(found: Found, source: Source) -> Self {
        Self { outcome: found.outcome, model: found.model.map(Into::into), source, collapsed: false }
    }

    fn inserted(inserted: Inserted, row: NewResult, model: &Arc<str>) -> Self {
        let predicted = |outcome, source| Self { outcome, model: Some(Arc::clone(model)), source, collapsed: false };
        match inserted {
            Inserted::Stored(outcome) => predicted(outcome, Source::Stored),
            Inserted::Rejected(reason) => predicted(row.outcome, Source::NotStored(reason)),
            Inserted::Existed(found) => Self::found(found, Source::StoredByOther),
        }
    }
}
