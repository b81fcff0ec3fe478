//! Statements that change rows on one connection: what is bound, and what became of each row.

use oracle::Connection;
use oracle::sql_type::ToSql;

use super::OracleStore;
use super::column::{Bind, ColumnKind, TEXT};
use super::errors::{Class, Failure};
use super::rows::{Locked, lock_row, row};
use crate::domain::{Key, NewResult, Outcome, StoredResult};
use crate::store::{Change, Changed, Rejection};

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
        // A unique key that is checked at the commit.
        Class::Rule if failure.message().contains("ORA-00001") => Ok(Row::Conflict),
        _ => rule_failure(store, failure).map(Row::Rejected),
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
    let failures = match run(&mut batch) {
        // A constraint that is checked at the commit, which was undone with all of it: one of the rows.
        Err(Failure { class: Class::Rule, .. }) => {
            conn.rollback()?;
            return rows.iter().map(|row| insert_one(store, conn, row, kind)).collect();
        }
        failures => failures?,
    };
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

/// Why a change was not made where a rule of the table is against it; whatever else fails is a failure of the call.
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

/// Reads a row under its lock, asks what is to become of it, does that and commits; needs a connection that does not
/// commit by itself. `None` where there was no row to lock and somebody inserted one meanwhile: then once more.
pub(super) fn update(
    store: &OracleStore,
    conn: &Connection,
    key: &Key,
    decide: &mut dyn FnMut(Option<&StoredResult>) -> Change,
) -> Result<Option<Changed>, Failure> {
    let not_done = |changed| Ok(conn.rollback().map(|()| changed)?);
    let Locked { row: before, has_others, kind } = match lock_row(store, conn, key) {
        Ok(locked) => locked,
        // A table that is READ ONLY locks no rows.
        Err(failure) => return not_done(Some(Changed::Rejected(rule_failure(store, failure)?))),
    };
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
            match row(store, conn, key)? {
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
