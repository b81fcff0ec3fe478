//! `augur schema check` on Oracle, and the one look at the table after the start.

use std::process::Output;

use oci_standin::Views;

use crate::app::{App, augur};
use crate::standin::Database;

const OURS: &str = "CREATE TABLE URL_RESULT (URL VARCHAR2(4000 BYTE) NOT NULL, RESULT BINARY_DOUBLE, MODEL VARCHAR2(200 BYTE), \
                    CREATED_AT TIMESTAMP(6), CONSTRAINT URL_RESULT_PK PRIMARY KEY (URL))";

pub(crate) fn run(database: &Database, args: &[&str]) -> Output {
    let mut command = augur();
    command.args(args);
    for setting in database.settings() {
        command.args(["--set", &setting]);
    }
    command.output().unwrap()
}

/// The exit code of `schema check` for the table of URLs, and its lines.
fn check(database: &Database, settings: &[&str]) -> (Option<i32>, Vec<String>) {
    check_all(database, &[&["models.image.enabled=false"], settings].concat())
}

/// The same with the table of pictures.
fn check_all(database: &Database, settings: &[&str]) -> (Option<i32>, Vec<String>) {
    let sets = settings.iter().flat_map(|setting| ["--set", setting]);
    let done = run(database, &["schema", "check"].into_iter().chain(sets).collect::<Vec<_>>());
    assert!(done.stderr.is_empty(), "{done:?}");
    let text = String::from_utf8(done.stdout).unwrap();
    (done.status.code(), text.lines().map(str::to_owned).collect())
}

#[test]
fn the_table_that_schema_apply_makes_lacks_nothing() {
    let database = Database::fresh();
    let (code, lines) = check(&database, &[]);
    assert_eq!((code, lines.len()), (Some(1), 1), "{lines:?}");
    assert!(lines[0].starts_with("failed   URL_RESULT: table: URL_RESULT is not there"), "{lines:?}");
    assert!(lines[0].contains("run `augur schema apply`"), "{lines:?}");
    assert!(run(&database, &["schema", "apply"]).status.success());
    let (code, lines) = check(&database, &[]);
    assert_eq!((code, lines.len()), (Some(0), 1), "{lines:?}");
    assert!(lines[0].starts_with("ok       URL_RESULT: as it should be: oracle at "), "{lines:?}");
    assert_eq!(database.standin.counters().nchar_binds, 0);
}

#[test]
fn each_table_has_lines_of_its_own_where_pictures_are_served() {
    let database = Database::fresh();
    database.execute(OURS);
    database.execute(
        "CREATE TABLE IMAGE_RESULT (IMAGE_SHA256 VARCHAR2(40 BYTE) NOT NULL, LABEL VARCHAR2(4000 BYTE), \
         MODEL VARCHAR2(200 BYTE), CREATED_AT TIMESTAMP(6), CONSTRAINT IMAGE_RESULT_PK PRIMARY KEY (IMAGE_SHA256))",
    );
    let (code, lines) = check_all(&database, &[]);
    assert_eq!((code, lines.len()), (Some(1), 2), "{lines:?}");
    assert!(lines[0].starts_with("ok       URL_RESULT: as it should be"), "{lines:?}");
    assert!(lines[1].starts_with("warning  IMAGE_RESULT: key column: IMAGE_SHA256 takes 40 bytes"), "{lines:?}");
    assert!(lines[1].ends_with("no result can be stored; widen the column"), "{lines:?}");
    database.execute("DROP TABLE IMAGE_RESULT");
    let (code, lines) = check_all(&database, &[]);
    assert_eq!((code, lines.len()), (Some(1), 2), "{lines:?}");
    assert!(lines[1].starts_with("failed   IMAGE_RESULT: table: IMAGE_RESULT is not there"), "{lines:?}");
    assert!(run(&database, &["schema", "apply"]).status.success());
    let (code, lines) = check_all(&database, &[]);
    assert_eq!((code, lines.len()), (Some(0), 2), "{lines:?}");
}

