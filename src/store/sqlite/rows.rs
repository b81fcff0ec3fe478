//! Rows in SQLite: what is bound, what is read, and what became of each row.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::SqliteStore;
use super::affinity::Affinity;
use super::errors::rejected;
use super::statements::Statements;
use crate::domain::{Key, NewResult, Number, Outcome, StoredResult};
use crate::store::{Change, Changed, Found, Inserted, Range, Rejection, Swap, Swapped};

/// Looks up each of `keys`, all in one state of the table.
pub(super) fn find_rows(reader: &Connection, sql: &str, keys: &[Key]) -> rusqlite::Result<Vec<Option<Found>>> {
    // A transaction saves the shared lock of each SELECT; a single one has it for itself anyway.
    let transaction = (keys.len() > 1).then(|| ReadTransaction::begin(reader)).transpose()?;
    let mut statement = reader.prepare_cached(sql)?;
    let found = keys.iter().map(|key| find(&mut statement, key)).collect();
    drop(transaction);
    found
}

/// A transaction that only reads. rusqlite's own parses BEGIN and COMMIT anew each time, which takes as long as a lookup.
struct ReadTransaction<'a>(&'a Connection);

impl<'a> ReadTransaction<'a> {
    fn begin(reader: &'a Connection) -> rusqlite::Result<Self> {
        reader.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self(reader))
    }
}

