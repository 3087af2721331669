//! 1EdTech's files of Open Badges 2.0, served as their URLs say: each gives the verdict that its name says.

mod formats;

use std::fs;

use formats::{Desk, Told, corpus};
use serde_json::{Value, json};
use testamur_core::verify::CheckKind::{Anchor, Integrity, Issuer, Signature, Status, Validity};
use testamur_credentials::opened::Format;

const AT: &str = "https://example.org/beths-robotics-badge.json";

/// A verifier before whom `https://example.org` serves the corpus.
fn desk() -> Option<Desk> {
    let folder = corpus("open-badges-2/assets")?;
    let mut desk = Desk::default();
    for file in fs::read_dir(folder).expect("a folder") {
        let path = file.expect("a file").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        desk.serve(&format!("https://example.org/{name}"), &fs::read(&path).expect("readable"));
    }
    Some(desk)
}

fn file(name: &str) -> Vec<u8> {
    fs::read(corpus("open-badges-2").expect("a corpus").join(name)).expect("readable")
}

fn assertion() -> Value {
    serde_json::from_slice(&file("basic-assertion.json")).expect("JSON")
}

impl Desk {
    /// Verifies an assertion that its URL serves just so.
    fn hosted(&mut self, bytes: &[u8]) -> Told {
        self.serve(AT, bytes);
        self.verify(bytes)
    }

    fn hosted_with(&mut self, member: &str, value: Value) -> Told {
        let mut assertion = assertion();
        assertion[member] = value;
        self.hosted(assertion.to_string().as_bytes())
    }

    fn of_class(&mut self, class: &str) -> Told {
        self.hosted_with("badge", json!(format!("https://example.org/{class}.json")))
    }
}

