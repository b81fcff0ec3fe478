//! [`Decimal`]: an Oracle NUMBER, exact to its forty digits, in the forms it takes on the way: text, a SQLite value,
//! and the 22 bytes of the wire (SQLT_VNU).

use rusqlite::types::Value;

/// `0.d1d2d3... * 10^point`, without leading and trailing zeros; no digits at all is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    point: i32,
}

/// What an Oracle NUMBER holds at most: twenty digits to the base of a hundred.
const MAX_DIGITS: usize = 40;

impl Decimal {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, text) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut digits = Vec::with_capacity(whole.len() + fraction.len());
        for byte in whole.bytes().chain(fraction.bytes()) {
            digits.push(byte.is_ascii_digit().then(|| byte - b'0')?);
        }
        let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
        Some(Self::normal(negative, digits, point))
    }

    fn normal(negative: bool, mut digits: Vec<u8>, mut point: i32) -> Self {
        let zeros = digits.iter().take_while(|&&digit| digit == 0).count();
        digits.drain(..zeros);
        point -= zeros as i32;
        while digits.last() == Some(&0) {
            digits.pop();
        }
        if digits.is_empty() {
            return Self::default();
        }
        Self { negative, digits, point }.keep(MAX_DIGITS as i32)
    }

    /// Rounds half away from zero to `count` leading digits, as Oracle does.
    fn keep(self, count: i32) -> Self {
        if count < 0 {
            return Self::default();
        }
        let count = count as usize;
        if count >= self.digits.len() {
            return self;
        }
        let up = self.digits[count] >= 5;
        let mut digits = vec![0];
        digits.extend_from_slice(&self.digits[..count]);
        if up {
            let mut at = count;
            while digits[at] == 9 {
                digits[at] = 0;
                at -= 1;
            }
            digits[at] += 1;
        }
        Self::normal(self.negative, digits, self.point + 1)
    }

    /// Rounded for a column NUMBER(precision, scale); `None` when it has too many digits before the point.
    pub(crate) fn fit(self, precision: i16, scale: i8) -> Option<Self> {
        let rounded = {
            let count = self.point + i32::from(scale);
            self.keep(count)
        };
        let room = i32::from(precision) - i32::from(scale);
        (rounded.digits.is_empty() || rounded.point <= room).then_some(rounded)
    }

    /// Whether the value lies in the range of a NUMBER; below it is zero, above it is an error.
    pub(crate) fn in_range(self) -> Option<Self> {
        match self.point {
            ..=-130 => Some(Self::default()),
            127.. => None,
            _ => Some(self),
        }
    }

    pub(crate) fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(integer) => Self::parse(&integer.to_string()),
            Value::Real(real) if real.is_finite() => Self::parse(&format!("{real:e}")),
            Value::Text(text) => Self::parse(text),
            Value::Real(_) | Value::Null | Value::Blob(_) => None,
        }
    }

    /// The value as SQLite compares it best: an integer or a double when that is exact, else the text.
    pub(crate) fn to_value(&self) -> Value {
        let text = self.to_text();
        let is_whole = self.digits.len() as i32 <= self.point || self.digits.is_empty();
        if is_whole && let Ok(integer) = text.parse() {
            return Value::Integer(integer);
        }
        match text.parse::<f64>() {
            Ok(real) if Self::from_value(&Value::Real(real)).as_ref() == Some(self) => Value::Real(real),
            _ => Value::Text(text),
        }
    }

    /// Plain notation, without a zero before the point, as Oracle converts a NUMBER to text.
    pub(crate) fn to_text(&self) -> String {
        if self.digits.is_empty() {
            return "0".to_owned();
        }
        let mut text = String::from(if self.negative { "-" } else { "" });
        let digit = |digit: &u8| char::from(b'0' + digit);
        let whole = self.point.max(0) as usize;
        text.extend(self.digits.iter().take(whole).map(digit));
        text.extend(std::iter::repeat_n('0', whole.saturating_sub(self.digits.len())));
        if whole < self.digits.len() {
            text.push('.');
            text.extend(std::iter::repeat_n('0', (-self.point).max(0) as usize));
            text.extend(self.digits[whole..].iter().map(digit));
        }
        text
    }

    /// The 22 bytes of SQLT_VNU: a length byte, an exponent byte and up to twenty digits to the base of a hundred.
    pub(crate) fn to_vnu(&self) -> [u8; 22] {
        let mut bytes = [0; 22];
        if self.digits.is_empty() {
            (bytes[0], bytes[1]) = (1, 0x80);
            return bytes;
        }
        let mut digits = self.digits.clone();
        if self.point.rem_euclid(2) == 1 {
            digits.insert(0, 0);
        }
        if digits.len() % 2 == 1 {
            digits.push(0);
        }
        let exponent = (192 + (self.point + 1).div_euclid(2)) as u8;
        bytes[1] = if self.negative { !exponent } else { exponent };
        let mut length = 1;
        for pair in digits.chunks(2).take(20) {
            let pair = pair[0] * 10 + pair[1];
            length += 1;
            bytes[length] = if self.negative { 101 - pair } else { pair + 1 };
        }
        if self.negative && length < 21 {
            length += 1;
            bytes[length] = 102;
        }
        bytes[0] = length as u8;
        bytes
    }

    pub(crate) fn from_vnu(bytes: &[u8; 22]) -> Option<Self> {
        let length = usize::from(bytes[0]);
        if length == 0 || length > 21 {
            return None;
        }
        let negative = bytes[1] & 0x80 == 0;
        let exponent = i32::from(if negative { !bytes[1] } else { bytes[1] }) - 192;
        let mut mantissa = &bytes[2..=length];
        if negative && mantissa.last() == Some(&102) {
            mantissa = &mantissa[..mantissa.len() - 1];
        }
        let mut digits = Vec::with_capacity(mantissa.len() * 2);
        for &byte in mantissa {
            let pair = if negative { 101u8.checked_sub(byte)? } else { byte.checked_sub(1)? };
            digits.extend([pair / 10, pair % 10]);
        }
        Some(Self::normal(negative, digits, exponent * 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_the_wire_and_the_store() {
        for text in [
            "0",
            "1",
            "-1",
            "10",
            "100",
            ".5",
            "-.05",
            "123.456",
            "-99.99",
            "1234567890123456789",
            "12345678901234567890.12345678",
            "99999999999999999999999999999999999999",
        ] {
            let decimal = Decimal::parse(text).unwrap_or_default();
            assert_eq!(decimal.to_text(), text);
            assert_eq!(Decimal::from_vnu(&decimal.to_vnu()), Some(decimal.clone()));
            assert_eq!(Decimal::from_value(&decimal.to_value()), Some(decimal));
        }
    }

    #[test]
    fn columns_round_and_refuse() {
        let fit = |text, precision, scale| {
            Decimal::parse(text).and_then(|decimal| decimal.fit(precision, scale)).map(|decimal| decimal.to_text())
        };
        assert_eq!(fit("1.005", 3, 2).as_deref(), Some("1.01"));
        assert_eq!(fit("9.995", 3, 2), None);
        assert_eq!(fit("-0.4", 3, 0).as_deref(), Some("0"));
        assert_eq!(fit("1250", 3, -2).as_deref(), Some("1300"));
    }
}
