//! Tells the log when rows can no longer be stored, and when they can again: one line a change, not one a row.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::Rejection;

/// A table has a few rules; the texts of a trigger may be without end.
const MAX_RULES: usize = 16;

/// The reasons for not storing a row that the log was told of; of rules with the database's words, since there are many.
#[derive(Default)]
pub(super) struct Unstorable(Mutex<Vec<(Rejection, String)>>);

impl Unstorable {
    fn said(&self) -> MutexGuard<'_, Vec<(Rejection, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A row was not stored for the table's sake.
    pub(super) fn note(&self, reason: Rejection, error: &anyhow::Error) {
        let mut said = self.said();
        let words = if reason == Rejection::AgainstRules { error.to_string() } else { String::new() };
        let told = (reason, words);
        let rules = said.iter().filter(|(reason, _)| *reason == Rejection::AgainstRules).count();
        if said.contains(&told) || reason == Rejection::AgainstRules && rules >= MAX_RULES {
            return;
        }
        said.push(told);
        match reason {
            Rejection::NoSpace => log::error!(
                target: "augur::store",
                "ALARM: no space for new rows; answering without storing them: {error}"
            ),
            Rejection::KeyTooLong | Rejection::ValueDoesNotFit => {
                log::warn!(target: "augur::store", "a row does not fit the table and is not stored: {error}");
            }
            Rejection::AgainstRules => {
                log::warn!(target: "augur::store", "the table's own rules refuse a change of a row: {error}");
            }
            Rejection::Conflict => log::warn!(
                target: "augur::store",
                "a row is not stored, since another row is in the way: {error}"
            ),
        }
    }

    /// A unique key refused a row, but there is none under its key.
    pub(super) fn note_conflict(&self) {
        self.note(
            Rejection::Conflict,
            &anyhow::anyhow!("a unique key refuses it, but not for its key: see the unique indexes of the table"),
        );
    }

    /// A row was stored: there is space. Whether another row fits, it does not tell.
    pub(super) fn clear(&self) {
        let mut said = self.said();
        if let Some(at) = said.iter().position(|(reason, _)| *reason == Rejection::NoSpace) {
            said.swap_remove(at);
            log::info!(target: "augur::store", "there is space for new rows again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_without_end_keep_no_other_reason_from_being_told() {
        let unstorable = Unstorable::default();
        for n in 0..2 * MAX_RULES {
            unstorable.note(Rejection::AgainstRules, &anyhow::anyhow!("http://{n}/ is refused"));
        }
        unstorable.note(Rejection::NoSpace, &anyhow::anyhow!("ORA-01653"));
        let said = unstorable.said();
        assert_eq!(said.len(), MAX_RULES + 1);
        assert!(said.iter().any(|(reason, _)| *reason == Rejection::NoSpace));
    }
}
