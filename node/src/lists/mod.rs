//! Status lists in the formats that others read: each is made and signed once, and carries its path to the root on
//! chain, so that it needs no trust in the server that signed it.
//!
//! Absent: HTTP ([`crate::http`]), the bits ([`crate::mirror`]), their encodings ([`testamur_core::status`]).

mod credential;
mod key;
mod statement;
mod token;
mod url;

use std::{path::Path, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};
use serde_json::{Value, json};
use testamur_chain::TreeAt;
use testamur_core::{Hash, ListNumber, Purpose, status::bitstring};

pub use self::{
    key::{ListKey, ListKeyError},
    statement::{ANCHORED, Anchored, Source, Statement, Updated},
    url::{NotPublicUrl, PublicUrl},
};

/// After how long a reader of a signed list should look for a newer one.
pub const TTL: Duration = Duration::from_secs(300);
/// Bytes of documents that are kept.
const KEPT: u64 = 64 << 20;
/// About the bytes of an empty list's document.
const SMALLEST: u64 = 1024;

/// A format of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// W3C `BitstringStatusListCredential` with a Data Integrity proof.
    Credential,
    /// The same credential as a JWT.
    CredentialJwt,
    /// IETF Token Status List as a JWT.
    TokenJwt,
    /// IETF Token Status List as a CWT.
    TokenCwt,
    /// Our own: bits, path and block, unsigned.
    Json,
}

impl Form {
    /// All, the preferred ones first. Credentials name a list by its URL alone, and those who verify them fetch it
    /// without saying what they expect: that is W3C's credential.
    pub const ALL: [Self; 5] = [Self::Credential, Self::CredentialJwt, Self::TokenJwt, Self::TokenCwt, Self::Json];

    /// What it is called in HTTP.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Credential => "application/vc",
            Self::CredentialJwt => "application/vc+jwt",
            Self::TokenJwt => "application/statuslist+jwt",
            Self::TokenCwt => "application/statuslist+cwt",
            Self::Json => "application/json",
        }
    }

    fn short(self) -> &'static str {
        match self {
            Self::Credential => "vc",
            Self::CredentialJwt => "vcjwt",
            Self::TokenJwt => "jwt",
            Self::TokenCwt => "cwt",
            Self::Json => "json",
        }
    }

    /// Whether lists of a purpose exist in this form: W3C and IETF know what a set bit says of revocation and
    /// suspension, and of nothing else.
    pub fn has(self, purpose: Purpose) -> bool {
        self == Self::Json || matches!(purpose, Purpose::REVOCATION | Purpose::SUSPENSION)
    }
}

/// Makes documents and keeps them.
pub struct Lists {
    key: ListKey,
    kept: Cache<String, Bytes, Size>,
}

#[derive(Clone)]
struct Size;

impl Weighter<String, Bytes> for Size {
    fn weight(&self, name: &String, document: &Bytes) -> u64 {
        (name.len() + document.len()) as u64
    }
}

impl Lists {
    /// Signs with this key.
    pub fn new(key: ListKey) -> Self {
        Self { key, kept: Cache::with_weighter((KEPT / SMALLEST) as usize, KEPT, Size) }
    }

    /// Signs with the key of a data folder: see [`ListKey::open`].
    pub fn open(data_dir: &Path) -> Result<Self, ListKeyError> {
        ListKey::open(data_dir).map(Self::new)
    }

    /// The key that signs.
    pub fn key(&self) -> &ListKey {
        &self.key
    }

    /// A list's document, if it is kept. `tag` is that of [`tag`].
    pub fn kept(&self, source: &Source, tag: &str) -> Option<Bytes> {
        self.kept.get(&name(source, tag))
    }

    /// Makes a list's document, and keeps it. Takes up to milliseconds.
    pub fn make(&self, form: Form, source: Source, list: ListNumber, at: &TreeAt) -> Bytes {
        let name = name(&source, &tag(form, at));
        let document = self.document(form, &Statement::new(source, list, at));
        self.kept.insert(name, document.clone());
        document
    }

    fn document(&self, form: Form, statement: &Statement) -> Bytes {
        match form {
            Form::Credential => credential::with_proof(statement, &self.key).to_string().into(),
            Form::CredentialJwt => credential::as_jwt(statement, &self.key).into(),
            Form::TokenJwt => token::as_jwt(statement, &self.key).into(),
            Form::TokenCwt => token::as_cwt(statement, &self.key).into(),
            Form::Json => plain(statement).into(),
        }
    }
}

/// Changes exactly when a list's document may: with the root, with the date of what is signed, and of what is not
/// signed with the block that it tells. It is an entity tag in HTTP.
pub fn tag(form: Form, at: &TreeAt) -> String {
    let (form, date, block) = match form {
        Form::Json => (form.short(), at.block.number.0, at.block.hash),
        _ => (form.short(), statement::dated(at).0, Hash::ZERO),
    };
    let mut text = format!("\"{}-{}-{date}-{form}-", at.record.epoch, at.record.block);
    // A block of the same number may be another, and another root in it.
    let distinct = at.record.root.0.iter().zip(block.0).map(|(root, block)| root ^ block);
    text.extend(distinct.take(8).map(|byte| format!("{byte:02x}")));
    text.push('"');
    text
}

fn name(source: &Source, tag: &str) -> String {
    format!("{} {tag}", source.url)
}

/// Our own form: what [`Anchored`] says, the block, and the bits as W3C encodes them.
fn plain(statement: &Statement) -> String {
    let mut json = statement.anchored_json();
    json["block"] = json!(statement.block);
    json["encodedList"] = json!(bitstring::encode(statement.bits.as_bytes()));
    json.to_string()
}

/// A JWT (RFC 7515, compact).
fn jwt(header: &Value, payload: &Value, key: &ListKey) -> String {
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let signed = format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload.to_string().as_bytes()));
    let signature = encode(&key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}
