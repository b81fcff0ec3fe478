//! The contract on Oracle: the real driver, pool and statements, with the stand-in as client library.

use augur::store::oracle::OracleStore;
use augur::store::{OracleSettings, ResultStore, TableNames, TableSettings};

use super::{Backend, store_contract};
use crate::standin::{Database, client_lib_dir};

pub(crate) struct Oracle {
    pub(crate) database: Database,
    store: OracleStore,
}

impl Oracle {
    /// A store on an empty `URL_RESULT`.
    pub(crate) fn fresh() -> Self {
        let database = Database::fresh();
        let store = Self::open(&database);
        store.apply_schema().unwrap();
        Self { database, store }
    }

    pub(crate) fn open(database: &Database) -> OracleStore {
        let settings = OracleSettings {
            connect_string: database.standin.connect_string(),
            user: oci_standin::USER.into(),
            password: oci_standin::PASSWORD.into(),
            password_file: "".into(),
            client_lib_dir: client_lib_dir().into(),
            pool_size: 4,
            acquire_timeout_ms: 5000,
            call_timeout_ms: 5000,
        };
        OracleStore::open(&settings, &TableNames::parse(&TableSettings::default()).unwrap()).unwrap()
    }
}

impl Backend for Oracle {
    fn store(&self) -> &dyn ResultStore {
        &self.store
    }

    fn execute(&self, sql: &str) {
        self.database.execute(sql);
    }
}

store_contract!(Oracle::fresh());

#[test]
fn pictures_have_a_table_of_their_own_on_the_same_connections() {
    let database = Database::fresh();
    let urls = Oracle::open(&database);
    super::images::check(&urls, &urls.images());
}
