//! Spans and points of time as people write them: `90d`, `2027-06-30`.

use testamur_core::UnixSeconds;

/// Seconds of each unit.
const UNITS: [(char, u64); 6] =
    [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400), ('w', 7 * 86_400), ('y', 365 * 86_400)];

/// Reads a span (`30s`, `15m`, `24h`, `90d`, `4w`, `1y` of 365 days) as seconds; `None` for anything else.
pub fn seconds(text: &str) -> Option<u64> {
    let unit = text.chars().next_back()?;
    let (_, length) = UNITS.iter().find(|(name, _)| *name == unit)?;
    text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(*length)
}

/// Reads a point of time: a span from `now`, or as [`moment`].
pub fn point(text: &str, now: UnixSeconds) -> Option<UnixSeconds> {
    match seconds(text) {
        Some(span) => now.0.checked_add(span).map(UnixSeconds),
        None => moment(text),
    }
}

/// Reads a date (its first second in UTC), an RFC 3339 date-time, or a count of seconds since 1970.
pub fn moment(text: &str) -> Option<UnixSeconds> {
    let is_date = text.len() == 10 && !text.bytes().all(|byte| byte.is_ascii_digit());
    let text = if is_date { format!("{text}T00:00:00Z") } else { text.to_owned() };
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_dates_are_read() {
        let now = UnixSeconds(1_767_225_600); // 2026-01-01
        for (text, expected) in [
            ("90d", 1_767_225_600 + 90 * 86_400),
            ("1y", 1_767_225_600 + 31_536_000),
            ("2026-01-02", 1_767_225_600 + 86_400),
            ("2026-01-01T00:00:01Z", 1_767_225_601),
            ("1767225600", 1_767_225_600),
        ] {
            assert_eq!(point(text, now), Some(UnixSeconds(expected)), "{text}");
        }
        for wrong in ["", "d", "-1d", "1.5h", "soon", "2026-13-01", "99999999999999999999d", "18446744073709551615w"] {
            assert_eq!(point(wrong, now), None, "{wrong}");
        }
    }
}
