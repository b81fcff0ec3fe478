//! The clauses of streams: `POST /urls` with NDJSON, by clients that read while they send.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Table, start_on};
use crate::app::{App, PATIENCE};
use crate::ndjson::open;

fn line(url: &str) -> String {
    format!("{}\n", json!({ "url": url }))
}

fn start_with(table: &impl Table, more: &[&str]) -> App {
    let more: Vec<String> = more.iter().map(ToString::to_string).collect();
    App::start(&[table.settings(), more].concat())
}

pub(super) fn a_line_is_answered_before_the_next_one_is_sent(table: impl Table) {
    let app = start_on(&table);
    let (mut sender, mut answers) = open(&app);
    for n in 0..20 {
        let url = format!("http://example.com/{}", n / 2);
        // Cut anywhere, blank lines between.
        let line = line(&url);
        let (start, end) = line.split_at(n);
        sender.send("\n \r\n");
        if !start.is_empty() {
            sender.send(start);
        }
        sender.send(end);
        let answer = answers.next().unwrap();
        assert_eq!(answer["url"], url);
        assert_eq!(app.ask(&url).json()["result"], answer["result"]);
    }
    sender.send(line("http://example.com/0").trim_end());
    sender.finish();
    assert_eq!(answers.next().unwrap()["url"], "http://example.com/0", "the last line needs no line break");
    assert_eq!(answers.next(), None);
    app.wait_for_log("batch entries=21 failed=0");
}

pub(super) fn a_bad_line_fails_alone(table: impl Table) {
    let app = start_with(&table, &["limits.max_body_bytes=100", "limits.max_url_bytes=50"]);
    let (mut sender, mut answers) = open(&app);
    sender.send("{\"url\":\"http://a\"}\n{\"url\":\n[\"http://a\"]\n{\"url\":7}\n{}\n{\"url\":\"a\\u0000\"}\n");
    sender.send("1e999\n\"\\ud800\"\n");
    sender.send(b"{\"url\":\"\xff\"}\n");
    sender.send(line(&"u".repeat(60)));
    sender.send("x".repeat(1000));
    sender.send("x".repeat(1000) + "\n{\"url\":\"http://b\",\"more\":[1]}");
    sender.finish();
    let statuses = [200, 400, 422, 422, 422, 422, 422, 422, 400, 422, 413, 200];
    let nothing = Value::Null;
    let urls =
        [&json!("http://a"), &nothing, &nothing, &json!(7), &nothing, &json!("a\0"), &nothing, &nothing, &nothing];
    for (at, status) in statuses.iter().enumerate() {
        let answer = answers.next().unwrap();
        assert_eq!(answer["error"]["status"].as_u64().unwrap_or(200), *status, "{at}: {answer}");
        assert_eq!(answer.as_object().unwrap().len(), 2);
        assert_eq!(&answer["url"], urls.get(at).copied().unwrap_or(&answer["url"]));
        if *status == 422 {
            let pointer = if [2, 6, 7].contains(&at) { "" } else { "/url" };
            assert_eq!(answer["error"]["errors"][0]["pointer"], pointer, "{at}");
        }
    }
    assert_eq!(answers.next(), None);
}

pub(super) fn a_failure_of_the_store_is_that_of_the_lines_which_it_hits(table: impl Table) {
    let app = start_on(&table);
    let (mut sender, mut answers) = open(&app);
    sender.send(line("http://a"));
    assert!(answers.next().unwrap()["result"].is_number());
    table.execute("DROP TABLE URL_RESULT");
    for _ in 0..2 {
        sender.send(line("http://a"));
        let failed = answers.next().unwrap();
        assert_eq!(failed["url"], "http://a");
        assert_eq!(failed["error"]["type"], "urn:augur:problem:store-unavailable");
        assert_eq!(failed["error"]["status"], 503);
    }
    sender.finish();
    assert_eq!(answers.next(), None);
}

pub(super) fn a_client_that_leaves_stops_the_work(table: impl Table) {
    let app = start_on(&table);
    // One leaves in the middle of a line, one without having read anything.
    let (mut sender, mut answers) = open(&app);
    sender.send(line("http://example.com/first"));
    assert!(answers.next().is_some());
    sender.send("{\"url\":\"http://exam");
    drop((sender, answers));
    app.wait_for_log("batch entries=2 failed=1");
    let (mut sender, answers) = open(&app);
    for n in 0..2000 {
        sender.send(line(&format!("http://example.com/{n}")));
    }
    drop((sender, answers));
    let count = || app.log().matches(" batch entries=").count();
    let end = std::time::Instant::now() + PATIENCE;
    while count() < 2 {
        assert!(std::time::Instant::now() < end, "{}", app.log());
    }
    let rows = || table.count("SELECT COUNT(*) FROM URL_RESULT");
    let then = rows();
    for _ in 0..20 {
        assert_eq!(app.ask("http://example.com/first").status, 200);
    }
    // What a lane had begun when the client left is stored.
    assert!(rows() <= then + 256);
}

