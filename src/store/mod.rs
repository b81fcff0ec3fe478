//! The result table behind one trait: what a store can do and how it fails. Knows no backend.
//!
//! Everything here blocks. Only the lanes of `service` and the command line call it, never an async worker.

mod check;
mod names;
pub mod open;
pub mod oracle;
mod query;
mod settings;
mod sql;
mod sqlite;
mod unstorable;

use std::time::Duration;

pub use check::{Check, Expected, Verdict};
pub use names::{Identifier, TableNames};
pub use query::Pair;
pub use settings::{Backend, OracleSettings, SqliteSettings, Stale, StoreSettings, TableSettings};
pub use sqlite::SqliteStore;

use crate::domain::{Key, NewResult, Outcome, StoredResult};

/// A result table in some database. Cheap to share between threads; each unit of work takes a [`StoreSession`].
pub trait ResultStore: Send + Sync {
    /// Takes one of the store's sessions, waiting at most `wait` for it. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is none in time; [`StoreError::Refused`] at once while logons are stopped.
    fn session(&self, wait: Duration) -> Result<Box<dyn StoreSession + '_>, StoreError>;

    /// How many sessions can work at the same time; as many lanes are worth having.
    fn max_sessions(&self) -> usize;

    /// How many sessions can store at the same time: with one writer, what is predicted meanwhile shares the next commit.
    fn max_writers(&self) -> usize {
        self.max_sessions()
    }

    /// How long keys are better left to the session at work than looked up in another one, while rows are stored: for a store
    /// where a commit makes everything stale that other sessions have in memory.
    fn commit_patience(&self) -> Duration {
        Duration::ZERO
    }

    /// How long a request may wait for a session.
    fn acquire_timeout(&self) -> Duration;

    /// One line for the log that says which store this is; holds no secret.
    fn describe(&self) -> String;

    /// The table, as SQL text names it.
    fn table(&self) -> String;

    /// Makes the table where it is absent; changes nothing where it is there. Blocks.
    ///
    /// # Errors
    /// As the database says, for want of rights or space.
    fn apply_schema(&self) -> Result<(), StoreError>;

    /// Compares the live table with what is needed, one check each; changes nothing. Blocks.
    ///
    /// # Errors
    /// Where the database cannot be asked; a missing table is a failed check.
    fn check_schema(&self, expected: &Expected) -> Result<Vec<Check>, StoreError>;

    /// At the end of a server: whoever copies an embedded database's file from then on shall have all rows in it. The process
    /// may end before the last lane gives its connections back, which would see to that as well. Blocks.
    fn end(&self) {}

    /// Lets a store that stopped logging on after a refused password try again.
    fn retry_logon(&self) {}
}

/// One connection of a store, for one unit of work on one thread. Every method blocks and leaves no transaction open.
pub trait StoreSession {
    /// Looks up `keys`, answering in their order; `None` is a miss. Where the table holds several rows of a key, the
    /// first one fetched counts.
    ///
    /// # Errors
    /// [`StoreError`]; a miss is none.
    fn find_many(&mut self, keys: &[Key]) -> Result<Vec<Option<Found>>, StoreError>;

    /// Stores `rows` (keys distinct) with one commit and answers in their order what is stored now: the first write wins.
    ///
    /// # Errors
    /// [`StoreError`]: then none of the rows is stored by this call, or (after a lost connection) it is unknown, and
    /// calling again is safe.
    fn insert_many(&mut self, rows: &[NewResult]) -> Result<Vec<Inserted>, StoreError>;

    /// The whole row of `key`.
    ///
    /// # Errors
    /// [`StoreError`]; an absent row is none.
    fn row(&mut self, key: &Key) -> Result<Option<StoredResult>, StoreError>;

    /// Reads the row of `key`, asks `decide` what is to become of it, and does that: one transaction, so that nobody else
    /// writes the row in between. One method for making, replacing and removing, conditional or not: only the caller knows
    /// its condition, and only the store can hold the row meanwhile. Where others are in the way, `decide` is asked
    /// again, about the row as it is then. Costs a few round trips: it is for corrections, not for predictions.
    ///
    /// # Errors
    /// [`StoreError`]: then nothing has changed, or (after a connection lost while committing) it is unknown.
    fn update(
        &mut self,
        key: &Key,
        decide: &mut dyn FnMut(Option<&StoredResult>) -> Change,
    ) -> Result<Changed, StoreError>;

    /// Replaces or removes those of the rows (keys distinct) that are still what `before` says, and answers in their order
    /// what became of each: for programs that renew or prune many rows while others write. A few round trips for each 64
    /// rows, which are changed together or not at all.
    ///
    /// # Errors
    /// [`StoreError`]: then it is unknown which of the rows have been changed, and calling again is safe.
    fn swap_many(&mut self, swaps: &[Swap]) -> Result<Vec<Swapped>, StoreError>;

    /// Up to `limit` rows of `range` in key order (by bytes).
    ///
    /// # Errors
    /// [`StoreError`].
    fn page(&mut self, range: &Range<'_>, limit: usize) -> Result<Vec<StoredResult>, StoreError>;

    /// One round trip that touches the table, so that it fails while the table is missing.
    ///
    /// # Errors
    /// [`StoreError`].
    fn ping(&mut self) -> Result<(), StoreError>;
}

/// What a lookup found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The stored value.
    pub outcome: Outcome,
    /// `name@version` of the model that made it, where the row says so.
    pub model: Option<String>,
}

