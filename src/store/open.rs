//! From the settings to the stores: the one place that names both backends.

use std::sync::Arc;

use super::oracle::OracleStore;
use super::query::{Pair, single_select};
use super::{Backend, Check, Expected, ResultStore, SqliteStore, StoreSettings, TableNames};
use super::{oracle, sqlite};

/// The result tables of one database. They share its connections.
pub struct Stores {
    /// Results of URLs, under the configured names.
    pub urls: Arc<dyn ResultStore>,
    /// Labels of pictures: `IMAGE_RESULT`, of the same owner.
    pub images: Arc<dyn ResultStore>,
}

/// Opens the configured database, which for Oracle need not be reachable; makes no table. Blocks.
///
/// # Errors
/// What the operator has to change: a name that is no identifier, a file that cannot be opened, a missing client library.
pub fn open(settings: &StoreSettings) -> anyhow::Result<Stores> {
    let names = TableNames::parse(&settings.table).map_err(anyhow::Error::msg)?;
    Ok(match settings.backend {
        Backend::Sqlite => {
            let urls = SqliteStore::open(&settings.sqlite, &names)?;
            Stores { images: Arc::new(urls.images()), urls: Arc::new(urls) }
        }
        Backend::Oracle => {
            settings.oracle.validate().map_err(anyhow::Error::msg)?;
            let urls = OracleStore::open(&settings.oracle, &names)?;
            Stores { images: Arc::new(urls.images()), urls: Arc::new(urls) }
        }
    })
}

/// Like [`open`], for work on a database that has to be there already.
///
/// # Errors
/// As [`open`], and where there is no SQLite database at the configured path.
pub fn open_existing(settings: &StoreSettings) -> anyhow::Result<Stores> {
    if settings.backend == Backend::Sqlite {
        sqlite::ensure_exists(&settings.sqlite)?;
    }
    open(settings)
}

/// The DDL that makes the tables, the configured one and that of the images; needs no database.
///
/// # Errors
/// Where a name is no identifier.
pub fn schema_ddl(settings: &StoreSettings) -> anyhow::Result<[String; 2]> {
    let names = TableNames::parse(&settings.table).map_err(anyhow::Error::msg)?;
    Ok(match settings.backend {
        Backend::Sqlite => [sqlite::ddl(&names), sqlite::image_ddl(&names)],
        // SQL*Plus runs a block where a slash stands alone.
        Backend::Oracle => [oracle::ddl(&names), oracle::image_ddl(&names)].map(|block| format!("{block}\n/")),
    })
}

/// Looks at everything that lies between the settings and a stored result, a line each, in that order; where labels of
/// pictures are to be stored as well, also at their table. Changes nothing, and logs on at most once. Blocks.
#[must_use]
pub fn diagnose(settings: &StoreSettings, expected: &Expected, images: Option<&Expected>, replicas: u32) -> Vec<Check> {
    let names = match TableNames::parse(&settings.table) {
        Ok(names) => names,
        Err(reason) => return vec![Check::failed("table", reason)],
    };
    match settings.backend {
        Backend::Sqlite => sqlite::diagnose(&settings.sqlite, &names, images.is_some()),
        Backend::Oracle => oracle::diagnose(&settings.oracle, &names, expected, images, replicas),
    }
}

/// Hands each row of a query of the operator's own, a SELECT of a text and a number, to `each`, in the order of the database
/// and a few hundred at a time. Makes and changes nothing. Blocks.
///
/// # Errors
/// What the operator has to change, as a sentence without a subject: about the settings, the statement, or a row; and what
/// `each` says.
pub fn select(
    settings: &StoreSettings,
    sql: &str,
    each: &mut dyn FnMut(Pair<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let select = single_select(sql)?;
    match settings.backend {
        Backend::Sqlite => sqlite::select(&settings.sqlite, select, each),
        Backend::Oracle => oracle::select(&settings.oracle, select, each),
    }
}
