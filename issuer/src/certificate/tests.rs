//! Certificates, made and taken apart.

use std::{io::Write, process::Command};

use base64::{Engine, prelude::BASE64_STANDARD};
use proptest::prelude::*;
use serde_json::{Value, json};
use testamur_credentials::{attached, baked};

use super::*;

const LINK: &str = "https://badges.university.example/c/AbCdEfGhIjKlMnOpQrStUv#AbCdEfGhIjKlMnOpQrStUv";
const DISC: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><circle cx="32" cy="32" r="30" fill="#2e7d32"/></svg>"##;

fn svg(text: &str) -> String {
    format!("data:image/svg+xml;base64,{}", BASE64_STANDARD.encode(text))
}

fn credential(name: &str, image: &str) -> Value {
    json!({
        "@context": crate::credential::CONTEXTS,
        "id": "urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": { "id": "did:web:university.example", "type": ["Profile"], "name": "Example University" },
        "validFrom": "2026-06-30T10:00:00Z",
        "validUntil": "2031-06-30T23:59:59Z",
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [{ "type": "IdentityObject", "identityType": "name", "hashed": false, "identityHash": name }],
            "creditsEarned": 6,
            "achievement": {
                "id": "urn:a", "type": ["Achievement"], "name": "Field Botany", "description": "Knows plants.",
                "criteria": { "narrative": "* Forty species\n* **One** herbarium" },
                "image": { "id": image, "type": "Image" },
            },
        },
    })
}

fn made(credential: &Value, language: Language) -> Certificate {
    pdf(credential.to_string().as_bytes(), LINK, language, Fonts::built_in()).unwrap()
}

/// What another program makes of a PDF; `None`, loudly, where it is not installed.
fn told(test: &str, program: &str, arguments: &[&str], pdf: &[u8]) -> Option<String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(pdf).unwrap();
    let mut command = Command::new(program);
    let path = file.path().to_str().unwrap();
    let Ok(output) = command.args(arguments.iter().map(|a| if *a == "FILE" { path } else { *a })).output() else {
        eprintln!("SKIPPED {test}: {program} is not installed (apt-get install poppler-utils qpdf)");
        return None;
    };
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_credential_is_attached_byte_by_byte() {
    let text = credential("Ada Lovelace", &svg(DISC)).to_string();
    let certificate = pdf(text.as_bytes(), LINK, Language::English, Fonts::built_in()).unwrap();
    assert_eq!(certificate.notes, []);
    assert_eq!(certificate.file_name, "ada-lovelace-field-botany.pdf");
    assert_eq!(attached::credential(&certificate.pdf), Ok(Some(text.clone().into_bytes())));
    assert_eq!(
        pdf(text.as_bytes(), LINK, Language::English, Fonts::built_in()).unwrap(),
        certificate,
        "the same again"
    );
}

#[test]
fn other_readers_take_it() {
    const NAME: &str = "other_readers_take_it";
    let certificate = made(&credential("Íñigo Núñez", &svg(DISC)), Language::Spanish).pdf;
    if let Some(text) = told(NAME, "pdftotext", &["FILE", "-"], &certificate) {
        for line in ["CERTIFICADO", "Íñigo Núñez", "30 de junio de 2026", "30 de junio de 2031", "Field Botany", LINK]
        {
            assert!(text.lines().any(|found| found.contains(line)), "{line} in {text}");
        }
        assert!(text.contains("Forty species One herbarium"), "{text}");
    }
    if let Some(info) = told(NAME, "pdfinfo", &["FILE"], &certificate) {
        let says = |key: &str, value: &str| info.lines().any(|line| line.starts_with(key) && line.ends_with(value));
        assert!(says("Title:", "Field Botany: Íñigo Núñez") && says("Tagged:", "yes") && says("Pages:", "1"), "{info}");
        assert!(says("CreationDate:", "2026 UTC") || info.contains("2026"), "{info}");
    }
    if let Some(list) = told(NAME, "pdfdetach", &["-list", "FILE"], &certificate) {
        assert!(list.contains("credential.json"), "{list}");
    }
    _ = told(NAME, "qpdf", &["--check", "FILE"], &certificate);
    // The standards that it claims stand in its metadata in plain text.
    let text = String::from_utf8_lossy(&certificate);
    assert!(text.contains("<pdfaid:part>3</pdfaid:part>") && text.contains("<pdfuaid:part>1</pdfuaid:part>"));
    assert!(text.contains("/AFRelationship/Data") || text.contains("/AFRelationship /Data"));
}

