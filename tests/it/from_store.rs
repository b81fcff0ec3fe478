//! `augur train --from-store` and `augur evaluate --from-store`: what is learnt from is in the database already.

use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use oracle::sql_type::OracleType;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::app::{PATIENCE, augur, interruptible_augur};
use crate::standin::Database;

fn csv() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/urls.csv")
}

/// The rows of the CSV file.
fn rows() -> Vec<(String, f64)> {
    let mut reader = csv::Reader::from_path(csv()).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// A folder to write to, and another with an SQLite database, where `visits` holds the rows and two with a NULL.
struct Sqlite {
    out: TempDir,
    data: TempDir,
}

impl Sqlite {
    fn new() -> Self {
        let sqlite = Self { out: tempfile::tempdir().unwrap(), data: tempfile::tempdir().unwrap() };
        let mut connection = Connection::open(sqlite.data.path().join("visits.db")).unwrap();
        connection.execute_batch("CREATE TABLE visits (n INTEGER PRIMARY KEY, page TEXT, label)").unwrap();
        let transaction = connection.transaction().unwrap();
        for (page, label) in rows() {
            transaction.execute("INSERT INTO visits (page, label) VALUES (?1, ?2)", (page, label)).unwrap();
        }
        transaction
            .execute_batch("INSERT INTO visits (page, label) VALUES (NULL, 1), ('http://a.example/', NULL)")
            .unwrap();
        transaction.commit().unwrap();
        sqlite
    }

    fn settings(&self) -> Vec<String> {
        vec![format!("store.sqlite.path={}", self.data.path().join("visits.db").display())]
    }

    fn run(&self, arguments: &[&str]) -> Output {
        run(&self.out, &self.settings(), arguments)
    }
}

fn run(folder: &TempDir, settings: &[String], arguments: &[&str]) -> Output {
    let mut command = augur();
    command.current_dir(folder).args(arguments);
    for setting in settings {
        command.args(["--set", setting]);
    }
    command.output().unwrap()
}

/// The content hash in a training report.
fn hash(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    said.lines().next().unwrap().rsplit('-').next().unwrap().to_owned()
}

fn files(folder: &TempDir) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// The one sentence with which `train --from-store` ends; nothing is written.
fn refusal(folder: &TempDir, settings: &[String], select: &str) -> String {
    let output = run(folder, settings, &["train", "--out", "m.augur", "--from-store", select]);
    assert_eq!(output.status.code(), Some(1), "{select}");
    assert_eq!(files(folder), 0);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said.trim_end().strip_prefix("augur: --from-store: ").unwrap_or_else(|| panic!("{said}")).to_owned()
}

const RIDGE: [&str; 5] = ["train", "--algorithm", "ridge", "--out", "m.augur"];
const ORDERED: &str = "select page, label from visits order by n;";

#[test]
fn the_same_rows_give_the_same_model_from_a_file_and_from_sqlite() {
    let sqlite = Sqlite::new();
    let from_csv = sqlite.run(&[&RIDGE[..], &["--data", csv().to_str().unwrap()]].concat());
    let from_store = sqlite.run(&[&RIDGE[..], &["--from-store", ORDERED]].concat());
    assert_eq!(hash(&from_store), hash(&from_csv));
    let said = String::from_utf8(from_store.stderr).unwrap();
    assert_eq!(said, "--from-store: 2 rows that hold a NULL are left out\n");
    // Nothing is left beside the database either.
    assert_eq!(files(&sqlite.data), 1);

    let judge = |more: &[&str]| sqlite.run(&[&["evaluate", "--json", "--model", "m.augur"], more].concat()).stdout;
    let figures = judge(&["--from-store", ORDERED]);
    assert!(!figures.is_empty());
    assert_eq!(figures, judge(&["--data", csv().to_str().unwrap()]));
}

#[test]
fn the_same_rows_give_the_same_model_from_a_file_and_from_oracle_in_large_fetches() {
    let (database, folder) = (Database::fresh(), tempfile::tempdir().unwrap());
    database.execute("CREATE TABLE VISITS (N NUMBER, PAGE VARCHAR2(4000 BYTE), LABEL NUMBER)");
    let rows: Vec<(String, f64)> = std::iter::repeat_n(rows(), 4).flatten().collect();
    let mut text = csv::Writer::from_path(folder.path().join("rows.csv")).unwrap();
    text.write_record(["url", "result"]).unwrap();
    let inspector = database.inspector();
    let mut batch =
        inspector.batch("INSERT INTO VISITS (N, PAGE, LABEL) VALUES (:1, :2, :3)", rows.len()).build().unwrap();
    batch.set_type(2, &OracleType::Varchar2(1000)).unwrap();
    for (n, (page, label)) in rows.iter().enumerate() {
        text.write_record([page, &label.to_string()]).unwrap();
        batch.append_row(&[&(n as f64), page, label]).unwrap();
    }
    batch.execute().unwrap();
    text.flush().unwrap();
    let from_csv = run(&folder, &[], &[&RIDGE[..], &["--data", "rows.csv"]].concat());
    database.standin.reset_counters();
    let select = "SELECT PAGE, LABEL FROM VISITS ORDER BY N";
    let from_store = run(&folder, &database.settings(), &[&RIDGE[..], &["--from-store", select]].concat());
    assert_eq!(hash(&from_store), hash(&from_csv));
    let cost = database.standin.counters();
    // One of them sets the session's order.
    assert_eq!((cost.executes, cost.rows_fetched, cost.commits), (2, 1240, 0), "{cost:?}");
    // 501 rows come with the execute, the others in two or three fetches of 500.
    assert!(cost.round_trips <= 5, "{cost:?}");
}

#[test]
fn what_gives_nothing_to_learn_from_is_refused_in_a_sentence_that_says_what_to_change() {
    let sqlite = Sqlite::new();
    for (select, sentence) in [
        ("delete from visits", "it must be a SELECT (or WITH ... SELECT) of two columns"),
        ("select page, label from visits; delete from visits", "it must be a single statement"),
        ("with x as (select 1) delete from visits", "it must not change anything; write a SELECT"),
        ("select page from visits", "it gives 1 columns; select exactly two, a text and a number"),
        ("select * from visits", "it gives 3 columns; select exactly two"),
        ("select page, labels from visits", "the database refuses it: no such column: labels"),
        ("select page, label from visits where n < 0", "it gives no rows; see its WHERE"),
        ("select page, null from visits", "all of its 312 rows hold a NULL; select rows that have"),
        ("select n, label from visits", "row 1: the first column is Integer, not TEXT; cast it (as text)"),
        ("select page, 'x' from visits", "row 1: the second column is Text, not a number; cast it (as real)"),
        ("select page, 9e999 from visits where page is not null", "row 1: the result is inf, not a finite number"),
        ("select page, ? from visits", "the database refuses it: "),
    ] {
        let said = refusal(&sqlite.out, &sqlite.settings(), select);
        assert!(said.starts_with(sentence), "{select}: {said}");
    }
    let connection = Connection::open(sqlite.data.path().join("visits.db")).unwrap();
    let rows: i64 = connection.query_row("SELECT COUNT(*) FROM visits", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 312);

    let absent = [format!("store.sqlite.path={}", sqlite.data.path().join("absent.db").display())];
    assert!(refusal(&sqlite.out, &absent, ORDERED).starts_with("there is no database at store.sqlite.path "));
    assert!(!sqlite.data.path().join("absent.db").exists());
}

#[test]
fn oracle_says_what_to_change_too() {
    let (database, folder) = (Database::fresh(), tempfile::tempdir().unwrap());
    database.execute("CREATE TABLE VISITS (PAGE VARCHAR2(100), LABEL NUMBER, WORD VARCHAR2(20), BLANKS CHAR(9))");
    for (select, sentence) in [
        ("begin null; end;", "it must be a SELECT (or WITH ... SELECT) of two columns"),
        ("select page, label, word from visits", "it gives 3 columns; select exactly two, a text and a number"),
        ("select page, word from visits", "the second column is VARCHAR2(20), not a number; use to_number(...)"),
        ("select blanks, label from visits", "the first column is CHAR(9), not VARCHAR2; cast it"),
        ("select page, label from visit", "the database refuses it: OCI Error: ORA-00942"),
        ("select page, label from visits", "it gives no rows; see its WHERE"),
    ] {
        let said = refusal(&folder, &database.settings(), select);
        assert!(said.starts_with(sentence), "{select}: {said}");
    }
}

#[test]
fn there_is_one_place_to_learn_from() {
    let sqlite = Sqlite::new();
    for other in [["--data", "x.csv"], ["--images", "x"]] {
        let output = sqlite.run(&[&RIDGE[..], &["--from-store", ORDERED], &other].concat());
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("cannot be used with"), "{said}");
    }
}

