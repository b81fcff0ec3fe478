//! Every class of database error through the front door.

use augur::domain::{Key, NewResult, Outcome};
use augur::store::StoreError;
use oci_standin::FailOn;

use super::{
    AGAINST_RULES, DOES_NOT_FIT, HIT, IN_THE_WAY, NO_SPACE, STORED, Server, TABLE, assert_unavailable, cache_status,
    millis, wait_until,
};
use crate::contract::Backend;
use crate::contract::oracle::Oracle;
use crate::standin::Database;

const URL: &str = "http://example.com/";
const FOR_EVER: u64 = u64::MAX;

fn server() -> Server {
    Server::start(&["store.oracle.pool_size=2", "store.oracle.acquire_timeout_ms=3000"]).settled(2)
}

impl Server {
    fn fail(&self, count: u64, ora: u32, on: FailOn) {
        self.database.standin.fail_next(count, ora, on);
    }
}

#[test]
fn a_dead_session_is_replaced_and_the_request_answered() {
    for ora in [28, 1012, 1089, 1092, 2392, 2394, 2396, 2399, 3113, 3114, 3135, 12537, 12547, 12560, 12570, 12571] {
        for on in [FailOn::Select, FailOn::Change] {
            let server = server();
            server.fail(1, ora, on);
            assert_eq!(cache_status(&server.app.ask(URL)), STORED, "ORA-{ora} {on:?}");
            assert_eq!(server.rows(), 1);
            wait_until("a new session", || server.database.standin.counters().logons == 3);
        }
    }
}

#[test]
fn a_request_whose_second_session_dies_too_is_503_and_the_next_is_served() {
    let server = server();
    server.fail(2, 3113, FailOn::Select);
    assert_unavailable(&server.app.ask(URL), "store-unavailable");
    assert_eq!(cache_status(&server.app.ask(URL)), STORED);
}

#[test]
fn a_call_that_timed_out_is_503_and_rolled_back_and_its_session_goes_on() {
    // 1013 is a call that somebody cancelled.
    for ora in [3136, 3156, 12161, 1013] {
        let server = server();
        server.fail(1, ora, FailOn::Change);
        assert_unavailable(&server.app.ask(URL), "deadline");
        let cost = server.database.standin.counters();
        assert_eq!((cost.rollbacks, cost.logons), (1, 2), "ORA-{ora}");
        assert_eq!(cache_status(&server.app.ask(URL)), STORED);
    }
}

#[test]
fn a_database_that_starts_or_stops_is_503() {
    for ora in [1033, 1034, 27101] {
        let server = server();
        server.fail(1, ora, FailOn::AnyExecute);
        assert_unavailable(&server.app.ask(URL), "store-unavailable");
        wait_until("a new session", || server.database.standin.counters().logons == 3);
        assert_eq!(cache_status(&server.app.ask(URL)), STORED);
    }
}

#[test]
fn a_listener_that_does_not_know_the_database_yet_is_waited_for() {
    for ora in [1033, 1034, 12514, 12505, 12528, 12543, 12545, 12170, 12154] {
        let database = Database::fresh();
        database.execute(TABLE);
        database.standin.fail_next(1, ora, FailOn::Logon);
        let server = Server::on(database, &["store.oracle.acquire_timeout_ms=5000"]);
        assert_eq!(cache_status(&server.app.ask(URL)), STORED, "ORA-{ora}");
        let line = server.app.wait_for_log("cannot log on to Oracle");
        assert!(line.contains(&format!("ORA-{ora:05}")), "{line}");
        server.app.wait_for_log("logged on to Oracle again");
    }
}

#[test]
fn a_database_without_room_for_a_session_is_503_and_said_once() {
    for ora in [18, 20, 2391, 12516, 12518, 12519, 12520] {
        let database = Database::fresh();
        database.execute(TABLE);
        database.standin.fail_next(FOR_EVER, ora, FailOn::Logon);
        let server = Server::on(database, &["store.oracle.acquire_timeout_ms=100"]);
        server.app.wait_for_log("Oracle takes no more sessions");
        for _ in 0..3 {
            assert_unavailable(&server.app.ask(URL), "store-unavailable");
        }
        if ora == 18 {
            // The same in other words.
            server.fail(FOR_EVER, 20, FailOn::Logon);
            let attempts = server.database.standin.counters().logon_attempts;
            wait_until("another logon", || server.database.standin.counters().logon_attempts > attempts + 1);
        }
        assert_eq!(server.lines("Oracle takes no more sessions"), 1, "ORA-{ora}");
        assert_eq!(server.lines("ERROR"), 1, "{}", server.app.log());
    }
    let server = server();
    server.fail(1, 4031, FailOn::AnyExecute);
    assert_unavailable(&server.app.ask(URL), "store-unavailable");
}

