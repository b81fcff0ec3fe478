//! What a lane does with a batch: look up, predict, store.

use std::sync::Arc;
use std::time::Instant;

use super::cache::{Cache, Reading};
use super::health::{Health, Operation};
use super::statistics::Counters;
use super::work::{Job, Prediction, Reply, Ticket};
use super::{Answer, ServiceError, Source};
use crate::domain::{Key, NewResult, Outcome};
use crate::model::{Live, Predictor};
use crate::store::{Found, Inserted, ResultStore, Stale, StoreError, StoreSession, Swap, Swapped};

/// What a lane needs to work off a batch.
pub(super) struct Core<P> {
    pub(super) store: Arc<dyn ResultStore>,
    pub(super) live: Arc<Live<P>>,
    pub(super) stale: Stale,
    pub(super) health: Arc<Health>,
    pub(super) counters: Counters,
    /// Where it is wished for.
    pub(super) cache: Option<Arc<Cache>>,
}

impl<P: Predictor> Core<P> {
    /// The answer from memory. One that is to be renewed has to come from the table.
    pub(super) fn remembered(&self, key: &Key) -> Option<Answer> {
        let is_stale =
            |model: Option<&str>| self.stale == Stale::Recompute && self.live.get().version().succeeds(model);
        self.cache.as_ref()?.get(key, is_stale)
    }

    fn begin_reading(&self) -> Option<Reading> {
        self.cache.as_ref().map(|cache| cache.begin_reading())
    }

    fn remember(&self, reading: Option<Reading>, replies: &[Reply]) {
        if let (Some(cache), Some(reading)) = (&self.cache, reading) {
            cache.remember(&reading, replies);
        }
    }

    /// Looks the keys up and answers the hits; gives back the misses, and the hits that are to be renewed. `None` where the
    /// store failed, and everybody has been told.
    pub(super) fn look(
        &self,
        session: &mut dyn StoreSession,
        jobs: Vec<Job<P::Input>>,
        reply: &mut dyn FnMut(Vec<Reply>),
    ) -> Option<Vec<Job<P::Input>>> {
        let since = Instant::now();
        let keys: Vec<Key> = jobs.iter().map(|job| job.key().clone()).collect();
        let reading = self.begin_reading();
        let found = match self.health.note(Operation::Lookup, session.find_many(&keys)) {
            Ok(found) => found,
            Err(error) => {
                reply(jobs.iter().map(|job| Reply { ticket: job.ticket(), answer: Err(error.clone()) }).collect());
                return None;
            }
        };
        let mut misses = Vec::new();
        let mut hits = Vec::with_capacity(jobs.len());
        let renewing = (self.stale == Stale::Recompute).then(|| self.live.get().version());
        let is_stale = |found: &Found| renewing.as_ref().is_some_and(|newest| newest.succeeds(found.model.as_deref()));
        for (mut job, found) in jobs.into_iter().zip(found) {
            match found {
                Some(found) if is_stale(&found) => {
                    job.stale = Some(found);
                    misses.push(job);
                }
                Some(found) => hits.push(Reply { ticket: job.ticket(), answer: Ok(Answer::found(found, Source::Hit)) }),
                None => misses.push(job),
            }
        }
        self.counters.looked_up(since, hits.len(), misses.len());
        if !hits.is_empty() {
            self.remember(reading, &hits);
            reply(hits);
        }
        Some(misses)
    }

    /// Predicts: to be stored, and only then answered. What there is no prediction for is answered at once.
    pub(super) fn predict(&self, misses: &[Job<P::Input>], reply: &mut dyn FnMut(Vec<Reply>)) -> Vec<Prediction> {
        if misses.is_empty() {
            return Vec::new();
        }
        // One for the whole batch: the value, and what it says of itself, are of the same model.
        let predictor = self.live.get();
        let version = predictor.version();
        let model = version.to_string();
        let mut predictions = Vec::with_capacity(misses.len());
        let mut settled = Vec::new();
        for (job, outcome) in misses.iter().zip(self.outcomes(&*predictor, misses)) {
            // Nothing takes the place of a newer version's value, nor does a failure.
            let kept = job.stale.as_ref().filter(|found| outcome.is_err() || !version.succeeds(found.model.as_deref()));
            if let Some(found) = kept {
                let answer = Ok(Answer::found(found.clone(), Source::Hit));
                settled.push(Reply { ticket: job.ticket(), answer });
                continue;
            }
            match outcome {
                Ok(outcome) => {
                    let row = NewResult { key: job.key().clone(), outcome, model: Some(model.clone()) };
                    predictions.push(Prediction::new(job.ticket(), row, job.stale.clone()));
                }
                Err(error) => settled.push(Reply { ticket: job.ticket(), answer: Err(error) }),
            }
        }
        if !settled.is_empty() {
            reply(settled);
        }
        predictions
    }

