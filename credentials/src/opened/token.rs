//! The credential inside a compact JWS: VC-JWT 1.1 (`vc` claim), VC-JOSE-COSE (the payload itself), Open Badges 3.0.
//!
//! Absent: the signature (see [`crate::jose`]). What is read here is believed by nobody before that holds.

use serde_json::{Map, Value};
use testamur_core::{UnixSeconds, checked::SignatureFault};

use super::Refusal;
use crate::jose::Compact;

/// What a token's reader and its credential's reader must see alike, with the bound that each pair gives.
const DATES: [(&str, [&str; 2]); 2] =
    [("nbf", ["validFrom", "issuanceDate"]), ("exp", ["validUntil", "expirationDate"])];

/// Types of tokens whose `nbf` and `exp` bound the signature, and not the credential (VC-JOSE-COSE, 3.1.3).
const SIGNATURE_DATES: [&str; 3] = ["vc+jwt", "vc+ld+json+jwt", "vc-ld+jwt"];

/// Whether a text is a compact JWS, by its look: `eyJ` is base64url of `{"`.
pub(super) fn is_token(text: &str) -> bool {
    text.starts_with("eyJ") && text.bytes().filter(|&byte| byte == b'.').count() == 2
}

/// The credential, with the claims that its reader would miss; [`Refusal::Conflict`] where they contradict it.
pub(super) fn credential(token: &Compact<'_>) -> Result<Map<String, Value>, Refusal> {
    let malformed = |what: &str| SignatureFault::Malformed { what: what.to_owned() };
    let (mut credential, is_wrapped) = match token.payload.get("vc") {
        None => (token.payload.clone(), false),
        Some(Value::Object(credential)) => (credential.clone(), true),
        Some(_) => return Err(malformed("the token's vc").into()),
    };
    // A proof inside would be one more signature, over another text: nobody issues that, and nobody checks it.
    if credential.contains_key("proof") {
        return Err(malformed("a token whose credential carries a proof of its own").into());
    }
    agree_names(token, &mut credential)?;
    let is_signatures = !is_wrapped && typ(token).is_some_and(|typ| SIGNATURE_DATES.contains(&typ));
    for (claim, members) in DATES {
        if let Some(bound) = token.claim_time(claim)? {
            agree_date(&mut credential, claim, bound, members, is_signatures)?;
        }
    }
    Ok(credential)
}

/// The header's `typ`, without the prefix that it may drop (RFC 7515, 4.1.9).
pub(crate) fn typ<'a>(token: &'a Compact<'_>) -> Option<&'a str> {
    let typ = token.header.get("typ")?.as_str()?;
    Some(typ.strip_prefix("application/").unwrap_or(typ))
}

/// `iss`, `jti` and `sub` name whom and what the credential names.
fn agree_names(token: &Compact<'_>, credential: &mut Map<String, Value>) -> Result<(), Refusal> {
    let id = |value: &Value| value.get("id").unwrap_or(value).clone();
    let subject = credential.get("credentialSubject").and_then(|subject| subject.get("id")).cloned();
    let pairs = [
        ("iss", "issuer", credential.get("issuer").map(id)),
        ("jti", "id", credential.get("id").cloned()),
        ("sub", "credentialSubject.id", subject),
    ];
    for (claim, member, inside) in pairs {
        match (token.payload.get(claim), inside) {
            (Some(outside), Some(inside)) if inside != *outside => {
                let [outside, inside] = [outside, &inside].map(text);
                return Err(Refusal::Conflict { claim, outside, member, inside });
            }
            (Some(outside), None) if claim == "iss" => _ = credential.insert(member.to_owned(), outside.clone()),
            _ => {}
        }
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Where the credential has no such date, the claim stands for it. Where it has, both must say the same, unless the
/// claim is the signature's: then it becomes one bound more, under the name that the credential leaves free.
fn agree_date(
    credential: &mut Map<String, Value>,
    claim: &'static str,
    bound: UnixSeconds,
    members: [&'static str; 2],
    is_signatures: bool,
) -> Result<(), Refusal> {
    let stated = members.into_iter().find_map(|member| Some((member, credential.get(member)?.as_str()?)));
    if let Some((member, text)) = stated.filter(|_| !is_signatures) {
        // A date that cannot be read is told by whoever checks the period.
        return match text.parse::<UnixSeconds>() {
            Ok(inside) if inside != bound => {
                Err(Refusal::Conflict { claim, outside: bound.to_string(), member, inside: text.to_owned() })
            }
            _ => Ok(()),
        };
    }
    if let Some(free) = members.into_iter().find(|member| !credential.contains_key(*member)) {
        credential.insert(free.to_owned(), bound.to_string().into());
    }
    Ok(())
}
