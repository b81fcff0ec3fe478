//! `POST /url` through the front door: what existing clients rely on.

use std::collections::HashMap;
use std::sync::Barrier;

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::app::App;

/// A server on a fresh SQLite file, and the file.
struct Sqlite {
    folder: TempDir,
    app: App,
}

impl Sqlite {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Slow machines are not what these tests are about.
        let app = App::start(&[Self::path(&folder), "server.request_timeout_ms=30000".to_owned()]);
        Self { folder, app }
    }

    fn path(folder: &TempDir) -> String {
        format!("store.sqlite.path={}", folder.path().join("augur.db").display())
    }

    /// The table as another program sees it.
    fn database(&self) -> Connection {
        Connection::open(self.folder.path().join("augur.db")).unwrap()
    }

    fn rows(&self, url: &str) -> i64 {
        self.database().query_row("SELECT count(*) FROM URL_RESULT WHERE URL = ?1", [url], |row| row.get(0)).unwrap()
    }
}

#[test]
fn a_miss_is_predicted_stored_and_then_a_hit() {
    let server = Sqlite::start();
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
    let stored: (f64, String) = server
        .database()
        .query_row("SELECT RESULT, MODEL FROM URL_RESULT WHERE URL = ?1", [url], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(stored, (first.result_text().parse().unwrap(), model));
}

#[test]
fn the_answer_is_the_same_bit_for_bit_after_a_restart_and_after_kill_9() {
    let Sqlite { folder, mut app } = Sqlite::start();
    let url = "http://example.com/some/page.html";
    let first = app.ask(url).result_text();
    app.kill();
    let mut app = App::start(&[Sqlite::path(&folder)]);
    let after_kill = app.ask(url);
    assert_eq!(after_kill.header("cache-status"), Some("augur; hit"));
    assert_eq!(after_kill.result_text(), first);
    app.signal("TERM");
    app.wait();
    let app = App::start(&[Sqlite::path(&folder)]);
    assert_eq!(app.ask(url).result_text(), first);
    assert_eq!(Sqlite { folder, app }.rows(url), 1);
}

#[test]
fn a_row_of_another_program_is_returned_as_it_stands() {
    let server = Sqlite::start();
    let database = server.database();
    for (url, literal) in [("n", "0.25"), ("one", "1.0"), ("t", "'phishing'"), ("null", "NULL"), ("big", "1e300")] {
        database.execute(&format!("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('{url}', {literal})"), []).unwrap();
    }
    assert_eq!(server.app.ask("n").result_text(), "0.25");
    assert_eq!(server.app.ask("one").result_text(), "1.0");
    assert_eq!(server.app.ask("t").result_text(), "\"phishing\"");
    assert_eq!(server.app.ask("null").result_text(), "null");
    assert_eq!(server.app.ask("big").json()["result"], 1e300);
    let hit = server.app.ask("n");
    assert_eq!(hit.header("cache-status"), Some("augur; hit"));
    assert_eq!(hit.header("augur-model"), None);
    assert!(hit.header("x-request-id").is_some());
}

#[test]
fn an_existing_table_of_other_names_without_our_columns_works() {
    let folder = tempfile::tempdir().unwrap();
    let database = Connection::open(folder.path().join("augur.db")).unwrap();
    database
        .execute_batch(
            "CREATE TABLE \"My Scores\" (address TEXT PRIMARY KEY, score INTEGER, note TEXT NOT NULL DEFAULT 'x')",
        )
        .unwrap();
    let app = App::start(&[
        Sqlite::path(&folder),
        "store.table.name=\"My Scores\"".to_owned(),
        "store.table.key_column=address".to_owned(),
        "store.table.result_column=score".to_owned(),
        "store.table.model_column=".to_owned(),
        "store.table.created_column=".to_owned(),
    ]);
    let miss = app.ask("http://example.com/");
    let hit = app.ask("http://example.com/");
    assert_eq!(hit.header("cache-status"), Some("augur; hit"));
    assert_eq!(hit.body, miss.body, "a miss answers what the column made of the value");
    database.execute("INSERT INTO \"My Scores\" (address, score) VALUES ('seven', 7)", []).unwrap();
    assert_eq!(app.ask("seven").result_text(), "7", "an integer prints without .0");
}

#[test]
fn the_key_is_the_text_exactly_as_sent() {
    let server = Sqlite::start();
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

#[test]
fn two_thousand_urls_from_64_connections_each_asked_twice_at_once() {
    let server = Sqlite::start();
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
    let rows: i64 = server.database().query_row("SELECT count(*) FROM URL_RESULT", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, i64::try_from(urls).unwrap());
}

#[test]
fn what_happens_is_logged_once_a_request_and_the_id_is_echoed_where_it_is_sane() {
    let server = Sqlite::start();
    let sent = server.app.post_with(
        &[("Content-Type", "application/json"), ("X-Request-Id", "abc-123")],
        br#"{"url":"http://example.com/secret-path"}"#,
    );
    assert_eq!(sent.header("x-request-id"), Some("abc-123"));
    let line = server.app.wait_for_log("request_id=abc-123");
    assert!(
        line.contains("method=POST route=/url status=200") && line.contains("cache=\"fwd=miss; stored\""),
        "{line}"
    );
    assert!(!server.app.log().contains("secret-path"), "URLs may hold personal data");
    let forged = server.app.post_with(
        &[("Content-Type", "application/json"), ("X-Request-Id", "a b\"c")],
        br#"{"url":"http://example.com/"}"#,
    );
    assert_ne!(forged.header("x-request-id"), Some("a b\"c"));
}

#[test]
fn the_health_routes_answer() {
    let server = Sqlite::start();
    assert_eq!(server.app.get("/health/live").json(), json!({"status": "live"}));
    assert_eq!(server.app.get("/health/ready").json(), json!({"status": "ready"}));
    server.database().execute_batch("DROP TABLE URL_RESULT").unwrap();
    // Readiness is looked at once a second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let not_ready = server.app.get("/health/ready");
    assert_eq!(not_ready.status, 503);
    assert_eq!(not_ready.header("retry-after"), Some("1"));
    assert_eq!(server.app.get("/health/live").status, 200);
    let refused = server.app.ask("http://example.com/");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["type"], "urn:augur:problem:store-unavailable");
    assert!(!String::from_utf8_lossy(&refused.body).contains("URL_RESULT"), "internals stay inside");
}

#[test]
fn a_full_queue_refuses_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let app = App::start(&[Sqlite::path(&folder), "lanes.queue_capacity=1".to_owned()]);
    // Another program holds the write lock: the first miss waits for it, and the queue is full.
    let blocker = Connection::open(folder.path().join("augur.db")).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (answered, answers) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for n in 1..=2 {
            let (app, answered) = (&app, answered.clone());
            scope.spawn(move || answered.send(app.ask(&format!("http://example.com/{n}"))).unwrap());
        }
        let refused = answers.recv().unwrap();
        assert_eq!(refused.json()["type"], "urn:augur:problem:queue-full");
        assert_eq!(refused.status, 503);
        assert_eq!(refused.header("retry-after"), Some("1"));
        blocker.execute_batch("COMMIT").unwrap();
        assert_eq!(answers.recv().unwrap().status, 200);
    });
}

