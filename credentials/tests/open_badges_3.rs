//! 1EdTech's files of Open Badges 3.0, with the documents that their hosts would serve for the keys that they spell.

mod formats;

use std::fs;

use formats::{Desk, Told, corpus};
use serde_json::{Value, json};
use testamur_core::verify::CheckKind::{Anchor, Issuer, Signature, Status, Validity};
use testamur_credentials::opened::Format;

/// The keys of the corpus' issuers, as they spell them.
const KEYS: [(&str, &str); 5] = [
    ("https://example.com/issuers/876543", "z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi"),
    ("https://example.com/issuers/876543", "z6MkrvfzkMnvCroEUP2DVc9SHPE48CRsvHiVSusHioxTYu1x"),
    ("https://example.com/issuers/876543", "z6MknNHHrBzPytzu6CUBP9Lg7fg4KSBjzimc2Frh693YbMiv"),
    ("https://1edtech.edu/issuers/565049", "z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi"),
    ("https://1edtech.edu/issuers/565049", "z6Mknyb2Gb4NxzW3xSr9ChTtdQZ1zs77piQ3r9SaJ9vMzmrs"),
];

fn file(name: &str) -> Option<Vec<u8>> {
    Some(fs::read(corpus("open-badges-3")?.join(name)).expect("readable"))
}

fn desk() -> Desk {
    let mut desk = Desk::default();
    for owner in ["https://example.com/issuers/876543", "https://1edtech.edu/issuers/565049"] {
        let methods: Vec<_> = KEYS.iter().filter(|(of, _)| *of == owner).map(|(_, key)| {
            json!({"id": format!("{owner}#{key}"), "type": "Multikey", "controller": owner, "publicKeyMultibase": key})
        }).collect();
        let listed: Vec<_> = methods.iter().map(|method| method["id"].clone()).collect();
        desk.serve_json(owner, &json!({"id": owner, "verificationMethod": methods, "assertionMethod": listed}));
    }
    desk
}

fn told(name: &str) -> Option<Told> {
    Some(desk().verify_named(name, &file(name)?))
}

#[test]
fn what_the_file_names_say() {
    if corpus("open-badges-3").is_none() {
        return;
    }
    let told = |name| told(name).expect("a corpus");
    for name in ["simple.json", "simple_v1.json", "simple-did-web-method.json", "simple-json.png", "simple-json.svg"] {
        eprintln!("{name}");
        told(name).valid();
    }
    told("simple-multiple-proofs.json").valid();
    told("simple-err-expired.json").invalid(Validity, "expired 2010-01-01");
    told("simple-err-proof-value.json").invalid(Signature, "changed");
    told("simple-noproof.json").unverifiable(Anchor, "neither an anchor nor a signature");
    told("simple-did-key-method.json").unverifiable(Issuer, "nothing ties that to urn:uuid:");
    // Its key stands on no document that is at hand; that it has ended is told all the same.
    Desk::default().verify(&file("complete_v1.json").expect("a corpus")).invalid(Validity, "expired 2020-01-01");
}

#[test]
fn baked_pictures_come_out_as_they_were() {
    let Some(png) = file("simple-json.png") else { return };
    let opened = desk().verify(&png).opened.expect("opened");
    assert_eq!(opened.format, Format::Png);
    let picture = opened.picture.expect("a picture");
    assert_eq!(picture.bytes.len(), png.len() - 1389 - 12);
    let opened = desk().verify(&file("simple-json.svg").expect("a corpus")).opened.expect("opened");
    let picture = String::from_utf8(opened.picture.expect("a picture").bytes).expect("text");
    assert!(
        opened.format == Format::Svg
            && !picture.contains("openbadges:credential")
            && picture.trim().ends_with("</svg>")
    );
}