#[test]
fn credentials_that_are_refused_are_not_tried_again() {
    for ora in [1017, 28000, 28001, 1005, 1045, 28040, 3134] {
        let database = Database::fresh();
        database.execute(TABLE);
        database.standin.fail_next(1, ora, FailOn::Logon);
        let server = Server::on(database, &[]);
        assert!(server.app.wait_for_log("ALARM").contains(&format!("ORA-{ora:05}")));
        assert_unavailable(&server.app.ask(URL), "store-unavailable");
        assert_eq!(server.database.standin.counters().logon_attempts, 1, "ORA-{ora}");
    }
}

#[test]
fn a_missing_table_column_or_right_is_503_with_the_remedy_in_the_log() {
    for (ora, remedy) in
        [(942, "augur schema apply"), (904, "augur schema check"), (1031, "grant"), (41900, "grant"), (4063, "check")]
    {
        let server = server();
        server.fail(FOR_EVER, ora, FailOn::Select);
        for _ in 0..3 {
            assert_unavailable(&server.app.ask(URL), "store-unavailable");
        }
        assert_eq!(server.app.get("/health/ready").status, 503);
        let line = server.app.wait_for_log("the result table is not usable");
        assert!(line.contains(remedy) && line.contains(&format!("ORA-{ora:05}")), "{line}");
        assert_eq!(server.lines("the result table is not usable"), 1);
    }
}

#[test]
fn a_missing_right_to_insert_is_said_once_however_many_requests_there_are() {
    let server = server();
    server.fail(FOR_EVER, 1031, FailOn::Change);
    for n in 0..10 {
        assert_unavailable(&server.app.ask(&format!("{URL}{n}")), "store-unavailable");
    }
    assert_eq!(server.lines("ERROR augur::store"), 1, "{}", server.app.log());
}

#[test]
fn a_database_without_space_answers_without_storing_and_gives_one_alarm() {
    for ora in [1653, 1654, 1658, 1659, 1688, 1683, 1536, 1950, 1652, 30036, 257, 12953, 12954] {
        let server = server();
        server.fail(FOR_EVER, ora, FailOn::Change);
        let executes = server.database.standin.counters().executes;
        for n in 0..10 {
            let answer = server.app.ask(&format!("{URL}{n}"));
            assert_eq!(cache_status(&answer), NO_SPACE, "ORA-{ora}");
            assert!(answer.header("augur-model").is_some());
        }
        // A lookup and one try to store it for each: no storm.
        assert_eq!(server.database.standin.counters().executes - executes, 20);
        assert_eq!(server.rows(), 0);
        assert!(server.app.wait_for_log("ALARM: no space").contains(&format!("ORA-{ora:05}")));
        assert_eq!(server.lines("ALARM"), 1, "{}", server.app.log());
        server.fail(0, 0, FailOn::Change);
        assert_eq!(cache_status(&server.app.ask(URL)), STORED);
        server.app.wait_for_log("there is space for new rows again");
    }
}

#[test]
fn a_batch_without_space_answers_all_its_requests() {
    let server = Server::start(&["store.oracle.pool_size=1"]).settled(1);
    server.database.standin.set_round_trip(millis(100));
    for on in [FailOn::Change, FailOn::Commit] {
        server.fail(FOR_EVER, 1653, on);
        std::thread::scope(|scope| {
            for n in 0..16 {
                let app = &server.app;
                // While the first is looked up, the others become a batch.
                scope.spawn(move || assert_eq!(cache_status(&app.ask(&format!("{URL}{n}"))), NO_SPACE));
            }
        });
        assert_eq!(server.rows(), 0, "{on:?}");
    }
    assert_eq!(server.lines("ALARM"), 1, "{}", server.app.log());
}

#[test]
fn a_row_whose_commit_finds_no_space_is_not_left_for_the_next_commit() {
    let server = Server::start(&["store.oracle.pool_size=1"]).settled(1);
    server.fail(1, 1653, FailOn::Commit);
    assert_eq!(cache_status(&server.app.ask(URL)), NO_SPACE);
    assert_eq!(cache_status(&server.app.ask("http://example.com/other")), STORED);
    assert_eq!(server.rows(), 1);
}

