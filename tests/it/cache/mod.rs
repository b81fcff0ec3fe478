//! The opt-in cache through the front door: what is answered from memory, for how long, and what ends it before.

mod race;

use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::app::{App, PATIENCE, Response};
use crate::classify::{classify, held_aside};
use crate::keys::KeysFile;
use crate::rescore::{Versioned, predicted};
use crate::url::Table;
use crate::url::sqlite::Sqlite;

const URL: &str = "http://www.example.com/login";
/// Longer than any test takes, in milliseconds.
const LONG: u64 = 3_600_000;

/// A server with a cache, its table as another program sees it, and a key for `/api/results`.
struct Server {
    app: App,
    database: Connection,
    _table: Sqlite,
    _keys: KeysFile,
    key: String,
}

impl Server {
    fn start(max_entries: u64, ttl_ms: u64) -> Self {
        let (table, mut keys) = (Sqlite::fresh(), KeysFile::new());
        let key = keys.add("curator", &["results:read", "results:write"]);
        let more = vec![keys.setting(), "server.request_timeout_ms=30000".to_owned()];
        let app = App::start(&[table.settings(), cached(max_entries, ttl_ms).to_vec(), more].concat());
        let database = table.database();
        database.busy_timeout(PATIENCE).unwrap();
        Self { app, database, _table: table, _keys: keys, key }
    }

    /// Changes rows behind the server's back.
    fn execute(&self, sql: &str) {
        self.database.execute_batch(sql).unwrap();
    }

    fn call(&self, method: &str, url: &str, body: Option<&str>) -> u16 {
        let authorization = format!("Bearer {}", self.key);
        self.app.call(method, &crate::results::path(url), &[("Authorization", &authorization)], body).status
    }

    fn statistics(&self) -> Value {
        self.app.get("/v2/models/url/stats").json()["model_stats"][0].clone()
    }
}

fn cached(max_entries: u64, ttl_ms: u64) -> [String; 2] {
    [format!("cache.max_entries={max_entries}"), format!("cache.ttl_ms={ttl_ms}")]
}

/// Where an answer comes from, without the time that it has left.
fn from(answer: &Response) -> &str {
    let status = answer.header("cache-status").unwrap();
    status.strip_suffix(|c: char| c.is_ascii_digit()).map_or(status, |rest| rest.trim_end_matches(char::is_numeric))
}

const MEMORY: &str = "augur-memory; hit; ttl=";

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_hit_in_memory_needs_no_table_and_differs_in_cache_status_alone() {
    let server = Server::start(100, LONG);
    let stored = server.app.ask(URL);
    assert_eq!(from(&stored), "augur; fwd=miss; stored");
    server.execute("UPDATE URL_RESULT SET RESULT = 7.5, MODEL = 'changed'");
    let answer = server.app.ask(URL);
    assert_eq!(answer.body, stored.body);
    for header in ["augur-model", "content-type", "cache-control"] {
        assert_eq!(answer.header(header), stored.header(header), "{header}");
    }
    let status = answer.header("cache-status").unwrap();
    let ttl_s: u64 = status.strip_prefix(MEMORY).unwrap().parse().unwrap();
    assert!((1..LONG / 1000).contains(&ttl_s), "whole seconds that are left, of an hour begun: {status}");
    // What another program wrote is remembered as it was found.
    server.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('theirs', 'phishing')");
    let found = server.app.ask("theirs");
    server.execute("DROP TABLE URL_RESULT");
    let again = server.app.ask("theirs");
    assert_eq!((from(&found), from(&again)), ("augur; hit", MEMORY));
    assert_eq!((again.result_text(), again.header("augur-model")), ("\"phishing\"".to_owned(), None));
    assert_eq!(server.app.ask("http://new.example/").status, 503);
    assert!(server.app.log().contains(" cache=memory "), "{}", server.app.log());
}

#[test]
fn without_the_setting_nothing_is_remembered() {
    let server = Sqlite::fresh();
    let app = App::start(&server.settings());
    for result in ["0.25", "0.5", "0.75"] {
        let sql =
            "INSERT INTO URL_RESULT (URL, RESULT) VALUES ('a', {}) ON CONFLICT DO UPDATE SET RESULT = excluded.RESULT";
        server.execute(&sql.replace("{}", result));
        let answer = app.ask("a");
        assert_eq!((answer.result_text().as_str(), from(&answer)), (result, "augur; hit"));
    }
    assert_eq!(app.get("/v2/models/url/stats").json()["model_stats"][0].get("memory_cache"), None);
}

