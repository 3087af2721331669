//! Which keys a document lists for assertions: a DID document, a controlled identifier document at an `https` URL
//! (W3C Controlled Identifiers v1.0), or a key alone.

use std::iter;

use serde_json::{Map, Value};
use testamur_core::{UnixSeconds, checked::Missing, json};

use super::{KeyFault, PublicKey, parse_base58, parse_jwk, parse_multikey};
use crate::{Have, Supplied, Supplies};

/// The largest document that is read.
const MAX_BYTES: usize = 1 << 20;
/// The most keys that one document may list.
const MAX_KEYS: usize = 1_000;
/// The members that spell a key. A method has one of them, so that no two readers see two keys.
const SPELLINGS: [&str; 4] = ["publicKeyMultibase", "publicKeyJwk", "publicKeyBase58", "publicKeyPem"];

/// What a document says of the keys that its subject makes assertions with.
#[derive(Clone, Debug)]
pub struct KeyDocument {
    /// When it was seen.
    pub as_of: UnixSeconds,
    /// The keys, in the document's order.
    pub listed: Vec<Listed>,
    /// Whether it speaks of keys at all: the profile of an issuer at its URL may not.
    pub names_keys: bool,
}

/// A key in a document.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its URL.
    pub id: String,
    /// The method, where it stands in the same document.
    method: Option<Map<String, Value>>,
}

impl KeyDocument {
    /// The document of a DID or URL, which stands at `url`.
    pub fn get(name: &str, url: &str, supplies: &dyn Supplies) -> Result<Self, Missing> {
        match supplies.document(url) {
            Have::Yes(document) => Self::read(name, url, &document),
            Have::No(missing) => Err(missing),
            Have::NotYet => Err(Missing::NotAsked { what: url.to_owned() }),
        }
    }

    /// Reads the document of a DID or URL. One that is about something else says nothing: its host is at fault, and
    /// not the credential.
    pub fn read(name: &str, url: &str, document: &Supplied) -> Result<Self, Missing> {
        let what = || url.to_owned();
        if document.bytes.len() > MAX_BYTES {
            return Err(Missing::Refused { what: what(), reason: format!("it is larger than {MAX_BYTES} bytes") });
        }
        let unreadable = |reason: String| Missing::Unreadable { what: what(), reason };
        let value = json::parse(&document.bytes).map_err(|error| unreadable(error.to_string()))?;
        let Value::Object(members) = value else { return Err(unreadable("it is no JSON object".to_owned())) };
        let as_of = document.as_of;
        if let Some(listed) = key_alone(name, &members) {
            return Ok(Self { as_of, listed: vec![listed], names_keys: true });
        }
        match text(&members, "id") {
            Some(id) if id == name => {}
            Some(id) => return Err(unreadable(format!("it is the document of {id}"))),
            None => return Err(unreadable("it has no id".to_owned())),
        }
        let names_keys =
            ["verificationMethod", "assertionMethod", "publicKey"].iter().any(|m| members.contains_key(*m));
        let listed = assertion_methods(name, &members).map_err(unreadable)?;
        Ok(Self { as_of, listed, names_keys })
    }

    /// The key of this URL.
    pub fn find(&self, method: &str) -> Option<&Listed> {
        self.listed.iter().find(|listed| listed.id == method)
    }

    /// An entry for this key, by its value or, where it stands in another document, by its URL.
    pub fn lists(&self, method: &str, key: &PublicKey) -> Option<&Listed> {
        let is_it = |listed: &&Listed| match &listed.method {
            None => listed.id == method,
            Some(_) => listed.key().as_ref() == Ok(key),
        };
        self.listed.iter().find(is_it)
    }
}