impl Found {
    /// What a lookup of this row finds.
    #[must_use]
    pub fn of(row: &StoredResult) -> Self {
        Self { outcome: row.outcome.clone(), model: row.model.clone() }
    }
}

/// Comes before all keys: no key begins with NUL.
const BEFORE_ALL: &str = "\0";

/// Which rows a page shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Range<'a> {
    /// Keys after this one, which itself is not shown, whether or not it is there.
    pub after: Option<&'a Key>,
    /// Keys that begin with this text; empty for all.
    pub prefix: &'a str,
    /// Rows that this model made. The database looks through all rows in between: no index helps.
    pub model: Option<&'a str>,
}

impl Range<'_> {
    /// Where it begins: no key of it comes before this text. Not empty, which Oracle would take for NULL.
    fn start(&self) -> &str {
        self.after.map_or(BEFORE_ALL, Key::as_str).max(self.prefix)
    }

    /// The key that is left out though it may be the first.
    fn excluded(&self) -> &str {
        self.after.map_or(BEFORE_ALL, Key::as_str)
    }

    /// Where it ends: all keys of it come before this text.
    fn end(&self) -> Option<String> {
        sql::end_of_prefix(self.prefix)
    }
}

/// What is to become of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It stays as it is.
    Keep,
    /// It holds this from now on; where there is none, it is made.
    Replace {
        /// The new value.
        outcome: Outcome,
        /// Who made it, where the table has a column for that.
        model: Option<String>,
    },
    /// There is none any more.
    Remove,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Changed {
    /// Nothing, as was decided; this is what is there.
    Kept(Option<StoredResult>),
    /// It was replaced or made.
    Replaced {
        /// The row before; `None` where it was made.
        before: Option<StoredResult>,
        /// The row as it stands in the table now (a column may round or retype a value).
        after: StoredResult,
    },
    /// It was removed.
    Removed {
        /// The row before.
        before: StoredResult,
    },
    /// Nothing: the table cannot take the new row.
    Rejected(Rejection),
}

/// A row that is to be changed if it is still what it was when it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Swap {
    /// Which row.
    pub key: Key,
    /// What it held.
    pub before: Found,
    /// What it is to hold; `None`: there is to be none any more.
    pub after: Option<Found>,
}

/// What became of a [`Swap`].
#[derive(Debug, Clone, PartialEq)]
pub enum Swapped {
    /// It is done; this is what the next hit will return, or `None` where the row was removed.
    Done(Option<Outcome>),
    /// Nothing: somebody has changed or removed the row meanwhile.
    Overtaken,
    /// Nothing: the table cannot take the new value.
    Rejected(Rejection),
}

/// What became of a row that was to be inserted.
#[derive(Debug, Clone, PartialEq)]
pub enum Inserted {
    /// It is stored; this is what the next hit will return (a column may round or retype a value).
    Stored(Outcome),
    /// Somebody else stored the key first; this is what stands there.
    Existed(Found),
    /// The table cannot take this row.
    Rejected(Rejection),
}

/// Why the table does not take a row, or does not let it go, while it is fine otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The key is longer than its column.
    KeyTooLong,
    /// The value does not fit its column (overflow, too long a text).
    ValueDoesNotFit,
    /// What the table's owner has laid down refuses it: a CHECK, a row of another table that refers to it, a trigger, a
    /// policy.
    AgainstRules,
    /// Quota, tablespace or disk are used up.
    NoSpace,
    /// A unique key refuses it for the sake of a row that is not found under this key: one on another column, or one that
    /// holds keys for equal that are not.
    Conflict,
}

/// How a store fails, in words that hold for every backend. The source carries the database's own error for the log.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is starting or stopping, or the connection broke twice.
    #[error("the result store cannot be reached")]
    Unavailable(#[source] anyhow::Error),
    /// The database answers, but takes no more sessions.
    #[error("the database refuses more sessions")]
    Overloaded(#[source] anyhow::Error),
    /// A call was not answered within its time limit.
    #[error("the result store did not answer in time")]
    Timeout(#[source] anyhow::Error),
    /// The user or password is refused; no further logon is tried until the operator acts.
    #[error("the database refuses the user or password")]
    Refused(#[source] anyhow::Error),
    /// The table, a column or a right is missing: the operator has to act.
    #[error("the result table is not usable: {hint}")]
    Schema {
        /// What to do about it.
        hint: String,
        /// What the database said.
        #[source]
        source: anyhow::Error,
    },
    /// There is no room for a new row.
    #[error("the result store has no space left")]
    NoSpace(#[source] anyhow::Error),
    /// The client library is absent or too old.
    #[error("the database's client library is not usable: {hint}")]
    ClientLibrary {
        /// What to do about it.
        hint: String,
        /// What the driver said.
        #[source]
        source: anyhow::Error,
    },
    /// Anything else.
    #[error("the result store failed")]
    Internal(#[source] anyhow::Error),
}

impl StoreError {
    /// Whether waiting for a session longer may help; otherwise nobody needs to wait.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Overloaded(_) | Self::Timeout(_) => true,
            Self::Refused(_)
            | Self::Schema { .. }
            | Self::NoSpace(_)
            | Self::ClientLibrary { .. }
            | Self::Internal(_) => false,
        }
    }
}
