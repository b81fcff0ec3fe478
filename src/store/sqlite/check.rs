//! What the live table in SQLite lacks, and `augur doctor` for its file.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags, params};

use crate::store::check::IMAGES;
use crate::store::names::{Identifier, TableNames};
use crate::store::{Check, SqliteSettings};

const FILE: &str = "file";
const JOURNAL: &str = "journal";
const TABLE: &str = "table";
const KEY: &str = "key column";
const UNIQUE: &str = "unique key";
const OTHERS: &str = "other columns";

/// A column as SQLite describes it.
struct Column {
    name: String,
    declared: String,
    not_null: bool,
    has_default: bool,
}

/// Name and collation of a column of an index; an expression has no name.
type IndexColumn = (Option<String>, Option<String>);

/// The table's name and its database's, as the pragmas take them.
fn place(names: &TableNames) -> (String, String) {
    let owner = names.owner.as_ref().map_or("main".to_owned(), Identifier::dictionary_name);
    (names.table.dictionary_name(), owner)
}

/// Compares the table with what is needed; changes nothing. Lengths are no matter: SQLite binds nobody to declared ones.
pub(super) fn check_table(conn: &Connection, names: &TableNames) -> rusqlite::Result<Vec<Check>> {
    let (table, owner) = place(names);
    let columns: Vec<Column> = conn
        .prepare(include_str!("../../../sql/sqlite/inspect/columns.sql"))?
        .query_map(params![table, owner], |row| {
            Ok(Column { name: row.get(0)?, declared: row.get(1)?, not_null: row.get(2)?, has_default: row.get(3)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    if columns.is_empty() {
        let missing = format!("there is no table {}: run `augur schema apply`", names.qualified_table());
        return Ok(vec![Check::failed(TABLE, missing)]);
    }
    let mut checks = vec![Check::ok(TABLE, format!("{} is there", names.qualified_table()))];
    let wanted = [
        (KEY, "key_column", Some(&names.key)),
        ("result column", "result_column", Some(&names.result)),
        ("model column", "model_column", names.model.as_ref()),
        ("created column", "created_column", names.created.as_ref()),
    ];
    for (about, setting, name) in wanted.into_iter().filter_map(|(a, s, name)| Some((a, s, name?.dictionary_name()))) {
        checks.push(match columns.iter().find(|column| column.name.eq_ignore_ascii_case(&name)) {
            Some(column) if about == KEY => key_column(column),
            Some(column) => Check::ok(about, format!("{name} is {}", shown(&column.declared))),
            None => {
                let present: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                Check::failed(
                    about,
                    format!("{name} is not there (columns: {}): {}", present.join(", "), names.remedy(setting)),
                )
            }
        });
    }
    checks.push(unique_key(conn, names)?);
    checks.push(other_columns(&columns, names));
    Ok(checks)
}

fn shown(declared: &str) -> &str {
    if declared.is_empty() { "of no declared type" } else { declared }
}

/// A number's affinity would turn the key `007` into 7.
fn key_column(column: &Column) -> Check {
    let declared = column.declared.to_ascii_uppercase();
    let text = ["CHAR", "CLOB", "TEXT"].iter().any(|word| declared.contains(word));
    let found = format!("{} is {}", column.name, shown(&column.declared));
    if text && !declared.contains("INT") {
        Check::ok(KEY, found)
    } else {
        Check::warning(KEY, format!("{found}: keys that look like numbers would be changed or not found; make it TEXT"))
    }
}

fn unique_key(conn: &Connection, names: &TableNames) -> rusqlite::Result<Check> {
    let (table, owner) = place(names);
    let mut statement = conn.prepare(include_str!("../../../sql/sqlite/inspect/unique_keys.sql"))?;
    let mut rows = statement.query(params![table, owner])?;
    let mut keys: BTreeMap<String, Vec<IndexColumn>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        keys.entry(row.get(0)?).or_default().push((row.get(1)?, row.get(2)?));
    }
    let key = names.key.dictionary_name();
    let is_key = |columns: &Vec<IndexColumn>| {
        matches!(&columns[..], [(Some(column), collation)]
            if column.eq_ignore_ascii_case(&key) && collation.as_deref() == Some("BINARY"))
    };
    Ok(if keys.values().any(is_key) {
        Check::ok(UNIQUE, format!("on {key} alone"))
    } else {
        Check::warning(
            UNIQUE,
            format!(
                "there is none on {key} alone that compares bytes: that the first write of a key wins cannot be kept; remove double rows, then CREATE UNIQUE INDEX {} ON {} ({})",
                names.primary_key(),
                names.table,
                names.key
            ),
        )
    })
}

fn other_columns(columns: &[Column], names: &TableNames) -> Check {
    let ours = [Some(&names.key), Some(&names.result), names.model.as_ref()];
    let is_ours =
        |column: &&Column| ours.iter().flatten().any(|our| our.dictionary_name().eq_ignore_ascii_case(&column.name));
    let lacking: Vec<&str> = columns
        .iter()
        .filter(|column| column.not_null && !column.has_default && !is_ours(column))
        .map(|column| column.name.as_str())
        .collect();
    if lacking.is_empty() {
        return Check::ok(OTHERS, "none needs a value");
    }
    Check::failed(
        OTHERS,
        format!("{} must have a value but no default: every INSERT would fail; give a DEFAULT", lacking.join(", ")),
    )
}

/// `augur doctor` on SQLite, with the image table where there is to be one. Makes no database.
pub(in crate::store) fn diagnose(settings: &SqliteSettings, names: &TableNames, images: bool) -> Vec<Check> {
    let path = &settings.path;
    if !path.exists() {
        return match writable_folder(path) {
            Ok(()) => vec![
                Check::ok(FILE, format!("{} is not there yet; `augur serve` makes it", path.display())),
                Check::skipped(JOURNAL, "there is no file yet"),
                Check::skipped(TABLE, "there is no file yet"),
            ],
            Err(error) => vec![
                Check::failed(FILE, format!("{} cannot be made: {error}; set store.sqlite.path", path.display())),
                Check::skipped(JOURNAL, "there is no file"),
                Check::skipped(TABLE, "there is no file"),
            ],
        };
    }
    match existing(path, names, images) {
        Ok(checks) => checks,
        Err(error) => vec![
            Check::failed(FILE, format!("{}: {error}; set store.sqlite.path", path.display())),
            Check::skipped(JOURNAL, "the file cannot be used"),
            Check::skipped(TABLE, "the file cannot be used"),
        ],
    }
}

fn existing(path: &Path, names: &TableNames, images: bool) -> rusqlite::Result<Vec<Check>> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(super::BUSY_TIMEOUT)?;
    let journal: String = conn.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let shown = path.display();
    // The write lock of a transaction that writes nothing.
    let file = match conn.execute_batch("BEGIN IMMEDIATE; ROLLBACK") {
        Ok(()) => Check::ok(FILE, format!("{shown} is writable")),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
            Check::warning(FILE, format!("{shown} is locked by another program for more than two seconds"))
        }
        Err(error) => Check::failed(FILE, format!("{shown} cannot be written: {error}; give augur's user the right")),
    };
    let journal = if journal == "wal" {
        Check::ok(JOURNAL, "WAL")
    } else {
        Check::warning(
            JOURNAL,
            format!("is {journal}, not WAL, so that readers wait for writers: `augur serve` changes it"),
        )
    };
    let mut checks = vec![file, journal];
    checks.extend(check_table(&conn, names)?);
    if images {
        checks.extend(Check::gathered(IMAGES, check_table(&conn, &names.images())?));
    }
    Ok(checks)
}

/// Whether a file can be made at `path`: tried in the nearest folder that is there.
fn writable_folder(path: &Path) -> std::io::Result<()> {
    let absolute = std::path::absolute(path)?;
    let nearest = absolute.ancestors().skip(1).find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let trial = nearest.join(format!(".augur-doctor-{}", std::process::id()));
    std::fs::OpenOptions::new().write(true).create_new(true).open(&trial)?;
    std::fs::remove_file(&trial)
}
