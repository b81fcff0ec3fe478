//! The contract on a live Oracle database: run by `scripts/test-oracle-live.sh`, else reported as ignored. Every test works
//! on a table of its own and drops it.

use std::hash::{BuildHasher, RandomState};
use std::process::Command;

use augur::store::open::diagnose;
use augur::store::oracle::OracleStore;
use augur::store::{
    Backend as Kind, Check, Expected, OracleSettings, ResultStore, SqliteSettings, StoreSettings, TableNames,
    TableSettings, Verdict,
};
use oracle::Connection;

use super::{Backend, row, store_contract};
use crate::standin::{Database, client_lib_dir};

const DATABASE: &str = "AUGUR_TEST_ORACLE";
const CLIENT: &str = "AUGUR_TEST_ORACLE_CLIENT";

struct Live {
    user: String,
    password: String,
    settings: StoreSettings,
    store: OracleStore,
}

impl Live {
    fn fresh() -> Self {
        let account = std::env::var(DATABASE).expect("AUGUR_TEST_ORACLE=user/password@dsn is not set");
        let (user, rest) = account.split_once('/').expect("user/password@dsn");
        let (password, dsn) = rest.rsplit_once('@').expect("user/password@dsn");
        let random = RandomState::new().hash_one(0);
        let settings = StoreSettings {
            backend: Kind::Oracle,
            stale: augur::store::Stale::Serve,
            require_at_start: false,
            // Within the 30 bytes of 11.2, also with `_PK`.
            table: TableSettings { name: format!("AUGUR_TEST_{random:016X}"), ..TableSettings::default() },
            sqlite: SqliteSettings { path: "".into() },
            oracle: OracleSettings {
                connect_string: dsn.to_owned(),
                user: user.to_owned(),
                password: password.into(),
                password_file: "".into(),
                client_lib_dir: std::env::var_os(CLIENT).unwrap_or_default().into(),
                pool_size: 4,
                acquire_timeout_ms: 30_000,
                call_timeout_ms: 30_000,
            },
        };
        let store = OracleStore::open(&settings.oracle, &TableNames::parse(&settings.table).unwrap()).unwrap();
        let live = Self { user: user.to_owned(), password: password.to_owned(), settings, store };
        live.store.apply_schema().unwrap();
        live
    }

    fn connect(&self) -> oracle::Result<Connection> {
        Connection::connect(&self.user, &self.password, &self.settings.oracle.connect_string)
    }

    /// What `augur doctor` says of one thing.
    fn check(&self, about: &str) -> Check {
        let expected = Expected { max_key_bytes: 4000, model: None };
        let checks = diagnose(&self.settings, &expected, None, 1);
        checks.into_iter().find(|check| check.about == about).unwrap()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let drop = format!("DROP TABLE {} PURGE", self.settings.table.name);
        // A test that ends early may have dropped it; a panic here would hide why.
        if let Err(error) = self.connect().and_then(|conn| conn.execute(&drop, &[]).map(|_| ())) {
            eprintln!("{drop}: {error}");
        }
    }
}

impl Backend for Live {
    fn store(&self) -> &dyn ResultStore {
        &self.store
    }

    fn execute(&self, sql: &str) {
        let conn = self.connect().unwrap();
        conn.execute(&sql.replace("URL_RESULT", &self.settings.table.name), &[]).unwrap();
        conn.commit().unwrap();
    }
}

store_contract! { Live::fresh(); #[ignore = "needs a live Oracle: AUGUR_TEST_ORACLE=user/password@dsn"] }

#[test]
#[ignore = "needs a live Oracle: AUGUR_TEST_ORACLE=user/password@dsn"]
fn a_hit_takes_one_round_trip_by_the_databases_own_count() {
    let live = Live::fresh();
    super::clauses::session(&live).insert_many(&[row("a", 1.0)]).unwrap();
    let check = live.check("lookup");
    assert_eq!((check.verdict, check.text.as_str()), (Verdict::Ok, "takes 1 round trip"));
}

#[test]
#[ignore = "needs a live Oracle: AUGUR_TEST_ORACLE=user/password@dsn"]
fn the_plan_of_a_hit_is_an_index_unique_scan_without_conversion() {
    let live = Live::fresh();
    super::clauses::session(&live).insert_many(&[row("a", 1.0)]).unwrap();
    let check = live.check("plan of the lookup");
    assert_eq!(check.verdict, Verdict::Ok, "{check}");
}

/// The suite's own logic, as far as the stand-in can tell: it has no DBMS_XPLAN.
#[test]
fn the_live_suite_runs_on_the_stand_in_and_leaves_no_table() {
    let database = Database::fresh();
    let account = format!("{}/{}@{}", oci_standin::USER, oci_standin::PASSWORD, database.standin.connect_string());
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["contract::oracle_live::", "--ignored", "--test-threads=2", "--skip", "the_plan_of_a_hit"])
        .env(DATABASE, account)
        .env(CLIENT, client_lib_dir())
        .output()
        .unwrap();
    let told = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{told}");
    assert!(told.contains("test result: ok. 26 passed; 0 failed"), "{told}");
    assert_eq!(database.count("SELECT COUNT(*) FROM USER_TABLES"), 0);
    assert_eq!(database.standin.counters().nchar_binds, 0);
}
