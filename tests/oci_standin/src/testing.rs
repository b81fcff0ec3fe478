//! What a test holds in its hand: [`StandIn`], a database that can be slowed down, broken and asked what was done to it.
//!
//! Everything goes through the database's control file, so it works from any process and whatever state the database
//! is in. The tables are no business of this side: a test reads and writes them through the driver, if it must not be
//! seen or disturbed with [`StandIn::inspector_connect_string`].

use std::fs;
use std::io::{self, Error};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::control::{ACCOUNT_FILE, Control, Word};

/// The account of a new database.
pub const USER: &str = "augur";
pub const PASSWORD: &str = "secret";

/// Whether and how calls hang, connecting included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hang {
    No = 0,
    /// The server is stuck but answers the break that follows a call timeout: ORA-03156, the session is usable.
    Busy = 1,
    /// Nothing comes back at all: after twice the call timeout ORA-03114, the session is dead.
    Silent = 2,
}

/// Which calls an ordered failure is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    AnyExecute = 0,
    Select = 1,
    /// INSERT, UPDATE, DELETE and MERGE.
    Change = 2,
    Commit = 3,
    Logon = 4,
    /// COMMIT and ROLLBACK: how a transaction ends.
    End = 5,
    /// A row of INSERT, UPDATE, DELETE and MERGE: the others of its array are done where errors are collected.
    Row = 6,
}

/// What a user may see of the dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Views {
    Readable = 0,
    /// As most users: ORA-00942 for V$ views and DBMS_XPLAN.
    NoPerformanceViews = 1,
    /// ORA-00942 for USER_ and ALL_ views as well.
    Unreadable = 2,
}

/// What the database was asked to do since it was made or since [`StandIn::reset_counters`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connects that were tried, refused ones included.
    pub logon_attempts: u64,
    pub logons: u64,
    /// Without those of connecting and disconnecting.
    pub round_trips: u64,
    pub executes: u64,
    /// Executes of a statement that was not in its session's statement cache.
    pub parses: u64,
    /// Commits that had something to commit.
    pub commits: u64,
    pub rollbacks: u64,
    pub pings: u64,
    pub rows_fetched: u64,
    pub rows_inserted: u64,
    /// Values sent in the national character set, which keep Oracle from using an index on a VARCHAR2. Never reset.
    pub nchar_binds: u64,
    /// ALTER SESSION, which a client does after logging on.
    pub sessions_altered: u64,
    pub call_timeouts: u64,
    /// Sessions of living processes right now.
    pub open_sessions: u64,
    pub max_sessions: u64,
}

/// A stand-in database in a folder. Dropping it leaves the folder alone.
#[derive(Debug)]
pub struct StandIn {
    control: Control,
    folder: PathBuf,
}

