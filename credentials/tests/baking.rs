//! Baking: what is written is read again, by ourselves here and by other people's packages in the crate `tests`.

mod formats;

use std::{fs, path::PathBuf};

use formats::{Desk, corpus, signer::Signer};
use proptest::prelude::*;
use serde_json::{Value, json};
use testamur_credentials::{
    baked::{Fault, MAX_IMAGE, MAX_TEXT, bake, unbake},
    opened::Format,
};

const SVG: &str = r#"<svg xmlns="http://www.w3.org/2000/svg"><rect width="1" height="1"/></svg>"#;
const NAMESPACE: &str = "https://purl.imsglobal.org/ob/v3p0";

/// All images of the corpora, baked or not.
fn images() -> Vec<(PathBuf, Vec<u8>)> {
    let folders = ["open-badges-2", "open-badges-2/assets", "open-badges-3"].into_iter().filter_map(corpus);
    let files =
        folders.flat_map(|folder| fs::read_dir(folder).expect("a folder")).map(|file| file.expect("a file").path());
    let is_image = |path: &PathBuf| path.extension().is_some_and(|end| end == "png" || end == "svg");
    let mut images: Vec<_> =
        files.filter(is_image).map(|path| (path.clone(), fs::read(path).expect("readable"))).collect();
    images.push((PathBuf::from("made here.svg"), SVG.into()));
    images.push((PathBuf::from("made here.png"), png(&[(b"IDAT", &[])])));
    images
}

/// A PNG of one black pixel, with these chunks between header and end.
fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let header: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0];
    let all = [(b"IHDR", header)].into_iter().chain(chunks.iter().copied()).chain([(b"IEND", &[][..])]);
    all.fold(b"\x89PNG\r\n\x1a\n".to_vec(), |image, (kind, data)| [image, chunk(kind, data)].concat())
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(&[kind, data].concat());
    [&(data.len() as u32).to_be_bytes()[..], kind, data, &crc.sum().to_be_bytes()].concat()
}

fn unbaked(image: &[u8]) -> (Format, String, Vec<u8>) {
    let (format, baked) = unbake(image).expect("whole").expect("baked");
    (format, baked.text, baked.picture.bytes)
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_badge_is_valid_out_of_every_image() {
    let signer = Signer::new(7);
    let badge = json!({ "@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"],
        "name": "Zo\u{eb} ]]> & \u{ffff} <script>", "credentialSubject": { "name": "\u{1f393}" } });
    let signed = signer.sign(badge.clone());
    let token = signer.token(
        "vc+jwt",
        &json!({ "@context": badge["@context"], "type": badge["type"], "issuer": signer.did,
        "credentialSubject": {} }),
    );
    for (path, image) in images() {
        let baked = bake(&image, &signed.to_string()).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
        assert_eq!(parsed(&unbaked(&baked).1), signed, "{}", path.display());
        Desk::default().verify(&baked).valid();
        // Another in the place of that one.
        let again = bake(&baked, &format!(" {token}\n")).expect("baked again");
        assert_eq!(unbaked(&again).1, token);
        assert_eq!(unbaked(&again).2, unbaked(&baked).2, "the picture stays: {}", path.display());
        Desk::default().verify(&again).valid();
        assert_eq!(bake(&again, &signed.to_string()), Ok(baked), "{}", path.display());
    }
}

