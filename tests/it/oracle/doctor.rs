//! `augur doctor` on Oracle: one line each, one logon, and no secret.

use oci_standin::{FailOn, PASSWORD, Views};

use super::schema::run;
use crate::app::augur;
use crate::standin::Database;

struct Doctor {
    code: Option<i32>,
    lines: Vec<String>,
}

impl Doctor {
    /// Runs it with further arguments; a later `--set` wins.
    fn ask(database: &Database, more: &[&str]) -> Self {
        let connect_string =
            format!("store.oracle.connect_string=//standin:1521/{}", database.standin.folder().display());
        let mut command = augur();
        command.arg("doctor");
        for setting in database.settings().iter().chain([&connect_string]) {
            command.args(["--set", setting]);
        }
        let done = command.args(more).output().unwrap();
        assert!(done.stderr.is_empty(), "{done:?}");
        let text = String::from_utf8(done.stdout).unwrap();
        assert!(!text.contains(PASSWORD), "{text}");
        Self { code: done.status.code(), lines: text.lines().map(str::to_owned).collect() }
    }

    /// The line about something.
    fn line(&self, about: &str) -> &str {
        let mark = format!("  {about}: ");
        let mut lines = self.lines.iter().filter(|line| line.get(7..).is_some_and(|rest| rest.starts_with(&mark)));
        let line = lines.next().unwrap_or_else(|| panic!("nothing about {about}: {:#?}", self.lines));
        assert!(lines.next().is_none(), "{about}: {:#?}", self.lines);
        line
    }

    fn assert(&self, about: &str, verdict: &str, words: &str) {
        let line = self.line(about);
        assert!(line.starts_with(verdict) && line.contains(words), "{line}");
    }
}

fn sound() -> Database {
    let database = Database::fresh();
    assert!(run(&database, &["schema", "apply"]).status.success());
    database.standin.reset_counters();
    database
}

#[test]
fn a_sound_database_is_ok_from_the_settings_to_the_session_limits() {
    let database = sound();
    let doctor = Doctor::ask(&database, &[]);
    assert_eq!(doctor.code, Some(0), "{:#?}", doctor.lines);
    let abouts: Vec<&str> = doctor.lines.iter().map(|line| line[9..].split(':').next().unwrap()).collect();
    assert_eq!(
        abouts,
        [
            "settings",
            "model",
            "image model",
            "time limits",
            "client library",
            "connect string",
            "connect",
            "credentials",
            "server version",
            "table",
            "key column",
            "result column",
            "model column",
            "created column",
            "unique key",
            "other columns",
            "privileges",
            "character set",
            "lookup",
            "plan of the lookup",
            "session limits",
            "image table",
        ]
    );
    // The stand-in has no DBMS_XPLAN.
    let not_ok: Vec<&String> = doctor.lines.iter().filter(|line| !line.starts_with("ok ")).collect();
    assert_eq!(not_ok.len(), 1, "{not_ok:?}");
    doctor.assert("plan of the lookup", "skipped", "could not be checked");
    doctor.assert("lookup", "ok", "takes 1 round trip");
    let counters = database.standin.counters();
    assert_eq!((counters.logon_attempts, counters.nchar_binds, counters.rows_inserted), (1, 0, 0));
}

#[test]
fn a_width_in_characters_is_not_taken_for_one_in_bytes() {
    let database = Database::fresh();
    database.execute(
        "CREATE TABLE URL_RESULT (URL VARCHAR2(1000 CHAR) PRIMARY KEY, RESULT BINARY_DOUBLE, MODEL VARCHAR2(30 CHAR),
         CREATED_AT TIMESTAMP(6))",
    );
    let doctor = Doctor::ask(&database, &[]);
    assert_eq!(doctor.code, Some(1));
    doctor.assert("key column", "warning", "takes 1000 characters");
    doctor.assert("model column", "failed", "takes 30 characters");
}

#[test]
fn a_refused_password_is_tried_once_and_what_lies_behind_is_skipped() {
    let database = sound();
    database.standin.set_account(oci_standin::USER, "another").unwrap();
    let doctor = Doctor::ask(&database, &[]);
    assert_eq!(doctor.code, Some(1));
    doctor.assert("connect", "ok", "ms");
    doctor.assert("credentials", "failed", "ORA-01017");
    let behind = ["server version", "table", "privileges", "character set", "lookup", "plan of the lookup"];
    for about in behind.into_iter().chain(["session limits", "image table"]) {
        doctor.assert(about, "skipped", "there is no session");
    }
    assert_eq!(database.standin.counters().logon_attempts, 1);
}

#[test]
fn a_database_that_is_down_is_named_with_its_error() {
    let database = sound();
    database.standin.set_down(true);
    let doctor = Doctor::ask(&database, &[]);
    assert_eq!(doctor.code, Some(1));
    doctor.assert("connect", "failed", "ORA-12541");
    doctor.assert("credentials", "skipped", "");
    doctor.assert("table", "skipped", "");
    assert_eq!(database.standin.counters().logon_attempts, 1);
}

#[test]
fn without_a_client_library_or_a_password_it_says_what_is_missing() {
    let database = sound();
    let empty = tempfile::tempdir().unwrap();
    let doctor = Doctor::ask(&database, &["--set", &format!("store.oracle.client_lib_dir={}", empty.path().display())]);
    assert_eq!(doctor.code, Some(1));
    doctor.assert("client library", "failed", "DPI-1047");
    doctor.assert("client library", "failed", "Instant Client");
    doctor.assert("credentials", "skipped", "there is no client library");
    let missing = format!("store.oracle.password_file={}/none", empty.path().display());
    let doctor = Doctor::ask(&database, &["--set", &missing]);
    assert_eq!(doctor.code, Some(1));
    doctor.assert("credentials", "failed", "cannot read store.oracle.password_file");
    assert_eq!(database.standin.counters().logon_attempts, 0);
}