#[test]
fn hits_are_answered_while_every_miss_waits_for_another_programs_write() {
    let server = Sqlite::start();
    server.app.ask("http://example.com/known");
    let blocker = server.database();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (answered, answers) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for n in 0..16 {
            let (app, answered) = (&server.app, answered.clone());
            scope.spawn(move || answered.send(app.ask(&format!("http://example.com/{n}")).status).unwrap());
        }
        for _ in 0..3 {
            assert_eq!(server.app.ask("http://example.com/known").header("cache-status"), Some("augur; hit"));
            assert_eq!(answers.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty), "the misses still wait");
        }
        blocker.execute_batch("COMMIT").unwrap();
        assert!(answers.iter().take(16).all(|status| status == 200));
    });
}

#[test]
fn a_request_that_waits_too_long_gets_503_and_nothing_is_stored_for_it_twice() {
    let folder = tempfile::tempdir().unwrap();
    let app = App::start(&[Sqlite::path(&folder), "server.request_timeout_ms=1000".to_owned()]);
    let blocker = Connection::open(folder.path().join("augur.db")).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let late = app.ask("http://example.com/");
    assert_eq!(late.status, 503);
    assert_eq!(late.json()["type"], "urn:augur:problem:deadline");
    blocker.execute_batch("COMMIT").unwrap();
    assert_eq!(app.ask("http://example.com/").status, 200);
    assert_eq!(Sqlite { folder, app }.rows("http://example.com/"), 1);
}
