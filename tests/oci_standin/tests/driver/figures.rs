//! Counters: what each call costs, as on a real server.

use oracle::sql_type::OracleType;
use oracle::{Connection, ErrorKind};

use super::{Database, KEY, find, insert};
use oci_standin::Counters;

/// The counters of one piece of work, without the sessions.
fn cost(database: &Database, work: impl FnOnce()) -> Counters {
    database.standin.reset_counters();
    work();
    Counters { open_sessions: 0, max_sessions: 0, ..database.standin.counters() }
}

fn autocommitting(database: &Database) -> Connection {
    let mut connection = database.connect();
    connection.set_autocommit(true);
    connection
}

#[test]
fn a_hit_is_one_round_trip_and_no_parse_after_the_first() {
    let database = Database::with_table();
    let connection = autocommitting(&database);
    insert(&connection, "x", 1.0).unwrap();
    let hit = Counters { round_trips: 1, executes: 1, rows_fetched: 1, ..Counters::default() };
    let first = cost(&database, || assert_eq!(find(&connection, "x").unwrap(), 1.0));
    assert_eq!(first, Counters { parses: 1, ..hit });
    let second = cost(&database, || assert_eq!(find(&connection, "x").unwrap(), 1.0));
    assert_eq!(second, hit);
    let miss = cost(&database, || assert!(find(&connection, "y").is_err()));
    assert_eq!(miss, Counters { rows_fetched: 0, ..hit });
}

#[test]
fn an_insert_with_autocommit_is_one_round_trip_and_one_commit() {
    let database = Database::with_table();
    let mut connection = autocommitting(&database);
    insert(&connection, "x", 1.0).unwrap();
    let inserted = Counters { round_trips: 1, executes: 1, commits: 1, rows_inserted: 1, ..Counters::default() };
    assert_eq!(cost(&database, || insert(&connection, "y", 1.0).unwrap()), inserted);
    let refused = cost(&database, || assert!(insert(&connection, "y", 1.0).is_err()));
    let only_tried = Counters { round_trips: 1, executes: 1, ..Counters::default() };
    assert_eq!(refused, only_tried);
    connection.set_autocommit(false);
    let by_hand = cost(&database, || {
        insert(&connection, "z", 1.0).unwrap();
        connection.commit().unwrap();
    });
    assert_eq!(by_hand, Counters { round_trips: 2, ..inserted });
    let pings = cost(&database, || connection.ping().unwrap());
    assert_eq!((pings.round_trips, pings.pings), (1, 1));
    assert_eq!(cost(&database, || drop(connection.status())), Counters::default());
    let closing = cost(&database, || {
        insert(&connection, "lost", 1.0).unwrap();
        connection.rollback().unwrap();
        drop(connection);
    });
    assert_eq!((closing.round_trips, closing.rollbacks, closing.commits), (2, 1, 0));
}

#[test]
fn only_rows_beyond_the_prefetched_ones_cost_more_round_trips() {
    let database = Database::with_table();
    let connection = autocommitting(&database);
    for at in 0..20 {
        insert(&connection, &format!("key {at}"), 1.0).unwrap();
    }
    let round_trips = |prefetch, array| {
        let done = cost(&database, || {
            let mut statement = connection.statement("select url from url_result");
            let statement = statement.prefetch_rows(prefetch).fetch_array_size(array);
            let mut statement = statement.build().unwrap();
            assert_eq!(statement.query(&[]).unwrap().count(), 20);
        });
        assert_eq!(done.rows_fetched, 20);
        done.round_trips
    };
    assert_eq!(round_trips(20, 20), 2);
    assert_eq!(round_trips(21, 20), 1);
    assert_eq!(round_trips(2, 100), 2);
    assert_eq!(round_trips(0, 10), 4);
}

