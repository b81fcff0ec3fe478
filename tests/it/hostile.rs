//! What no honest client sends: every such request gets its 4xx, and the next one is answered.

use std::io::{Read, Write};

use proptest::prelude::*;
use tempfile::TempDir;

use crate::app::{App, Response};

fn start() -> (TempDir, App) {
    let folder = tempfile::tempdir().unwrap();
    let app = App::start(&[format!("store.sqlite.path={}", folder.path().join("a.db").display())]);
    (folder, app)
}

/// Checks the form that every error has.
fn assert_problem(response: &Response, status: u16, what: &str) {
    assert_eq!(response.status, status, "{what}: {}", String::from_utf8_lossy(&response.body));
    assert_eq!(response.header("content-type"), Some("application/problem+json"), "{what}");
    let problem = response.json();
    assert_eq!(problem["status"], status, "{what}");
    assert!(problem["title"].is_string() && problem["type"].is_string(), "{what}: {problem}");
    assert!(response.header("x-request-id").is_some(), "{what}");
}

pub(crate) fn assert_healthy(app: &App) {
    assert_eq!(app.ask("http://example.com/after").status, 200);
    assert!(!app.log().contains("panicked"), "{}", app.log());
}

#[test]
fn every_error_row_of_the_contract() {
    let (_folder, app) = start();
    let json = [("Content-Type", "application/json")];
    let deep_array = "[".repeat(200_000);
    let digits = "9".repeat(400);
    let cases: [(&str, &[u8], u16); 19] = [
        ("empty", b"", 400),
        ("not JSON", b"url=http://a", 400),
        ("cut short", br#"{"url":"http://a"#, 400),
        ("two values", br#"{"url":"a"} {"url":"b"}"#, 400),
        ("not UTF-8", b"{\"url\":\"\xff\xfe\"}", 400),
        ("a repeated url", br#"{"url":"a","url":"b"}"#, 400),
        ("a raw NUL", b"{\"url\":\"a\0b\"}", 400),
        ("deep nesting", deep_array.as_bytes(), 400),
        ("half a number", b"1e", 400),
        ("an unfinished text", b"\"url", 400),
        ("no object: an array", br#"[{"url":"a"}]"#, 422),
        ("no object: a number that no float holds", b"1e999", 422),
        ("no object: many digits", digits.as_bytes(), 422),
        ("no object: a lone surrogate", br#" "\ud800""#, 422),
        ("a number", br#"{"url":1}"#, 422),
        ("null", br#"{"url":null}"#, 422),
        ("an escaped NUL", br#"{"url":"a\u0000b"}"#, 422),
        ("a line break", br#"{"url":"a\nb"}"#, 422),
        ("a lone surrogate", br#"{"url":"\ud800"}"#, 422),
    ];
    for (what, body, status) in cases {
        let answer = app.post_with(&json, body);
        assert_problem(&answer, status, what);
        if status == 422 {
            let error = &answer.json()["errors"][0];
            assert_eq!(error["pointer"], if what.starts_with("no object") { "" } else { "/url" }, "{what}");
            assert!(error["detail"].is_string(), "{what}");
        }
    }
    let missing = app.post("/url", "{}");
    assert_problem(&missing, 422, "missing");
    assert_eq!(missing.json()["errors"][0]["pointer"], "/url");
    assert_problem(&app.ask(""), 422, "an empty url");
    assert_problem(&app.ask(&"u".repeat(4001)), 422, "a long url");
    assert_problem(&app.ask(&"ä".repeat(2001)), 422, "long in bytes");
    assert_eq!(app.ask(&"u".repeat(4000)).status, 200);
    assert_healthy(&app);
}

#[test]
fn the_content_type_must_be_json() {
    let (_folder, app) = start();
    let body = br#"{"url":"http://example.com/"}"#;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "+json",
        "json",
        "\"application/json\"",
    ] {
        assert_problem(&app.post_with(&[("Content-Type", kind)], body), 415, kind);
    }
    assert!(app.raw(b"POST /url HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}").starts_with("HTTP/1.1 415"));
    for kind in ["application/json", "APPLICATION/JSON; charset=utf-8", "application/vnd.api+json"] {
        assert_eq!(app.post_with(&[("Content-Type", kind)], body).status, 200, "{kind}");
    }
}

#[test]
fn the_body_must_come_as_it_is() {
    let (_folder, app) = start();
    let send = |codings: &[&str]| {
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(codings.iter().map(|coding| ("Content-Encoding", *coding)));
        app.post_with(&headers, br#"{"url":"http://example.com/"}"#)
    };
    for codings in [&["identity"][..], &["Identity"], &["identity", "IDENTITY"]] {
        assert_eq!(send(codings).status, 200, "{codings:?}");
    }
    for codings in [&["gzip"][..], &["identity", "gzip"], &["gzip", "identity"], &["identity, gzip"], &[""]] {
        let refused = send(codings);
        assert_problem(&refused, 415, &format!("{codings:?}"));
        assert_eq!(refused.header("accept-encoding"), Some("identity"));
    }
}

#[test]
fn unknown_paths_and_methods() {
    let (_folder, app) = start();
    assert_problem(&app.get("/"), 404, "the root");
    assert_problem(&app.post("/urls/", "{}"), 404, "another path");
    let wrong = app.get("/url");
    assert_problem(&wrong, 405, "GET /url");
    assert_eq!(wrong.header("allow"), Some("POST, OPTIONS"));
    let wrong = app.post("/health/live", "{}");
    assert_problem(&wrong, 405, "POST /health/live");
    assert_eq!(wrong.header("allow"), Some("GET, HEAD, OPTIONS"));
}

#[test]
fn a_body_over_the_limit_is_refused_whether_or_not_it_says_its_length() {
    let (_folder, app) = start();
    let declared = format!(
        "POST /url HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        10 << 20
    );
    let answer = app.raw(declared.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("application/problem+json"), "{answer}");
    let mut chunked =
        b"POST /url HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    for _ in 0..10 {
        chunked.extend_from_slice(b"100000\r\n");
        chunked.resize(chunked.len() + (1 << 20), b' ');
        chunked.extend_from_slice(b"\r\n");
    }
    let answer = app.raw(&chunked);
    assert!(answer.starts_with("HTTP/1.1 413"), "{}", &answer[..answer.len().min(200)]);
    // The whole of it sent, as a client library does.
    let big = format!("{{\"url\":\"{}\"}}", "u".repeat(3 << 20));
    assert_problem(&app.post("/url", &big), 422, "3 MiB");
    assert_healthy(&app);
}

#[test]
fn a_body_that_never_comes_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("store.sqlite.path={}", folder.path().join("a.db").display());
    let app = App::start(&[path, "server.request_timeout_ms=2000".to_owned()]);
    let mut slow = app.connect();
    slow.write_all(b"POST /url HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{")
        .unwrap();
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert_healthy(&app);
}

#[test]
fn any_bytes_get_a_4xx_or_an_answer() {
    let (_folder, app) = start();
    let runner_config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    let bytes = proptest::collection::vec(any::<u8>(), 0..300);
    let nearly_json = "\\{?\"url\"[:,]? ?(\"[^\"]{0,40}\"|-?[0-9e.]{1,9}|\\[*|null)\\}?.{0,3}";
    proptest!(runner_config, |(raw in bytes, text in nearly_json)| {
        for body in [raw.as_slice(), text.as_bytes()] {
            let answer = app.post_with(&[("Content-Type", "application/json")], body);
            prop_assert!(matches!(answer.status, 200 | 400 | 422), "{} for {body:?}", answer.status);
            if answer.status != 200 {
                prop_assert_eq!(answer.header("content-type"), Some("application/problem+json"));
            }
        }
    });
    assert_healthy(&app);
}

#[test]
fn heads_that_the_framework_refuses_itself_get_a_bare_status() {
    let (_folder, app) = start();
    let head = |headers: &str| format!("GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n");
    let cases = [
        ("no HTTP", "nonsense\r\n\r\n".to_owned(), "HTTP/1.1 400 Bad Request\r\n"),
        ("128 KiB", head(&format!("X-Long: {}\r\n", "x".repeat(128 << 10))), "HTTP/1.1 431 "),
        ("97 headers", head(&"X-Many: x\r\n".repeat(95)), "HTTP/1.1 431 "),
    ];
    for (what, head, status) in cases {
        let answer = app.raw(head.as_bytes());
        assert!(answer.starts_with(status) && answer.ends_with("\r\n\r\n"), "{what}: {answer}");
    }
    for (what, headers) in
        [("100 KiB", format!("X-Long: {}\r\n", "x".repeat(100 << 10))), ("96 headers", "X-Many: x\r\n".repeat(94))]
    {
        let answer = app.raw(head(&headers).as_bytes());
        assert!(answer.starts_with("HTTP/1.1 200 "), "{what}: {answer}");
    }
    assert_healthy(&app);
}

#[test]
fn broken_http_does_not_hurt() {
    let (_folder, app) = start();
    let cases: [&[u8]; 6] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"POST /url HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /url HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: -1\r\n\r\n{}",
        b"POST /url HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n{}",
        b"POST /%zz%00/../url?\xff HTTP/1.1\r\nHost: a\r\n\r\n",
    ];
    for case in cases {
        let answer = app.raw(case);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_healthy(&app);
}