impl Drop for ReadTransaction<'_> {
    fn drop(&mut self) {
        let ended = self.0.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        if ended.is_err() && !self.0.is_autocommit() {
            // Nothing was written that could be lost; one that stayed open would show the same old state for ever.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}

fn find(statement: &mut rusqlite::CachedStatement<'_>, key: &Key) -> rusqlite::Result<Option<Found>> {
    statement
        .query_row([key.as_str()], |row| Ok(Found { outcome: outcome(row.get_ref(0)?), model: text(row.get_ref(1)?) }))
        .optional()
}

pub(super) fn insert_rows(
    store: &SqliteStore,
    writer: &mut Connection,
    rows: &[NewResult],
) -> rusqlite::Result<Vec<Inserted>> {
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let inserted = {
        let mut insert = transaction.prepare_cached(&store.statements.insert)?;
        let mut select = transaction.prepare_cached(&store.statements.find)?;
        let affinity = Affinity::of(select.columns()[0].decl_type());
        rows.iter()
            .map(|row| match insert_row(&mut insert, store.statements.has_model, row) {
                // Asking for what is known, by RETURNING or otherwise, would take as long as the insert.
                Ok(true) if affinity.keeps(&row.outcome) => Ok(Inserted::Stored(row.outcome.clone())),
                Ok(true) => {
                    let stored = find(&mut select, &row.key)?;
                    Ok(Inserted::Stored(stored.map_or_else(|| row.outcome.clone(), |found| found.outcome)))
                }
                // Somebody was first. The row cannot be gone again: this transaction holds the write lock.
                Ok(false) => Ok(find(&mut select, &row.key)?.map_or_else(
                    || {
                        store.unstorable.note_conflict();
                        Inserted::Rejected(Rejection::Conflict)
                    },
                    Inserted::Existed,
                )),
                Err(error) => rejected(store, error).map(Inserted::Rejected),
            })
            .collect::<rusqlite::Result<_>>()?
    };
    transaction.commit()?;
    Ok(inserted)
}

/// Reads a row, asks what is to become of it and does that, while nobody else can write.
pub(super) fn update_row(
    store: &SqliteStore,
    writer: &mut Connection,
    key: &Key,
    decide: &mut dyn FnMut(Option<&StoredResult>) -> Change,
) -> rusqlite::Result<Changed> {
    // Dropped without a commit, it is rolled back: on each way out but the last ones.
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let statements = &store.statements;
    let changed = {
        let mut select = transaction.prepare_cached(&statements.row)?;
        let affinity = Affinity::of(select.columns()[1].decl_type());
        let before = select.query_row([key.as_str()], stored_result).optional()?;
        match (decide(before.as_ref()), before) {
            (Change::Keep, before) | (Change::Remove, before @ None) => return Ok(Changed::Kept(before)),
            (Change::Remove, Some(before)) => {
                match transaction.prepare_cached(&statements.delete)?.execute([key.as_str()]) {
                    Ok(_) => Changed::Removed { before },
                    Err(error) => return rejected(store, error).map(Changed::Rejected),
                }
            }
            (Change::Replace { outcome: Outcome::Text(_), .. }, _) if !affinity.takes_text() => {
                return Ok(Changed::Rejected(Rejection::ValueDoesNotFit));
            }
            (Change::Replace { outcome, model }, before) => {
                let row = NewResult { key: key.clone(), outcome, model };
                let written = if before.is_some() {
                    let mut update = transaction.prepare_cached(&statements.put)?;
                    put(&mut update, statements.has_model, &row).map(|rows| rows > 0)
                } else {
                    let mut insert = transaction.prepare_cached(&statements.insert)?;
                    insert_row(&mut insert, statements.has_model, &row)
                };
                match written {
                    Ok(true) => Changed::Replaced { before, after: select.query_row([key.as_str()], stored_result)? },
                    Ok(false) => return Ok(Changed::Rejected(Rejection::Conflict)),
                    Err(error) => return rejected(store, error).map(Changed::Rejected),
                }
            }
        }
    };
    transaction.commit()?;
    Ok(changed)
}

/// Changes those rows that are still what they were, with one commit. Nobody else writes meanwhile.
pub(super) fn swap_rows(
    store: &SqliteStore,
    writer: &mut Connection,
    swaps: &[Swap],
) -> rusqlite::Result<Vec<Swapped>> {
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let statements = &store.statements;
    let swapped = {
        let mut select = transaction.prepare_cached(&statements.find)?;
        let mut update = transaction.prepare_cached(&statements.put)?;
        let mut remove = transaction.prepare_cached(&statements.delete)?;
        let affinity = Affinity::of(select.columns()[0].decl_type());
        swaps
            .iter()
            .map(|swap| {
                if find(&mut select, &swap.key)?.as_ref() != Some(&swap.before) {
                    return Ok(Swapped::Overtaken);
                }
                let Some(Found { outcome, model }) = swap.after.clone() else {
                    let removed = remove.execute([swap.key.as_str()]);
                    return removed.map(|_| Swapped::Done(None)).or_else(|e| rejected(store, e).map(Swapped::Rejected));
                };
                if matches!(outcome, Outcome::Text(_)) && !affinity.takes_text() {
                    return Ok(Swapped::Rejected(Rejection::ValueDoesNotFit));
                }
                let row = NewResult { key: swap.key.clone(), outcome, model };
                match put(&mut update, statements.has_model, &row) {
                    Ok(_) => Ok(Swapped::Done(find(&mut select, &swap.key)?.map(|found| found.outcome))),
                    Err(error) => rejected(store, error).map(Swapped::Rejected),
                }
            })
            .collect::<rusqlite::Result<_>>()?
    };
    transaction.commit()?;
    Ok(swapped)
}

/// Replaces the row of a key; how many there were.
fn put(update: &mut rusqlite::CachedStatement<'_>, has_model: bool, row: &NewResult) -> rusqlite::Result<usize> {
    if has_model {
        update.execute(params![row.key.as_str(), Column(&row.outcome), row.model])
    } else {
        update.execute(params![row.key.as_str(), Column(&row.outcome)])
    }
}

/// Up to `limit` rows of `range` in key order.
pub(super) fn page(
    reader: &Connection,
    statements: &Statements,
    range: &Range<'_>,
    limit: usize,
) -> rusqlite::Result<Vec<StoredResult>> {
    let end = range.end();
    let mut statement =
        reader.prepare_cached(if end.is_some() { &statements.page } else { &statements.page_to_end })?;
    let mut page: Vec<StoredResult> = Vec::new();
    let (mut start, mut excluded) = (range.start().as_bytes().to_vec(), range.excluded().as_bytes().to_vec());
    loop {
        let wanted = limit - page.len();
        let [from, without] = [&start, &excluded].map(|bytes| ToSqlOutput::Borrowed(ValueRef::Text(bytes)));
        let mut rows =
            statement.query(params![from, without, end, range.model, i64::try_from(wanted).unwrap_or(i64::MAX)])?;
        let (mut seen, mut last) = (0, Vec::new());
        while let Some(row) = rows.next()? {
            seen += 1;
            let key = row.get_ref(0)?.as_bytes()?;
            if std::str::from_utf8(key).is_ok() {
                page.push(stored_result(row)?);
            } else if seen == wanted {
                last = key.to_vec();
            }
        }
        drop(rows);
        if let (true, Some(row)) = (last.is_empty(), page.last()) {
            last = row.key.as_str().as_bytes().to_vec();
        }
        // What other programs have stored that is no UTF-8 has no address here; as many others are read in its place.
        if seen < wanted || page.len() == limit || last == start {
            return Ok(page);
        }
        (start, excluded) = (last.clone(), last);
    }
}

/// A row of `row.sql` or `page.sql`.
pub(super) fn stored_result(row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredResult> {
    Ok(StoredResult {
        key: Key::stored(&row.get::<_, String>(0)?),
        outcome: outcome(row.get_ref(1)?),
        model: text(row.get_ref(2)?),
        created_at: text(row.get_ref(3)?),
    })
}

/// What stands in a column beside the result as text: other programs may have written numbers there.
fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(x) => Some(x.to_string()),
        ValueRef::Real(x) => Some(x.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// Inserts a row; `false` where the key is there already.
fn insert_row(insert: &mut rusqlite::CachedStatement<'_>, has_model: bool, row: &NewResult) -> rusqlite::Result<bool> {
    let rows = if has_model {
        insert.execute(params![row.key.as_str(), Column(&row.outcome), row.model])
    } else {
        insert.execute(params![row.key.as_str(), Column(&row.outcome)])
    };
    Ok(rows? > 0)
}

/// An outcome as SQLite takes it.
struct Column<'a>(&'a Outcome);

impl rusqlite::ToSql for Column<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Outcome::Number(Number::Float(x)) => ToSqlOutput::Owned(Value::Real(*x)),
            Outcome::Number(Number::Integer(x)) => match i64::try_from(*x) {
                Ok(x) => ToSqlOutput::Owned(Value::Integer(x)),
                // beyond 64 bits SQLite itself goes on in floating point
                Err(_) => ToSqlOutput::Owned(Value::Real(*x as f64)),
            },
            Outcome::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Outcome::Null => ToSqlOutput::Owned(Value::Null),
        })
    }
}

fn outcome(value: ValueRef<'_>) -> Outcome {
    match value {
        ValueRef::Null => Outcome::Null,
        ValueRef::Integer(x) => Outcome::integer(x.into()),
        ValueRef::Real(x) => Outcome::float(x),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Outcome::Text(String::from_utf8_lossy(bytes).into_owned()),
    }
}
