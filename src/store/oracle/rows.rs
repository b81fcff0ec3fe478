//! Statements that read rows on one connection: what is bound, and what is fetched.

use std::collections::HashMap;
use std::sync::PoisonError;

use oracle::Connection;
use oracle::sql_type::{OracleType, Timestamp, ToSql};

use super::OracleStore;
use super::column::{ColumnKind, TEXT};
use super::errors::Failure;
use super::moment;
use crate::domain::{Key, StoredResult};
use crate::store::{Found, Range};

/// Most rows of a page that are fetched in one round trip: their buffers are allocated at once.
const MAX_FETCHED_ROWS: u32 = 500;

/// Keeps what a SELECT said of the result column, for the next INSERT.
fn learn_kind(store: &OracleStore, described: &OracleType) -> Result<ColumnKind, Failure> {
    let kind = ColumnKind::of(described)?;
    if store.known_kind() != Some(kind) {
        *store.result_column.write().unwrap_or_else(PoisonError::into_inner) = Some(kind);
    }
    Ok(kind)
}

/// Looks up at most as many keys as the longest list has binds, in one round trip.
pub(super) fn find_chunk(store: &OracleStore, conn: &Connection, keys: &[Key]) -> Result<Vec<Option<Found>>, Failure> {
    find_by(store, conn, keys, store.statements.find(keys.len()), Fetch::Enough).map(|(found, _)| found)
}

/// The same, and locks the rows; also tells whether rows of other keys were among them.
pub(super) fn lock_chunk(
    store: &OracleStore,
    conn: &Connection,
    keys: &[Key],
) -> Result<(Vec<Option<Found>>, bool), Failure> {
    find_by(store, conn, keys, store.statements.find_locked(keys.len()), Fetch::All)
}

/// How much of what the database finds is fetched.
#[derive(Clone, Copy, PartialEq)]
enum Fetch {
    /// Until there is a row of each key. Without a unique key there may be many of one: the first counts, the others need
    /// no round trip.
    Enough,
    All,
}

fn find_by(
    store: &OracleStore,
    conn: &Connection,
    keys: &[Key],
    (sql, length): (&str, usize),
    fetch: Fetch,
) -> Result<(Vec<Option<Found>>, bool), Failure> {
    let Some(last) = keys.last() else { return Ok((Vec::new(), false)) };
    let texts: Vec<&str> = keys.iter().map(Key::as_str).chain(std::iter::repeat(last.as_str())).take(length).collect();
    let binds: Vec<(&&str, &OracleType)> = texts.iter().map(|text| (text, &TEXT)).collect();
    let binds: Vec<&dyn ToSql> = binds.iter().map(|bind| bind as &dyn ToSql).collect();
    // One row more is prefetched than fetched, so that the end is known without another round trip.
    let rows = length as u32;
    let mut statement = conn.statement(sql).fetch_array_size(rows).prefetch_rows(rows + 1).build()?;
    let fetched = statement.query(&binds)?;
    let kind = learn_kind(store, fetched.column_info()[1].oracle_type())?;
    let mut found: HashMap<&str, Option<Found>> = keys.iter().map(|key| (key.as_str(), None)).collect();
    let mut missing = found.len();
    let mut has_others = false;
    for row in fetched {
        if missing == 0 && fetch == Fetch::Enough {
            break;
        }
        let row = row?;
        let [key, result, model] = row.sql_values() else { return Err(Failure::unreadable("too many columns")) };
        let key: String = key.get()?;
        match found.get_mut(key.as_str()) {
            Some(place @ None) => {
                *place = Some(Found { outcome: kind.read(result)?, model: model.get()? });
                missing -= 1;
            }
            Some(_) => {}
            // A database character set that lacks a character takes two URLs for one, and so does a column with a collation
            // of its own. Such a row is nobody's hit.
            None => has_others = true,
        }
    }
    Ok((keys.iter().map(|key| found.get_mut(key.as_str()).and_then(Option::take)).collect(), has_others))
}

