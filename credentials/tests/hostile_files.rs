//! Files that were made to be misread.

mod formats;

use std::{fs, io::Write};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, Crc, write::ZlibEncoder};
use formats::{Desk, NOW, corpus, signer::Signer};
use proptest::prelude::*;
use serde_json::{Value, json};
use testamur_core::{
    Address, BatchTree, BlockNumber, ChainId, Entry, Error, Hash, Receipt, StatusIndex,
    digest::{blind, file_hash},
    proof::{AnchorProof, ProofConfig},
    registry,
    verify::CheckKind::{Anchor, Integrity, Signature, Validity},
};
use testamur_credentials::{
    baked::{self, Fault},
    opened::{Format, Refusal, open},
};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

fn signer() -> Signer {
    Signer::new(7)
}

/// A signed credential.
fn credential() -> Vec<u8> {
    let credential = json!({"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"],
        "credentialSubject": {"name": "x"}, "validFrom": "2026-01-01T00:00:00Z"});
    signer().sign(credential).to_string().into_bytes()
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [kind, data].concat();
    let mut crc = Crc::new();
    crc.update(&body);
    [&(data.len() as u32).to_be_bytes(), body.as_slice(), &crc.sum().to_be_bytes()].concat()
}

fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    [SIGNATURE.to_vec(), chunk(b"IHDR", &[0; 13]), chunks.concat(), chunk(b"IDAT", &[0; 9]), chunk(b"IEND", &[])]
        .concat()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("into memory")
}

fn itxt(text: &[u8]) -> Vec<u8> {
    chunk(b"iTXt", &[b"openbadgecredential\0\0\0\0\0", text].concat())
}

fn compressed(text: &[u8]) -> Vec<u8> {
    chunk(b"iTXt", &[b"openbadgecredential\0\x01\0en\0x\0".as_slice(), &zlib(text)].concat())
}

fn refusal(bytes: &[u8]) -> Refusal {
    open(None, bytes, None).expect_err("refused")
}

