//! What the configuration says about the store.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// `store.*`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    /// Which database holds the result table.
    pub backend: Backend,
    /// Whether an unreachable store stops the start.
    pub require_at_start: bool,
    /// What becomes of a hit that an older version of the model made.
    pub stale: Stale,
    /// Names of the table and its columns.
    pub table: TableSettings,
    /// Used with `backend = "sqlite"`.
    pub sqlite: SqliteSettings,
    /// Used with `backend = "oracle"`.
    pub oracle: OracleSettings,
}

/// The databases that can hold the result table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// The embedded default.
    Sqlite,
    /// Oracle, through its client library.
    Oracle,
}

/// What becomes of a hit that an older version of the model made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stale {
    /// It is the answer.
    Serve,
    /// The model predicts anew, and the row is replaced.
    Recompute,
}

/// `store.table.*`; [`Default`] gives the names that the SQL files carry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSettings {
    /// Table, also `owner.table`.
    pub name: String,
    /// Key column.
    pub key_column: String,
    /// Result column.
    pub result_column: String,
    /// Column for `name@version`; empty where the table has none.
    pub model_column: String,
    /// Column for the time of writing; empty where the table has none.
    pub created_column: String,
}

impl Default for TableSettings {
    fn default() -> Self {
        Self {
            name: "URL_RESULT".into(),
            key_column: "URL".into(),
            result_column: "RESULT".into(),
            model_column: "MODEL".into(),
            created_column: "CREATED_AT".into(),
        }
    }
}

/// `store.sqlite.*`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqliteSettings {
    /// The database file; made, with its folder, where absent.
    pub path: PathBuf,
}

/// `store.oracle.*`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OracleSettings {
    /// Easy Connect string, descriptor or TNS alias.
    pub connect_string: String,
    /// The run-time user.
    pub user: String,
    /// Its password; empty where `password_file` is given.
    pub password: SecretString,
    /// File that holds the password, one trailing newline is cut; empty for none.
    pub password_file: PathBuf,
    /// Folder of the Oracle client library; empty for the system's search path.
    pub client_lib_dir: PathBuf,
    /// Connections held, and lanes that work on them.
    pub pool_size: u32,
    /// How long a request may wait for a connection.
    pub acquire_timeout_ms: u64,
    /// Time limit of one call to the database.
    pub call_timeout_ms: u64,
}

impl OracleSettings {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// One sentence that names the key; never what a secret holds.
    pub fn validate(&self) -> Result<(), String> {
        if self.connect_string.is_empty() {
            return Err(
                "store.oracle.connect_string is not set: write where the database is, such as \"//db:1521/XEPDB1\""
                    .into(),
            );
        }
        if self.user.is_empty() {
            return Err("store.oracle.user is not set".into());
        }
        match (self.password.expose_secret().is_empty(), self.password_file.as_os_str().is_empty()) {
            (true, true) => Err("store.oracle.password_file is not set: name the file that holds the password".into()),
            (false, false) => {
                Err("store.oracle.password and store.oracle.password_file are both set: remove one".into())
            }
            _ => Ok(()),
        }
    }
}
