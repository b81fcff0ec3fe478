//! `/classify` on Oracle: what it costs, and that its table's absence is its own affair.

use std::time::Duration;

use oci_standin::Counters;

use super::schema::run;
use super::{HIT, STORED, Server, TABLE, assert_unavailable, cache_status};
use crate::app::Response;
use crate::classify::classify;
use crate::pictures::{Drawing, Random, digits, encoded};
use crate::standin::Database;

/// A picture of a digit; another one for each number.
fn picture(at: usize) -> Vec<u8> {
    encoded(digits()[at].0.draw(&Drawing::plain(64), &mut Random(1)), image::ImageFormat::Png)
}

fn ask(server: &Server, at: usize) -> Response {
    classify(&server.app, "/classify", &picture(at))
}

/// A server on both tables as `schema apply` makes them.
fn served(more: &[&str]) -> Server {
    let database = Database::fresh();
    assert!(run(&database, &["schema", "apply"]).status.success());
    Server::on(database, more).checked()
}

#[test]
fn a_hit_is_one_round_trip_and_a_miss_two_with_one_commit() {
    let server = served(&["store.oracle.pool_size=1"]).settled(1);
    assert_eq!(cache_status(&ask(&server, 0)), STORED);
    assert_eq!(cache_status(&ask(&server, 0)), HIT);
    let cost = || Counters { open_sessions: 0, max_sessions: 0, ..server.database.standin.counters() };
    server.database.standin.reset_counters();
    assert_eq!(cache_status(&ask(&server, 0)), HIT);
    assert_eq!(cost(), Counters { round_trips: 1, executes: 1, rows_fetched: 1, ..Counters::default() });
    server.database.standin.reset_counters();
    assert_eq!(cache_status(&ask(&server, 1)), STORED);
    assert_eq!(cost(), Counters { round_trips: 2, executes: 2, commits: 1, rows_inserted: 1, ..Counters::default() });
    server.database.standin.reset_counters();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(cost(), Counters::default(), "nothing is asked while nobody asks");
}

#[test]
fn what_stands_in_the_table_is_served() {
    let server = served(&[]);
    assert_eq!(ask(&server, 0).json()["prediction"], "0");
    server.database.execute("UPDATE IMAGE_RESULT SET LABEL = 'none', MODEL = 'manual'");
    let corrected = ask(&server, 0);
    assert_eq!(corrected.json()["prediction"], "none");
    assert_eq!((cache_status(&corrected), corrected.header("augur-model")), (HIT, Some("manual")));
    assert_eq!(server.rows(), 0, "the table of URLs has its own");
}

#[test]
fn without_its_table_classify_is_503_with_the_remedy_in_the_log_and_urls_are_served() {
    let server = Server::with_table(TABLE, &[]);
    assert_eq!(server.app.get("/health/ready").status, 200);
    assert_unavailable(&ask(&server, 0), "store-unavailable");
    let line = server.app.wait_for_log("the result table is not usable");
    assert!(line.contains("IMAGE_RESULT") && line.contains("run `augur schema apply`"), "{line}");
    assert_eq!(cache_status(&server.app.ask("http://example.com/")), STORED);
    assert_eq!(server.app.get("/health/ready").status, 200);
    assert!(run(&server.database, &["schema", "apply"]).status.success());
    assert_eq!(cache_status(&ask(&server, 0)), STORED);
    assert_eq!(server.lines("WARN"), 0, "{}", server.app.log());
}
