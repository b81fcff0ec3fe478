//! Several sessions, in threads and in processes.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use oci_standin::StandIn;
use oracle::Connection;

use super::{Database, find, insert, ora};

#[test]
fn latency_overlaps_between_sessions() {
    let database = Database::with_table();
    insert(&database.inspect(), "x", 1.0).unwrap();
    database.standin.set_round_trip(Duration::from_millis(20));
    let connections: Vec<_> = (0..8).map(|_| database.connect()).collect();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for connection in &connections {
            scope.spawn(|| {
                for _ in 0..10 {
                    assert_eq!(find(connection, "x").unwrap(), 1.0);
                }
            });
        }
    });
    assert!(start.elapsed() >= Duration::from_millis(200));
    assert!(start.elapsed() < Duration::from_millis(800), "{:?}", start.elapsed());
}

#[test]
fn the_first_of_many_writers_of_a_key_wins() {
    let database = Database::with_table();
    let won: usize = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..6)
            .map(|writer| {
                let mut connection = database.connect();
                connection.set_autocommit(true);
                scope.spawn(move || {
                    let mut won = 0;
                    for key in 0..50 {
                        match ora(insert(&connection, &format!("key {key}"), f64::from(writer))) {
                            0 => won += 1,
                            1 => {}
                            other => panic!("ORA-{other}"),
                        }
                    }
                    won
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert_eq!(won, 50);
    assert_eq!(database.standin.counters().rows_inserted, 50);
}

#[test]
fn a_writer_waits_for_the_transaction_before_it() {
    let database = Database::with_table();
    let (first, second) = (database.connect(), database.connect());
    insert(&first, "x", 1.0).unwrap();
    assert!(find(&second, "x").is_err(), "not committed");
    second.set_call_timeout(Some(Duration::from_millis(50))).unwrap();
    assert_eq!(insert(&second, "x", 2.0).unwrap_err().dpi_code(), Some(1067));
    second.set_call_timeout(None).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| insert(&second, "x", 2.0));
        std::thread::sleep(Duration::from_millis(30));
        first.commit().unwrap();
        assert_eq!(ora(waiting.join().unwrap()), 1);
    });
    assert_eq!(find(&second, "x").unwrap(), 1.0);
}

#[test]
fn closing_rolls_back() {
    let database = Database::with_table();
    let connection = database.connect();
    insert(&connection, "x", 1.0).unwrap();
    drop(connection);
    assert!(find(&database.inspect(), "x").is_err());
    assert_eq!(database.standin.counters().rollbacks, 1);
}

const FOLDER: &str = "OCI_STANDIN_TEST_FOLDER";

/// Not a test of its own: what the other processes of the tests below do.
#[test]
fn other_process() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    // the client library is loaded by a helper that makes a database, which nobody uses here
    let _client = Database::new();
    let standin = StandIn::open(folder).unwrap();
    let text = standin.connect_string();
    let mut connection = Connection::connect("augur", "secret", text).unwrap();
    connection.set_autocommit(true);
    for key in 0.. {
        let _ = insert(&connection, &format!("key {key}"), 1.0);
    }
}

fn start_process(database: &Database) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sessions::other_process"])
        .env(FOLDER, database.standin.folder())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn processes_share_a_database_and_may_be_killed() {
    let database = Database::with_table();
    let mut processes = [start_process(&database), start_process(&database)];
    let counters = || database.standin.counters();
    until("two sessions", || counters().open_sessions == 2);
    until("rows", || counters().rows_inserted > 100);
    for process in &mut processes {
        process.kill().unwrap();
    }
    until("no session", || counters().open_sessions == 0);
    let inserted = counters().rows_inserted;
    for process in &mut processes {
        process.wait().unwrap();
    }
    let count = "select count(*) from url_result";
    let rows: u64 = database.inspect().query_row_as(count, &[]).unwrap();
    // a process may die between its commit and its count
    assert!((inserted..=inserted + 2).contains(&rows), "{rows} rows, {inserted} counted");
}

#[test]
fn a_fault_reaches_another_process() {
    let database = Database::with_table();
    let mut process = start_process(&database);
    until("a session", || database.standin.counters().rows_inserted > 0);
    database.standin.restart();
    assert_eq!(database.standin.counters().open_sessions, 0);
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn many_may_be_the_first_to_connect() {
    for _ in 0..10 {
        let database = Database::new();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let one = "select 1 from dual";
                    let one: i32 = database.connect().query_row_as(one, &[]).unwrap();
                    assert_eq!(one, 1);
                });
            }
        });
    }
}
