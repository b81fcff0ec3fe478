//! The end of a server: what is in flight is answered, idle connections are closed, a second signal ends at once.

use std::io::{Read, Write};
use std::time::Duration;

use crate::app::App;

fn start() -> (tempfile::TempDir, App) {
    let folder = tempfile::tempdir().unwrap();
    let app = App::start(&[format!("store.sqlite.path={}", folder.path().join("a.db").display())]);
    (folder, app)
}

#[test]
fn a_request_in_flight_is_answered_and_idle_connections_are_closed() {
    for signal in ["TERM", "INT"] {
        let (_folder, mut app) = start();
        let mut idle = app.connect();
        let mut busy = app.connect();
        let body = r#"{"url":"http://example.com/"}"#;
        let head = format!(
            "POST /url HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        busy.write_all(head.as_bytes()).unwrap();
        // The head has been read once the server has taken the request from the socket; it then waits for the body.
        std::thread::sleep(Duration::from_millis(200));
        app.signal(signal);
        app.wait_for_log("stopping");
        busy.write_all(body.as_bytes()).unwrap();
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
    let mut busy = app.connect();
    busy.write_all(b"POST /url HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n")
        .unwrap();
    std::thread::sleep(Duration::from_millis(200));
    app.signal("TERM");
    app.wait_for_log("stopping");
    app.signal("TERM");
    assert_eq!(app.wait().code(), Some(1));
}

#[test]
fn the_grace_time_ends_the_wait_for_a_request_that_never_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("store.sqlite.path={}", folder.path().join("a.db").display());
    let mut app = App::start(&[path, "server.shutdown_grace_ms=300".to_owned()]);
    let mut busy = app.connect();
    busy.write_all(b"POST /url HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n")
        .unwrap();
    std::thread::sleep(Duration::from_millis(200));
    app.signal("TERM");
    assert_eq!(app.wait().code(), Some(0));
    app.wait_for_log("server.shutdown_grace_ms is over");
}
