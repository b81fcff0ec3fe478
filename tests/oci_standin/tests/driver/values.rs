//! Values go in and come out unchanged, or are refused as Oracle refuses them.

use oracle::Connection;
use oracle::sql_type::Timestamp;

use super::{Database, KEY, find, insert, ora};

#[test]
fn doubles_come_back_bit_for_bit() {
    let database = Database::with_table();
    let connection = database.connect();
    let values = [0.1, -1.5e-300, f64::MAX, f64::MIN_POSITIVE, 1.0, f64::INFINITY, 1e15 / 3.0];
    for (at, value) in values.into_iter().enumerate() {
        insert(&connection, &format!("key {at}"), value).unwrap();
        let found = find(&connection, &format!("key {at}")).unwrap();
        assert_eq!(found.to_bits(), value.to_bits());
    }
    insert(&connection, "nan", f64::NAN).unwrap();
    assert!(find(&connection, "nan").unwrap().is_nan());
}

#[test]
fn types_are_described_as_declared() {
    let database = Database::new();
    let connection = database.connect();
    let types = "a varchar2(40), b varchar2(10 char), c nvarchar2(7), d char(3), e number, f number(10),
        g number(8, 2), h float(53), i binary_double, j binary_float, k timestamp(3), l date, m raw(16), n clob,
        o number(5, -2) default 0 not null";
    connection.execute(&format!("create table types ({types})"), &[]).unwrap();
    let mut statement = connection.statement("select * from types").build().unwrap();
    let rows = statement.query(&[]).unwrap();
    let described: Vec<_> = rows
        .column_info()
        .iter()
        .map(|column| format!("{} {} {}", column.name(), column.oracle_type(), column.nullable()))
        .collect();
    assert_eq!(
        described,
        [
            "A VARCHAR2(40) true",
            "B VARCHAR2(40) true",
            "C NVARCHAR2(7) true",
            "D CHAR(3) true",
            "E NUMBER true",
            "F NUMBER(10) true",
            "G NUMBER(8,2) true",
            "H FLOAT(53) true",
            "I BINARY_DOUBLE true",
            "J BINARY_FLOAT true",
            "K TIMESTAMP(3) true",
            "L DATE true",
            "M RAW(16) true",
            "N CLOB true",
            "O NUMBER(5,-2) false"
        ]
    );
}

fn numbers(types: &str) -> (Database, Connection) {
    let database = Database::new();
    let connection = database.connect();
    connection.execute(&format!("create table numbers ({types})"), &[]).unwrap();
    (database, connection)
}

#[test]
fn numbers_are_exact_and_round_to_their_scale() {
    let (_database, connection) = numbers("n number, p number(5, 2)");
    let insert = "insert into numbers (n, p) values (:1, :2)";
    let exact = "12345678901234567890.123456789";
    // as text: the driver's own check of a NUMBER's text overflows at twenty digits
    connection.execute(insert, &[&(&exact, &KEY), &1.005]).unwrap();
    let (n, p): (String, f64) = connection.query_row_as("select n, p from numbers", &[]).unwrap();
    assert_eq!((n.as_str(), p), (exact, 1.01));
    assert_eq!(ora(connection.execute(insert, &[&1, &1000])), 1438);
    assert_eq!(ora(connection.execute(insert, &[&1, &"abc"])), 1722);
    connection.execute(insert, &[&-0.5, &None::<f64>]).unwrap();
    let found: Option<f64> = connection.query_row_as("select p from numbers where n < 0", &[]).unwrap();
    assert_eq!(found, None);
}

#[test]
fn texts_are_measured_in_bytes_or_characters() {
    let database = Database::with_table();
    let connection = database.connect();
    let error = insert(&connection, &"é".repeat(21), 1.0).unwrap_err();
    let text = "ORA-12899: value too large for column \"AUGUR\".\"URL_RESULT\".\"URL\" (actual: 42, maximum: 40)";
    assert_eq!(error.to_string(), format!("OCI Error: {text}"));
    let model = "insert into url_result (url, model) values ('x', :1)";
    connection.execute(model, &[&(&"éééééééééé", &KEY)]).unwrap();
    let found: String = connection.query_row_as("select model from url_result where url = 'x'", &[]).unwrap();
    assert_eq!(found, "éééééééééé");
}

#[test]
fn an_empty_text_is_null() {
    let database = Database::with_table();
    let connection = database.connect();
    let error = insert(&connection, "", 1.0).unwrap_err();
    let text = "ORA-01400: cannot insert NULL into (\"AUGUR\".\"URL_RESULT\".\"URL\")";
    assert_eq!(error.to_string(), format!("OCI Error: {text}"));
    connection.execute("insert into url_result (url, model) values ('x', '')", &[]).unwrap();
    let count: i64 = connection.query_row_as("select count(*) from url_result where model is null", &[]).unwrap();
    assert_eq!(count, 1);
}

#[test]
fn moments_and_raws_come_back() {
    let database = Database::new();
    let connection = database.connect();
    let create = "create table moments (t timestamp(6), d date, r raw(4), s timestamp default systimestamp)";
    connection.execute(create, &[]).unwrap();
    let moment = Timestamp::new(2026, 2, 28, 23, 59, 59, 123_456_000).unwrap();
    connection
        .execute("insert into moments (t, d, r) values (:1, :2, :3)", &[&moment, &moment, &vec![1_u8, 0, 255]])
        .unwrap();
    let (t, d, r, s): (Timestamp, Timestamp, Vec<u8>, Timestamp) =
        connection.query_row_as("select t, d, r, s from moments", &[]).unwrap();
    assert_eq!((t.second(), t.nanosecond()), (59, 123_456_000));
    assert_eq!((d.day(), d.nanosecond()), (28, 0));
    assert_eq!(r, [1, 0, 255]);
    assert!(s.year() >= 2025);
}

#[test]
fn a_long_text_passes_through_the_driver_in_pieces() {
    let database = Database::new();
    let connection = database.connect();
    connection.execute("create table texts (t clob)", &[]).unwrap();
    let long = "long ".repeat(30_000);
    connection.execute("insert into texts values (:1)", &[&long]).unwrap();
    let found: String = connection.query_row_as("select t from texts", &[]).unwrap();
    assert_eq!(found, long);
}