#[test]
fn hostile_texts_stay_texts() {
    let piled = format!("Z{}", "\u{301}\u{327}".repeat(200));
    for name in [
        "</text></svg><script>alert(1)</script>",
        "\u{202e}evoL\u{2066} \u{200b}\u{feff}",
        "&lt;&#x41;&amp; ]]> <!-- %PDF-1.7 endstream",
        &"W".repeat(10_000),
        &"ab ".repeat(10_000),
        &piled,
        "محمد العربي שלום Ωμέγα Ѝ",
        "a\u{0}b\u{7f}\u{85}\u{2028}c\u{fffe}\u{e000}",
        "👩‍👩‍👧‍👦 🏳️‍🌈",
        "\u{200d}\u{200c}",
    ] {
        let mut document = credential(name, &svg(DISC));
        for place in
            ["/issuer/name", "/credentialSubject/achievement/name", "/credentialSubject/achievement/description"]
        {
            *document.pointer_mut(place).unwrap() = json!(format!("x{name}"));
        }
        document["credentialSubject"]["licenseNumber"] = json!(name);
        let certificate = made(&document, Language::English);
        let pages = told("hostile_texts_stay_texts", "pdfinfo", &["FILE"], &certificate.pdf);
        assert!(pages.is_none_or(|info| info.contains("Pages:           1")), "{name:?}");
        assert!(certificate.file_name.len() < 400 && !certificate.file_name.contains(['/', '\\', '\0', '\u{202e}']));
    }
}

#[test]
fn what_is_not_shown_is_told() {
    let certificate = made(&credential("李小龙", "https://elsewhere.example/a.png"), Language::English);
    let notes: Vec<_> = certificate.notes.iter().map(ToString::to_string).collect();
    assert!(notes[0].starts_with("the achievement's picture is left out: it stands elsewhere"), "{notes:?}");
    assert!(notes[1].contains("小 (U+5C0F)"), "{notes:?}");
    for bad in [
        svg("<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
        svg("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"),
        svg("<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd' width='9' height='9'/></svg>"),
        "data:image/png;base64,iVBORw0KGgo=".to_owned(),
        "data:image/jpeg;base64,/9j/4AAQ".to_owned(),
        "data:text/html,hello".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let notes = made(&credential("Ada", &bad), Language::English).notes;
        assert!(matches!(notes[..], [Note::NoPicture { whose: "achievement", .. }]), "{bad}: {notes:?}");
    }
}

#[test]
fn what_cannot_be_a_certificate_is_refused() {
    let ada = credential("Ada", "").to_string();
    let refused = |bytes: &[u8], link: &str| pdf(bytes, link, Language::English, Fonts::built_in()).unwrap_err();
    for link in ["", "javascript:alert(1)", "https://", "https://a b", "https://a\n", "ftp://a.example"] {
        assert!(matches!(refused(ada.as_bytes(), link), Fault::Link), "{link}");
    }
    let long = format!("https://a.example/#{}", "x".repeat(MAX_LINK));
    assert!(matches!(refused(ada.as_bytes(), &long), Fault::LongLink { .. }));
    assert!(matches!(refused(b"%PDF-1.7", LINK), Fault::NoCredential));
    assert!(matches!(refused(b"{\"a\":1,\"a\":2}", LINK), Fault::Refused(_)));
    assert!(matches!(refused(b"{}", LINK), Fault::Nothing("credentialSubject") | Fault::Refused(_)));
}

#[test]
fn a_picture_carries_the_credential() {
    let pixel = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    for image in [svg(DISC), pixel.to_owned()] {
        let text = credential("Ada", &image).to_string();
        for (kind, media_type) in [(Kind::Png, "image/png"), (Kind::Svg, "image/svg+xml")] {
            let badge = badge(text.as_bytes(), kind).unwrap();
            let (_, found) = baked::unbake(&badge).unwrap().unwrap();
            assert_eq!(
                serde_json::from_str::<Value>(&found.text).unwrap(),
                serde_json::from_str::<Value>(&text).unwrap()
            );
            assert_eq!(found.picture.media_type, media_type);
        }
    }
    let elsewhere = credential("Ada", "https://elsewhere.example/a.png").to_string();
    assert!(matches!(badge(elsewhere.as_bytes(), Kind::Png), Err(Fault::Picture(PictureFault::Elsewhere))));
}

#[test]
fn a_preview_shows_the_chosen_lines_only() {
    let lines = |name: Option<&str>| Lines {
        achievement: Some("Field Botany".to_owned()),
        name: name.map(str::to_owned),
        ..Lines::default()
    };
    let drawn = |lines: &Lines| preview(lines, Language::English, Fonts::built_in()).unwrap();
    let size = imagesize::blob_size(&drawn(&lines(None)).png).unwrap();
    assert_eq!((size.width, size.height), (1200, 630));
    assert_ne!(drawn(&lines(None)).png, drawn(&lines(Some("Ada"))).png);
    assert_eq!(drawn(&lines(Some("\u{200b}"))), drawn(&lines(None)), "nothing is nothing");
    assert_eq!(drawn(&lines(Some("李"))).notes.len(), 1);
    assert!(serde_json::from_value::<Lines>(json!({ "email": "a@b.example" })).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_name_is_printed(name in "\\PC{0,60}", issuer: String) {
        let mut document = credential(&name, "");
        document["issuer"]["name"] = json!(issuer);
        let certificate = made(&document, Language::Spanish);
        prop_assert!(attached::credential(&certificate.pdf).unwrap().is_some());
    }
}
