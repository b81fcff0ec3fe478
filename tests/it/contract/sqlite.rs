//! The contract on SQLite.

use augur::store::{ResultStore, SqliteSettings, SqliteStore, TableNames, TableSettings};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{Backend, store_contract};

struct Sqlite {
    folder: TempDir,
    store: SqliteStore,
}

impl Sqlite {
    fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = SqliteSettings { path: folder.path().join("augur.db") };
        let store = SqliteStore::open(&settings, &TableNames::parse(&TableSettings::default()).unwrap()).unwrap();
        store.apply_schema().unwrap();
        Self { folder, store }
    }
}

impl Backend for Sqlite {
    fn store(&self) -> &dyn ResultStore {
        &self.store
    }

    fn execute(&self, sql: &str) {
        Connection::open(self.folder.path().join("augur.db")).unwrap().execute_batch(sql).unwrap();
    }
}

store_contract!(Sqlite::fresh());

#[test]
fn pictures_have_a_table_of_their_own_in_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings = SqliteSettings { path: folder.path().join("augur.db") };
    let names = TableNames::parse(&TableSettings::default()).unwrap();
    let urls = SqliteStore::open(&settings, &names).unwrap();
    super::images::check(&urls, &urls.images());
}
