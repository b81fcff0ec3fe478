//! From the settings to a store: the one place that names both backends.

use std::sync::Arc;

use super::oracle::OracleStore;
use super::{Backend, Check, Expected, ResultStore, SqliteStore, StoreSettings, TableNames};
use super::{oracle, sqlite};

/// Opens the configured store. SQLite's table is made where absent; Oracle is left as it is and need not be reachable.
/// Blocks.
///
/// # Errors
/// What the operator has to change: a name that is no identifier, a file that cannot be opened, a missing client library.
pub fn open(settings: &StoreSettings) -> anyhow::Result<Arc<dyn ResultStore>> {
    let names = TableNames::parse(&settings.table).map_err(anyhow::Error::msg)?;
    Ok(match settings.backend {
        Backend::Sqlite => Arc::new(SqliteStore::open(&settings.sqlite, &names)?),
        Backend::Oracle => {
            settings.oracle.validate().map_err(anyhow::Error::msg)?;
            Arc::new(OracleStore::open(&settings.oracle, &names)?)
        }
    })
}

/// The DDL that makes the configured table; needs no database.
///
/// # Errors
/// Where a name is no identifier.
pub fn schema_ddl(settings: &StoreSettings) -> anyhow::Result<String> {
    let names = TableNames::parse(&settings.table).map_err(anyhow::Error::msg)?;
    Ok(match settings.backend {
        Backend::Sqlite => sqlite::ddl(&names),
        Backend::Oracle => oracle::ddl(&names),
    })
}

/// Looks at everything that lies between the settings and a stored result, a line each, in that order. Changes nothing,
/// and logs on at most once. Blocks.
#[must_use]
pub fn diagnose(settings: &StoreSettings, expected: &Expected, replicas: u32) -> Vec<Check> {
    let names = match TableNames::parse(&settings.table) {
        Ok(names) => names,
        Err(reason) => return vec![Check::failed("table", reason)],
    };
    match settings.backend {
        Backend::Sqlite => sqlite::diagnose(&settings.sqlite, &names),
        Backend::Oracle => oracle::diagnose(&settings.oracle, &names, expected, replicas),
    }
}
