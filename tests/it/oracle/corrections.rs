//! Corrections on Oracle when its sessions die, and what they cost.

use augur::domain::Outcome;
use augur::store::{Change, Changed, Range, StoreError};
use oci_standin::FailOn;

use crate::contract::Backend;
use crate::contract::oracle::Oracle;

/// A change to 2, and how often it was asked for.
fn correct(backend: &Oracle) -> (Result<Changed, StoreError>, usize) {
    let store = backend.store();
    let mut session = store.session(store.acquire_timeout()).unwrap();
    let mut asked = 0;
    let changed = session.update(&crate::contract::key("a"), &mut |_| {
        asked += 1;
        Change::Replace { outcome: Outcome::float(2.0), model: None }
    });
    (changed, asked)
}

fn stored(backend: &Oracle) -> i64 {
    backend.database.count("SELECT COUNT(*) FROM URL_RESULT WHERE RESULT = 2")
}

#[test]
fn a_session_that_dies_before_the_commit_is_replaced_and_the_row_changed_once() {
    for on in [FailOn::Select, FailOn::Change] {
        let backend = Oracle::fresh();
        backend.database.standin.fail_next(1, 3113, on);
        assert!(matches!(correct(&backend).0, Ok(Changed::Replaced { before: None, .. })), "{on:?}");
        assert_eq!(stored(&backend), 1);
    }
}

#[test]
fn a_commit_whose_session_dies_is_an_error_and_not_done_again() {
    let backend = Oracle::fresh();
    backend.database.standin.fail_next(1, 3113, FailOn::Commit);
    let (changed, asked) = correct(&backend);
    assert!(matches!(changed, Err(StoreError::Unavailable(_))), "{changed:?}");
    assert_eq!((asked, stored(&backend)), (1, 0));
    assert!(matches!(correct(&backend).0, Ok(Changed::Replaced { .. })));
}

#[test]
fn a_change_that_fails_leaves_no_transaction_to_the_next_user_of_the_session() {
    let backend = Oracle::fresh();
    backend.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('a', 1)");
    for (ora, on) in [(3156, FailOn::Change), (1653, FailOn::Change), (3156, FailOn::Commit), (600, FailOn::Select)] {
        backend.database.standin.fail_next(1, ora, on);
        let (changed, _) = correct(&backend);
        assert!(!matches!(changed, Ok(Changed::Replaced { .. })), "ORA-{ora} {on:?}: {changed:?}");
        // Would wait for the lock, and would commit what is open.
        backend.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('b', 1)");
        backend.execute("DELETE FROM URL_RESULT WHERE URL = 'b'");
        assert_eq!(stored(&backend), 0, "ORA-{ora} {on:?}");
    }
}

#[test]
fn a_page_costs_two_round_trips_and_a_row_one() {
    let backend = Oracle::fresh();
    let standin = &backend.database.standin;
    super::wait_until("the pool is full", || standin.counters().open_sessions == 4);
    let store = backend.store();
    let mut session = store.session(store.acquire_timeout()).unwrap();
    session.row(&crate::contract::key("a")).unwrap();
    for (range, limit) in [(Range::default(), 500), (Range { prefix: "a", ..Range::default() }, 10)] {
        standin.reset_counters();
        session.page(&range, limit).unwrap();
        assert_eq!(standin.counters().round_trips, 2);
    }
    standin.reset_counters();
    session.row(&crate::contract::key("a")).unwrap();
    assert_eq!(standin.counters().round_trips, 1);
}
