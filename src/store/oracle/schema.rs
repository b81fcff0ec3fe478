//! What the live table lacks. Types and widths come from the description of a SELECT of our own, so that they are known
//! without any view; unique keys and defaults stand in the data dictionary.

use std::collections::HashMap;

use oracle::sql_type::OracleType;
use oracle::{ColumnInfo, Connection};

use super::OracleStore;
use super::column::ColumnKind;
use super::dictionary::{self, Place};
use super::errors::Failure;
use crate::store::names::{Identifier, TableNames};
use crate::store::sql::with_names;
use crate::store::{Check, Expected};

const DESCRIBE: &str = include_str!("../../../sql/oracle/inspect/describe.sql");
/// ORA-00942: table or view does not exist.
const NO_TABLE: i32 = 942;

const TABLE: &str = "table";
const KEY: &str = "key column";
const RESULT: &str = "result column";
const MODEL: &str = "model column";
const CREATED: &str = "created column";
const UNIQUE: &str = "unique key";
const OTHERS: &str = "other columns";

/// Checks the table. Changes nothing.
///
/// # Errors
/// Where the connection fails; a view that cannot be read makes a skipped check.
pub(super) fn check(store: &OracleStore, conn: &Connection, expected: &Expected) -> Result<Vec<Check>, Failure> {
    let names = &store.names;
    let qualified = names.qualified_table();
    let described = conn.query(&with_names(DESCRIBE, names), &[]).map(|rows| rows.column_info().to_vec());
    let columns = match described {
        Ok(columns) => columns,
        Err(error) if error.oci_code() == Some(NO_TABLE) => {
            return Ok(vec![Check::failed(
                TABLE,
                format!(
                    "{qualified} is not there, or {} has no right to read it: run `augur schema apply` as its owner, then grant SELECT, INSERT, UPDATE and DELETE",
                    store.user
                ),
            )]);
        }
        Err(error) => return Err(error.into()),
    };
    let place = match dictionary::resolve(conn, names) {
        Ok(Some(place)) => Ok(place),
        Ok(None) => Err(format!("they know no {qualified}")),
        Err(failure) if failure.is_of_connection() => return Err(failure),
        Err(failure) => Err(failure.message()),
    };
    // Where the views do not tell, the bytes count alone.
    let char_widths = match place.as_ref().map(|place| dictionary::char_widths(conn, place)) {
        Ok(Ok(widths)) => widths,
        Ok(Err(failure)) if failure.is_of_connection() => return Err(failure),
        _ => HashMap::new(),
    };
    let mut checks = vec![match &place {
        Ok(place) => Check::ok(TABLE, format!("{qualified} is {}.{}", place.owner, place.table)),
        Err(_) => Check::ok(TABLE, format!("{qualified} is there")),
    }];
    checks.push(with_column(&columns, KEY, &names.remedy("key_column"), &names.key, |column| {
        key_column(column, &char_widths, names, expected)
    }));
    checks.push(with_column(&columns, RESULT, &names.remedy("result_column"), &names.result, result_column));
    if let Some(name) = &names.model {
        checks.push(with_column(&columns, MODEL, &names.remedy("model_column"), name, |column| {
            model_column(column, &char_widths, expected)
        }));
    }
    if let Some(name) = &names.created {
        checks.push(with_column(&columns, CREATED, &names.remedy("created_column"), name, created_column));
    }
    // Under a wrong name for the key, what follows would be about another column.
    let key = names.key.dictionary_name();
    if columns.iter().any(|column| column.name() == key) {
        checks.push(unique_key(store, conn, &place)?);
        checks.push(other_columns(store, conn, &columns, &place)?);
    }
    Ok(checks)
}

/// Runs the check of a column that has to be there.
fn with_column(
    columns: &[ColumnInfo],
    about: &'static str,
    remedy: &str,
    name: &Identifier,
    check: impl FnOnce(&ColumnInfo) -> Check,
) -> Check {
    let wanted = name.dictionary_name();
    match columns.iter().find(|column| column.name() == wanted) {
        Some(column) => {
            let checked = check(column);
            Check { about, text: format!("{wanted} {}", checked.text), ..checked }
        }
        None => {
            let present: Vec<&str> = columns.iter().map(ColumnInfo::name).collect();
            Check::failed(about, format!("{wanted} is not there (columns: {}): {remedy}", present.join(", ")))
        }
    }
}

/// How long an ASCII text may be in the column, which is what URLs and names of models are: a column that takes 30 characters
/// has 120 bytes for them, but takes only 30. With the word for what it counts.
fn width(column: &ColumnInfo, bytes: u32, char_widths: &HashMap<String, u32>) -> (usize, &'static str) {
    match char_widths.get(column.name()) {
        Some(chars) if *chars < bytes => (*chars as usize, "characters"),
        _ => (bytes as usize, "bytes"),
    }
}

