//! Checkpoints beside readers and writers.

use super::*;

fn open(folder: &tempfile::TempDir) -> Connection {
    let connection = Connection::open(folder.path().join("a.db")).expect("a database");
    connection.pragma_update(None, "journal_mode", "WAL").expect("a log");
    connection.pragma_update(None, "wal_autocheckpoint", 0).expect("a log that nobody carries over");
    connection.busy_timeout(READER_PATIENCE).expect("patience");
    connection
}

fn left(connection: &Connection) -> i64 {
    let Log { pages, carried } = checkpoint(connection, "NOOP").expect("the log's length");
    pages - carried
}

fn insert(writer: &Writer) {
    writer.lock().execute("INSERT INTO t VALUES (zeroblob(100000))", []).expect("a row");
}

#[test]
fn a_long_log_is_carried_over_and_begins_anew_and_a_short_one_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let (connection, writer) = (open(&folder), Writer::new(open(&folder)));
    writer.lock().execute_batch("CREATE TABLE t (x)").expect("a table");
    insert(&writer);
    let pages = left(&connection);
    assert!(pages > 20, "{pages}");
    carry_over(&connection, &writer, pages + 1).expect("a look");
    assert_eq!(left(&connection), pages);
    carry_over(&connection, &writer, pages).expect("a checkpoint");
    assert_eq!(left(&connection), 0);
    insert(&writer);
    assert!(left(&connection) <= pages + 1, "the log has begun anew: {}", left(&connection));
}

#[test]
fn the_log_begins_anew_though_a_lookup_began_before_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let (connection, writer) = (open(&folder), Writer::new(open(&folder)));
    connection.busy_timeout(Duration::from_secs(10)).expect("patience");
    writer.lock().execute_batch("CREATE TABLE t (x)").expect("a table");
    insert(&writer);
    let log_bytes = || std::fs::metadata(folder.path().join("a.db-wal")).map_or(0, |log| log.len());
    let before = log_bytes();
    let reader = open(&folder);
    reader.execute_batch("BEGIN; SELECT * FROM t").expect("a state of the table");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            reader.execute_batch("COMMIT").expect("an end");
        });
        assert!(carry_over(&connection, &writer, 1).expect("a checkpoint"));
        insert(&writer);
    });
    assert_eq!(log_bytes(), before);
}

#[test]
fn what_a_reader_is_in_the_way_of_is_carried_over_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (connection, writer) = (open(&folder), Writer::new(open(&folder)));
    writer.lock().execute_batch("CREATE TABLE t (x)").expect("a table");
    let reader = open(&folder);
    reader.execute_batch("BEGIN; SELECT * FROM t").expect("a state of the table");
    insert(&writer);
    carry_over(&connection, &writer, 1).expect("a checkpoint");
    assert!(left(&connection) > 20, "{}", left(&connection));
    reader.execute_batch("COMMIT").expect("an end");
    carry_over(&connection, &writer, 1).expect("a checkpoint");
    assert_eq!(left(&connection), 0);
}
