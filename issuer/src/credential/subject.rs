//! Whose it is.

use serde_json::{Map, Value, json};
use testamur_core::digest::file_hash;

use super::{Issuing, Misfit};
use crate::{
    roster::Learner,
    template::{Identity, IdentityKind, is_uri},
};

/// An `AchievementSubject` that says whose the credential is. Open Badges asks for an `id` or an `identifier`: where the
/// template wants to name nobody, the id is a name for whoever holds it, made of the credential's own.
pub(super) fn identity(
    identity: &Identity,
    learner: &Learner,
    issuing: &Issuing<'_>,
) -> Result<Map<String, Value>, Misfit> {
    let kinds: &[IdentityKind] = match identity {
        Identity::These(kinds) => kinds,
        Identity::Known if learner.did.is_some() => &[IdentityKind::Did],
        Identity::Known if learner.email.is_some() => &[IdentityKind::Email],
        Identity::Known => return Err(Misfit::Nobody),
    };
    let mut id = None;
    let mut identifiers = Vec::new();
    for kind in kinds {
        match kind {
            IdentityKind::Did => id = Some(did(learner)?.to_owned()),
            IdentityKind::Email => identifiers.extend(email(learner, &issuing.salt)?),
            IdentityKind::Name => identifiers.push(name(learner)?),
        }
    }
    if kinds.is_empty() {
        id = Some(format!("{}#holder", issuing.id));
    }
    let mut subject = Map::new();
    subject.extend(id.map(|id| ("id".to_owned(), json!(id))));
    subject.insert("type".to_owned(), json!(["AchievementSubject"]));
    if !identifiers.is_empty() {
        subject.insert("identifier".to_owned(), Value::Array(identifiers));
    }
    Ok(subject)
}

fn did(learner: &Learner) -> Result<&str, Misfit> {
    let did = learner.did.as_deref().ok_or(Misfit::Unidentified("DID"))?;
    if did.starts_with("did:") && is_uri(did) { Ok(did) } else { Err(Misfit::Did) }
}

/// Open Badges 3.0, `IdentityHash`: the SHA-256 of the identifier followed by the salt, both in UTF-8, in hex. It says
/// nothing of capitals, so the address is hashed letter by letter; and in lower case beside it where that is another,
/// because whoever checks it rarely knows how the roster spelt it.
fn email(learner: &Learner, salt: &[u8; 16]) -> Result<impl Iterator<Item = Value>, Misfit> {
    let email = learner.email.as_deref().ok_or(Misfit::Unidentified("e-mail address"))?.trim();
    let salt = hex::encode(salt);
    let lower = email.to_lowercase();
    let spellings = [Some(email.to_owned()), (lower != email).then_some(lower)];
    Ok(spellings.into_iter().flatten().map(move |email| {
        json!({
            "type": "IdentityObject",
            "identityType": "emailAddress",
            "hashed": true,
            "identityHash": identity_hash(&email, &salt),
            "salt": salt,
        })
    }))
}

fn identity_hash(identifier: &str, salt: &str) -> String {
    format!("sha256${}", hex::encode(file_hash(format!("{identifier}{salt}").as_bytes()).0))
}

fn name(learner: &Learner) -> Result<Value, Misfit> {
    let name = learner.name.as_deref().ok_or(Misfit::Unidentified("name"))?;
    Ok(json!({ "type": "IdentityObject", "identityType": "name", "hashed": false, "identityHash": name }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_specification() {
        // Open Badges 3.0, `IdentityHash`: a@example.com, salted with Kosher.
        let hash = "sha256$b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399";
        assert_eq!(identity_hash("a@example.com", "Kosher"), hash);
    }
}