#[test]
fn an_interrupt_leaves_nothing() {
    let sqlite = Sqlite::new();
    let endless = "with recursive n(x) as (select 1 union all select x + 1 from n) select 'a', x from n where x < 0";
    let mut command = interruptible_augur();
    command.current_dir(&sqlite.out).args(RIDGE).args(["--from-store", endless, "--set", &sqlite.settings()[0]]);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + PATIENCE;
    // Until it is at the query: then the file is open.
    let files_open = format!("/proc/{}/fd", child.id());
    let is_open = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.and_then(|entry| entry.path().read_link()).is_ok_and(|path| path.ends_with("visits.db"))
    };
    while !std::fs::read_dir(&files_open).unwrap().any(is_open) {
        assert!(Instant::now() < end && child.try_wait().unwrap().is_none(), "it does not read");
        std::thread::sleep(Duration::from_millis(5));
    }
    interrupt(child);
    assert_eq!(files(&sqlite.out), 0);
}

#[test]
fn an_interrupt_of_the_fit_leaves_nothing() {
    let sqlite = Sqlite::new();
    // As many rows as take minutes to fit.
    let folder = tempfile::tempdir().unwrap();
    let many = folder.path().join("many.csv");
    let mut writer = csv::Writer::from_path(&many).unwrap();
    writer.write_record(["url", "result"]).unwrap();
    for (url, result) in
        (0..40).flat_map(|_| rows()).enumerate().map(|(n, (url, result))| (format!("{url}{n}"), result))
    {
        writer.serialize((url, result)).unwrap();
    }
    writer.flush().unwrap();
    let mut command = interruptible_augur();
    command.current_dir(&sqlite.out).args(["train", "--out", "m.augur", "--param", "folds=20", "--data"]).arg(many);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + PATIENCE;
    // The default algorithm fits on threads of their own; nothing before does.
    let threads = format!("/proc/{}/task", child.id());
    while std::fs::read_dir(&threads).unwrap().count() < 2 {
        assert!(Instant::now() < end && child.try_wait().unwrap().is_none(), "it does not fit");
        std::thread::sleep(Duration::from_millis(1));
    }
    interrupt(child);
    assert_eq!(files(&sqlite.out), 0);
}

/// Ends it as Ctrl-C does; it was still at work.
fn interrupt(mut child: Child) {
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    assert!(!child.wait().unwrap().success());
}
