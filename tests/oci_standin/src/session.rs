//! [`Session`]: a user's session on the stand-in database: its SQLite connection, its transaction and its figures.

use std::cell::Cell;
use std::fs::File;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::control::{ACCOUNT_FILE, CONTROL_FILE, Word};
use crate::dictionary;
use crate::error::{OraError, Result};
use crate::link::Link;
use crate::testing::FailOn;
use crate::turn::Turn;

pub(crate) struct Session {
    pub(crate) link: Arc<Link>,
    pub(crate) connection: Connection,
    /// The user's name, which is also the schema's.
    pub(crate) owner: String,
    pub(crate) stats: Stats,
    /// Commits whose time is still to be waited for, outside of SQLite's lock.
    owed_us: u64,
    /// Held while the session has a transaction.
    turn: Option<Turn>,
    slot: usize,
}

/// What V$MYSTAT shows of the session.
#[derive(Clone, Copy, Default)]
pub(crate) struct Stats {
    pub(crate) round_trips: u64,
    pub(crate) commits: u64,
    pub(crate) parses: u64,
    pub(crate) rollbacks: u64,
}

/// How long a call without a timeout waits for another session's transaction.
const LOCK_WAIT: Duration = Duration::from_secs(60);

thread_local! {
    static LOCK_DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// SQLite has one writer at a time. Writers of other processes are waited for in short naps; SQLite's own grow to 100 ms.
fn wait_for_lock(_attempt: i32) -> bool {
    if LOCK_DEADLINE.get().is_some_and(|deadline| Instant::now() >= deadline) {
        return false;
    }
    sleep(Duration::from_micros(300));
    true
}

impl Session {
    pub(crate) fn log_on(link: Arc<Link>, user: &str, password: &str) -> Result<Self> {
        link.wait_to_connect(0)?;
        link.ordered_failure(FailOn::Logon)?;
        let account = std::fs::read_to_string(link.folder.join(ACCOUNT_FILE)).map_err(OraError::internal)?;
        let mut account = account.lines();
        let owner = account.next().unwrap_or_default().to_uppercase();
        if !link.inspector {
            if link.control.get(Word::AccountLocked) != 0 {
                return Err(OraError::new(28000));
            }
            if user.to_uppercase() != owner || Some(password) != account.next() {
                return Err(OraError::new(1017));
            }
        }
        let connection = open(&link, &owner)?;
        let slot = if link.inspector { usize::MAX } else { link.control.enter_session().map_err(OraError::new)? };
        link.count(Word::Logons, 1);
        Ok(Self { link, connection, owner, stats: Stats::default(), owed_us: 0, turn: None, slot })
    }

    /// Begins a call: the round trip, and how long it may wait for locks.
    pub(crate) fn begin_call(&mut self, timeout_ms: u32) -> Result<()> {
        self.stats.round_trips += 1;
        self.link.round_trip(timeout_ms)?;
        let patience = match timeout_ms {
            0 => LOCK_WAIT,
            _ => Duration::from_millis(timeout_ms.into()),
        };
        LOCK_DEADLINE.set(Some(Instant::now() + patience));
        Ok(())
    }

    /// Ends a call: waits for its commit, and takes note if the error means the end of the session.
    pub(crate) fn end_call<T>(&mut self, timeout_ms: u32, result: Result<T>) -> Result<T> {
        self.end_turn();
        let owed = std::mem::take(&mut self.owed_us);
        let result = result.and_then(|value| {
            if owed > 0 {
                self.link.wait(owed, timeout_ms)?;
            }
            Ok(value)
        });
        result.map_err(|error| {
            if error.is_fatal() {
                self.link.lose();
                // the server rolls back for the session that is gone
                let _ = self.undo();
                self.end_turn();
            }
            match error.code {
                2049 if timeout_ms > 0 => OraError::new(3156),
                _ => error,
            }
        })
    }

    /// The end of the session is the same whatever becomes of the call.
    pub(crate) fn say_goodbye(self, timeout_ms: u32) {
        let _ = self.link.wait(self.link.control.get(Word::RoundTripUs), timeout_ms);
    }

    pub(crate) fn in_transaction(&self) -> bool {
        !self.connection.is_autocommit()
    }

    pub(crate) fn begin_transaction(&mut self) -> Result<()> {
        if !self.in_transaction() {
            if self.turn.is_none() {
                let deadline = LOCK_DEADLINE.get().unwrap_or_else(|| Instant::now() + LOCK_WAIT);
                self.turn = Some(Turn::take(&self.link.folder, deadline).ok_or_else(|| OraError::new(2049))?);
            }
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        Ok(())
    }

    fn end_turn(&mut self) {
        if !self.in_transaction() {
            self.turn = None;
        }
    }

    pub(crate) fn commit(&mut self) -> Result<()> {
        if self.in_transaction() {
            self.link.ordered_failure(FailOn::Commit)?;
            self.connection.execute_batch("COMMIT")?;
            self.stats.commits += 1;
            self.link.count(Word::Commits, 1);
            self.owed_us += self.link.control.get(Word::CommitUs);
        }
        Ok(())
    }

    pub(crate) fn rollback(&mut self) -> Result<()> {
        self.stats.rollbacks += 1;
        self.link.count(Word::Rollbacks, 1);
        self.link.ordered_failure(FailOn::End)?;
        self.undo()
    }

    /// A rollback that nobody asked for.
    pub(crate) fn undo(&mut self) -> Result<()> {
        if self.in_transaction() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.slot != usize::MAX {
            self.link.control.leave_session(self.slot);
        }
    }
}

/// Each session has a connection of its own, so that sessions overlap as they do on a server. `synchronous` is off:
/// what a commit costs is simulated, and committed rows survive the death of a process as it is.
fn open(link: &Link, owner: &str) -> Result<Connection> {
    // one at a time: two that turn a new file to WAL at once are told that it is locked, without waiting
    let turn = File::open(link.folder.join(CONTROL_FILE)).map_err(OraError::internal)?;
    turn.lock().map_err(OraError::internal)?;
    let connection = Connection::open(link.folder.join("standin.sqlite"))?;
    connection.set_prepared_statement_cache_capacity(64);
    LOCK_DEADLINE.set(Some(Instant::now() + LOCK_WAIT));
    connection.busy_handler(Some(wait_for_lock))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA case_sensitive_like = ON;
         PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 2147418112; PRAGMA wal_autocheckpoint = 16000;",
    )?;
    if !dictionary::is_installed(&connection)? {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        dictionary::install(&connection, owner)?;
        connection.execute_batch("COMMIT")?;
    }
    Ok(connection)
}
