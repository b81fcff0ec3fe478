//! The stand-in driven through the real `oracle` crate, as the server drives it.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test, here in helpers too")]

mod faults;
mod figures;
mod language;
mod sessions;
mod values;

use std::path::Path;
use std::sync::OnceLock;

use oci_standin::{PASSWORD, StandIn, USER, link_client_library};
use oracle::sql_type::OracleType;
use oracle::{Connection, InitParams};
use tempfile::TempDir;

/// A key as the server binds it: VARCHAR2, never NVARCHAR2.
const KEY: OracleType = OracleType::Varchar2(1000);

const CREATE: &str = "create table url_result (
    url varchar2(40 byte) not null,
    result binary_double,
    model varchar2(10 char),
    created_at timestamp(6) default sys_extract_utc(systimestamp) not null,
    constraint url_result_pk primary key (url))";

/// Where the driver has found its client library, and looks for tnsnames.ora.
fn client_folder() -> &'static Path {
    static CLIENT: OnceLock<TempDir> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let library = link_client_library(folder.path()).unwrap();
        let mut params = InitParams::new();
        params.oracle_client_config_dir(&library).unwrap();
        params.oracle_client_lib_dir(library).unwrap();
        assert!(params.init().unwrap());
        folder
    });
    client.path()
}

/// A database of its own for every test.
struct Database {
    standin: StandIn,
    _folder: TempDir,
}

impl Database {
    fn new() -> Self {
        client_folder();
        let folder = TempDir::new().unwrap();
        let standin = StandIn::create(folder.path()).unwrap();
        Self { standin, _folder: folder }
    }

    fn with_table() -> Self {
        let database = Self::new();
        database.inspect().execute(CREATE, &[]).unwrap();
        database
    }

    fn try_connect(&self) -> oracle::Result<Connection> {
        Connection::connect(USER, PASSWORD, self.standin.connect_string())
    }

    fn connect(&self) -> Connection {
        self.try_connect().unwrap()
    }

    fn inspect(&self) -> Connection {
        let mut connection = Connection::connect(USER, PASSWORD, self.standin.inspector_connect_string()).unwrap();
        connection.set_autocommit(true);
        connection
    }
}

fn insert(connection: &Connection, url: &str, result: f64) -> oracle::Result<()> {
    let sql = "insert into url_result (url, result) values (:1, :2)";
    let result = (&result, &OracleType::BinaryDouble);
    connection.execute(sql, &[&(&url, &KEY), &result]).map(drop)
}

fn find(connection: &Connection, url: &str) -> oracle::Result<f64> {
    let sql = "select result from url_result where url = :url";
    let mut statement = connection.statement(sql).fetch_array_size(1).build()?;
    statement.query_row_as(&[&(&url, &KEY)])
}

/// The ORA number of an error, or of the text when ODPI-C has wrapped it.
fn ora<T>(result: oracle::Result<T>) -> i32 {
    match result {
        Ok(_) => 0,
        Err(error) => error.oci_code().unwrap_or_else(|| {
            let text = error.to_string();
            let at = text.rfind("ORA-").unwrap_or_else(|| panic!("no ORA number: {text}"));
            text[at + 4..at + 9].parse().unwrap()
        }),
    }
}
