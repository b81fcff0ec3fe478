//! Checkpoints: a thread that carries the log into the database file, so that no commit has to.
//!
//! SQLite's own way is that the commit which makes the log too long carries all of it, while everybody who wants to store
//! waits. The log begins anew at the first commit that finds nothing left to carry, which under load there never would be: so
//! the last round is made while nobody writes. Rounds before it carry what has been logged since the round before, until
//! that is little.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;

/// Changed rows after which the log is carried over. Keys are spread over the whole table, so each row is nearly a page; with
/// SQLite's own limit of 1,000 pages, most would be written again before long.
const ROWS: usize = 4000;
/// The last round, for which writers wait, may begin when as many pages have been logged during the one before.
const FEW_PAGES: i64 = 200;
/// On a disk that is slower than the log grows, writers wait all the same.
const MAX_ROUNDS: usize = 4;
/// Pages in the log after which a commit carries them over, as long as this thread could not.
pub(super) const LONGEST_LOG_PAGES: i64 = 16_000;

/// The thread; dropping it ends it.
pub(super) struct Checkpoints {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Signalled when a checkpoint is due, and at the end.
    due: Condvar,
}

#[derive(Default)]
struct State {
    changed_rows: usize,
    is_closed: bool,
}

impl Checkpoints {
    /// Starts the thread, which works through `connection` and at last locks out the `writer`.
    pub(super) fn start(connection: Connection, writer: Arc<Mutex<Connection>>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let its = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("checkpoint".to_owned()).spawn(move || {
            while its.wait() {
                if let Err(error) = carry_over(&connection, &writer) {
                    log::warn!(target: "augur::store", "the log of the SQLite file cannot be carried into it: {error}");
                }
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// After a commit that has changed at most so many rows.
    pub(super) fn changed(&self, rows: usize) {
        let mut state = self.shared.lock();
        state.changed_rows += rows;
        if state.changed_rows >= ROWS {
            self.shared.due.notify_one();
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.due.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic has been told of by itself.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Waits until a checkpoint is due; `false` at the end.
    fn wait(&self) -> bool {
        let is_early = |state: &mut State| state.changed_rows < ROWS && !state.is_closed;
        let mut state = self.due.wait_while(self.lock(), is_early).unwrap_or_else(PoisonError::into_inner);
        state.changed_rows = 0;
        !state.is_closed
    }

    /// Nothing panics while the lock is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn carry_over(connection: &Connection, writer: &Mutex<Connection>) -> rusqlite::Result<()> {
    let mut carried = 0;
    for _ in 0..MAX_ROUNDS {
        let before = carried;
        carried = checkpoint(connection)?;
        if carried - before <= FEW_PAGES {
            break;
        }
    }
    let _nobody_writes = writer.lock().unwrap_or_else(PoisonError::into_inner);
    checkpoint(connection).map(drop)
}

/// Carries over what is in the log now, without waiting for anybody; how many pages of the log have been carried over.
fn checkpoint(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get("checkpointed"))
}
