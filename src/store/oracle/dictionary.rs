//! The data dictionary: whose table a name means, and what the views tell of it. Read by `augur schema check`, `augur
//! doctor` and the look after the start, never for a request. Every view may be unreadable.

use std::collections::{BTreeMap, HashMap};

use oracle::sql_type::{OracleType, ToSql};
use oracle::{Connection, RowValue};

use super::column::TEXT;
use super::errors::Failure;
use crate::store::TableNames;

/// Synonyms of synonyms are followed this far.
const MAX_SYNONYMS: usize = 8;

/// A table as the dictionary names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) owner: String,
    pub(super) table: String,
}

/// Runs a query with text binds, as VARCHAR2.
pub(super) fn query<T: RowValue>(conn: &Connection, sql: &str, binds: &[&str]) -> Result<Vec<T>, Failure> {
    let binds: Vec<(&&str, &OracleType)> = binds.iter().map(|text| (text, &TEXT)).collect();
    let binds: Vec<&dyn ToSql> = binds.iter().map(|bind| bind as &dyn ToSql).collect();
    Ok(conn.query_as::<T>(sql.trim_end(), &binds)?.collect::<oracle::Result<_>>()?)
}

/// The first row of a query, if it has one.
pub(super) fn first<T: RowValue>(conn: &Connection, sql: &str, binds: &[&str]) -> Result<Option<T>, Failure> {
    Ok(query::<T>(conn, sql, binds)?.into_iter().next())
}

/// The table that the configured name means for this user: its own, the named owner's, or a synonym's. `None` where the
/// views know none, such as behind a database link.
pub(super) fn resolve(conn: &Connection, names: &TableNames) -> Result<Option<Place>, Failure> {
    let owner = match &names.owner {
        Some(owner) => owner.dictionary_name(),
        None => {
            let schema = first(conn, include_str!("../../../sql/oracle/inspect/current_schema.sql"), &[])?;
            let Some(schema) = schema else { return Ok(None) };
            schema
        }
    };
    let mut place = Place { owner, table: names.table.dictionary_name() };
    for _ in 0..MAX_SYNONYMS {
        let columns: Option<i64> =
            first(conn, include_str!("../../../sql/oracle/inspect/column_count.sql"), &[&place.owner, &place.table])?;
        if columns.is_some_and(|count| count > 0) {
            return Ok(Some(place));
        }
        let target = query::<(Option<String>, String)>(
            conn,
            include_str!("../../../sql/oracle/inspect/synonym.sql"),
            &[&place.table, &place.owner],
        )?;
        match target.into_iter().next() {
            Some((Some(owner), table)) => place = Place { owner, table },
            _ => break,
        }
    }
    Ok(None)
}

/// The column lists of everything that keeps rows of the table apart.
pub(super) fn unique_keys(conn: &Connection, place: &Place) -> Result<Vec<Vec<String>>, Failure> {
    let rows = query::<(String, String, String, String)>(
        conn,
        include_str!("../../../sql/oracle/inspect/unique_keys.sql"),
        &[&place.owner, &place.table, &place.owner, &place.table],
    )?;
    let mut keys: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for (kind, owner, name, column) in rows {
        keys.entry((kind, owner, name)).or_default().push(column);
    }
    Ok(keys.into_values().collect())
}

/// The columns whose width is counted in characters, and how many they take.
pub(super) fn char_widths(conn: &Connection, place: &Place) -> Result<HashMap<String, u32>, Failure> {
    let widths =
        query(conn, include_str!("../../../sql/oracle/inspect/char_widths.sql"), &[&place.owner, &place.table])?;
    Ok(widths.into_iter().collect())
}

/// The columns that an INSERT has to name.
pub(super) fn required_columns(conn: &Connection, place: &Place) -> Result<Vec<String>, Failure> {
    query(conn, include_str!("../../../sql/oracle/inspect/required_columns.sql"), &[&place.owner, &place.table])
}
