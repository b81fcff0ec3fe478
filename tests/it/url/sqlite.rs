//! The clauses on SQLite, and what only SQLite does.

use rusqlite::Connection;
use tempfile::TempDir;

use super::{Server, Table, url_contract};
use crate::app::App;

/// A folder for the file that the server makes.
pub(crate) struct Sqlite(TempDir);

impl Sqlite {
    pub(crate) fn fresh() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The table as another program sees it.
    pub(crate) fn database(&self) -> Connection {
        Connection::open(self.0.path().join("augur.db")).unwrap()
    }

    /// A server with these settings besides.
    fn start(self, more: &[&str]) -> Server<Self> {
        let app = App::start(&[self.settings(), more.iter().map(ToString::to_string).collect()].concat());
        Server { table: self, app }
    }
}

impl Table for Sqlite {
    fn settings(&self) -> Vec<String> {
        vec![format!("store.sqlite.path={}", self.0.path().join("augur.db").display())]
    }

    fn execute(&self, sql: &str) {
        self.database().execute_batch(sql).unwrap();
    }

    fn count(&self, sql: &str) -> i64 {
        self.database().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn row(&self, url: &str) -> (f64, String) {
        let sql = "SELECT RESULT, MODEL FROM URL_RESULT WHERE URL = ?1";
        self.database().query_row(sql, [url], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }
}

url_contract!(Sqlite::fresh());

#[test]
fn a_text_of_another_program_is_returned_as_it_stands() {
    let server = Server::start(Sqlite::fresh());
    server.table.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('t', 'phishing')");
    assert_eq!(server.app.ask("t").result_text(), "\"phishing\"");
}

#[test]
fn an_existing_table_of_other_names_without_our_columns_works() {
    let table = Sqlite::fresh();
    table.execute(
        "CREATE TABLE \"My Scores\" (address TEXT PRIMARY KEY, score INTEGER, note TEXT NOT NULL DEFAULT 'x')",
    );
    let Server { table, app } = table.start(&[
        "store.table.name=\"My Scores\"",
        "store.table.key_column=address",
        "store.table.result_column=score",
        "store.table.model_column=",
        "store.table.created_column=",
    ]);
    let miss = app.ask("http://example.com/");
    let hit = app.ask("http://example.com/");
    assert_eq!(hit.header("cache-status"), Some("augur; hit"));
    assert_eq!(hit.body, miss.body, "a miss answers what the column made of the value");
    table.execute("INSERT INTO \"My Scores\" (address, score) VALUES ('seven', 7)");
    assert_eq!(app.ask("seven").result_text(), "7", "an integer prints without .0");
}

#[test]
fn a_model_that_another_program_knows_by_number_is_told_by_number() {
    let table = Sqlite::fresh();
    table.execute("CREATE TABLE URL_RESULT (URL TEXT PRIMARY KEY, RESULT REAL, MODEL INTEGER, CREATED_AT INTEGER)");
    table.execute("INSERT INTO URL_RESULT VALUES ('old', 0.5, 3, 1700000000)");
    let server = table.start(&[]);
    let hit = server.app.ask("old");
    assert_eq!((hit.result_text().as_str(), hit.header("augur-model")), ("0.5", Some("3")));
    assert_eq!(server.app.ask("new").header("cache-status"), Some("augur; fwd=miss; stored"));
}

#[test]
fn a_full_queue_refuses_at_once() {
    let Server { table, app } = Sqlite::fresh().start(&["lanes.queue_capacity=1"]);
    // Another program holds the write lock: the first miss waits for it, and the queue is full.
    let blocker = table.database();
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
    let server = Server::start(Sqlite::fresh());
    server.app.ask("http://example.com/known");
    let blocker = server.table.database();
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
    let server = Sqlite::fresh().start(&["server.request_timeout_ms=1000"]);
    let blocker = server.table.database();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let late = server.app.ask("http://example.com/");
    assert_eq!(late.status, 503);
    assert_eq!(late.json()["type"], "urn:augur:problem:deadline");
    blocker.execute_batch("COMMIT").unwrap();
    assert_eq!(server.app.ask("http://example.com/").status, 200);
    assert_eq!(server.rows("http://example.com/"), 1);
}

#[test]
fn a_row_that_the_table_cannot_take_is_answered_and_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let database = Connection::open(folder.path().join("augur.db")).unwrap();
    database.execute_batch("CREATE TABLE URL_RESULT (URL TEXT PRIMARY KEY, RESULT REAL, OWNER TEXT NOT NULL)").unwrap();
    let app = App::start(&[
        format!("store.sqlite.path={}", folder.path().join("augur.db").display()),
        "store.table.model_column=".to_owned(),
        "store.table.created_column=".to_owned(),
    ]);
    for _ in 0..2 {
        let answer = app.ask("http://example.com/");
        assert_eq!(answer.header("cache-status"), Some("augur; fwd=miss; detail=\"not stored: value does not fit\""));
        assert_eq!(answer.status, 200);
    }
    assert_eq!(app.log().matches("a row does not fit the table").count(), 1, "{}", app.log());
}

#[test]
fn each_rule_of_the_table_that_keeps_a_row_out_is_told_once() {
    let server = Sqlite::fresh();
    server.execute(
        "CREATE TABLE URL_RESULT (URL TEXT PRIMARY KEY, RESULT REAL, MODEL TEXT, CREATED_AT TEXT,
             CONSTRAINT NO_FTP CHECK (URL NOT LIKE 'ftp:%'), CONSTRAINT NO_GOPHER CHECK (URL NOT LIKE 'gopher:%'))",
    );
    let server = server.start(&[]);
    for url in ["ftp://a/", "gopher://a/", "ftp://b/", "gopher://b/"] {
        let answer = server.app.ask(url);
        let status = Some("augur; fwd=miss; detail=\"not stored: against the table's rules\"");
        assert_eq!((answer.status, answer.header("cache-status")), (200, status));
    }
    for rule in ["NO_FTP", "NO_GOPHER"] {
        assert_eq!(server.app.log().matches(rule).count(), 1, "{}", server.app.log());
    }
}

