//! Days and instants, as standards and spreadsheets write them; what could be two days is refused.
//!
//! Taken: ISO 8601 (`2026-03-04`, `20260304`, `2026/03/04`, with a time and an offset or without), day and month in
//! words (`4 March 2026`, `Mar 4, 2026`, `4 de marzo de 2026`), with dots (`4.3.2026`: where dots are written, the day
//! comes first), and with slashes or dashes where only one reading is a day (`31/12/2026`). Refused: `03/04/2026` (until
//! somebody says which comes first), years of two digits, and a spreadsheet's day numbers (`46085`). No offset: UTC.

use testamur_core::UnixSeconds;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset, format_description::well_known::Rfc3339};

/// Which of day and month comes first in `03/04/2026`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// The third of April.
    DayFirst,
    /// The fourth of March.
    MonthFirst,
}

/// Which second of a day is meant when no time stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// Its first.
    Start,
    /// Its last.
    End,
}

/// Why a text is no date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DateFault {
    /// Two days can be meant.
    #[error("can be {0} or {1}: write it so, or say --dates day-first or month-first")]
    Ambiguous(Date, Date),
    /// The number under which a spreadsheet stores a day.
    #[error("a spreadsheet's day number: format the column as a date (yyyy-mm-dd) and save again")]
    DayNumber,
    /// `04.03.26`.
    #[error("a year of two digits: write all four")]
    ShortYear,
    /// 31 February.
    #[error("no such day or time in the calendar")]
    NoSuchDay,
    /// Before 1970, which the registry's clock does not reach.
    #[error("before 1970: leave it out and tell it in the narrative")]
    TooEarly,
    /// Nothing that is read as a date.
    #[error("no date that is known: write it as 2026-12-31")]
    Unknown,
}

/// English and Spanish; a name may be cut after three letters.
const MONTHS: [&[&str]; 12] = [
    &["january", "enero"],
    &["february", "febrero"],
    &["march", "marzo"],
    &["april", "abril"],
    &["may", "mayo"],
    &["june", "junio"],
    &["july", "julio"],
    &["august", "agosto"],
    &["september", "septiembre", "setiembre"],
    &["october", "octubre"],
    &["november", "noviembre"],
    &["december", "diciembre"],
];
/// Words around a day that say nothing more.
const FILLERS: [&str; 18] = [
    "of",
    "the",
    "de",
    "del",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "lunes",
    "martes",
    "miércoles",
    "jueves",
    "viernes",
    "sábado",
    "domingo",
];

/// Reads an instant.
pub(super) fn instant(text: &str, order: Option<DateOrder>, edge: Edge) -> Result<UnixSeconds, DateFault> {
    let text = text.trim();
    let found = match OffsetDateTime::parse(&text.replacen(' ', "T", 1), &Rfc3339) {
        Ok(instant) => instant,
        Err(_) => local(text, order, edge)?,
    };
    u64::try_from(found.unix_timestamp()).map(UnixSeconds).map_err(|_| DateFault::TooEarly)
}

/// An instant without an offset.
fn local(text: &str, order: Option<DateOrder>, edge: Edge) -> Result<OffsetDateTime, DateFault> {
    let (date, time) = split_time(text);
    let time = match (time, edge) {
        (Some(time), _) => clock(time)?,
        (None, Edge::Start) => Time::MIDNIGHT,
        (None, Edge::End) => Time::from_hms(23, 59, 59).expect("a time of day"),
    };
    Ok(PrimitiveDateTime::new(day(date, order)?, time).assume_offset(UtcOffset::UTC))
}

/// The day, and the time of day behind a blank, a comma or a `T`.
fn split_time(text: &str) -> (&str, Option<&str>) {
    let Some(colon) = text.find(':') else { return (text, None) };
    let start = text[..colon].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    match text[..start].chars().next_back() {
        Some('T' | 't' | ' ' | ',') => (text[..start - 1].trim_end_matches([' ', ',']), Some(&text[start..])),
        _ => (text, None),
    }
}

