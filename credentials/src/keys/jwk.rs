//! JSON Web Key (RFC 7517, 7518, 8037): public keys that sign.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{KeyFault, PublicKey};

/// Reads a JWK. One that is for something else than signatures, or that carries its private half, is refused.
pub fn parse_jwk(jwk: &Value) -> Result<PublicKey, KeyFault> {
    let text = |member: &str| jwk.get(member).and_then(Value::as_str);
    let bytes = |member: &str| {
        let decoded = text(member).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        decoded.ok_or(KeyFault::Malformed)
    };
    if jwk.get("d").is_some() || !signs(jwk) {
        return Err(KeyFault::Malformed);
    }
    let key = match (text("kty"), text("crv")) {
        (Some("OKP"), Some("Ed25519")) => PublicKey::ed25519(&bytes("x")?),
        (Some("EC"), Some("P-256")) => p256(&bytes("x")?, &bytes("y")?),
        (Some("RSA"), None) => PublicKey::rsa(&bytes("n")?, &bytes("e")?),
        (Some("OKP"), Some("Ed448")) => Err(KeyFault::Kind { kind: "Ed448" }),
        (Some("OKP"), Some("X25519")) => Err(KeyFault::Kind { kind: "X25519 (for key agreement only)" }),
        (Some("EC"), Some("P-384")) => Err(KeyFault::Kind { kind: "P-384" }),
        (Some("EC"), Some("secp256k1")) => Err(KeyFault::Kind { kind: "secp256k1" }),
        (Some("oct"), _) => Err(KeyFault::Kind { kind: "a shared secret" }),
        (Some(_), _) => Err(KeyFault::Kind { kind: "of an unknown kind" }),
        (None, _) => Err(KeyFault::Malformed),
    }?;
    let is_its_algorithm = |name: &str| name == key.algorithm().name() || (name, key.kind()) == ("Ed25519", "Ed25519");
    match jwk.get("alg") {
        Some(name) if !name.as_str().is_some_and(is_its_algorithm) => {
            Err(KeyFault::Kind { kind: "of another algorithm" })
        }
        _ => Ok(key),
    }
}

fn p256(x: &[u8], y: &[u8]) -> Result<PublicKey, KeyFault> {
    if (x.len(), y.len()) != (32, 32) {
        return Err(KeyFault::Malformed);
    }
    PublicKey::p256(&[&[4], x, y].concat())
}

/// `use` and `key_ops`, where they are stated, allow to check signatures.
fn signs(jwk: &Value) -> bool {
    let is_for_signatures = jwk.get("use").is_none_or(|purpose| purpose == "sig");
    let verifies = |ops: &Value| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify"));
    is_for_signatures && jwk.get("key_ops").is_none_or(verifies)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_jwk_says_what_it_is_for() {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik" });
        let with = |member: &str, value: Value| {
            let mut jwk = jwk.clone();
            jwk[member] = value;
            parse_jwk(&jwk).is_ok()
        };
        assert!(parse_jwk(&jwk).is_ok());
        assert!(with("use", json!("sig")) && with("alg", json!("EdDSA")) && with("alg", json!("Ed25519")));
        assert!(with("key_ops", json!(["verify"])));
        assert!(!with("use", json!("enc")) && !with("alg", json!("HS256")) && !with("alg", json!(null)));
        assert!(!with("key_ops", json!(["deriveBits"])));
        assert!(!with("d", json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")), "its private half is known to all");
        assert!(!with("x", json!("O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=")), "padded");
        assert!(!with("crv", json!("X25519")) && !with("kty", json!("oct")));
        assert!(parse_jwk(&json!("text")).is_err());
    }
}
