//! When a row was written, as the API words it.

use oracle::sql_type::Timestamp;

/// RFC 3339 in UTC, which a column without a time zone is taken to hold; `None` for a time that no calendar has, or that is
/// beyond the year 9999 in UTC.
pub(super) fn utc(at: &Timestamp) -> Option<String> {
    let number = |part: u32| i8::try_from(part).ok();
    let civil = jiff::civil::DateTime::new(
        i16::try_from(at.year()).ok()?,
        number(at.month())?,
        number(at.day())?,
        number(at.hour())?,
        number(at.minute())?,
        number(at.second())?,
        i32::try_from(at.nanosecond()).ok()?,
    );
    let civil = civil.ok()?;
    // The end of time, 9999-12-31, is no timestamp to the calendar: it keeps a day free for other offsets.
    if at.tz_offset() == 0 {
        return Some(format!("{civil:.6}Z"));
    }
    let utc = jiff::tz::Offset::from_seconds(at.tz_offset()).ok()?.to_timestamp(civil).ok()?;
    Some(format!("{utc:.6}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_counts_and_what_has_none_is_utc() {
        let at = Timestamp::new(2026, 11, 29, 0, 30, 1, 123_456_789).expect("a time");
        assert_eq!(utc(&at).as_deref(), Some("2026-11-29T00:30:01.123456Z"));
        let for_ever = Timestamp::new(9999, 12, 31, 23, 59, 59, 0).expect("a time");
        assert_eq!(utc(&for_ever).as_deref(), Some("9999-12-31T23:59:59.000000Z"));
        let east = at.and_tz_hm_offset(2, 0).expect("an offset");
        assert_eq!(utc(&east).as_deref(), Some("2026-11-28T22:30:01.123456Z"));
        let west =
            Timestamp::new(2026, 11, 28, 23, 0, 0, 0).and_then(|at| at.and_tz_hm_offset(-1, -30)).expect("a time");
        assert_eq!(utc(&west).as_deref(), Some("2026-11-29T00:30:00.000000Z"));
    }
}
