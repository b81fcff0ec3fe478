//! The end of a server: what is in flight is answered, idle connections are closed, a second signal ends at once,
//! and SQLite's file is whole by itself.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::app::{App, PATIENCE};

const BODY: &str = r#"{"url":"http://example.com/"}"#;

/// Sends the head of a request and waits until the server has read it: the body stays owed.
fn begin_request(app: &App) -> TcpStream {
    let mut busy = app.connect();
    let head = format!(
        "POST /url HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        BODY.len()
    );
    busy.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    busy.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    busy
}

fn start() -> (tempfile::TempDir, App) {
    let folder = tempfile::tempdir().unwrap();
    let app = App::start(&[database_in(&folder)]);
    (folder, app)
}

fn database_in(folder: &tempfile::TempDir) -> String {
    format!("store.sqlite.path={}", folder.path().join("a.db").display())
}

#[test]
fn a_request_in_flight_is_answered_and_idle_connections_are_closed() {
    for signal in ["TERM", "INT"] {
        let (_folder, mut app) = start();
        let mut idle = app.connect();
        let mut busy = begin_request(&app);
        app.signal(signal);
        app.wait_for_log("stopping");
        busy.write_all(BODY.as_bytes()).unwrap();
        let mut answer = String::new();
        busy.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("{\"result\":"), "{signal}: {answer}");
        assert_eq!(idle.read(&mut [0; 1]).unwrap(), 0, "the idle connection is closed");
        assert_eq!(app.wait().code(), Some(0), "{}", app.log());
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let (_folder, mut app) = start();
    let _busy = begin_request(&app);
    app.signal("TERM");
    app.wait_for_log("stopping");
    app.signal("TERM");
    assert_eq!(app.wait().code(), Some(1));
}

#[test]
fn the_grace_time_ends_the_wait_for_a_request_that_never_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = App::start(&[database_in(&folder), "server.shutdown_grace_ms=300".to_owned()]);
    let _busy = begin_request(&app);
    app.signal("TERM");
    assert_eq!(app.wait().code(), Some(0));
    app.wait_for_log("server.shutdown_grace_ms is over");
}

/// How many rows somebody finds who copies the database file alone.
fn rows_of_a_copy(folder: &tempfile::TempDir) -> i64 {
    let copy = tempfile::tempdir().unwrap();
    let file = copy.path().join("a.db");
    std::fs::copy(folder.path().join("a.db"), &file).unwrap();
    let database = rusqlite::Connection::open(file).unwrap();
    // Without its log the file may not even have the table.
    database.query_row("SELECT count(*) FROM URL_RESULT", [], |row| row.get(0)).unwrap_or(0)
}

fn wait_for_rows_of_a_copy(folder: &tempfile::TempDir, rows: i64) {
    let end = Instant::now() + PATIENCE;
    while rows_of_a_copy(folder) < rows {
        assert!(Instant::now() < end, "not all of {rows} rows are in the file");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn post(app: &App, n: i64) {
    let answer = app.post("/url", &format!(r#"{{"url":"http://example.com/{n}"}}"#));
    assert_eq!(answer.status, 200);
}

#[test]
fn the_file_of_a_server_that_has_ended_has_all_rows_without_its_log() {
    // Most of the time the last lane is quick enough to close all connections, which would do.
    for round in 0..10 {
        let (folder, mut app) = start();
        (0..20).for_each(|n| post(&app, n));
        app.signal("TERM");
        assert_eq!(app.wait().code(), Some(0));
        assert_eq!(rows_of_a_copy(&folder), 20, "round {round}");
    }
}

#[test]
fn no_log_is_left_that_would_be_carried_into_a_backup_put_in_the_files_place() {
    let (folder, mut app) = start();
    post(&app, 0);
    // As long as it is open, the last of the server's connections does not remove the log.
    let other = rusqlite::Connection::open(folder.path().join("a.db")).unwrap();
    let rows: i64 = other.query_row("SELECT count(*) FROM URL_RESULT", [], |row| row.get(0)).unwrap();
    app.signal("TERM");
    assert_eq!((app.wait().code(), rows), (Some(0), 1));
    assert_eq!(std::fs::metadata(folder.path().join("a.db-wal")).unwrap().len(), 0);
}

#[test]
fn a_program_that_holds_the_database_keeps_no_server_from_its_end() {
    let (folder, mut app) = start();
    post(&app, 0);
    let writer = rusqlite::Connection::open(folder.path().join("a.db")).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM URL_RESULT").unwrap();
    app.signal("TERM");
    assert_eq!(app.wait().code(), Some(0));
    app.wait_for_log("the log of the SQLite file is left beside it");
}

#[test]
fn a_log_that_stays_because_somebody_reads_in_it_is_told_of_though_all_of_it_is_in_the_file() {
    let (folder, mut app) = start();
    post(&app, 0);
    let reader = rusqlite::Connection::open(folder.path().join("a.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM URL_RESULT").unwrap();
    app.signal("TERM");
    assert_eq!(app.wait().code(), Some(0));
    app.wait_for_log("left beside it: all of it is in the file");
    assert_eq!(rows_of_a_copy(&folder), 1);
    assert_ne!(std::fs::metadata(folder.path().join("a.db-wal")).unwrap().len(), 0);
}

#[test]
fn the_log_that_a_killed_server_has_left_is_carried_into_the_file_by_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = App::start(&[database_in(&folder)]);
    post(&app, 0);
    app.signal("KILL");
    app.wait();
    let _app = App::start(&[database_in(&folder)]);
    wait_for_rows_of_a_copy(&folder, 1);
}

#[test]
fn a_log_that_somebody_reads_in_is_carried_into_the_file_once_they_have_ended() {
    let (folder, app) = start();
    post(&app, 0);
    wait_for_rows_of_a_copy(&folder, 1);
    let reader = rusqlite::Connection::open(folder.path().join("a.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM URL_RESULT").unwrap();
    post(&app, 1);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(rows_of_a_copy(&folder), 1, "the reader is in the way");
    reader.execute_batch("COMMIT").unwrap();
    wait_for_rows_of_a_copy(&folder, 2);
}

#[test]
fn the_file_of_a_server_at_rest_has_all_rows_without_its_log() {
    let (folder, app) = start();
    for n in 0..2 {
        post(&app, n);
        wait_for_rows_of_a_copy(&folder, n + 1);
    }
}
