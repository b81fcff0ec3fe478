//! Corrections on Oracle when its sessions die, and what they cost.

use augur::domain::{NewResult, Outcome};
use augur::store::{Change, Changed, Found, Inserted, Range, Rejection, ResultStore, StoreError, Swap, Swapped};
use oci_standin::FailOn;

use crate::contract::oracle::Oracle;
use crate::contract::{Backend, key, session};
use crate::standin::Database;

/// A change to 2, and how often it was asked for.
fn correct(backend: &Oracle) -> (Result<Changed, StoreError>, usize) {
    let mut session = session(backend);
    let mut asked = 0;
    let changed = session.update(&key("a"), &mut |_| {
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
fn a_page_and_a_row_cost_one_round_trip() {
    let backend = Oracle::fresh();
    let standin = &backend.database.standin;
    super::wait_for_sessions(&backend.database, 4);
    let mut session = session(&backend);
    session.row(&key("a")).unwrap();
    for (range, limit) in [(Range::default(), 500), (Range { prefix: "a", ..Range::default() }, 10)] {
        standin.reset_counters();
        session.page(&range, limit).unwrap();
        assert_eq!(standin.counters().round_trips, 1);
    }
    standin.reset_counters();
    session.row(&key("a")).unwrap();
    assert_eq!(standin.counters().round_trips, 1);
}

#[test]
fn the_row_of_a_url_is_not_the_one_that_the_table_takes_for_it() {
    let database = Database::fresh();
    database.execute(
        "CREATE TABLE URL_RESULT (URL VARCHAR2(400) COLLATE BINARY_CI PRIMARY KEY, RESULT NUMBER, MODEL VARCHAR2(30),
         CREATED_AT TIMESTAMP(6) DEFAULT SYSTIMESTAMP)",
    );
    database.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('a', 1)");
    let store = Oracle::open(&database);
    let mut session = store.session(store.acquire_timeout()).unwrap();
    let other = key("A");
    assert_eq!(session.row(&other).unwrap(), None);
    let replaced = session.update(&other, &mut |_| Change::Replace { outcome: Outcome::float(2.0), model: None });
    assert_eq!(replaced.unwrap(), Changed::Rejected(Rejection::Conflict));
    assert_eq!(session.update(&other, &mut |_| Change::Remove).unwrap(), Changed::Kept(None));
    assert_eq!(database.count("SELECT COUNT(*) FROM URL_RESULT WHERE RESULT = 1"), 1);
}

#[test]
fn a_row_that_the_table_does_not_let_go_is_no_failure_and_stays() {
    let backend = Oracle::fresh();
    backend.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('a', 2)");
    let mut session = session(&backend);
    // A row of another table refers to it; a trigger has its own opinion.
    for ora in [2292, 20001] {
        backend.database.standin.fail_next(2, ora, FailOn::Row);
        let removed = session.update(&key("a"), &mut |_| Change::Remove).unwrap();
        assert_eq!(removed, Changed::Rejected(Rejection::AgainstRules), "ORA-{ora}");
        let before = Found { outcome: Outcome::float(2.0), model: None };
        let swapped = session.swap_many(&[Swap { key: key("a"), before, after: None }]).unwrap();
        assert_eq!(swapped, [Swapped::Rejected(Rejection::AgainstRules)], "ORA-{ora}");
        assert_eq!(stored(&backend), 1);
    }
}

#[test]
fn what_is_changed_under_a_url_is_not_changed_under_those_that_the_table_takes_for_it() {
    let database = Database::fresh();
    database.execute(
        "CREATE TABLE URL_RESULT (URL VARCHAR2(400) COLLATE BINARY_CI, RESULT BINARY_DOUBLE, MODEL VARCHAR2(30),
         CREATED_AT TIMESTAMP(6) DEFAULT SYSTIMESTAMP)",
    );
    for (url, result) in [("a", 1), ("A", 2), ("b", 3)] {
        database.execute(&format!("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('{url}', {result})"));
    }
    let store = Oracle::open(&database);
    let mut session = store.session(store.acquire_timeout()).unwrap();
    for change in [Change::Remove, Change::Replace { outcome: Outcome::float(9.0), model: None }] {
        let changed = session.update(&key("A"), &mut |_| change.clone()).unwrap();
        assert_eq!(changed, Changed::Rejected(Rejection::Conflict));
    }
    let there = |result| Found { outcome: Outcome::float(result), model: None };
    let swap = |text, result| Swap { key: key(text), before: there(result), after: None };
    let swapped = session.swap_many(&[swap("A", 2.0), swap("b", 3.0), swap("a", 1.0)]).unwrap();
    let in_the_way = Swapped::Rejected(Rejection::Conflict);
    assert_eq!(swapped, [in_the_way.clone(), Swapped::Done(None), in_the_way.clone()]);
    assert_eq!(session.swap_many(&[swap("A", 2.0)]).unwrap(), [in_the_way]);
    assert_eq!(database.count("SELECT COUNT(*) FROM URL_RESULT WHERE RESULT IN (1, 2)"), 2);
}

#[test]
fn a_deletion_that_finds_no_space_is_a_failure_and_not_a_rule() {
    let backend = Oracle::fresh();
    backend.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('a', 2)");
    let mut session = session(&backend);
    backend.database.standin.fail_next(1, 30036, FailOn::Row);
    let before = Found { outcome: Outcome::float(2.0), model: None };
    let swapped = session.swap_many(&[Swap { key: key("a"), before, after: None }]);
    assert!(matches!(swapped, Err(StoreError::NoSpace(_))), "{swapped:?}");
    assert_eq!(stored(&backend), 1);
}

#[test]
fn a_table_that_is_read_only_lets_no_row_be_changed_and_is_no_failure() {
    let backend = Oracle::fresh();
    backend.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('a', 2)");
    let mut session = session(&backend);
    backend.database.standin.fail_next(3, 12081, FailOn::Select);
    let removed = session.update(&key("a"), &mut |_| Change::Remove).unwrap();
    assert_eq!(removed, Changed::Rejected(Rejection::AgainstRules));
    let before = Found { outcome: Outcome::float(2.0), model: None };
    let swaps = ["a", "b"].map(|text| Swap { key: key(text), before: before.clone(), after: None });
    // Together, and the first alone.
    let swapped = session.swap_many(&swaps).unwrap();
    assert_eq!(swapped, [Swapped::Rejected(Rejection::AgainstRules), Swapped::Overtaken]);
}

#[test]
fn of_rows_that_are_checked_at_the_commit_those_within_the_rules_are_stored() {
    let backend = Oracle::fresh();
    let mut session = session(&backend);
    let row = |text| NewResult { key: key(text), outcome: Outcome::float(2.0), model: None };
    // All together, and the first alone.
    backend.database.standin.fail_next(2, 2091, FailOn::Commit);
    let inserted = session.insert_many(&[row("a"), row("b"), row("c")]).unwrap();
    let there = Inserted::Stored(Outcome::float(2.0));
    assert_eq!(inserted, [Inserted::Rejected(Rejection::AgainstRules), there.clone(), there]);
    assert_eq!(stored(&backend), 2);
}

#[test]
fn a_rule_that_is_checked_at_the_commit_leaves_the_row_as_it_was() {
    let backend = Oracle::fresh();
    backend.database.standin.fail_next(1, 2091, FailOn::Commit);
    assert!(matches!(correct(&backend).0, Ok(Changed::Rejected(Rejection::AgainstRules))));
    assert_eq!(stored(&backend), 0);
    assert!(matches!(correct(&backend).0, Ok(Changed::Replaced { .. })));
}

#[test]
fn a_database_that_takes_no_rows_goes_on_giving_them_on_the_same_sessions() {
    let backend = Oracle::fresh();
    backend.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('a', 1)");
    let standin = &backend.database.standin;
    super::wait_for_sessions(&backend.database, 4);
    let logons = standin.counters().logon_attempts;
    standin.fail_next(5, 16000, FailOn::Change);
    for _ in 0..5 {
        assert!(matches!(correct(&backend).0, Err(StoreError::Unavailable(_))));
        let store = backend.store();
        assert!(store.session(store.acquire_timeout()).unwrap().row(&key("a")).unwrap().is_some());
    }
    // One session is given up, since another logon might reach a database that takes rows.
    assert_eq!(standin.counters().logon_attempts, logons + 1);
}
