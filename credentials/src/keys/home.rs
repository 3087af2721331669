//! Where the keys of a DID or URL stand.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use testamur_core::json;

use super::{KeyFault, PublicKey, multikey::MAX_TEXT, parse_jwk, parse_multikey};

/// Where the keys of a name stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Home {
    /// The name is the key: did:key, did:jwk.
    Itself {
        /// The key.
        key: Result<PublicKey, KeyFault>,
        /// What a DID URL has behind `#` when it names this key.
        fragment: String,
    },
    /// In the document at this `https` URL: did:web, and plain URLs.
    Document(String),
    /// Nowhere: an account (did:pkh) signs transactions, and no documents.
    Account,
    /// A DID method that is not resolved here.
    Method(String),
    /// Nowhere: no DID and no `https` URL (`urn:uuid:…`).
    Nowhere,
    /// A DID that breaks the rules of its method.
    Malformed,
}

impl Home {
    /// The home of a DID or URL, which is without `#`.
    pub fn of(name: &str) -> Self {
        let Some(did) = name.strip_prefix("did:") else {
            return if name.starts_with("https://") { Self::Document(name.to_owned()) } else { Self::Nowhere };
        };
        let Some((method, id)) = did.split_once(':') else { return Self::Malformed };
        match method {
            _ if id.contains(['/', '?', ';']) => Self::Method(format!("{method} with a path or parameters")),
            "key" => Self::Itself { key: did_key(id), fragment: id.to_owned() },
            "jwk" => Self::Itself { key: did_jwk(id), fragment: "0".to_owned() },
            "web" => did_web_url(name).map_or(Self::Malformed, Self::Document),
            "pkh" => Self::Account,
            other => Self::Method(other.to_owned()),
        }
    }
}

/// did:key spells a key in base58btc, and in nothing else.
fn did_key(id: &str) -> Result<PublicKey, KeyFault> {
    if id.starts_with('z') { parse_multikey(id) } else { Err(KeyFault::Malformed) }
}

fn did_jwk(id: &str) -> Result<PublicKey, KeyFault> {
    let bytes = (id.len() <= MAX_TEXT).then(|| URL_SAFE_NO_PAD.decode(id).ok()).flatten();
    let jwk = bytes.and_then(|bytes| json::parse(&bytes).ok());
    parse_jwk(&jwk.ok_or(KeyFault::Malformed)?)
}

/// The URL of a did:web's document (did:web method specification, 2.5.2); `None` where the DID breaks its rules.
///
/// Whether the host may be asked (an address, a private name) is for the one who fetches to say.
pub fn did_web_url(did: &str) -> Option<String> {
    let mut segments = did.strip_prefix("did:web:")?.split(':');
    let authority = authority(segments.next()?)?;
    let path: Vec<_> = segments.collect();
    if path.is_empty() {
        return Some(format!("https://{authority}/.well-known/did.json"));
    }
    path.iter()
        .all(|segment| is_path_segment(segment))
        .then(|| format!("https://{authority}/{}/did.json", path.join("/")))
}

/// A host's name, and a port behind `%3A`.
fn authority(segment: &str) -> Option<String> {
    let (host, port) = match segment.split_once('%') {
        None => (segment, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix("3A").or_else(|| rest.strip_prefix("3a"))?)),
    };
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !host.split('.').all(is_label) {
        return None;
    }
    match port {
        None => Some(host.to_owned()),
        Some(port) => {
            let number: u16 = port.parse().ok().filter(|number| *number > 0)?;
            (number.to_string() == port).then(|| format!("{host}:{port}"))
        }
    }
}

/// The letters of a DID, of which none may lead to another path: no dots alone, however they are written.
fn is_path_segment(segment: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'%');
    let dots = segment.to_ascii_lowercase().replace("%2e", ".");
    let is_encoded = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|b| b.is_ascii_hexdigit());
    let slash = ["2f", "5c", "00"];
    let is_harmless = |rest: &str| is_encoded(rest) && !slash.contains(&rest[..2].to_ascii_lowercase().as_str());
    segment.bytes().all(is_letter)
        && !matches!(dots.as_str(), "" | "." | "..")
        && segment.split('%').skip(1).all(is_harmless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_did_web_leads_to_one_url() {
        for (did, url) in [
            ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
            ("did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"),
            ("did:web:example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"),
            ("did:web:localhost%3a8443", "https://localhost:8443/.well-known/did.json"),
            ("did:web:example.com:a%20b", "https://example.com/a%20b/did.json"),
        ] {
            assert_eq!(did_web_url(did).as_deref(), Some(url), "{did}");
        }
    }

    #[test]
    fn a_did_web_that_leads_elsewhere_is_none() {
        for did in [
            "did:web:",
            "did:web::a",
            "did:web:example.com:",
            "did:web:example.com::a",
            "did:web:user@example.com",
            "did:web:user%40example.com",
            "did:web:example.com%2F..",
            "did:web:example.com%3A",
            "did:web:example.com%3A0",
            "did:web:example.com%3A080",
            "did:web:example.com%3A99999",
            "did:web:example.com%3A80%3A80",
            "did:web:example..com",
            "did:web:[::1]",
            "did:web:example.com/a",
            "did:web:example.com:..",
            "did:web:example.com:%2e%2E",
            "did:web:example.com:.%2e",
            "did:web:example.com:a%2Fb",
            "did:web:example.com:a%5cb",
            "did:web:example.com:a%zz",
            "did:web:example.com:a%2",
            "did:web:example.com:a?b",
            "did:web:example.com:a#b",
            "did:web:ex\u{430}mple.com",
            "did:key:z6Mk",
        ] {
            assert_eq!(did_web_url(did), None, "{did}");
        }
    }

    #[test]
    fn every_name_has_a_home_or_none() {
        assert!(matches!(
            Home::of("did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"),
            Home::Itself { key: Ok(_), .. }
        ));
        assert!(matches!(Home::of("did:key:m7QE"), Home::Itself { key: Err(KeyFault::Malformed), .. }));
        assert!(matches!(Home::of("did:jwk:eyJrdHkiOiJvY3QifQ"), Home::Itself { key: Err(KeyFault::Kind { .. }), .. }));
        assert_eq!(Home::of("did:pkh:eip155:1:0x00"), Home::Account);
        assert_eq!(Home::of("did:ion:abc"), Home::Method("ion".to_owned()));
        assert!(matches!(Home::of("did:web:example.com?service=x"), Home::Method(_)));
        assert_eq!(Home::of("did:web:"), Home::Malformed);
        assert_eq!(Home::of("did:web"), Home::Malformed);
        for nowhere in ["urn:uuid:1", "http://example.com/1", "Example University", ""] {
            assert_eq!(Home::of(nowhere), Home::Nowhere, "{nowhere}");
        }
    }
}
