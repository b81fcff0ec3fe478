//! What goes between the queue and the lanes: jobs to look up, predictions to store, replies for those who wait.

use super::{Answer, ServiceError};
use crate::domain::{Key, NewResult};
use crate::store::{Found, Swap};

/// Names a flight: a key can be in flight again as soon as it has been answered.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) key: Key,
    pub(super) number: u64,
}

/// A key to look up, and what to predict from where the store has nothing.
pub(super) struct Job<I> {
    pub(super) ticket: Ticket,
    pub(super) input: I,
    /// What the table holds of an older version of the model, where that is to be renewed.
    pub(super) stale: Option<Found>,
}

impl<I> Job<I> {
    pub(super) fn key(&self) -> &Key {
        &self.ticket.key
    }

    pub(super) fn ticket(&self) -> Ticket {
        self.ticket.clone()
    }
}

/// A predicted row that is to be stored before it is answered.
pub(super) struct Prediction {
    number: u64,
    pub(super) row: NewResult,
    /// The row that it takes the place of; `None` where there was none.
    pub(super) stale: Option<Found>,
}

impl Prediction {
    pub(super) fn new(ticket: Ticket, row: NewResult, stale: Option<Found>) -> Self {
        Self { number: ticket.number, row, stale }
    }

    /// The change of the row that it takes the place of, where there is one.
    pub(super) fn swap(&self) -> Option<Swap> {
        let after = Found { outcome: self.row.outcome.clone(), model: self.row.model.clone() };
        let before = self.stale.clone()?;
        Some(Swap { key: self.row.key.clone(), before, after: Some(after) })
    }

    pub(super) fn ticket(&self) -> Ticket {
        Ticket { key: self.row.key.clone(), number: self.number }
    }
}

/// The answer for all who wait for a flight.
pub(super) struct Reply {
    pub(super) ticket: Ticket,
    pub(super) answer: Result<Answer, ServiceError>,
}

/// What a lane does next.
pub(super) enum Work<I> {
    /// Look these up.
    Look(Vec<Job<I>>),
    /// Store these.
    Store(Vec<Prediction>),
}
