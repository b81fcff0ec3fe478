//! How the store fares, as the lanes see it: an outage is one line in the log when it begins and one when it ends, not one
//! a request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ServiceError;
use crate::store::StoreError;

/// What was tried. Lookups can work while inserts fail, so each has a state of its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    Lookup,
    Store,
}

/// The state of the store.
pub(super) struct Health {
    /// Which table it is about, for the log: tables of one database can fail one by one.
    table: String,
    /// The failure of each [`Operation`] that the log was last told of.
    reported: [Mutex<Option<String>>; 2],
    /// When a lookup last worked, in milliseconds after the first use of the clock, and one more; 0: never.
    worked_at_ms: AtomicU64,
}

impl Health {
    pub(super) fn of(table: String) -> Self {
        Self { table, reported: Default::default(), worked_at_ms: AtomicU64::new(0) }
    }

    /// Notes how an operation ended, and tells the log where that is news.
    pub(super) fn note<T>(&self, operation: Operation, result: Result<T, StoreError>) -> Result<T, ServiceError> {
        match result {
            Ok(done) => {
                if self.reported(operation).take().is_some() {
                    log::info!(target: "augur::store", "{}: the result store works again ({operation:?})", self.table);
                }
                if matches!(operation, Operation::Lookup) {
                    self.worked_at_ms.store(now_ms() + 1, Ordering::Relaxed);
                }
                Ok(done)
            }
            Err(error) => Err(self.failed(operation, error)),
        }
    }

    /// Notes a failure, and tells the log where that is news.
    pub(super) fn failed(&self, operation: Operation, error: StoreError) -> ServiceError {
        let what = error.to_string();
        let mut reported = self.reported(operation);
        if reported.as_ref() != Some(&what) {
            log::error!(target: "augur::store", "{}: {what}: {}", self.table, causes(&error));
            *reported = Some(what);
        }
        if matches!(operation, Operation::Lookup) {
            self.worked_at_ms.store(0, Ordering::Relaxed);
        }
        error.into()
    }

    /// Whether the last lookup worked and was not longer ago than this.
    pub(super) fn worked_within(&self, time: Duration) -> bool {
        let at_ms = self.worked_at_ms.load(Ordering::Relaxed);
        at_ms > 0 && Duration::from_millis((now_ms() + 1).saturating_sub(at_ms)) <= time
    }

    fn reported(&self, operation: Operation) -> std::sync::MutexGuard<'_, Option<String>> {
        self.reported[operation as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now_ms() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_millis() as u64
}

/// The causes of an error, outermost first, without the error itself.
fn causes(error: &dyn std::error::Error) -> String {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.join(": ")
}