pub(super) fn a_connection_that_stalls_both_ways_is_closed(table: impl Table) {
    let app = start_with(&table, &["server.request_timeout_ms=1500"]);
    let (mut sender, mut answers) = open(&app);
    sender.send(line("http://a"));
    assert!(answers.next().unwrap()["result"].is_number());
    sender.send("{\"url\":\"http://unfinis");
    let last = answers.next().unwrap();
    assert_eq!((&last["url"], &last["error"]["status"]), (&Value::Null, &json!(408)));
    assert_eq!(answers.next(), None);
    answers.assert_closed();
}

pub(super) fn a_line_that_trickles_is_given_up_and_a_stream_of_cut_lines_is_not(table: impl Table) {
    let app = start_with(&table, &["server.request_timeout_ms=2000"]);
    let (mut sender, mut answers) = open(&app);
    let line = line("http://a");
    let (start, end) = line.split_at(5);
    sender.send(start);
    for _ in 0..6 {
        std::thread::sleep(Duration::from_millis(400));
        sender.send(format!("{end}{start}"));
        assert!(answers.next().unwrap()["result"].is_number());
    }
    let last = std::thread::scope(|scope| {
        let reading = scope.spawn(move || answers.next().unwrap());
        // Something moves all the time.
        while !reading.is_finished() && sender.try_send("x").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
        reading.join().unwrap()
    });
    assert_eq!((&last["url"], &last["error"]["status"]), (&Value::Null, &json!(408)));
}

pub(super) fn a_client_that_only_sends_is_held_back_and_then_closed(table: impl Table) {
    let app = start_with(&table, &["server.request_timeout_ms=1500"]);
    app.ask("http://example.com/known");
    let idle_kib = app.peak_kib();
    let (mut sender, answers) = open(&app);
    sender.socket.set_write_timeout(Some(PATIENCE)).unwrap();
    let chunk = line("http://example.com/known").repeat(1000);
    let mut sent = 0;
    let failed = loop {
        match sender.try_send(&chunk) {
            Ok(()) => sent += chunk.len(),
            Err(error) => break error,
        }
        assert!(sent < 200 << 20, "nothing holds the client back");
    };
    assert!(
        matches!(failed.kind(), std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe),
        "closed by the server: {failed:?}"
    );
    drop((sender, answers));
    app.wait_for_log(" batch entries=");
    let grown_kib = app.peak_kib() - idle_kib;
    assert!(grown_kib < 30 << 10, "{grown_kib} KiB");
    assert_eq!(app.ask("http://example.com/known").status, 200);
}

pub(super) fn a_long_stream_is_answered_in_constant_memory(table: impl Table) {
    const LINES: usize = 1_000_000;
    let app = start_on(&table);
    let urls: Vec<String> = (0..1000).map(|n| format!("http://example.com/known/{n}")).collect();
    app.post("/urls", &json!({ "urls": urls[..500] }).to_string());
    app.post("/urls", &json!({ "urls": urls[500..] }).to_string());
    let idle_kib = app.peak_kib();
    let (mut sender, mut answers) = open(&app);
    std::thread::scope(|scope| {
        let urls = &urls;
        scope.spawn(move || {
            for n in (0..LINES).step_by(100) {
                sender.send((n..n + 100).map(|n| line(&urls[n % 1000])).collect::<String>());
            }
            sender.finish();
        });
        for n in 0..LINES {
            let answer = answers.next_line().unwrap();
            let start = format!("{{\"url\":\"{}\",\"result\":", urls[n % 1000]);
            assert!(answer.starts_with(start.as_bytes()), "{n}: {}", String::from_utf8_lossy(&answer));
        }
        assert_eq!(answers.next(), None);
    });
    let grown_kib = app.peak_kib() - idle_kib;
    assert!(grown_kib < 60 << 10, "{grown_kib} KiB");
    app.wait_for_log("batch entries=1000000 failed=0");
}
