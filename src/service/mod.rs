//! Look up first, else predict, store and answer: the one place that knows this.

mod cache;
mod core;
mod error;
mod flight;
mod gathering;
mod health;
mod lane;
mod lanes;
mod mailbox;
mod model_threads;
mod prune;
mod queue;
mod rescore;
mod results;
mod statistics;
mod sweep;
mod work;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;

pub use cache::{CacheSettings, CacheStatistics};
pub use error::ServiceError;
pub use prune::{PruneOptions, Pruned, Whose, prune};
pub use rescore::{Changes, RescoreOptions, Rescored, rescore};
pub use results::{Listing, StoredResults};
pub use statistics::{Measured, Statistics};
pub use sweep::{Pace, Step};

use crate::domain::{Explanation, Key, ModelVersion, Outcome, Picture, Score};
use crate::model::{ImageModel, Live, Predictor, UrlModel};
pub use crate::store::{Change, Changed, Rejection};
use crate::store::{ResultStore, Stale};
use cache::Cache;
use core::Core;
use health::Health;
use lanes::Lanes;
use statistics::Counters;

/// `lanes.*`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneSettings {
    /// Most keys that one lane takes at a time: one round trip, one model call, one commit.
    pub max_batch: usize,
    /// Most single requests that may wait; one more is refused at once. As many entries of batches may wait besides.
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
    /// The cache had it.
    Memory {
        /// How many whole seconds longer it will.
        ttl_s: u64,
    },
    /// Predicted, and stored before it was answered.
    Stored,
    /// The result table had it from an older version of the model; predicted anew, and replaced before it was answered.
    Renewed,
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
    pub fn start(
        store: Arc<dyn ResultStore>,
        live: Arc<Live<P>>,
        settings: LaneSettings,
        stale: Stale,
        cache: CacheSettings,
    ) -> std::io::Result<Self> {
        let health = Arc::new(Health::of(store.table()));
        let cache = Cache::start(cache);
        let core = Arc::new(Core { store, live, stale, health, counters: Counters::default(), cache });
        let lanes = Lanes::start(Arc::clone(&core), settings)?;
        Ok(Self { lanes, core, probe: Arc::default() })
    }

    /// The model that answers now.
    #[must_use]
    pub fn model(&self) -> ModelVersion {
        self.core.live.get().version()
    }

    /// Answers for `key` until `deadline`: what is stored, or else a prediction from `input`, stored. What the cache has is
    /// answered at once, whether or not the store can be used.
    ///
    /// # Errors
    /// [`ServiceError`]. Nothing is half-stored then.
    ///
    /// # Cancel safety
    /// Dropping the future withdraws the request; work that a lane has begun for it is finished and stored.
    pub async fn answer(&self, key: Key, input: P::Input, deadline: Instant) -> Result<Answer, ServiceError> {
        match self.core.remembered(&key) {
            Some(answer) => Ok(answer),
            None => self.lanes.answer(key, input, deadline).await,
        }
    }

    /// What has been done since the start.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let cache = self.core.cache.as_ref().map(|cache| cache.statistics());
        self.core.counters.read(cache)
    }

    /// The stored results themselves.
    #[must_use]
    pub fn stored_results(&self) -> StoredResults {
        StoredResults::new(Arc::clone(&self.core.store), Arc::clone(&self.core.health), self.core.cache.clone())
    }

    /// Answers a batch in its order, as [`answer`](Self::answer) does each of its entries; equal keys may be in it. An entry
    /// fails alone. Single requests go before a batch's entries, of which no more than `queue_capacity` are in the queue.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] where there was no room in the queue until `deadline`.
    ///
    /// # Cancel safety
    /// As that of [`answer`](Self::answer), for all entries.
    pub async fn answer_many(
        &self,
        entries: Vec<(Key, P::Input)>,
        deadline: Instant,
    ) -> Result<Vec<Result<Answer, ServiceError>>, ServiceError> {
        if self.core.cache.is_none() {
            return self.lanes.answer_many(entries, deadline).await;
        }
        let remembered: Vec<Option<Answer>> = entries.iter().map(|(key, _)| self.core.remembered(key)).collect();
        let others: Vec<_> =
            entries.into_iter().zip(&remembered).filter(|(_, known)| known.is_none()).map(|(entry, _)| entry).collect();
        let count = others.len();
        let mut answers = if others.is_empty() {
            Vec::new()
        } else {
            // What is remembered is answered all the same.
            self.lanes.answer_many(others, deadline).await.unwrap_or_else(|error| vec![Err(error); count])
        }
        .into_iter();
        let answer =
            |known: Option<Answer>| known.map(Ok).or_else(|| answers.next()).unwrap_or(Err(ServiceError::Deadline));
        Ok(remembered.into_iter().map(answer).collect())
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

/// Why an answer is not explained, as one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unexplained {
    /// The model that answers now did not make it.
    #[error("The result is stored as one of {stored}; the model that answers now is {live}.")]
    OtherModel {
        /// What is stored as its model.
        stored: Arc<str>,
        /// The model that answers now.
        live: ModelVersion,
    },
    /// No model is stored with it.
    #[error("The result is stored without a model.")]
    NoModel,
    /// Only a linear model's score is a sum of parts.
    #[error("No explanation is available: the model is not linear.")]
    NotLinear,
}

impl LookupThenPredict<UrlModel> {
    /// How the model came to `answer` for `key`. Takes up to a millisecond.
    ///
    /// # Errors
    /// Where the model that answers now did not make it, or cannot say.
    pub fn explain(&self, key: &Key, answer: &Answer) -> Result<Explanation, Unexplained> {
        let model = self.core.live.get();
        let live = Predictor::version(&*model);
        match &answer.model {
            Some(stored) if **stored == *live.as_str() => model.explain(key.as_str()).ok_or(Unexplained::NotLinear),
            Some(stored) => Err(Unexplained::OtherModel { stored: Arc::clone(stored), live }),
            None => Err(Unexplained::NoModel),
        }
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
