//! Checkpoints: a thread that carries the log into the database file, so that no commit has to.
//!
//! SQLite's own way is that the commit which makes the log too long carries all of it, while everybody who wants to store
//! waits. The log begins anew at a commit that finds nothing left to carry (and no reader in it), which under load there never
//! would be: so the last round is made while nobody writes. Rounds before it copy what has been logged since the round before,
//! until that is little; the last one copies the rest and has the file synced.
//!
//! What is in a log that has not grown for a moment is carried over as well, however little: then lookups need not search the
//! log for each page first. So is what another program, or a server that was killed, has left in it, at the start and at the
//! end.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::writer::Writer;

/// Pages in the log from which on it is carried over. Keys are spread over the whole table: with SQLite's own limit of 1,000
/// pages, most would be written again before long.
const LONG_LOG_PAGES: i64 = 4000;
/// Changed rows after which the log's length is asked for. A row changes about a page, or shares one with its neighbours.
const ROWS_BETWEEN_LOOKS: usize = 1000;
/// A log that nobody writes to for so long is carried over whatever its length.
const QUIET: Duration = Duration::from_secs(1);
/// The last round, for which writers wait, may begin when as many pages have been logged during the one before.
const FEW_PAGES: i64 = 200;
/// On a disk that is slower than the log grows, writers wait all the same.
const MAX_ROUNDS: usize = 4;
/// Pages in the log from which on commits carry it over, where this thread could not: another program reads in it for long.
pub(super) const LONGEST_LOG_PAGES: i64 = 16_000;

/// How long the last round waits for lookups that began before it, so that the log can begin anew: they read a few pages.
const READER_PATIENCE: Duration = Duration::from_millis(20);
/// How long other programs are waited for at the end.
const END_PATIENCE: Duration = Duration::from_millis(500);

/// The thread; dropping it ends it.
pub(super) struct Checkpoints {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    state: Mutex<State>,
    /// Signalled when it is time for a look, when a rest is over, and at the end.
    due: Condvar,
}

struct State {
    /// Since the last look.
    changed_rows: usize,
    /// When the log will have been quiet for long enough, if nothing is committed before; `None` where all of it was carried
    /// over.
    rest_at: Option<Instant>,
    is_closed: bool,
}

/// What it is time for.
#[derive(Clone, Copy)]
enum Due {
    /// Many rows have been changed: the log may be long.
    Look,
    /// Some have, and none for a moment.
    Rest,
    /// This is the last time.
    End,
}

impl Checkpoints {
    /// Starts the thread, which works through `connection` and at last locks out the `writer`.
    pub(super) fn start(connection: Connection, writer: Arc<Writer>) -> std::io::Result<Self> {
        // The log may have been left by a server that was killed.
        let state = State { changed_rows: 0, rest_at: Some(Instant::now() + QUIET), is_closed: false };
        connection.busy_timeout(READER_PATIENCE).map_err(std::io::Error::other)?;
        let shared = Arc::new(Shared { state: Mutex::new(state), due: Condvar::new() });
        let its = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("checkpoint".to_owned());
        let thread = thread.spawn(move || its.run(&connection, &writer))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// After a commit that has changed at most so many rows.
    pub(super) fn changed(&self, rows: usize) {
        let mut state = self.shared.lock();
        state.changed_rows += rows;
        let was_at_rest = state.rest_at.replace(Instant::now() + QUIET).is_none();
        if was_at_rest || state.changed_rows >= ROWS_BETWEEN_LOOKS {
            self.shared.due.notify_one();
        }
    }

    /// Carries over what is left, and ends the thread.
    pub(super) fn end(&self) {
        self.shared.lock().is_closed = true;
        self.shared.due.notify_one();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic has been told of by itself.
            let _ = thread.join();
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn run(&self, connection: &Connection, writer: &Writer) {
        let mut has_failed = false;
        loop {
            let due = self.wait();
            let carried = match due {
                Due::Look => carry_over(connection, writer, LONG_LOG_PAGES),
                Due::Rest | Due::End => carry_all(connection),
            };
            let is_done = carried.as_ref().is_ok_and(|carried| *carried);
            match carried {
                Err(error) if !has_failed => {
                    log::warn!(target: "augur::store", "the log of the SQLite file cannot be carried into it: {error}");
                    has_failed = true;
                }
                Ok(_) if has_failed => {
                    log::info!(target: "augur::store", "the log of the SQLite file can be carried into it again");
                    has_failed = false;
                }
                _ => {}
            }
            match due {
                Due::End => return,
                Due::Rest if !is_done => self.try_again_later(),
                Due::Rest | Due::Look => {}
            }
        }
    }

    /// Waits until it is time for something.
    fn wait(&self) -> Due {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return Due::End;
            }
            if state.changed_rows >= ROWS_BETWEEN_LOOKS {
                state.changed_rows = 0;
                return Due::Look;
            }
            let Some(at) = state.rest_at else {
                state = self.due.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                (state.changed_rows, state.rest_at) = (0, None);
                return Due::Rest;
            }
            state = self.due.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Somebody reads what the log still has to keep.
    fn try_again_later(&self) {
        self.lock().rest_at.get_or_insert_with(|| Instant::now() + QUIET);
    }

    /// Nothing panics while the lock is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a checkpoint tells of the log, in pages; both are -1 where another program makes a checkpoint.
pub(super) struct Log {
    pages: i64,
    carried: i64,
}

impl Log {
    /// Whether all of it is in the file.
    pub(super) fn is_carried(&self) -> bool {
        self.pages >= 0 && self.carried == self.pages
    }

    /// Whether nothing is left of it, which is what TRUNCATE is for.
    pub(super) fn is_empty(&self) -> bool {
        self.pages == 0
    }
}

/// Carries the log over where it has at least as many pages; whether all of it is. What somebody is in the way of is left
/// for the next time.
fn carry_over(connection: &Connection, writer: &Writer, long_log_pages: i64) -> rusqlite::Result<bool> {
    // asks, and does nothing
    let Log { pages, mut carried } = checkpoint(connection, "NOOP")?;
    if pages - carried < long_log_pages {
        return Ok(pages == carried);
    }
    for _ in 0..MAX_ROUNDS {
        let log = checkpoint(connection, "PASSIVE")?;
        // More than a lookup can be behind: another program reads in it, perhaps for long.
        if log.pages < 0 || log.pages - log.carried > FEW_PAGES {
            return Ok(false);
        }
        let added = log.carried - carried;
        carried = log.carried;
        if added <= FEW_PAGES {
            break;
        }
    }
    let _nobody_writes = writer.lock();
    // A lookup that began while the rest was carried over reads in the log still. Under load there always is one, and the next
    // commit would go on with the log instead of beginning it anew; those that begin afterwards read the file.
    checkpoint(connection, "RESTART").map(|log| log.is_carried())
}

/// Carries over what is in the log, as far as nobody is in the way; whether that is all.
fn carry_all(connection: &Connection) -> rusqlite::Result<bool> {
    checkpoint(connection, "PASSIVE").map(|log| log.is_carried())
}

/// The same at the end, and leaves an empty log where nobody is in the way: one that is left behind would be carried into
/// whatever file is put in the place of this one.
pub(super) fn empty_log(connection: &Connection) -> rusqlite::Result<Log> {
    connection.busy_timeout(END_PATIENCE)?;
    checkpoint(connection, "TRUNCATE")
}

/// PASSIVE waits for nobody, RESTART and TRUNCATE for as long as `busy_timeout` says.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<Log> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        Ok(Log { pages: row.get("log")?, carried: row.get("checkpointed")? })
    })
}

#[cfg(test)]
mod tests;
