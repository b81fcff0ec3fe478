//! The stand-in for Oracle's client library, as the tests use it: one database a test, one library for all.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use oci_standin::{PASSWORD, StandIn, USER};
use oracle::{Connection, InitParams};
use tempfile::TempDir;

/// A fresh stand-in database.
pub(crate) struct Database {
    pub(crate) folder: TempDir,
    pub(crate) standin: StandIn,
}

/// The folder with the stand-in linked as `libclntsh.so`.
pub(crate) fn client_lib_dir() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("client-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        oci_standin::link_client_library(folder).unwrap()
    })
}

impl Database {
    pub(crate) fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let standin = StandIn::create(folder.path()).unwrap();
        Self { folder, standin }
    }

    /// The `--set` arguments of a server on this database; the password file lies beside it.
    pub(crate) fn settings(&self) -> Vec<String> {
        let password_file = self.folder.path().join("password");
        if !password_file.exists() {
            std::fs::write(&password_file, format!("{PASSWORD}\n")).unwrap();
        }
        vec![
            "store.backend=oracle".to_owned(),
            format!("store.oracle.connect_string={}", self.standin.connect_string()),
            format!("store.oracle.user={USER}"),
            format!("store.oracle.password_file={}", password_file.display()),
            format!("store.oracle.client_lib_dir={}", client_lib_dir().display()),
        ]
    }

    /// A connection that neither counts nor suffers faults: another program on the same database.
    pub(crate) fn inspector(&self) -> Connection {
        InitParams::new().oracle_client_lib_dir(client_lib_dir().to_str().unwrap()).unwrap().init().unwrap();
        let mut connection = Connection::connect(USER, PASSWORD, self.standin.inspector_connect_string()).unwrap();
        connection.set_autocommit(true);
        connection
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.inspector().execute(sql, &[]).unwrap();
    }

    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.inspector().query_row_as(sql, &[]).unwrap()
    }
}

impl Drop for Database {
    /// Keys sent as NCHAR would keep Oracle from using the index: asserted of everything that ever ran on a stand-in.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.standin.counters().nchar_binds, 0);
        }
    }
}
