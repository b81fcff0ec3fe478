//! What a lane does with a batch: look up, predict, store.

use std::sync::Arc;
use std::time::Instant;

use super::health::{Health, Operation};
use super::statistics::Counters;
use super::work::{Job, Prediction, Reply, Ticket};
use super::{Answer, ServiceError, Source};
use crate::domain::{Key, NewResult, Outcome};
use crate::model::{Live, Predictor};
use crate::store::{Found, Inserted, ResultStore, StoreError, StoreSession};

/// What a lane needs to work off a batch.
pub(super) struct Core<P> {
    pub(super) store: Arc<dyn ResultStore>,
    pub(super) live: Arc<Live<P>>,
    pub(super) health: Arc<Health>,
    pub(super) counters: Counters,
}

impl<P: Predictor> Core<P> {
    /// Looks the keys up and answers the hits; gives back the misses. `None` where the store failed, and everybody has been
    /// told.
    pub(super) fn look(
        &self,
        session: &mut dyn StoreSession,
        jobs: Vec<Job<P::Input>>,
        reply: &mut dyn FnMut(Vec<Reply>),
    ) -> Option<Vec<Job<P::Input>>> {
        let since = Instant::now();
        let keys: Vec<Key> = jobs.iter().map(|job| job.key().clone()).collect();
        let found = match self.health.note(Operation::Lookup, session.find_many(&keys)) {
            Ok(found) => found,
            Err(error) => {
                self.counters.failed(jobs.len());
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
        self.counters.looked_up(since, hits.len(), misses.len());
        if !hits.is_empty() {
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
        let model = predictor.version().to_string();
        let mut predictions = Vec::with_capacity(misses.len());
        let mut failed = Vec::new();
        for (job, outcome) in misses.iter().zip(self.outcomes(&*predictor, misses)) {
            match outcome {
                Ok(outcome) => {
                    let row = NewResult { key: job.key().clone(), outcome, model: Some(model.clone()) };
                    predictions.push(Prediction::new(job.ticket(), row));
                }
                Err(error) => failed.push(Reply { ticket: job.ticket(), answer: Err(error) }),
            }
        }
        if !failed.is_empty() {
            self.counters.failed(failed.len());
            reply(failed);
        }
        predictions
    }

    /// One model call for all; where that fails, one for each, so that a bad input fails alone.
    fn outcomes(&self, predictor: &P, jobs: &[Job<P::Input>]) -> Vec<Result<Outcome, ServiceError>> {
        let inputs: Vec<&P::Input> = jobs.iter().map(|job| &job.input).collect();
        let since = Instant::now();
        let predicted = predictor.predict(&inputs);
        self.counters.predicted(since, inputs.len());
        match predicted {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(error) if inputs.len() == 1 => vec![Err(error.into())],
            Err(_) => jobs.chunks(1).flat_map(|job| self.outcomes(predictor, job)).collect(),
        }
    }

    /// Stores predictions with one commit, and answers what is stored; whether the store worked.
    pub(super) fn store(
        &self,
        session: &mut dyn StoreSession,
        predictions: Vec<Prediction>,
        reply: &mut dyn FnMut(Vec<Reply>),
    ) -> bool {
        let tickets: Vec<Ticket> = predictions.iter().map(Prediction::ticket).collect();
        let rows: Vec<NewResult> = predictions.into_iter().map(|prediction| prediction.row).collect();
        let since = Instant::now();
        let inserted = self.health.note(Operation::Store, session.insert_many(&rows));
        let worked = inserted.is_ok();
        self.counters.stored(since, rows.len());
        if !worked {
            self.counters.failed(rows.len());
        }
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
