//! Python clients: the programs in `tests/clients`, as people run them, against a real server.

use std::ffi::OsString;
use std::process::Command;

use image::ImageFormat;

use crate::classify::{Sqlite, held_aside};

/// Runs a program of `tests/clients` against the server; answers what it printed.
fn run(program: &str, server: &Sqlite, arguments: &[&str]) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    // The folder in which scripts/test.sh installs the packages.
    let python = std::env::var_os("AUGUR_TEST_PYTHON")
        .unwrap_or_else(|| OsString::from(format!("{root}/target/venv/bin/python")));
    let mut command = Command::new(&python);
    command.arg(format!("{root}/tests/clients/{program}")).arg(server.app.url("")).args(arguments);
    // A proxy of the machine's is not meant for it.
    command.env("NO_PROXY", "127.0.0.1");
    let done = command.output().unwrap_or_else(|e| panic!("{}: {e}", python.display()));
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{program} {}: {errors}\n{}", done.status, server.app.log());
    String::from_utf8(done.stdout).unwrap()
}

#[test]
#[ignore = "needs the Python packages that scripts/test.sh installs"]
fn the_documents_client_of_pictures_is_answered() {
    let server = Sqlite::start(&[]);
    let (digit, picture) = held_aside(0, ImageFormat::Jpeg);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test_image.jpg");
    std::fs::write(&file, picture).unwrap();
    let answer = format!("{{'prediction': '{}'}}\n", digit.label);
    assert_eq!(run("picture.py", &server, &[file.to_str().unwrap()]), answer);
    assert_eq!(run("picture.py", &server, &[file.to_str().unwrap()]), answer);
    assert_eq!(server.labels().len(), 1);
}

#[test]
#[ignore = "needs the Python packages that scripts/test.sh installs"]
fn the_flask_programs_client_gets_the_result_and_then_a_hit() {
    let server = Sqlite::start(&[]);
    let printed = run("url.py", &server, &["http://www.example.com/news/2012/a.html"]);
    let result = server.app.ask("http://www.example.com/news/2012/a.html").result_text();
    assert_eq!(printed, format!("{{'result': {result}}} augur; fwd=miss; stored\n{{'result': {result}}} augur; hit\n"));
}

#[test]
#[ignore = "needs the Python packages that scripts/test.sh installs"]
fn httpx_asking_fifty_times_at_once_gets_one_answer() {
    let server = Sqlite::start(&[]);
    let printed = run("url_httpx.py", &server, &["http://example.com/"]);
    let result = server.app.ask("http://example.com/").result_text();
    assert_eq!(printed, format!("{{(200, '{{\"result\":{result}}}')}}\n"));
}
