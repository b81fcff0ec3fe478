//! The real server on Oracle, through the stand-in for its client library: what each promise costs and survives.

mod corrections;
mod doctor;
mod errors;
mod load;
mod outage;
mod password;
mod pictures;
mod pool;
mod replicas;
mod round_trips;
mod schema;
mod tables;

use std::time::{Duration, Instant};

use crate::app::{App, PATIENCE, Response};
use crate::standin::Database;
pub(crate) use schema::run;

/// The table as `augur schema apply` makes it.
pub(crate) const TABLE: &str = "CREATE TABLE URL_RESULT (URL VARCHAR2(4000 BYTE) NOT NULL, RESULT BINARY_DOUBLE, \
     MODEL VARCHAR2(200 BYTE), CREATED_AT TIMESTAMP(6) DEFAULT SYS_EXTRACT_UTC(SYSTIMESTAMP), \
     CONSTRAINT URL_RESULT_PK PRIMARY KEY (URL))";

/// A server on a fresh database.
struct Server {
    database: Database,
    app: App,
}

impl Server {
    /// With an empty result table.
    fn start(more: &[&str]) -> Self {
        Self::with_table(TABLE, more)
    }

    fn with_table(ddl: &str, more: &[&str]) -> Self {
        let database = Database::fresh();
        database.execute(ddl);
        Self::on(database, more).checked()
    }

    fn on(database: Database, more: &[&str]) -> Self {
        let app = start(&database, more);
        Self { database, app }
    }

    /// Waits for the look at the table after the start, which makes round trips that no test means to count.
    fn checked(self) -> Self {
        self.app.wait_for_log("the result table has been checked");
        self
    }

    /// Waits for this many sessions, so that logging on is not counted among what comes after.
    fn settled(self, sessions: u64) -> Self {
        let server = self.checked();
        wait_for_sessions(&server.database, sessions);
        server
    }

    fn rows(&self) -> i64 {
        self.database.count("SELECT COUNT(*) FROM URL_RESULT")
    }

    fn lines(&self, text: &str) -> usize {
        self.app.log().lines().filter(|line| line.contains(text)).count()
    }
}

/// Waits for this many sessions that have been set up.
fn wait_for_sessions(database: &Database, sessions: u64) {
    wait_until("the pool is full", || {
        let counters = database.standin.counters();
        counters.open_sessions == sessions && counters.sessions_altered >= sessions
    });
}

fn start(database: &Database, more: &[&str]) -> App {
    let more: Vec<String> = more.iter().map(ToString::to_string).collect();
    App::start(&[database.settings(), more].concat())
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn cache_status(response: &Response) -> &str {
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    response.header("cache-status").unwrap()
}

/// Asserts a 503 of this kind that says when to come back.
fn assert_unavailable(response: &Response, kind: &str) {
    assert_eq!(response.status, 503, "{}", String::from_utf8_lossy(&response.body));
    assert_eq!(response.json()["type"], format!("urn:augur:problem:{kind}"));
    assert_eq!(response.header("retry-after"), Some("1"));
}

const HIT: &str = "augur; hit";
const STORED: &str = "augur; fwd=miss; stored";
const NO_SPACE: &str = "augur; fwd=miss; detail=\"not stored: no space\"";
const KEY_TOO_LONG: &str = "augur; fwd=miss; detail=\"not stored: key too long\"";
const DOES_NOT_FIT: &str = "augur; fwd=miss; detail=\"not stored: value does not fit\"";
const AGAINST_RULES: &str = "augur; fwd=miss; detail=\"not stored: against the table's rules\"";
const IN_THE_WAY: &str = "augur; fwd=miss; detail=\"not stored: another row is in the way\"";
