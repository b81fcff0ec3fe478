//! Running DDL: the tables and indexes in SQLite, and their entries in the data dictionary.

use rusqlite::{Connection, params};

use crate::ddl::{Column, Constraint, ConstraintKind, Ddl};
use crate::dictionary::{columns, exists};
use crate::error::{OraError, Result};
use crate::translate::{identifier, literal, mangle};

pub(crate) fn run(connection: &Connection, owner: &str, ddl: &Ddl) -> Result<()> {
    match ddl {
        Ddl::CreateTable { table, columns, constraints } => {
            if exists(connection, table)? {
                return Err(OraError::new(955));
            }
            create_storage(connection, table, columns, constraints)?;
            connection.execute("INSERT INTO ALL_TABLES VALUES (?1, ?2, 'USERS', NULL)", [owner, table])?;
            enter_columns(connection, owner, table, columns)?;
            enter_constraints(connection, owner, table, constraints)
        }
        Ddl::AlterTable { table, columns: added, constraints } => {
            let present = columns(connection, table)?;
            let checks = |constraint: &Constraint| constraint.kind == ConstraintKind::Check;
            if constraints.iter().any(checks) {
                return Err(OraError::unsupported("CHECK of a table that exists"));
            }
            for column in added {
                if present.iter().any(|other| other.name == column.name) {
                    return Err(OraError::new(1430));
                }
                add_column(connection, table, column)?;
            }
            enter_columns(connection, owner, table, added)?;
            enter_constraints(connection, owner, table, constraints)
        }
        Ddl::CreateIndex { index, table, columns: keys, unique } => {
            columns(connection, table)?;
            create_index(connection, owner, (index, table), keys, *unique)
        }
        Ddl::DropTable(table) => {
            columns(connection, table)?;
            connection.execute_batch(&format!("DROP TABLE {}", identifier(table)))?;
            for view in [
                "ALL_TABLES",
                "ALL_TAB_COLUMNS",
                "ALL_INDEXES",
                "ALL_IND_COLUMNS",
                "ALL_CONSTRAINTS",
                "ALL_CONS_COLUMNS",
            ] {
                connection.execute(&format!("DELETE FROM {view} WHERE TABLE_NAME = ?1"), [table])?;
            }
            Ok(())
        }
        Ddl::DropIndex(index) => {
            let entry = connection.execute("DELETE FROM ALL_INDEXES WHERE INDEX_NAME = ?1", [index])?;
            if entry == 0 {
                return Err(OraError::with(1418, "specified index does not exist"));
            }
            connection.execute("DELETE FROM ALL_IND_COLUMNS WHERE INDEX_NAME = ?1", [index])?;
            Ok(connection.execute_batch(&format!("DROP INDEX {}", identifier(index)))?)
        }
    }
}

fn storage(column: &Column) -> String {
    let default = column.default.as_deref().map_or(String::new(), |default| format!("DEFAULT {}", literal(default)));
    let collation = if column.folds_case { "COLLATE NOCASE" } else { "" };
    let declared = column.column_type.to_declared(column.nullable);
    format!("{} {declared} {collation} {default}", identifier(&column.name))
}

/// The table alone, without its entries in the dictionary.
pub(crate) fn create_storage(
    connection: &Connection,
    table: &str,
    columns: &[Column],
    constraints: &[Constraint],
) -> Result<()> {
    let is_key = |column: &Column| {
        constraints
            .iter()
            .any(|constraint| constraint.kind == ConstraintKind::Primary && constraint.columns.contains(&column.name))
    };
    let mut elements: Vec<_> = columns
        .iter()
        .map(|column| storage(&Column { nullable: column.nullable && !is_key(column), ..column.clone() }))
        .collect();
    for constraint in constraints {
        if constraint.kind == ConstraintKind::Check {
            let name = constraint.name.as_deref().unwrap_or("SYS_C007000");
            elements.push(format!("CONSTRAINT {} CHECK ({})", identifier(name), constraint.condition.1));
        }
    }
    let elements = elements.join(", ");
    let sql = format!("CREATE TABLE {} ({elements})", identifier(table));
    connection.execute_batch(&sql).map_err(|error| {
        if error.to_string().contains("duplicate column name") {
            OraError::with(957, "duplicate column name")
        } else {
            error.into()
        }
    })
}

/// Rows that are there get the default, as in Oracle.
fn add_column(connection: &Connection, table: &str, column: &Column) -> Result<()> {
    let table = identifier(table);
    let rows: i64 = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
    if rows > 0 && !column.nullable && column.default.is_none() {
        return Err(OraError::new(1758));
    }
    // SQLite would give old rows the text of the default, so they are set at once
    connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {}", storage(column)))?;
    let value = match &column.default {
        Some(default) => crate::change::ColumnDefault::parse(default)?.evaluate(connection, column)?,
        None => rusqlite::types::Value::Null,
    };
    let name = identifier(&column.name);
    connection.execute(&format!("UPDATE {table} SET {name} = ?1"), [value])?;
    Ok(())
}

