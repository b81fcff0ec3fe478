//! Prune: removes old rows, so that the table stays inside its quota. What was removed is predicted anew when it is asked
//! for; what a person, another program or another model wrote could not be.

use std::sync::{Mutex, PoisonError};

use super::sweep::{Pace, Step, patiently, sweep};
use crate::domain::{Key, MANUAL, ModelVersion, StoredResult};
use crate::store::{Found, Rejection, ResultStore, StoreError, Swap, Swapped};

/// What to remove, and how.
#[derive(Debug, Clone)]
pub struct PruneOptions {
    /// Rows written before this time.
    pub before: jiff::Timestamp,
    /// Whose rows.
    pub whose: Whose,
    /// How fast.
    pub pace: Pace,
    /// Counts, and removes nothing.
    pub dry_run: bool,
}

/// Whose rows are removed. Those whose MODEL is `manual` never are.
#[derive(Debug, Clone)]
pub enum Whose {
    /// Rows whose MODEL is this text.
    Exactly(String),
    /// Rows of any version of a model.
    VersionsOf {
        /// Name of the model, without a version.
        name: String,
        /// Also rows whose MODEL is NULL: those of other programs.
        include_unknown: bool,
    },
}

impl Whose {
    /// Whether a row with this MODEL is one of them.
    fn is(&self, row: Option<&str>) -> bool {
        match (self, row) {
            (_, Some(MANUAL)) => false,
            (Self::Exactly(model), row) => row == Some(model),
            (Self::VersionsOf { include_unknown, .. }, None) => *include_unknown,
            (Self::VersionsOf { name, .. }, Some(row)) => ModelVersion::name_in(row) == Some(name),
        }
    }
}

/// What became of the rows.
#[derive(Debug, Default)]
pub struct Pruned {
    /// They are gone, or would be in a dry run.
    pub removed: u64,
    /// Somebody changed them meanwhile; they are as he left them.
    pub overtaken: u64,
    /// The table does not let them go.
    pub kept: u64,
    /// One of those, and why.
    pub first_kept: Option<(Key, Rejection)>,
}

/// Removes the rows that are older than wished. Rows without a date that can be read, and those whose MODEL is `manual`,
/// are never among them. Blocks, for as long as it takes.
///
/// # Errors
/// Where the store cannot be used for a minute, or at all. What was removed until then stays so.
pub fn prune(
    store: &dyn ResultStore,
    options: &PruneOptions,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Pruned, StoreError> {
    let wanted = |row: &StoredResult| {
        options.whose.is(row.model.as_deref())
            && row.created_at.as_deref().and_then(written_at).is_some_and(|at| at < options.before)
    };
    let pruned = Mutex::new(Pruned::default());
    sweep(store, options.pace, &wanted, &|rows| {
        let swaps: Vec<Swap> =
            rows.iter().map(|row| Swap { key: row.key.clone(), before: Found::of(row), after: None }).collect();
        let swapped = if options.dry_run {
            swaps.iter().map(|_| Swapped::Done(None)).collect()
        } else {
            patiently(store, |session| session.swap_many(&swaps))?
        };
        let mut pruned = pruned.lock().unwrap_or_else(PoisonError::into_inner);
        for (swap, swapped) in swaps.into_iter().zip(swapped) {
            match swapped {
                Swapped::Done(_) => pruned.removed += 1,
                Swapped::Overtaken => pruned.overtaken += 1,
                Swapped::Rejected(reason) => {
                    pruned.kept += 1;
                    pruned.first_kept.get_or_insert((swap.key, reason));
                }
            }
        }
        drop(pruned);
        progress(Step::Done(rows.len() as u64));
        Ok(())
    })?;
    Ok(pruned.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// When a row was written, by RFC 3339 or, without an offset, in UTC. `None` where the text says no time.
fn written_at(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok().or_else(|| {
        let utc: jiff::civil::DateTime = text.parse().ok()?;
        Some(utc.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::written_at;

    #[test]
    fn times_are_read_as_programs_write_them_and_nothing_else_is() {
        let at = written_at("2026-11-23T15:01:02Z");
        assert!(at.is_some());
        for same in ["2026-11-23T15:01:02.000000Z", "2026-11-23 15:01:02", "2026-11-23T16:01:02+01:00"] {
            assert_eq!(written_at(same), at, "{same}");
        }
        for none in ["", "1763910062", "yesterday", "23.11.2026", "2026-13-01 00:00:00"] {
            assert_eq!(written_at(none), None, "{none}");
        }
    }
}
