//! What a result table holds for a key, with the JSON form the replaced Flask program gave it.

use serde::{Serialize, Serializer};

/// A stored or predicted value.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A number.
    Number(Number),
    /// Text.
    Text(String),
    /// NULL: a row is there and holds no value.
    Null,
}

/// A number, with the distinction that Python's drivers make: integral values print without `.0`, floats with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// An integral value of an exact column (NUMBER, INTEGER).
    Integer(i128),
    /// A finite value of a binary floating-point column, or of a NUMBER that is not integral.
    Float(f64),
}

impl Outcome {
    /// A float; one that JSON cannot carry (NaN, infinity) becomes [`Outcome::Null`], as it may stand in a foreign
    /// BINARY_DOUBLE column. Models never make one. Minus zero becomes zero, as Oracle stores it.
    #[must_use]
    pub fn float(x: f64) -> Self {
        if x.is_finite() { Self::Number(Number::Float(x + 0.0)) } else { Self::Null }
    }

    /// An integer.
    #[must_use]
    pub fn integer(x: i128) -> Self {
        Self::Number(Number::Integer(x))
    }

    /// The value as a float; `None` for text and NULL.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(Number::Float(x)) => Some(*x),
            Self::Number(Number::Integer(x)) => Some(*x as f64),
            Self::Text(_) | Self::Null => None,
        }
    }

    /// Reads the decimal text of an exact number, as Oracle sends a NUMBER: integral values become integers, as
    /// cx_Oracle returned them, others the nearest float. `None` where the text is no finite number.
    #[must_use]
    pub fn decimal(text: &str) -> Option<Self> {
        if let Ok(integer) = text.parse::<i128>() {
            return Some(Self::integer(integer));
        }
        let x: f64 = text.parse().ok()?;
        x.is_finite().then(|| Self::float(x))
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(Number::Integer(x)) => match i64::try_from(*x) {
                Ok(x) => serializer.serialize_i64(x),
                Err(_) => serializer.serialize_i128(*x),
            },
            Self::Number(Number::Float(x)) => serializer.serialize_f64(*x),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Null => serializer.serialize_unit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(outcome: &Outcome) -> String {
        serde_json::to_string(outcome).expect("outcomes are always JSON")
    }

    #[test]
    fn numbers_print_as_the_flask_program_printed_them() {
        assert_eq!(json(&Outcome::float(1.0)), "1.0");
        assert_eq!(json(&Outcome::float(0.93)), "0.93");
        assert_eq!(json(&Outcome::integer(1)), "1");
        assert_eq!(json(&Outcome::integer(10_i128.pow(37))), format!("1{}", "0".repeat(37)));
        assert_eq!(Outcome::decimal("7"), Some(Outcome::integer(7)));
        assert_eq!(Outcome::decimal("-0.5"), Some(Outcome::float(-0.5)));
        assert_eq!(Outcome::decimal("1E+40"), Some(Outcome::float(1e40)));
        assert_eq!(Outcome::decimal("abc"), None);
        assert_eq!(json(&Outcome::Text("a\"b".into())), r#""a\"b""#);
        assert_eq!(json(&Outcome::float(f64::NAN)), "null");
    }

    proptest! {
        #[test]
        fn a_float_survives_its_json_bit_for_bit(x in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO) {
            let back: f64 = serde_json::from_str(&json(&Outcome::float(x))).expect("a number");
            prop_assert_eq!(back.to_bits(), (x + 0.0).to_bits());
        }
    }
}