/// What there is under a key.
pub(super) struct Locked {
    pub(super) row: Option<StoredResult>,
    /// The table takes other keys for this one, and what is written under it would be written to theirs.
    pub(super) has_others: bool,
    pub(super) kind: ColumnKind,
}

/// The row of a key.
pub(super) fn row(store: &OracleStore, conn: &Connection, key: &Key) -> Result<Option<StoredResult>, Failure> {
    row_by(store, conn, key, &store.statements.row, Fetch::Enough).map(|locked| locked.row)
}

/// The same, locked.
pub(super) fn lock_row(store: &OracleStore, conn: &Connection, key: &Key) -> Result<Locked, Failure> {
    row_by(store, conn, key, &store.statements.lock, Fetch::All)
}

fn row_by(store: &OracleStore, conn: &Connection, key: &Key, sql: &str, fetch: Fetch) -> Result<Locked, Failure> {
    // There is one row as a rule, and the end is known with it. Without a unique key there may be more, for which the buffers
    // are allocated at once: 16 KB for each key.
    let rows = if fetch == Fetch::All { 8 } else { 1 };
    let mut statement = conn.statement(sql).fetch_array_size(rows).prefetch_rows(2).build()?;
    let fetched = statement.query(&[&(&key.as_str(), &TEXT)])?;
    let kind = learn_kind(store, fetched.column_info()[1].oracle_type())?;
    let mut locked = Locked { row: None, has_others: false, kind };
    for row in fetched {
        let row = row?;
        // As in `find_by`.
        if row.get::<_, String>(0)? != key.as_str() {
            locked.has_others = true;
        } else if locked.row.is_none() {
            locked.row = Some(stored_result(store, kind, &row)?);
        }
        if locked.row.is_some() && (fetch == Fetch::Enough || locked.has_others) {
            break;
        }
    }
    Ok(locked)
}

/// Up to `limit` rows of `range` in key order.
pub(super) fn page(
    store: &OracleStore,
    conn: &Connection,
    range: &Range<'_>,
    limit: usize,
) -> Result<Vec<StoredResult>, Failure> {
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let (start, excluded, end, model) =
        ((&range.start(), &TEXT), (&range.excluded(), &TEXT), range.end(), (&range.model, &TEXT));
    let end = end.as_ref().map(|end| (end, &TEXT));
    let sql = if end.is_some() { &store.statements.page } else { &store.statements.page_to_end };
    let mut binds: Vec<&dyn ToSql> = vec![&start, &excluded];
    binds.extend(end.as_ref().map(|end| end as &dyn ToSql));
    binds.extend([&model as &dyn ToSql, &model, &limit]);
    let fetched_rows = limit.min(MAX_FETCHED_ROWS);
    let mut statement = conn.statement(sql).fetch_array_size(fetched_rows).prefetch_rows(fetched_rows + 1).build()?;
    let fetched = statement.query(&binds)?;
    let kind = learn_kind(store, fetched.column_info()[1].oracle_type())?;
    fetched.map(|row| stored_result(store, kind, &row?)).collect()
}

/// Touches the table without reading a row, and learns the kind of the result column.
pub(super) fn ping(store: &OracleStore, conn: &Connection) -> Result<ColumnKind, Failure> {
    let rows = conn.query(&store.statements.ping, &[])?;
    learn_kind(store, rows.column_info()[1].oracle_type())
}

fn stored_result(store: &OracleStore, kind: ColumnKind, row: &oracle::Row) -> Result<StoredResult, Failure> {
    let [key, result, model, created] = row.sql_values() else {
        return Err(Failure::unreadable("too many columns"));
    };
    let created: Option<Timestamp> = if store.statements.has_created { created.get()? } else { None };
    let created_at = created.as_ref().and_then(moment::utc);
    let key: String = key.get()?;
    Ok(StoredResult { key: Key::stored(&key), outcome: kind.read(result)?, model: model.get()?, created_at })
}