impl Listed {
    /// The key. [`KeyFault::Malformed`] also where it stands in another document.
    pub fn key(&self) -> Result<PublicKey, KeyFault> {
        let method = self.method.as_ref().ok_or(KeyFault::Malformed)?;
        if method.contains_key("kty") {
            return parse_jwk(&Value::Object(method.clone()));
        }
        let mut spelled = SPELLINGS.iter().filter_map(|member| Some((*member, method.get(*member)?)));
        let (Some((member, value)), None) = (spelled.next(), spelled.next()) else { return Err(KeyFault::Malformed) };
        match (member, value.as_str()) {
            ("publicKeyJwk", _) => parse_jwk(value),
            ("publicKeyMultibase", Some(text)) => parse_multikey(text),
            ("publicKeyBase58", Some(text)) if self.is_of_type("Ed25519VerificationKey2018") => parse_base58(text),
            ("publicKeyBase58", Some(_)) => Err(KeyFault::Kind { kind: "of an unknown kind" }),
            ("publicKeyPem", Some(text)) => PublicKey::from_pem(text),
            _ => Err(KeyFault::Malformed),
        }
    }

    /// Who controls the key, where the document says so.
    pub fn controller(&self) -> Option<&str> {
        text(self.method.as_ref()?, "controller")
    }

    /// When the key ended (`expires`, `revoked`), if it did. What is no time has ended all along.
    pub fn until(&self) -> Option<UnixSeconds> {
        let method = self.method.as_ref()?;
        let ends = ["expires", "revoked"].into_iter().filter(|member| method.contains_key(*member));
        ends.map(|member| text(method, member).and_then(|time| time.parse().ok()).unwrap_or_default()).min()
    }

    fn is_of_type(&self, name: &str) -> bool {
        self.method.as_ref().is_some_and(|method| text(method, "type") == Some(name))
    }
}

fn text<'a>(members: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
    members.get(member).and_then(Value::as_str)
}

/// A document that is a key, and no list of keys: at its own URL, or at its controller's.
fn key_alone(name: &str, members: &Map<String, Value>) -> Option<Listed> {
    let is_key = members.contains_key("kty") || SPELLINGS.iter().any(|member| members.contains_key(*member));
    let id = text(members, "id").unwrap_or(name);
    let is_here = id.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('#'));
    (is_key && is_here).then(|| Listed { id: id.to_owned(), method: Some(members.clone()) })
}

/// The keys under `assertionMethod`, which stand there or are named there.
fn assertion_methods(name: &str, document: &Map<String, Value>) -> Result<Vec<Listed>, String> {
    let absolute = |id: &str| if id.starts_with('#') { format!("{name}{id}") } else { id.to_owned() };
    let embedded = |method: &Value| {
        let members = method.as_object()?;
        Some(Listed { id: absolute(text(members, "id")?), method: Some(members.clone()) })
    };
    let methods: Vec<_> = items(document, "verificationMethod").filter_map(embedded).collect();
    let assertions: Vec<_> = items(document, "assertionMethod").collect();
    if methods.len().max(assertions.len()) > MAX_KEYS {
        return Err(format!("it lists more than {MAX_KEYS} keys"));
    }
    let named = |id: String| {
        let method = methods.iter().find(|method| method.id == id).and_then(|found| found.method.clone());
        Listed { id, method }
    };
    let listed = assertions.into_iter().filter_map(|item| match item.as_str() {
        Some(id) => Some(named(absolute(id))),
        None => embedded(item),
    });
    let listed: Vec<_> = listed.collect();
    let mut ids: Vec<_> = methods.iter().map(|method| &method.id).collect();
    ids.sort_unstable();
    match ids.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("it lists {} twice", pair[0])),
        None => Ok(listed),
    }
}