fn key_column(
    column: &ColumnInfo,
    char_widths: &HashMap<String, u32>,
    names: &TableNames,
    expected: &Expected,
) -> Check {
    let wanted = expected.max_key_bytes;
    match column.oracle_type() {
        OracleType::Varchar2(bytes) => {
            let (width, unit) = width(column, *bytes, char_widths);
            if width < wanted {
                Check::warning(KEY, format!("takes {width} {unit}, {}", names.narrow_key_remedy(width, wanted)))
            } else {
                Check::ok(KEY, format!("is VARCHAR2 of {bytes} bytes"))
            }
        }
        national @ OracleType::NVarchar2(_) => Check::warning(
            KEY,
            format!(
                "is {national}: keys are sent as VARCHAR2, and what the database character set lacks would be lost; make it VARCHAR2"
            ),
        ),
        padded @ (OracleType::Char(_) | OracleType::NChar(_)) => Check::failed(
            KEY,
            format!("is {padded}, which is padded with blanks: no shorter key is ever found; make it VARCHAR2"),
        ),
        other => Check::failed(KEY, format!("is {other}: make it VARCHAR2")),
    }
}

fn result_column(column: &ColumnInfo) -> Check {
    let described = column.oracle_type();
    match ColumnKind::of(described) {
        Ok(_) => Check::ok(RESULT, format!("is {described}")),
        Err(_) => Check::failed(
            RESULT,
            format!(
                "is {described}, from which no result can be read as it was stored: make it BINARY_DOUBLE, NUMBER or VARCHAR2"
            ),
        ),
    }
}

fn model_column(column: &ColumnInfo, char_widths: &HashMap<String, u32>, expected: &Expected) -> Check {
    match column.oracle_type() {
        OracleType::Varchar2(size) | OracleType::NVarchar2(size) => {
            expected.model_check(MODEL, width(column, *size, char_widths))
        }
        other => Check::failed(MODEL, format!("is {other}: make it VARCHAR2(200)")),
    }
}

fn created_column(column: &ColumnInfo) -> Check {
    match column.oracle_type() {
        described @ (OracleType::Timestamp(_) | OracleType::Date) => Check::ok(CREATED, format!("is {described}")),
        described @ (OracleType::TimestampTZ(_) | OracleType::TimestampLTZ(_)) => Check::warning(
            CREATED,
            format!(
                "is {described}: where the time-zone files of client and server differ, reading it fails (ORA-01805); make it TIMESTAMP"
            ),
        ),
        other => Check::failed(CREATED, format!("is {other}: make it TIMESTAMP(6)")),
    }
}

fn unique_key(store: &OracleStore, conn: &Connection, place: &Result<Place, String>) -> Result<Check, Failure> {
    let keys = match place {
        Ok(place) => dictionary::unique_keys(conn, place),
        Err(reason) => return Ok(unreadable(UNIQUE, reason)),
    };
    let key = store.names.key.dictionary_name();
    match keys {
        Ok(keys) if keys.iter().any(|columns| *columns == [key.as_str()]) => {
            Ok(Check::ok(UNIQUE, format!("on {key} alone")))
        }
        Ok(_) => {
            let names = &store.names;
            Ok(Check::warning(
                UNIQUE,
                format!(
                    "there is none on {key} alone: that the first write of a key wins cannot be kept, and lookups read the whole table where no other index helps; remove double rows, then ALTER TABLE {} ADD CONSTRAINT {} UNIQUE ({})",
                    names.qualified_table(),
                    names.primary_key(),
                    names.key
                ),
            ))
        }
        Err(failure) => skip(UNIQUE, failure),
    }
}

/// Columns that our INSERT does not name must not need a value.
fn other_columns(
    store: &OracleStore,
    conn: &Connection,
    columns: &[ColumnInfo],
    place: &Result<Place, String>,
) -> Result<Check, Failure> {
    let names = &store.names;
    let ours: Vec<String> = [Some(&names.key), Some(&names.result), names.model.as_ref()]
        .into_iter()
        .flatten()
        .map(Identifier::dictionary_name)
        .collect();
    let not_null = |name: &str| !ours.iter().any(|our| our == name);
    if !columns.iter().any(|column| !column.nullable() && not_null(column.name())) {
        return Ok(Check::ok(OTHERS, "none needs a value"));
    }
    let required = match place {
        Ok(place) => dictionary::required_columns(conn, place),
        Err(reason) => return Ok(unreadable(OTHERS, reason)),
    };
    match required {
        Ok(required) => {
            let lacking: Vec<&str> = required.iter().map(String::as_str).filter(|name| not_null(name)).collect();
            Ok(if lacking.is_empty() {
                Check::ok(OTHERS, "those that are NOT NULL have a default")
            } else {
                Check::warning(
                    OTHERS,
                    format!(
                        "{} must have a value but no default: unless a trigger gives one, every INSERT fails (ORA-01400); give a DEFAULT or allow NULL",
                        lacking.join(", ")
                    ),
                )
            })
        }
        Err(failure) => skip(OTHERS, failure),
    }
}

fn unreadable(about: &'static str, reason: &str) -> Check {
    Check::skipped(about, format!("could not be checked, since the views of the data dictionary do not tell: {reason}"))
}

/// A view that cannot be read skips a check; a connection that broke ends them all.
pub(super) fn skip(about: &'static str, failure: Failure) -> Result<Check, Failure> {
    if failure.is_of_connection() { Err(failure) } else { Ok(unreadable(about, &failure.message())) }
}
