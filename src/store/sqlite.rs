//! The result tables in an SQLite file: the embedded default.
//!
//! WAL with `synchronous = FULL`: a commit that was acknowledged survives the process and the machine. There is one
//! [`Writer`]; readers never wait for it.

mod affinity;
mod check;
mod checkpoint;
mod errors;
mod query;
mod rows;
mod statements;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension};

use checkpoint::Checkpoints;
use errors::store_error;
use rows::{find_rows, insert_rows, page, stored_result, swap_rows, update_row};
use statements::Statements;
use writer::Writer;

use super::names::TableNames;
use super::unstorable::Unstorable;
use super::{
    Change, Changed, Check, Expected, Found, Inserted, Range, Rejection, ResultStore, SqliteSettings, StoreError,
    StoreSession, Swap, Swapped,
};
use crate::domain::{Key, NewResult, StoredResult};

/// Reading connections, and so lanes. Reads come from the page cache and take microseconds; more only helps while a lane
/// waits for the disk.
const READERS: u32 = 4;
/// Bytes of the file that readers map into memory, as many as SQLite allows: a page of a large table that is not in a
/// connection's own cache then costs no system call.
const MAPPED_BYTES: i64 = 0x7fff_0000;
/// Memory for the pages that the writing connection reads and changes, in KiB: those of the last few thousand rows.
const WRITER_CACHE_KIB: i64 = 8192;
/// A commit takes about a millisecond, on most disks: keys that come meanwhile are looked up sooner by whoever does it.
const COMMIT_PATIENCE: Duration = Duration::from_millis(1);
/// How long a write waits for another program's write to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) use check::diagnose;
pub(super) use query::select;
pub(super) use statements::{ddl, image_ddl};

/// A result table in an SQLite file.
pub struct SqliteStore {
    path: String,
    names: TableNames,
    statements: Statements,
    file: Arc<File>,
    unstorable: Unstorable,
}

/// All connections to the file. They close in this order, one after another.
struct File {
    readers: r2d2::Pool<SqliteConnectionManager>,
    checkpoints: Checkpoints,
    writer: Arc<Writer>,
}

impl SqliteStore {
    /// Opens the database file, making it and its folder where absent. Blocks.
    ///
    /// # Errors
    /// Where the file cannot be made, opened, or written, or is no SQLite database; the text names the file.
    pub fn open(settings: &SqliteSettings, names: &TableNames) -> anyhow::Result<Self> {
        let path = settings.path.display().to_string();
        // SQLite gives these a meaning of their own: each connection would get another, empty database.
        anyhow::ensure!(
            path != ":memory:" && !path.starts_with("file:") && !path.is_empty(),
            "store.sqlite.path `{path}` must be the path of a file"
        );
        if let Some(folder) = settings.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {} of store.sqlite.path", folder.display()))?;
        }
        let writer = open_connection(&settings.path)
            .with_context(|| format!("cannot open store.sqlite.path {path} for writing"))?;
        // SQLite itself falls back to reading, and would refuse each new key instead of the start.
        anyhow::ensure!(!writer.is_readonly("main")?, "store.sqlite.path {path} is read-only");
        let manager = SqliteConnectionManager::file(&settings.path).with_init(|conn| {
            set_up(conn)?;
            conn.pragma_update(None, "mmap_size", MAPPED_BYTES)?;
            conn.pragma_update(None, "query_only", true)
        });
        let readers = r2d2::Pool::builder()
            .max_size(READERS)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_on_check_out(false)
            .build(manager)
            .with_context(|| format!("cannot open store.sqlite.path {path} for reading"))?;
        let writer = Arc::new(Writer::new(writer));
        let connection = open_connection(&settings.path)
            .with_context(|| format!("cannot open store.sqlite.path {path} for its checkpoints"))?;
        let checkpoints = Checkpoints::start(connection, Arc::clone(&writer))
            .context("cannot start the thread of SQLite's checkpoints")?;
        Ok(Self {
            path,
            names: names.clone(),
            statements: Statements::new(names),
            file: Arc::new(File { readers, checkpoints, writer }),
            unstorable: Unstorable::default(),
        })
    }

    /// The image table in the same file, through the same connections.
    #[must_use]
    pub fn images(&self) -> Self {
        Self {
            path: self.path.clone(),
            names: self.names.images(),
            statements: Statements::of_images(&self.names),
            file: Arc::clone(&self.file),
            unstorable: Unstorable::default(),
        }
    }

    /// Does `work`, which changes at most so many rows.
    fn write<T>(
        &self,
        rows: usize,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let done = work(&mut self.file.writer.lock());
        self.file.writer.note_commit();
        self.file.checkpoints.changed(rows);
        done.map_err(store_error)
    }
}