#[test]
fn a_batch_is_one_round_trip_and_tells_its_errors() {
    let database = Database::with_table();
    let connection = autocommitting(&database);
    let sql = "insert into url_result (url, result) values (:1, :2)";
    let run = |keys: std::ops::Range<u32>, with_errors: bool| {
        let mut batch = connection.batch(sql, 64);
        let batch = if with_errors { batch.with_batch_errors() } else { &mut batch };
        let mut batch = batch.build().unwrap();
        batch.set_type(1, &KEY).unwrap();
        batch.set_type(2, &OracleType::BinaryDouble).unwrap();
        for key in keys {
            batch.append_row(&[&format!("key {key}"), &f64::from(key)])?;
        }
        batch.execute()
    };
    let inserted = cost(&database, || run(0..64, true).unwrap());
    let expected =
        Counters { round_trips: 1, executes: 1, parses: 1, commits: 1, rows_inserted: 64, ..Counters::default() };
    assert_eq!(inserted, expected);
    let overlapping = cost(&database, || {
        let error = run(54..100, true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BatchErrors);
        let errors = error.batch_errors().unwrap();
        let offsets: Vec<_> = errors.iter().map(|error| (error.offset(), error.code())).collect();
        assert_eq!(offsets, (0..10).map(|at| (at, 1)).collect::<Vec<_>>());
    });
    assert_eq!((overlapping.round_trips, overlapping.commits), (1, 0));
    assert_eq!(overlapping.rows_inserted, 36);
    let count = |connection: &Connection| -> i64 {
        let count = "select count(*) from url_result";
        connection.query_row_as(count, &[]).unwrap()
    };
    assert_eq!(count(&database.inspect()), 64);
    connection.commit().unwrap();
    assert_eq!(count(&database.inspect()), 100);
    // without batch errors the rows before the bad one stay, uncommitted
    assert_eq!(super::ora(run(99..105, false)), 1);
    assert_eq!(super::ora(run(100..105, false)), 0);
    assert_eq!(count(&database.inspect()), 105);
}

#[test]
fn row_counts_come_by_row() {
    let database = Database::with_table();
    let connection = autocommitting(&database);
    for key in ["a", "ab", "b"] {
        insert(&connection, key, 1.0).unwrap();
    }
    let sql = "update url_result set result = 2 where url like :1";
    let mut batch = connection.batch(sql, 3).with_row_counts().build().unwrap();
    for pattern in ["a%", "b%", "c%"] {
        batch.append_row(&[&pattern]).unwrap();
    }
    batch.execute().unwrap();
    assert_eq!(batch.row_counts().unwrap(), [2, 1, 0]);
}

#[test]
fn binds_in_the_national_character_set_are_noticed() {
    let database = Database::with_table();
    let connection = autocommitting(&database);
    let sql = "select result from url_result where url = :1";
    let plain = cost(&database, || drop(connection.query_row(sql, &[&"x"])));
    assert_eq!(plain.nchar_binds, 1);
    // This count alone outlives a reset, so that the end of a test tells of all of it.
    let typed = cost(&database, || drop(connection.query_row(sql, &[&(&"x", &KEY)])));
    assert_eq!(typed.nchar_binds, plain.nchar_binds);
}

#[test]
fn the_statement_cache_is_as_large_as_it_was_set() {
    let database = Database::new();
    let connector = |size| {
        let text = database.standin.connect_string();
        let mut connector = oracle::Connector::new(oci_standin::USER, oci_standin::PASSWORD, text);
        connector.stmt_cache_size(size).connect().unwrap()
    };
    let parses = |connection: &Connection| {
        let work = cost(&database, || {
            for number in [1, 2, 3, 1, 2, 3] {
                let sql = format!("select {number} from dual");
                connection.query_row_as::<i32>(&sql, &[]).unwrap();
            }
        });
        work.parses
    };
    assert_eq!(parses(&connector(0)), 6);
    assert_eq!(parses(&connector(2)), 6);
    assert_eq!(parses(&connector(3)), 3);
}

#[test]
fn a_session_sees_its_own_figures() {
    let database = Database::with_table();
    let connection = autocommitting(&database);
    let sql = "select n.name, m.value from v$mystat m join v$statname n on n.statistic#=m.statistic#
        where n.name in ('SQL*Net roundtrips to/from client', 'user commits') order by n.statistic#";
    let figures = || -> Vec<i64> {
        let rows = connection.query_as::<(String, i64)>(sql, &[]).unwrap();
        rows.map(|row| row.unwrap().1).collect()
    };
    let before = figures();
    insert(&connection, "x", 1.0).unwrap();
    let after = figures();
    // the query for the figures costs two itself: the second row is more than one fetch array of one knows
    assert_eq!(after[1] - before[1], 1);
    assert_eq!(after[0] - before[0], 1 + 2);
}
