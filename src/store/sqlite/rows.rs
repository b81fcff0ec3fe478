//! Rows in SQLite: what is bound, what is read, what became of each row, and SQLite's errors in the store's words.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, ffi, params};

use super::SqliteStore;
use super::affinity::Affinity;
use crate::domain::{Key, NewResult, Number, Outcome, StoredResult};
use crate::store::{Change, Changed, Found, Inserted, Rejection, StoreError, Swap, Swapped};

/// Looks up each of `keys`, all in one state of the table.
pub(super) fn find_rows(reader: &Connection, sql: &str, keys: &[Key]) -> rusqlite::Result<Vec<Option<Found>>> {
    // A transaction saves the shared lock of each SELECT; a single one has it for itself anyway.
    let transaction = (keys.len() > 1).then(|| ReadTransaction::begin(reader)).transpose()?;
    let mut statement = reader.prepare_cached(sql)?;
    let found = keys.iter().map(|key| find(&mut statement, key)).collect();
    drop(transaction);
    found
}

/// A transaction that only reads. rusqlite's own parses BEGIN and COMMIT anew each time, which takes as long as a lookup.
struct ReadTransaction<'a>(&'a Connection);

impl<'a> ReadTransaction<'a> {
    fn begin(reader: &'a Connection) -> rusqlite::Result<Self> {
        reader.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self(reader))
    }
}

