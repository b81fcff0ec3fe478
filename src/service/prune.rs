//! Prune: removes old rows, so that the table stays inside its quota. What was removed is predicted anew when it is asked
//! for; what a person or another program wrote could not be.

use std::sync::atomic::{AtomicU64, Ordering};

use super::sweep::{Pace, Step, patiently, sweep};
use crate::domain::{MANUAL, StoredResult};
use crate::store::{Found, ResultStore, StoreError, Swap, Swapped};

/// What to remove, and how.
#[derive(Debug, Clone)]
pub struct PruneOptions {
    /// Rows written before this time.
    pub before: jiff::Timestamp,
    /// Only rows that this model made, as MODEL has it.
    pub model: Option<String>,
    /// Also rows whose MODEL is NULL: those of other programs.
    pub include_unknown: bool,
    /// How fast.
    pub pace: Pace,
    /// Counts, and removes nothing.
    pub dry_run: bool,
}

/// What became of the rows.
#[derive(Debug, Default)]
pub struct Pruned {
    /// They are gone, or would be in a dry run.
    pub removed: u64,
    /// Somebody changed them meanwhile; they are as he left them.
    pub overtaken: u64,
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
    let wanted = |row: &StoredResult| match row.model.as_deref() {
        Some(MANUAL) => false,
        None if !options.include_unknown => false,
        _ => row.created_at.as_deref().and_then(written_at).is_some_and(|at| at < options.before),
    };
    let (removed, overtaken) = (AtomicU64::new(0), AtomicU64::new(0));
    sweep(store, options.model.as_deref(), options.pace, &wanted, &|rows| {
        let swaps: Vec<Swap> =
            rows.iter().map(|row| Swap { key: row.key.clone(), before: Found::of(row), after: None }).collect();
        let swapped = if options.dry_run {
            swaps.iter().map(|_| Swapped::Done(None)).collect()
        } else {
            patiently(store, |session| session.swap_many(&swaps))?
        };
        let done = swapped.iter().filter(|swapped| matches!(swapped, Swapped::Done(_))).count() as u64;
        removed.fetch_add(done, Ordering::Relaxed);
        overtaken.fetch_add(rows.len() as u64 - done, Ordering::Relaxed);
        progress(Step::Done(rows.len() as u64));
        Ok(())
    })?;
    Ok(Pruned { removed: removed.into_inner(), overtaken: overtaken.into_inner() })
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
