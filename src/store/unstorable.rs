//! Tells the log when rows can no longer be stored, and when they can again: one line a change, not one a row.

use std::sync::{Mutex, PoisonError};

use crate::store::Rejection;

/// Why the last row that was not stored was not, unless one has been stored since.
#[derive(Default)]
pub(super) struct Unstorable(Mutex<Option<Rejection>>);

impl Unstorable {
    /// A row was not stored for the table's sake.
    pub(super) fn note(&self, reason: Rejection, error: &anyhow::Error) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.replace(reason) == Some(reason) {
            return;
        }
        match reason {
            Rejection::NoSpace => log::error!(
                target: "augur::store",
                "ALARM: no space for new rows; answering without storing them: {error}"
            ),
            Rejection::KeyTooLong | Rejection::ValueDoesNotFit => {
                log::warn!(target: "augur::store", "a row does not fit the table and is not stored: {error}");
            }
        }
    }

    /// A row was stored.
    pub(super) fn clear(&self) {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).take() == Some(Rejection::NoSpace) {
            log::info!(target: "augur::store", "there is space for new rows again");
        }
    }
}
