//! The result column: how its described type is fetched, and what a value becomes when it is stored there.
//!
//! A miss must answer exactly what the next hit will return, so a value is brought into the column's form here, before it
//! is bound: rounded as Oracle rounds, retyped as the driver will return it.

use oracle::sql_type::{OracleType, ToSql};
use oracle::{Connection, SqlValue};

use super::decimal::Decimal;
use super::errors::Failure;
use crate::domain::{Number, Outcome};

/// A VARCHAR2 bind of 4000 bytes: ODPI-C reserves four bytes a character. One shape for all keys, so no child cursors by
/// length; and VARCHAR2, so that the key column is not converted to NVARCHAR2 and its index lost.
pub(super) const TEXT: OracleType = OracleType::Varchar2(1000);

/// What kind of column holds the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnKind {
    /// BINARY_DOUBLE
    Double,
    /// BINARY_FLOAT
    Single,
    /// NUMBER: exact decimals; scale and digits where declared.
    Number {
        /// Decimal digits at most (Oracle: 38 where not declared).
        precision: u32,
        /// Decimal places; `None` where not declared.
        scale: Option<i32>,
    },
    /// FLOAT(p): a NUMBER that is rounded to this many significant decimal digits.
    Float {
        /// Significant decimal digits.
        digits: u32,
    },
    /// VARCHAR2 and its kin.
    Text,
}

/// A value as it is bound.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bind {
    Double(f64),
    Single(f32),
    /// Plain decimal text for a NUMBER.
    Decimal(String),
    Text(String),
    Null,
}

impl ToSql for Bind {
    /// Never asked: every bind says its type.
    fn oratype(&self, _: &Connection) -> oracle::Result<OracleType> {
        Ok(TEXT)
    }

    fn to_sql(&self, value: &mut SqlValue<'_>) -> oracle::Result<()> {
        match self {
            Self::Double(x) => x.to_sql(value),
            Self::Single(x) => x.to_sql(value),
            Self::Decimal(text) | Self::Text(text) => text.to_sql(value),
            Self::Null => value.set_null(),
        }
    }
}

impl ColumnKind {
    /// The kind of a described column.
    ///
    /// # Errors
    /// For types that no result can be read from in one round trip, or not as it was stored.
    pub(super) fn of(described: &OracleType) -> Result<Self, Failure> {
        const UNDECLARED_SCALE: i8 = -127;
        const MAX_DIGITS: u32 = 38;
        match described {
            OracleType::BinaryDouble => Ok(Self::Double),
            OracleType::BinaryFloat => Ok(Self::Single),
            OracleType::Number(0, UNDECLARED_SCALE) | OracleType::Number(0, 0) => {
                Ok(Self::Number { precision: MAX_DIGITS, scale: None })
            }
            OracleType::Number(precision, scale) => {
                let precision = if *precision == 0 { MAX_DIGITS } else { u32::from(*precision) };
                Ok(Self::Number { precision, scale: Some(i32::from(*scale)) })
            }
            // SQL Language Reference, "FLOAT Datatype": decimal precision is binary precision times log10(2).
            OracleType::Float(bits) => {
                Ok(Self::Float { digits: (f64::from(*bits) * std::f64::consts::LOG10_2).ceil() as u32 })
            }
            // Not CHAR: it pads with blanks, so that a hit would not be what the miss answered.
            OracleType::Varchar2(_) | OracleType::NVarchar2(_) => Ok(Self::Text),
            other => Err(Failure::column_type(other)),
        }
    }

    /// Reads a fetched value.
    pub(super) fn read(self, value: &SqlValue<'_>) -> Result<Outcome, Failure> {
        if value.is_null()? {
            return Ok(Outcome::Null);
        }
        let not_a_number = || Failure::unreadable("a number that cannot be read");
        Ok(match self {
            Self::Double => Outcome::float(value.get::<f64>()?),
            Self::Single => Outcome::float(f64::from(value.get::<f32>()?)),
            Self::Number { .. } => Outcome::decimal(&value.get::<String>()?).ok_or_else(not_a_number)?,
            Self::Float { .. } => Outcome::float(value.get::<String>()?.parse().map_err(|_| not_a_number())?),
            Self::Text => Outcome::Text(value.get()?),
        })
    }

    /// The type that values are bound as.
    pub(super) fn bind_type(self) -> OracleType {
        match self {
            Self::Double => OracleType::BinaryDouble,
            Self::Single => OracleType::BinaryFloat,
            Self::Number { .. } | Self::Float { .. } => OracleType::Number(0, 0),
            Self::Text => TEXT,
        }
    }

