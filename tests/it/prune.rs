//! `augur prune`: old results are removed, and what people, other programs and other models wrote stays.

use augur::service::{Pace, PruneOptions, Whose, prune};
use augur::store::{SqliteSettings, SqliteStore, TableNames, TableSettings};

use crate::app::{PATIENCE, augur};
use crate::live_models::Place;
use crate::rescore::Versioned;

#[test]
fn prune_removes_old_predictions_and_never_corrections_or_rows_without_a_date() {
    let it = Versioned::new();
    let (older, newer) = (format!("url@{}", it.older), format!("url@{}", it.newer));
    let others =
        ["fraud-team", "Manual", "", "other@20200101T000000Z-000000000000", "a@url@20200101T000000Z-000000000000"];
    let mut rows = vec![
        ("old".to_owned(), Some(older.as_str())),
        ("old of another".to_owned(), Some(newer.as_str())),
        ("young".to_owned(), Some(&*older)),
        ("undated".to_owned(), Some(&*older)),
        ("unreadable".to_owned(), Some(&*older)),
        ("old manual".to_owned(), Some("manual")),
        ("old unknown".to_owned(), None),
    ];
    rows.extend(others.map(|model| (format!("old, by '{model}'"), Some(model))));
    for (url, model) in &rows {
        it.insert(url, 0.5, *model);
    }
    let database = it.database();
    database
        .execute_batch(
            "UPDATE URL_RESULT SET CREATED_AT = '2020-01-01T00:00:00.000Z' WHERE URL LIKE 'old%';
             UPDATE URL_RESULT SET CREATED_AT = NULL WHERE URL = 'undated';
             UPDATE URL_RESULT SET CREATED_AT = 'long ago' WHERE URL = 'unreadable';",
        )
        .unwrap();
    let urls = || -> Vec<String> {
        let mut select = database.prepare("SELECT URL FROM URL_RESULT WHERE URL NOT LIKE '%by%' ORDER BY URL").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let by_others = || -> i64 {
        let count = "SELECT count(*) FROM URL_RESULT WHERE URL LIKE '%by%'";
        database.query_row(count, [], |row| row.get(0)).unwrap()
    };
    let prune = |more: &[&str]| it.place.run(&[&["prune", "--older-than", "30"][..], more].concat());
    assert_eq!(prune(&["--dry-run"]), "         2  rows would be removed\n");
    assert_eq!(urls().len(), 7);
    assert_eq!(prune(&["--model", &older, "--rate", "1000"]), "         1  rows removed\n");
    assert_eq!(prune(&["--model", "manual"]), "         0  rows removed\n");
    assert_eq!(prune(&[]), "         1  rows removed\n");
    assert_eq!(urls(), ["old manual", "old unknown", "undated", "unreadable", "young"]);
    assert_eq!(prune(&["--include-unknown"]), "         1  rows removed\n");
    assert_eq!(urls(), ["old manual", "undated", "unreadable", "young"]);
    assert_eq!(by_others(), 5);
    assert_eq!(prune(&["--model", "fraud-team"]), "         1  rows removed\n");
    assert_eq!(by_others(), 4);

    let refused = it.place.refusal(&["prune", "--older-than", "0"]);
    assert!(refused.contains("--older-than 0 removes rows of any age: name their --model too"), "{refused}");
    assert_eq!(it.place.run(&["prune", "--older-than", "0", "--model", &older]), "         1  rows removed\n");
    assert_eq!(urls(), ["old manual", "undated", "unreadable"]);
}

#[test]
fn prune_of_labels_takes_those_of_the_image_model() {
    let it = Versioned::new();
    let database = it.database();
    for (n, model) in ["image@20200101T000000Z-000000000000", &format!("url@{}", it.older), "manual"].iter().enumerate()
    {
        let sql = "INSERT INTO IMAGE_RESULT (IMAGE_SHA256, LABEL, MODEL, CREATED_AT) VALUES (?1, '7', ?2, '2020-01-01T00:00:00.000Z')";
        database.execute(sql, (format!("{n:064x}"), model)).unwrap();
    }
    assert_eq!(it.place.run(&["prune", "--older-than", "30", "--images"]), "         1  rows removed\n");
    let left: i64 = database.query_row("SELECT count(*) FROM IMAGE_RESULT", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 2);
}

#[test]
fn a_path_without_a_database_is_refused_and_none_is_made() {
    let place = Place::new();
    let setting = format!("store.sqlite.path={}", place.path("mistyped/augur.db"));
    for command in [&["rescore"][..], &["rescore", "--dry-run"], &["prune", "--older-than", "30", "--dry-run"]] {
        let output = augur().args(command).args(["--set", &setting]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("augur: there is no database at store.sqlite.path "), "{said}");
        assert!(!place.folder.path().join("mistyped").exists());
    }
}

#[test]
fn a_panic_in_the_middle_ends_the_sweep_with_an_error() {
    let it = Versioned::new();
    let insert = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5000)
                  INSERT INTO URL_RESULT (URL, RESULT, MODEL) SELECT x, 0.5, 'm@1' FROM n";
    it.database().execute(insert, []).unwrap();
    let settings = SqliteSettings { path: it.place.path("augur.db").into() };
    let store = SqliteStore::open(&settings, &TableNames::parse(&TableSettings::default()).unwrap()).unwrap();
    let options = PruneOptions {
        before: jiff::Timestamp::MAX,
        whose: Whose::Exactly("m@1".to_owned()),
        pace: Pace { workers: 3, rows_per_s: None },
        dry_run: true,
    };
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let pruned = prune(&store, &options, &|_| panic!("on purpose"));
        ended.send(pruned.map(|_| ()).map_err(|error| format!("{:#}", anyhow::Error::from(error)))).unwrap();
    });
    let error = end.recv_timeout(PATIENCE).expect("it ends").expect_err("it fails");
    assert!(error.contains("panicked"), "{error}");
}

#[test]
fn a_row_that_the_table_does_not_let_go_is_counted_and_the_others_are_removed() {
    let it = Versioned::new();
    for url in ["a", "b", "c"] {
        it.insert(url, 0.5, Some(&format!("url@{}", it.older)));
    }
    it.database()
        .execute_batch(
            "CREATE TRIGGER KEEP BEFORE DELETE ON URL_RESULT WHEN OLD.URL = 'b' BEGIN SELECT RAISE(ABORT, 'kept'); END",
        )
        .unwrap();
    let model = format!("url@{}", it.older);
    let said = it.place.run(&["prune", "--older-than", "0", "--model", &model]);
    let kept =
        "         1  stay: a constraint or trigger of the table holds on to them, as a DELETE will tell of \"b\"\n";
    assert_eq!(said, format!("         2  rows removed\n{kept}"));
}
