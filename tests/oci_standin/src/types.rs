//! [`ColumnType`]: the type of an Oracle column, how it is described and what it makes of a value.
//!
//! SQLite keeps no such types. A column's Oracle type travels in its *declared* type, coded as one word that SQLite
//! hands back for every column of a result that comes straight from a table, through views and subqueries too.

use rusqlite::types::Value;

use crate::datetime::DateTime;
use crate::error::{OraError, Result};
use crate::number::Decimal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Varchar2,
    Nvarchar2,
    Char,
    Number,
    BinaryDouble,
    BinaryFloat,
    Date,
    Timestamp,
    TimestampTz,
    Raw,
    Clob,
}

/// The kinds with the letter that stands for each in a declared type, the OCI type code and the dictionary's name.
const KINDS: [(Kind, &str, u16, &str); 11] = [
    (Kind::Varchar2, "V", 1, "VARCHAR2"),
    (Kind::Nvarchar2, "W", 1, "NVARCHAR2"),
    (Kind::Char, "C", 96, "CHAR"),
    (Kind::Number, "N", 2, "NUMBER"),
    (Kind::BinaryDouble, "D", 101, "BINARY_DOUBLE"),
    (Kind::BinaryFloat, "F", 100, "BINARY_FLOAT"),
    (Kind::Date, "A", 12, "DATE"),
    (Kind::Timestamp, "T", 187, "TIMESTAMP"),
    (Kind::TimestampTz, "Z", 188, "TIMESTAMP"),
    (Kind::Raw, "R", 23, "RAW"),
    (Kind::Clob, "L", 112, "CLOB"),
];

/// The scale by which Oracle describes a NUMBER without one.
const FLOATING: i8 = -127;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ColumnType {
    pub(crate) kind: Kind,
    /// Characters or bytes of a text, bytes of a RAW.
    pub(crate) size: u16,
    pub(crate) in_chars: bool,
    /// Decimal digits; binary ones for a FLOAT.
    pub(crate) precision: i16,
    /// Of a timestamp: digits of the second's fraction.
    pub(crate) scale: i8,
}

impl ColumnType {
    pub(crate) const NUMBER: Self =
        Self { kind: Kind::Number, size: 22, in_chars: false, precision: 0, scale: FLOATING };

    pub(crate) fn text(kind: Kind, size: u16, in_chars: bool) -> Self {
        Self { kind, size, in_chars, precision: 0, scale: 0 }
    }

    pub(crate) fn moment(kind: Kind, digits: i8) -> Self {
        Self { scale: digits, ..Self::text(kind, 11, false) }
    }

    /// From the words of a DDL statement: the type's name and the numbers in its parentheses.
    pub(crate) fn named(name: &str, arguments: &[i32], in_chars: bool) -> Result<Self> {
        let argument = |at: usize, default: i32| arguments.get(at).copied().unwrap_or(default);
        let number =
            |precision: i32, scale: i32| Self { precision: precision as i16, scale: scale as i8, ..Self::NUMBER };
        let size = argument(0, 1) as u16;
        Ok(match name {
            "VARCHAR2" | "VARCHAR" if arguments.is_empty() => {
                return Err(OraError::with(906, "missing left parenthesis"));
            }
            "VARCHAR2" | "VARCHAR" => Self::text(Kind::Varchar2, size, in_chars),
            "NVARCHAR2" => Self::text(Kind::Nvarchar2, size, true),
            "CHAR" => Self::text(Kind::Char, size, in_chars),
            "RAW" => Self::text(Kind::Raw, size, false),
            "CLOB" => Self::text(Kind::Clob, 4000, false),
            "NUMBER" | "DECIMAL" | "NUMERIC" if !arguments.is_empty() => number(argument(0, 38), argument(1, 0)),
            "NUMBER" => Self::NUMBER,
            "INTEGER" | "INT" | "SMALLINT" | "DECIMAL" | "NUMERIC" => number(38, 0),
            "FLOAT" => number(argument(0, 126), FLOATING.into()),
            "BINARY_DOUBLE" => Self::text(Kind::BinaryDouble, 8, false),
            "BINARY_FLOAT" => Self::text(Kind::BinaryFloat, 4, false),
            "DATE" => Self::moment(Kind::Date, 0),
            "TIMESTAMP" => Self::moment(Kind::Timestamp, argument(0, 6) as i8),
            "TIMESTAMP WITH TIME ZONE" => Self::moment(Kind::TimestampTz, argument(0, 6) as i8),
            _ => return Err(OraError::with(902, "invalid datatype")),
        })
    }

