//! The SQL files: the same names in both dialects, and nothing that OCI would refuse.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn folder(dialect: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sql").join(dialect)
}

fn names(dialect: &str) -> BTreeSet<String> {
    std::fs::read_dir(folder(dialect)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn both_dialects_have_the_same_files() {
    assert_eq!(names("oracle"), names("sqlite"));
    assert!(names("oracle").contains("find.sql"));
}

#[test]
fn oracle_statements_have_no_semicolon_at_the_end_but_pl_sql_has() {
    for name in names("oracle") {
        let text = std::fs::read_to_string(folder("oracle").join(&name)).unwrap();
        let pl_sql = text.lines().any(|line| line == "BEGIN");
        assert_eq!(text.trim_end().ends_with(';'), pl_sql, "{name}");
        assert!(!text.lines().any(|line| line == "/"), "{name}: the slash is SQL*Plus's, not Oracle's");
    }
}