#[test]
fn a_row_that_is_there_and_gone_again_is_stored_after_all() {
    let server = server();
    server.fail(1, 1, FailOn::Change);
    assert_eq!(cache_status(&server.app.ask(URL)), STORED);
    assert_eq!(server.rows(), 1);
}

#[test]
fn a_row_that_another_row_keeps_out_is_answered_and_said_once_and_the_others_are_stored() {
    let server = Server::start(&["store.oracle.pool_size=1"]).settled(1);
    server.database.execute("CREATE UNIQUE INDEX ONE_A_MODEL ON URL_RESULT (MODEL)");
    assert_eq!(cache_status(&server.app.ask(URL)), STORED);
    for n in 0..3 {
        assert_eq!(cache_status(&server.app.ask(&format!("{URL}{n}"))), IN_THE_WAY);
    }
    assert_eq!(server.lines("a row is not stored, since another row"), 1, "{}", server.app.log());
    assert_eq!(cache_status(&server.app.ask(URL)), HIT);
}

#[test]
fn a_row_that_the_table_does_not_take_is_answered_and_not_stored() {
    const DATA: [u32; 7] = [12899, 1461, 1400, 1407, 1438, 1426, 1722];
    const RULES: [u32; 12] = [2290, 2291, 2091, 1402, 1732, 42399, 12081, 14466, 14400, 28115, 20000, 20999];
    let not_stored = |oras: &[u32], status: &str, told: &str| {
        for &ora in oras {
            let server = server();
            server.fail(FOR_EVER, ora, FailOn::Change);
            for n in 0..5 {
                assert_eq!(cache_status(&server.app.ask(&format!("{URL}{n}"))), status, "ORA-{ora}");
            }
            assert_eq!(server.rows(), 0);
            assert_eq!(server.lines(told), 1, "{}", server.app.log());
        }
    };
    not_stored(&DATA, DOES_NOT_FIT, "a row does not fit the table");
    not_stored(&RULES, AGAINST_RULES, "the table's own rules refuse");
}

#[test]
fn sessions_in_each_others_way_are_tried_again() {
    for ora in [60, 54, 8177, 4021, 4068] {
        let server = server();
        server.fail(2, ora, FailOn::Change);
        assert_eq!(cache_status(&server.app.ask(URL)), STORED, "ORA-{ora}");
        server.fail(FOR_EVER, ora, FailOn::Change);
        assert_unavailable(&server.app.ask("http://example.com/other"), "deadline");
        assert_eq!(server.rows(), 1);
    }
    let server = server();
    server.fail(1, 1555, FailOn::Select);
    assert_eq!(cache_status(&server.app.ask(URL)), STORED);
}

#[test]
fn a_commit_that_fails_is_rolled_back_and_tried_again() {
    let server = server();
    server.fail(1, 60, FailOn::Commit);
    assert_eq!(cache_status(&server.app.ask(URL)), STORED);
    assert_eq!((server.rows(), server.database.standin.counters().rollbacks), (1, 1));
}

#[test]
fn a_transaction_that_can_neither_be_committed_nor_rolled_back_ends_with_its_session() {
    let backend = Oracle::fresh();
    let standin = &backend.database.standin;
    let store = backend.store();
    let insert = |keys: &[&str]| {
        let row =
            |key: &&str| NewResult { key: Key::parse(key, 4000).unwrap(), outcome: Outcome::float(1.0), model: None };
        let rows: Vec<_> = keys.iter().map(row).collect();
        store.session(store.acquire_timeout()).unwrap().insert_many(&rows)
    };
    insert(&["a"]).unwrap();
    super::wait_for_sessions(&backend.database, 4);
    standin.fail_next(2, 3156, FailOn::End);
    assert!(matches!(insert(&["a", "b", "c"]), Err(StoreError::Timeout(_))));
    for key in ["d", "e", "f", "g"] {
        insert(&[key]).unwrap();
    }
    assert_eq!(backend.database.count("SELECT COUNT(*) FROM URL_RESULT WHERE URL IN ('b', 'c')"), 0);
    wait_until("a new session", || standin.counters().logons == 5);
}

#[test]
fn anything_else_is_500_and_the_log_alone_says_why() {
    let server = server();
    server.fail(1, 600, FailOn::AnyExecute);
    let answer = server.app.ask(URL);
    assert_eq!(answer.status, 500);
    assert!(!String::from_utf8_lossy(&answer.body).contains("ORA-"));
    assert!(server.app.wait_for_log("request failed").contains("ORA-00600"));
    assert_eq!(cache_status(&server.app.ask(URL)), STORED);
}