impl StandIn {
    /// Makes a database with the account [`USER`]/[`PASSWORD`] in a folder, which may exist but holds none yet.
    pub fn create(folder: impl AsRef<Path>) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let folder = folder.as_ref().canonicalize()?;
        let control = Control::create(&folder)?;
        let database = Self { control, folder };
        database.set_account(USER, PASSWORD)?;
        Ok(database)
    }

    /// Takes hold of a database that exists, for instance in another process.
    pub fn open(folder: impl AsRef<Path>) -> io::Result<Self> {
        let folder = folder.as_ref().canonicalize()?;
        let control = Control::open(&folder)?;
        Ok(Self { control, folder })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// For the driver. `//standin:1521/folder` in the form of Easy Connect and a descriptor with the folder as its
    /// SERVICE_NAME work too, with the connect timeouts that they give; so does an alias in `$TNS_ADMIN/tnsnames.ora`.
    pub fn connect_string(&self) -> String {
        format!("standin:{}", self.folder.display())
    }

    /// A side door that no fault, latency or session limit touches and that nothing counts; any password will do.
    pub fn inspector_connect_string(&self) -> String {
        format!("{}?inspector", self.connect_string())
    }

    /// The one account that may log on. Sessions stay as they are.
    pub fn set_account(&self, user: &str, password: &str) -> io::Result<()> {
        let new = self.folder.join("standin.account.new");
        fs::write(&new, format!("{user}\n{password}\n"))?;
        fs::rename(new, self.folder.join(ACCOUNT_FILE))
    }

    /// ORA-28000 for every logon.
    pub fn set_account_locked(&self, locked: bool) {
        self.control.set(Word::AccountLocked, locked.into());
    }

    /// ORA-28002 as a warning with every logon.
    pub fn set_password_expires(&self, expires: bool) {
        self.control.set(Word::PasswordExpires, expires.into());
    }

    pub fn set_round_trip(&self, time: Duration) {
        self.control.set(Word::RoundTripUs, time.as_micros() as u64);
    }

    /// What a commit takes on top of its round trip.
    pub fn set_commit_time(&self, time: Duration) {
        self.control.set(Word::CommitUs, time.as_micros() as u64);
    }

    pub fn set_connect_time(&self, time: Duration) {
        self.control.set(Word::ConnectUs, time.as_micros() as u64);
    }

    pub fn set_hang(&self, hang: Hang) {
        self.control.set(Word::Hang, hang as u64);
    }

    /// Down: connecting is ORA-12541 and every session is dead (ORA-03113), for good.
    pub fn set_down(&self, down: bool) {
        self.control.set(Word::Down, down.into());
        if down {
            self.control.restart(true);
        }
    }

    /// Ends every session: the next call of each is ORA-03113, and its status shows it at once. Logons work.
    pub fn restart(&self) {
        self.control.restart(true);
    }

    /// As `restart`, but the lines stay open: a session seems sound until its next call, which is ORA-03135.
    pub fn restart_unnoticed(&self) {
        self.control.restart(false);
    }

    /// ORA-00018 for sessions beyond `limit`; `None` is no limit.
    pub fn set_session_limit(&self, limit: Option<u64>) {
        self.set_session_limit_with(limit, 18);
    }

    /// The same with another number, such as 20 (processes) or 2391 (sessions of a user).
    pub fn set_session_limit_with(&self, limit: Option<u64>, ora: u32) {
        self.control.set(Word::SessionLimitCode, ora.into());
        self.control.set(Word::SessionLimit, limit.unwrap_or(0));
    }

    /// The next `count` calls of a kind fail with `ora`, before they do anything; `u64::MAX` is for ever. A number
    /// that ends sessions, such as 3113, ends them. There is one order at a time; a count of 0 takes it back.
    pub fn fail_next(&self, count: u64, ora: u32, on: FailOn) {
        self.control.set(Word::FailLeft, 0);
        self.control.set(Word::FailScope, on as u64);
        self.control.set(Word::FailCode, ora.into());
        self.control.set(Word::FailLeft, count);
    }

    pub fn set_views(&self, views: Views) {
        self.control.set(Word::Views, views as u64);
    }

    pub fn counters(&self) -> Counters {
        let get = |word| self.control.get(word);
        Counters {
            logon_attempts: get(Word::LogonAttempts),
            logons: get(Word::Logons),
            round_trips: get(Word::RoundTrips),
            executes: get(Word::Executes),
            parses: get(Word::Parses),
            commits: get(Word::Commits),
            rollbacks: get(Word::Rollbacks),
            pings: get(Word::Pings),
            rows_fetched: get(Word::RowsFetched),
            rows_inserted: get(Word::RowsInserted),
            nchar_binds: get(Word::NcharBinds),
            sessions_altered: get(Word::SessionsAltered),
            call_timeouts: get(Word::CallTimeouts),
            open_sessions: self.control.open_sessions(),
            max_sessions: get(Word::MaxSessions),
        }
    }

    pub fn reset_counters(&self) {
        self.control.reset_counters();
    }
}

/// Links the stand-in as `libclntsh.so` in a folder, which then serves as the driver's client library folder. It is
/// looked for beside the running test, where cargo leaves it.
pub fn link_client_library(folder: impl AsRef<Path>) -> io::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let beside = test.parent().unwrap_or(Path::new("."));
    let library = [beside.to_owned(), beside.join("deps"), beside.join("..")]
        .iter()
        .map(|place| place.join("liboci_standin.so"))
        .find(|path| path.exists())
        .ok_or_else(|| Error::other("liboci_standin.so is not beside the test; build oci_standin"))?;
    fs::create_dir_all(&folder)?;
    let link = folder.as_ref().join("libclntsh.so");
    if link.symlink_metadata().is_err() {
        symlink(library.canonicalize()?, link)?;
    }
    folder.as_ref().canonicalize()
}