    /// Brings `outcome` into the column's form: what to bind, and what a later hit will return. `None` where the column
    /// cannot hold it.
    pub(super) fn store(self, outcome: &Outcome) -> Option<(Bind, Outcome)> {
        /// Longest text that a VARCHAR2 bind carries.
        const MAX_TEXT_BYTES: usize = 4000;
        match (self, outcome) {
            (Self::Text, Outcome::Text(text)) if text.len() > MAX_TEXT_BYTES => None,
            (_, Outcome::Null) => Some((Bind::Null, Outcome::Null)),
            (Self::Text, Outcome::Text(text)) => {
                // '' is NULL in Oracle.
                let stored = if text.is_empty() { Outcome::Null } else { outcome.clone() };
                Some((Bind::Text(text.clone()), stored))
            }
            (Self::Text, Outcome::Number(_)) => {
                let text = serde_json::to_string(outcome).ok()?;
                Some((Bind::Text(text.clone()), Outcome::Text(text)))
            }
            (_, Outcome::Text(_)) => None,
            (Self::Double, Outcome::Number(number)) => {
                let x = as_f64(*number);
                Some((Bind::Double(x), Outcome::float(x)))
            }
            (Self::Single, Outcome::Number(number)) => {
                let x = as_f64(*number) as f32;
                x.is_finite().then(|| (Bind::Single(x), Outcome::float(f64::from(x))))
            }
            (Self::Number { precision, scale }, Outcome::Number(number)) => {
                let text = Decimal::of(*number).rounded_to_scale(scale).fitting(precision, scale)?.to_string();
                let stored = Outcome::decimal(&text)?;
                Some((Bind::Decimal(text), stored))
            }
            (Self::Float { digits }, Outcome::Number(number)) => {
                let text = Decimal::of(*number).rounded_to_digits(digits).fitting(digits, None)?.to_string();
                let stored = Outcome::float(text.parse().ok()?);
                Some((Bind::Decimal(text), stored))
            }
        }
    }
}

fn as_f64(number: Number) -> f64 {
    match number {
        Number::Float(x) => x,
        Number::Integer(x) => x as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stored(kind: ColumnKind, x: f64) -> Option<(Bind, Outcome)> {
        kind.store(&Outcome::float(x))
    }

    #[test]
    fn a_number_column_rounds_half_away_from_zero_and_keeps_integers_integers() {
        let two_places = ColumnKind::Number { precision: 5, scale: Some(2) };
        assert_eq!(stored(two_places, 0.925), Some((Bind::Decimal("0.93".into()), Outcome::float(0.93))));
        assert_eq!(stored(two_places, -0.005), Some((Bind::Decimal("-0.01".into()), Outcome::float(-0.01))));
        assert_eq!(stored(two_places, 0.004), Some((Bind::Decimal("0".into()), Outcome::integer(0))));
        assert_eq!(stored(two_places, 999.995), None);
        assert_eq!(stored(two_places, 999.994), Some((Bind::Decimal("999.99".into()), Outcome::float(999.99))));
        let integer = ColumnKind::Number { precision: 38, scale: Some(0) };
        assert_eq!(stored(integer, 0.5), Some((Bind::Decimal("1".into()), Outcome::integer(1))));
        let hundreds = ColumnKind::Number { precision: 3, scale: Some(-2) };
        assert_eq!(stored(hundreds, 1250.0), Some((Bind::Decimal("1300".into()), Outcome::integer(1300))));
    }

    #[test]
    fn every_other_column_gives_back_what_it_took() {
        assert_eq!(stored(ColumnKind::Double, 0.1), Some((Bind::Double(0.1), Outcome::float(0.1))));
        let single = f64::from(0.1_f32);
        assert_eq!(stored(ColumnKind::Single, 0.1), Some((Bind::Single(0.1), Outcome::float(single))));
        assert_eq!(stored(ColumnKind::Text, 1.0), Some((Bind::Text("1.0".into()), Outcome::Text("1.0".into()))));
        assert_eq!(
            stored(ColumnKind::Float { digits: 3 }, 0.12345),
            Some((Bind::Decimal("0.123".into()), Outcome::float(0.123)))
        );
        assert_eq!(
            ColumnKind::Text.store(&Outcome::Text(String::new())).map(|(_, stored)| stored),
            Some(Outcome::Null)
        );
        assert_eq!(ColumnKind::Double.store(&Outcome::Text("a".into())), None);
    }

    proptest! {
        #[test]
        fn an_undeclared_number_keeps_every_float_in_its_range(x in -1e100_f64..1e100) {
            let kind = ColumnKind::Number { precision: 38, scale: None };
            let (bind, _) = stored(kind, x).expect("in range");
            let Bind::Decimal(text) = bind else { panic!("a decimal") };
            prop_assert_eq!(text.parse::<f64>().expect("a number").to_bits(), (x + 0.0).to_bits());
        }

        #[test]
        fn rounding_is_never_off_by_more_than_half_a_unit(x in -1e6_f64..1e6, scale in 0_i32..6) {
            let kind = ColumnKind::Number { precision: 20, scale: Some(scale) };
            let (bind, _) = stored(kind, x).expect("in range");
            let Bind::Decimal(text) = bind else { panic!("a decimal") };
            let rounded: f64 = text.parse().expect("a number");
            prop_assert!((rounded - x).abs() <= 0.500_001 * 10_f64.powi(-scale));
        }
    }
}