/// The values of a member that holds one or several.
fn items<'a>(members: &'a Map<String, Value>, member: &str) -> Box<dyn Iterator<Item = &'a Value> + 'a> {
    match members.get(member) {
        None => Box::new(iter::empty()),
        Some(Value::Array(items)) => Box::new(items.iter()),
        Some(item) => Box::new(iter::once(item)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NAME: &str = "did:web:school.example";
    const KEY: &str = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
    const OTHER: &str = "z6MkjXe1vZvPRqFuc9nRBtZ3e1Y9XKDFSbjFAfzLfW2bD6cZ";

    fn read(document: Value) -> Result<KeyDocument, Missing> {
        read_bytes(document.to_string().as_bytes())
    }

    fn read_bytes(bytes: &[u8]) -> Result<KeyDocument, Missing> {
        KeyDocument::read(NAME, "https://school.example/", &Supplied { bytes: bytes.into(), as_of: UnixSeconds(1) })
    }

    fn method(id: &str, key: &str) -> Value {
        json!({ "id": id, "type": "Multikey", "controller": NAME, "publicKeyMultibase": key })
    }

    #[test]
    fn only_keys_for_assertions_are_listed() {
        let document = json!({
            "id": NAME,
            "verificationMethod": [method("#a", KEY), method(&format!("{NAME}#b"), OTHER)],
            "assertionMethod": ["#a", method("#c", KEY), "did:key:zElsewhere#zElsewhere"],
            "authentication": ["#b"],
        });
        let read = read(document).expect("a document");
        let key = |fragment: &str| read.find(&format!("{NAME}{fragment}")).and_then(|listed| listed.key().ok());
        assert_eq!(key("#a"), parse_multikey(KEY).ok());
        assert_eq!(key("#c"), parse_multikey(KEY).ok());
        assert_eq!(key("#b"), None, "for authentication only");
        let other = parse_multikey(OTHER).expect("a key");
        assert!(read.lists("did:key:zElsewhere#zElsewhere", &other).is_some());
        assert!(read.lists(&format!("{NAME}#a"), &other).is_none(), "the same name, another key");
        assert!(read.lists("did:x:1#a", &parse_multikey(KEY).expect("a key")).is_some(), "the same key, another name");
    }

    #[test]
    fn a_key_that_ended_says_when() {
        let until = |members: Value| {
            let mut method = method("#a", KEY);
            method.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
            read(json!({ "id": NAME, "assertionMethod": [method] })).expect("a document").listed[0].until()
        };
        assert_eq!(until(json!({})), None);
        assert_eq!(until(json!({ "revoked": "2026-01-01T00:00:00Z" })), Some(UnixSeconds(1_767_225_600)));
        let both = json!({ "expires": "2027-01-01T00:00:00Z", "revoked": "2026-01-01T00:00:00Z" });
        assert_eq!(until(both), Some(UnixSeconds(1_767_225_600)));
        assert_eq!(until(json!({ "revoked": "some day" })), Some(UnixSeconds(0)));
        assert_eq!(until(json!({ "revoked": true })), Some(UnixSeconds(0)));
    }

    #[test]
    fn a_key_alone_is_a_document_too() {
        let alone = |document: Value| read(document).map(|document| document.listed[0].key().is_ok());
        assert_eq!(alone(method(&format!("{NAME}#a"), KEY)), Ok(true));
        assert_eq!(
            alone(json!({ "kty": "OKP", "crv": "Ed25519", "x": "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik" })),
            Ok(true)
        );
        assert!(alone(method("did:web:other.example#a", KEY)).is_err());
    }

    #[test]
    fn what_is_no_such_document_says_nothing() {
        assert!(matches!(read_bytes(&vec![b' '; 10 << 20]), Err(Missing::Refused { .. })));
        assert!(matches!(read_bytes(b"<!doctype html>"), Err(Missing::Unreadable { .. })));
        assert!(matches!(read_bytes(&[b'['; 10_000]), Err(Missing::Unreadable { .. })));
        assert!(matches!(
            read_bytes(format!("{{\"id\":\"x\",\"id\":\"{NAME}\"}}").as_bytes()),
            Err(Missing::Unreadable { .. })
        ));
        assert!(matches!(read(json!({ "id": "did:web:other.example" })), Err(Missing::Unreadable { .. })));
        assert!(matches!(read(json!([])), Err(Missing::Unreadable { .. })));
        let twice = json!({ "id": NAME, "verificationMethod": [method("#a", KEY), method("#a", OTHER)] });
        assert!(matches!(read(twice), Err(Missing::Unreadable { .. })));
        let many = json!({ "id": NAME, "assertionMethod": vec!["#a"; MAX_KEYS + 1] });
        assert!(matches!(read(many), Err(Missing::Unreadable { .. })));
    }

    #[test]
    fn a_key_in_two_spellings_is_none() {
        let mut method = method("#a", KEY);
        method["publicKeyJwk"] =
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik" });
        let read = read(json!({ "id": NAME, "assertionMethod": [method] })).expect("a document");
        assert_eq!(read.listed[0].key(), Err(KeyFault::Malformed));
    }
}
