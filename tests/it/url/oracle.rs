//! The clauses on Oracle, with the stand-in as client library.

use oracle::sql_type::OracleType;

use super::{Table, url_contract};
use crate::standin::Database;

/// An empty table.
pub(crate) fn fresh() -> Database {
    let database = Database::fresh();
    database.execute(crate::oracle::TABLE);
    database
}

impl Table for Database {
    fn settings(&self) -> Vec<String> {
        // As long as SQLite waits for its file.
        [self.settings(), vec!["store.oracle.acquire_timeout_ms=30000".to_owned()]].concat()
    }

    fn execute(&self, sql: &str) {
        self.execute(sql);
    }

    fn count(&self, sql: &str) -> i64 {
        self.count(sql)
    }

    fn row(&self, url: &str) -> (f64, String) {
        let sql = "SELECT RESULT, MODEL FROM URL_RESULT WHERE URL = :1";
        self.inspector().query_row_as(sql, &[&(&url, &OracleType::Varchar2(1000))]).unwrap()
    }
}

url_contract!(fresh());
