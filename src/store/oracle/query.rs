//! An operator's own query on Oracle.

use anyhow::{Context, ensure};
use oracle::sql_type::OracleType;
use r2d2::ManageConnection;

use super::load_client;
use super::manager::{Manager, has_call_timeout};
use crate::store::OracleSettings;
use crate::store::query::{Pair, two_columns};

/// Rows fetched in one round trip; their buffers, 16 KB for a text of 4,000 bytes, are all that is held.
const FETCHED_ROWS: u32 = 500;

/// Hands each row of `select` to `each`. Logs on once. Blocks.
pub(in crate::store) fn select(
    settings: &OracleSettings,
    select: &str,
    each: &mut dyn FnMut(Pair<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    settings.validate().map_err(anyhow::Error::msg)?;
    let client = load_client(settings)?;
    let conn = Manager::new(settings, &client)?.connect().context("cannot log on to Oracle")?;
    // A sort of a large table may take minutes before its first row; whoever waits for it can end it.
    if has_call_timeout(&client) {
        conn.set_call_timeout(None)?;
    }
    // One row more is prefetched than fetched, so that the end is known without another round trip.
    let mut statement = conn
        .statement(select)
        .fetch_array_size(FETCHED_ROWS)
        .prefetch_rows(FETCHED_ROWS + 1)
        .build()
        .context("the database refuses it")?;
    ensure!(statement.is_query(), "it must not change anything; write a SELECT");
    let rows = statement.query(&[]).context("the database refuses it")?;
    two_columns(rows.column_info().len())?;
    let [text, number] = [0, 1].map(|column| rows.column_info()[column].oracle_type());
    // Not CHAR: it pads with blanks.
    ensure!(
        matches!(text, OracleType::Varchar2(_) | OracleType::NVarchar2(_)),
        "the first column is {text}, not VARCHAR2; cast it (as varchar2(4000))"
    );
    ensure!(
        matches!(
            number,
            OracleType::Number(..) | OracleType::Float(_) | OracleType::BinaryFloat | OracleType::BinaryDouble
        ),
        "the second column is {number}, not a number; use to_number(...)"
    );
    for row in rows {
        let row = row.context("the database broke it off")?;
        let (text, number): (Option<String>, Option<f64>) = row.get_as().context("a row cannot be read")?;
        each(text.as_deref().zip(number))?;
    }
    Ok(())
}
