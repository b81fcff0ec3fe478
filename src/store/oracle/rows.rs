//! The statements on one connection: what is bound, what is fetched, and what became of each row.

use std::collections::HashMap;
use std::sync::PoisonError;

use oracle::Connection;
use oracle::sql_type::{OracleType, Timestamp, ToSql};

use super::OracleStore;
use super::column::{Bind, ColumnKind, TEXT};
use super::errors::{Class, Failure};
use super::moment;
use crate::domain::{Key, NewResult, Outcome, StoredResult};
use crate::store::{Change, Changed, Found, Range, Rejection};

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
#[derive(PartialEq)]
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

/// What became of one row of a statement that writes.
pub(super) enum Row {
    Stored,
    Conflict,
    Rejected(Rejection),
}

/// Why a row was not written, where that is no failure of the call.
fn row_failure(store: &OracleStore, failure: Failure) -> Result<Row, Failure> {
    match failure.class {
        Class::Unique => Ok(Row::Conflict),
        Class::NoSpace => {
            store.unstorable.note(Rejection::NoSpace, &failure.into_source());
            Ok(Row::Rejected(Rejection::NoSpace))
        }
        // ORA-12899 names the column: "OWNER"."TABLE"."URL".
        Class::Data if failure.message().contains(&format!("\"{}\" (", store.statements.key_column)) => {
            Ok(Row::Rejected(Rejection::KeyTooLong))
        }
        Class::Data => {
            store.unstorable.note(Rejection::ValueDoesNotFit, &failure.into_source());
            Ok(Row::Rejected(Rejection::ValueDoesNotFit))
        }
        Class::Rule => {
            store.unstorable.note(Rejection::AgainstRules, &failure.into_source());
            Ok(Row::Rejected(Rejection::AgainstRules))
        }
        _ => Err(failure),
    }
}

/// Inserts one row with its commit in one round trip.
pub(super) fn insert_one(
    store: &OracleStore,
    conn: &Connection,
    row: &Prepared<'_>,
    kind: ColumnKind,
) -> Result<Row, Failure> {
    let bind_type = kind.bind_type();
    let (key, value, model) = ((&row.key, &TEXT), (&row.bind, &bind_type), (&row.model, &TEXT));
    let binds: [&dyn ToSql; 3] = [&key, &value, &model];
    let binds = if store.statements.has_model { &binds[..] } else { &binds[..2] };
    let mut statement = conn.statement(&store.statements.insert).build()?;
    match statement.execute(binds) {
        Ok(()) => Ok(Row::Stored),
        Err(error) => {
            let row = row_failure(store, error.into())?;
            // It may be the commit that failed: then the row is there for whoever commits next.
            if matches!(row, Row::Rejected(_)) {
                conn.rollback()?;
            }
            Ok(row)
        }
    }
}

/// Inserts many rows with array DML: one round trip and one commit where all are new. Where some are not, the driver does
/// not commit the others, so that takes a second round trip.
pub(super) fn insert_batch(
    store: &OracleStore,
    conn: &Connection,
    rows: &[Prepared<'_>],
    kind: ColumnKind,
) -> Result<Vec<Row>, Failure> {
    let mut batch = conn.batch(&store.statements.insert, rows.len()).with_batch_errors().build()?;
    batch.set_type(1, &TEXT)?;
    batch.set_type(2, &kind.bind_type())?;
    if store.statements.has_model {
        batch.set_type(3, &TEXT)?;
    }
    for row in rows {
        let binds: [&dyn ToSql; 3] = [&row.key, &row.bind, &row.model];
        batch.append_row(if store.statements.has_model { &binds } else { &binds[..2] })?;
    }
    let failures = run(&mut batch)?;
    // Where all were done, the driver has committed.
    let is_committed = failures.is_empty();
    let ends = ends(store, failures, rows.len())?;
    if !is_committed {
        conn.commit()?;
    }
    Ok(ends)
}

/// Runs array DML that collects errors: those of single rows, by their places.
pub(super) fn run(batch: &mut oracle::Batch<'_>) -> Result<Vec<(usize, Failure)>, Failure> {
    let Err(error) = batch.execute() else { return Ok(Vec::new()) };
    let Some(errors) = error.batch_errors() else { return Err(error.into()) };
    Ok(errors.iter().map(|error| (error.offset() as usize, error.into())).collect())
}

/// What became of each of so many rows, of which these failed.
pub(super) fn ends(store: &OracleStore, failures: Vec<(usize, Failure)>, rows: usize) -> Result<Vec<Row>, Failure> {
    let mut ends: Vec<Row> = std::iter::repeat_with(|| Row::Stored).take(rows).collect();
    for (at, failure) in failures {
        let row = row_failure(store, failure)?;
        if let Some(place) = ends.get_mut(at) {
            *place = row;
        }
    }
    Ok(ends)
}

/// Why a change that is no new value was not made, where a rule of the table is against it; whatever else fails is a failure
/// of the call.
pub(super) fn rule_failure(store: &OracleStore, failure: Failure) -> Result<Rejection, Failure> {
    if failure.class != Class::Rule {
        return Err(failure);
    }
    store.unstorable.note(Rejection::AgainstRules, &failure.into_source());
    Ok(Rejection::AgainstRules)
}

/// A row in the form that is bound.
pub(super) struct Prepared<'a> {
    /// Where it stood among the rows given.
    pub(super) at: usize,
    pub(super) key: &'a str,
    pub(super) bind: Bind,
    pub(super) stored: Outcome,
    pub(super) model: Option<&'a str>,
}

