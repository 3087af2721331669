//! Texts of a certain form: addresses, languages, words of one's own, tokens.

use iref::Uri;

/// An absolute URI of RFC 3986.
pub fn is_uri(text: &str) -> bool {
    Uri::new(text).is_ok()
}

/// A URI that a browser opens, with a host.
pub fn is_link(text: &str) -> bool {
    Uri::new(text).is_ok_and(|uri| {
        matches!(uri.scheme().as_str(), "http" | "https")
            && uri.authority().is_some_and(|authority| !authority.host().as_str().is_empty())
    })
}

/// As the specification's pattern has it: `es`, `pt-BR`, `zh-Hant-TW`, `es-419`.
pub fn is_language(text: &str) -> bool {
    let all = |part: &str, test: fn(&char) -> bool| part.chars().all(|c| test(&c));
    let script = |part: &str| {
        part.len() == 4
            && part.starts_with(|c: char| c.is_ascii_uppercase())
            && all(&part[1..], char::is_ascii_lowercase)
    };
    let region = |part: &str| {
        (part.len() == 2 && all(part, char::is_ascii_uppercase)) || (part.len() == 3 && all(part, char::is_ascii_digit))
    };
    let parts: Vec<&str> = text.split('-').collect();
    let language = |part: &str| (2..=4).contains(&part.len()) && all(part, char::is_ascii_lowercase);
    match parts[..] {
        [first] => language(first),
        [first, second] => language(first) && (script(second) || region(second)),
        [first, second, third] => language(first) && script(second) && region(third),
        _ => false,
    }
}

/// `ext:` and a word.
pub fn is_extension(text: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    text.strip_prefix("ext:").is_some_and(word)
}

/// Three parts of base64url (RFC 7515).
pub fn is_jws(text: &str) -> bool {
    let part = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    let parts: Vec<&str> = text.split('.').collect();
    matches!(parts[..], [head, body, signature] if !head.is_empty() && !signature.is_empty() && part(head) && part(body) && part(signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_absolute_and_in_ascii() {
        for uri in ["https://a.example/b?c#d", "did:web:a.example", "urn:uuid:0b8f2b4c-2f0e-4d6a-9f63-5a3d1a6f7b01"] {
            assert!(is_uri(uri), "{uri}");
        }
        for text in ["", "a.example", "/a", "https://a b", "https://universität.example", "_:b0", "https://a/\n"] {
            assert!(!is_uri(text), "{text}");
        }
        assert!(is_link("http://a.example") && is_link("https://a.example:8443/"));
        for text in ["https://", "https:///a", "ftp://a.example", "did:web:a.example", "javascript:alert(1)"] {
            assert!(!is_link(text), "{text}");
        }
    }

    #[test]
    fn languages_words_and_tokens_are_written_as_the_specification_has_them() {
        for language in ["en", "es-419", "pt-BR", "zh-Hant", "zh-Hant-TW", "gsw"] {
            assert!(is_language(language), "{language}");
        }
        for text in ["", "e", "english", "EN", "en-us", "en_US", "en-US-Latn", "zh-hant", "ñá-BR"] {
            assert!(!is_language(text), "{text}");
        }
        assert!(is_extension("ext:Micro-Badge_2.0"));
        assert!(["ext:", "ext:a b", "Ext:a", "a"].iter().all(|text| !is_extension(text)));
        assert!(is_jws("eyJ.eyJ9.c2ln") && is_jws("eyJ..c2ln"));
        assert!(["", "a.b", "..", "a.b.c.d", "a.b.c="].iter().all(|text| !is_jws(text)));
    }
}
