//! One pooled connection at work: every statement of the store, with one retry on a fresh connection where the old one is
//! dead. No transaction outlives a method.

use std::time::{Duration, Instant};

use oracle::Connection;

use super::OracleStore;
use super::column::ColumnKind;
use super::errors::{Class, Failure};
use super::gate::jittered;
use super::manager::Manager;
use super::pooled::Span;
use super::rows;
use super::schema;
use super::statements::LIST_LENGTHS;
use super::swaps;
use super::writes::{self, Prepared, Row};
use crate::domain::{Key, NewResult, StoredResult};
use crate::store::{
    Change, Changed, Check, Expected, Found, Inserted, Range, Rejection, StoreError, StoreSession, Swap, Swapped,
};

/// Attempts at a statement that meets another session's locks.
const CONTENTION_ATTEMPTS: u32 = 3;
/// What lies between them, times the attempts before.
const CONTENTION_PAUSE: Duration = Duration::from_millis(15);

/// A session of the store; takes another connection where its own turns out to be dead.
pub(super) struct OracleSession<'a> {
    store: &'a OracleStore,
    /// `None` after it was found dead, until there is another one: a dead one held would keep its place in the pool.
    connection: Option<r2d2::PooledConnection<Manager>>,
}

impl<'a> OracleSession<'a> {
    pub(super) fn new(store: &'a OracleStore, wait: Duration) -> Result<Self, StoreError> {
        Ok(Self { store, connection: Some(checkout(store, wait)?) })
    }

    /// Runs `work`; where the connection is dead, once more on another one, and where other sessions are in the way, again
    /// after a short pause. All our statements are safe to repeat. What failed is rolled back before anything else.
    fn run<T>(&mut self, work: impl FnMut(&Connection) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.work(true, work)
    }

    /// The same for work of several statements, which ends its transaction itself.
    fn transact<T>(&mut self, work: impl FnMut(&Connection) -> Result<T, Failure>) -> Result<T, StoreError> {
        self.work(false, work)
    }

    fn work<T>(
        &mut self,
        autocommit: bool,
        mut work: impl FnMut(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut retried = false;
        let mut contention = 0;
        loop {
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => checkout(self.store, self.store.acquire_timeout)?,
            };
            let started = Instant::now();
            connection.is_suspect = true;
            connection.set_autocommit(autocommit);
            let worked = work(&connection);
            connection.set_autocommit(true);
            connection.is_suspect = false;
            let failure = match worked {
                Ok(done) => {
                    connection.good_call = Span::since(started);
                    self.connection = Some(connection);
                    return Ok(done);
                }
                Err(failure) => failure,
            };
            match failure.class {
                Class::Dead => {
                    // The driver does not take each of these errors for the end: the pool shall discard it all the same.
                    connection.is_suspect = true;
                    let silent = self.store.manager.note_death(started.elapsed());
                    // A server that keeps silent costs the session, too, but only after the call timeout: another
                    // connection would wait as long again for the same silence, and whoever asked has given up by then.
                    if silent {
                        return Err(StoreError::Timeout(failure.into_source()));
                    }
                    if retried {
                        return Err(failure.into());
                    }
                    retried = true;
                }
                // The instance is coming or going, and the session with it.
                Class::Unreachable => {
                    connection.is_suspect = true;
                    return Err(failure.into());
                }
                class => {
                    // r2d2 never rolls back: what is open now would pass to the next user, who would commit it. Where
                    // this fails, the connection is not for anybody: the pool discards what is suspect when it returns.
                    connection.is_suspect = true;
                    let leaves = class == Class::ReadOnly && self.store.manager.leaves_standby();
                    if connection.rollback().is_ok() && !leaves {
                        connection.is_suspect = false;
                        self.connection = Some(connection);
                    }
                    if class != Class::Contention || contention + 1 == CONTENTION_ATTEMPTS {
                        return Err(failure.into());
                    }
                    contention += 1;
                    std::thread::sleep(jittered(CONTENTION_PAUSE * contention));
                }
            }
        }
    }

    pub(super) fn execute_ddl(&mut self, ddl: &str) -> Result<(), StoreError> {
        self.run(|conn| Ok(conn.execute(ddl, &[]).map(|_| ())?))
    }

    pub(super) fn check_schema(&mut self, expected: &Expected) -> Result<Vec<Check>, StoreError> {
        let store = self.store;
        self.run(|conn| schema::check(store, conn, expected))
    }

    /// The kind of the result column; asks the database where no SELECT has described it yet.
    fn column_kind(&mut self) -> Result<ColumnKind, StoreError> {
        let store = self.store;
        store.known_kind().map_or_else(|| self.run(|conn| rows::ping(store, conn)), Ok)
    }