#[test]
fn what_another_program_changes_is_seen_when_the_time_is_over() {
    let server = Server::start(100, 300);
    let old = server.app.ask(URL).result_text();
    server.execute("UPDATE URL_RESULT SET RESULT = 7.5");
    wait_until("the new value", || {
        let answer = server.app.ask(URL);
        let is_new = answer.result_text() == "7.5";
        match answer.header("cache-status").unwrap() {
            "augur-memory; hit; ttl=0" => assert_eq!(answer.result_text(), old),
            other => assert_eq!((other, is_new), ("augur; hit", true)),
        }
        is_new
    });
}

#[test]
fn what_is_changed_through_this_server_is_seen_at_once() {
    let server = Server::start(100, LONG);
    server.app.ask(URL);
    for result in ["0.25", "0.5", "null"] {
        assert_eq!(from(&server.app.ask(URL)), MEMORY);
        assert_eq!(server.call("PUT", URL, Some(&format!("{{\"result\": {result}}}"))), 200);
        for source in ["augur; hit", MEMORY] {
            let answer = server.app.ask(URL);
            assert_eq!((answer.result_text().as_str(), from(&answer)), (result, source));
            assert_eq!(answer.header("augur-model"), Some("manual"));
        }
    }
    assert_eq!(server.call("DELETE", URL, None), 204);
    assert_eq!(from(&server.app.ask(URL)), "augur; fwd=miss; stored");
    assert_eq!(from(&server.app.ask(URL)), MEMORY);
    // Who deletes what somebody else has deleted before does not want the old answer either.
    server.execute("DELETE FROM URL_RESULT");
    assert_eq!(server.call("DELETE", URL, None), 404);
    assert_eq!(from(&server.app.ask(URL)), "augur; fwd=miss; stored");
}

#[test]
fn batches_and_inferences_use_it_entry_by_entry() {
    let server = Server::start(100, LONG);
    let known = server.app.ask("http://known.example/").result_text();
    server.execute("UPDATE URL_RESULT SET RESULT = 7.5; INSERT INTO URL_RESULT (URL, RESULT) VALUES ('theirs', 0.5)");
    let urls = ["theirs", "http://known.example/", "", "http://new.example/", "theirs"];
    let results = server.app.post("/urls", &json!({ "urls": urls }).to_string()).json()["results"].clone();
    let of = |at: usize| results[at]["result"].to_string();
    assert_eq!((of(0), of(1), of(4)), ("0.5".to_owned(), known.clone(), "0.5".to_owned()));
    assert!(results[2]["error"].is_object() && results[3]["result"].is_f64(), "{results}");
    server.execute("DROP TABLE URL_RESULT");
    // Without the table an entry that memory has not fails alone.
    let urls = ["http://known.example/", "http://newer.example/", "http://new.example/"];
    let again = server.app.post("/urls", &json!({ "urls": urls }).to_string()).json()["results"].clone();
    assert_eq!((again[0]["result"].to_string(), &again[2]["result"]), (known.clone(), &results[3]["result"]));
    assert_eq!(again[1]["error"]["status"], 503);
    let input =
        json!({ "inputs": [{ "name": "url", "shape": [2], "datatype": "BYTES", "data": [urls[0], "theirs"] }] });
    let inferred = server.app.post("/v2/models/url/infer", &input.to_string()).json();
    assert_eq!(inferred["outputs"][0]["data"].to_string(), format!("[{known},0.5]"));
    let statistics = server.statistics();
    // Misses: the first request, two keys of the first batch (one of them twice), one of the second.
    assert_eq!(statistics["memory_cache"]["hits"], 5, "{statistics}");
    assert_eq!(statistics["memory_cache"]["misses"], 5, "{statistics}");
    assert_eq!(statistics["inference_stats"]["cache_hit"]["count"], 6, "{statistics}");
    assert_eq!(statistics["inference_count"], 8, "{statistics}");
}

