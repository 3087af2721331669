//! One credential: who issues it, what for, to whom, and when, as one Open Badges 3.0 credential on Verifiable
//! Credentials 2.0. No clock, no randomness, no I/O: the same input gives the same document, without its proofs.
//!
//! Everything in it is defined by the two contexts that it names, so that a signature by any suite covers all of it.
//! [`Misfit`] says why an award and a template do not go together: the one thing that neither of them shows alone.

mod misfit;
mod results;
mod subject;
#[cfg(test)]
mod tests;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Number, Value, json};
use testamur_core::{
    Hash, UnixSeconds,
    digest::{credential_hash, file_hash},
};

use crate::{
    profile::Profile,
    roster::{Award, Evidence},
    template::{Template, Validity, is_uri},
};

pub use misfit::Misfit;

/// The contexts that define every member, in the order that Open Badges 3.0 asks for.
pub const CONTEXTS: [&str; 2] =
    ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"];

/// What a credential has that neither its template nor its learner gives.
#[derive(Clone, Debug)]
pub struct Issuing<'a> {
    /// Its id: a `urn:uuid:` of 122 random bits.
    pub id: String,
    /// When it is issued.
    pub issued: UnixSeconds,
    /// Its `credentialStatus` entries. Open Badges 3.0 knows one; Verifiable Credentials 2.0 knows several.
    pub status: &'a [Value],
    /// What hides a hashed e-mail address from whoever has a list of addresses.
    pub salt: [u8; 16],
    /// The credential that it replaces.
    pub supersedes: Option<Superseded>,
}

/// A credential that another one replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superseded {
    /// Its id.
    pub id: String,
    /// Its hash, by which a holder of both can see that this one was meant.
    hash: Hash,
    /// What is hashed, in words.
    form: &'static str,
}

/// Makes out the credential, without proofs.
///
/// It is valid from the day of the award on, or from the day of issue where the roster says nothing, or where it replaces
/// another one (Open Badges: of two editions, the newer one is the one with the later `validFrom`). It ends when the
/// roster says, else when the template says, counted from the award.
///
/// # Errors
/// Where the award does not go with the template.
pub fn credential(
    profile: &Profile,
    template: &Template,
    award: &Award,
    issuing: &Issuing<'_>,
) -> Result<Map<String, Value>, Misfit> {
    let awarded = award.awarded.unwrap_or(issuing.issued);
    let from = if issuing.supersedes.is_some() { issuing.issued } else { awarded };
    let until = until(template, award, awarded, from)?;
    let achievement = template.achievement_json(&profile.id);
    let evidence = evidence(template, award)?;

    let mut credential = Map::new();
    let mut put = |name: &str, value: Value| credential.insert(name.to_owned(), value);
    put("@context", json!(CONTEXTS));
    put("id", json!(issuing.id));
    put("type", json!(["VerifiableCredential", "OpenBadgeCredential"]));
    put("name", json!(template.achievement.name()));
    put("issuer", Value::Object(profile.to_json()));
    put("validFrom", json!(from.to_string()));
    if let Some(until) = until {
        put("validUntil", json!(until.to_string()));
    }
    if let Some(awarded) = award.awarded {
        put("awardedDate", json!(awarded.to_string()));
    }
    put("credentialSubject", Value::Object(subject(template, award, issuing, achievement)?));
    if !evidence.is_empty() {
        put("evidence", Value::Array(evidence));
    }
    match issuing.status {
        [] => None,
        [one] => put("credentialStatus", one.clone()),
        several => put("credentialStatus", json!(several)),
    };
    if let Some(superseded) = &issuing.supersedes {
        put("relatedResource", json!([superseded.to_json()]));
    }
    Ok(credential)
}

/// Whether the award goes with the template, before anything is reserved for it.
///
/// # Errors
/// As [`credential`].
pub fn check(profile: &Profile, template: &Template, award: &Award, issued: UnixSeconds) -> Result<(), Misfit> {
    let rehearsal = Issuing { id: "urn:uuid:0".to_owned(), issued, status: &[], salt: [0; 16], supersedes: None };
    credential(profile, template, award, &rehearsal).map(drop)
}

