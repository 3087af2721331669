use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;
use testamur_core::{Hash, checked::KeyOwner};

use super::*;
use crate::{Shelf, Supplied};

const NOW: UnixSeconds = UnixSeconds(1_767_225_600);
const HERE: SignatureOutcome = SignatureOutcome::Holds(KeyOwner::Issuer { as_of: None, until: None });
const ALTERED: SignatureOutcome = SignatureOutcome::Fails(SignatureFault::Altered);

fn secret() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn multikey() -> String {
    let bytes = [&[0xed, 0x01], secret().verifying_key().as_bytes().as_slice()].concat();
    format!("z{}", bs58::encode(bytes).into_string())
}

fn did() -> String {
    format!("did:key:{}", multikey())
}

fn credential() -> Map<String, Value> {
    object(json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://school.example/context"],
        "type": ["VerifiableCredential"],
        "issuer": { "id": did(), "name": "School" },
        "credentialSubject": { "id": "did:example:holder", "grade": 4.50 },
    }))
}

fn config(suite: &str) -> Map<String, Value> {
    object(json!({
        "type": "DataIntegrityProof",
        "cryptosuite": suite,
        "created": "2025-01-01T00:00:00Z",
        "verificationMethod": format!("{}#{}", did(), multikey()),
        "proofPurpose": "assertionMethod",
    }))
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn with(mut members: Map<String, Value>, member: &str, value: Value) -> Map<String, Value> {
    members.insert(member.to_owned(), value);
    members
}

fn signed(credential: &Map<String, Value>, config: Map<String, Value>) -> Value {
    let hashes = jcs_hashes(credential, &config).expect("hashes");
    signed_over(&hashes.to_sign(), config)
}

fn signed_over(message: &[u8], config: Map<String, Value>) -> Value {
    let value = bs58::encode(secret().sign(message).to_bytes()).into_string();
    Value::Object(with(config, "proofValue", json!(format!("z{value}"))))
}

fn check(credential: &Map<String, Value>, proof: &Value) -> SignatureOutcome {
    check_proof(credential, proof, &Shelf::default(), NOW).outcome
}

fn malformed(what: &str) -> SignatureOutcome {
    super::malformed(what)
}

#[test]
fn a_document_is_as_it_was_signed_or_it_is_not() {
    let credential = credential();
    let proof = signed(&credential, config("eddsa-jcs-2022"));
    let signature = check_proof(&credential, &proof, &Shelf::default(), NOW);
    assert_eq!(signature.suite, "eddsa-jcs-2022");
    assert_eq!(signature.created, Some(UnixSeconds(1_735_689_600)));
    assert_eq!(signature.outcome, HERE);
    let beside_other_proofs = with(credential.clone(), "proof", json!([proof, { "type": "Other" }]));
    assert_eq!(check(&beside_other_proofs, &proof), HERE, "proofs do not sign each other");
    for (member, value) in [
        ("credentialSubject", json!({ "id": "did:example:holder", "grade": 4.51 })),
        ("type", json!(["VerifiableCredential", "Other"])),
        ("name", json!("added")),
        ("@context", json!(["https://www.w3.org/ns/credentials/v2"])),
        ("issuer", json!("did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2")),
    ] {
        assert_eq!(check(&with(credential.clone(), member, value), &proof), ALTERED, "{member}");
    }
    for (member, value) in [("created", json!("2026-01-01T00:00:00Z")), ("nonce", json!("added"))] {
        assert_eq!(check(&credential, &Value::Object(with(object(proof.clone()), member, value))), ALTERED, "{member}");
    }
}

#[test]
fn the_configuration_goes_before_the_document() {
    let (credential, config) = (credential(), config("eddsa-jcs-2022"));
    let Hashes { config: first, document: second } = jcs_hashes(&credential, &config).expect("hashes");
    assert_eq!(
        check(&credential, &signed_over(&Hashes { config: first, document: second }.to_sign(), config.clone())),
        HERE
    );
    assert_eq!(
        check(&credential, &signed_over(&Hashes { config: second, document: first }.to_sign(), config)),
        ALTERED
    );
}

#[test]
fn contexts_may_be_added_behind_those_that_are_signed() {
    let credential = credential();
    let contexts = credential["@context"].clone();
    let proof = signed(&credential, with(config("eddsa-jcs-2022"), "@context", contexts.clone()));
    assert_eq!(check(&credential, &proof), HERE);
    let now_with = |contexts: Value| check(&with(credential.clone(), "@context", contexts), &proof);
    assert_eq!(now_with(json!([contexts[0], contexts[1], "https://later.example"])), HERE);
    let refused = malformed("proof.@context");
    assert_eq!(now_with(json!([contexts[1], contexts[0]])), refused);
    assert_eq!(now_with(json!([contexts[0]])), refused);
    let mut without = credential.clone();
    without.remove("@context");
    assert_eq!(check(&without, &proof), refused);
    let only = with(credential.clone(), "@context", contexts[0].clone());
    let proof = signed(&only, with(config("eddsa-jcs-2022"), "@context", contexts[0].clone()));
    assert_eq!(check(&credential, &proof), HERE, "one context is a list of one");
}

#[test]
fn a_proof_value_has_one_spelling() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let credential = credential();
    let proof = signed(&credential, config("eddsa-jcs-2022"));
    let bytes = decode_base58(proof["proofValue"].as_str().expect("text")).expect("base58");
    let digits = bs58::encode(&bytes).into_string();
    for spelling in [
        json!(digits),
        json!(format!("u{}", URL_SAFE_NO_PAD.encode(&bytes))),
        json!(format!("f{}", hex::encode(&bytes))),
        json!(format!("Z{digits}")),
        json!(format!("z{digits} ")),
        json!(format!("z{}", bs58::encode(&bytes[..63]).into_string())),
        json!(format!("z{}", bs58::encode([&bytes[..], &[0]].concat()).into_string())),
        json!("z"),
        json!(["z", digits]),
        json!(null),
        json!(format!("z{}", "1".repeat(1 << 20))),
    ] {
        let respelt = Value::Object(with(object(proof.clone()), "proofValue", spelling));
        assert_eq!(check(&credential, &respelt), malformed("proof.proofValue"));
    }
}

