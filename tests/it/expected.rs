//! What clients expect of any HTTP server: encodings, HEAD and OPTIONS, CORS, cache headers, IPv6.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;
use tempfile::TempDir;

use crate::app::{App, PATIENCE, augur};

fn start(more: &[&str]) -> (TempDir, App) {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("store.sqlite.path={}", folder.path().join("a.db").display());
    let settings: Vec<String> = std::iter::once(path).chain(more.iter().map(ToString::to_string)).collect();
    let app = App::start(&settings);
    (folder, app)
}

/// Status line and headers in lower case, and the body.
fn exchange(app: &App, method: &str, path: &str, headers: &str, body: &str) -> (String, Vec<u8>) {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    let mut socket = app.connect();
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (String::from_utf8(answer[..end].to_vec()).unwrap().to_lowercase(), answer[end + 4..].to_vec())
}

const JSON: &str = "Content-Type: application/json\r\n";

#[test]
fn answers_over_a_kilobyte_are_compressed_as_the_client_wishes() {
    let (_folder, app) = start(&[]);
    let large = json!({ "urls": vec!["http://example.com/"; 100] }).to_string();
    let small = json!({ "urls": vec!["http://example.com/"; 2] }).to_string();
    let (head, plain) = exchange(&app, "POST", "/urls", JSON, &large);
    assert!(!head.contains("content-encoding") && head.contains("vary: accept-encoding"), "{head}");
    assert!(plain.len() > 3000);
    for (accept, encoding, magic) in [
        ("gzip", "gzip", &b"\x1f\x8b"[..]),
        ("br", "br", b""),
        ("zstd", "zstd", b"\x28\xb5\x2f\xfd"),
        ("gzip;q=0.5, br;q=0.9", "br", b""),
        ("gzip, deflate", "gzip", b"\x1f\x8b"),
    ] {
        let wish = format!("{JSON}Accept-Encoding: {accept}\r\n");
        let (head, body) = exchange(&app, "POST", "/urls", &wish, &large);
        assert!(head.contains(&format!("content-encoding: {encoding}\r\n")), "{accept}: {head}");
        // Behind the length of its chunk.
        let start = body.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        assert!(body[start..].starts_with(magic) && body.len() < plain.len() / 5, "{accept}: {} bytes", body.len());
        assert!(!exchange(&app, "POST", "/urls", &wish, &small).0.contains("content-encoding"), "{accept}");
    }
    for accept in ["identity", "compress", "identity;q=0", "*;q=0", "gzip;q=0"] {
        let (head, body) = exchange(&app, "POST", "/urls", &format!("{JSON}Accept-Encoding: {accept}\r\n"), &large);
        assert!(head.starts_with("http/1.1 200") && !head.contains("content-encoding"), "{accept}: {head}");
        assert_eq!(body, plain);
    }
}

#[test]
fn a_compressed_stream_is_none() {
    let (_folder, app) = start(&[]);
    let wish = "Content-Type: application/x-ndjson\r\nAccept-Encoding: gzip, br, zstd\r\n";
    let body = "{\"url\":\"http://example.com/\"}\n".repeat(100);
    let (head, body) = exchange(&app, "POST", "/urls", wish, &body);
    assert!(!head.contains("content-encoding"), "{head}");
    assert_eq!(String::from_utf8(body).unwrap().matches("\"result\":").count(), 100);
}

#[test]
fn a_compressed_body_is_refused_in_clear_words() {
    let (_folder, app) = start(&[]);
    for (path, kind) in [
        ("/url", "application/json"),
        ("/urls", "application/json"),
        ("/urls", "application/x-ndjson"),
        ("/classify", "multipart/form-data; boundary=x"),
    ] {
        let headers = [("Content-Type", kind), ("Content-Encoding", "gzip")];
        let refused = app.post_to(path, &headers, b"\x1f\x8b");
        assert_eq!(refused.status, 415, "{path} {kind}");
        assert_eq!(refused.json()["detail"], "Send the body without Content-Encoding.");
        assert_eq!(refused.header("accept-encoding"), Some("identity"));
    }
    let plain = [("Content-Type", "application/json"), ("Content-Encoding", "identity")];
    assert_eq!(app.post_with(&plain, br#"{"url":"http://a"}"#).status, 200);
}

#[test]
fn head_is_get_without_the_body_and_options_names_the_methods() {
    let (_folder, app) = start(&[]);
    for path in ["/health/live", "/health/ready"] {
        let (get, body) = exchange(&app, "GET", path, "", "");
        let (head, none) = exchange(&app, "HEAD", path, "", "");
        assert!(head.starts_with("http/1.1 200") && none.is_empty(), "{path}: {head}");
        let length = format!("content-length: {}\r\n", body.len());
        assert!(get.contains(&length) && head.contains(&length), "{path}: {head}");
    }
    app.wait_for_log("method=HEAD route=/health/live status=200");
    for (path, allow) in [
        ("/url", "POST, OPTIONS"),
        ("/urls", "POST, OPTIONS"),
        ("/classify", "POST, OPTIONS"),
        ("/health/live", "GET, HEAD, OPTIONS"),
        ("/health/ready", "GET, HEAD, OPTIONS"),
    ] {
        let (options, body) = exchange(&app, "OPTIONS", path, "", "");
        let allow = format!("allow: {}\r\n", allow.to_lowercase());
        assert!(
            options.starts_with("http/1.1 204") && options.contains(&allow) && body.is_empty(),
            "{path}: {options}"
        );
        let (refused, _) = exchange(&app, "PATCH", path, "", "");
        assert!(refused.starts_with("http/1.1 405") && refused.contains(&allow), "{path}: {refused}");
    }
    assert!(exchange(&app, "HEAD", "/url", "", "").0.starts_with("http/1.1 405"));
    assert!(exchange(&app, "OPTIONS", "/nothing", "", "").0.starts_with("http/1.1 404"));
}

#[test]
fn every_answer_says_that_it_is_not_to_be_kept_and_none_names_the_server() {
    let (_folder, app) = start(&[]);
    for answer in [app.ask("http://a"), app.ask(""), app.get("/health/live"), app.get("/nothing"), app.get("/url")] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("server"), None);
    }
}