#[test]
fn settings_that_cannot_be_used_end_the_examination() {
    let done = augur().args(["doctor", "--set", "store.backend=oracle"]).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(text.starts_with("failed   settings: store.oracle.connect_string is not set"), "{text}");
    assert!(text.lines().nth(1).unwrap().starts_with("skipped"), "{text}");
}

#[test]
fn only_warnings_are_exit_code_2() {
    let database = sound();
    let as_given = format!("store.oracle.connect_string={}", database.standin.connect_string());
    let doctor = Doctor::ask(&database, &["--set", &as_given]);
    assert_eq!(doctor.code, Some(2));
    doctor.assert("connect string", "warning", "no connect timeouts can be added");
    let doctor = Doctor::ask(&database, &["--set", "server.request_timeout_ms=3999"]);
    assert_eq!(doctor.code, Some(2));
    doctor.assert("time limits", "warning", "at least twice");
    // 100 processes in the stand-in: 4 x (14 + 1) + 40 are just within.
    let doctor = Doctor::ask(&database, &["--replicas", "14"]);
    assert_eq!(doctor.code, Some(0));
    let doctor = Doctor::ask(&database, &["--replicas", "15"]);
    assert_eq!(doctor.code, Some(2));
    doctor.assert("session limits", "warning", "pool_size 4 x (15 replicas + one command) + 40");
    database.execute("UPDATE NLS_DATABASE_PARAMETERS SET VALUE = 'WE8MSWIN1252' WHERE PARAMETER = 'NLS_CHARACTERSET'");
    let doctor = Doctor::ask(&database, &[]);
    assert_eq!(doctor.code, Some(2));
    doctor.assert("character set", "warning", "WE8MSWIN1252");
}

#[test]
fn a_missing_right_is_named_with_its_grant() {
    let database = sound();
    database.standin.fail_next(1, 1031, FailOn::Change);
    let doctor = Doctor::ask(&database, &[]);
    assert_eq!(doctor.code, Some(1));
    doctor.assert("privileges", "failed", "no INSERT");
    doctor.assert("privileges", "failed", "GRANT INSERT ON URL_RESULT TO augur");
}

#[test]
fn the_table_of_pictures_is_looked_at_where_pictures_are_served() {
    let database = sound();
    Doctor::ask(&database, &[]).assert("image table", "ok", "table, key column, result column");
    Doctor::ask(&database, &[]).assert("image table", "ok", "privileges");
    let model_missing = Doctor::ask(&database, &["--set", "models.image.path=none.augur"]);
    assert_eq!(model_missing.code, Some(1));
    model_missing.assert("image model", "failed", "set models.image.path");
    database.execute("DROP TABLE IMAGE_RESULT");
    let doctor = Doctor::ask(&database, &[]);
    assert_eq!(doctor.code, Some(1), "{:#?}", doctor.lines);
    doctor.assert("image table", "failed", "IMAGE_RESULT is not there");
    doctor.assert("image table", "failed", "run `augur schema apply`");
    doctor.assert("table", "ok", "URL_RESULT");
    database.execute(
        "CREATE TABLE IMAGE_RESULT (IMAGE_SHA256 VARCHAR2(64 BYTE) NOT NULL, LABEL VARCHAR2(4000 BYTE), \
         MODEL VARCHAR2(10 BYTE), CREATED_AT TIMESTAMP(6), CONSTRAINT IMAGE_RESULT_PK PRIMARY KEY (IMAGE_SHA256))",
    );
    let doctor = Doctor::ask(&database, &[]);
    assert_eq!(doctor.code, Some(1), "{:#?}", doctor.lines);
    doctor.assert("image table", "failed", "model column: MODEL takes 10 bytes, but the model is called image@");
    let without = Doctor::ask(&database, &["--set", "models.image.enabled=false"]);
    assert_eq!(without.code, Some(0), "{:#?}", without.lines);
    assert!(!without.lines.iter().any(|line| line.contains("image")), "{:#?}", without.lines);
}

#[test]
fn a_missing_table_leaves_nothing_to_try() {
    let database = Database::fresh();
    let doctor = Doctor::ask(&database, &[]);
    assert_eq!(doctor.code, Some(1));
    doctor.assert("table", "failed", "run `augur schema apply`");
    for about in ["privileges", "lookup", "plan of the lookup"] {
        doctor.assert(about, "skipped", "the table cannot be read");
    }
    doctor.assert("character set", "ok", "AL32UTF8");
}

#[test]
fn views_that_ordinary_users_may_not_read_are_skipped_with_the_reason() {
    let database = sound();
    database.standin.set_views(Views::NoPerformanceViews);
    let doctor = Doctor::ask(&database, &[]);
    assert_eq!(doctor.code, Some(0), "{:#?}", doctor.lines);
    doctor.assert("unique key", "ok", "on URL alone");
    for about in ["lookup", "plan of the lookup", "session limits"] {
        doctor.assert(about, "skipped", "ORA-00942");
    }
    database.standin.set_views(Views::Unreadable);
    let doctor = Doctor::ask(&database, &[]);
    assert_eq!(doctor.code, Some(0), "{:#?}", doctor.lines);
    doctor.assert("unique key", "skipped", "ORA-00942");
    doctor.assert("character set", "skipped", "ORA-00942");
}