#[test]
fn a_proof_is_for_assertions_and_lasts_as_long_as_it_says() {
    let credential = credential();
    let outcome = |member: &str, value: Value| {
        check(&credential, &signed(&credential, with(config("eddsa-jcs-2022"), member, value)))
    };
    let authentication = SignatureFault::Purpose { found: "authentication".to_owned() };
    assert_eq!(outcome("proofPurpose", json!("authentication")), SignatureOutcome::Fails(authentication));
    assert_eq!(outcome("proofPurpose", json!(["assertionMethod"])), malformed("proof.proofPurpose"));
    let ended = SignatureFault::Expired { until: UnixSeconds(1_735_689_600) };
    assert_eq!(outcome("expires", json!("2025-01-01T00:00:00Z")), SignatureOutcome::Fails(ended));
    assert_eq!(outcome("expires", json!("2026-01-01T00:00:00Z")), HERE, "to its last second");
    assert_eq!(outcome("expires", json!("never")), malformed("proof.expires"));
    assert_eq!(outcome("created", json!("yesterday")), malformed("proof.created"));
    assert_eq!(outcome("created", json!("2030-01-01T00:00:00Z")), HERE, "the signer's clock decides nothing");
    assert_eq!(outcome("domain", json!("school.example")), HERE);
    assert_eq!(outcome("challenge", json!("abc")), HERE);
}

#[test]
fn what_is_no_suite_here_is_unknown() {
    let credential = credential();
    let proof = object(signed(&credential, config("eddsa-jcs-2022")));
    let suite =
        |member: &str, value: Value| match check(&credential, &Value::Object(with(proof.clone(), member, value))) {
            SignatureOutcome::Unknown(SignatureGap::Suite { suite }) => suite,
            other => panic!("{other:?}"),
        };
    assert_eq!(suite("cryptosuite", json!("bbs-2023")), "bbs-2023");
    assert_eq!(suite("cryptosuite", json!("Ed25519Signature2020")), "Ed25519Signature2020");
    assert_eq!(suite("previousProof", json!("urn:uuid:1")), "eddsa-jcs-2022 in a chain (previousProof)");
    assert!(suite("type", json!("Ed25519Signature2020")).contains("do not go together"));
    assert_eq!(check(&credential, &json!("text")), malformed("proof"));
    let mut anonymous = proof.clone();
    anonymous.remove("verificationMethod");
    assert_eq!(check(&credential, &Value::Object(anonymous)), SignatureOutcome::Unknown(SignatureGap::NoKey));
    let embedded = with(proof, "verificationMethod", json!({ "publicKeyMultibase": multikey() }));
    assert_eq!(check(&credential, &Value::Object(embedded)), malformed("proof.verificationMethod"));
}

#[test]
fn a_suite_goes_with_its_kind_of_key() {
    let credential = credential();
    let proof = object(signed(&credential, config("eddsa-jcs-2022")));
    let by = |suite: &str, key: &str| {
        let method = json!(format!("did:key:{key}#{key}"));
        let proof = with(with(proof.clone(), "cryptosuite", json!(suite)), "verificationMethod", method);
        check(&credential, &Value::Object(proof))
    };
    let algorithm = |found: &str, wanted: &str| {
        SignatureOutcome::Fails(SignatureFault::Algorithm { found: found.to_owned(), wanted: wanted.to_owned() })
    };
    assert_eq!(by("eddsa-jcs-2022", "zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP"), algorithm("EdDSA", "P-256"));
    assert_eq!(by("ecdsa-jcs-2019", &multikey()), algorithm("ES256", "Ed25519"));
    let agreement = "z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW";
    assert_eq!(by("eddsa-jcs-2022", agreement), algorithm("EdDSA", "X25519 (for key agreement only)"));
    let p384 = format!("z{}", bs58::encode([&[0x81, 0x24, 2][..], &[1; 48]].concat()).into_string());
    let suite = "ecdsa-jcs-2019 with P-384".to_owned();
    assert_eq!(by("ecdsa-jcs-2019", &p384), SignatureOutcome::Unknown(SignatureGap::Suite { suite }));
}