#[test]
fn a_tampered_file_is_invalid_and_an_honest_one_unverifiable_while_its_host_is_down() {
    let (Some(honest), Some(tampered)) = (file("simple.json"), file("simple-err-proof-value.json")) else { return };
    Desk::default().verify(&honest).unverifiable(Issuer, "could not be reached");
    Desk::default().verify(&tampered).invalid(Signature, "changed");
}

#[test]
fn tokens() {
    let Some(token) = file("simple.jwt") else { return };
    // Its header names no key, and nobody knows which was meant.
    let told = desk().verify(&token).unverifiable(Signature, "");
    assert_eq!(told.opened.expect("opened").document.named_issuer(), Some("https://example.edu/issuers/565049"));
    let png = file("simple-jwt.png").expect("a corpus");
    let issuer = "https://1edtech.edu/issuers/565049";
    let told = Desk::default().verify(&png).unverifiable(Issuer, "could not be reached");
    assert_eq!(told.opened.expect("opened").format, Format::Png);
    let mut desk = Desk::default();
    desk.serve_key(issuer, issuer, json!({"type": "JsonWebKey", "publicKeyJwk": jwk(&png)}));
    desk.verify(&png).valid();
    let mut other = desk.serve_key_of_another(issuer);
    other.verify(&png).invalid(Signature, "not by the issuer https://1edtech.edu");
}

impl Desk {
    fn serve_key_of_another(mut self, issuer: &str) -> Self {
        self.serve_key(issuer, issuer, json!({"publicKeyMultibase": KEYS[0].1}));
        self
    }
}

/// The key in the header of the token in an image.
fn jwk(png: &[u8]) -> Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let text = String::from_utf8_lossy(png);
    let header = &text[text.find("eyJ").expect("a token")..];
    let header = URL_SAFE_NO_PAD.decode(&header[..header.find('.').expect("a token")]).expect("base64url");
    serde_json::from_slice::<Value>(&header).expect("JSON")["jwk"].clone()
}

#[test]
fn a_revocation_list_of_names() {
    let Some(bytes) = file("credential-status-revoked.json") else { return };
    let credential: Value = serde_json::from_slice(&bytes).expect("JSON");
    let (issuer, id) = (credential["issuer"]["id"].as_str().expect("a DID"), &credential["id"]);
    let at =
        "https://dc.1edtech.org/wellspring2022/wellspring-portal/org/da1e96e9-afcc-4eed-b9a2-2ddf7353214c/did.json";
    let list = credential["credentialStatus"]["id"].as_str().expect("a URL");
    let mut desk = Desk::default();
    desk.serve_key(at, issuer, json!({"publicKeyMultibase": KEYS[0].1}));
    desk.serve_json(list, &json!({"id": list, "issuer": issuer, "revokedCredentials": [{"id": id, "revoked": true}]}));
    desk.verify(&bytes).invalid(Status, "revocation: set by the issuer");
    desk.serve_json(list, &json!({"id": list, "issuer": issuer, "revokedCredentials": [{"id": "urn:uuid:other"}]}));
    desk.verify(&bytes).valid();
    desk.serve_json(list, &json!({"id": list, "issuer": "https://evil.example", "revokedCredentials": []}));
    desk.verify(&bytes).unverifiable(Status, "evil.example");
    desk.serve(list, b"<html>");
    desk.verify(&bytes).unverifiable(Status, "not what its entry asks for");
}

#[test]
fn a_complete_one() {
    let Some(bytes) = file("complete.json") else { return };
    let list = "https://1edtech.edu/credentials/3732/revocations";
    let mut desk = desk();
    desk.verify(&bytes).unverifiable(Status, "could not be reached");
    desk.serve_json(
        list,
        &json!({"id": list, "issuer": "https://1edtech.edu/issuers/565049", "revokedCredentials": []}),
    );
    desk.verify(&bytes).valid();
    let mut changed: Value = serde_json::from_slice(&bytes).expect("JSON");
    changed["credentialSubject"]["achievement"]["name"] = json!("Doctor of everything");
    desk.verify(changed.to_string().as_bytes()).invalid(Signature, "changed");
}