fn svg(inside: &str) -> Vec<u8> {
    format!(r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:ob="https://purl.imsglobal.org/ob/v3p0">{inside}</svg>"#)
        .into_bytes()
}

fn element(text: &str) -> String {
    format!("<ob:credential><![CDATA[{text}]]></ob:credential>")
}

#[test]
fn every_way_to_bake_is_read() {
    let (credential, token) = (credential(), signer().token("vc+jwt", &json!({"issuer": signer().did})));
    let text = String::from_utf8(credential.clone()).expect("text");
    let keyword = b"openbadgecredential\0".as_slice();
    for image in [
        png(&[itxt(&credential)]),
        png(&[compressed(&credential)]),
        png(&[chunk(b"tEXt", &[keyword, &credential].concat())]),
        png(&[chunk(b"zTXt", &[keyword, b"\0", &zlib(&credential)].concat())]),
        png(&[itxt(token.as_bytes())]),
        svg(&element(&text)),
        svg(&format!("<g><script>alert(1)</script>{}</g>", element(&text))),
        svg(&format!("<ob:credential>{}</ob:credential>", text.replace('"', "&quot;").replace('x', "&#120;"))),
        svg(&format!("<ob:credential verify=\"{token}\"/>")),
        svg(&format!("<ob:credential verify=\"{token}\">{{}}</ob:credential>")),
        [b"\xef\xbb\xbf<?xml version=\"1.0\"?><!DOCTYPE svg [<!ENTITY a \"b\">]>".as_slice(), &svg(&element(&text))]
            .concat(),
    ] {
        let told = Desk::default().verify(&image).valid();
        let picture = told.opened.and_then(|opened| opened.picture).expect("a picture");
        assert_eq!(baked::unbake(&picture.bytes), Ok(None), "nothing is left in the picture");
    }
}

#[test]
fn two_baked_credentials_are_refused_with_both_named() {
    let two = |image: &[u8]| match refusal(image) {
        Refusal::Baked(Fault::Two { first, second }) => (first, second),
        other => panic!("{other}"),
    };
    let old = chunk(b"tEXt", b"openbadges\0https://a.example/1");
    assert_eq!(two(&png(&[itxt(b"{}"), old.clone()])), ("iTXt at byte 33".to_owned(), "tEXt at byte 71".to_owned()));
    two(&png(&[itxt(&credential()), itxt(&credential())]));
    two(&svg(&format!("{0}<g>{0}</g>", element("{}"))));
    two(&svg(&format!(
        "{}<a:assertion xmlns:a=\"http://openbadges.org\" verify=\"https://a.example/1\"/>",
        element("{}")
    )));
    // What stands behind the end of the image is no part of it.
    Desk::default().verify(&[png(&[itxt(&credential())]), old].concat()).valid();
}

#[test]
fn damaged_images_are_refused() {
    let good = png(&[itxt(&credential())]);
    let mut lies = good.clone();
    lies[33..37].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(matches!(refusal(&lies), Refusal::Baked(Fault::Damaged { what }) if what.contains("cut off")));
    let mut flipped = good.clone();
    flipped[80] ^= 1;
    assert!(matches!(refusal(&flipped), Refusal::Baked(Fault::Damaged { what }) if what.contains("checksum")));
    for end in 70..good.len() {
        assert!(matches!(refusal(&good[..end]), Refusal::Baked(Fault::Damaged { .. })), "cut at {end}");
    }
    for data in
        [b"openbadgecredential\0".as_slice(), b"openbadgecredential\0\0\0\0", b"openbadgecredential\0\x02\0\0\0x"]
    {
        assert!(matches!(refusal(&png(&[chunk(b"iTXt", data)])), Refusal::Baked(Fault::Unreadable { .. })), "{data:?}");
    }
    let whole = svg(&element("{}"));
    for end in 150..whole.len() - 1 {
        assert!(matches!(refusal(&whole[..end]), Refusal::Baked(_)), "cut at {end}");
    }
    // A spoilt photograph is no forged badge.
    let opened = open(None, &png(&[])[..40], None).expect("a file");
    assert_eq!(opened.format, Format::File);
}

#[test]
fn bombs_are_refused_at_the_limit() {
    let zeros = vec![b' '; baked::MAX_TEXT + 1];
    let too_large =
        |image: &[u8]| assert_eq!(refusal(image), Refusal::Baked(Fault::TooLarge { limit: baked::MAX_TEXT }));
    too_large(&png(&[compressed(&zeros)]));
    too_large(&png(&[chunk(b"zTXt", &[b"openbadges\0\0".as_slice(), &zlib(&zeros)].concat())]));
    too_large(&svg(&element(&"x".repeat(baked::MAX_TEXT + 1))));
    // 50 MiB are a file, whatever is baked in.
    let large = png(&[itxt(&credential()), chunk(b"iTXt", &vec![0; 50 << 20])]);
    assert_eq!(open(None, &large, None).map(|opened| opened.format), Ok(Format::File));
}

#[test]
fn svg_entities_and_elements_do_not_get_in() {
    let laughs = r#"<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>"#;
    for inside in [
        "<ob:credential>&b;</ob:credential>",
        "<ob:credential>&c;</ob:credential>",
        "<ob:credential><b/></ob:credential>",
    ] {
        let image = [laughs.as_bytes(), &svg(inside)].concat();
        assert!(matches!(refusal(&image), Refusal::Baked(Fault::Unreadable { .. })), "{inside}");
    }
    assert!(matches!(refusal(&svg("<ob:credential verify=\"&c;\"/>")), Refusal::Baked(Fault::Damaged { .. })));
    let deep = svg(&format!("{}openbadge{}", "<g>".repeat(70_000), "</g>".repeat(70_000)));
    assert!(matches!(refusal(&deep), Refusal::Baked(Fault::Damaged { .. })));
    // Elements of the same name elsewhere are somebody else's.
    let other = svg("<credential>{}</credential><x:credential xmlns:x=\"http://openbadge.example\">{}</x:credential>");
    assert_eq!(open(None, &other, None).map(|opened| opened.format), Ok(Format::File));
}

#[test]
fn json_that_two_readers_would_read_differently_is_refused() {
    let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    assert!(matches!(refusal(deep.as_bytes()), Refusal::Document(Error::Json { .. })));
    let twice = br#"{"issuer":"did:web:a.example","issuer":"did:web:b.example"}"#;
    assert!(matches!(refusal(twice), Refusal::Document(Error::DuplicateKey { .. })));
    assert!(matches!(refusal(&png(&[itxt(twice)])), Refusal::Document(Error::DuplicateKey { .. })));
    let token = format!("eyJhbGciOiJub25lIn0.{}.AA", URL_SAFE_NO_PAD.encode(twice));
    assert!(matches!(refusal(token.as_bytes()), Refusal::Token(_)));
    // A text that only begins like JSON is a file, unless its name says otherwise.
    assert!(open(Some("notes.txt"), b"{ not JSON", None).is_ok_and(|opened| opened.format == Format::File));
    assert!(open(Some("badge.JSON"), b"{ not JSON", None).is_err());
}

/// A token with these claims beside those of a credential.
fn token(typ: &str, claims: Value) -> Vec<u8> {
    let mut payload = json!({"type": ["VerifiableCredential"], "issuer": signer().did, "credentialSubject": {"id": "urn:s"},
        "id": "urn:c", "validFrom": "2026-01-01T00:00:00Z"});
    payload.as_object_mut().expect("an object").extend(claims.as_object().expect("an object").clone());
    signer().token(typ, &payload).into_bytes()
}

#[test]
fn claims_and_members_must_agree() {
    let verify = |typ, claims| Desk::default().verify(&token(typ, claims));
    verify("JWT", json!({"nbf": 1_767_225_600, "jti": "urn:c", "sub": "urn:s", "iss": signer().did})).valid();
    verify("JWT", json!({"nbf": 1_767_225_600.9})).valid();
    verify("JWT", json!({"nbf": 1_767_225_601}))
        .invalid(Integrity, "the token's nbf is 2026-01-01T00:00:01Z, its credential's validFrom is");
    verify("JWT", json!({"jti": "urn:d"})).invalid(Integrity, "the token's jti is urn:d, its credential's id is urn:c");
    verify("JWT", json!({"sub": "urn:t"})).invalid(Integrity, "credentialSubject.id");
    verify("JWT", json!({"iss": "did:web:other.example"}))
        .invalid(Integrity, "the token's iss is did:web:other.example");
    verify("JWT", json!({"nbf": "soon"})).invalid(Integrity, "nbf");
    verify("JWT", json!({"proof": {}})).invalid(Integrity, "a proof of its own");
    verify("JWT", json!({"vc": []})).invalid(Integrity, "vc");
    // What the credential leaves out, the claim says.
    let wrapped = json!({"vc": {"type": ["VerifiableCredential"]}, "iss": signer().did, "exp": 1_767_225_600});
    Desk::default().verify(signer().token("JWT", &wrapped).as_bytes()).invalid(Validity, "expired 2026-01-01");
    // VC-JOSE-COSE: both bounds count, each for its own.
    verify("vc+jwt", json!({"nbf": 1_767_225_601})).valid();
    verify("vc+jwt", json!({"nbf": NOW.0 + 60})).invalid(Validity, "valid from");
}

#[test]
fn a_token_without_a_signature_is_none() {
    let payload = URL_SAFE_NO_PAD.encode(json!({"issuer": signer().did, "type": "VerifiableCredential"}).to_string());
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    Desk::default().verify(format!("{header}.{payload}.").as_bytes()).invalid(Signature, "none");
    let mut cut = token("JWT", json!({}));
    cut.truncate(cut.len() - 6);
    Desk::default().verify(&cut).invalid(Signature, "");
}

/// A receipt beside these bytes.
fn receipt(bytes: &[u8]) -> Vec<u8> {
    let (chain, issuer, status_index) = (ChainId(1), Address([7; 20]), StatusIndex::default());
    let config = ProofConfig::new(None, chain, issuer, NOW, [5; 32]);
    let entry = Entry { digest: blind(&config.to_json(), file_hash(bytes)), status_index };
    let tree = BatchTree::new(vec![entry.leaf_hash()]).expect("not empty");
    let receipt = Receipt {
        version: 1,
        leaf_index: 0,
        tree_size: 1,
        status_index,
        path: Vec::new(),
        root: tree.root(),
        issuer,
        chain,
        registry: registry::ADDRESS,
        transaction: Hash([9; 32]),
        block: BlockNumber(50),
    };
    AnchorProof { config, receipt }.to_detached().to_string().into_bytes()
}

#[test]
fn a_receipt_beside_anchors_the_bytes() {
    let image = png(&[itxt(&credential())]);
    let opened = open(None, &image, Some(&receipt(&image))).expect("opened");
    assert_eq!((opened.format, opened.signed.len()), (Format::Png, 1), "what is inside is checked as well");
    assert_eq!(opened.document.named_issuer(), Some(signer().did.as_str()));
    let anchor = opened.document.anchor.as_ref().expect("an anchor");
    assert_eq!(anchor.receipt.check_inclusion(opened.document.digest().expect("a digest")), Ok(()));
    // The image's bytes, and not only the credential's.
    let other =
        open(None, &png(&[itxt(&credential()), chunk(b"tEXt", b"a\0b")]), Some(&receipt(&image))).expect("opened");
    let anchor = other.document.anchor.as_ref().expect("an anchor");
    assert!(anchor.receipt.check_inclusion(other.document.digest().expect("a digest")).is_err());
    // A damaged image is what it is; one with two faces is not.
    let cut = &image[..image.len() - 1];
    assert!(open(None, cut, Some(&receipt(cut))).is_ok_and(|opened| opened.format == Format::File));
    let two = png(&[itxt(b"{}"), itxt(b"{}")]);
    assert!(open(None, &two, Some(&receipt(&two))).is_err());
    assert!(open(None, &image, Some(b"no receipt")).is_err());
}

#[test]
fn a_file_without_anything_proves_nothing() {
    for bytes in [b"".as_slice(), b"text", b"%PDF-1.7", b"[1]", b"\x89PNG", &[0xff; 100], &svg("")] {
        Desk::default().verify(bytes).unverifiable(Anchor, "neither an anchor nor a signature");
    }
}

/// Whole files of every kind.
fn files() -> Vec<Vec<u8>> {
    let mut files = vec![credential(), token("JWT", json!({})), png(&[compressed(&credential())]), svg(&element("{}"))];
    for folder in ["open-badges-2", "open-badges-3"].into_iter().filter_map(corpus) {
        let names = ["simple.jwt", "simple-badge.png", "simple-json.svg", "baked_example.svg", "basic-assertion.json"];
        files.extend(names.into_iter().filter_map(|name| fs::read(folder.join(name)).ok()));
    }
    files
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_comes_nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        _ = open(None, &bytes, None);
        _ = open(None, &[SIGNATURE, &bytes, b"openbadge"].concat(), Some(&bytes));
        _ = open(None, &png(&[chunk(b"iTXt", &[b"openbadges\0", bytes.as_slice()].concat())]), None);
        let text = String::from_utf8_lossy(&bytes);
        _ = open(None, &svg(&format!("<ob:credential {text}>{text}</ob:credential>")), None);
    }

    #[test]
    fn a_changed_or_cut_file_never_panics(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
        let files = files();
        let mut bytes = files[which.index(files.len())].clone();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        let _ = Desk::default().verify(&bytes);
    }
}
