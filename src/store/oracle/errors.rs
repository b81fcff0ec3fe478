//! Oracle's error codes, folded into classes: the one table, after the driver's and the database's documentation.

use std::path::Path;

use anyhow::anyhow;
use oracle::sql_type::OracleType;
use oracle::{DbError, Error, ErrorKind};

use crate::store::StoreError;

/// What an error means for the one who gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// The connection is gone: drop it, retry once on another.
    Dead,
    /// The call took too long; whether it was carried out is unknown.
    CallTimeout,
    /// The database is starting, stopping, or not reachable.
    Unreachable,
    /// The database takes no more sessions.
    Overload,
    /// User or password are refused: no further logon.
    Credentials,
    /// Table, column or right is missing.
    Schema,
    /// Quota, tablespace or the edition's limit is used up.
    NoSpace,
    /// The key is there already.
    Unique,
    /// The row does not fit the table.
    Data,
    /// What the table's owner has laid down refuses it: a constraint, a trigger, a policy.
    Rule,
    /// The database takes no rows; what is there it gives.
    ReadOnly,
    /// Another session was in the way: roll back and retry.
    Contention,
    /// The client library is absent, too old, or of the wrong kind.
    Client,
    /// Anything else.
    Other,
}

/// The class of an ORA code.
const fn class_of(ora: i32) -> Class {
    match ora {
        1 => Class::Unique,
        // What ODPI-C itself takes as the end of a session (dpiError.c), when it is not wrapped as DPI-1080; and 12560 and
        // 12571, errors of the line that it does not, and 2392, 2394 and 2399, the end by a profile's limit.
        22 | 28 | 31 | 45 | 378 | 602 | 603 | 609 | 1012 | 1041 | 1043 | 1089 | 1092 | 2392 | 2394 | 2396 | 2399
        | 3113 | 3114 | 3122 | 3135 | 12153 | 12537 | 12547 | 12560 | 12570 | 12571 | 12583 | 27146 | 28511 | 56600 => {
            Class::Dead
        }
        1013 | 3136 | 3156 | 12161 => Class::CallTimeout,
        1033 | 1034 | 27101 | 12514 | 12505 | 12528 | 12541 | 12543 | 12545 | 12170 | 12535 | 12154 | 12637 => {
            Class::Unreachable
        }
        18 | 20 | 2391 | 12516 | 12518 | 12519 | 12520 | 4031 => Class::Overload,
        1017 | 28000 | 28001 | 1005 | 1045 | 28040 | 3134 => Class::Credentials,
        // 41900 stands for 1031 from 23ai on.
        942 | 904 | 1031 | 41900 | 4043 | 6550 | 4063 | 2289 => Class::Schema,
        1653 | 1654 | 1658 | 1659 | 1688 | 1683 | 1536 | 1950 | 1652 | 30036 | 257 | 12953 | 12954 => Class::NoSpace,
        12899 | 1461 | 1400 | 1407 | 1438 | 1426 | 1722 => Class::Data,
        // CHECK and foreign keys in both directions, at once or at the commit; a view's condition, or one that cannot be
        // changed; tables and partitions that are READ ONLY; partitions; a policy; what triggers raise.
        2290 | 2291 | 2292 | 2091 | 1402 | 1732 | 42399 | 12081 | 14466 | 14400 | 28115 | 20000..=20999 => Class::Rule,
        // A standby, or a database opened for reading.
        16000 => Class::ReadOnly,
        60 | 54 | 8177 | 4021 | 4068 | 1555 => Class::Contention,
        _ => Class::Other,
    }
}

/// A failed call: the driver's error with its class.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) class: Class,
    hint: Option<String>,
    source: anyhow::Error,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let class = classify(&error);
        let hint = (class == Class::Schema).then(|| schema_hint(error.oci_code()).to_owned());
        Self { class, hint, source: error.into() }
    }
}

impl From<&DbError> for Failure {
    /// The error of one row of a batch.
    fn from(error: &DbError) -> Self {
        let class = class_of_db(error);
        let hint = (class == Class::Schema).then(|| schema_hint(Some(error.code())).to_owned());
        Self { class, hint, source: anyhow::Error::msg(error.message().to_owned()) }
    }
}

impl Failure {
    /// The error of a COMMIT. Where the connection was lost it is unknown whether it was carried out, so the transaction
    /// must not be done again as if it was not.
    pub(super) fn of_commit(error: Error) -> Self {
        let mut failure = Self::from(error);
        if failure.class == Class::Dead {
            failure.class = Class::Unreachable;
        }
        failure
    }

