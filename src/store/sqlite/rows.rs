//! Rows in SQLite: what is bound, what is read, what became of each row, and SQLite's errors in the store's words.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};

use super::SqliteStore;
use crate::domain::{Key, NewResult, Number, Outcome};
use crate::store::{Found, Inserted, Rejection, StoreError};

pub(super) fn find(statement: &mut rusqlite::CachedStatement<'_>, key: &Key) -> rusqlite::Result<Option<Found>> {
    statement
        .query_row([key.as_str()], |row| Ok(Found { outcome: outcome(row.get_ref(0)?), model: row.get(1)? }))
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
        rows.iter()
            .map(|row| match insert_row(&mut insert, store.statements.has_model, row) {
                Ok(Some(stored)) => Ok(Inserted::Stored(stored)),
                // Somebody was first. The row cannot be gone again: this transaction holds the write lock.
                Ok(None) => Ok(find(&mut select, &row.key)?.map_or_else(
                    || {
                        store.unstorable.note_conflict();
                        Inserted::Rejected(Rejection::Conflict)
                    },
                    Inserted::Existed,
                )),
                // NOT NULL, CHECK: the row does not fit this table; SQLite has undone this statement alone.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    store.unstorable.note(Rejection::ValueDoesNotFit, &error.into());
                    Ok(Inserted::Rejected(Rejection::ValueDoesNotFit))
                }
                Err(error) => Err(error),
            })
            .collect::<rusqlite::Result<_>>()?
    };
    transaction.commit()?;
    Ok(inserted)
}

/// Inserts a row and answers the value as the column's affinity stored it; `None` where the key is there already.
pub(super) fn insert_row(
    insert: &mut rusqlite::CachedStatement<'_>,
    has_model: bool,
    row: &NewResult,
) -> rusqlite::Result<Option<Outcome>> {
    let stored = |row: &rusqlite::Row<'_>| Ok(outcome(row.get_ref(0)?));
    if has_model {
        insert.query_row(params![row.key.as_str(), Column(&row.outcome), row.model], stored)
    } else {
        insert.query_row(params![row.key.as_str(), Column(&row.outcome)], stored)
    }
    .optional()
}

/// An outcome as SQLite takes it.
pub(super) struct Column<'a>(pub(super) &'a Outcome);

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

pub(super) fn outcome(value: ValueRef<'_>) -> Outcome {
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
