//! The compact form: three parts of base64url.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use testamur_core::{UnixSeconds, checked::SignatureFault, json};

/// A token as read. Nothing about it is believed yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Compact<'a> {
    /// Its header.
    pub header: Map<String, Value>,
    /// Its claims.
    pub payload: Map<String, Value>,
    /// What is signed: the first two parts as they stand.
    pub signed: &'a str,
    /// The signature's bytes.
    pub signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Reads a token strictly: exactly three parts, base64url without padding, header and claims JSON objects in which
    /// no key stands twice.
    pub fn parse(token: &'a str) -> Result<Self, SignatureFault> {
        let what = |what: &str| SignatureFault::Malformed { what: what.to_owned() };
        let (signed, signature) = token.rsplit_once('.').ok_or_else(|| what("the token"))?;
        let (header, payload) = signed.split_once('.').ok_or_else(|| what("the token"))?;
        Ok(Self {
            header: object(header).ok_or_else(|| what("the token's header"))?,
            payload: object(payload).ok_or_else(|| what("the token's payload"))?,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).map_err(|_| what("the token's signature"))?,
        })
    }

    /// The key that the header names.
    pub fn key_id(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// A claim that is a NumericDate (RFC 7519); fractions of a second are cut off.
    pub fn claim_time(&self, claim: &str) -> Result<Option<UnixSeconds>, SignatureFault> {
        let Some(value) = self.payload.get(claim) else { return Ok(None) };
        let seconds = value.as_u64().or_else(|| value.as_f64().filter(|f| (0.0..1e15).contains(f)).map(|f| f as u64));
        let malformed = || SignatureFault::Malformed { what: format!("the token's {claim}") };
        seconds.map(UnixSeconds).map(Some).ok_or_else(malformed)
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    match json::parse(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}
