//! The data dictionary: the system tables of a new database, and what the stand-in itself looks up of a table. The
//! views that programs read are these tables or SQLite views upon them; `catalog` keeps them true.

use rusqlite::{Connection, OptionalExtension, params};

use crate::catalog;
use crate::ddl::{Column, Ddl};
use crate::error::{OraError, Result};
use crate::statement::{Statement, parse};
use crate::translate::{demangle, mangle};
use crate::types::ColumnType;

/// In Oracle's words, run through the stand-in's own parser.
const TABLES: [&str; 20] = [
    "dual (dummy varchar2(1))",
    "all_tables (owner varchar2(128), table_name varchar2(128), tablespace_name varchar2(30), num_rows number)",
    "all_tab_columns (owner varchar2(128), table_name varchar2(128), column_name varchar2(128),
        data_type varchar2(128), data_length number, data_precision number, data_scale number,
        nullable varchar2(1), column_id number, data_default varchar2(4000), char_length number,
        char_used varchar2(1), default_length number)",
    "all_indexes (owner varchar2(128), index_name varchar2(128), index_type varchar2(27),
        table_owner varchar2(128), table_name varchar2(128), uniqueness varchar2(9), status varchar2(8))",
    "all_ind_columns (index_owner varchar2(128), index_name varchar2(128), table_owner varchar2(128),
        table_name varchar2(128), column_name varchar2(4000), column_position number)",
    "all_constraints (owner varchar2(128), constraint_name varchar2(128), constraint_type varchar2(1),
        table_name varchar2(128), search_condition varchar2(4000), status varchar2(8),
        index_owner varchar2(128), index_name varchar2(128))",
    "all_cons_columns (owner varchar2(128), constraint_name varchar2(128), table_name varchar2(128),
        column_name varchar2(4000), position number)",
    "all_synonyms (owner varchar2(128), synonym_name varchar2(128), table_owner varchar2(128),
        table_name varchar2(128))",
    "all_tab_privs (grantor varchar2(128), grantee varchar2(128), table_schema varchar2(128),
        table_name varchar2(128), privilege varchar2(40), grantable varchar2(3))",
    "user_tab_privs (grantee varchar2(128), owner varchar2(128), table_name varchar2(128),
        grantor varchar2(128), privilege varchar2(40), grantable varchar2(3))",
    "session_privs (privilege varchar2(40))",
    "nls_database_parameters (parameter varchar2(128), value varchar2(64))",
    "nls_session_parameters (parameter varchar2(128), value varchar2(64))",
    "product_component_version (product varchar2(80), version varchar2(80), status varchar2(80))",
    "v$version (banner varchar2(80))",
    "v$parameter (num number, name varchar2(80), value varchar2(4000))",
    "v$resource_limit (resource_name varchar2(30), current_utilization number, max_utilization number,
        limit_value varchar2(40))",
    "v$statname (statistic# number, name varchar2(64))",
    "v$instance (instance_name varchar2(16), version varchar2(17), status varchar2(12))",
    "v$mystat (sid number, statistic# number, value number)",
];

const ROWS: &str = "
INSERT INTO DUAL VALUES ('X');
INSERT INTO SESSION_PRIVS VALUES ('CREATE SESSION'), ('CREATE TABLE'), ('UNLIMITED TABLESPACE');
INSERT INTO NLS_DATABASE_PARAMETERS VALUES ('NLS_CHARACTERSET', 'AL32UTF8'),
    ('NLS_NCHAR_CHARACTERSET', 'AL16UTF16'), ('NLS_COMP', 'BINARY'), ('NLS_SORT', 'BINARY');
INSERT INTO NLS_SESSION_PARAMETERS VALUES ('NLS_COMP', 'BINARY'), ('NLS_SORT', 'BINARY');
INSERT INTO PRODUCT_COMPONENT_VERSION VALUES ('Stand-in for Oracle Database', '21.0.0.0.0', 'Test double');
INSERT INTO V$VERSION VALUES ('Stand-in for Oracle Database 21c, a test double upon SQLite');
INSERT INTO V$PARAMETER VALUES (1, 'processes', '100'), (2, 'sessions', '172'), (3, 'open_cursors', '300');
INSERT INTO V$RESOURCE_LIMIT VALUES ('processes', 30, 40, '100'), ('sessions', 40, 50, '172');
INSERT INTO V$STATNAME VALUES (1, 'SQL*Net roundtrips to/from client'), (2, 'user commits'),
    (3, 'parse count (total)'), (4, 'user rollbacks');
INSERT INTO V$INSTANCE VALUES ('STANDIN', '21.0.0.0.0', 'OPEN');
CREATE VIEW USER_TABLES AS SELECT TABLE_NAME, TABLESPACE_NAME, NUM_ROWS FROM ALL_TABLES;
CREATE VIEW ALL_TAB_COLS AS SELECT * FROM ALL_TAB_COLUMNS;
CREATE VIEW USER_TAB_COLUMNS AS SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, DATA_LENGTH, DATA_PRECISION, DATA_SCALE,
    NULLABLE, COLUMN_ID, DATA_DEFAULT, CHAR_LENGTH, CHAR_USED, DEFAULT_LENGTH
    FROM ALL_TAB_COLUMNS;
CREATE VIEW USER_INDEXES AS SELECT INDEX_NAME, INDEX_TYPE, TABLE_OWNER, TABLE_NAME, UNIQUENESS, STATUS
    FROM ALL_INDEXES;