#[test]
fn an_image_stands_as_the_standard_has_it() {
    let image = png(&[(b"tEXt", b"Title\0x"), (b"IDAT", &[1]), (b"IDAT", &[2])]);
    let text = chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0{}");
    assert_eq!(bake(&image, "{}"), Ok([&image[..33], &text, &image[33..]].concat()));
    assert_eq!(bake(&[&image[..], b"rest"].concat(), "{}"), bake(&image, "{}"), "nothing hides behind the end");

    let baked =
        |image: &str, text: &str| String::from_utf8(bake(image.as_bytes(), text).expect("baked")).expect("text");
    let declared = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="{NAMESPACE}">"#);
    let element = "<openbadges:credential><![CDATA[{}]]></openbadges:credential>";
    assert_eq!(baked(SVG, "{}"), format!(r#"{declared}{element}<rect width="1" height="1"/></svg>"#));
    assert_eq!(baked(&format!("\u{feff}{declared}</svg>"), "{}"), format!("{declared}{element}</svg>"));
    assert_eq!(baked(r#"<svg xmlns="http://www.w3.org/2000/svg"/>"#, "{}"), format!("{declared}{element}</svg>"));
    let token = "eyJhbGciOiJFZERTQSJ9.e30.c2ln";
    let element = format!(r#"<openbadges:credential verify="{token}"></openbadges:credential>"#);
    assert_eq!(baked(&format!("{declared}</svg>"), token), format!("{declared}{element}</svg>"));
    let taken = r#"<?xml version="1.0" encoding="UTF-8"?><!-- > --><svg xmlns="http://www.w3.org/2000/svg"
        xmlns:openbadges='http://openbadges.org' title=">"><g/></svg>"#;
    let baked = baked(taken, "{}");
    assert_eq!(unbaked(baked.as_bytes()).1, "{}", "the prefix means something else there");
    assert_eq!(unbaked(baked.as_bytes()).2, taken.as_bytes());
}

#[test]
fn damaged_images_are_refused() {
    let image = png(&[(b"IDAT", &[1, 2, 3])]);
    let damaged = |image: &[u8]| matches!(bake(image, "{}"), Err(Fault::Damaged { .. }));
    assert!(!damaged(&image));
    assert!((8..image.len()).all(|end| damaged(&image[..end])), "cut off");
    for place in 8..image.len() {
        let mut flipped = image.clone();
        flipped[place] ^= 1;
        assert!(damaged(&flipped), "byte {place}");
    }
    assert!(damaged(&png(&[])), "no pixels");
    let headless = [&image[..8], &chunk(b"IDAT", &[]), &chunk(b"IEND", &[])].concat();
    assert!(damaged(&headless));
    for svg in [
        &SVG[..SVG.len() - 1],
        &SVG.replace("</svg>", ""),
        &SVG.replace("</svg>", "</g>"),
        &SVG.replace("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"),
        &SVG.repeat(2),
        &format!("<html>{SVG}</html>"),
        &format!(r#"<?xml version="1.0" encoding="ISO-8859-1"?>{SVG}"#),
    ] {
        assert!(damaged(svg.as_bytes()), "{svg}");
    }
    for other in [&b""[..], b"GIF89a", b"\xff\xd8\xff", b"{}", &[0xff, 0xfe, b'<', 0]] {
        assert_eq!(bake(other, "{}"), Err(Fault::NoImage));
    }
    let earlier = format!(r#"<c:credential xmlns:c="{NAMESPACE}"/>"#);
    let with = |elements: &str| SVG.replace("</svg>", &format!("{elements}</svg>"));
    assert!(bake(with(&earlier).as_bytes(), "{}").is_ok());
    assert!(matches!(bake(with(&earlier.repeat(2)).as_bytes(), "{}"), Err(Fault::Two { .. })));
}

#[test]
fn what_is_no_credential_or_too_large_is_not_baked() {
    for text in ["", "[]", "null", "{", "a.b.c", r#"{"a":1,"a":2}"#, "https://example.edu/1", "\"]]>\""] {
        assert_eq!(bake(SVG.as_bytes(), text), Err(Fault::NoCredential), "{text}");
    }
    let text = format!(r#"{{"a":"{}"}}"#, "a".repeat(MAX_TEXT));
    assert_eq!(bake(SVG.as_bytes(), &text), Err(Fault::TooLarge { limit: MAX_TEXT }));
    let large = png(&[(b"IDAT", &vec![0; MAX_IMAGE - 80])]);
    assert!(large.len() < MAX_IMAGE);
    let too_large = Err(Fault::ImageTooLarge { limit: MAX_IMAGE });
    assert_eq!(bake(&large, "{}"), too_large);
    assert_eq!(bake(&vec![b' '; MAX_IMAGE + 1], "{}"), too_large);
}

/// JSON objects with whatever strings can hold.
fn object() -> impl Strategy<Value = Value> {
    let text = prop_oneof![any::<String>(), "[\\]>&<\"\\\\\u{fffe}\u{ffff}\r\n\u{85}\u{2028}]{0,12}"];
    let leaf = prop_oneof![text.clone().prop_map(Value::from), any::<bool>().prop_map(Value::from), Just(Value::Null)];
    let value = leaf.prop_recursive(3, 24, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Value::from));
    prop::collection::btree_map(text, value, 0..6).prop_map(|members| Value::Object(members.into_iter().collect()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_json_comes_out_of_any_image(value in object(), pretty: bool) {
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        for (path, image) in images() {
            let baked = bake(&image, &text).expect("baked");
            let (format, found, _) = unbaked(&baked);
            prop_assert_eq!(parsed(&found), value.clone(), "{}", path.display());
            prop_assert!(format != Format::Png || found == text);
        }
    }

    #[test]
    fn nobody_stumbles_over_noise(bytes in prop::collection::vec(any::<u8>(), 0..300), text in ".{0,40}") {
        let _ = bake(&bytes, "{}");
        let _ = bake(&[b"\x89PNG\r\n\x1a\n", &bytes[..]].concat(), "{}");
        let _ = bake(format!("<svg xmlns=\"http://www.w3.org/2000/svg\"{text}</svg>").as_bytes(), "{}");
    }
}
