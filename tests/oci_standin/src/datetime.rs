//! [`DateTime`]: a DATE or TIMESTAMP value. It is stored as text that sorts as the moments do.

use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DateTime {
    pub(crate) year: i16,
    pub(crate) month: u8,
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    pub(crate) nanos: u32,
}

impl DateTime {
    /// The moment in UTC, to the microsecond. The stand-in's server has no other time zone.
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.unwrap_or_default();
        let seconds = since.as_secs();
        // days to a civil date, by eras of 400 years that begin in March
        let days = (seconds / 86_400) as i64 + 719_468;
        let era_day = days.rem_euclid(146_097);
        let era_year = (era_day - era_day / 1_460 + era_day / 36_524 - era_day / 146_096) / 365;
        let year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
        let march_month = (5 * year_day + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = era_year + days.div_euclid(146_097) * 400 + i64::from(month <= 2);
        Self {
            year: year as i16,
            month: month as u8,
            day: (year_day - (153 * march_month + 2) / 5 + 1) as u8,
            hour: (seconds / 3_600 % 24) as u8,
            minute: (seconds / 60 % 60) as u8,
            second: (seconds % 60) as u8,
            nanos: since.subsec_micros() * 1_000,
        }
    }

    /// Reads `YYYY-MM-DD[ HH:MM:SS[.fraction]]`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (date, time) = match text.trim().split_once([' ', 'T']) {
            Some((date, time)) => (date, time),
            None => (text.trim(), "00:00:00"),
        };
        let mut date = date.splitn(3, '-');
        let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let mut time = time.splitn(3, ':');
        let mut next = || time.next()?.parse().ok();
        let nanos: u32 = format!("{fraction:0<9.9}").parse().ok()?;
        let moment = Self {
            year: date.next()?.parse().ok()?,
            month: date.next()?.parse().ok()?,
            day: date.next()?.parse().ok()?,
            hour: next()?,
            minute: next()?,
            second: next()?,
            nanos,
        };
        let valid = (1..=12).contains(&moment.month)
            && (1..=31).contains(&moment.day)
            && moment.hour < 24
            && moment.minute < 60
            && moment.second < 60;
        valid.then_some(moment)
    }

    /// With `digits` of the second's fraction; the rest is cut off.
    pub(crate) fn truncated(mut self, digits: u32) -> Self {
        self.nanos -= self.nanos % 10_u32.pow(9 - digits.min(9));
        self
    }

    pub(crate) fn to_text(self) -> String {
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:09}",
            self.year, self.month, self.day, self.hour, self.minute, self.second, self.nanos
        )
    }
}
