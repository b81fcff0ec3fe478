//! `augur doctor` and `augur schema check` on SQLite.

use std::path::Path;

use rusqlite::Connection;

use crate::app::{App, augur};

/// The exit code and the text of a command on the database at `path`.
fn run(args: &[&str], path: &Path) -> (Option<i32>, String) {
    let path = format!("store.sqlite.path={}", path.display());
    let done = augur().args(args).args(["--set", &path]).output().unwrap();
    assert!(done.stderr.is_empty(), "{done:?}");
    (done.status.code(), String::from_utf8(done.stdout).unwrap())
}

#[test]
fn a_first_start_is_foreseen_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/augur.db");
    let (code, text) = run(&["doctor"], &path);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("is not there yet; `augur serve` makes it"), "{text}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // A file where the folder should be: also root cannot make one there.
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (code, text) = run(&["doctor"], &file.join("augur.db"));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("failed   file: ") && text.contains("set store.sqlite.path"), "{text}");
}

#[test]
fn the_file_of_api_keys_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let setting = format!("auth.keys_file={}", keys.display());
    let (code, text) = run(&["doctor", "--set", &setting], &folder.path().join("augur.db"));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("failed   API keys: auth.keys_file ") && !text.contains("keygen"), "{text}");
    for (bad, said) in [("# none\n", "keys: it holds no key: "), ("ops\n", "keys: line 1: a line is a name, ")] {
        std::fs::write(&keys, bad).unwrap();
        let (_, text) = run(&["doctor", "--set", &setting], &folder.path().join("augur.db"));
        let line = text.lines().find(|line| line.starts_with("failed   API keys: ")).unwrap();
        assert!(line.contains(said) && line.ends_with(": lines are made by `augur keygen`"), "{line}");
        assert_eq!(line.matches("keygen").count(), 1, "{line}");
        assert_eq!(line.matches("auth.keys_file").count(), 1, "{line}");
    }
    let made = augur().args(["keygen", "--name", "ops", "--scope", "predict"]).output().unwrap();
    let made = String::from_utf8(made.stdout).unwrap();
    let line = made.lines().find_map(|line| line.strip_prefix("line: ")).unwrap().to_owned();
    std::fs::write(&keys, &line).unwrap();
    let (code, text) = run(&["doctor", "--set", &setting], &folder.path().join("augur.db"));
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("ok       API keys: 1 in auth.keys_file ") && !text.contains(&line), "{text}");
}

#[test]
fn the_database_of_a_server_at_work_is_ok() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("augur.db");
    let app = App::start(&[format!("store.sqlite.path={}", path.display())]);
    app.ask("http://example.com/");
    let (code, text) = run(&["doctor"], &path);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.lines().all(|line| line.starts_with("ok ")), "{text}");
    for about in [
        "settings",
        "model",
        "file",
        "journal",
        "table",
        "key column",
        "unique key",
        "other columns",
        "image model",
        "image table",
    ] {
        assert!(text.contains(&format!("ok       {about}: ")), "{about}: {text}");
    }
}

#[test]
fn what_is_no_database_and_no_model_is_failed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("augur.db");
    std::fs::write(&path, "this is a text, and much too long to be taken for an empty database file").unwrap();
    let model = format!("models.url.path={}", path.display());
    let (code, text) = run(&["doctor", "--set", &model], &path);
    assert_eq!(code, Some(1));
    assert!(text.contains("failed   model: ") && text.contains("failed   file: "), "{text}");
    assert!(text.contains("skipped  table: "), "{text}");
}

#[test]
fn each_lack_of_a_table_has_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("augur.db");
    let conn = Connection::open(&path).unwrap();
    let cases = [
        (
            "URL TEXT, RESULT REAL, MODEL TEXT, CREATED_AT TEXT",
            "warning  URL_RESULT: unique key: there is none on URL alone",
        ),
        (
            "URL TEXT COLLATE NOCASE PRIMARY KEY, RESULT REAL, MODEL TEXT, CREATED_AT TEXT",
            "warning  URL_RESULT: unique key: there is none on URL alone that compares bytes",
        ),
        (
            "URL NUMERIC UNIQUE, RESULT REAL, MODEL TEXT, CREATED_AT TEXT",
            "warning  URL_RESULT: key column: URL is NUMERIC",
        ),
        (
            "URL TEXT UNIQUE, RESULT REAL, CREATED_AT TEXT",
            "failed   URL_RESULT: model column: MODEL is not there (columns: URL, RESULT, CREATED_AT): set store.table.model_column",
        ),
        (
            "URL TEXT UNIQUE, RESULT REAL, MODEL TEXT, CREATED_AT TEXT, A TEXT NOT NULL, B TEXT DEFAULT 1 NOT NULL",
            "failed   URL_RESULT: other columns: A must have a value but no default",
        ),
    ];
    for (columns, expected) in cases {
        conn.execute_batch(&format!("DROP TABLE IF EXISTS URL_RESULT; CREATE TABLE URL_RESULT ({columns})")).unwrap();
        let (code, text) = run(&["schema", "check", "--set", "models.image.enabled=false"], &path);
        assert_eq!((code, text.lines().count()), (Some(1), 1), "{columns}: {text}");
        assert!(text.starts_with(expected), "{columns}: {text}");
    }
    let (code, text) = run(&["doctor"], &path);
    assert_eq!(code, Some(1), "{text}");
    conn.execute_batch("DROP TABLE URL_RESULT; CREATE TABLE URL_RESULT (URL TEXT, RESULT, MODEL, CREATED_AT)").unwrap();
    let (code, text) = run(&["doctor"], &path);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("failed   image table: table: there is no table IMAGE_RESULT"), "{text}");
    let (code, text) = run(&["doctor", "--set", "models.image.enabled=false"], &path);
    assert_eq!(code, Some(2), "{text}");
    assert!(!text.contains("image"), "{text}");
}

#[test]
fn a_journal_that_makes_readers_wait_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("augur.db");
    let (code, text) = run(&["schema", "apply"], &path);
    assert_eq!(code, Some(0), "{text}");
    Connection::open(&path).unwrap().pragma_update(None, "journal_mode", "DELETE").unwrap();
    let (code, text) = run(&["doctor"], &path);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("warning  journal: is delete, not WAL"), "{text}");
}