impl Drop for ReadTransaction<'_> {
    fn drop(&mut self) {
        let ended = self.0.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        if ended.is_err() && !self.0.is_autocommit() {
            // Nothing was written that could be lost; one that stayed open would show the same old state for ever.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}

fn find(statement: &mut rusqlite::CachedStatement<'_>, key: &Key) -> rusqlite::Result<Option<Found>> {
    statement
        .query_row([key.as_str()], |row| Ok(Found { outcome: outcome(row.get_ref(0)?), model: text(row.get_ref(1)?) }))
        .optional()
}

pub(super) fn insert_rows(
    store: &SqliteStore,
    writer: &mut Connection,
    rows: &[NewResult],
) -> rusqlite::Result<Vec<Inserted>> {
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let inserted = {
        let mut insert = transaction.prepare_cached(&store.statements.insert)?;
        let mut select = transaction.prepare_cached(&store.statements.find)?;
        let affinity = Affinity::of(select.columns()[0].decl_type());
        rows.iter()
            .map(|row| match insert_row(&mut insert, store.statements.has_model, row) {
                // Asking for what is known, by RETURNING or otherwise, would take as long as the insert.
                Ok(true) if affinity.keeps(&row.outcome) => Ok(Inserted::Stored(row.outcome.clone())),
                Ok(true) => {
                    let stored = find(&mut select, &row.key)?;
                    Ok(Inserted::Stored(stored.map_or_else(|| row.outcome.clone(), |found| found.outcome)))
                }
                // Somebody was first. The row cannot be gone again: this transaction holds the write lock.
                Ok(false) => Ok(find(&mut select, &row.key)?.map_or_else(
                    || {
                        store.unstorable.note_conflict();
                        Inserted::Rejected(Rejection::Conflict)
                    },
                    Inserted::Existed,
                )),
                // SQLite has undone this statement alone.
                Err(error) => {
                    let Some(reason) = rejection(&error) else { return Err(error) };
                    store.unstorable.note(reason, &error.into());
                    Ok(Inserted::Rejected(reason))
                }
            })
            .collect::<rusqlite::Result<_>>()?
    };
    transaction.commit()?;
    Ok(inserted)
}

/// Reads a row, asks what is to become of it and does that, while nobody else can write.
pub(super) fn update_row(
    store: &SqliteStore,
    writer: &mut Connection,
    key: &Key,
    decide: &mut dyn FnMut(Option<&StoredResult>) -> Change,
) -> rusqlite::Result<Changed> {
    // Dropped without a commit, it is rolled back: on each way out but the last ones.
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let statements = &store.statements;
    let changed = {
        let mut select = transaction.prepare_cached(&statements.row)?;
        let affinity = Affinity::of(select.columns()[1].decl_type());
        let before = select.query_row([key.as_str()], stored_result).optional()?;
        match (decide(before.as_ref()), before) {
            (Change::Keep, before) | (Change::Remove, before @ None) => return Ok(Changed::Kept(before)),
            (Change::Remove, Some(before)) => {
                match transaction.prepare_cached(&statements.delete)?.execute([key.as_str()]) {
                    Ok(_) => Changed::Removed { before },
                    Err(error) => return rejection(&error).map(Changed::Rejected).ok_or(error),
                }
            }
            (Change::Replace { outcome: Outcome::Text(_), .. }, _) if !affinity.takes_text() => {
                return Ok(Changed::Rejected(Rejection::ValueDoesNotFit));
            }
            (Change::Replace { outcome, model }, before) => {
                let row = NewResult { key: key.clone(), outcome, model };
                let written = if before.is_some() {
                    let mut update = transaction.prepare_cached(&statements.put)?;
                    put(&mut update, statements.has_model, &row).map(|rows| rows > 0)
                } else {
                    let mut insert = transaction.prepare_cached(&statements.insert)?;
                    insert_row(&mut insert, statements.has_model, &row)
                };
                match written {
                    Ok(true) => Changed::Replaced { before, after: select.query_row([key.as_str()], stored_result)? },
                    Ok(false) => return Ok(Changed::Rejected(Rejection::Conflict)),
                    Err(error) => return rejection(&error).map(Changed::Rejected).ok_or(error),
                }
            }
        }
    };
    transaction.commit()?;
    Ok(changed)
}

/// Changes those rows that are still what they were, with one commit. Nobody else writes meanwhile.
pub(super) fn swap_rows(
    store: &SqliteStore,
    writer: &mut Connection,
    swaps: &[Swap],
) -> rusqlite::Result<Vec<Swapped>> {
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let statements = &store.statements;
    let swapped = {
        let mut select = transaction.prepare_cached(&statements.find)?;
        let mut update = transaction.prepare_cached(&statements.put)?;
        let mut remove = transaction.prepare_cached(&statements.delete)?;
        let affinity = Affinity::of(select.columns()[0].decl_type());
        swaps
            .iter()
            .map(|swap| {
                if find(&mut select, &swap.key)?.as_ref() != Some(&swap.before) {
                    return Ok(Swapped::Overtaken);
                }
                let Some(Found { outcome, model }) = swap.after.clone() else {
                    let removed = remove.execute([swap.key.as_str()]);
                    return removed.map_or_else(swap_failure, |_| Ok(Swapped::Done(None)));
                };
                if matches!(outcome, Outcome::Text(_)) && !affinity.takes_text() {
                    return Ok(Swapped::Rejected(Rejection::ValueDoesNotFit));
                }
                let row = NewResult { key: swap.key.clone(), outcome, model };
                match put(&mut update, statements.has_model, &row) {
                    Ok(_) => Ok(Swapped::Done(find(&mut select, &swap.key)?.map(|found| found.outcome))),
                    Err(error) => swap_failure(error),
                }
            })
            .collect::<rusqlite::Result<_>>()?
    };
    transaction.commit()?;
    Ok(swapped)
}

/// Replaces the row of a key; how many there were.
fn put(update: &mut rusqlite::CachedStatement<'_>, has_model: bool, row: &NewResult) -> rusqlite::Result<usize> {
    if has_model {
        update.execute(params![row.key.as_str(), Column(&row.outcome), row.model])
    } else {
        update.execute(params![row.key.as_str(), Column(&row.outcome)])
    }
}

/// What a swap came to that failed; SQLite has undone this statement alone.
fn swap_failure(error: rusqlite::Error) -> rusqlite::Result<Swapped> {
    rejection(&error).map(Swapped::Rejected).ok_or(error)
}

/// What a constraint or a trigger says against a row; `None` where the error is another one.
fn rejection(error: &rusqlite::Error) -> Option<Rejection> {
    match error.sqlite_extended_error_code() {
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => Some(Rejection::Conflict),
        // NULL, or a type that a STRICT table does not take.
        Some(ffi::SQLITE_CONSTRAINT_NOTNULL | ffi::SQLITE_CONSTRAINT_DATATYPE) => Some(Rejection::ValueDoesNotFit),
        _ if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Some(Rejection::AgainstRules),
        _ => None,
    }
}

/// The first `limit` of `rows`, without those of other programs whose key is no UTF-8: they have no address here.
pub(super) fn stored_results(mut rows: rusqlite::Rows<'_>, limit: usize) -> rusqlite::Result<Vec<StoredResult>> {
    let mut page = Vec::new();
    while page.len() < limit
        && let Some(row) = rows.next()?
    {
        if row.get_ref(0)?.as_str().is_ok() {
            page.push(stored_result(row)?);
        }
    }
    Ok(page)
}

/// A row of `row.sql` or `page.sql`.
pub(super) fn stored_result(row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredResult> {
    Ok(StoredResult {
        key: Key::stored(&row.get::<_, String>(0)?),
        outcome: outcome(row.get_ref(1)?),
        model: text(row.get_ref(2)?),
        created_at: text(row.get_ref(3)?),
    })
}

/// What stands in a column beside the result as text: other programs may have written numbers there.
fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(x) => Some(x.to_string()),
        ValueRef::Real(x) => Some(x.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// Inserts a row; `false` where the key is there already.
fn insert_row(insert: &mut rusqlite::CachedStatement<'_>, has_model: bool, row: &NewResult) -> rusqlite::Result<bool> {
    let rows = if has_model {
        insert.execute(params![row.key.as_str(), Column(&row.outcome), row.model])
    } else {
        insert.execute(params![row.key.as_str(), Column(&row.outcome)])
    };
    Ok(rows? > 0)
}

/// An outcome as SQLite takes it.
struct Column<'a>(&'a Outcome);

impl rusqlite::ToSql for Column<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Outcome::Number(Number::Float(x)) => ToSqlOutput::Owned(Value::Real(*x)),
            Outcome::Number(Number::Integer(x)) => match i64::try_from(*x) {
                Ok(x) => ToSqlOutput::Owned(Value::Integer(x)),
                // beyond 64 bits SQLite itself goes on in floating point
                Err(_) => ToSqlOutput::Owned(Value::Real(*x as f64)),
            },
            Outcome::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Outcome::Null => ToSqlOutput::Owned(Value::Null),
        })
    }
}

fn outcome(value: ValueRef<'_>) -> Outcome {
    match value {
        ValueRef::Null => Outcome::Null,
        ValueRef::Integer(x) => Outcome::integer(x.into()),
        ValueRef::Real(x) => Outcome::float(x),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Outcome::Text(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// Folds SQLite's errors into the store's words.
pub(super) fn store_error(error: rusqlite::Error) -> StoreError {
    let code = error.sqlite_error_code();
    let schema = matches!(&error, rusqlite::Error::SqlInputError { .. })
        || matches!(&error, rusqlite::Error::SqliteFailure(_, Some(message)) if message.starts_with("no such "));
    match code {
        _ if schema => StoreError::Schema { hint: "run `augur schema check`".into(), source: error.into() },
        Some(ErrorCode::DiskFull) => StoreError::NoSpace(error.into()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Timeout(error.into()),
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure
            | ErrorCode::FileLockingProtocolFailed,
        ) => StoreError::Unavailable(error.into()),
        _ => StoreError::Internal(error.into()),
    }
}
