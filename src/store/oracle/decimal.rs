//! Decimal numbers as Oracle's NUMBER has them: rounding half away from zero, and what a declared column can hold.

use crate::domain::Number;

/// A finite decimal number: `digits` x 10^`exponent`, without leading or trailing zeros (zero has no digits).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i32,
}

impl Decimal {
    /// The shortest decimal that reads back as `number`.
    pub(super) fn of(number: Number) -> Self {
        let text = match number {
            Number::Float(x) => format!("{x:e}"),
            Number::Integer(x) => format!("{x}e0"),
        };
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let fraction = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        Self {
            negative: mantissa.starts_with('-'),
            digits: mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect(),
            exponent: exponent.parse::<i32>().unwrap_or(0) - fraction as i32,
        }
        .trimmed()
    }

    fn trimmed(mut self) -> Self {
        let leading = self.digits.iter().take_while(|&&digit| digit == 0).count();
        self.digits.drain(..leading);
        while self.digits.last() == Some(&0) {
            self.digits.pop();
            self.exponent += 1;
        }
        if self.digits.is_empty() {
            self.negative = false;
            self.exponent = 0;
        }
        self
    }

    /// Rounds to `scale` decimal places (negative: to tens, hundreds), half away from zero as Oracle does.
    pub(super) fn rounded_to_scale(self, scale: Option<i32>) -> Self {
        let Some(scale) = scale else { return self };
        let drop = -scale - self.exponent;
        self.without_last(drop)
    }

    /// Rounds to `count` significant digits, half away from zero.
    pub(super) fn rounded_to_digits(self, count: u32) -> Self {
        let drop = self.digits.len() as i32 - count as i32;
        self.without_last(drop)
    }

    /// Rounds the last `drop` digits away.
    fn without_last(mut self, drop: i32) -> Self {
        let Ok(drop) = usize::try_from(drop) else { return self };
        if drop == 0 {
            return self;
        }
        if drop > self.digits.len() {
            self.digits.clear();
            return self.trimmed();
        }
        let keep = self.digits.len() - drop;
        let up = self.digits[keep] >= 5;
        self.digits.truncate(keep);
        self.exponent += drop as i32;
        if up {
            let mut at = keep;
            loop {
                if at == 0 {
                    self.digits.insert(0, 1);
                    break;
                }
                at -= 1;
                if self.digits[at] < 9 {
                    self.digits[at] += 1;
                    break;
                }
                self.digits[at] = 0;
            }
        }
        self.trimmed()
    }

    /// `self` where a NUMBER of this shape holds it: ORA-01438 and ORA-01426 otherwise. One
    /// below 1E-130 is refused as well: Oracle would make it zero.
    pub(super) fn fitting(self, precision: u32, scale: Option<i32>) -> Option<Self> {
        const MAX_POWER: i32 = 125;
        const MIN_POWER: i32 = -130;
        if self.digits.is_empty() {
            return Some(self);
        }
        // the power of ten of the first digit
        let power = self.exponent + self.digits.len() as i32 - 1;
        let fits = match scale {
            Some(scale) => power < precision as i32 - scale,
            None => (MIN_POWER..=MAX_POWER).contains(&power) && self.digits.len() <= precision as usize,
        };
        fits.then_some(self)
    }
}

impl std::fmt::Display for Decimal {
    /// Plain notation, without an exponent.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        let digits: String = self.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        let point = digits.len() as i32 + self.exponent;
        match usize::try_from(point) {
            _ if digits.is_empty() => f.write_str("0"),
            Ok(point) if point >= digits.len() => write!(f, "{digits}{}", "0".repeat(point - digits.len())),
            Ok(point) if point > 0 => write!(f, "{}.{}", &digits[..point], &digits[point..]),
            _ => write!(f, "0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap_or(0))),
        }
    }
}
