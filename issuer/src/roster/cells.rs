//! What a cell may hold: texts that show what they are, e-mail addresses, DIDs, URLs, numbers.

use testamur_credentials::keys::Home;

use super::fault::Fault;

/// Longest name, id, or other text of one line, in characters.
pub(super) const LONGEST_LINE: usize = 300;
/// Longest e-mail address (RFC 5321 4.5.3.1.3, without the brackets).
const LONGEST_EMAIL: usize = 254;
/// Longest local part (RFC 5321 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;
/// Longest label of a domain (RFC 1035 2.3.4).
const LONGEST_LABEL: usize = 63;
/// Longest DID or URL.
const LONGEST_URL: usize = 2048;

/// A text of one line: blanks are single, and nothing in it is hidden.
pub(super) fn line(text: &str) -> Result<String, Fault> {
    visible(text, |_| false)?;
    if text.chars().count() > LONGEST_LINE {
        return Err(Fault::Long { limit: LONGEST_LINE });
    }
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A text of any number of lines.
pub(super) fn lines(text: &str) -> Result<String, Fault> {
    visible(text, |letter| matches!(letter, '\n' | '\r' | '\t'))?;
    Ok(text.trim().replace("\r\n", "\n"))
}

/// `Lovelace, Ada` as people say it; anything but two parts stays as it is.
pub(super) fn unsorted(name: &str) -> String {
    match name.split(',').map(str::trim).collect::<Vec<_>>()[..] {
        [family, given] if !family.is_empty() && !given.is_empty() => format!("{given} {family}"),
        _ => name.to_owned(),
    }
}

/// Refuses characters that show as nothing, or make others show as what they are not. Joiners and plain direction marks
/// stay: Persian, Hindi and Hebrew are written with them.
fn visible(text: &str, is_allowed: impl Fn(char) -> bool) -> Result<(), Fault> {
    match text.chars().filter(|letter| !is_allowed(*letter)).find_map(hidden) {
        Some(fault) => Err(fault),
        None => Ok(()),
    }
}

fn hidden(letter: char) -> Option<Fault> {
    Some(match letter {
        letter if letter.is_control() => Fault::Control(letter),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Fault::Direction(letter),
        '\u{fffd}' => Fault::Lost,
        '\u{ad}' | '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' => {
            Fault::Invisible(letter)
        }
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' => {
            Fault::Invisible(letter)
        }
        '\u{e0000}'..='\u{e0fff}' | '\u{fdd0}'..='\u{fdef}' => Fault::Invisible(letter),
        // The last two of every plane are no characters.
        letter if u32::from(letter) & 0xfffe == 0xfffe => Fault::Invisible(letter),
        _ => return None,
    })
}

/// An e-mail address, as it is. Its domain may be written in any letters.
pub(super) fn email(text: &str) -> Result<String, Fault> {
    let fault = |told| Err(Fault::Email(told));
    visible(text, |_| false)?;
    let Some((local, domain)) = text.rsplit_once('@') else { return fault("it has no @") };
    if local.contains('@') {
        return fault("it has more than one @: one address per row");
    }
    if text.chars().any(char::is_whitespace) {
        return fault("it has a blank in it");
    }
    if local.is_empty() || domain.is_empty() {
        return fault("nothing stands on one side of the @");
    }
    if text.len() > LONGEST_EMAIL || local.len() > LONGEST_LOCAL {
        return fault("it is too long");
    }
    if local.contains(['<', '>', '(', ')', '[', ']', ',', ';', ':', '"', '\\']) {
        return fault("only the address itself may stand here, without name or brackets");
    }
    if !domain.contains('.') {
        return fault("its domain has no dot");
    }
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || !letter.is_ascii();
    let is_label = |label: &str| (1..=LONGEST_LABEL).contains(&label.len()) && label.chars().all(is_letter);
    if !domain.split('.').all(is_label) || local.split('.').any(str::is_empty) {
        return fault("a dot or another sign stands where none may");
    }
    Ok(text.to_owned())
}

/// A DID (DID Core 3.1) without path, query and fragment; where the method says what its keys are, they are read.
pub(super) fn did(text: &str) -> Result<String, Fault> {
    let fault = |told| Err(Fault::Did(told));
    let Some((method, id)) = text.strip_prefix("did:").and_then(|rest| rest.split_once(':')) else {
        return fault("it must begin with did: and a method (did:key:z6Mk…)");
    };
    if text.len() > LONGEST_URL {
        return fault("it is too long");
    }
    if text.contains(['/', '?', '#']) {
        return fault("write the DID alone, without path, query and fragment");
    }
    let is_method = !method.is_empty() && method.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'%');
    if !is_method || id.is_empty() || id.ends_with(':') || !id.bytes().all(is_letter) {
        return fault("a sign stands in it that no DID has");
    }
    match Home::of(text) {
        Home::Itself { key: Err(_), .. } => fault("it holds no key that can be read: was it cut off?"),
        Home::Malformed => fault("it breaks the rules of its method"),
        _ => Ok(text.to_owned()),
    }
}