#[test]
fn an_older_version_of_the_model_is_renewed_and_not_answered_from_memory() {
    let it = Versioned::new();
    let with = |stale: &str| {
        let stale = format!("store.stale={stale}");
        App::start(&[&it.place.settings()[..], &cached(100, LONG), &[stale]].concat())
    };
    let (older, newer) = (format!("url@{}", it.older), format!("url@{}", it.newer));
    let (served, renewed) = (with("serve"), with("recompute"));
    let old = served.ask(URL);
    for app in [&served, &renewed] {
        app.ask(URL);
        assert_eq!((from(&app.ask(URL)), app.ask(URL).header("augur-model")), (MEMORY, Some(&*older)));
    }
    it.place.run(&["model", "activate", &it.newer]);
    for app in [&served, &renewed] {
        app.wait_for_log(&format!("{newer} answers from now on"));
    }
    let value = predicted(&it.place.model(&it.newer), URL);
    for source in ["augur; fwd=stale; stored", "augur; hit", MEMORY] {
        let answer = renewed.ask(URL);
        assert_eq!((from(&answer), answer.header("augur-model")), (source, Some(&*newer)));
        assert_eq!(answer.result_text().parse::<f64>().unwrap(), value);
    }
    let answer = served.ask(URL);
    assert_eq!((from(&answer), &answer.body), (MEMORY, &old.body), "another server's change waits for the time");
    let explained = renewed.post("/url?explain=true", &json!({ "url": URL }).to_string());
    assert!(from(&explained) == MEMORY && explained.json()["explanation"].is_object(), "{:?}", explained.json());
    // After a rollback the newer value stays, as it does in the table.
    it.place.run(&["model", "rollback"]);
    renewed.wait_for_log(&format!("{older} answers from now on"));
    let answer = renewed.ask(URL);
    assert_eq!((from(&answer), answer.header("augur-model")), (MEMORY, Some(&*newer)));
}

#[test]
fn what_the_commands_change_is_seen_when_the_time_is_over() {
    let it = Versioned::new();
    let app = App::start(&[&it.place.settings()[..], &cached(100, 300)].concat());
    app.ask(URL);
    it.place.run(&["model", "activate", &it.newer]);
    it.place.run(&["rescore"]);
    let newer = format!("url@{}", it.newer);
    wait_until("the renewed value", || app.ask(URL).header("augur-model") == Some(&newer));
    it.database().execute_batch("UPDATE URL_RESULT SET CREATED_AT = '2020-01-01T00:00:00.000Z'").unwrap();
    it.place.run(&["prune", "--older-than", "30"]);
    wait_until("the next prediction", || from(&app.ask(URL)) == "augur; fwd=miss; stored");
}

#[test]
fn pictures_are_remembered_too() {
    let server = Server::start(100, LONG);
    let picture = held_aside(0, image::ImageFormat::Png).1;
    let first = classify(&server.app, "/classify", &picture);
    server.execute("UPDATE IMAGE_RESULT SET LABEL = 'x'");
    let again = classify(&server.app, "/classify", &picture);
    assert_eq!((from(&again), &again.body), (MEMORY, &first.body));
}

#[test]
fn no_more_is_remembered_than_wished() {
    let server = Server::start(3, LONG);
    let mut asked = 0;
    wait_until("room was made", || {
        for _ in 0..10 {
            server.app.ask(&format!("http://{asked}.example/"));
            asked += 1;
        }
        let cache = server.statistics()["memory_cache"].clone();
        cache["entries"] == 3 && cache["evictions"].as_u64() > Some(0)
    });
}

#[test]
fn a_row_that_the_table_cannot_take_is_not_remembered() {
    let table = Sqlite::fresh();
    table.execute(
        "CREATE TABLE URL_RESULT (URL TEXT PRIMARY KEY, RESULT REAL, MODEL TEXT, CREATED_AT TEXT, X NOT NULL)",
    );
    let app = App::start(&[table.settings(), cached(100, LONG).to_vec()].concat());
    for _ in 0..2 {
        assert_eq!(from(&app.ask(URL)), "augur; fwd=miss; detail=\"not stored: value does not fit\"");
    }
}
