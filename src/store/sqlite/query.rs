//! An operator's own query on an SQLite file.

use anyhow::{Context, bail, ensure};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::{ensure_exists, set_up};
use crate::store::SqliteSettings;
use crate::store::query::{Pair, two_columns};

/// Hands each row of `select` to `each`. Makes no file and changes none. Blocks.
pub(in crate::store) fn select(
    settings: &SqliteSettings,
    select: &str,
    each: &mut dyn FnMut(Pair<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let path = settings.path.display();
    ensure_exists(settings)?;
    // Not for reading alone: such a connection would leave the files of WAL behind.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let conn = Connection::open_with_flags(&settings.path, flags)?;
        set_up(&conn)?;
        conn.pragma_update(None, "query_only", true)?;
        Ok::<_, rusqlite::Error>(conn)
    };
    let conn = open().with_context(|| format!("cannot open store.sqlite.path {path}"))?;
    let mut statement = conn.prepare(select).context("the database refuses it")?;
    ensure!(statement.readonly(), "it must not change anything; write a SELECT");
    two_columns(statement.column_count())?;
    let mut rows = statement.query([]).context("the database refuses it")?;
    let mut number = 0;
    while let Some(row) = rows.next().context("the database broke it off")? {
        number += 1;
        let text = match row.get_ref(0)? {
            ValueRef::Null | ValueRef::Text(b"") => None,
            ValueRef::Text(bytes) => {
                Some(std::str::from_utf8(bytes).with_context(|| format!("row {number}: the text is not UTF-8"))?)
            }
            other => bail!(
                "row {number}: the first column is {}, not TEXT; cast it (as text), or leave such rows out",
                other.data_type()
            ),
        };
        let value = match row.get_ref(1)? {
            ValueRef::Null => None,
            ValueRef::Integer(value) => Some(value as f64),
            ValueRef::Real(value) => Some(value),
            other => bail!(
                "row {number}: the second column is {}, not a number; cast it (as real), or leave such rows out",
                other.data_type()
            ),
        };
        each(text.zip(value))?;
    }
    Ok(())
}