    /// Inserts `rows` and reads the winners of those that were there; `None` for a winner that is gone again.
    fn insert_once(&mut self, rows: &[NewResult]) -> Result<Vec<Option<Inserted>>, StoreError> {
        let store = self.store;
        let kind = self.column_kind()?;
        let mut inserted: Vec<Option<Inserted>> = rows.iter().map(|_| None).collect();
        let mut prepared = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            match Prepared::new(at, row, kind) {
                Some(row) => prepared.push(row),
                None => inserted[at] = Some(Inserted::Rejected(Rejection::ValueDoesNotFit)),
            }
        }
        // Sessions that insert the same keys in different orders deadlock (ORA-00060).
        prepared.sort_unstable_by_key(|row| row.key);
        let inserted_rows = match &prepared[..] {
            [] => Ok(Vec::new()),
            [row] => self.run(|conn| Ok(vec![writes::insert_one(store, conn, row, kind)?])),
            rows => self.run(|conn| writes::insert_batch(store, conn, rows, kind)),
        };
        let ends = match inserted_rows {
            Ok(ends) => ends,
            // The statement or its commit failed as a whole and is rolled back: none of the rows is stored.
            Err(StoreError::NoSpace(error)) => {
                store.unstorable.note(Rejection::NoSpace, &error);
                prepared.iter().map(|_| Row::Rejected(Rejection::NoSpace)).collect()
            }
            Err(error) => return Err(error),
        };
        if ends.iter().any(|end| matches!(end, Row::Stored)) {
            store.unstorable.clear();
        }
        let mut conflicts = Vec::new();
        for (row, end) in prepared.into_iter().zip(ends) {
            match end {
                Row::Stored => inserted[row.at] = Some(Inserted::Stored(row.stored)),
                Row::Conflict => conflicts.push(row.at),
                Row::Rejected(reason) => inserted[row.at] = Some(Inserted::Rejected(reason)),
            }
        }
        if !conflicts.is_empty() {
            let keys: Vec<Key> = conflicts.iter().map(|&at| rows[at].key.clone()).collect();
            for (at, winner) in conflicts.into_iter().zip(self.find_many(&keys)?) {
                inserted[at] = winner.map(Inserted::Existed);
            }
        }
        Ok(inserted)
    }
}

impl StoreSession for OracleSession<'_> {
    fn find_many(&mut self, keys: &[Key]) -> Result<Vec<Option<Found>>, StoreError> {
        let store = self.store;
        let mut found = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(LIST_LENGTHS[LIST_LENGTHS.len() - 1]) {
            found.append(&mut self.run(|conn| rows::find_chunk(store, conn, chunk))?);
        }
        Ok(found)
    }

    fn insert_many(&mut self, rows: &[NewResult]) -> Result<Vec<Inserted>, StoreError> {
        let store = self.store;
        let mut inserted = self.insert_once(rows)?;
        // A winner that is gone again was deleted meanwhile: one more time stores the row.
        let gone: Vec<usize> = (0..rows.len()).filter(|&at| inserted[at].is_none()).collect();
        if !gone.is_empty() {
            let again: Vec<NewResult> = gone.iter().map(|&at| rows[at].clone()).collect();
            for (at, end) in gone.into_iter().zip(self.insert_once(&again)?) {
                inserted[at] = end;
            }
        }
        // No deleted row: the unique key is on more than the key's text, or on another column.
        let rejected = || {
            store.unstorable.note_conflict();
            Inserted::Rejected(Rejection::Conflict)
        };
        Ok(inserted.into_iter().map(|end| end.unwrap_or_else(rejected)).collect())
    }

    fn row(&mut self, key: &Key) -> Result<Option<StoredResult>, StoreError> {
        let store = self.store;
        self.run(|conn| rows::row(store, conn, key))
    }

    fn update(
        &mut self,
        key: &Key,
        decide: &mut dyn FnMut(Option<&StoredResult>) -> Change,
    ) -> Result<Changed, StoreError> {
        let store = self.store;
        for _ in 0..CONTENTION_ATTEMPTS {
            if let Some(changed) = self.transact(|conn| writes::update(store, conn, key, decide))? {
                return Ok(changed);
            }
        }
        // No inserted row either: the unique key is on more than the key's text, or on another column.
        Ok(Changed::Rejected(Rejection::Conflict))
    }

    fn swap_many(&mut self, swaps: &[Swap]) -> Result<Vec<Swapped>, StoreError> {
        let store = self.store;
        let mut swapped = Vec::with_capacity(swaps.len());
        for chunk in swaps.chunks(LIST_LENGTHS[LIST_LENGTHS.len() - 1]) {
            if let Some(mut done) = self.transact(|conn| swaps::swap_chunk(store, conn, chunk))? {
                swapped.append(&mut done);
                continue;
            }
            for swap in chunk.chunks(1) {
                let done = self.transact(|conn| swaps::swap_chunk(store, conn, swap))?;
                swapped.extend(done.into_iter().flatten());
            }
        }
        Ok(swapped)
    }

    fn page(&mut self, range: &Range<'_>, limit: usize) -> Result<Vec<StoredResult>, StoreError> {
        let store = self.store;
        self.run(|conn| rows::page(store, conn, range, limit))
    }

    fn ping(&mut self) -> Result<(), StoreError> {
        let store = self.store;
        self.run(|conn| rows::ping(store, conn)).map(|_| ())
    }
}

fn checkout(store: &OracleStore, wait: Duration) -> Result<r2d2::PooledConnection<Manager>, StoreError> {
    let refused = || store.manager.refused().map(|reason| StoreError::Refused(anyhow::Error::msg(reason)));
    // Sessions from before the password was changed go on working.
    if store.pool.state().connections == 0
        && let Some(refused) = refused()
    {
        return Err(refused);
    }
    // r2d2 cannot wait for no time at all.
    store
        .pool
        .get_timeout(wait.max(Duration::from_millis(1)))
        .map_err(|error| refused().unwrap_or_else(|| StoreError::Unavailable(error.into())))
}