    /// One model call for all; where that fails, one for each, so that a bad input fails alone.
    fn outcomes(&self, predictor: &P, jobs: &[Job<P::Input>]) -> Vec<Result<Outcome, ServiceError>> {
        let inputs: Vec<&P::Input> = jobs.iter().map(|job| &job.input).collect();
        let since = Instant::now();
        let predicted = predictor.predict(&inputs);
        self.counters.predicted(since, if predicted.is_ok() { inputs.len() } else { 0 });
        match predicted {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(error) if inputs.len() == 1 => vec![Err(error.into())],
            Err(_) => jobs.chunks(1).flat_map(|job| self.outcomes(predictor, job)).collect(),
        }
    }

    /// Stores predictions, and answers what is stored; whether the store worked.
    pub(super) fn store(
        &self,
        session: &mut dyn StoreSession,
        predictions: Vec<Prediction>,
        reply: &mut dyn FnMut(Vec<Reply>),
    ) -> bool {
        let (renewals, mut new): (Vec<_>, Vec<_>) =
            predictions.into_iter().partition(|prediction| prediction.stale.is_some());
        let renewed = renewals.is_empty() || self.renew(session, renewals, &mut new, reply);
        let inserted = new.is_empty() || self.insert(session, new, reply);
        renewed && inserted
    }

    /// Inserts with one commit.
    fn insert(
        &self,
        session: &mut dyn StoreSession,
        predictions: Vec<Prediction>,
        reply: &mut dyn FnMut(Vec<Reply>),
    ) -> bool {
        let tickets: Vec<Ticket> = predictions.iter().map(Prediction::ticket).collect();
        let rows: Vec<NewResult> = predictions.into_iter().map(|prediction| prediction.row).collect();
        let since = Instant::now();
        let reading = self.begin_reading();
        let inserted = self.health.note(Operation::Store, session.insert_many(&rows));
        let worked = inserted.is_ok();
        self.counters.stored(since, rows.len());
        let replies: Vec<Reply> = match inserted {
            Ok(inserted) => tickets
                .into_iter()
                .zip(rows)
                .zip(inserted)
                .map(|((ticket, row), inserted)| Reply { ticket, answer: Ok(Answer::inserted(inserted, row)) })
                .collect(),
            Err(error) => tickets.into_iter().map(|ticket| Reply { ticket, answer: Err(error.clone()) }).collect(),
        };
        self.remember(reading, &replies);
        reply(replies);
        worked
    }

    /// Replaces stale rows. One that somebody has changed meanwhile is not overwritten: it goes to the `new` ones, whose
    /// answer is what stands in the table.
    fn renew(
        &self,
        session: &mut dyn StoreSession,
        renewals: Vec<Prediction>,
        new: &mut Vec<Prediction>,
        reply: &mut dyn FnMut(Vec<Reply>),
    ) -> bool {
        let swaps: Vec<Swap> = renewals.iter().filter_map(Prediction::swap).collect();
        let since = Instant::now();
        let swapped = session.swap_many(&swaps);
        if let Some(cache) = &self.cache {
            cache.forget(swaps.iter().map(|swap| &swap.key));
        }
        self.counters.stored(since, swaps.len());
        let swapped = match self.health.note(Operation::Store, swapped) {
            Ok(swapped) => swapped,
            Err(error) => {
                reply(renewals.iter().map(|it| Reply { ticket: it.ticket(), answer: Err(error.clone()) }).collect());
                return false;
            }
        };
        let mut replies = Vec::with_capacity(swaps.len());
        for ((prediction, swap), swapped) in renewals.into_iter().zip(swaps).zip(swapped) {
            let ticket = prediction.ticket();
            let answer = match swapped {
                Swapped::Done(outcome) => Answer {
                    outcome: outcome.unwrap_or(prediction.row.outcome),
                    model: prediction.row.model.map(Into::into),
                    source: Source::Renewed,
                    collapsed: false,
                },
                Swapped::Overtaken => {
                    new.push(prediction);
                    continue;
                }
                // The old value stands, and is what everybody else gets.
                Swapped::Rejected(_) => Answer::found(swap.before, Source::Hit),
            };
            replies.push(Reply { ticket, answer: Ok(answer) });
        }
        if !replies.is_empty() {
            reply(replies);
        }
        true
    }

    pub(super) fn ping(&self) -> Result<(), ServiceError> {
        let pinged = self.store.session(self.store.acquire_timeout()).and_then(|mut session| session.ping());
        self.health.note(Operation::Lookup, pinged)
    }

    /// Notes that no session was to be had.
    pub(super) fn session_failed(&self, error: StoreError) -> ServiceError {
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
