//! What commands tell people and programs, and how they end. Words of others are made fit for a terminal.

mod console;
mod outcome;

pub use console::{Console, Tone};
pub use outcome::{Exit, Failure};

/// The text without what could steer a terminal or turn the reading direction, and not more than a screen of it.
pub fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().take(2000).map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(super::printable("a\x1b[2Jb\nc\u{202e}d é ✓"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d é ✓");
        assert_eq!(super::printable(&"x".repeat(5000)).len(), 2000);
    }
}