    /// A result column of a type that results cannot live in.
    pub(super) fn column_type(described: &OracleType) -> Self {
        Self {
            class: Class::Schema,
            hint: Some(format!("the result column is {described}; make it BINARY_DOUBLE, NUMBER or VARCHAR2")),
            source: anyhow!("unsupported type {described}"),
        }
    }

    /// A value in the result column that cannot be read.
    pub(super) fn unreadable(what: &str) -> Self {
        Self { class: Class::Other, hint: None, source: anyhow!("the result column holds {what}") }
    }

    /// Whether it says something of the connection, not of the statement.
    pub(super) fn is_of_connection(&self) -> bool {
        matches!(self.class, Class::Dead | Class::CallTimeout | Class::Unreachable)
    }

    /// What the database said.
    pub(super) fn message(&self) -> String {
        self.source.to_string()
    }

    /// The error beneath, for the log.
    pub(super) fn into_source(self) -> anyhow::Error {
        self.source
    }
}

impl From<Failure> for StoreError {
    fn from(Failure { class, hint, source }: Failure) -> Self {
        match class {
            Class::Dead | Class::Unreachable | Class::ReadOnly => Self::Unavailable(source),
            Class::CallTimeout | Class::Contention => Self::Timeout(source),
            Class::Overload => Self::Overloaded(source),
            Class::Credentials => Self::Refused(source),
            Class::Schema => Self::Schema { hint: hint.unwrap_or_default(), source },
            Class::NoSpace => Self::NoSpace(source),
            Class::Client | Class::Unique | Class::Data | Class::Rule | Class::Other => Self::Internal(source),
        }
    }
}

/// The class of the database's error.
fn class_of_db(error: &DbError) -> Class {
    match class_of(error.code()) {
        // A trigger that failed by an error of its own, which stands before this one.
        Class::Other if error.message().contains("ORA-04088") => Class::Rule,
        class => class,
    }
}

/// The class of a driver's error.
pub(super) fn classify(error: &Error) -> Class {
    if error.oci_code().is_some()
        && let Some(error) = error.db_error()
    {
        return class_of_db(error);
    }
    match error.dpi_code() {
        // A wrapped error names its cause only in the text: "... by ORA-03156" is a timeout that cost the session.
        Some(1080 | 1010) => Class::Dead,
        Some(1067) => Class::CallTimeout,
        Some(1019 | 1044 | 1045) => Class::Data,
        Some(1047 | 1050 | 1072) => Class::Client,
        _ => Class::Other,
    }
}

fn schema_hint(code: Option<i32>) -> &'static str {
    match code {
        Some(942 | 4043) => "run `augur schema apply` as the table's owner, or grant the run-time user its rights",
        Some(904) => "run `augur schema check`: a configured column is not there",
        Some(1031 | 41900) => "grant SELECT, INSERT, UPDATE and DELETE on the table to the run-time user",
        _ => "run `augur schema check`",
    }
}

/// An error of the client library, with its remedy.
pub(super) fn client_error(error: Error, client_lib_dir: &Path) -> StoreError {
    let place = if client_lib_dir.as_os_str().is_empty() {
        "in the system's library path".to_owned()
    } else {
        format!("in store.oracle.client_lib_dir {}", client_lib_dir.display())
    };
    let hint = match error.dpi_code() {
        Some(1047) => format!(
            "no Oracle client library (libclntsh.so) {place}; install Oracle Instant Client (19.x serves 11.2 to 23ai) and set store.oracle.client_lib_dir"
        ),
        _ => format!("the Oracle client library {place} does not fit; install Oracle Instant Client 19.x"),
    };
    StoreError::ClientLibrary { hint, source: error.into() }
}

/// An error of ours where the driver wants one of its own.
pub(super) fn driver_error(message: String) -> Error {
    Error::new(ErrorKind::Other, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_that_must_not_be_mixed_up() {
        assert_eq!(class_of(1017), Class::Credentials);
        assert_eq!(class_of(28000), Class::Credentials);
        assert_eq!(class_of(12541), Class::Unreachable);
        assert_eq!(class_of(20), Class::Overload);
        assert_eq!(class_of(1653), Class::NoSpace);
        assert_eq!(class_of(60), Class::Contention);
        assert_eq!(class_of(20_001), Class::Rule);
        assert_eq!(class_of(16_000), Class::ReadOnly, "hits go on, so the session is worth keeping");
        assert_eq!(class_of(21_000), Class::Other);
        assert_eq!(class_of(600), Class::Other);
    }
}
