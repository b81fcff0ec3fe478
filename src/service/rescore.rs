//! Rescore: renews the rows that an older version of the model made, while others read and write the table.
//!
//! A row that was renewed names the new version, and is passed over by the next run: one that was ended in the middle, however
//! that was, goes on where it is needed when it is started again, and needs no note of how far it came.

use std::sync::{Mutex, PoisonError};

use super::sweep::{Pace, Step, patiently, sweep, walk};
use crate::domain::{MANUAL, ModelVersion, Outcome, StoredResult};
use crate::model::{Predictor, UrlModel};
use crate::store::{Found, ResultStore, StoreError, Swap, Swapped};

/// What to renew, and how.
#[derive(Debug, Clone, Copy)]
pub struct RescoreOptions {
    /// Also rows whose MODEL is NULL: those of other programs.
    pub include_unknown: bool,
    /// Also rows whose MODEL is `manual`: people's corrections.
    pub include_manual: bool,
    /// How fast.
    pub pace: Pace,
    /// Predicts, and changes nothing.
    pub dry_run: bool,
}

/// What became of the rows.
#[derive(Debug, Clone, Default)]
pub struct Rescored {
    /// They hold the new model's value, or would in a dry run.
    pub renewed: u64,
    /// Somebody changed them meanwhile; they are as he left them.
    pub overtaken: u64,
    /// The table cannot take the new value, or the model has none; they are as they were.
    pub kept: u64,
    /// By how much the values changed.
    pub changes: Changes,
}

/// A histogram of how far values moved.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    counts: [u64; Self::BOUNDS.len() + 2],
    /// Rows whose value was below one half and is not any more, or the other way round.
    pub crossed_half: u64,
    /// Rows that did not hold a number.
    pub not_numbers: u64,
}

impl Changes {
    /// Where the bins end, in units of the result; the first one is of equal values, the last one is open.
    const BOUNDS: [f64; 6] = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5];

    fn count(&mut self, before: &Outcome, after: &Outcome) {
        let (Some(before), Some(after)) = (before.number(), after.number()) else {
            self.not_numbers += 1;
            return;
        };
        let moved = (after - before).abs();
        let bin = if moved == 0.0 { 0 } else { 1 + Self::BOUNDS.partition_point(|bound| *bound <= moved) };
        self.counts[bin] += 1;
        self.crossed_half += u64::from((before >= 0.5) != (after >= 0.5));
    }

    /// A name and a count for each bin.
    pub fn bins(&self) -> impl Iterator<Item = (String, u64)> {
        let names = std::iter::once("none".to_owned())
            .chain(Self::BOUNDS.map(|bound| format!("< {bound}")))
            .chain(std::iter::once(format!(">= {}", Self::BOUNDS[Self::BOUNDS.len() - 1])));
        names.zip(self.counts)
    }
}

/// Renews the rows of `store` whose value is of an older version of `model`. Blocks, for as long as it takes.
///
/// # Errors
/// Where the store cannot be used for a minute, or at all. What was renewed until then stays so.
pub fn rescore(
    store: &dyn ResultStore,
    model: &UrlModel,
    options: RescoreOptions,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Rescored, StoreError> {
    let version = Predictor::version(model);
    let wanted = |row: &StoredResult| is_wanted(row, &version, options);
    // Reading is much faster than renewing, and tells how long that will take.
    let mut total = 0;
    walk(store, &mut |page| {
        total += page.iter().filter(|row| wanted(row)).count() as u64;
        progress(Step::Counted(page.len() as u64));
        Ok(())
    })?;
    progress(Step::Total(total));
    let rescored = Mutex::new(Rescored::default());
    sweep(store, options.pace, &wanted, &|rows| {
        let (swaps, unpredicted) = predict(model, &version, rows);
        let swapped = if options.dry_run {
            swaps.iter().map(|_| Swapped::Done(None)).collect()
        } else {
            patiently(store, |session| session.swap_many(&swaps))?
        };
        let mut rescored = rescored.lock().unwrap_or_else(PoisonError::into_inner);
        rescored.kept += unpredicted;
        for (swap, swapped) in swaps.iter().zip(swapped) {
            match swapped {
                Swapped::Done(_) => {
                    rescored.renewed += 1;
                    if let Some(after) = &swap.after {
                        rescored.changes.count(&swap.before.outcome, &after.outcome);
                    }
                }
                Swapped::Overtaken => rescored.overtaken += 1,
                Swapped::Rejected(_) => rescored.kept += 1,
            }
        }
        drop(rescored);
        progress(Step::Done(rows.len() as u64));
        Ok(())
    })?;
    Ok(rescored.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn is_wanted(row: &StoredResult, version: &ModelVersion, options: RescoreOptions) -> bool {
    match row.model.as_deref() {
        None => options.include_unknown,
        Some(MANUAL) => options.include_manual,
        model => version.succeeds(model),
    }
}

/// What the rows are to hold, and for how many the model has no value.
fn predict(model: &UrlModel, version: &ModelVersion, rows: &[StoredResult]) -> (Vec<Swap>, u64) {
    let urls: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    let swaps: Vec<Swap> = rows
        .iter()
        .zip(model.predict_each(&urls))
        .filter_map(|(row, score)| {
            let after = Found { outcome: Outcome::float(score.ok()?), model: Some(version.to_string()) };
            Some(Swap { key: row.key.clone(), before: Found::of(row), after: Some(after) })
        })
        .collect();
    let unpredicted = rows.len() - swaps.len();
    (swaps, unpredicted as u64)
}
