//! Texts of others, made fit for a page: one line, of what is seen, and of a length that somebody will read.

use unicode_segmentation::UnicodeSegmentation;

/// The most code points of what looks like one letter: marks piled up on it would cover the lines above.
const MAX_LETTER: usize = 8;

/// The text as one line of at most `most` letters, without what steers, hides or reorders other text.
pub(super) fn line(text: &str, most: usize) -> String {
    let mut seen = String::new();
    // Whoever sends megabytes does not get them looked at.
    for char in text.chars().take(most.saturating_mul(MAX_LETTER)) {
        if char.is_whitespace() || char.is_control() {
            if !seen.is_empty() && !seen.ends_with(' ') {
                seen.push(' ');
            }
        } else if is_joiner(char) {
            // Persian and the Indic scripts write with it; between other letters it only hides.
            if seen.chars().next_back().is_some_and(|last| !last.is_ascii() && last.is_alphabetic()) {
                seen.push(char);
            }
        } else if !is_unseen(char) {
            seen.push(char);
        }
    }
    shortened(seen.trim_end(), most)
}

/// At most `most` letters, the last of them an ellipsis where some are missing.
fn shortened(text: &str, most: usize) -> String {
    let mut letters = text.graphemes(true);
    let letter = |letter: &str| letter.chars().take(MAX_LETTER).collect::<String>();
    let mut kept: Vec<String> = letters.by_ref().take(most).map(letter).collect();
    if letters.next().is_some() {
        kept.pop();
        return format!("{}…", kept.concat().trim_end());
    }
    kept.concat()
}

/// Zero-width joiner and non-joiner.
pub(super) fn is_joiner(char: char) -> bool {
    matches!(char, '\u{200c}' | '\u{200d}')
}

/// What takes no room, and what makes the letters around it stand elsewhere.
fn is_unseen(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        // No characters at all (Unicode, 23.7): XML does not take them.
        || u32::from(char) & 0xfffe == 0xfffe
        || matches!(char, '\u{fdd0}'..='\u{fdef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_or_hides_is_gone() {
        assert_eq!(line(" Ada\u{202e}ecalevoL\u{2066}\u{200b} \n\t King\u{feff}\u{0} ", 80), "AdaecalevoL King");
        assert_eq!(line("a\u{200d}b", 80), "ab");
        assert_eq!(line("می\u{200c}خواهم", 80), "می\u{200c}خواهم", "Persian is written with it");
        assert_eq!(line("<b>&amp;</b>", 80), "<b>&amp;</b>");
        assert_eq!(line("\u{200b}\u{200b}", 80), "");
    }

    #[test]
    fn length_is_bounded() {
        assert_eq!(line("abcdef", 6), "abcdef");
        assert_eq!(line("abcdefg", 6), "abcde…");
        assert_eq!(line(&"x".repeat(10_000_000), 4), "xxx…");
        let piled = format!("Z{}", "\u{301}".repeat(500));
        assert_eq!(line(&piled, 10).chars().count(), MAX_LETTER);
    }
}
