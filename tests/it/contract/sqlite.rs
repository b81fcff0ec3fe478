//! The contract on SQLite.

use augur::store::{
    Change, Changed, Rejection, ResultStore, SqliteSettings, SqliteStore, Swap, Swapped, TableNames, TableSettings,
};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{Backend, found, key, row, store_contract};

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

#[test]
fn a_row_that_a_trigger_does_not_let_go_is_no_failure_and_stays() {
    let backend = Sqlite::fresh();
    let mut session = super::clauses::session(&backend);
    session.insert_many(&[row("a", 1.0), row("b", 1.0)]).unwrap();
    backend.execute(
        "CREATE TRIGGER KEEP BEFORE DELETE ON URL_RESULT WHEN OLD.URL = 'a' BEGIN SELECT RAISE(ABORT, 'kept'); END",
    );
    let removed = session.update(&key("a"), &mut |_| Change::Remove).unwrap();
    assert_eq!(removed, Changed::Rejected(Rejection::AgainstRules));
    let swaps = ["a", "b"].map(|text| Swap { key: key(text), before: found(1.0), after: None });
    let swapped = session.swap_many(&swaps).unwrap();
    assert_eq!(swapped, [Swapped::Rejected(Rejection::AgainstRules), Swapped::Done(None)]);
    let left = session.find_many(&["a", "b"].map(key)).unwrap();
    assert_eq!(left, [Some(found(1.0)), None]);
}
