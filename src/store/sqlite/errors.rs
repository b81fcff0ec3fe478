//! SQLite's errors in the store's words.

use rusqlite::{ErrorCode, ffi};

use super::SqliteStore;
use crate::store::{Rejection, StoreError};

/// What a constraint or a trigger says against a row, which the log is told of; SQLite has undone this statement alone. Other
/// errors stay errors.
pub(super) fn rejected(store: &SqliteStore, error: rusqlite::Error) -> rusqlite::Result<Rejection> {
    let Some(reason) = rejection(&error) else { return Err(error) };
    store.unstorable.note(reason, &error.into());
    Ok(reason)
}

/// The reason in an error; `None` where it is another one.
fn rejection(error: &rusqlite::Error) -> Option<Rejection> {
    match error.sqlite_extended_error_code() {
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => Some(Rejection::Conflict),
        // NULL, or a type that a STRICT table does not take.
        Some(ffi::SQLITE_CONSTRAINT_NOTNULL | ffi::SQLITE_CONSTRAINT_DATATYPE) => Some(Rejection::ValueDoesNotFit),
        _ if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Some(Rejection::AgainstRules),
        _ => None,
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