impl<'a> Prepared<'a> {
    /// `row` in the form of the result column; `None` where that cannot hold its value.
    pub(super) fn new(at: usize, row: &'a NewResult, kind: ColumnKind) -> Option<Self> {
        let (bind, stored) = kind.store(&row.outcome)?;
        Some(Self { at, key: row.key.as_str(), bind, stored, model: row.model.as_deref() })
    }
}

/// What there is under a key.
pub(super) struct RowOf {
    pub(super) found: Option<StoredResult>,
    /// The table takes other keys for this one, and what is written under it would be written to theirs.
    has_others: bool,
    kind: ColumnKind,
}

/// The row of a key, by `row.sql` or the form of it that locks.
pub(super) fn row(store: &OracleStore, conn: &Connection, key: &Key, sql: &str) -> Result<RowOf, Failure> {
    let mut statement = conn.statement(sql).fetch_array_size(1).prefetch_rows(2).build()?;
    let fetched = statement.query(&[&(&key.as_str(), &TEXT)])?;
    let kind = learn_kind(store, fetched.column_info()[1].oracle_type())?;
    let mut found = None;
    let mut has_others = false;
    for row in fetched {
        let row = row?;
        // As in `find_by`.
        if row.get::<_, String>(0)? != key.as_str() {
            has_others = true;
        } else if found.is_none() {
            found = Some(stored_result(store, kind, &row)?);
        }
    }
    Ok(RowOf { found, has_others, kind })
}

/// Reads a row under its lock, asks what is to become of it, does that and commits; needs a connection that does not
/// commit by itself. `None` where there was no row to lock and somebody inserted one meanwhile: then once more.
pub(super) fn update(
    store: &OracleStore,
    conn: &Connection,
    key: &Key,
    decide: &mut dyn FnMut(Option<&StoredResult>) -> Change,
) -> Result<Option<Changed>, Failure> {
    let RowOf { found: before, has_others, kind } = row(store, conn, key, &store.statements.lock)?;
    let not_done = |changed| Ok(conn.rollback().map(|()| changed)?);
    let changed = match (decide(before.as_ref()), before) {
        (Change::Keep, before) | (Change::Remove, before @ None) => return not_done(Some(Changed::Kept(before))),
        _ if has_others => return not_done(Some(Changed::Rejected(Rejection::Conflict))),
        (Change::Remove, Some(before)) => match conn.execute(&store.statements.delete, &[&(&key.as_str(), &TEXT)]) {
            Ok(_) => Changed::Removed { before },
            Err(error) => {
                let reason = rule_failure(store, error.into())?;
                return not_done(Some(Changed::Rejected(reason)));
            }
        },
        (Change::Replace { outcome, model }, before) => {
            let new = NewResult { key: key.clone(), outcome, model };
            let written = match (Prepared::new(0, &new, kind), &before) {
                (None, _) => Row::Rejected(Rejection::ValueDoesNotFit),
                (Some(new), None) => insert_one(store, conn, &new, kind)?,
                (Some(new), Some(_)) => replace(store, conn, &new, kind)?,
            };
            match written {
                Row::Stored => {}
                Row::Conflict if before.is_none() => return not_done(None),
                Row::Conflict => return not_done(Some(Changed::Rejected(Rejection::Conflict))),
                Row::Rejected(reason) => return not_done(Some(Changed::Rejected(reason))),
            }
            match row(store, conn, key, &store.statements.row)?.found {
                Some(after) => Changed::Replaced { before, after },
                // The database character set lacks a character of the key: the row that was written is another key's.
                None => return not_done(Some(Changed::Rejected(Rejection::Conflict))),
            }
        }
    };
    match conn.commit().map_err(Failure::of_commit) {
        Ok(()) => Ok(Some(changed)),
        // A constraint that is checked at the end of a transaction.
        Err(failure) => not_done(Some(Changed::Rejected(rule_failure(store, failure)?))),
    }
}

/// Replaces the row of a key.
fn replace(store: &OracleStore, conn: &Connection, row: &Prepared<'_>, kind: ColumnKind) -> Result<Row, Failure> {
    let bind_type = kind.bind_type();
    let (key, value, model) = ((&row.key, &TEXT), (&row.bind, &bind_type), (&row.model, &TEXT));
    let replaced = if store.statements.has_model {
        conn.execute(&store.statements.put, &[&value, &model, &key])
    } else {
        conn.execute(&store.statements.put, &[&value, &key])
    };
    replaced.map_or_else(|error| row_failure(store, error.into()), |_| Ok(Row::Stored))
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
