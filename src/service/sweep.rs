//! Sweep: a walk over all rows of a table in key order, batch by batch, for work that takes its time. Others go on writing
//! meanwhile; what they write behind the walk is not seen.

use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::{Key, StoredResult};
use crate::store::{Range, ResultStore, StoreError, StoreSession};

/// Rows that are read at a time, and changed at a time.
const BATCH_ROWS: usize = 500;
/// How long a store that cannot be used is tried again.
const PATIENCE: Duration = Duration::from_secs(60);
/// What lies between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// How fast to go.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Batches that are worked on at the same time; fewer where the store has fewer sessions.
    pub workers: usize,
    /// Rows that are changed in a second at most.
    pub rows_per_s: Option<NonZeroU32>,
}

/// What a sweep tells of itself while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many rows more have been looked at, to count those there is work for.
    Counted(u64),
    /// There is work for so many rows.
    Total(u64),
    /// So many more are done.
    Done(u64),
}

/// Walks over all rows. Whoever wants those of one model passes over the others: no index helps to find them, and a statement
/// that reads millions of rows for one page would run into the call timeout.
pub(super) fn walk(
    store: &dyn ResultStore,
    each_page: &mut dyn FnMut(Vec<StoredResult>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut after: Option<Key> = None;
    loop {
        let page = patiently(store, |session| {
            session.page(&Range { after: after.as_ref(), prefix: "", model: None }, BATCH_ROWS)
        })?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.key.clone());
        each_page(page)?;
    }
}

/// Does `work` with the rows that are `wanted`, in batches, at this pace. Batches are begun in key order.
pub(super) fn sweep(
    store: &dyn ResultStore,
    pace: Pace,
    wanted: &dyn Fn(&StoredResult) -> bool,
    work: &(dyn Fn(&[StoredResult]) -> Result<(), StoreError> + Sync),
) -> Result<(), StoreError> {
    // One session is the walk's.
    let workers = pace.workers.min(store.max_sessions().saturating_sub(1)).max(1);
    // Ten batches a second or more: slowly is meant to be evenly.
    let batch_rows = pace.rows_per_s.map_or(BATCH_ROWS, |rate| (rate.get() as usize / 10).clamp(1, BATCH_ROWS));
    let (batches, waiting) = sync_channel::<Vec<StoredResult>>(workers);
    let waiting = Mutex::new(waiting);
    let failed: Mutex<Option<StoreError>> = Mutex::new(None);
    let fail = |error| {
        failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(batch) = next(&waiting) {
                    // After a failure the rest is passed over, so that the walk does not wait for ever.
                    if failed.lock().unwrap_or_else(PoisonError::into_inner).is_none()
                        && let Err(error) = unless_it_panics(|| work(&batch))
                    {
                        fail(error);
                    }
                }
            });
        }
        let mut allowed = Instant::now();
        let mut send = |batch: Vec<StoredResult>| {
            if let Some(rate) = pace.rows_per_s {
                std::thread::sleep(allowed.saturating_duration_since(Instant::now()));
                allowed = allowed.max(Instant::now())
                    + Duration::from_secs(1).mul_f64(batch.len() as f64 / f64::from(rate.get()));
            }
            // The receiver outlives it, and the workers take batches for as long as there is a sender.
            let _ = batches.send(batch);
        };
        let mut batch = Vec::with_capacity(batch_rows);
        let walked = walk(store, &mut |page| {
            for row in page.into_iter().filter(|row| wanted(row)) {
                batch.push(row);
                if batch.len() == batch_rows {
                    send(std::mem::take(&mut batch));
                }
            }
            let failed = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
            failed.map_or(Ok(()), Err)
        });
        match walked {
            Ok(()) if batch.is_empty() => {}
            Ok(()) => send(batch),
            Err(error) => fail(error),
        }
        drop(batches);
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// A panic is an error like another: a worker that was gone would take no more batches, and the walk would wait for it.
fn unless_it_panics(work: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
    // What it shares with others are counts, which nobody is told after an error.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(StoreError::Internal(anyhow::anyhow!("a worker panicked"))))
}

fn next(waiting: &Mutex<Receiver<Vec<StoredResult>>>) -> Option<Vec<StoredResult>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Does work on a session of the store; where that cannot be used, again for a while. The work has to be safe to repeat.
pub(super) fn patiently<T>(
    store: &dyn ResultStore,
    mut work: impl FnMut(&mut dyn StoreSession) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let end = Instant::now() + PATIENCE;
    loop {
        match store.session(store.acquire_timeout()).and_then(|mut session| work(&mut *session)) {
            Err(error) if error.may_pass() && Instant::now() < end => {
                log::debug!(target: "augur::service", "the store is tried again: {error}");
                std::thread::sleep(PAUSE);
            }
            end => return end,
        }
    }
}
