//! Checks that need what stands elsewhere: asked for, until nothing new is wanted.

use serde_json::Value;
use testamur_core::{
    Hash, UnixSeconds,
    checked::{Checked, Missing},
    evidence::IdentityDocument,
};
use testamur_credentials::{Shelf, Supplied, check, opened::Opened};

use crate::{
    exchange::{Exchange, NoAnswer, Question, all, both},
    hex, plain,
    settings::{Documents, Settings},
};

/// Rounds of asking: a list leads to its issuer's document, and that to a key's.
const ROUNDS: usize = 4;
/// Documents that one credential may make anybody fetch: an issuer's, a key's, some lists and theirs.
const MAX_DOCUMENTS: usize = 32;

/// What was checked, and the documents that it rests on.
pub async fn settle(
    exchange: &Exchange,
    opened: &mut Opened,
    settings: &Settings,
    seen_before: &[IdentityDocument],
) -> (Checked, Vec<IdentityDocument>) {
    let known = settings.known();
    let run = |opened: &mut Opened, shelf: &Shelf| check::check(opened, shelf, &settings.policy, &known, settings.now);
    let mut shelf = shelf(seen_before, settings);
    let mut had = Vec::new();
    let mut asked = 0;
    for _ in 0..ROUNDS {
        let checked = run(opened, &shelf);
        let wanted = shelf.take_wanted();
        if wanted.is_empty() {
            return (checked, had);
        }
        let urls: Vec<String> = wanted.documents.into_iter().collect();
        let gets = urls.iter().enumerate().map(|(at, url)| document(exchange, url, settings.documents, asked + at));
        let hashes = wanted.canonical.iter().map(|document| canonical(exchange, document));
        let (documents, hashes) = both(all(gets), all(hashes)).await;
        asked += urls.len();
        for (url, document) in urls.into_iter().zip(documents) {
            if let Ok(bytes) = &document {
                had.push(IdentityDocument { url: url.clone(), as_of: settings.now, bytes: bytes.clone() });
            }
            shelf.put_document(url, document.map(|bytes| supplied(bytes, settings.now)));
        }
        for (document, hash) in wanted.canonical.iter().zip(hashes) {
            shelf.put_canonical(document, hash);
        }
    }
    (run(opened, &shelf), had)
}

/// What was kept, as far as the settings let it count. What does not is asked of its host, or told as missing.
fn shelf(seen_before: &[IdentityDocument], settings: &Settings) -> Shelf {
    let mut shelf = Shelf::default();
    for IdentityDocument { url, as_of, bytes } in seen_before {
        if settings.accept_documents {
            shelf.put_document(url, Ok(supplied(bytes.clone(), *as_of)));
        } else if settings.documents == Documents::None {
            let reason = format!("the evidence has it as of {as_of}, which nothing proves");
            shelf.put_document(url, Err(Missing::Refused { what: url.clone(), reason }));
        }
    }
    shelf
}

fn supplied(bytes: Vec<u8>, as_of: UnixSeconds) -> Supplied {
    Supplied { bytes: bytes.into(), as_of }
}

/// A document, where the settings let it be asked for.
async fn document(exchange: &Exchange, url: &str, documents: Documents, asked: usize) -> Result<Vec<u8>, Missing> {
    let what = url.to_owned();
    let refused = |reason: &str| Err(Missing::Refused { what: url.to_owned(), reason: reason.to_owned() });
    match documents {
        Documents::None => return Err(Missing::NotAsked { what }),
        _ if asked >= MAX_DOCUMENTS => return refused("the credential names too many documents"),
        Documents::Fetched if url.starts_with("dns:") => {
            let help = Some("a page cannot ask the DNS".to_owned());
            return Err(Missing::NotCarried { what, help });
        }
        Documents::Fetched if !is_public(url) => return refused("it is not on a public host"),
        Documents::Fetched | Documents::Given => {}
    }
    let answer = exchange.ask(Question::Document { url: what.clone() }).await;
    answer.map_err(|no_answer| missing(what, no_answer))
}

async fn canonical(exchange: &Exchange, document: &Value) -> Result<Hash, Missing> {
    let what = "the canonical form of its JSON-LD".to_owned();
    plain::check(document).map_err(|reason| Missing::Unreadable { what: what.clone(), reason })?;
    let answer = exchange.ask(Question::Canonical { document: document.clone() }).await;
    let bytes = answer.map_err(|no_answer| missing(what.clone(), no_answer))?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let text = text.strip_prefix("0x").unwrap_or(text);
    let hash = hex::bytes(&format!("0x{text}")).and_then(|bytes| Hash::try_from(&bytes[..]).ok());
    hash.ok_or(Missing::Unreadable { what, reason: "it is no SHA-256 in hex".to_owned() })
}

fn missing(what: String, no_answer: NoAnswer) -> Missing {
    match no_answer {
        NoAnswer::Unreachable(detail) => Missing::Unreachable { what, detail },
        NoAnswer::NotFound(detail) => Missing::NotFound { what, detail },
        NoAnswer::Refused(reason) => Missing::Refused { what, reason },
        NoAnswer::Unreadable(reason) => Missing::Unreadable { what, reason },
    }
}

/// Whether a URL may be fetched that only a credential names: `https`, of a host by its name. What the name leads to is
/// out of sight here; browsers keep pages from reading private hosts that do not allow it.
fn is_public(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let authority = &rest[..rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len())];
    let host = authority.split_once(':').map_or(authority, |(host, _)| host).trim_end_matches('.').to_ascii_lowercase();
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_private = ["localhost", "local", "internal", "lan", "home", "intranet", "onion"].contains(&last);
    let is_number = last.starts_with(|letter: char| letter.is_ascii_digit());
    !authority.contains(['@', '[', '%']) && host.contains('.') && !is_private && !is_number
}

#[cfg(test)]
mod tests {
    use testamur_credentials::{Have, Supplies};

    use super::*;

    #[test]
    fn documents_in_evidence_count_where_the_settings_say_so() {
        let url = "https://university.example/.well-known/did.json";
        let document = IdentityDocument { url: url.to_owned(), as_of: UnixSeconds(1), bytes: b"{}".to_vec() };
        let had = |settings: &str| {
            let settings: Settings = serde_json::from_str(settings).expect("settings");
            shelf(std::slice::from_ref(&document), &settings).document(url)
        };
        assert!(matches!(had(r#"{"endpoints":[],"now":2}"#), Have::No(Missing::Refused { .. })));
        assert!(matches!(had(r#"{"endpoints":[],"now":2,"documents":"fetched"}"#), Have::NotYet));
        assert!(matches!(had(r#"{"endpoints":[],"now":2,"acceptDocuments":true}"#), Have::Yes(_)));
    }

    #[test]
    fn what_is_no_public_host_is_not_asked() {
        for public in ["https://university.example/did.json", "https://a.example:8443/x?y#z"] {
            assert!(is_public(public), "{public}");
        }
        for other in [
            "http://university.example/",
            "https://localhost/",
            "https://printer.local/",
            "https://127.0.0.1/",
            "https://10.1/",
            "https://0x7f.1/",
            "https://127.0.0.1./",
            "https://[::1]/",
            "https://user@university.example/",
            "https://intranet/",
            "https://127.0.0.1%2f.example/",
            "file:///etc/passwd",
        ] {
            assert!(!is_public(other), "{other}");
        }
    }
}
