//! Tables that other programs made.

use super::{
    DOES_NOT_FIT, HIT, IN_THE_WAY, KEY_TOO_LONG, STORED, Server, assert_unavailable, cache_status, wait_until,
};
use crate::app::augur;
use crate::standin::Database;

/// The settings for a table that has none of our own columns.
const PLAIN: [&str; 2] = ["store.table.model_column=", "store.table.created_column="];

fn plain_table(result_type: &str) -> Server {
    Server::with_table(
        &format!("CREATE TABLE URL_RESULT (URL VARCHAR2(400) PRIMARY KEY, RESULT {result_type})"),
        &PLAIN,
    )
}

#[test]
fn a_miss_answers_exactly_what_the_next_hit_returns_whatever_the_type_of_the_column() {
    for result_type in [
        "NUMBER",
        "NUMBER(5,2)",
        "NUMBER(3,1)",
        "NUMBER(*,0)",
        "INTEGER",
        "FLOAT",
        "FLOAT(10)",
        "BINARY_DOUBLE",
        "BINARY_FLOAT",
        "VARCHAR2(100)",
    ] {
        let server = plain_table(result_type);
        for n in 0..5 {
            let url = format!("http://login{n}.example.com/verify.php?id={n}");
            let miss = server.app.ask(&url);
            assert_eq!(cache_status(&miss), STORED, "{result_type}");
            let hit = server.app.ask(&url);
            assert_eq!(cache_status(&hit), HIT, "{result_type}");
            assert_eq!(hit.result_text(), miss.result_text(), "{result_type}");
            let result = &hit.json()["result"];
            match result_type {
                "VARCHAR2(100)" => assert!(result.is_string(), "{result}"),
                "NUMBER(*,0)" | "INTEGER" => assert!(result.is_i64(), "{result}"),
                _ => assert!(result.is_number(), "{result}"),
            }
        }
    }
}

#[test]
fn rows_of_the_flask_program_are_returned_with_their_json_type() {
    for (result_type, literal, expected) in [
        ("NUMBER", "0.25", "0.25"),
        ("NUMBER", "7", "7"),
        ("NUMBER(5,2)", "0.925", "0.93"),
        ("INTEGER", "1", "1"),
        ("BINARY_DOUBLE", "1", "1.0"),
        ("VARCHAR2(20)", "'phishing'", "\"phishing\""),
        ("VARCHAR2(20)", "''", "null"),
        ("NUMBER", "NULL", "null"),
    ] {
        let server = plain_table(result_type);
        server.database.execute(&format!("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('u', {literal})"));
        let hit = server.app.ask("u");
        assert_eq!(cache_status(&hit), HIT);
        assert_eq!(hit.result_text(), expected, "{result_type} {literal}");
    }
}

#[test]
fn other_names_quoted_names_and_columns_with_defaults_work() {
    let server = Server::with_table(
        "CREATE TABLE \"Url Scores\" (ID NUMBER(10) DEFAULT 0 NOT NULL, \"Address\" VARCHAR2(200) NOT NULL, \
         SCORE NUMBER, STATE VARCHAR2(10) DEFAULT 'new' NOT NULL, CONSTRAINT SCORES_UK UNIQUE (\"Address\"))",
        &[
            "store.table.name=\"Url Scores\"",
            "store.table.key_column=\"Address\"",
            "store.table.result_column=score",
            PLAIN[0],
            PLAIN[1],
        ],
    );
    let miss = server.app.ask("http://example.com/");
    assert_eq!(cache_status(&miss), STORED, "{}", server.app.log());
    let hit = server.app.ask("http://example.com/");
    assert_eq!((cache_status(&hit), hit.result_text()), (HIT, miss.result_text()));
    assert_eq!(server.database.count("SELECT COUNT(*) FROM \"Url Scores\" WHERE STATE = 'new'"), 1);
    let long = format!("http://example.com/{}", "x".repeat(200));
    assert_eq!(cache_status(&server.app.ask(&long)), KEY_TOO_LONG);
}

#[test]
fn a_column_without_default_that_must_be_filled_is_answered_and_said() {
    let server = Server::with_table(
        "CREATE TABLE URL_RESULT (URL VARCHAR2(400) PRIMARY KEY, RESULT NUMBER, OWNER_ID NUMBER NOT NULL)",
        &PLAIN,
    );
    assert_eq!(cache_status(&server.app.ask("http://example.com/")), DOES_NOT_FIT);
    assert!(server.app.wait_for_log("a row does not fit the table").contains("ORA-01400"));
}

#[test]
fn without_a_unique_key_the_first_row_fetched_counts_and_costs_one_round_trip() {
    let server = Server::with_table("CREATE TABLE URL_RESULT (URL VARCHAR2(400), RESULT NUMBER)", &PLAIN).settled(4);
    let inspector = server.database.inspector();
    for result in 1..=20 {
        inspector.execute(&format!("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('u', {result})"), &[]).unwrap();
    }
    server.database.standin.reset_counters();
    assert_eq!(server.app.ask("u").result_text(), "1");
    assert_eq!(server.database.standin.counters().round_trips, 1);
    assert_eq!(cache_status(&server.app.ask("new")), STORED);
    assert_eq!(cache_status(&server.app.ask("new")), HIT);
}

