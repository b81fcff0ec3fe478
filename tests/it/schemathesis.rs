//! schemathesis tries what the document allows, what it forbids, and chains of requests; what is excepted is explained in
//! `tests/clients/schemathesis.toml`.

use std::path::PathBuf;
use std::process::Command;

use crate::app::App;
use crate::clients::python;
use crate::keys::KeysFile;
use crate::standin::Database;
use crate::url::{self, Table};

fn finds_no_fault(table: &impl Table) {
    let mut keys = KeysFile::new();
    let key = keys.add("tester", &["results:read", "results:write", "predict"]);
    let more = vec![keys.setting(), "server.request_timeout_ms=30000".to_owned()];
    let app = App::start(&[table.settings(), more].concat());
    let program = PathBuf::from(python()).with_file_name("schemathesis");
    let mut command = Command::new(&program);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients"));
    command.args(["--config-file", "schemathesis.toml", "run", &app.url("/openapi.json")]);
    command.env("AUGUR_TEST_KEY", key).env("NO_PROXY", "127.0.0.1").env("PYTHONDONTWRITEBYTECODE", "1");
    let done = command.output().unwrap_or_else(|e| panic!("{}: {e}", program.display()));
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}\n{}\n{}", String::from_utf8_lossy(&done.stderr), app.log());
    for phase in ["Examples", "Coverage", "Fuzzing", "Stateful"] {
        assert!(said.contains(&format!("✅  {phase} ")), "{phase} was not run:\n{said}");
    }
}

#[test]
#[ignore = "needs the Python packages that scripts/test.sh installs"]
fn on_sqlite_it_finds_no_fault() {
    finds_no_fault(&url::sqlite::Sqlite::fresh());
}

#[test]
#[ignore = "needs the Python packages that scripts/test.sh installs"]
fn on_oracle_it_finds_no_fault() {
    let database = Database::fresh();
    assert!(crate::oracle::run(&database, &["schema", "apply"]).status.success());
    finds_no_fault(&database);
}
