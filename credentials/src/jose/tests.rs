use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;
use testamur_core::checked::{KeyOwner, Missing};

use super::*;
use crate::{Shelf, Supplied};

const NOW: UnixSeconds = UnixSeconds(1_767_225_600);
const SCHOOL: &str = "did:web:school.example";
const URL: &str = "https://school.example/.well-known/did.json";
const HERE: SignatureOutcome = SignatureOutcome::Holds(KeyOwner::Issuer { as_of: None, until: None });
const LISTED: SignatureOutcome = SignatureOutcome::Holds(KeyOwner::Issuer { as_of: Some(NOW), until: None });
const ALTERED: SignatureOutcome = SignatureOutcome::Fails(SignatureFault::Altered);

fn secret() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn jwk() -> Value {
    let x = URL_SAFE_NO_PAD.encode(secret().verifying_key().as_bytes());
    json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
}

fn did_jwk() -> String {
    format!("did:jwk:{}", URL_SAFE_NO_PAD.encode(jwk().to_string()))
}

fn token(header: &str, payload: &Value) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", part(header), part(&payload.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(secret().sign(signed.as_bytes()).to_bytes());
    format!("{signed}.{signature}")
}

fn shelf() -> Shelf {
    let method = json!({ "id": "#key-1", "type": "JsonWebKey", "controller": SCHOOL, "publicKeyJwk": jwk() });
    shelf_with(json!({ "id": SCHOOL, "assertionMethod": [method] }))
}

fn shelf_with(document: Value) -> Shelf {
    let mut shelf = Shelf::default();
    shelf.put_document(URL, Ok(Supplied { bytes: document.to_string().into_bytes().into(), as_of: NOW }));
    shelf
}

fn check(token: &str) -> SignatureOutcome {
    check_token(token, None, &shelf(), NOW).outcome
}

fn school() -> Value {
    json!({ "iss": SCHOOL, "iat": 1_767_000_000 })
}