#[test]
fn what_a_host_says_of_its_own_trouble_is_nothing_against_a_badge() {
    let Some(mut desk) = desk() else { return };
    desk.serve(AT, br#"{"error":"too many requests"}"#);
    desk.verify(&file("basic-assertion.json")).unverifiable(Signature, "no badge");
}

#[test]
fn a_hosted_assertion_is_what_its_url_serves() {
    let Some(mut desk) = desk() else { return };
    let told = desk.hosted(&file("basic-assertion.json")).valid();
    let opened = told.opened.expect("opened");
    assert_eq!(opened.document.named_issuer(), Some("https://example.org/organization.json"));
    assert_eq!(opened.credential().and_then(|c| c.get("validFrom")), Some(&json!("2016-12-31T23:59:59Z")));
    desk.hosted(&file("assertion-with-endorsements.json")).valid();
    // What is served decides, not what we were given.
    desk.serve(AT, &file("basic-assertion.json"));
    let mut altered = assertion();
    altered["recipient"]["identity"] = json!(format!("sha256${}", "0".repeat(64)));
    desk.verify(altered.to_string().as_bytes()).invalid(Signature, "changed");
}

#[test]
fn what_the_file_names_say() {
    let Some(mut desk) = desk() else { return };
    desk.hosted(&file("basic-assertion-expired.json")).invalid(Validity, "expired 2022-11-15");
    desk.hosted(&file("basic-assertion-invalid-type.json")).invalid(Integrity, "type");
    desk.of_class("badge-with-bad-issuer").invalid(Signature, "the issuer's profile (its id)");
    desk.of_class("badgeclass-with-language").valid();
    desk.of_class("badge-with-data-image").valid();
    desk.of_class("badgeclass-with-endorsements").valid();
    desk.of_class("altbadgeurl").valid();
    desk.of_class("badgecriteria").invalid(Signature, "the badge class's issuer");
    desk.of_class("badgeclass-with-verification").valid();
    desk.of_class("badgeclass-with-verification-valid-starts-with").valid();
    desk.of_class("badgeclass-with-verification-valid-multiple-starts-with").valid();
    for class in ["invalid-starts-with", "invalid-multiple-starts-with"] {
        desk.of_class(&format!("badgeclass-with-verification-{class}")).invalid(Signature, "signed by example.org");
    }
}

#[test]
fn an_issuer_of_another_host_lets_nobody_speak_for_it() {
    let Some(mut desk) = desk() else { return };
    let class = json!({"@context": "https://w3id.org/openbadges/v2", "type": "BadgeClass", "id": "https://evil.example/class",
        "name": "x", "issuer": "https://example.org/organization.json"});
    desk.serve_json("https://evil.example/class", &class);
    let mut forged = assertion();
    forged["id"] = json!("https://evil.example/assertion");
    forged["badge"] = json!("https://evil.example/class");
    desk.serve_json("https://evil.example/assertion", &forged);
    desk.verify(forged.to_string().as_bytes()).invalid(Signature, "evil.example");
    // A profile inside the badge class may say what it likes: the one at its URL counts.
    forged["badge"] = class.clone();
    forged["badge"]["issuer"] = json!({"type": "Profile", "id": "https://example.org/organization.json",
        "verification": {"allowedOrigins": ["evil.example"]}});
    desk.serve_json("https://evil.example/assertion", &forged);
    desk.verify(forged.to_string().as_bytes()).invalid(Signature, "evil.example");
}

#[test]
fn what_cannot_be_reached_is_not_told() {
    if corpus("open-badges-2").is_none() {
        return;
    }
    let told = Desk::default().verify(&file("basic-assertion.json")).unverifiable(Signature, "could not be reached");
    assert_eq!(told.opened.expect("opened").document.named_issuer(), Some("https://example.org"));
    Desk::default().verify(&file("simple.jwt")).unverifiable(Signature, "could not be reached");
}

#[test]
fn a_revoked_assertion_is_told_by_its_host() {
    let Some(mut desk) = desk() else { return };
    desk.serve_json(
        AT,
        &json!({"@context": "https://w3id.org/openbadges/v2", "type": "Assertion", "id": AT, "revoked": true}),
    );
    desk.verify(&file("basic-assertion.json")).invalid(Status, "revocation");
}

#[test]
fn a_signed_assertion_rests_on_a_key_that_the_issuer_lists() {
    let Some(mut desk) = desk() else { return };
    let told = desk.verify(&file("simple.jwt")).valid();
    assert_eq!(told.checked.signatures[0].suite, "Open Badges 2.0 signed");
    let token = String::from_utf8(file("simple.jwt")).expect("text");
    let mut signature = token.trim().to_owned();
    let last = signature.split_off(signature.len() - 4);
    desk.verify(format!("{signature}{}", if last == "AAAA" { "BBBB" } else { "AAAA" }).as_bytes())
        .invalid(Signature, "changed");
    // The same, with an issuer that lists no key, or another.
    let organization = json!({"@context": "https://w3id.org/openbadges/v2", "type": "Issuer",
        "id": "https://example.org/organization.json", "publicKey": ["http://example.org/key2.json"]});
    desk.serve_json("https://example.org/organization.json", &organization);
    desk.verify(token.as_bytes()).invalid(Signature, "does not list the key");
}

#[test]
fn a_signed_assertion_without_its_signature_proves_nothing() {
    let Some(mut desk) = desk() else { return };
    desk.hosted_with("verification", json!({"type": "signed", "creator": "http://example.org/key1.json"}))
        .unverifiable(Issuer, "no signature holds");
}

#[test]
fn baked_images_hold_the_same() {
    let Some(mut desk) = desk() else { return };
    let inside = json!({"@context": "https://w3id.org/openbadges/v2", "type": "Assertion", "id": AT,
        "recipient": assertion()["recipient"], "image": "https://example.org/beths-robot-badge.png",
        "issuedOn": "2016-12-31T23:59:59Z", "badge": "https://example.org/robotics-badge.json",
        "verification": {"type": "hosted"}});
    desk.serve_json(AT, &inside);
    let told = desk.verify(&file("simple-badge.png")).valid();
    let opened = told.opened.expect("opened");
    assert_eq!(opened.format, Format::Png);
    assert_eq!(
        opened.picture.expect("a picture").bytes,
        file("public_domain_heart.png"),
        "the picture is the one without"
    );
    let told = desk.verify(&file("public_domain_heart.png")).unverifiable(Anchor, "neither");
    assert_eq!(told.opened.expect("opened").format, Format::File);
}

#[test]
fn a_badge_of_1_0_is_hosted_as_well() {
    let Some(mut desk) = desk() else { return };
    desk.verify(&file("baked_heart.png")).unverifiable(Signature, "could not be reached");
    let assertion = json!({"uid": "123", "issuedOn": "2015-04-01", "badge": "http://example.org/badge1",
        "recipient": {"identity": "test@example.com", "hashed": false},
        "verify": {"type": "hosted", "url": "http://example.org/badgeinstance1"}});
    desk = self::desk().expect("a corpus");
    desk.serve_json("https://example.org/badgeinstance1", &assertion);
    desk.serve_json("https://example.org/badge1", &json!({"name": "x", "issuer": "http://example.org/issuer"}));
    desk.serve_json("https://example.org/issuer", &json!({"name": "x", "url": "http://example.org"}));
    desk.verify(&file("baked_heart.png")).valid();
    // The example of the SVG bakery names nobody: `identity` stands where 1.0 has `recipient`.
    desk.verify(&file("baked_example.svg")).invalid(Integrity, "recipient.identity");
}

#[test]
fn revocation_lists_name_assertions() {
    let Some(mut desk) = desk() else { return };
    let list = |url: &str| {
        json!({"@context": "https://w3id.org/openbadges/v2", "type": "Issuer", "id": "https://example.org/organization.json",
            "publicKey": "http://example.org/key1.json", "revocationList": url})
    };
    // The issuer of the signed file, with each of the corpus' lists.
    desk.serve_json("https://example.org/organization.json", &list("http://example.org/empty-revocation-list.json"));
    desk.verify(&file("simple.jwt")).valid();
    desk.serve_json("https://example.org/organization.json", &list("http://example.org/revocation-list.json"));
    desk.verify(&file("simple.jwt")).valid();
    desk.serve_json(
        "https://example.org/revocation-list.json",
        &json!({"type": "RevocationList", "revokedAssertions": [{"id": AT}]}),
    );
    desk.verify(&file("simple.jwt")).invalid(Status, "revocation");
    desk.serve_json("https://example.org/organization.json", &list("http://example.org/gone.json"));
    desk.verify(&file("simple.jwt")).unverifiable(Status, "could not be reached");
}
