use serde_json::{Map, Value, json};
use testamur_core::{
    Hash, UnixSeconds,
    checked::{KeyOwner, Missing, SignatureFault, SignatureOutcome},
    digest::credential_hash,
};

use super::*;
use crate::{
    Have, Shelf,
    integrity::check_proof,
    jose::{Compact, check_token},
    keys::{parse_jwk, parse_multikey},
    opened::open,
};

const NOW: UnixSeconds = UnixSeconds(1_795_478_400);
const HERE: SignatureOutcome = SignatureOutcome::Holds(KeyOwner::Issuer { as_of: None, until: None });

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn credential(issuer: &str) -> Map<String, Value> {
    let credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
        "id": "urn:uuid:5c3b0a52-8b5c-4c53-9a3a-2b1f6f9f0f10",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": { "id": issuer, "type": ["Profile"], "name": "School" },
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2028-01-01T00:00:00Z",
        "credentialSubject": { "id": "did:example:learner", "type": ["AchievementSubject"] },
    });
    credential.as_object().expect("an object").clone()
}

fn object(members: &Map<String, Value>) -> Value {
    Value::Object(members.clone())
}

/// The key of RFC 8037, appendix A.
#[test]
fn a_public_key_is_written_as_its_specifications_say() {
    let mut seed = [0; 32];
    hex::decode_to_slice("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", &mut seed).expect("hex");
    let key = SigningKey::from_seed(&seed);
    assert_eq!(key.jwk()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(parse_jwk(&key.jwk()), Ok(key.public()));
    assert_eq!(parse_multikey(key.multikey()), Ok(key.public()));
    assert_eq!(key.did_method(), format!("{}#{}", key.did(), key.multikey()));
    let printed = format!("{key:?}");
    assert!(printed.contains(key.multikey()) && !printed.contains("9d61"), "{printed}");
}

#[test]
fn a_proof_of_ours_holds_beside_others_and_until_a_bit_changes() {
    let (key, created) = (key(), UnixSeconds(1_767_225_600));
    let mut credential = credential(&key.did());
    let signer = Signer { key: &key, method: &key.did_method() };
    let hash = credential_hash(&object(&credential));
    let proof = signer.prove_jcs(hash, credential.get("@context"), created);
    let signature = check_proof(&credential, &proof, &Shelf::default(), NOW);
    assert_eq!((signature.outcome, signature.created), (HERE, Some(created)));
    credential.insert("proof".to_owned(), json!([{ "cryptosuite": "merkle-anchor-jcs-2026" }, proof]));
    assert_eq!(check_proof(&credential, &proof, &Shelf::default(), NOW).outcome, HERE);
    assert_eq!(credential_hash(&object(&credential)), hash);
    credential.insert("name".to_owned(), json!("changed"));
    let altered = SignatureOutcome::Fails(SignatureFault::Altered);
    assert_eq!(check_proof(&credential, &proof, &Shelf::default(), NOW).outcome, altered);
}

#[test]
fn linked_data_is_signed_once_its_canonical_form_is_there() {
    let key = key();
    let credential = credential(&key.did());
    let signer = Signer { key: &key, method: &key.did_method() };
    let mut shelf = Shelf::default();
    assert_eq!(signer.prove_linked(&credential, NOW, &shelf), Have::NotYet);
    for (index, document) in shelf.take_wanted().canonical.iter().enumerate() {
        shelf.put_canonical(document, Ok(Hash([index as u8; 32])));
    }
    let Have::Yes(proof) = signer.prove_linked(&credential, NOW, &shelf) else { panic!("both are there") };
    assert_eq!(check_proof(&credential, &proof, &shelf, NOW).outcome, HERE);
    assert!(proof.get("@context").is_none());
    let undefined = Missing::NotCarried { what: "a context".to_owned(), help: None };
    shelf.put_canonical(&object(&credential), Err(undefined.clone()));
    assert_eq!(signer.prove_linked(&credential, NOW, &shelf), Have::No(undefined));
}

#[test]
fn a_token_is_the_credential_and_says_so_in_its_claims() {
    let key = key();
    let signed = credential(&key.did());
    let with_proof = [("proof".to_owned(), json!({}))].into_iter().chain(signed.clone()).collect();
    let token = Signer { key: &key, method: &key.did_method() }.vc_jwt(&with_proof, NOW);
    let compact = Compact::parse(&token).expect("a token");
    let header = json!({ "alg": "EdDSA", "typ": "vc+jwt", "cty": "vc", "kid": key.did_method() });
    assert_eq!(Value::Object(compact.header), header);
    for (claim, value) in [
        ("iss", json!(key.did())),
        ("jti", signed["id"].clone()),
        ("sub", json!("did:example:learner")),
        ("iat", json!(NOW.0)),
        ("nbf", json!(1_767_225_600)),
        ("exp", json!(1_830_297_600)),
    ] {
        assert_eq!(compact.payload[claim], value, "{claim}");
    }
    assert!(signed.iter().all(|(member, value)| compact.payload.get(member) == Some(value)));
    assert!(!compact.payload.contains_key("proof"));
    assert_eq!(check_token(&token, Some(&key.did()), &Shelf::default(), NOW).outcome, HERE);
    let opened = open(None, token.as_bytes(), None).expect("read as everybody's are");
    assert_eq!(opened.document.named_issuer(), Some(&key.did()[..]));
}

#[test]
fn a_suite_is_called_by_its_name() {
    for suite in Suite::ALL {
        assert_eq!(suite.to_string().parse(), Ok(suite));
        assert_eq!(json!(suite), json!(suite.name()));
    }
    assert!("RS256".parse::<Suite>().is_err_and(|told| told.contains("eddsa-jcs-2022")));
}