#[test]
fn a_header_names_its_key_in_any_of_four_ways() {
    for header in [
        json!({ "alg": "EdDSA", "kid": format!("{SCHOOL}#key-1") }),
        json!({ "alg": "EdDSA", "kid": "#key-1" }),
        json!({ "alg": "EdDSA", "kid": "key-1" }),
        json!({ "alg": "Ed25519", "jwk": jwk() }),
        json!({ "alg": "EdDSA" }),
    ] {
        let signature = check_token(&token(&header.to_string(), &school()), None, &shelf(), NOW);
        assert_eq!(signature.outcome, LISTED, "{header}");
        assert_eq!(signature.created, Some(UnixSeconds(1_767_000_000)));
        assert_eq!(signature.method.as_deref(), header["kid"].as_str());
    }
    let signature = check_token(&token(r#"{"alg":"EdDSA"}"#, &school()), None, &shelf(), NOW);
    assert_eq!(signature.suite, "JWT EdDSA");
}

#[test]
fn a_changed_part_is_noticed() {
    let good = token(r#"{"alg":"EdDSA"}"#, &school());
    let parts: Vec<_> = good.split('.').collect();
    let changed = URL_SAFE_NO_PAD.encode(json!({ "iss": SCHOOL, "iat": 1_767_000_000, "sub": "me" }).to_string());
    assert_eq!(check(&format!("{}.{changed}.{}", parts[0], parts[2])), ALTERED);
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT"}"#);
    assert_eq!(check(&format!("{header}.{}.{}", parts[1], parts[2])), ALTERED);
}

#[test]
fn what_is_no_signature_is_false() {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    for name in ["none", "NONE", "HS256", "HS512"] {
        let unsigned = format!("{}.{}.", part(&json!({ "alg": name }).to_string()), part(&school().to_string()));
        let signed = token(&json!({ "alg": name, "kid": "#key-1" }).to_string(), &school());
        for token in [unsigned, signed] {
            let outcome = check(&token);
            let SignatureOutcome::Fails(SignatureFault::Algorithm { found, .. }) = &outcome else {
                panic!("{outcome:?}")
            };
            assert_eq!(found, name);
        }
    }
    let empty = format!("{}.{}.", part(r#"{"alg":"EdDSA"}"#), part(&school().to_string()));
    assert_eq!(check(&empty), ALTERED);
}

#[test]
fn an_algorithm_is_the_keys_or_nobodys() {
    let confused = |alg: &str| check(&token(&json!({ "alg": alg, "kid": "#key-1" }).to_string(), &school()));
    for alg in ["RS256", "ES256"] {
        let fault = SignatureFault::Algorithm { found: alg.to_owned(), wanted: "Ed25519".to_owned() };
        assert_eq!(confused(alg), SignatureOutcome::Fails(fault));
    }
    let shared = json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(secret().verifying_key().as_bytes()) });
    let header = json!({ "alg": "EdDSA", "jwk": shared }).to_string();
    let fault = SignatureFault::Algorithm { found: "EdDSA".to_owned(), wanted: "a shared secret".to_owned() };
    assert_eq!(check(&token(&header, &school())), SignatureOutcome::Fails(fault));
    for alg in ["PS256", "ES384", "ES256K"] {
        let suite = format!("JWT {alg}");
        assert_eq!(confused(alg), SignatureOutcome::Unknown(SignatureGap::Suite { suite }));
    }
}

#[test]
fn a_token_has_one_reading() {
    let good = token(r#"{"alg":"EdDSA"}"#, &school());
    let header = |header: &str| check(&token(header, &school()));
    let is_malformed =
        |outcome: SignatureOutcome| matches!(outcome, SignatureOutcome::Fails(SignatureFault::Malformed { .. }));
    for (what, token) in [
        ("padded", format!("{good}=")),
        ("four parts", format!("{good}.e30")),
        ("two parts", good.rsplit_once('.').expect("parts").0.to_owned()),
        ("white space", format!("{good} ")),
        ("another alphabet", format!("{}+/", &good[..good.len() - 2])),
        ("bits behind the last byte", format!("e30.e31.{}", good.rsplit_once('.').expect("parts").1)),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
    ] {
        assert!(is_malformed(check(&token)), "{what}");
    }
    assert!(is_malformed(header(r#"{"alg":"none","alg":"EdDSA"}"#)));
    assert!(is_malformed(header(r#"{"alg":"EdDSA","\u0061lg":"none"}"#)));
    assert!(is_malformed(header(r#"["EdDSA"]"#)));
    assert!(is_malformed(header(r#"{"typ":"JWT"}"#)));
    assert!(is_malformed(header(r#"{"alg":"EdDSA","b64":false}"#)));
    let critical = header(r#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#);
    assert!(matches!(critical, SignatureOutcome::Unknown(SignatureGap::Suite { .. })));
    let twice = URL_SAFE_NO_PAD.encode(format!(r#"{{"iss":"{SCHOOL}","iss":"did:web:other.example"}}"#));
    assert!(is_malformed(check(&format!("{}.{twice}.AA", URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA"}"#)))));
    let deep = URL_SAFE_NO_PAD.encode("[".repeat(10_000));
    assert!(is_malformed(check(&format!("{deep}.{deep}.AA"))));
}

#[test]
fn a_key_of_another_name_does_not_sign_for_the_issuer() {
    let header = json!({ "alg": "EdDSA", "kid": format!("{}#0", did_jwk()) }).to_string();
    assert_eq!(check(&token(&header, &json!({ "iss": did_jwk() }))), HERE);
    let mine = token(&header, &json!({ "iss": "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2" }));
    assert!(matches!(check(&mine), SignatureOutcome::Fails(SignatureFault::OtherOwner { .. })));
    // It says that it is its own, and carries a credential of the school.
    let signature = check_token(
        &token(&header, &json!({ "iss": did_jwk() })),
        Some(SCHOOL),
        &shelf_with(json!({ "id": SCHOOL })),
        NOW,
    );
    let fault = SignatureFault::OtherOwner { owner: did_jwk(), named: SCHOOL.to_owned() };
    assert_eq!(signature.outcome, SignatureOutcome::Fails(fault));
}

#[test]
fn a_key_that_only_the_header_spells_is_the_issuers_if_the_issuer_says_so() {
    let header = json!({ "alg": "EdDSA", "jwk": jwk() }).to_string();
    let by = |iss: &str, shelf: &Shelf| check_token(&token(&header, &json!({ "iss": iss })), None, shelf, NOW).outcome;
    assert_eq!(by(&did_jwk(), &shelf()), HERE);
    assert!(matches!(by("urn:uuid:1", &shelf()), SignatureOutcome::Holds(KeyOwner::Untied { .. })));
    let empty = shelf_with(json!({ "id": SCHOOL, "assertionMethod": [] }));
    assert!(matches!(by(SCHOOL, &empty), SignatureOutcome::Fails(SignatureFault::OtherOwner { .. })));
    let unasked = Missing::NotAsked { what: URL.to_owned() };
    assert_eq!(by(SCHOOL, &Shelf::default()), SignatureOutcome::Holds(KeyOwner::Unproven(unasked)));
    let nobodys = token(&header, &json!({}));
    assert!(matches!(check(&nobodys), SignatureOutcome::Holds(KeyOwner::Untied { .. })));
    assert_eq!(check(&token(r#"{"alg":"EdDSA"}"#, &json!({}))), SignatureOutcome::Unknown(SignatureGap::NoKey));
}

#[test]
fn a_token_ends_when_it_says_so_unless_it_repeats_its_credential() {
    let ended = |payload: Value| check(&token(r#"{"alg":"EdDSA"}"#, &payload));
    let fault = SignatureFault::Expired { until: UnixSeconds(1_767_225_599) };
    assert_eq!(ended(json!({ "iss": SCHOOL, "exp": 1_767_225_599 })), SignatureOutcome::Fails(fault));
    assert_eq!(ended(json!({ "iss": SCHOOL, "exp": 1_767_225_600.5 })), LISTED);
    assert_eq!(ended(json!({ "iss": SCHOOL, "exp": 1_767_225_599, "vc": {} })), LISTED);
    assert!(matches!(
        ended(json!({ "iss": SCHOOL, "exp": "soon" })),
        SignatureOutcome::Fails(SignatureFault::Malformed { .. })
    ));
    assert!(matches!(
        ended(json!({ "iss": SCHOOL, "exp": -1 })),
        SignatureOutcome::Fails(SignatureFault::Malformed { .. })
    ));
}

#[test]
fn es256_is_checked_as_r_and_s() {
    use p256::ecdsa::{Signature, SigningKey};
    let secret = SigningKey::from_slice(&[5; 32]).expect("a scalar");
    let point = secret.verifying_key().to_sec1_point(false);
    let coordinate = |bytes: Option<&[u8]>| URL_SAFE_NO_PAD.encode(bytes.expect("a coordinate"));
    let (x, y) = (coordinate(point.x().map(|x| &x[..])), coordinate(point.y().map(|y| &y[..])));
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "alg": "ES256" });
    let iss = format!("did:jwk:{}", URL_SAFE_NO_PAD.encode(jwk.to_string()));
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed =
        format!("{}.{}", part(json!({ "alg": "ES256", "kid": format!("{iss}#0") })), part(json!({ "iss": iss })));
    let signature: Signature = secret.sign(signed.as_bytes());
    assert_eq!(check(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))), HERE);
    assert_eq!(check(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_der().as_bytes()))), ALTERED);
}