/// `17:05`, `17:05:09`, `5:05 PM`, with a `Z` or without.
fn clock(text: &str) -> Result<Time, DateFault> {
    let text = text.trim_end_matches('Z').trim().to_ascii_lowercase();
    let (digits, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(digits), _) => (digits.trim_end(), Some(0)),
        (_, Some(digits)) => (digits.trim_end(), Some(12)),
        _ => (text.as_str(), None),
    };
    let mut parts = [0u8; 3];
    for (count, part) in digits.split(':').enumerate() {
        let place = parts.get_mut(count).ok_or(DateFault::Unknown)?;
        let whole = part.split('.').next().filter(|_| count == 2).unwrap_or(part);
        *place = numeral(whole, 2).and_then(|number| u8::try_from(number).ok()).ok_or(DateFault::Unknown)?;
    }
    let hour = match half {
        Some(_) if !(1..=12).contains(&parts[0]) => return Err(DateFault::NoSuchDay),
        Some(offset) => parts[0] % 12 + offset,
        None => parts[0],
    };
    Time::from_hms(hour, parts[1], parts[2]).map_err(|_| DateFault::NoSuchDay)
}

fn day(text: &str, order: Option<DateOrder>) -> Result<Date, DateFault> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return digits(text);
    }
    match text.chars().find(|c| !c.is_ascii_digit()) {
        Some(separator @ ('-' | '/' | '.')) if text.chars().all(|c| c.is_ascii_digit() || c == separator) => {
            let parts: Vec<_> = text.split(separator).collect();
            let [a, b, c] = parts[..] else { return Err(DateFault::Unknown) };
            numbers([a, b, c], separator, order)
        }
        _ => words(text),
    }
}

/// `20260304`; five digits are what a spreadsheet calls a day of our time.
fn digits(text: &str) -> Result<Date, DateFault> {
    match text.len() {
        8 => date(numeral(&text[..4], 4), numeral(&text[4..6], 2), numeral(&text[6..], 2)),
        5 => Err(DateFault::DayNumber),
        _ => Err(DateFault::Unknown),
    }
}

fn numbers([a, b, c]: [&str; 3], separator: char, order: Option<DateOrder>) -> Result<Date, DateFault> {
    if a.len() == 4 {
        return date(numeral(a, 4), numeral(b, 2), numeral(c, 2));
    }
    if c.len() == 2 && a.len() <= 2 {
        return Err(DateFault::ShortYear);
    }
    let (year, first, second) = (four(c)?, numeral(a, 2), numeral(b, 2));
    let day_first = date(Some(year), second, first);
    let month_first = date(Some(year), first, second);
    match (order, separator) {
        (_, '.') | (Some(DateOrder::DayFirst), _) => return day_first,
        (Some(DateOrder::MonthFirst), _) => return month_first,
        (None, _) => {}
    }
    match (day_first, month_first) {
        (Ok(one), Ok(other)) if one != other => Err(DateFault::Ambiguous(one, other)),
        (Ok(day), _) | (Err(_), Ok(day)) => Ok(day),
        (Err(fault), Err(_)) => Err(fault),
    }
}

/// A day whose month is a word.
fn words(text: &str) -> Result<Date, DateFault> {
    let text = text.to_lowercase();
    let words = text.split([' ', ',', '-', '/', '.', '\u{a0}']);
    let (mut month_of, mut day_of, mut year) = (None, None, None);
    for word in words.filter(|word| !word.is_empty() && !FILLERS.contains(word)) {
        if let Some(found) = month(word) {
            replace(&mut month_of, found)?;
        } else if word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit()) {
            replace(&mut year, word)?;
        } else if let Some(number) = numeral(ordinal(word), 2) {
            replace(&mut day_of, number)?;
        } else {
            return Err(DateFault::Unknown);
        }
    }
    match (year, month_of, day_of) {
        (Some(year), Some(month), Some(day)) => date(numeral(year, 4), Some(month), Some(day)),
        _ => Err(DateFault::Unknown),
    }
}

/// Puts what must come only once.
fn replace<T>(place: &mut Option<T>, found: T) -> Result<(), DateFault> {
    place.replace(found).map_or(Ok(()), |_| Err(DateFault::Unknown))
}

fn month(word: &str) -> Option<u16> {
    let is_month = |name: &&str| *name == word || (word.len() >= 3 && word.len() <= 4 && name.starts_with(word));
    let at = MONTHS.iter().position(|names| names.iter().any(is_month))?;
    u16::try_from(at + 1).ok()
}

/// `4` of `4th`, `1` of `1º`.
fn ordinal(word: &str) -> &str {
    ["st", "nd", "rd", "th", "º"].iter().find_map(|ending| word.strip_suffix(ending)).unwrap_or(word)
}

