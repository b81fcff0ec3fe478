//! Look up first, else predict, store and answer: the one place that knows this.

mod error;
mod health;
mod lane;
mod model_threads;
mod queue;
mod results;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;

pub use error::ServiceError;
pub use results::{Listing, StoredResults};

use crate::domain::{Key, NewResult, Outcome, Picture, Score};
use crate::model::{ImageModel, Predictor, UrlModel};
pub use crate::store::{Change, Changed, Rejection};
use crate::store::{Found, Inserted, ResultStore, StoreError, StoreSession};
use health::{Health, Operation};
use lane::Lanes;
use queue::{Job, Prediction, Reply, Ticket};

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
    /// The last look at the store. Held while one is under way.
    probe: Arc<tokio::sync::Mutex<Option<Probe>>>,
}

/// When the store was looked at, and what came of it.
type Probe = (Instant, Result<(), ServiceError>);

/// The service behind `/url`.
pub type UrlService = LookupThenPredict<UrlModel>;

/// The service behind `/classify`.
pub type ImageService = LookupThenPredict<ImageModel>;

/// The store is looked at at most once in this time, and not at all while requests show that it works.
const READINESS_TTL: Duration = Duration::from_secs(1);

impl<P: Predictor> LookupThenPredict<P> {
    /// Starts the lanes.
    ///
    /// # Errors
    /// Where the system gives no more threads.
    pub fn start(store: Arc<dyn ResultStore>, predictor: Arc<P>, settings: LaneSettings) -> std::io::Result<Self> {
        let health = Arc::new(Health::of(store.table()));
        let core = Arc::new(Core { store, predictor, health });
        let lanes = Lanes::start(Arc::clone(&core), settings)?;
        Ok(Self { lanes, core, probe: Arc::default() })
    }

    /// Answers for `key` until `deadline`: what is stored, or else a prediction from `input`, stored.
    ///
    /// # Errors
    /// [`ServiceError`]. Nothing is half-stored then.
    ///
    /// # Cancel safety
    /// Dropping the future withdraws the request; work that a lane has begun for it is finished and stored.
    pub async fn answer(&self, key: Key, input: P::Input, deadline: Instant) -> Result<Answer, ServiceError> {
        self.lanes.answer(key, input, deadline).await
    }

    /// The stored results themselves.
    #[must_use]
    pub fn stored_results(&self) -> StoredResults {
        StoredResults::new(Arc::clone(&self.core.store), Arc::clone(&self.core.health))
    }

    /// Whether the store can be used: answered from the last lookup where there was one just now, else by one round trip,
    /// at most once a second whatever the number of callers.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn ready(&self, deadline: Instant) -> Result<(), ServiceError> {
        if self.core.health.worked_within(READINESS_TTL) {
            return Ok(());
        }
        tokio::time::timeout_at(deadline.into(), self.look_at_store()).await.unwrap_or(Err(ServiceError::Deadline))
    }

    async fn look_at_store(&self) -> Result<(), ServiceError> {
        let mut last = Arc::clone(&self.probe).lock_owned().await;
        if let Some((at, result)) = &*last
            && at.elapsed() < READINESS_TTL
        {
            return result.clone();
        }
        let core = Arc::clone(&self.core);
        // The lock goes with the look: a caller who gives up on a store that hangs does not let another one begin.
        let looked = tokio::task::spawn_blocking(move || {
            let result = core.ping();
            *last = Some((Instant::now(), result.clone()));
            result
        });
        looked.await.unwrap_or_else(|_| Err(ServiceError::internal("the look at the store panicked")))
    }
}

impl LookupThenPredict<ImageModel> {
    /// The `top` best labels of a picture until `deadline`, by the model and whatever is stored for it.
    ///
    /// # Errors
    /// [`ServiceError`].
    ///
    /// # Cancel safety
    /// Dropping the future withdraws the request.
    pub async fn scores(
        &self,
        picture: Arc<Picture>,
        top: usize,
        deadline: Instant,
    ) -> Result<Vec<Score>, ServiceError> {
        Ok(self.lanes.consult(move |model| model.scores(picture.bytes(), top), deadline).await??)
    }
}

/// What a lane needs to work off a batch.
struct Core<P> {
    store: Arc<dyn ResultStore>,
    predictor: Arc<P>,
    health: Arc<Health>,
}