#[test]
fn a_key_longer_than_its_column_is_answered_and_not_stored() {
    let server = Server::with_table("CREATE TABLE URL_RESULT (URL VARCHAR2(50) PRIMARY KEY, RESULT NUMBER)", &PLAIN);
    let long = format!("http://example.com/{}", "x".repeat(50));
    for _ in 0..2 {
        assert_eq!(cache_status(&server.app.ask(&long)), KEY_TOO_LONG, "{}", server.app.log());
    }
    assert_eq!(server.rows(), 0);
    assert_eq!(cache_status(&server.app.ask("http://example.com/")), STORED);
}

#[test]
fn a_long_key_in_a_batch_does_not_keep_the_others_from_being_stored() {
    let server = Server::with_table(
        "CREATE TABLE URL_RESULT (URL VARCHAR2(50) PRIMARY KEY, RESULT NUMBER)",
        &[&PLAIN[..], &["store.oracle.pool_size=1"]].concat(),
    )
    .settled(1);
    server.database.standin.set_round_trip(super::millis(100));
    std::thread::scope(|scope| {
        for n in 0..16 {
            let app = &server.app;
            scope.spawn(move || {
                let (url, expected) = match n % 4 {
                    0 => (format!("http://example.com/{n}/{}", "x".repeat(50)), KEY_TOO_LONG),
                    _ => (format!("http://example.com/{n}"), STORED),
                };
                assert_eq!(cache_status(&app.ask(&url)), expected);
            });
        }
    });
    assert_eq!(server.rows(), 12);
}

#[test]
fn a_value_that_does_not_fit_its_column_is_answered_and_not_stored() {
    let server = plain_table("VARCHAR2(2)");
    assert_eq!(cache_status(&server.app.ask("http://example.com/")), DOES_NOT_FIT);
    assert_eq!(server.rows(), 0);
}

#[test]
fn a_column_that_cannot_give_back_what_it_took_is_refused_with_a_hint() {
    for result_type in ["CLOB", "CHAR(20)"] {
        let server = plain_table(result_type);
        assert_eq!(server.app.get("/health/ready").status, 503);
        assert_unavailable(&server.app.ask("http://example.com/"), "store-unavailable");
        let line = server.app.wait_for_log("the result table is not usable");
        assert!(line.contains(result_type) && line.contains("VARCHAR2"), "{line}");
        assert_eq!(server.lines("the result table is not usable"), 1, "{}", server.app.log());
    }
}

#[test]
fn a_missing_table_is_503_said_once_and_works_as_soon_as_it_is_made() {
    let server = Server::on(Database::fresh(), &[]).settled(4);
    assert_eq!(server.app.get("/health/live").status, 200);
    assert_eq!(server.app.get("/health/ready").status, 503);
    for _ in 0..3 {
        assert_unavailable(&server.app.ask("http://example.com/"), "store-unavailable");
    }
    // Once by the look at the table after the start, once by the first request.
    assert_eq!(server.lines("run `augur schema apply`"), 2, "{}", server.app.log());
    assert_eq!(server.lines("the result table is not usable"), 1, "{}", server.app.log());
    let mut apply = augur();
    apply.args(["schema", "apply"]);
    for setting in server.database.settings() {
        apply.args(["--set", &setting]);
    }
    assert!(apply.status().unwrap().success());
    assert_eq!(cache_status(&server.app.ask("http://example.com/")), STORED);
    wait_until("readiness", || server.app.get("/health/ready").status == 200);
}

#[test]
fn a_url_that_the_table_takes_for_another_gets_no_answer_of_that_one() {
    let server = Server::with_table(
        "CREATE TABLE URL_RESULT (URL VARCHAR2(400) COLLATE BINARY_CI PRIMARY KEY, RESULT NUMBER)",
        &PLAIN,
    );
    server.database.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('http://example.com/a', 7)");
    let other = server.app.ask("http://example.com/A");
    assert_eq!(cache_status(&other), IN_THE_WAY);
    assert_ne!(other.result_text(), "7");
    assert_eq!(server.app.ask("http://example.com/a").result_text(), "7");
}

#[test]
fn of_rows_that_the_table_takes_for_one_each_url_gets_its_own() {
    let server =
        Server::with_table("CREATE TABLE URL_RESULT (URL VARCHAR2(400) COLLATE BINARY_CI, RESULT NUMBER)", &PLAIN);
    for (url, result) in [("a", 1), ("A", 2), ("b", 3), ("B", 4)] {
        server.database.execute(&format!("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('{url}', {result})"));
    }
    assert_eq!(server.app.ask("A").result_text(), "2");
    let batch = server.app.post("/urls", r#"{"urls": ["A", "B", "a"]}"#);
    let results: Vec<f64> =
        batch.json()["results"].as_array().unwrap().iter().map(|entry| entry["result"].as_f64().unwrap()).collect();
    assert_eq!(results, [2.0, 4.0, 1.0]);
}