fn four(text: &str) -> Result<u16, DateFault> {
    numeral(text, 4).filter(|_| text.len() == 4).ok_or(DateFault::Unknown)
}

fn numeral(text: &str, longest: usize) -> Option<u16> {
    let fits = (1..=longest).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn date(year: Option<u16>, month: Option<u16>, day: Option<u16>) -> Result<Date, DateFault> {
    let (Some(year), Some(month), Some(day)) = (year, month, day) else { return Err(DateFault::Unknown) };
    let small = |number: u16| u8::try_from(number).map_err(|_| DateFault::NoSuchDay);
    let month = Month::try_from(small(month)?).map_err(|_| DateFault::NoSuchDay)?;
    Date::from_calendar_date(i32::from(year), month, small(day)?).map_err(|_| DateFault::NoSuchDay)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<String, DateFault> {
        instant(text, None, Edge::Start).map(|instant| instant.to_string())
    }

    #[test]
    fn one_day_in_many_spellings() {
        for text in [
            "2026-03-04",
            "20260304",
            "2026/03/04",
            "2026/3/4",
            " 2026-03-04T00:00:00Z ",
            "2026-03-04T01:00:00+01:00",
            "2026-03-04 00:00",
            "2026-03-04T00:00:00",
            "4.3.2026",
            "04.03.2026 0:00",
            "4 March 2026",
            "4th of March 2026",
            "Mar 4, 2026",
            "March 4, 2026 12:00 AM",
            "04-Mar-2026",
            "4 de marzo de 2026",
            "4 de mar. de 2026",
            "miércoles, 4 de marzo de 2026, 00:00",
            "Wednesday, 4 March 2026, 12:00 AM",
        ] {
            assert_eq!(told(text).as_deref(), Ok("2026-03-04T00:00:00Z"), "{text}");
        }
        for text in ["31/12/2026", "12/31/2026", "31-12-2026", "31 dic 2026", "2026 Dec 31"] {
            assert_eq!(told(text).as_deref(), Ok("2026-12-31T00:00:00Z"), "{text}");
        }
        assert_eq!(told("31/12/2026 5:05:09 PM").as_deref(), Ok("2026-12-31T17:05:09Z"));
        assert_eq!(told("05/05/2026").as_deref(), Ok("2026-05-05T00:00:00Z"), "both readings are one day");
    }

    #[test]
    fn what_could_be_two_days_is_refused_until_it_is_said() {
        assert!(matches!(told("03/04/2026"), Err(DateFault::Ambiguous(..))));
        assert!(told("3-4-2026").unwrap_err().to_string().starts_with("can be 2026-04-03 or 2026-03-04"));
        let read = |order| instant("03/04/2026", Some(order), Edge::Start).unwrap().to_string();
        assert_eq!(read(DateOrder::DayFirst), "2026-04-03T00:00:00Z");
        assert_eq!(read(DateOrder::MonthFirst), "2026-03-04T00:00:00Z");
        assert_eq!(instant("12/31/2026", Some(DateOrder::DayFirst), Edge::Start), Err(DateFault::NoSuchDay));
    }

    #[test]
    fn what_is_no_date_is_told_as_what_it_is() {
        for (text, fault) in [
            ("46085", DateFault::DayNumber),
            ("04.03.26", DateFault::ShortYear),
            ("3/4/26", DateFault::ShortYear),
            ("2026-02-30", DateFault::NoSuchDay),
            ("2026-13-01", DateFault::NoSuchDay),
            ("31 sept 2026", DateFault::NoSuchDay),
            ("2026-03-04 25:00", DateFault::NoSuchDay),
            ("31.12.1969", DateFault::TooEarly),
            ("", DateFault::Unknown),
            ("soon", DateFault::Unknown),
            ("2026", DateFault::Unknown),
            ("March 2026", DateFault::Unknown),
            ("4 March 5 2026", DateFault::Unknown),
            ("2026-03-04-05", DateFault::Unknown),
            ("１２/０４/2026", DateFault::Unknown),
            ("=TODAY()", DateFault::Unknown),
        ] {
            assert_eq!(told(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn a_day_lasts_until_its_last_second() {
        let end = |text| instant(text, None, Edge::End).unwrap().to_string();
        assert_eq!(end("2026-12-31"), "2026-12-31T23:59:59Z");
        assert_eq!(end("2026-12-31 12:00"), "2026-12-31T12:00:00Z");
    }
}
