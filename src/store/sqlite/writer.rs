//! The one connection that writes. Two would wait for each other in SQLite's busy handler; here writes queue at a mutex.
//!
//! A commit makes stale whatever other connections have in their caches, but not what this one has. So while rows are stored,
//! lookups may [`borrow`](Writer::borrow) it; not when somebody waits to write, who would have to wait for a lookup after
//! another.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// Rows are stored while the last commit came within this time; afterwards the readers' caches stay as they are.
const RECENTLY: Duration = Duration::from_millis(100);
/// Most keys that are looked up while writers would have to wait: as many as a lane takes.
const FEW_KEYS: usize = 64;

pub(super) struct Writer {
    connection: Mutex<Connection>,
    /// Who waits to write.
    waiting: AtomicUsize,
    opened: Instant,
    /// When the last commit ended, in milliseconds after `opened`, and one more; 0: none so far.
    committed_ms: AtomicU64,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection: Mutex::new(connection),
            waiting: AtomicUsize::new(0),
            opened: Instant::now(),
            committed_ms: AtomicU64::new(0),
        }
    }

    /// The connection, for whoever has to write or to keep others from it. A panic while it was held cannot have left a
    /// transaction open (dropping one rolls it back), so a poisoned lock is as good as any.
    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        connection
    }

    /// After a commit.
    pub(super) fn note_commit(&self) {
        self.committed_ms.store(self.opened.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
    }

    /// The connection, for a lookup of so many keys; `None` where a reader is as good, or somebody writes.
    pub(super) fn borrow(&self, keys: usize) -> Option<MutexGuard<'_, Connection>> {
        let committed = Duration::from_millis(self.committed_ms.load(Ordering::Relaxed).checked_sub(1)?);
        let is_worth_it = keys <= FEW_KEYS && self.opened.elapsed().saturating_sub(committed) < RECENTLY;
        if !is_worth_it || self.waiting.load(Ordering::Relaxed) > 0 {
            return None;
        }
        match self.connection.try_lock() {
            Ok(connection) => Some(connection),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer() -> Writer {
        Writer::new(Connection::open_in_memory().expect("a database"))
    }

    #[test]
    fn a_lookup_gets_the_connection_only_after_a_commit_and_only_while_nobody_has_it() {
        let writer = writer();
        assert!(writer.borrow(1).is_none(), "nothing was stored");
        writer.note_commit();
        assert!(writer.borrow(FEW_KEYS).is_some());
        assert!(writer.borrow(FEW_KEYS + 1).is_none(), "writers would wait for long");
        let held = writer.lock();
        assert!(writer.borrow(1).is_none(), "somebody writes");
        drop(held);
        assert!(writer.borrow(1).is_some());
    }

    #[test]
    fn a_lookup_does_not_go_before_whoever_waits_to_write() {
        let writer = writer();
        writer.note_commit();
        writer.waiting.store(1, Ordering::Relaxed);
        assert!(writer.borrow(1).is_none());
    }

    #[test]
    fn a_panic_takes_the_connection_from_nobody() {
        let writer = writer();
        std::thread::scope(|scope| {
            let panicked = scope.spawn(|| {
                let _held = writer.lock();
                panic!("on purpose");
            });
            assert!(panicked.join().is_err());
        });
        writer.note_commit();
        assert!(writer.borrow(1).is_some());
        drop(writer.lock());
    }
}