#[test]
fn every_lack_has_one_line_of_its_own() {
    let key = "URL VARCHAR2(4000 BYTE) NOT NULL";
    let rest = "RESULT BINARY_DOUBLE, MODEL VARCHAR2(200 BYTE), CREATED_AT TIMESTAMP(6)";
    let unique = "CONSTRAINT P PRIMARY KEY (URL)";
    let cases = [
        (
            format!("ADDRESS VARCHAR2(4000 BYTE), {rest}, CONSTRAINT P PRIMARY KEY (ADDRESS)"),
            vec![
                "failed   URL_RESULT: key column: URL is not there (columns: ADDRESS, RESULT, MODEL, CREATED_AT): set store.table.key_column",
            ],
        ),
        (
            format!("URL NVARCHAR2(2000) NOT NULL, {rest}, {unique}"),
            vec!["warning  URL_RESULT: key column: URL is NVARCHAR2(2000)"],
        ),
        (
            format!("URL CHAR(2000) NOT NULL, {rest}, {unique}"),
            vec!["failed   URL_RESULT: key column: URL is CHAR(2000), which is padded"],
        ),
        (
            format!("URL VARCHAR2(100 BYTE) NOT NULL, {rest}, {unique}"),
            vec!["warning  URL_RESULT: key column: URL takes 100 bytes, limits.max_url_bytes is 4000"],
        ),
        (
            format!("{key}, RESULT RAW(8), MODEL VARCHAR2(200 BYTE), CREATED_AT TIMESTAMP(6), {unique}"),
            vec!["failed   URL_RESULT: result column: RESULT is RAW(8), from which no result can be read"],
        ),
        (
            format!("{key}, RESULT CHAR(20), MODEL VARCHAR2(200 BYTE), CREATED_AT TIMESTAMP(6), {unique}"),
            vec![
                "failed   URL_RESULT: result column: RESULT is CHAR(20), from which no result can be read as it was stored",
            ],
        ),
        (
            format!("{key}, RESULT NUMBER, MODEL VARCHAR2(8 BYTE), CREATED_AT TIMESTAMP(6), {unique}"),
            vec!["failed   URL_RESULT: model column: MODEL takes 8 bytes, but the model is called url@"],
        ),
        (
            format!("{key}, RESULT NUMBER, CREATED_AT VARCHAR2(30), {unique}"),
            vec![
                "failed   URL_RESULT: model column: MODEL is not there",
                "failed   URL_RESULT: created column: CREATED_AT is VARCHAR2(30): make it TIMESTAMP(6)",
            ],
        ),
        (
            format!("{key}, {rest}, SOURCE VARCHAR2(9) NOT NULL, KIND NUMBER DEFAULT 1 NOT NULL, {unique}"),
            vec!["warning  URL_RESULT: other columns: SOURCE must have a value but no default: unless a trigger"],
        ),
        (format!("{key}, {rest}"), vec!["warning  URL_RESULT: unique key: there is none on URL alone"]),
        (
            format!("{key}, {rest}, CONSTRAINT P PRIMARY KEY (URL, RESULT)"),
            vec!["warning  URL_RESULT: unique key: there is none on URL alone"],
        ),
    ];
    for (columns, expected) in cases {
        let database = Database::fresh();
        database.execute(&format!("CREATE TABLE URL_RESULT ({columns})"));
        let (code, lines) = check(&database, &[]);
        assert_eq!((code, lines.len()), (Some(1), expected.len()), "{columns}: {lines:#?}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(expected), "{columns}: {line}");
        }
    }
}

#[test]
fn a_foreign_table_under_other_names_is_as_good() {
    let database = Database::fresh();
    database.execute(
        "CREATE TABLE SCORES (\"Address\" VARCHAR2(4000 BYTE) NOT NULL, SCORE NUMBER(5, 2), NOTE VARCHAR2(9) DEFAULT 'none' NOT NULL)",
    );
    database.execute("CREATE UNIQUE INDEX SCORES_I ON SCORES (\"Address\")");
    let (code, lines) = check(
        &database,
        &[
            "store.table.name=AUGUR.SCORES",
            "store.table.key_column=\"Address\"",
            "store.table.result_column=score",
            "store.table.model_column=",
            "store.table.created_column=",
        ],
    );
    assert_eq!(code, Some(0), "{lines:?}");
}

