//! What a request costs the database: the round trip is the price of everything.

use std::time::Duration;

use augur::domain::{Key, NewResult, Outcome};
use augur::store::Inserted;
use oci_standin::Counters;

use super::{HIT, STORED, Server, cache_status};
use crate::contract::oracle::Oracle;

/// A server with one session, on which lookup and insert were parsed already.
fn warm() -> Server {
    let server = Server::start(&["store.oracle.pool_size=1"]).settled(1);
    assert_eq!(cache_status(&server.app.ask("http://example.com/")), STORED);
    assert_eq!(cache_status(&server.app.ask("http://example.com/")), HIT);
    server.database.standin.reset_counters();
    server
}

/// The counters without those that say how many sessions there are.
fn cost(counters: Counters) -> Counters {
    Counters { open_sessions: 0, max_sessions: 0, ..counters }
}

#[test]
fn a_hit_is_one_round_trip_without_a_ping_or_a_parse() {
    let server = warm();
    assert_eq!(cache_status(&server.app.ask("http://example.com/")), HIT);
    let expected = Counters { round_trips: 1, executes: 1, rows_fetched: 1, ..Counters::default() };
    assert_eq!(cost(server.database.standin.counters()), expected);
}

#[test]
fn a_miss_is_two_round_trips_and_one_commit() {
    let server = warm();
    assert_eq!(cache_status(&server.app.ask("http://example.com/new")), STORED);
    let expected = Counters { round_trips: 2, executes: 2, commits: 1, rows_inserted: 1, ..Counters::default() };
    assert_eq!(cost(server.database.standin.counters()), expected);
}

#[test]
fn a_batch_of_500_hits_is_a_round_trip_for_each_64_keys() {
    let server = warm();
    let urls: Vec<String> = (0..500).map(|n| format!("http://example.com/{n}")).collect();
    let body = serde_json::json!({ "urls": urls }).to_string();
    let first = server.app.post("/urls", &body);
    assert_eq!(first.status, 200);
    server.database.standin.reset_counters();
    assert_eq!(server.app.post("/urls", &body).body, first.body);
    let cost = server.database.standin.counters();
    assert_eq!((cost.round_trips, cost.rows_fetched, cost.commits), (8, 500, 0), "{cost:?}");
}

#[test]
fn an_idle_server_makes_no_round_trips() {
    let server = Server::start(&[]).settled(4);
    server.app.ask("http://example.com/");
    assert_eq!(server.app.get("/health/ready").status, 200);
    server.database.standin.reset_counters();
    // Longer than the 30 s between two looks of r2d2 for connections that are idle or old.
    std::thread::sleep(Duration::from_secs(35));
    assert_eq!(cost(server.database.standin.counters()), Counters::default());
}

#[test]
fn readiness_probes_of_many_callers_cost_one_round_trip_a_second_at_the_most() {
    let server = Server::start(&[]).settled(4);
    server.database.standin.reset_counters();
    let started = std::time::Instant::now();
    for _ in 0..50 {
        assert_eq!(server.app.get("/health/ready").status, 200);
    }
    let allowed = 1 + started.elapsed().as_secs();
    assert!((1..=allowed).contains(&server.database.standin.counters().round_trips));
}

fn row(n: usize, x: f64) -> NewResult {
    NewResult { key: key(n), outcome: Outcome::float(x), model: Some("m@1".to_owned()) }
}

fn key(n: usize) -> Key {
    Key::parse(&format!("http://example.com/{n:02}"), 4000).unwrap()
}

#[test]
fn sixty_four_keys_are_looked_up_and_stored_in_one_round_trip_each() {
    let backend = Oracle::fresh();
    let standin = &backend.database.standin;
    let store = crate::contract::Backend::store(&backend);
    super::wait_for_sessions(&backend.database, 4);
    let mut session = store.session(store.acquire_timeout()).unwrap();
    let keys: Vec<Key> = (0..64).map(key).collect();
    let rows: Vec<NewResult> = (0..64).map(|n| row(n, n as f64)).collect();
    let lookup = |session: &mut dyn augur::store::StoreSession| {
        standin.reset_counters();
        let found = session.find_many(&keys).unwrap();
        assert_eq!(standin.counters().round_trips, 1);
        found
    };
    assert!(lookup(&mut *session).iter().all(Option::is_none));
    standin.reset_counters();
    session.insert_many(&rows).unwrap();
    let cost = standin.counters();
    assert_eq!((cost.round_trips, cost.commits, cost.pings, cost.rows_inserted), (1, 1, 0, 64));
    let found = lookup(&mut *session);
    assert!(found.iter().zip(&rows).all(|(found, row)| found.as_ref().unwrap().outcome == row.outcome));
}

#[test]
fn a_batch_of_64_of_which_10_are_there_costs_four_round_trips_at_the_most_and_answers_what_is_stored() {
    let backend = Oracle::fresh();
    let standin = &backend.database.standin;
    let store = crate::contract::Backend::store(&backend);
    super::wait_for_sessions(&backend.database, 4);
    let mut session = store.session(store.acquire_timeout()).unwrap();
    let there: Vec<NewResult> = (0..10).map(|n| row(n * 6, -1.0)).collect();
    session.insert_many(&there).unwrap();
    standin.reset_counters();
    let rows: Vec<NewResult> = (0..64).map(|n| row(n, n as f64)).collect();
    let inserted = session.insert_many(&rows).unwrap();
    let cost = standin.counters();
    assert!(cost.round_trips <= 4, "{cost:?}");
    assert_eq!((cost.commits, cost.rows_inserted), (1, 54));
    for (n, inserted) in inserted.iter().enumerate() {
        match inserted {
            Inserted::Existed(found) if n % 6 == 0 && n < 60 => assert_eq!(found.outcome, Outcome::float(-1.0)),
            Inserted::Stored(outcome) => assert_eq!(*outcome, Outcome::float(n as f64)),
            other => panic!("{n}: {other:?}"),
        }
    }
}
