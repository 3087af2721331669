//! What files are called: so that people find theirs, and no two are the same.

/// Characters of a learner's name in the name of a file. With four bytes each it stays below what file systems take.
const LONGEST: usize = 40;
/// Hex digits of the credential's id behind it: of a hundred thousand namesakes no two get the same.
const DIGITS: usize = 16;

/// The name of a credential's file: `ada-lovelace-1b9d6bcdbbfd4b2d.json`. Nothing of a roster leads to another folder.
pub(super) fn file_name(learner: &str, uri: &str, extension: &str) -> String {
    let mut name = slug(learner);
    if !name.is_empty() {
        name.push('-');
    }
    let id = uri.rsplit(':').next().unwrap_or(uri);
    name.extend(id.chars().filter(char::is_ascii_hexdigit).take(DIGITS));
    name + "." + extension
}

/// Letters and digits of any script in lower case, and a hyphen in place of everything between them.
fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let joined = words.map(str::to_lowercase).collect::<Vec<_>>().join("-");
    joined.chars().take(LONGEST).collect::<String>().trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";

    #[test]
    fn people_find_their_file() {
        for (learner, begins) in [
            ("Ada  Lovelace", "ada-lovelace-"),
            ("José Ñandú", "josé-ñandú-"),
            ("李 小龙", "李-小龙-"),
            ("ada@example.edu", "ada-example-edu-"),
            ("did:key:z6Mk", "did-key-z6mk-"),
        ] {
            assert_eq!(file_name(learner, URI, "json"), format!("{begins}1b9d6bcdbbfd4b2d.json"));
        }
    }

    #[test]
    fn no_name_leads_elsewhere_or_is_too_long() {
        for hostile in ["../../etc/passwd", "/", "..", "", "a/../b", "C:\\x", ".hidden", "a\0b", "\u{202e}gpj.exe"] {
            let name = file_name(hostile, URI, "json");
            assert!(!name.starts_with(['.', '-']) && !name.contains(['/', '\\', '\0', ':', '\u{202e}']), "{name:?}");
        }
        assert_eq!(file_name("..", URI, "json"), "1b9d6bcdbbfd4b2d.json");
        assert!(file_name(&"\u{10400}".repeat(10_000), URI, "json").len() < 250);
    }
}