/// An address in the web.
pub(super) fn url(text: &str) -> Result<String, Fault> {
    let rest = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme)).ok_or(Fault::Url)?;
    let is_url = !rest.starts_with(['/', '?', '#']) && !rest.is_empty() && text.len() <= LONGEST_URL;
    let is_letter =
        |letter: char| !letter.is_whitespace() && !matches!(letter, '<' | '>' | '"' | '\\' | '`' | '{' | '}');
    visible(text, |_| false)?;
    if is_url && text.chars().all(is_letter) { Ok(text.to_owned()) } else { Err(Fault::Url) }
}

/// A number of zero or more; a comma may stand for its dot, with one or two digits behind it.
pub(super) fn number(text: &str) -> Result<f64, Fault> {
    let text = match text.split_once(',') {
        Some((_, decimals)) if (1..=2).contains(&decimals.len()) => text.replace(',', "."),
        _ => text.to_owned(),
    };
    let is_plain = text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse().ok().filter(|_| is_plain).ok_or(Fault::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_shows_what_it_is() {
        for (text, wanted) in [
            (" Ada\u{a0} Lovelace ", "Ada Lovelace"),
            ("José Ñuñez-O’Brien", "José Ñuñez-O’Brien"),
            ("Ἑλένη Дарья 山田 علي", "Ἑλένη Дарья 山田 علي"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("=HYPERLINK(1)", "=HYPERLINK(1)"),
        ] {
            assert_eq!(line(text).as_deref(), Ok(wanted));
        }
        assert_eq!(line("Ada\0"), Err(Fault::Control('\0')));
        assert_eq!(line("Ada\nLovelace"), Err(Fault::Control('\n')));
        assert_eq!(line("Ada\u{202e}ecalevoL"), Err(Fault::Direction('\u{202e}')));
        assert_eq!(line("A\u{200b}da"), Err(Fault::Invisible('\u{200b}')));
        assert_eq!(line("Mu\u{fffd}oz"), Err(Fault::Lost));
        assert_eq!(line("A\u{1fffe}"), Err(Fault::Invisible('\u{1fffe}')));
        assert_eq!(line(&"x".repeat(301)), Err(Fault::Long { limit: 300 }));
        assert_eq!(lines(" one\r\ntwo\tthree ").as_deref(), Ok("one\ntwo\tthree"));
        assert_eq!(lines("\u{2066}x"), Err(Fault::Direction('\u{2066}')));
    }

    #[test]
    fn a_name_in_a_list_is_turned_around() {
        assert_eq!(unsorted("Lovelace, Ada"), "Ada Lovelace");
        for same in ["Ada Lovelace", "King, Martin, Jr.", "Lovelace,", ","] {
            assert_eq!(unsorted(same), same);
        }
    }

    #[test]
    fn an_address_has_the_shape_of_one() {
        for good in ["a@b.example", "ada.lovelace+x@uni.example", "josé@niño.example", "x@xn--nio-7qa.example"] {
            assert_eq!(email(good).as_deref(), Ok(good));
        }
        let long = format!("{}@b.example", "x".repeat(65));
        for bad in [
            "ada",
            "@b.example",
            "a@",
            "a@b@c.example",
            "a b@c.example",
            "a@localhost",
            "a@b..example",
            "a.@b.example",
            "a@b.example.",
            "Ada <a@b.example>",
            "<a@b.example>",
            "mailto:a@b.example",
            "a@b.example;c@d.example",
            "a@b.example,c",
            "a@b_c.example",
            "a\u{202e}@b.example",
            &long,
        ] {
            assert!(email(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_did_is_whole() {
        let key = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
        for good in [key, "did:web:uni.example:people:ada", "did:example:123", "did:pkh:eip155:1:0xab"] {
            assert_eq!(did(good).as_deref(), Ok(good));
        }
        for bad in ["ada", "did:", "did:key", &key[..30], &format!("{key}#1"), "did:web:a/b", "did:web:", "did:Web:a.b"]
        {
            assert!(did(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_in_the_web_leads_into_the_web() {
        for good in ["https://a.example/x?y=1#z", "http://a.example", "https://niño.example/ñ"] {
            assert_eq!(url(good).as_deref(), Ok(good));
        }
        for bad in ["a.example", "javascript:alert(1)", "https://", "https:///x", "https://a.example/a b", "file:///x"]
        {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_of_both_sides_of_the_pyrenees() {
        for (text, wanted) in [("7.5", 7.5), ("7,5", 7.5), ("6", 6.0), ("0", 0.0), ("12,25", 12.25)] {
            assert_eq!(number(text), Ok(wanted));
        }
        for bad in ["", "-1", "1,500", "1.000,5", "NaN", "inf", "1e9", "six", ".", "+1"] {
            assert_eq!(number(bad), Err(Fault::Number), "{bad}");
        }
    }
}