    fn kind_row(self) -> &'static (Kind, &'static str, u16, &'static str) {
        // every kind has its row, so the first one is never a guess
        let row = KINDS.iter().find(|row| row.0 == self.kind);
        row.unwrap_or(&KINDS[0])
    }

    /// The declared type. `CHAR` gives a text column SQLite's text affinity, so that it compares with numbers as
    /// text; `BLOB` keeps every other value as it was written.
    pub(crate) fn to_declared(self, nullable: bool) -> String {
        let affinity = match self.kind {
            Kind::Varchar2 | Kind::Nvarchar2 | Kind::Char | Kind::Clob => "CHAR",
            _ => "BLOB",
        };
        format!(
            "{affinity}_{}_{}_{}_{}_{}_{}",
            self.kind_row().1,
            self.size,
            u8::from(self.in_chars),
            self.precision,
            i16::from(self.scale) + 128,
            u8::from(nullable)
        )
    }

    /// The type and whether it may be NULL.
    pub(crate) fn from_declared(declared: &str) -> Option<(Self, bool)> {
        let mut parts = declared.split('_').skip(1);
        let letter = parts.next()?;
        let kind = KINDS.iter().find(|row| row.1 == letter)?.0;
        let mut next = || parts.next()?.parse::<i32>().ok();
        let column_type = Self {
            kind,
            size: next()? as u16,
            in_chars: next()? == 1,
            precision: next()? as i16,
            scale: (next()? - 128) as i8,
        };
        Some((column_type, next()? == 1))
    }

    pub(crate) fn oci_code(self) -> u16 {
        self.kind_row().2
    }

    pub(crate) fn is_nchar(self) -> bool {
        self.kind == Kind::Nvarchar2
    }

    pub(crate) fn bytes(self) -> u16 {
        match self.kind {
            Kind::Nvarchar2 => self.size * 2,
            Kind::Varchar2 | Kind::Char if self.in_chars => self.size.saturating_mul(4),
            _ => self.size,
        }
    }

    /// The dictionary's DATA_TYPE.
    pub(crate) fn dictionary_name(self) -> String {
        let name = self.kind_row().3;
        match self.kind {
            Kind::Timestamp => format!("{name}({})", self.scale),
            Kind::TimestampTz => format!("{name}({}) WITH TIME ZONE", self.scale),
            Kind::Number if self.precision > 0 && self.scale == FLOATING => "FLOAT".to_owned(),
            _ => name.to_owned(),
        }
    }

    /// What the column stores of a value, or the error Oracle raises instead. `place` names the column in messages.
    pub(crate) fn coerce(self, value: Value, place: impl Fn() -> String) -> Result<Value> {
        let value = match value {
            Value::Null => return Ok(Value::Null),
            Value::Text(text) if text.is_empty() => return Ok(Value::Null),
            value => value,
        };
        let invalid_number = || OraError::new(1722);
        Ok(match self.kind {
            Kind::Varchar2 | Kind::Nvarchar2 | Kind::Char | Kind::Clob => {
                let mut text = match value {
                    Value::Text(text) => text,
                    Value::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
                    number => match Decimal::from_value(&number) {
                        Some(decimal) => decimal.to_text(),
                        None => return Err(invalid_number()),
                    },
                };
                let length = if self.in_chars { text.chars().count() } else { text.len() };
                let room = usize::from(self.size);
                if length > room && self.kind != Kind::Clob {
                    return Err(OraError::with(
                        12899,
                        format_args!("value too large for column {} (actual: {length}, maximum: {room})", place()),
                    ));
                }
                if self.kind == Kind::Char {
                    text.extend(std::iter::repeat_n(' ', room - length));
                }
                Value::Text(text)
            }
            Kind::Number => {
                let decimal = Decimal::from_value(&value).ok_or_else(invalid_number)?;
                let decimal = decimal.in_range().ok_or_else(|| OraError::new(1426))?;
                if self.scale == FLOATING {
                    decimal.to_value()
                } else {
                    let fitted = decimal.fit(self.precision, self.scale);
                    fitted.ok_or_else(|| OraError::new(1438))?.to_value()
                }
            }
            Kind::BinaryDouble | Kind::BinaryFloat => {
                let real = match &value {
                    Value::Integer(integer) => *integer as f64,
                    Value::Real(real) => *real,
                    Value::Text(text) => text.trim().parse().map_err(|_| invalid_number())?,
                    Value::Null | Value::Blob(_) => return Err(invalid_number()),
                };
                if self.kind == Kind::BinaryFloat { from_double(f64::from(real as f32)) } else { from_double(real) }
            }
            Kind::Date | Kind::Timestamp | Kind::TimestampTz => {
                let Value::Text(text) = value else {
                    return Err(OraError::with(932, "inconsistent datatypes"));
                };
                let moment = DateTime::parse(&text).ok_or_else(|| OraError::new(1843))?;
                Value::Text(moment.truncated(self.scale as u32).to_text())
            }
            Kind::Raw => match value {
                Value::Blob(bytes) if bytes.len() <= usize::from(self.size) => Value::Blob(bytes),
                Value::Blob(_) => return Err(OraError::new(1401)),
                _ => return Err(OraError::with(932, "inconsistent datatypes")),
            },
        })
    }
}

/// A BINARY_DOUBLE as SQLite keeps it. SQLite knows no NaN; as text it sorts above all numbers, as in Oracle, which
/// also turns a negative zero into a positive one.
pub(crate) fn from_double(real: f64) -> Value {
    if real.is_nan() { Value::Text("NaN".to_owned()) } else { Value::Real(real + 0.0) }
}
