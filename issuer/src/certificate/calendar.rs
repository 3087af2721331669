//! Days as people write them, in both languages.

use testamur_core::UnixSeconds;
use time::{Date, OffsetDateTime};

use super::Language;

/// The months in English.
pub(crate) const MONTHS_ENGLISH: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_SPANISH: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];

/// The day in UTC; `None` beyond the calendar (year 9999).
pub(crate) fn date(instant: UnixSeconds) -> Option<Date> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(instant.0).ok()?).ok().map(OffsetDateTime::date)
}

/// `4 March 2026`, `4 de marzo de 2026`.
pub(crate) fn day(instant: UnixSeconds, language: Language) -> String {
    let Some(date) = date(instant) else { return instant.to_string() };
    let (day, year, month) = (date.day(), date.year(), usize::from(u8::from(date.month())) - 1);
    match language {
        Language::English => format!("{day} {} {year}", MONTHS_ENGLISH[month]),
        Language::Spanish => format!("{day} de {} de {year}", MONTHS_SPANISH[month]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_in_two_languages() {
        let instant = UnixSeconds(1_772_582_400);
        assert_eq!(day(instant, Language::English), "4 March 2026");
        assert_eq!(day(instant, Language::Spanish), "4 de marzo de 2026");
        assert_eq!(day(UnixSeconds(u64::MAX), Language::English), u64::MAX.to_string());
    }
}