#[test]
fn whose_the_key_is_matters_once_the_signature_holds() {
    let other = "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
    let theirs = with(credential(), "issuer", json!(other));
    let proof = signed(&theirs, config("eddsa-jcs-2022"));
    let fault = SignatureFault::OtherOwner { owner: did(), named: other.to_owned() };
    assert_eq!(check(&theirs, &proof), SignatureOutcome::Fails(fault));
    let nameless = with(credential(), "issuer", json!("urn:uuid:1"));
    let proof = signed(&nameless, config("eddsa-jcs-2022"));
    assert_eq!(check(&nameless, &proof), SignatureOutcome::Holds(KeyOwner::Untied { owner: did() }));
}

#[test]
fn a_changed_document_is_false_though_its_issuers_host_is_down() {
    let school = "did:web:school.example";
    let honest = with(credential(), "issuer", json!(school));
    let method = json!(format!("{school}#{}", multikey()));
    let proof = signed(&honest, with(config("eddsa-jcs-2022"), "verificationMethod", method));
    let mut shelf = Shelf::default();
    let down = Missing::Unreachable { what: "its host".to_owned(), detail: "down".to_owned() };
    shelf.put_document("https://school.example/.well-known/did.json", Err(down.clone()));
    let check = |credential: &Map<String, Value>| check_proof(credential, &proof, &shelf, NOW).outcome;
    assert_eq!(check(&honest), SignatureOutcome::Holds(KeyOwner::Unproven(down)));
    assert_eq!(check(&with(honest.clone(), "name", json!("changed"))), ALTERED);
}

#[test]
fn linked_data_is_asked_for_with_the_documents_in_one_round() {
    let school = "did:web:school.example";
    let url = "https://school.example/.well-known/did.json";
    for suite in ["eddsa-rdfc-2022", "Ed25519Signature2020"] {
        let credential = with(credential(), "issuer", json!(school));
        let mut config = with(config(suite), "verificationMethod", json!(format!("{school}#key-1")));
        if suite == "Ed25519Signature2020" {
            config.insert("type".to_owned(), json!(suite));
            config.remove("cryptosuite");
        }
        let hashes = Hashes { config: Hash([1; 32]), document: Hash([2; 32]) };
        let proof = signed_over(&hashes.to_sign(), config.clone());
        let mut shelf = Shelf::default();
        let unknown = check_proof(&credential, &proof, &shelf, NOW).outcome;
        assert!(matches!(unknown, SignatureOutcome::Unknown(SignatureGap::Missing(Missing::NotAsked { .. }))));
        let wanted = shelf.take_wanted();
        assert_eq!(wanted.documents.into_iter().collect::<Vec<_>>(), [url]);
        let with_context = Value::Object(with(config, "@context", credential["@context"].clone()));
        assert_eq!(wanted.canonical, [Value::Object(credential.clone()), with_context.clone()]);

        let method = json!({ "id": "#key-1", "publicKeyMultibase": multikey() });
        let document = json!({ "id": school, "assertionMethod": [method] });
        shelf.put_document(url, Ok(Supplied { bytes: document.to_string().into_bytes().into(), as_of: NOW }));
        shelf.put_canonical(&wanted.canonical[0], Ok(hashes.document));
        shelf.put_canonical(&wanted.canonical[1], Ok(hashes.config));
        let listed = KeyOwner::Issuer { as_of: Some(NOW), until: None };
        assert_eq!(check_proof(&credential, &proof, &shelf, NOW).outcome, SignatureOutcome::Holds(listed));

        let context = Missing::NotCarried { what: "a context".to_owned(), help: None };
        shelf.put_canonical(&with_context, Err(context.clone()));
        let unknown = SignatureOutcome::Unknown(SignatureGap::Missing(context));
        assert_eq!(check_proof(&credential, &proof, &shelf, NOW).outcome, unknown);
        let theirs = with(credential, "issuer", json!("did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"));
        let not_theirs = check_proof(&theirs, &proof, &shelf, NOW).outcome;
        assert!(
            matches!(not_theirs, SignatureOutcome::Fails(SignatureFault::OtherOwner { .. })),
            "whatever was signed"
        );
    }
}
