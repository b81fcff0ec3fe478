//! Faults on demand, and what the driver makes of them.

use std::time::{Duration, Instant};

use oci_standin::{FailOn, Hang, PASSWORD, USER, Views};
use oracle::{ConnStatus, Connection};

use super::{Database, find, insert, ora};

const CALL_TIMEOUT: i32 = 1067;
const CLOSED: i32 = 1080;

fn dpi<T>(result: oracle::Result<T>) -> i32 {
    result.err().and_then(|error| error.dpi_code()).unwrap_or(0)
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn wrong_names_and_passwords_are_refused() {
    let database = Database::new();
    let text = database.standin.connect_string();
    assert_eq!(ora(Connection::connect(USER, "wrong", &text)), 1017);
    assert_eq!(ora(Connection::connect("other", PASSWORD, &text)), 1017);
    assert_eq!(ora(Connection::connect(USER, PASSWORD, "no_such_alias")), 12154);
    assert_eq!(ora(Connection::connect(USER, PASSWORD, "standin:/no/such/folder")), 12154);
    database.standin.set_account_locked(true);
    assert_eq!(ora(database.try_connect()), 28000);
    database.standin.set_account_locked(false);
    database.standin.set_account("Other", "new").unwrap();
    assert!(Connection::connect("other", "new", &text).is_ok());
    let counters = database.standin.counters();
    assert_eq!((counters.logon_attempts, counters.logons), (4, 1));
}

#[test]
fn connect_strings_of_every_form_reach_the_database() {
    let database = Database::new();
    let folder = database.standin.folder().display().to_string();
    for text in [
        format!("//standin:1521{folder}?connect_timeout=5&transport_connect_timeout=2"),
        format!("standin{folder}"),
        format!("(DESCRIPTION=(CONNECT_TIMEOUT=5)(ADDRESS=(HOST=h)(PORT=1))(CONNECT_DATA=(SERVICE_NAME={folder})))"),
    ] {
        assert_eq!(ora(Connection::connect(USER, PASSWORD, text)), 0);
    }
    let names = super::client_folder().join("tnsnames.ora");
    std::fs::write(names, format!("xe = {}\n", database.standin.connect_string())).unwrap();
    assert_eq!(ora(Connection::connect(USER, PASSWORD, "XE")), 0);
    database.standin.set_hang(Hang::Silent);
    let start = Instant::now();
    let text = format!("//standin:1521{folder}?connect_timeout=1");
    assert_eq!(ora(Connection::connect(USER, PASSWORD, text)), 12170);
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_database_that_is_down_refuses_and_drops() {
    let database = Database::with_table();
    let connection = database.connect();
    database.standin.set_down(true);
    assert_eq!(ora(database.try_connect()), 12541);
    assert_eq!(connection.status().unwrap(), ConnStatus::NotConnected);
    let error = insert(&connection, "x", 1.0);
    assert_eq!(error.as_ref().unwrap_err().dpi_code(), Some(CLOSED));
    assert_eq!(ora(error), 3113);
    database.standin.set_down(false);
    assert_eq!(connection.status().unwrap(), ConnStatus::Closed);
    insert(&database.connect(), "x", 1.0).unwrap();
    assert_eq!(database.standin.counters().logon_attempts, 3);
}

#[test]
fn a_restart_ends_every_session() {
    let database = Database::with_table();
    let first = database.connect();
    database.standin.restart();
    assert_eq!(first.status().unwrap(), ConnStatus::NotConnected);
    assert_eq!(ora(insert(&first, "x", 1.0)), 3113);
    let second = database.connect();
    assert_eq!(database.standin.counters().open_sessions, 1);
    database.standin.restart_unnoticed();
    assert_eq!(second.status().unwrap(), ConnStatus::Normal);
    assert_eq!(ora(insert(&second, "x", 1.0)), 3135);
    assert_eq!(dpi(second.ping()), 1010);
    assert_eq!(database.standin.counters().open_sessions, 0);
}

#[test]
fn a_busy_server_times_out_and_the_session_lives() {
    let database = Database::with_table();
    let connection = database.connect();
    connection.set_call_timeout(Some(millis(50))).unwrap();
    database.standin.set_hang(Hang::Busy);
    let start = Instant::now();
    assert_eq!(dpi(find(&connection, "x")), CALL_TIMEOUT);
    assert!(start.elapsed() >= millis(50) && start.elapsed() < millis(500));
    database.standin.set_hang(Hang::No);
    insert(&connection, "x", 1.0).unwrap();
    assert_eq!(database.standin.counters().call_timeouts, 1);
}

#[test]
fn a_silent_server_costs_the_session_after_twice_the_timeout() {
    let database = Database::with_table();
    let connection = database.connect();
    connection.set_call_timeout(Some(millis(50))).unwrap();
    database.standin.set_hang(Hang::Silent);
    let start = Instant::now();
    let error = find(&connection, "x");
    assert_eq!(error.as_ref().unwrap_err().dpi_code(), Some(CLOSED));
    assert_eq!(ora(error), 3114);
    assert!(start.elapsed() >= millis(100) && start.elapsed() < millis(800));
}

#[test]
fn a_hanging_call_goes_on_when_released_or_ends_when_cancelled() {
    let database = Database::with_table();
    let connection = database.connect();
    insert(&connection, "x", 1.0).unwrap();
    database.standin.set_hang(Hang::Silent);
    std::thread::scope(|scope| {
        let call = scope.spawn(|| find(&connection, "x"));
        std::thread::sleep(millis(50));
        assert!(!call.is_finished());
        database.standin.set_hang(Hang::No);
        assert_eq!(call.join().unwrap().unwrap(), 1.0);
        database.standin.set_hang(Hang::Busy);
        let call = scope.spawn(|| find(&connection, "x"));
        std::thread::sleep(millis(50));
        connection.break_execution().unwrap();
        assert_eq!(ora(call.join().unwrap()), 1013);
    });
    database.standin.set_hang(Hang::No);
}

#[test]
fn a_commit_that_times_out_has_happened() {
    let database = Database::with_table();
    let mut connection = database.connect();
    connection.set_autocommit(true);
    connection.set_call_timeout(Some(millis(50))).unwrap();
    database.standin.set_commit_time(millis(400));
    assert_eq!(dpi(insert(&connection, "x", 1.0)), CALL_TIMEOUT);
    assert_eq!(find(&database.inspect(), "x").unwrap(), 1.0);
}

#[test]
fn sessions_are_limited() {
    let database = Database::new();
    database.standin.set_session_limit(Some(2));
    let sessions = [database.connect(), database.connect()];
    assert_eq!(ora(database.try_connect()), 18);
    database.standin.set_session_limit_with(Some(2), 20);
    assert_eq!(ora(database.try_connect()), 20);
    drop(sessions);
    database.connect();
    let counters = database.standin.counters();
    assert_eq!((counters.open_sessions, counters.max_sessions), (0, 2));
}

#[test]
fn failures_come_as_ordered() {
    let database = Database::with_table();
    let mut connection = database.connect();
    connection.set_autocommit(true);
    database.standin.fail_next(2, 1653, FailOn::Change);
    assert!(find(&connection, "x").is_err_and(|error| error.oci_code().is_none()));
    assert_eq!(ora(insert(&connection, "x", 1.0)), 1653);
    assert_eq!(ora(insert(&connection, "x", 1.0)), 1653);
    assert_eq!(ora(insert(&connection, "x", 1.0)), 0);
    database.standin.fail_next(u64::MAX, 1033, FailOn::Logon);
    assert_eq!(ora(database.try_connect()), 1033);
    database.standin.fail_next(1, 60, FailOn::Commit);
    assert_eq!(ora(insert(&connection, "y", 1.0)), 60);
    connection.rollback().unwrap();
    database.standin.fail_next(1, 28, FailOn::AnyExecute);
    assert_eq!(dpi(find(&connection, "x")), CLOSED);
    assert_eq!(connection.status().unwrap(), ConnStatus::Closed);
}

#[test]
fn views_may_be_hidden() {
    let database = Database::new();
    let connection = database.connect();
    let code = |sql: &str| ora(connection.query(sql, &[]));
    database.standin.set_views(Views::NoPerformanceViews);
    assert_eq!(code("select * from v$version"), 942);
    assert_eq!(code("select * from table(dbms_xplan.display_cursor(format => 'basic'))"), 942);
    assert_eq!(code("select * from user_tables"), 0);
    database.standin.set_views(Views::Unreadable);
    assert_eq!(code("select * from user_tables"), 942);
    assert_eq!(code("select * from dual"), 0);
    let code = |sql: &str| ora(connection.execute(sql, &[]));
    assert_eq!(code("create table user_results (a number)"), 0);
    assert_eq!(code("delete from user_results"), 0);
    assert_eq!(code("delete from session_privs"), 1031);
    let inspector = database.inspect();
    inspector.execute("delete from session_privs", &[]).unwrap();
    inspector.query("select * from user_tables", &[]).unwrap();
}
