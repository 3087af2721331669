//! Compact tokens (JWS, RFC 7515), and credentials as such (Securing Verifiable Credentials using JOSE and COSE; Open
//! Badges 3.0, 8.2).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use testamur_core::UnixSeconds;

use super::Signer;
use crate::integrity::named_issuer;

impl Signer<'_> {
    /// A token of this type (`typ`) with these claims.
    pub fn token(&self, typ: &str, claims: &Value) -> String {
        self.compact(&json!({ "alg": "EdDSA", "typ": typ, "kid": self.method }), claims)
    }

    /// A credential of the VC Data Model 2.0 as a token: its members are the claims, and the token is its only proof,
    /// so that a `proof` of its own is left out.
    ///
    /// Open Badges 3.0 wants what the credential says of issuer, id, subject and dates in the registered claims as well;
    /// `iat` says when it was signed.
    pub fn vc_jwt(&self, credential: &Map<String, Value>, created: UnixSeconds) -> String {
        let mut claims = credential.clone();
        claims.shift_remove("proof");
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(Value::from);
        let time = |member: &str| {
            let time = credential.get(member)?.as_str()?.parse::<UnixSeconds>();
            time.ok().map(|time| Value::from(time.0))
        };
        let registered = [
            ("iss", named_issuer(credential).map(Value::from)),
            ("jti", text(credential.get("id"))),
            ("sub", text(credential.get("credentialSubject").and_then(|subject| subject.get("id")))),
            ("iat", Some(Value::from(created.0))),
            ("nbf", time("validFrom")),
            ("exp", time("validUntil")),
        ];
        claims.extend(registered.into_iter().filter_map(|(claim, value)| Some((claim.to_owned(), value?))));
        let header = json!({ "alg": "EdDSA", "typ": "vc+jwt", "cty": "vc", "kid": self.method });
        self.compact(&header, &Value::Object(claims))
    }

    fn compact(&self, header: &Value, claims: &Value) -> String {
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let signature = self.key.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }
}
