//! The clauses of `POST /url`: what existing clients rely on, whatever the database.

use std::collections::HashMap;
use std::sync::Barrier;

use serde_json::json;

use super::{Server, Table, start_on};

pub(super) fn a_miss_is_predicted_stored_and_then_a_hit(table: impl Table) {
    let server = Server::start(table);
    let url = "http://login.example.com/verify?id=1";
    let first = server.app.ask(url);
    assert_eq!(first.status, 200);
    assert_eq!(first.json().as_object().unwrap().len(), 1);
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.header("cache-status"), Some("augur; fwd=miss; stored"));
    let model = first.header("augur-model").unwrap().to_owned();
    assert!(model.starts_with("url@"), "{model}");
    let second = server.app.ask(url);
    assert_eq!(second.header("cache-status"), Some("augur; hit"));
    assert_eq!(second.header("augur-model"), Some(&*model));
    assert_eq!(second.body, first.body);
    assert_eq!(server.rows(url), 1);
    assert_eq!(server.table.row(url), (first.result_text().parse().unwrap(), model));
}

pub(super) fn the_answer_is_the_same_bit_for_bit_after_a_restart_and_after_kill_9(table: impl Table) {
    let mut app = start_on(&table);
    let url = "http://example.com/some/page.html";
    let first = app.ask(url).result_text();
    app.kill();
    let mut app = start_on(&table);
    let after_kill = app.ask(url);
    assert_eq!(after_kill.header("cache-status"), Some("augur; hit"));
    assert_eq!(after_kill.result_text(), first);
    app.signal("TERM");
    app.wait();
    let server = Server::start(table);
    assert_eq!(server.app.ask(url).result_text(), first);
    assert_eq!(server.rows(url), 1);
}

pub(super) fn numbers_of_another_program_are_returned_as_they_stand(table: impl Table) {
    let server = Server::start(table);
    for (url, literal) in [("n", "0.25"), ("one", "1.0"), ("null", "NULL"), ("big", "1e100")] {
        server.table.execute(&format!("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('{url}', {literal})"));
    }
    assert_eq!(server.app.ask("n").result_text(), "0.25");
    assert_eq!(server.app.ask("one").result_text(), "1.0");
    assert_eq!(server.app.ask("null").result_text(), "null");
    assert_eq!(server.app.ask("big").json()["result"], 1e100);
    let hit = server.app.ask("n");
    assert_eq!(hit.header("cache-status"), Some("augur; hit"));
    assert_eq!(hit.header("augur-model"), None);
    assert!(hit.header("x-request-id").is_some());
}

pub(super) fn the_key_is_the_text_exactly_as_sent(table: impl Table) {
    let server = Server::start(table);
    let urls = [
        "http://Example.com/",
        "http://example.com/",
        "http://example.com",
        " http://example.com",
        "häß",
        "日本",
        "🦀",
    ];
    for url in urls {
        assert_eq!(server.app.ask(url).header("cache-status"), Some("augur; fwd=miss; stored"), "{url}");
    }
    for url in urls {
        assert_eq!(server.rows(url), 1, "{url}");
    }
    // Escapes and other members are JSON's business, not part of the key.
    let escaped = server.app.post("/url", r#"{"x":[1e999,{}],"url":"h\u00e4\u00df","result":"?"}"#);
    assert_eq!(escaped.header("cache-status"), Some("augur; hit"));
}

pub(super) fn two_thousand_urls_from_64_connections_each_asked_twice_at_once(table: impl Table) {
    let server = Server::start(table);
    let (threads, urls) = (64, 2000);
    let together = Barrier::new(threads);
    let answers: Vec<(usize, String)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let (app, together) = (&server.app, &together);
                scope.spawn(move || {
                    together.wait();
                    // Workers 0 and 1 ask for the same URLs at the same moment, and so do 2 and 3.
                    (worker / 2..urls)
                        .step_by(threads / 2)
                        .map(|n| (n, app.ask(&format!("http://example.com/{n}")).result_text()))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert_eq!(answers.len(), 2 * urls);
    let mut by_url: HashMap<usize, String> = HashMap::new();
    for (n, answer) in answers {
        assert_eq!(by_url.entry(n).or_insert_with(|| answer.clone()), &answer, "{n}");
    }
    assert_eq!(server.table.count("SELECT COUNT(*) FROM URL_RESULT"), i64::try_from(urls).unwrap());
}

pub(super) fn what_happens_is_logged_once_a_request_and_the_id_is_echoed_where_it_is_sane(table: impl Table) {
    let server = Server::start(table);
    let sent = server.app.post_with(
        &[("Content-Type", "application/json"), ("X-Request-Id", "abc-123")],
        br#"{"url":"http://example.com/secret-path"}"#,
    );
    assert_eq!(sent.header("x-request-id"), Some("abc-123"));
    let line = server.app.wait_for_log("request_id=abc-123");
    assert!(line.contains("method=POST route=/url status=200") && line.contains("cache=stored"), "{line}");
    assert!(!server.app.log().contains("secret-path"), "URLs may hold personal data");
    let forged = server.app.post_with(
        &[("Content-Type", "application/json"), ("X-Request-Id", "a b\"c")],
        br#"{"url":"http://example.com/"}"#,
    );
    assert_ne!(forged.header("x-request-id"), Some("a b\"c"));
}

pub(super) fn the_health_routes_answer(table: impl Table) {
    let server = Server::start(table);
    assert_eq!(server.app.get("/health/live").json(), json!({"status": "live"}));
    assert_eq!(server.app.get("/health/ready").json(), json!({"status": "ready"}));
    server.table.execute("DROP TABLE URL_RESULT");
    // Readiness is looked at once a second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let not_ready = server.app.get("/health/ready");
    assert_eq!(not_ready.status, 503);
    assert_eq!(not_ready.header("retry-after"), Some("1"));
    assert_eq!(server.app.get("/health/live").status, 200);
    let refused = server.app.ask("http://example.com/");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["type"], "urn:augur:problem:store-unavailable");
    assert_eq!(refused.json()["detail"], "The result store is not available; try again.");
    assert!(!String::from_utf8_lossy(&refused.body).contains("URL_RESULT"), "internals stay inside");
}
