//! What is left of a text when letters that look alike are taken for the same one.
//!
//! Unicode's own list (UTS 39, `confusables.txt`) has over 6,000 entries, some 100 kB with what it needs beside it, most
//! of them for scripts in which the names of this registry's users are not faked. Here stands what passes for Latin at
//! a glance: Cyrillic, Greek, accents, digits, full width and mathematical letters.

/// Letters and what is taken for them, lower case. `i`, `l` and `1` are one letter, and so are `o` and `0`.
const ALIKE: [(char, &str); 26] = [
    ('a', "àáâãäåāăąǎạảấầậắằẵɑаαά@"),
    ('b', "ьḃ"),
    ('c', "çćĉċčсϲ¢"),
    ('d', "ďđԁḋḍð"),
    ('e', "èéêëēĕėęěẽẹếềệеёєε3€"),
    ('f', "ƒḟ"),
    ('g', "ĝğġģɡǧ"),
    ('h', "ĥħһḥ"),
    ('j', "ĵјʝ"),
    ('k', "ķкκ"),
    ('l', "ìíîïĩīĭįǐịıіїιίĺļľŀłӏ1|!i"),
    ('m', "мṁṃ"),
    ('n', "ñńņňŉпηṅṇ"),
    ('o', "òóôõöøōŏőơǒọốồộоοόσө0"),
    ('p', "рρṗ"),
    ('q', "ԛ"),
    ('r', "ŕŗřгṛ"),
    ('s', "śŝşšșѕṡṣ5$"),
    ('t', "ţťŧțтτṫṭ"),
    ('u', "ùúûüũūŭůűųưǔụυύцս"),
    ('v', "ѵν"),
    ('w', "ŵẁẃẅԝωѡ"),
    ('x', "хχ×"),
    ('y', "ýÿŷỳỹуγ"),
    ('z', "źżžʐẓ"),
    ('æ', "ǽ"),
];

/// Letter pairs that are read as one.
const PAIRS: [(&str, &str); 2] = [("rn", "m"), ("vv", "w")];

/// The text in lower case, with one letter for all that look like it, and without what is not seen.
pub(super) fn skeleton(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars().filter(|letter| !is_unseen(*letter)) {
        out.extend(plain(letter).to_lowercase().map(fold));
    }
    PAIRS.iter().fold(out, |out, (pair, one)| if out.contains(pair) { out.replace(pair, one) } else { out })
}

fn fold(letter: char) -> char {
    if letter.is_ascii_lowercase() && letter != 'i' {
        return letter;
    }
    ALIKE.iter().find(|(_, alike)| alike.contains(letter)).map_or(letter, |(one, _)| *one)
}

/// Letters of another width or typeface, which Unicode keeps in the alphabet's order.
fn plain(letter: char) -> char {
    let of = |first: u8, place: u32| char::from(first + place as u8);
    match letter as u32 {
        code @ 0xff01..=0xff5e => of(b'!', code - 0xff01),
        code @ 0x1d400..=0x1d6a3 => match (code - 0x1d400) % 52 {
            place @ 0..26 => of(b'A', place),
            place => of(b'a', place - 26),
        },
        code @ 0x1d7ce..=0x1d7ff => of(b'0', (code - 0x1d7ce) % 10),
        _ => letter,
    }
}

/// Combining marks, zero-width characters, direction marks, the soft hyphen.
fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::skeleton;

    #[test]
    fn what_looks_alike_has_one_skeleton() {
        let plain = skeleton("Example University");
        for alike in [
            "Ехаmрlе University", // Cyrillic
            "Exαmple Universιty", // Greek
            "EXAMPLE UNIVERSITY",
            "Examp1e Univers|ty",
            "Exarnple University",
            "Example\u{200b} Unive\u{301}rsity",
            "Éxàmplè Ünïversïty",
            "Ｅｘａｍｐｌｅ University",
            "𝐄𝐱𝐚𝐦𝐩𝐥𝐞 𝘜𝘯𝘪𝘷𝘦𝘳𝘴𝘪𝘵𝘺",
        ] {
            assert_eq!(skeleton(alike), plain, "{alike}");
        }
        assert_ne!(skeleton("Exemple University"), plain);
        assert_ne!(skeleton("Example Universität"), plain);
    }
}
