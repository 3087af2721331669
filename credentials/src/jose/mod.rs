//! JSON Web Signatures (RFC 7515) in their compact form, as credentials and status lists use them.
//!
//! Absent on purpose: encryption, unencoded payloads (RFC 7797), certificates, keys at a URL that only the token names
//! (`jku`, `x5u`).

mod compact;

use serde_json::Value;
use testamur_core::{
    UnixSeconds,
    checked::{Signature, SignatureFault, SignatureGap, SignatureOutcome},
};

pub use self::compact::Compact;
use crate::{
    Supplies,
    keys::{Algorithm, Resolved, Unresolved, only_key, parse_jwk, resolve, spelled_in_full},
};

/// Checks the signature of a compact token for the issuer that its payload names: `payload_issuer`, where the
/// credential inside names one, else `iss`.
///
/// `now` decides whether a token has ended (`exp`). In a token that wraps a credential (`vc`, VC-JWT 1.1) that moment is
/// the credential's own, and is not looked at here. `typ`, `nbf` and what is signed are for the caller to read.
pub fn check_token(token: &str, payload_issuer: Option<&str>, supplies: &dyn Supplies, now: UnixSeconds) -> Signature {
    let compact = match Compact::parse(token) {
        Ok(compact) => compact,
        Err(fault) => return signature("JWT", None, None, SignatureOutcome::Fails(fault)),
    };
    let algorithm = compact.header.get("alg").and_then(Value::as_str).unwrap_or("without an algorithm");
    let created = compact.claim_time("iat").ok().flatten();
    let outcome = outcome(&compact, payload_issuer, supplies, now).unwrap_or_else(|outcome| outcome);
    signature(&format!("JWT {algorithm}"), compact.key_id(), created, outcome)
}

fn signature(suite: &str, method: Option<&str>, created: Option<UnixSeconds>, outcome: SignatureOutcome) -> Signature {
    Signature { suite: suite.to_owned(), method: method.map(str::to_owned), created, outcome }
}

fn outcome(
    token: &Compact,
    payload_issuer: Option<&str>,
    supplies: &dyn Supplies,
    now: UnixSeconds,
) -> Result<SignatureOutcome, SignatureOutcome> {
    let algorithm = algorithm(token)?;
    check_end(token, now).map_err(SignatureOutcome::Fails)?;
    let iss = token.payload.get("iss").and_then(Value::as_str);
    let named = payload_issuer.or(iss);
    let resolved = find_key(token, iss.or(named), named, algorithm, supplies);
    let mut resolved =
        resolved.map_err(|unresolved| unresolved.outcome(&format!("JWT {}", algorithm.name()), algorithm))?;
    if let (Some(iss), Some(named)) = (iss, payload_issuer)
        && iss != named
    {
        resolved.standing = Err(SignatureFault::OtherOwner { owner: iss.to_owned(), named: named.to_owned() });
    }
    Ok(resolved.check(algorithm, token.signed.as_bytes(), &token.signature))
}

/// The algorithm of the header. Which key goes with it is for the key to say.
fn algorithm(token: &Compact) -> Result<Algorithm, SignatureOutcome> {
    let header = &token.header;
    if header.contains_key("crit") {
        // RFC 7515, 4.1.11: whoever does not know an extension cannot tell what the token means.
        return Err(SignatureOutcome::Unknown(SignatureGap::Suite {
            suite: "a JWT with critical extensions".to_owned(),
        }));
    }
    if header.contains_key("b64") {
        return Err(fails("the token's header: b64 without crit"));
    }
    match header.get("alg").and_then(Value::as_str) {
        Some("EdDSA" | "Ed25519") => Ok(Algorithm::EdDsa),
        Some("ES256") => Ok(Algorithm::Es256),
        Some("RS256") => Ok(Algorithm::Rs256),
        None => Err(fails("the token's header: alg")),
        // Neither is a signature: anybody can make the one, and whoever can check the other can make it.
        Some(name) if name.eq_ignore_ascii_case("none") || name.starts_with("HS") => {
            let (found, wanted) = (name.to_owned(), "of a signature".to_owned());
            Err(SignatureOutcome::Fails(SignatureFault::Algorithm { found, wanted }))
        }
        Some(other) => Err(SignatureOutcome::Unknown(SignatureGap::Suite { suite: format!("JWT {other}") })),
    }
}

/// The end that a token sets itself, unless it only repeats its credential's.
fn check_end(token: &Compact, now: UnixSeconds) -> Result<(), SignatureFault> {
    let end = token.claim_time("exp")?.filter(|_| !token.payload.contains_key("vc"));
    match end {
        Some(until) if now > until => Err(SignatureFault::Expired { until }),
        _ => Ok(()),
    }
}

/// The key that a header names: by URL, by value, or by its place in the issuer's document; without any, the only key of
/// the issuer that fits.
fn find_key(
    token: &Compact,
    iss: Option<&str>,
    named: Option<&str>,
    algorithm: Algorithm,
    supplies: &dyn Supplies,
) -> Result<Resolved, Unresolved> {
    let is_absolute = |kid: &str| kid.starts_with("did:") || kid.contains("://");
    match (token.key_id(), token.header.get("jwk"), iss) {
        (Some(kid), _, _) if is_absolute(kid) => resolve(kid, named, supplies),
        (_, Some(jwk), _) => match parse_jwk(jwk) {
            Ok(key) => Ok(spelled_in_full(key, named, supplies)),
            Err(fault) => Err(Unresolved::Key { fault, name: "in the token's header".to_owned() }),
        },
        (Some(kid), None, Some(iss)) => {
            resolve(&format!("{iss}#{}", kid.strip_prefix('#').unwrap_or(kid)), named, supplies)
        }
        (None, None, Some(iss)) => only_key(iss, algorithm, supplies),
        (_, None, None) => Err(Unresolved::Gap(SignatureGap::NoKey)),
    }
}

fn fails(what: &str) -> SignatureOutcome {
    SignatureOutcome::Fails(SignatureFault::Malformed { what: what.to_owned() })
}

#[cfg(test)]
mod tests;