/// Where the answers of two requests come from that wait for the same key, while another program has the table to itself
/// and then does this.
fn shared(server: &Server<Sqlite>, url: &str, meanwhile: &str) -> Vec<String> {
    let blocker = server.table.database();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let ask = || scope.spawn(|| server.app.ask(url).header("cache-status").unwrap().to_owned());
        let asking = [ask(), ask()];
        std::thread::sleep(std::time::Duration::from_millis(300));
        blocker.execute_batch(&format!("{meanwhile}; COMMIT")).unwrap();
        let mut sources: Vec<String> = asking.into_iter().map(|asking| asking.join().unwrap()).collect();
        sources.sort_by_key(String::len);
        sources
    })
}

#[test]
fn who_shares_the_work_of_another_request_is_told_so_whatever_came_of_it() {
    let slow = &["server.request_timeout_ms=30000"];
    let unfit = Sqlite::fresh();
    unfit.execute(
        "CREATE TABLE URL_RESULT (URL TEXT PRIMARY KEY, RESULT REAL, MODEL TEXT, CREATED_AT TEXT, X NOT NULL)",
    );
    let (server, unfit) = (Sqlite::fresh().start(slow), unfit.start(slow));
    let theirs = "INSERT INTO URL_RESULT (URL, RESULT) VALUES ('{}', 0.5)";
    for (server, meanwhile, source) in [
        (&server, "SELECT 1", "augur; fwd=miss; stored"),
        (&server, theirs, "augur; fwd=miss; detail=\"stored by another\""),
        (&unfit, "SELECT 1", "augur; fwd=miss; detail=\"not stored: value does not fit\""),
    ] {
        let shared = |n| {
            let url = format!("http://example.com/{n}/{source}");
            shared(server, &url, &meanwhile.replace("{}", &url))
        };
        // Where the second one came too late, there is another try.
        let told = (0..20).map(shared).find(|told| told[0] != told[1] && told[0] != "augur; hit");
        assert_eq!(told, Some(vec![source.to_owned(), format!("{source}; collapsed")]));
    }
}