impl Superseded {
    /// One that is a JSON document. Proofs do not count: a holder may have others than the issuer.
    pub fn credential(id: String, credential: &Map<String, Value>) -> Self {
        let hash = credential_hash(&Value::Object(credential.clone()));
        Self { id, hash, form: "canonical JSON (RFC 8785) without proofs" }
    }

    /// One that is a token.
    pub fn token(id: String, token: &[u8]) -> Self {
        Self { id, hash: file_hash(token), form: "token" }
    }

    /// As Verifiable Credentials 2.0 (5.3) relates resources: by id and digest, and with words for those who read it.
    fn to_json(&self) -> Value {
        // A multihash (SHA-256, 32 bytes) in multibase base64url.
        let multihash = [&[0x12, 0x20], &self.hash.0[..]].concat();
        json!({
            "id": self.id,
            "name": "Superseded credential",
            "description": format!("The credential that this one replaces. Its digest is the SHA-256 of its {}.", self.form),
            "digestMultibase": format!("u{}", BASE64_URL_SAFE_NO_PAD.encode(multihash)),
        })
    }
}

/// The last second on which it is valid.
fn until(
    template: &Template,
    award: &Award,
    awarded: UnixSeconds,
    from: UnixSeconds,
) -> Result<Option<UnixSeconds>, Misfit> {
    let by_template = |validity: Validity| validity.until(awarded).ok_or(Misfit::EndOfCalendar);
    let until = match award.expires {
        Some(expires) => Some(expires),
        None => template.validity.map(by_template).transpose()?,
    };
    match until {
        Some(until) if until <= from => Err(Misfit::Over { from, until }),
        until => Ok(until),
    }
}

fn subject(
    template: &Template,
    award: &Award,
    issuing: &Issuing<'_>,
    achievement: Map<String, Value>,
) -> Result<Map<String, Value>, Misfit> {
    let mut subject = subject::identity(&template.identity, &award.learner, issuing)?;
    let results = results::results(&award.results, &achievement)?;
    subject.insert("achievement".to_owned(), Value::Object(achievement));
    if let Some(credits) = award.credits_earned {
        subject.insert("creditsEarned".to_owned(), Value::Number(number(credits)?));
    }
    let texts = [
        ("licenseNumber", &award.license_number),
        ("narrative", &award.narrative),
        ("role", &award.role),
        ("term", &award.term),
    ];
    for (name, text) in texts {
        subject.extend(text.as_ref().map(|text| (name.to_owned(), json!(text))));
    }
    if !results.is_empty() {
        subject.insert("result".to_owned(), Value::Array(results));
    }
    Ok(subject)
}

/// What the roster says of the learner's own work, else what the template says of everybody's.
fn evidence(template: &Template, award: &Award) -> Result<Vec<Value>, Misfit> {
    if award.evidence.is_empty() {
        return Ok(template.evidence.clone());
    }
    award.evidence.iter().map(piece).collect()
}

fn piece(evidence: &Evidence) -> Result<Value, Misfit> {
    if let Some(id) = evidence.id.as_ref().filter(|id| !is_uri(id)) {
        return Err(Misfit::Address { found: id.clone() });
    }
    let mut members = Map::new();
    members.extend(evidence.id.as_ref().map(|id| ("id".to_owned(), json!(id))));
    members.insert("type".to_owned(), json!(["Evidence"]));
    let texts = [
        ("name", &evidence.name),
        ("description", &evidence.description),
        ("narrative", &evidence.narrative),
        ("genre", &evidence.genre),
        ("audience", &evidence.audience),
    ];
    for (name, text) in texts {
        members.extend(text.as_ref().map(|text| (name.to_owned(), json!(text))));
    }
    Ok(Value::Object(members))
}

/// As JSON writes it: 6 rather than 6.0, so that every form of the credential shows the same.
fn number(credits: f64) -> Result<Number, Misfit> {
    let refused = Misfit::Credits { found: credits };
    if !(0.0..=1e6).contains(&credits) {
        return Err(refused);
    }
    if credits.fract() == 0.0 { Ok(Number::from(credits as u64)) } else { Number::from_f64(credits).ok_or(refused) }
}
