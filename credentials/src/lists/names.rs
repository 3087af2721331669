//! 1EdTech's Verifiable Credentials Revocation List 1.0: the revoked credentials by their `id`.
//!
//! Such a list carries no signature: it counts for as much as the connection to its host. So it must at least be its
//! issuer's in its own words. Whoever asks for it tells its host nothing about whom, because it is always the whole.

use serde_json::{Map, Value};
use testamur_core::{
    checked::{ListGap, ListOutcome},
    json,
};

use super::{Found, Reader, issuer_of, mismatch};

impl Reader<'_> {
    pub(super) fn names(self, entry: &Value, credential: &Map<String, Value>) -> Found {
        let list = entry.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let outcome = self.named(&list, credential);
        Found { purpose: "revocation".to_owned(), list, signer: None, outcome }
    }

    fn named(self, url: &str, credential: &Map<String, Value>) -> Result<ListOutcome, ListGap> {
        let id = credential.get("id").and_then(Value::as_str);
        let id = id.ok_or_else(|| mismatch("the credential has no id that it could be listed by"))?;
        let supplied = self.fetch(url)?;
        let list = json::parse(&supplied.bytes).map_err(|error| mismatch(error.to_string()))?;
        let issuer = list.as_object().and_then(issuer_of);
        if issuer.is_none() || issuer != self.issuer {
            return Err(mismatch(format!("it is {}'s, not its issuer's", issuer.unwrap_or("nobody"))));
        }
        let revoked = list.get("revokedCredentials").and_then(Value::as_array);
        let revoked = revoked.ok_or_else(|| mismatch("it has no revokedCredentials"))?;
        let as_of = supplied.as_of;
        let is_set = revoked.iter().any(|entry| names(entry, id));
        Ok(if is_set { ListOutcome::Set { as_of } } else { ListOutcome::Clear { as_of } })
    }
}

/// An entry names a credential by its id, and may say that it is revoked no more.
fn names(entry: &Value, id: &str) -> bool {
    let named = entry.as_str().or_else(|| entry.get("id")?.as_str());
    named == Some(id) && entry.get("revoked") != Some(&Value::Bool(false))
}