impl<P: Predictor> Core<P> {
    /// Looks the keys up and answers the hits; gives back the misses. `None` where the store failed, and everybody has been
    /// told.
    fn look(
        &self,
        session: &mut dyn StoreSession,
        jobs: Vec<Job<P::Input>>,
        reply: &mut dyn FnMut(Vec<Reply>),
    ) -> Option<Vec<Job<P::Input>>> {
        let keys: Vec<Key> = jobs.iter().map(|job| job.key().clone()).collect();
        let found = match self.health.note(Operation::Lookup, session.find_many(&keys)) {
            Ok(found) => found,
            Err(error) => {
                reply(jobs.iter().map(|job| Reply { ticket: job.ticket(), answer: Err(error.clone()) }).collect());
                return None;
            }
        };
        let mut misses = Vec::new();
        let mut hits = Vec::with_capacity(jobs.len());
        for (job, found) in jobs.into_iter().zip(found) {
            match found {
                Some(found) => hits.push(Reply { ticket: job.ticket(), answer: Ok(Answer::found(found, Source::Hit)) }),
                None => misses.push(job),
            }
        }
        if !hits.is_empty() {
            reply(hits);
        }
        Some(misses)
    }

    /// Predicts: to be stored, and only then answered. What there is no prediction for is answered at once.
    fn predict(&self, misses: &[Job<P::Input>], reply: &mut dyn FnMut(Vec<Reply>)) -> Vec<Prediction> {
        if misses.is_empty() {
            return Vec::new();
        }
        let model = self.predictor.version().to_string();
        let mut predictions = Vec::with_capacity(misses.len());
        let mut failed = Vec::new();
        for (job, outcome) in misses.iter().zip(self.outcomes(misses)) {
            match outcome {
                Ok(outcome) => {
                    let row = NewResult { key: job.key().clone(), outcome, model: Some(model.clone()) };
                    predictions.push(Prediction::new(job.ticket(), row));
                }
                Err(error) => failed.push(Reply { ticket: job.ticket(), answer: Err(error) }),
            }
        }
        if !failed.is_empty() {
            reply(failed);
        }
        predictions
    }

    /// One model call for all; where that fails, one for each, so that a bad input fails alone.
    fn outcomes(&self, jobs: &[Job<P::Input>]) -> Vec<Result<Outcome, ServiceError>> {
        let inputs: Vec<&P::Input> = jobs.iter().map(|job| &job.input).collect();
        match self.predictor.predict(&inputs) {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(error) if inputs.len() == 1 => vec![Err(error.into())],
            Err(_) => jobs.chunks(1).flat_map(|job| self.outcomes(job)).collect(),
        }
    }

    /// Stores predictions with one commit, and answers what is stored; whether the store worked.
    fn store(
        &self,
        session: &mut dyn StoreSession,
        predictions: Vec<Prediction>,
        reply: &mut dyn FnMut(Vec<Reply>),
    ) -> bool {
        let tickets: Vec<Ticket> = predictions.iter().map(Prediction::ticket).collect();
        let rows: Vec<NewResult> = predictions.into_iter().map(|prediction| prediction.row).collect();
        let inserted = self.health.note(Operation::Store, session.insert_many(&rows));
        let worked = inserted.is_ok();
        reply(match inserted {
            Ok(inserted) => tickets
                .into_iter()
                .zip(rows)
                .zip(inserted)
                .map(|((ticket, row), inserted)| Reply { ticket, answer: Ok(Answer::inserted(inserted, row)) })
                .collect(),
            Err(error) => tickets.into_iter().map(|ticket| Reply { ticket, answer: Err(error.clone()) }).collect(),
        });
        worked
    }

    fn ping(&self) -> Result<(), ServiceError> {
        let pinged = self.store.session(self.store.acquire_timeout()).and_then(|mut session| session.ping());
        self.health.note(Operation::Lookup, pinged)
    }

    /// Notes that no session was to be had.
    fn session_failed(&self, error: StoreError) -> ServiceError {
        self.health.failed(Operation::Lookup, error)
    }
}

impl Answer {
    fn found(found: Found, source: Source) -> Self {
        Self { outcome: found.outcome, model: found.model.map(Into::into), source, collapsed: false }
    }

    fn inserted(inserted: Inserted, row: NewResult) -> Self {
        let model = row.model.map(Into::into);
        match inserted {
            Inserted::Stored(outcome) => Self { outcome, model, source: Source::Stored, collapsed: false },
            Inserted::Rejected(reason) => {
                Self { outcome: row.outcome, model, source: Source::NotStored(reason), collapsed: false }
            }
            Inserted::Existed(found) => Self::found(found, Source::StoredByOther),
        }
    }
}
