//! Data Integrity proofs (W3C Verifiable Credential Data Integrity 1.0) of other suites than our anchor.
//!
//! Reading order: [`Suite`] → [`Hashes`] (what is signed) → [`check_proof`].
//!
//! What a proof says beside its signature is read as its readers expect: `expires` ends it; `proofPurpose` must be
//! `assertionMethod`; `created` is the signer's word only, in whatever direction its clock is wrong; `domain` and
//! `challenge` are for whoever asked for a presentation, and nobody did.

mod hash;
mod suite;

use serde_json::{Map, Value};
use testamur_core::{
    UnixSeconds,
    checked::{Missing, Signature, SignatureFault, SignatureGap, SignatureOutcome},
};

pub use self::{
    hash::{Hashes, jcs_hashes, linked_hashes},
    suite::{Form, Suite},
};
use crate::{
    Have, Supplies,
    keys::{decode_base58, resolve},
};

/// Checks one member of a credential's `proof`. `now` decides whether it has ended.
pub fn check_proof(
    credential: &Map<String, Value>,
    proof: &Value,
    supplies: &dyn Supplies,
    now: UnixSeconds,
) -> Signature {
    let text = |member: &str| proof.get(member).and_then(Value::as_str);
    let outcome = outcome(credential, proof, supplies, now);
    Signature {
        suite: text("cryptosuite").or(text("type")).unwrap_or("a proof without a type").to_owned(),
        method: text("verificationMethod").map(str::to_owned),
        created: text("created").and_then(|created| created.parse().ok()),
        outcome: outcome.unwrap_or_else(|outcome| outcome),
    }
}

/// The issuer that a credential names: `issuer`, or `issuer.id`.
pub fn named_issuer(credential: &Map<String, Value>) -> Option<&str> {
    let issuer = credential.get("issuer")?;
    issuer.as_str().or_else(|| issuer.get("id")?.as_str())
}

fn outcome(
    credential: &Map<String, Value>,
    proof: &Value,
    supplies: &dyn Supplies,
    now: UnixSeconds,
) -> Result<SignatureOutcome, SignatureOutcome> {
    let proof = proof.as_object().ok_or_else(|| malformed("proof"))?;
    let suite = Suite::of(proof).map_err(|gap| SignatureOutcome::Unknown(SignatureGap::Suite { suite: gap }))?;
    check_members(proof, now).map_err(SignatureOutcome::Fails)?;
    let method = match proof.get("verificationMethod") {
        None => return Err(SignatureOutcome::Unknown(SignatureGap::NoKey)),
        Some(method) => method.as_str().ok_or_else(|| malformed("proof.verificationMethod"))?,
    };
    let value = proof.get("proofValue").and_then(Value::as_str).and_then(decode_base58);
    let value = value.filter(|value| value.len() == 64).ok_or_else(|| malformed("proof.proofValue"))?;

    // Both are asked for before either is looked at, so that one round of fetching serves both.
    let resolved = resolve(method, named_issuer(credential), supplies);
    let hashes = match suite.form() {
        Form::Jcs => jcs_hashes(credential, proof).map(Have::Yes).map_err(SignatureOutcome::Fails)?,
        Form::Linked => linked_hashes(credential, proof, supplies),
    };
    let resolved = resolved.map_err(|unresolved| unresolved.outcome(suite.name(), suite.algorithm()))?;
    let missing = match hashes {
        Have::Yes(hashes) => return Ok(resolved.check(suite.algorithm(), &hashes.to_sign(), &value)),
        Have::No(missing) => missing,
        Have::NotYet => Missing::NotAsked { what: "the canonical form of the document".to_owned() },
    };
    // Whatever the hashes are: whoever may not sign has not signed.
    resolved.standing.map_err(SignatureOutcome::Fails)?;
    Err(SignatureOutcome::Unknown(SignatureGap::Missing(missing)))
}

/// The members that each suite has, and that say whether the proof is one for a reader of credentials.
fn check_members(proof: &Map<String, Value>, now: UnixSeconds) -> Result<(), SignatureFault> {
    let time = |member: &str| match proof.get(member) {
        None => Ok(None),
        Some(value) => match value.as_str().and_then(|text| text.parse::<UnixSeconds>().ok()) {
            None => Err(SignatureFault::Malformed { what: format!("proof.{member}") }),
            time => Ok(time),
        },
    };
    time("created")?;
    match proof.get("proofPurpose").and_then(Value::as_str) {
        Some("assertionMethod") => {}
        Some(found) => return Err(SignatureFault::Purpose { found: found.to_owned() }),
        None => return Err(SignatureFault::Malformed { what: "proof.proofPurpose".to_owned() }),
    }
    match time("expires")? {
        Some(until) if now > until => Err(SignatureFault::Expired { until }),
        _ => Ok(()),
    }
}

fn malformed(what: &str) -> SignatureOutcome {
    SignatureOutcome::Fails(SignatureFault::Malformed { what: what.to_owned() })
}

#[cfg(test)]
mod tests;
