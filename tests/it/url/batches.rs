//! The clauses of JSON batches: `POST /urls {"urls": [...]}`.

use serde_json::{Value, json};

use super::{Server, Table, start_on};
use crate::app::App;

fn ask_many(app: &App, urls: &Value) -> Value {
    let answer = app.post("/urls", &json!({ "urls": urls }).to_string());
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json().as_object().unwrap().len(), 1);
    answer.json()["results"].clone()
}

pub(super) fn a_batch_answers_in_order_what_single_requests_answer(table: impl Table) {
    let server = Server::start(table);
    let known = server.app.ask("http://example.com/known").json()["result"].clone();
    // More than a lane takes at a time, every third one known, and each new one twice.
    let urls: Vec<String> = (0..300)
        .map(|n| match n % 3 {
            0 => "http://example.com/known".to_owned(),
            _ => format!("http://example.com/new/{}", n / 3),
        })
        .collect();
    let results = ask_many(&server.app, &json!(urls));
    assert_eq!(results.as_array().unwrap().len(), urls.len());
    for (result, url) in results.as_array().unwrap().iter().zip(&urls) {
        assert_eq!(result["url"], **url);
        assert_eq!(result.as_object().unwrap().len(), 2);
        let single = server.app.ask(url);
        assert_eq!(single.header("cache-status"), Some("augur; hit"), "{url}");
        assert_eq!(single.json()["result"], result["result"], "{url}");
    }
    assert_eq!(results[0]["result"], known);
    assert_eq!(server.table.count("SELECT COUNT(*) FROM URL_RESULT"), 101);
}

pub(super) fn a_bad_entry_fails_alone(table: impl Table) {
    let server = Server::start(table);
    let urls = json!(["http://a", 3, "", "u".repeat(4001), "a\u{0}b", null, {"url": "x"}, "http://b"]);
    let results = ask_many(&server.app, &urls);
    for (at, result) in results.as_array().unwrap().iter().enumerate() {
        assert_eq!(result["url"], urls[at], "echoed as it was sent");
        if at == 0 || at == 7 {
            assert!(result["result"].is_number(), "{result}");
        } else {
            assert!(result.get("result").is_none());
            assert_eq!(
                (&result["error"]["status"], &result["error"]["title"]),
                (&json!(422), &json!("Unprocessable Entity"))
            );
            assert_eq!(result["error"]["errors"][0]["pointer"], format!("/urls/{at}"));
        }
    }
    assert_eq!(results[1]["error"]["errors"][0]["detail"], "must be a string");
    assert_eq!(results[2]["error"]["errors"][0]["detail"], "must not be empty");
    let odd = server.app.post("/urls", r#"{"urls":["\ud800",1e999,"http:\/\/a"]}"#);
    let text = String::from_utf8(odd.body).unwrap();
    assert!(
        text.starts_with(r#"{"results":[{"url":"\ud800","error":"#) && text.contains(r#"{"url":1e999,"error":"#),
        "{text}"
    );
    assert!(text.contains(r#"{"url":"http:\/\/a","result":"#), "{text}");
    assert_eq!(server.table.count("SELECT COUNT(*) FROM URL_RESULT"), 2);
}

pub(super) fn a_batch_that_is_none_is_refused_as_a_whole(table: impl Table) {
    let server = Server::start(table);
    assert_eq!(ask_many(&server.app, &json!([])), json!([]));
    let most = vec!["http://example.com/"; 500];
    assert_eq!(ask_many(&server.app, &json!(most)).as_array().unwrap().len(), 500);
    let too_many = json!({ "urls": vec!["http://example.com/"; 501] }).to_string();
    for body in [&*too_many, "{}", r#"{"urls":"http://a"}"#, r#"{"urls":{"0":"a"}}"#] {
        let refused = server.app.post("/urls", body);
        assert_eq!(refused.status, 422, "{body}");
        assert_eq!(refused.json()["errors"][0]["pointer"], "/urls");
    }
    for body in ["[]", "1e999"] {
        assert_eq!(server.app.post("/urls", body).json()["errors"][0]["pointer"], "", "{body}");
    }
    for body in ["", "{", r#"{"urls":["a"],"urls":["b"]}"#, r#"{"urls":["a",]}"#] {
        assert_eq!(server.app.post("/urls", body).status, 400, "{body}");
    }
    let other = server.app.post_to("/urls", &[("Content-Type", "application/jsonl")], b"{}");
    assert_eq!(other.status, 415);
    assert!(other.json()["detail"].as_str().unwrap().contains("application/x-ndjson"), "{}", other.json());
}

pub(super) fn a_batch_is_one_failure_where_the_store_fails_for_all_of_it(table: impl Table) {
    let server = Server::start(table);
    server.table.execute("DROP TABLE URL_RESULT");
    let failed = server.app.post("/urls", r#"{"urls":["http://a",3]}"#);
    assert_eq!(failed.status, 503);
    assert_eq!(failed.json()["type"], "urn:augur:problem:store-unavailable");
    assert_eq!(failed.header("retry-after"), Some("1"));
}

pub(super) fn batches_larger_than_the_queue_are_answered_one_after_the_other(table: impl Table) {
    let settings = [table.settings(), vec!["lanes.queue_capacity=50".into(), "server.request_timeout_ms=30000".into()]];
    let server = Server { app: App::start(&settings.concat()), table };
    std::thread::scope(|scope| {
        for client in 0..8 {
            let app = &server.app;
            scope.spawn(move || {
                let urls: Vec<String> = (0..500).map(|n| format!("http://example.com/{}/{n}", client % 4)).collect();
                let results = ask_many(app, &json!(urls));
                assert!(results.as_array().unwrap().iter().all(|result| result["result"].is_number()), "{results}");
            });
        }
        for n in 0..50 {
            assert_eq!(server.app.ask(&format!("http://example.com/single/{n}")).status, 200);
        }
    });
    assert_eq!(server.table.count("SELECT COUNT(*) FROM URL_RESULT"), 2050);
}

pub(super) fn the_log_counts_the_entries_of_a_batch(table: impl Table) {
    let app = start_on(&table);
    let headers = [("Content-Type", "application/json"), ("X-Request-Id", "batch-1")];
    app.post_to("/urls", &headers, br#"{"urls":["http://a","http://b",""]}"#);
    app.wait_for_log("batch entries=3 failed=1 request_id=batch-1");
}
