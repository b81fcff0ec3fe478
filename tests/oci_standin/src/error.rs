//! [`OraError`]: an error as an Oracle server or client would word it.

use std::fmt;

pub(crate) type Result<T> = std::result::Result<T, OraError>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OraError {
    pub(crate) code: i32,
    pub(crate) message: String,
}

impl OraError {
    /// The error with Oracle's own text.
    pub(crate) fn new(code: i32) -> Self {
        Self::with(code, text(code))
    }

    pub(crate) fn with(code: i32, text: impl fmt::Display) -> Self {
        Self { code, message: format!("ORA-{code:05}: {text}") }
    }

    /// A statement outside of the dialect. The reason is ours and says so.
    pub(crate) fn unsupported(what: impl fmt::Display) -> Self {
        Self::with(900, format_args!("invalid SQL statement (stand-in: {what})"))
    }

    pub(crate) fn internal(what: impl fmt::Display) -> Self {
        Self::with(600, format_args!("internal error code, arguments: [stand-in: {what}]"))
    }

    /// Whether the session is lost with this error; the list is the one that ODPI-C acts upon.
    pub(crate) fn is_fatal(&self) -> bool {
        const FATAL: &[i32] = &[
            22, 28, 31, 45, 378, 602, 603, 609, 1012, 1041, 1043, 1089, 1092, 2396, 3113, 3114, 3122, 3135, 12153,
            12537, 12547, 12570, 12583, 27146, 28511, 56600,
        ];
        FATAL.contains(&self.code)
    }
}

/// SQLite finds the faults in names and in syntax; here they get their Oracle numbers.
impl From<rusqlite::Error> for OraError {
    fn from(error: rusqlite::Error) -> Self {
        let text = match &error {
            rusqlite::Error::SqliteFailure(code, message) => {
                if code.code == rusqlite::ErrorCode::DatabaseBusy {
                    // the busy handler gave up: somebody else holds a transaction open
                    return Self::new(2049);
                }
                message.clone().unwrap_or_default()
            }
            rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
            other => return Self::internal(other),
        };
        let name = |prefix: &str| {
            text.strip_prefix(prefix)
                .map(crate::translate::demangle)
                .map(|name| name.rsplit('.').next().unwrap_or_default().to_owned())
        };
        if text.starts_with("no such table: ") {
            Self::new(942)
        } else if let Some(column) = name("no such column: ").or(name("no such function: ")) {
            Self::with(904, format_args!("\"{column}\": invalid identifier"))
        } else if text.contains("ambiguous column name") {
            Self::new(918)
        } else if let Some(check) = name("CHECK constraint failed: ") {
            Self::with(2290, format_args!("check constraint ({check}) violated"))
        } else if text.contains("syntax error")
            || text.contains("incomplete input")
            || text.contains("unrecognized token")
        {
            Self::unsupported(text)
        } else {
            Self::internal(text)
        }
    }
}

fn text(code: i32) -> &'static str {
    match code {
        1 => "unique constraint violated",
        18 => "maximum number of sessions exceeded",
        20 => "maximum number of processes exceeded",
        28 => "your session has been killed",
        54 => "resource busy and acquire with NOWAIT specified or timeout expired",
        60 => "deadlock detected while waiting for resource",
        257 => "archiver error. Connect AS SYSDBA only until resolved.",
        600 => "internal error code",
        900 => "invalid SQL statement",
        904 => "invalid identifier",
        911 => "invalid character",
        918 => "column ambiguously defined",
        942 => "table or view does not exist",
        947 => "not enough values",
        955 => "name is already used by an existing object",
        1008 => "not all variables bound",
        1012 => "not logged on",
        1013 => "user requested cancel of current operation",
        1017 => "invalid username/password; logon denied",
        1031 => "insufficient privileges",
        1033 => "ORACLE initialization or shutdown in progress",
        1034 => "ORACLE not available",
        1036 => "illegal variable name/number",
        1089 => "immediate shutdown or close in progress - no operations are permitted",
        1401 => "inserted value too large for column",
        1426 => "numeric overflow",
        1430 => "column being added already exists in table",
        1438 => "value larger than specified precision allowed for this column",
        1536 => "space quota exceeded for tablespace 'USERS'",
        1653 => "unable to extend table by 128 in tablespace USERS",
        1654 => "unable to extend index by 128 in tablespace USERS",
        1722 => "invalid number",
        1756 => "quoted string not properly terminated",
        1758 => "table must be empty to add mandatory (NOT NULL) column",
        1843 => "not a valid month",
        2049 => "timeout: distributed transaction waiting for lock",
        2261 => "such unique or primary key already exists in the table",
        3113 => "end-of-file on communication channel",
        3114 => "not connected to ORACLE",
        3135 => "connection lost contact",
        3156 => "OCI call timed out",
        4031 => "unable to allocate bytes of shared memory",
        6550 => "PL/SQL: Statement ignored",
        12154 => "TNS:could not resolve the connect identifier specified",
        12170 => "TNS:Connect timeout occurred",
        12514 => "TNS:listener does not currently know of service requested in connect descriptor",
        12516 => "TNS:listener could not find available handler with matching protocol stack",
        12541 => "TNS:no listener",
        24315 => "illegal attribute type",
        24381 => "error(s) in array DML",
        28000 => "the account is locked",
        28001 => "the password has expired",
        30036 => "unable to extend segment by 8 in undo tablespace 'UNDOTBS1'",
        _ => "error raised by the stand-in on demand",
    }
}
