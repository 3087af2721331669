//! For how long a credential is valid.

use std::str::FromStr;

use testamur_core::UnixSeconds;
use time::{Date, Month, OffsetDateTime, Time, format_description::well_known::Iso8601};

/// For how long a credential is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// So long from the day on which it was awarded: months of the calendar, then days.
    For {
        /// Months; a year is twelve. The 31st of a month that has no 31st is its last day.
        months: u32,
        /// Days.
        days: u32,
    },
    /// Up to this second, whenever it was awarded.
    Until(UnixSeconds),
}

/// What a text about validity is when it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no validity")]
pub struct NoValidity;

impl Validity {
    /// The last second of a credential that is valid from `start`; `None` where the calendar of credentials ends first
    /// (the year 9999).
    pub fn until(self, start: UnixSeconds) -> Option<UnixSeconds> {
        let (months, days) = match self {
            Self::Until(end) => return Some(end),
            Self::For { months, days } => (months, days),
        };
        let start = OffsetDateTime::from_unix_timestamp(i64::try_from(start.0).ok()?).ok()?;
        let month = u32::from(u8::from(start.month())) - 1 + months;
        let year = start.year().checked_add(i32::try_from(month / 12).ok()?)?;
        let month = Month::try_from((month % 12 + 1) as u8).ok()?;
        let date = Date::from_calendar_date(year, month, start.day().min(month.length(year))).ok()?;
        let date = date.checked_add(time::Duration::days(days.into()))?;
        u64::try_from(start.replace_date(date).unix_timestamp()).ok().map(UnixSeconds)
    }
}

impl FromStr for Validity {
    type Err = NoValidity;

    /// `2y`, `18 months`, `1 year 6 months`, `90 days`; or a date (up to its end, UTC), or an RFC 3339 date-time.
    fn from_str(text: &str) -> Result<Self, NoValidity> {
        let text = text.trim();
        if text.contains(':') {
            return text.parse().map(Self::Until).map_err(|_| NoValidity);
        }
        if let Ok(date) = Date::parse(text, &Iso8601::DATE) {
            let end = date.with_time(Time::MAX).assume_utc().unix_timestamp();
            return u64::try_from(end).map(|end| Self::Until(UnixSeconds(end))).map_err(|_| NoValidity);
        }
        span(text)
    }
}

fn span(text: &str) -> Result<Validity, NoValidity> {
    let (mut months, mut days) = (0_u32, 0_u32);
    let mut rest = text;
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).ok_or(NoValidity)?);
        let tail = tail.trim_start();
        let (unit, tail) = tail.split_at(tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len()));
        let number: u32 = number.parse().map_err(|_| NoValidity)?;
        let (per, sum) = match unit.to_ascii_lowercase().as_str() {
            "y" | "yr" | "yrs" | "year" | "years" => (12, &mut months),
            "mo" | "month" | "months" => (1, &mut months),
            "w" | "week" | "weeks" => (7, &mut days),
            "d" | "day" | "days" => (1, &mut days),
            _ => return Err(NoValidity),
        };
        *sum = number.checked_mul(per).and_then(|number| sum.checked_add(number)).ok_or(NoValidity)?;
        rest = tail.trim_start_matches([' ', ',']);
    }
    // A thousand years: no promise, and no overflow later on.
    if (months, days) == (0, 0) || months > 12_000 || days > 366_000 {
        return Err(NoValidity);
    }
    Ok(Validity::For { months, days })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixSeconds {
        text.parse().unwrap()
    }

    #[test]
    fn people_write_it_in_many_ways() {
        for (text, months, days) in [
            ("2y", 24, 0),
            ("18 months", 18, 0),
            ("1 year 6 months", 18, 0),
            ("1 Year, 2 weeks", 12, 14),
            ("90 days", 0, 90),
            (" 3mo ", 3, 0),
        ] {
            assert_eq!(text.parse(), Ok(Validity::For { months, days }), "{text}");
        }
        for text in [
            "",
            "two years",
            "2",
            "2m",
            "2 minutes",
            "-1y",
            "0 days",
            "2y 3",
            "99999999999y",
            "2026-13-01",
            "1.5y",
            "2026-12-01 or so",
        ] {
            assert_eq!(text.parse::<Validity>(), Err(NoValidity), "{text}");
        }
    }

    #[test]
    fn a_date_is_valid_until_its_evening() {
        assert_eq!("2028-06-30".parse(), Ok(Validity::Until(at("2028-06-30T23:59:59Z"))));
        assert_eq!("2028-06-30T12:00:00+02:00".parse(), Ok(Validity::Until(at("2028-06-30T10:00:00Z"))));
        assert_eq!("2028-06-30T12:00:00".parse::<Validity>(), Err(NoValidity), "in which zone?");
    }

    #[test]
    fn months_are_the_calendars() {
        let until =
            |text: &str, start: &str| text.parse::<Validity>().unwrap().until(at(start)).map(|end| end.to_string());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(until("1 month", "2026-01-31T08:30:00Z"), some("2026-02-28T08:30:00Z"));
        assert_eq!(until("1y", "2028-02-29T00:00:00Z"), some("2029-02-28T00:00:00Z"));
        assert_eq!(until("2y", "2026-06-30T10:00:00Z"), some("2028-06-30T10:00:00Z"));
        assert_eq!(until("1 month 1 day", "2026-11-30T00:00:00Z"), some("2026-12-31T00:00:00Z"));
        assert_eq!(until("12 months", "2026-12-01T00:00:00Z"), some("2027-12-01T00:00:00Z"));
        assert_eq!(until("1000y", "9000-01-01T00:00:00Z"), None);
    }
}
