//! The SQL files: the same names in both dialects, and nothing that OCI would refuse. `inspect` is the exception: what each
//! database tells of its tables has no twin in the other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn folder(dialect: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sql").join(dialect)
}

fn names(dialect: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder(dialect)).unwrap().map(Result::unwrap);
    entries
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

#[test]
fn only_inspect_has_no_twin() {
    for dialect in ["oracle", "sqlite"] {
        let entries = std::fs::read_dir(folder(dialect)).unwrap().map(Result::unwrap);
        let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
        let folders: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
        assert_eq!(folders, ["inspect"]);
    }
}

#[test]
fn both_dialects_have_the_same_files() {
    assert_eq!(names("oracle"), names("sqlite"));
    assert!(names("oracle").contains("find.sql"));
}

#[test]
fn oracle_statements_have_no_semicolon_at_the_end_but_pl_sql_has() {
    let inspect = names("oracle/inspect").into_iter().map(|name| format!("inspect/{name}"));
    for name in names("oracle").into_iter().chain(inspect) {
        let text = std::fs::read_to_string(folder("oracle").join(&name)).unwrap();
        let pl_sql = text.lines().any(|line| line == "BEGIN");
        assert_eq!(text.trim_end().ends_with(';'), pl_sql, "{name}");
        assert!(!text.lines().any(|line| line == "/"), "{name}: the slash is SQL*Plus's, not Oracle's");
    }
}

#[test]
fn a_page_is_a_range_of_the_key_and_sorts_nothing() {
    let read = |name: &str| std::fs::read_to_string(folder("sqlite").join(name)).unwrap();
    let conn = rusqlite::Connection::open_in_memory().unwrap();
    for of in ["", "image_"] {
        conn.execute_batch(&read(&format!("{of}create.sql"))).unwrap();
        let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {}", read(&format!("{of}page.sql")))).unwrap();
        let binds = ["a", "a", "b", "m", "10"];
        let steps = explain.query_map(binds, |row| row.get::<_, String>("detail")).unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        assert_eq!(steps.len(), 1, "{steps:?}");
        assert!(
            steps[0].starts_with("SEARCH") && steps[0].contains(">? AND ") && steps[0].contains("<?)"),
            "{steps:?}"
        );
    }
}
