//! Rows that are changed if they are still what they were: locked, compared here, changed by array DML, committed.
//!
//! The comparison is in Rust and not in the UPDATE: that would have to compare NULLs and numbers of any column type, and
//! which rows of an array it found only servers from 12.1 on tell.

use std::collections::HashSet;

use oracle::Connection;
use oracle::sql_type::ToSql;

use super::OracleStore;
use super::column::TEXT;
use super::errors::Failure;
use super::rows::lock_chunk;
use super::writes::{Prepared, Row, ends, rule_failure, run};
use crate::domain::{Key, NewResult};
use crate::store::{Rejection, Swap, Swapped};

/// Changes at most as many rows as the longest list has binds; needs a connection that does not commit by itself. `None`
/// where they have to be changed one by one, since one of them keeps the others from it.
///
/// The rows are locked in whatever order the database finds them, so that two sessions may deadlock over them
/// (ORA-00060): the caller tries again.
pub(super) fn swap_chunk(
    store: &OracleStore,
    conn: &Connection,
    swaps: &[Swap],
) -> Result<Option<Vec<Swapped>>, Failure> {
    let reason = match swap_together(store, conn, swaps) {
        Ok(Some(swapped)) => return Ok(Some(swapped)),
        Ok(None) => Rejection::Conflict,
        // Of the table as a whole, or of a constraint that is checked at the commit.
        Err(failure) => rule_failure(store, failure)?,
    };
    conn.rollback()?;
    Ok((swaps.len() == 1).then(|| vec![Swapped::Rejected(reason)]))
}

/// Whether the table may take some of the keys for others of them: with a collation of its own, which passes over case.
fn may_be_alike(keys: &[Key]) -> bool {
    keys.iter().map(|key| key.as_str().to_lowercase()).collect::<HashSet<_>>().len() < keys.len()
}

/// `None` where the table takes other keys for some of these: what is written under one would be written to another's row.
fn swap_together(store: &OracleStore, conn: &Connection, swaps: &[Swap]) -> Result<Option<Vec<Swapped>>, Failure> {
    let keys: Vec<Key> = swaps.iter().map(|swap| swap.key.clone()).collect();
    if may_be_alike(&keys) {
        return Ok(None);
    }
    let (there, has_others) = lock_chunk(store, conn, &keys)?;
    if has_others {
        return Ok(None);
    }
    // The lookup has described the column.
    let kind = store.known_kind().ok_or_else(|| Failure::unreadable("nothing that is known"))?;
    let mut swapped: Vec<Swapped> = swaps.iter().map(|_| Swapped::Overtaken).collect();
    let mut puts: Vec<(usize, NewResult)> = Vec::new();
    let mut removals: Vec<usize> = Vec::new();
    for (at, (swap, there)) in swaps.iter().zip(there).enumerate() {
        if there.as_ref() != Some(&swap.before) {
            continue;
        }
        match swap.after.clone() {
            Some(after) => {
                puts.push((at, NewResult { key: swap.key.clone(), outcome: after.outcome, model: after.model }));
            }
            None => removals.push(at),
        }
    }
    let mut prepared: Vec<Prepared<'_>> = Vec::with_capacity(puts.len());
    for (at, row) in &puts {
        match Prepared::new(*at, row, kind) {
            Some(row) => prepared.push(row),
            None => swapped[*at] = Swapped::Rejected(Rejection::ValueDoesNotFit),
        }
    }
    if !prepared.is_empty() {
        let has_model = store.statements.has_model;
        let mut batch = conn.batch(&store.statements.put, prepared.len()).with_batch_errors().build()?;
        batch.set_type(1, &kind.bind_type())?;
        (2..=if has_model { 3 } else { 2 }).try_for_each(|bind| batch.set_type(bind, &TEXT))?;
        for row in &prepared {
            let binds: [&dyn ToSql; 3] = [&row.bind, &row.model, &row.key];
            let plain: [&dyn ToSql; 2] = [&row.bind, &row.key];
            batch.append_row(if has_model { &binds } else { &plain })?;
        }
        let ends = ends(store, run(&mut batch)?, prepared.len())?;
        for (row, end) in prepared.into_iter().zip(ends) {
            swapped[row.at] = match end {
                Row::Stored => Swapped::Done(Some(row.stored)),
                Row::Conflict => Swapped::Rejected(Rejection::Conflict),
                Row::Rejected(reason) => Swapped::Rejected(reason),
            };
        }
    }
    if !removals.is_empty() {
        let mut batch = conn.batch(&store.statements.delete, removals.len()).with_batch_errors().build()?;
        batch.set_type(1, &TEXT)?;
        for &at in &removals {
            batch.append_row(&[&swaps[at].key.as_str()])?;
            swapped[at] = Swapped::Done(None);
        }
        for (row, failure) in run(&mut batch)? {
            let reason = rule_failure(store, failure)?;
            if let Some(&at) = removals.get(row) {
                swapped[at] = Swapped::Rejected(reason);
            }
        }
    }
    conn.commit().map_err(Failure::of_commit)?;
    Ok(Some(swapped))
}
