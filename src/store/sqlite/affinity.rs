//! What SQLite makes of a value, by the declared type of its column.

use crate::domain::{Number, Outcome};

/// What a column's declared type makes of values, by SQLite's rules (Datatypes In SQLite, 3.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

impl Affinity {
    pub(super) fn of(declared: Option<&str>) -> Self {
        let declared = declared.unwrap_or_default().to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        if has(&["INT"]) {
            Self::Integer
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Self::Text
        } else if declared.is_empty() || has(&["BLOB"]) {
            Self::Blob
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            Self::Real
        } else {
            Self::Numeric
        }
    }

    /// Whether the column is for text. SQLite itself would store text in a column of numbers; in Oracle none can stand there.
    pub(super) fn takes_text(self) -> bool {
        matches!(self, Self::Text | Self::Blob)
    }

    /// Whether a value comes back as it was sent.
    pub(super) fn keeps(self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Number(Number::Float(_)) => matches!(self, Self::Real | Self::Blob),
            Outcome::Text(_) => self.takes_text(),
            // A column that must have a value may put its default in the place of NULL.
            Outcome::Null | Outcome::Number(Number::Integer(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use rusqlite::types::Value;

    #[test]
    fn what_is_said_to_come_back_as_it_was_does() {
        let declared = [
            "",
            "REAL",
            "float",
            "DOUBLE PRECISION",
            "FLOATING POINT",
            "BLOB",
            "TEXT",
            "VARCHAR(20)",
            "NUMERIC",
            "INTEGER",
        ];
        let values = [
            (Outcome::float(1.0), Value::Real(1.0)),
            (Outcome::float(-0.25), Value::Real(-0.25)),
            (Outcome::float(1e300), Value::Real(1e300)),
            (Outcome::Text("7".to_owned()), Value::Text("7".to_owned())),
            (Outcome::Text("7.0e0".to_owned()), Value::Text("7.0e0".to_owned())),
            (Outcome::Null, Value::Null),
        ];
        let mut kept = 0;
        for declared in declared {
            let database = Connection::open_in_memory().expect("a database");
            database.execute_batch(&format!("CREATE TABLE t (x {declared})")).expect("a table");
            for (outcome, value) in &values {
                database.execute("DELETE FROM t", []).expect("no rows");
                database.execute("INSERT INTO t VALUES (?1)", [value]).expect("a row");
                let mut select = database.prepare("SELECT x FROM t").expect("a statement");
                let affinity = Affinity::of(select.columns()[0].decl_type());
                let back: Value = select.query_row([], |row| row.get(0)).expect("the row");
                if affinity.keeps(outcome) {
                    assert_eq!(&back, value, "{declared}");
                    kept += 1;
                }
            }
        }
        assert!(kept > 20, "the usual columns are among them: {kept}");
    }
}
