//! `augur score`: files of URLs, scored as the server would.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::app::{App, PATIENCE, augur};

pub(crate) struct Folder(pub(crate) TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn database(&self) -> String {
        format!("store.sqlite.path={}", self.path("augur.db").display())
    }

    pub(crate) fn command(&self, input: &Path, out: &Path, more: &[&str]) -> Command {
        let mut command = augur();
        command.args(["score", "--set", &self.database(), "--set", "log.level=warn"]);
        command.arg("--in").arg(input).arg("--out").arg(out).args(more);
        command
    }

    pub(crate) fn score(&self, input: &str, text: &str, out: &str, more: &[&str]) -> Output {
        fs::write(self.path(input), text).unwrap();
        self.command(&self.path(input), &self.path(out), more).output().unwrap()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn rows(&self) -> i64 {
        let database = Connection::open(self.path("augur.db")).unwrap();
        database.query_row("SELECT COUNT(*) FROM URL_RESULT", [], |row| row.get(0)).unwrap()
    }
}

pub(crate) fn succeeded(done: &Output) -> String {
    let said = String::from_utf8(done.stderr.clone()).unwrap();
    assert!(done.status.success(), "{said}");
    said
}

pub(crate) fn many(rows: usize) -> String {
    (0..rows).fold(String::new(), |mut text, n| {
        writeln!(text, "{{\"url\":\"http://example.com/{n}\"}}").unwrap();
        text
    })
}

#[test]
fn a_file_is_scored_in_its_order_as_the_server_answers() {
    let folder = Folder::new();
    let text = "id,url\n1,http://a.example/\n2,\"http://b.example/a,b\"\n3,http://a.example/\n";
    let said = succeeded(&folder.score("in.csv", text, "out.csv", &[]));
    assert!(said.contains("3 rows, 0 of them bad"), "{said}");
    assert_eq!(folder.rows(), 2);
    let app = App::start(&[folder.database()]);
    let [a, b] = ["http://a.example/", "http://b.example/a,b"].map(|url| {
        let answer = app.ask(url);
        assert_eq!(answer.header("cache-status"), Some("augur; hit"));
        answer.result_text()
    });
    let expected = format!("url,result\nhttp://a.example/,{a}\n\"http://b.example/a,b\",{b}\nhttp://a.example/,{a}\n");
    assert_eq!(folder.read("out.csv"), expected);
    drop(app);
    // The model alone says the same, and stores nothing.
    let alone = Folder::new();
    succeeded(&alone.score("in.csv", text, "out.csv", &["--no-store"]));
    assert_eq!(alone.read("out.csv"), expected);
    assert!(!alone.path("augur.db").exists());
    // What stands in the table is what counts.
    let database = Connection::open(folder.path("augur.db")).unwrap();
    database.execute("UPDATE URL_RESULT SET RESULT = NULL WHERE URL = 'http://a.example/'", []).unwrap();
    succeeded(&folder.score("in.ndjson", "{\"url\": \"http://a.example/\"}", "out.ndjson", &[]));
    assert_eq!(folder.read("out.ndjson"), "{\"url\":\"http://a.example/\",\"result\":null}\n");
}

#[test]
fn bad_rows_go_to_a_file_of_their_own_with_their_lines() {
    let folder = Folder::new();
    let text = "{\"url\":\"http://a/\"}\n\n{\"url\":1}\nnonsense\n{\"url\":\"\"}\n{\"url\":\"http://b/\"}";
    let said = succeeded(&folder.score("in.ndjson", text, "out.ndjson", &["--no-store"]));
    assert!(said.contains("5 rows, 3 of them bad"), "{said}");
    assert_eq!(folder.read("out.ndjson").lines().count(), 2);
    let bad = folder.read("out.ndjson.bad");
    let lines: Vec<&str> = bad.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["line 3", "line 4", "line 5"], "{bad}");
    let names: Vec<_> = fs::read_dir(folder.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn a_mistake_stops_it_in_one_sentence() {
    let folder = Folder::new();
    for (input, text, reason) in [
        ("in.csv", "address\nx\n", "the header has no column `url`"),
        ("in.txt", "x", "name the form of the rows: --format csv or ndjson"),
    ] {
        let done = folder.score(input, text, "out", &["--no-store"]);
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success());
        assert!(said.contains(reason) && said.lines().count() == 1, "{said}");
    }
    let done = folder.command(&folder.path("absent.csv"), &folder.path("out"), &[]).output().unwrap();
    assert!(String::from_utf8(done.stderr).unwrap().contains("cannot read"));
}

#[test]
fn a_run_that_was_killed_goes_on_and_ends_with_the_same_file() {
    let folder = Folder::new();
    let whole = many(150_000);
    fs::write(folder.path("in.ndjson"), &whole).unwrap();
    let alone = Folder::new();
    succeeded(&alone.score("in.ndjson", &whole, "out.ndjson", &["--no-store"]));
    let (input, out) = (folder.path("in.ndjson"), folder.path("out.ndjson"));
    let mut kills = 0;
    loop {
        let mut child = folder.command(&input, &out, &[]).stderr(Stdio::null()).spawn().unwrap();
        let (end, before) = (Instant::now() + PATIENCE, fs::read(folder.path("out.ndjson.progress")).ok());
        // Killed when it has come further, unless it is at the end before that.
        while child.try_wait().unwrap().is_none() && fs::read(folder.path("out.ndjson.progress")).ok() == before {
            assert!(Instant::now() < end, "the run does not come further");
            std::thread::sleep(Duration::from_millis(5));
        }
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        assert!(!out.exists() || !folder.path("out.ndjson.progress").exists(), "a file that is not whole has no name");
        // It may have been at its end, on its way out: another run would begin anew beside the file that is whole.
        if out.exists() {
            break;
        }
    }
    assert!(kills > 0, "the input is too short for this test");
    assert!(folder.read("out.ndjson") == alone.read("out.ndjson"), "the files differ");
    assert_eq!(folder.rows(), 150_000);

    // Another run does not go on with it.
    fs::write(folder.path("other.ndjson.progress"), r#"{"run":"x","rows":1,"out_bytes":0,"bad_bytes":0}"#).unwrap();
    let done = folder.command(&input, &folder.path("other.ndjson"), &[]).output().unwrap();
    assert!(String::from_utf8(done.stderr).unwrap().contains("is of another run: remove it to begin anew"));
}