fn enter_columns(connection: &Connection, owner: &str, table: &str, columns: &[Column]) -> Result<()> {
    for column in columns {
        let kind = column.column_type;
        let is_text = [1, 96].contains(&kind.oci_code());
        let is_number = kind.oci_code() == 2 && kind.precision > 0;
        // the nullability is asked from storage, where a primary key has made its mark
        connection.execute(
            "INSERT INTO ALL_TAB_COLUMNS SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7,
                 CASE WHEN p.type LIKE '%1' THEN 'Y' ELSE 'N' END, p.cid + 1, ?8, ?9, ?10, length(?8)
             FROM pragma_table_info(?11) p WHERE p.name = ?12",
            params![
                owner,
                table,
                column.name,
                kind.dictionary_name(),
                kind.bytes(),
                is_number.then_some(kind.precision),
                (is_number && kind.scale != -127).then_some(kind.scale),
                column.default,
                if is_text { kind.size } else { 0 },
                is_text.then_some(if kind.in_chars { "C" } else { "B" }),
                mangle(table),
                mangle(&column.name),
            ],
        )?;
    }
    Ok(())
}

fn enter_constraints(connection: &Connection, owner: &str, table: &str, constraints: &[Constraint]) -> Result<()> {
    for constraint in constraints {
        let name = match &constraint.name {
            Some(name) => name.clone(),
            None => {
                let serial: i64 =
                    connection
                        .query_row("SELECT ifnull(max(rowid), 0) + 7000 FROM ALL_CONSTRAINTS", [], |row| row.get(0))?;
                format!("SYS_C{serial:06}")
            }
        };
        let letter = match constraint.kind {
            ConstraintKind::Primary => "P",
            ConstraintKind::Unique => "U",
            ConstraintKind::Check => "C",
        };
        let index = (constraint.kind != ConstraintKind::Check).then_some(&name);
        if let Some(index) = index {
            create_index(connection, owner, (index, table), &constraint.columns, true)?;
        }
        connection.execute(
            "INSERT INTO ALL_CONSTRAINTS VALUES (?1, ?2, ?3, ?4, ?5, 'ENABLED', ?6, ?7)",
            params![
                owner,
                name,
                letter,
                table,
                index.is_none().then_some(&constraint.condition.0),
                index.map(|_| owner),
                index
            ],
        )?;
        for (at, column) in constraint.columns.iter().enumerate() {
            connection.execute(
                "INSERT INTO ALL_CONS_COLUMNS VALUES (?1, ?2, ?3, ?4, ?5)",
                params![owner, name, table, column, at as i64 + 1],
            )?;
        }
    }
    Ok(())
}

fn create_index(
    connection: &Connection,
    owner: &str,
    (index, table): (&str, &str),
    columns: &[String],
    unique: bool,
) -> Result<()> {
    if exists(connection, index)? {
        return Err(OraError::new(955));
    }
    let list = columns.join(",");
    let same = connection
        .prepare_cached(
            "SELECT 1 FROM ALL_IND_COLUMNS WHERE TABLE_NAME = ?1 GROUP BY INDEX_NAME
             HAVING group_concat(COLUMN_NAME, ',' ORDER BY COLUMN_POSITION) = ?2",
        )?
        .exists([table, &list])?;
    if same {
        return Err(OraError::with(1408, "such column list already indexed"));
    }
    let keys: Vec<_> = columns.iter().map(|column| identifier(column)).collect();
    let sql = format!(
        "CREATE {} INDEX {} ON {} ({})",
        if unique { "UNIQUE" } else { "" },
        identifier(index),
        identifier(table),
        keys.join(", ")
    );
    connection.execute_batch(&sql).map_err(|error| {
        if error.to_string().contains("UNIQUE constraint failed") {
            OraError::with(1452, "cannot CREATE UNIQUE INDEX; duplicate keys found")
        } else {
            error.into()
        }
    })?;
    connection.execute(
        "INSERT INTO ALL_INDEXES VALUES (?1, ?2, 'NORMAL', ?1, ?3, ?4, 'VALID')",
        params![owner, index, table, if unique { "UNIQUE" } else { "NONUNIQUE" }],
    )?;
    for (at, column) in columns.iter().enumerate() {
        connection.execute(
            "INSERT INTO ALL_IND_COLUMNS VALUES (?1, ?2, ?1, ?3, ?4, ?5)",
            params![owner, index, table, column, at as i64 + 1],
        )?;
    }
    Ok(())
}
