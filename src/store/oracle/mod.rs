//! The result table in Oracle, through the `oracle` crate and a static r2d2 pool.
//!
//! A hit is one round trip (prefetch 2, fetch array 1); a miss is a second one: an INSERT that commits with its execute.
//! Keys are bound as VARCHAR2: a plain `&str` goes as NVARCHAR2, and the index is lost (`SYS_OP_C2C`).

mod column;
mod connect_string;
mod decimal;
mod dictionary;
mod doctor;
mod errors;
mod gate;
mod manager;
mod moment;
mod pooled;
mod probe;
mod query;
mod rows;
mod schema;
mod session;
mod statements;
mod swaps;
mod writes;

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context;
use oracle::{InitParams, Version};

use super::names::TableNames;
use super::unstorable::Unstorable;
use super::{Check, Expected, OracleSettings, ResultStore, StoreError, StoreSession};
use column::ColumnKind;
use errors::client_error;
use manager::Manager;
use session::OracleSession;
use statements::Statements;

pub(super) use doctor::diagnose;
pub(super) use query::select;
pub(super) use statements::{ddl, image_ddl};

/// r2d2 asks for connections with this patience between its own attempts; the gate paces the logons themselves.
const RETRY_PACE: Duration = Duration::from_secs(1);

/// How long work that no request waits for waits for a session: the first logon may take seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// A result table in Oracle.
pub struct OracleStore {
    description: String,
    user: String,
    names: TableNames,
    acquire_timeout: Duration,
    statements: Statements,
    pool: r2d2::Pool<Manager>,
    manager: Manager,
    /// Type of the result column, as the last SELECT described it; `None` before the first.
    result_column: RwLock<Option<ColumnKind>>,
    unstorable: Unstorable,
}

impl OracleStore {
    /// The kind of the result column, where a SELECT has described it.
    fn known_kind(&self) -> Option<ColumnKind> {
        *self.result_column.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads the client library and starts to fill the pool. Does not wait for the database.
    ///
    /// # Errors
    /// Where the client library is absent or a setting cannot be used; the text says what to do.
    pub fn open(settings: &OracleSettings, names: &TableNames) -> anyhow::Result<Self> {
        let client = load_client(settings)?;
        let manager = Manager::new(settings, &client)?;
        Ok(Self::with_idle(settings, names, &client, manager, None))
    }

    /// A store that holds `idle` connections all the time; `None`: as many as the pool takes.
    fn with_idle(
        settings: &OracleSettings,
        names: &TableNames,
        client: &Version,
        manager: Manager,
        idle: Option<u32>,
    ) -> Self {
        let pool = r2d2::Pool::builder()
            .max_size(settings.pool_size)
            .min_idle(idle)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_on_check_out(true)
            .connection_timeout(RETRY_PACE)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(manager.clone());
        Self {
            description: format!(
                "oracle at {} as {} (client {client}, {} connections)",
                settings.connect_string, settings.user, settings.pool_size
            ),
            user: settings.user.clone(),
            names: names.clone(),
            acquire_timeout: Duration::from_millis(settings.acquire_timeout_ms),
            statements: Statements::new(names),
            pool,
            manager,
            result_column: RwLock::new(None),
            unstorable: Unstorable::default(),
        }
    }

    /// The image table, through the same connections.
    #[must_use]
    pub fn images(&self) -> Self {
        Self {
            description: self.description.clone(),
            user: self.user.clone(),
            names: self.names.images(),
            acquire_timeout: self.acquire_timeout,
            statements: Statements::of_images(&self.names),
            pool: self.pool.clone(),
            manager: self.manager.clone(),
            result_column: RwLock::new(None),
            unstorable: Unstorable::default(),
        }
    }
}

/// Loads the client library, once per process.
fn load_client(settings: &OracleSettings) -> anyhow::Result<Version> {
    let mut init = InitParams::new();
    if !settings.client_lib_dir.as_os_str().is_empty() {
        init.oracle_client_lib_dir(settings.client_lib_dir.as_os_str().to_string_lossy().as_ref())
            .context("store.oracle.client_lib_dir")?;
    }
    init.default_driver_name(concat!("augur : ", env!("CARGO_PKG_VERSION"))).context("driver name")?;
    init.init().map_err(|e| client_error(e, &settings.client_lib_dir))?;
    Ok(Version::client().map_err(|e| client_error(e, &settings.client_lib_dir))?)
}

impl ResultStore for OracleStore {
    fn session(&self, wait: Duration) -> Result<Box<dyn StoreSession + '_>, StoreError> {
        Ok(Box::new(OracleSession::new(self, wait)?))
    }

    fn max_sessions(&self) -> usize {
        self.pool.max_size() as usize
    }

    fn acquire_timeout(&self) -> Duration {
        self.acquire_timeout
    }

    fn describe(&self) -> String {
        self.description.clone()
    }

    fn table(&self) -> String {
        self.names.qualified_table()
    }

    fn apply_schema(&self) -> Result<(), StoreError> {
        let mut session = OracleSession::new(self, PATIENCE)?;
        session.execute_ddl(&self.statements.create)
    }

    fn check_schema(&self, expected: &Expected) -> Result<Vec<Check>, StoreError> {
        OracleSession::new(self, PATIENCE)?.check_schema(expected)
    }

    fn retry_logon(&self) {
        self.manager.retry_logon();
    }
}