/// Refuses a path without a database, where opening would make one.
pub(super) fn ensure_exists(settings: &SqliteSettings) -> anyhow::Result<()> {
    let path = &settings.path;
    anyhow::ensure!(path.exists(), "there is no database at store.sqlite.path {}", path.display());
    Ok(())
}

fn set_up(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    // A quoted name that is no column would count as text otherwise, and a misspelt column as its own name.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false).map(|_| ())
}

fn open_connection(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open(path)?;
    set_up(&conn)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "wal_autocheckpoint", checkpoint::LONGEST_LOG_PAGES)?;
    conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    Ok(conn)
}

impl ResultStore for SqliteStore {
    fn session(&self, wait: Duration) -> Result<Box<dyn StoreSession + '_>, StoreError> {
        let reader = self.file.readers.get_timeout(wait).map_err(|e| StoreError::Unavailable(e.into()))?;
        Ok(Box::new(SqliteSession { store: self, reader }))
    }

    fn max_sessions(&self) -> usize {
        READERS as usize
    }

    fn max_writers(&self) -> usize {
        1
    }

    fn commit_patience(&self) -> Duration {
        COMMIT_PATIENCE
    }

    fn acquire_timeout(&self) -> Duration {
        BUSY_TIMEOUT
    }

    fn end(&self) {
        // Only one can carry at a time, so its thread has to end first.
        self.file.checkpoints.end();
        let reason = match checkpoint::empty_log(&self.file.writer.lock()) {
            Ok(log) if log.is_empty() => return,
            Ok(log) if log.is_carried() => "all of it is in the file, but another program reads in it".to_owned(),
            Ok(_) => "another program reads or carries it".to_owned(),
            Err(error) => error.to_string(),
        };
        log::warn!(target: "augur::store", "the log of the SQLite file is left beside it: {reason}");
    }

    fn describe(&self) -> String {
        format!("sqlite at {}", self.path)
    }

    fn table(&self) -> String {
        self.names.qualified_table()
    }

    fn apply_schema(&self) -> Result<(), StoreError> {
        self.file.writer.lock().execute_batch(&self.statements.create).map_err(store_error)
    }

    fn check_schema(&self, _: &Expected) -> Result<Vec<Check>, StoreError> {
        let reader = self.file.readers.get_timeout(BUSY_TIMEOUT).map_err(|e| StoreError::Unavailable(e.into()))?;
        check::check_table(&reader, &self.names).map_err(store_error)
    }
}

struct SqliteSession<'a> {
    store: &'a SqliteStore,
    reader: r2d2::PooledConnection<SqliteConnectionManager>,
}

impl StoreSession for SqliteSession<'_> {
    fn find_many(&mut self, keys: &[Key]) -> Result<Vec<Option<Found>>, StoreError> {
        let sql = &self.store.statements.find;
        match self.store.file.writer.borrow(keys.len()) {
            Some(writer) => find_rows(&writer, sql, keys),
            None => find_rows(&self.reader, sql, keys),
        }
        .map_err(store_error)
    }

    fn insert_many(&mut self, rows: &[NewResult]) -> Result<Vec<Inserted>, StoreError> {
        let unstorable = &self.store.unstorable;
        let inserted = self.store.write(rows.len(), |writer| insert_rows(self.store, writer, rows));
        match inserted {
            Ok(inserted) => {
                if inserted.iter().any(|inserted| matches!(inserted, Inserted::Stored(_))) {
                    unstorable.clear();
                }
                Ok(inserted)
            }
            Err(StoreError::NoSpace(error)) => {
                unstorable.note(Rejection::NoSpace, &error);
                Ok(vec![Inserted::Rejected(Rejection::NoSpace); rows.len()])
            }
            Err(other) => Err(other),
        }
    }

    fn row(&mut self, key: &Key) -> Result<Option<StoredResult>, StoreError> {
        let mut statement = self.reader.prepare_cached(&self.store.statements.row).map_err(store_error)?;
        statement.query_row([key.as_str()], stored_result).optional().map_err(store_error)
    }

    fn update(
        &mut self,
        key: &Key,
        decide: &mut dyn FnMut(Option<&StoredResult>) -> Change,
    ) -> Result<Changed, StoreError> {
        self.store.write(1, |writer| update_row(self.store, writer, key, decide))
    }

    fn swap_many(&mut self, swaps: &[Swap]) -> Result<Vec<Swapped>, StoreError> {
        self.store.write(swaps.len(), |writer| swap_rows(self.store, writer, swaps))
    }

    fn page(&mut self, range: &Range<'_>, limit: usize) -> Result<Vec<StoredResult>, StoreError> {
        page(&self.reader, &self.store.statements, range, limit).map_err(store_error)
    }

    fn ping(&mut self) -> Result<(), StoreError> {
        let mut statement = self.reader.prepare_cached(&self.store.statements.ping).map_err(store_error)?;
        statement.query_row([], |_| Ok(())).optional().map(|_| ()).map_err(store_error)
    }
}