#[test]
fn pages_of_the_origins_that_are_named_may_call_and_no_others() {
    const PAGE: &str = "Origin: https://app.example.com\r\n";
    let preflight = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n";
    let (_folder, app) = start(&[]);
    let (closed, _) = exchange(&app, "OPTIONS", "/url", &format!("{PAGE}{preflight}"), "");
    assert!(!closed.contains("access-control"), "{closed}");
    let (_folder, app) = start(&["server.cors_origins=[\"https://app.example.com\"]"]);
    let (allowed, _) = exchange(&app, "OPTIONS", "/url", &format!("{PAGE}{preflight}"), "");
    assert!(allowed.starts_with("http/1.1 20"), "{allowed}");
    assert!(allowed.contains("access-control-allow-origin: https://app.example.com\r\n"), "{allowed}");
    assert!(allowed.contains("access-control-allow-headers: content-type"), "{allowed}");
    let large = json!({ "urls": vec!["http://example.com/"; 100] }).to_string();
    let (answer, _) = exchange(&app, "POST", "/urls", &format!("{PAGE}{JSON}Accept-Encoding: gzip\r\n"), &large);
    assert!(answer.contains("access-control-allow-origin: https://app.example.com\r\n"), "{answer}");
    assert!(answer.contains("cache-status") && answer.contains("access-control-expose-headers"), "{answer}");
    let vary: String = answer.lines().filter(|line| line.starts_with("vary: ")).collect();
    assert!(vary.contains("origin") && vary.contains("accept-encoding"), "{answer}");
    // A problem is for the page as well.
    let (problem, _) = exchange(&app, "POST", "/url", &format!("{PAGE}{JSON}"), "{}");
    assert!(problem.starts_with("http/1.1 422") && problem.contains("access-control-allow-origin"), "{problem}");
    for other in ["Origin: https://evil.example\r\n", "Origin: null\r\n"] {
        let (preflighted, _) = exchange(&app, "OPTIONS", "/url", &format!("{other}{preflight}"), "");
        assert!(!preflighted.contains("access-control-allow-origin"), "{preflighted}");
        let (answer, _) = exchange(&app, "POST", "/url", &format!("{other}{JSON}"), "{\"url\":\"http://a\"}");
        assert!(answer.starts_with("http/1.1 200") && !answer.contains("access-control-allow-origin"), "{answer}");
    }
    let (_folder, app) = start(&["server.cors_origins=[\"*\"]"]);
    let (any, _) = exchange(&app, "GET", "/health/live", "Origin: https://anywhere.example\r\n", "");
    assert!(any.contains("access-control-allow-origin: *"), "{any}");
}

#[test]
fn an_origin_that_no_browser_sends_stops_the_start() {
    for wrong in
        ["app.example.com", "https://app.example.com/", "https://a/b", "HTTPS://a", "https://a@b", "", "https://"]
    {
        let setting = format!("server.cors_origins=[\"{wrong}\"]");
        let done = augur().args(["config", "check", "--set", &setting]).output().unwrap();
        let text = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success() && text.contains("server.cors_origins: "), "{wrong}: {text}");
    }
}

#[test]
fn ipv6_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = augur();
    command.args(["serve", "--set", "server.listen=[\"127.0.0.1:0\",\"[::1]:0\"]"]);
    command.args(["--set", &format!("store.sqlite.path={}", folder.path().join("a.db").display())]);
    let app = App::from_command(command);
    let line = app.wait_for_log("listening on http://");
    let address = line.split("http://[::1]:").nth(1).map(|rest| rest.split([';', ',']).next().unwrap());
    let mut socket = TcpStream::connect(format!("[::1]:{}", address.unwrap())).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(b"GET /health/live HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