CREATE VIEW USER_IND_COLUMNS AS SELECT INDEX_NAME, TABLE_NAME, COLUMN_NAME, COLUMN_POSITION FROM ALL_IND_COLUMNS;
CREATE VIEW USER_CONSTRAINTS AS SELECT * FROM ALL_CONSTRAINTS;
CREATE VIEW USER_CONS_COLUMNS AS SELECT * FROM ALL_CONS_COLUMNS;
CREATE VIEW USER_SYNONYMS AS SELECT SYNONYM_NAME, TABLE_OWNER, TABLE_NAME FROM ALL_SYNONYMS;
";

/// Which groups of views a statement reads: those for performance (V$) and the dictionary proper.
pub(crate) fn groups(names: impl Iterator<Item = impl AsRef<str>>) -> (bool, bool) {
    let (mut performance, mut dictionary) = (false, false);
    for name in names {
        let name = name.as_ref();
        performance |= name.starts_with("V$") || name == "DBMS_XPLAN";
        dictionary |= is_view(name);
    }
    (performance, dictionary)
}

/// USER_ views stand upon ALL_ tables.
fn is_view(name: &str) -> bool {
    let base = name.strip_prefix("USER_").map(|rest| format!("ALL_{rest}"));
    let known = is_system(name) || base.is_some_and(|base| is_system(&base));
    known && name != "DUAL" && !name.starts_with("V$") || name == "ALL_TAB_COLS"
}

/// Whether the table is the dictionary's own, which only an inspector may change.
pub(crate) fn is_system(table: &str) -> bool {
    let names = TABLES.iter().map(|ddl| ddl.split(' ').next());
    names.flatten().any(|name| name.eq_ignore_ascii_case(table))
}

pub(crate) fn is_installed(connection: &Connection) -> Result<bool> {
    exists(connection, "DUAL")
}

/// Makes the system tables.
pub(crate) fn install(connection: &Connection, owner: &str) -> Result<()> {
    for table in TABLES {
        if let Statement::Ddl(Ddl::CreateTable { table, columns, .. }) = parse(&format!("create table {table}"), owner)?
        {
            catalog::create_storage(connection, &table, &columns, &[])?;
        }
    }
    Ok(connection.execute_batch(ROWS)?)
}

/// The session's own figures, where V$MYSTAT reads them: a temporary table that hides the empty one.
pub(crate) fn set_mystat(connection: &Connection, values: [u64; 4]) -> Result<()> {
    connection.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS V$MYSTAT AS SELECT * FROM main.V$MYSTAT;
         DELETE FROM temp.V$MYSTAT;",
    )?;
    for (at, value) in values.iter().enumerate() {
        connection.execute("INSERT INTO temp.V$MYSTAT VALUES (1, ?1, ?2)", params![at as i64 + 1, *value as i64])?;
    }
    Ok(())
}

/// Whether a table, an index or a view has this name.
pub(crate) fn exists(connection: &Connection, name: &str) -> Result<bool> {
    let found = connection.prepare_cached("SELECT 1 FROM sqlite_master WHERE name = ?1")?.exists([mangle(name)])?;
    Ok(found)
}

/// The columns of a user's table, in order.
pub(crate) fn columns(connection: &Connection, table: &str) -> Result<Vec<Column>> {
    let mut statement = connection.prepare_cached("SELECT name, type, dflt_value FROM pragma_table_info(?1)")?;
    let mut rows = statement.query([mangle(table)])?;
    let mut columns = Vec::new();
    while let Some(row) = rows.next()? {
        let declared: String = row.get(1)?;
        let (column_type, nullable) = ColumnType::from_declared(&declared).unwrap_or((ColumnType::NUMBER, true));
        let default: Option<String> = row.get(2)?;
        columns.push(Column {
            name: demangle(&row.get::<_, String>(0)?),
            column_type,
            nullable,
            // Lost where a table is made anew from what is known of it.
            folds_case: false,
            default: default.map(|quoted| quoted[1..quoted.len() - 1].replace("''", "'")),
        });
    }
    if columns.is_empty() {
        return Err(OraError::new(942));
    }
    Ok(columns)
}

/// ORA-00001 with the name of the unique key over the columns that SQLite's message lists.
pub(crate) fn duplicate(connection: &Connection, owner: &str, message: &str) -> OraError {
    let list = message
        .rsplit(": ")
        .next()
        .unwrap_or_default()
        .split(", ")
        .map(|column| demangle(column.rsplit('.').next().unwrap_or_default()))
        .collect::<Vec<_>>()
        .join(",");
    let table = message.rsplit(": ").next().unwrap_or_default();
    let table = demangle(table.split('.').next().unwrap_or_default());
    let index: rusqlite::Result<Option<String>> = connection
        .prepare_cached(
            "SELECT INDEX_NAME FROM ALL_INDEXES i WHERE TABLE_NAME = ?1 AND UNIQUENESS = 'UNIQUE' AND ?2 =
               (SELECT group_concat(COLUMN_NAME, ',' ORDER BY COLUMN_POSITION) FROM ALL_IND_COLUMNS c
                WHERE c.INDEX_NAME = i.INDEX_NAME)",
        )
        .and_then(|mut statement| statement.query_row([&table, &list], |row| row.get(0)).optional());
    let index = index.ok().flatten().unwrap_or_else(|| "?".to_owned());
    OraError::with(1, format_args!("unique constraint ({owner}.{index}) violated"))
}