#[test]
fn a_synonym_leads_to_the_table_that_has_the_key() {
    let database = Database::fresh();
    // The stand-in follows no synonyms: a table answers in the place of one, and the dictionary says what it stands for.
    database.execute(OURS);
    for view in ["ALL_TAB_COLUMNS", "ALL_INDEXES", "ALL_IND_COLUMNS", "ALL_CONSTRAINTS", "ALL_CONS_COLUMNS"] {
        let column = if view.ends_with("COLUMNS") && view.contains("IND") { "INDEX_OWNER" } else { "OWNER" };
        database.execute(&format!("UPDATE {view} SET {column} = 'FAR', TABLE_NAME = 'STORE'"));
    }
    database.execute("UPDATE ALL_INDEXES SET TABLE_OWNER = 'FAR'");
    let unresolved = check(&database, &[]);
    assert_eq!(unresolved.0, Some(0), "{unresolved:?}");
    assert!(unresolved.1[0].starts_with("skipped  URL_RESULT: unique key: could not be checked"), "{unresolved:?}");
    database.execute("INSERT INTO ALL_SYNONYMS VALUES ('PUBLIC', 'URL_RESULT', 'NEAR', 'HALFWAY')");
    database.execute("INSERT INTO ALL_SYNONYMS VALUES ('NEAR', 'HALFWAY', 'FAR', 'STORE')");
    let (code, lines) = check(&database, &[]);
    assert_eq!((code, lines.len()), (Some(0), 1), "{lines:?}");
    assert!(lines[0].starts_with("ok       URL_RESULT: as it should be: oracle at "), "{lines:?}");
}

#[test]
fn unreadable_views_are_said_and_never_fatal() {
    let database = Database::fresh();
    database.execute(&OURS.replace("CREATED_AT TIMESTAMP(6)", "CREATED_AT TIMESTAMP(6), KIND NUMBER NOT NULL"));
    database.standin.set_views(Views::Unreadable);
    let (code, lines) = check(&database, &[]);
    assert_eq!((code, lines.len()), (Some(0), 3), "{lines:?}");
    assert!(
        lines[0].starts_with("skipped  URL_RESULT: unique key: could not be checked") && lines[0].contains("ORA-00942")
    );
    assert!(lines[1].starts_with("skipped  URL_RESULT: other columns: could not be checked"), "{lines:?}");
    let app = App::start(&database.settings());
    app.wait_for_log("the result table has been checked");
    assert!(app.log().contains("unique key: could not be checked"), "{}", app.log());
}

#[test]
fn the_start_warns_of_each_lack_once_and_serves_all_the_same() {
    let database = Database::fresh();
    database.execute(
        "CREATE TABLE URL_RESULT (URL VARCHAR2(100 BYTE), RESULT NUMBER, MODEL VARCHAR2(200 BYTE), CREATED_AT DATE)",
    );
    let app = App::start(&database.settings());
    app.wait_for_log("the result table has been checked");
    assert_eq!(app.ask("http://example.com/").header("cache-status"), Some("augur; fwd=miss; stored"));
    let log = app.log();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains("WARN")).collect();
    assert_eq!(warnings.len(), 2, "{log}");
    assert!(warnings[0].contains("key column: URL takes 100 bytes"), "{log}");
    assert!(warnings[1].contains("unique key: there is none on URL alone"), "{log}");
}

#[test]
fn the_start_says_how_to_make_a_missing_table() {
    let database = Database::fresh();
    let app = App::start(&database.settings());
    let line = app.wait_for_log("table: URL_RESULT is not there");
    assert!(line.contains("run `augur schema apply`"), "{line}");
}

#[test]
fn the_table_is_looked_at_once_the_database_is_back() {
    let database = Database::fresh();
    database.standin.set_down(true);
    let app = App::start(&[&database.settings()[..], &["store.oracle.acquire_timeout_ms=10".to_owned()]].concat());
    app.wait_for_log("cannot log on to Oracle");
    // The first look has failed by then.
    std::thread::sleep(std::time::Duration::from_millis(300));
    database.standin.set_down(false);
    app.wait_for_log("table: URL_RESULT is not there");
}
