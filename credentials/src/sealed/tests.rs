use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use serde::Deserialize;

use super::*;

const ID: [u8; 16] = [1; 16];
const KEY: [u8; 16] = [2; 16];

fn page() -> (SealedId, SealKey) {
    (SealedId::new(ID), SealKey::new(KEY))
}

fn sealed(text: &str) -> Vec<u8> {
    let (id, key) = page();
    seal(text, &id, &key, [3; 12]).expect("sealed")
}

fn opened(sealed: &[u8]) -> Result<String, Fault> {
    let (id, key) = page();
    open(sealed, &id, &key)
}

/// Seals what is no padded text.
fn sealed_as_is(padded: &[u8]) -> Vec<u8> {
    let (id, key) = page();
    let content = cipher(&id, &key).encrypt(&[3; 12].into(), padded).expect("encrypted");
    [&[VERSION], &[3; 12][..], &content].concat()
}

fn with_lengths(padded: &mut [u8], deflated: u32, text: u32) {
    padded[..4].copy_from_slice(&deflated.to_be_bytes());
    padded[4..8].copy_from_slice(&text.to_be_bytes());
}

/// Letters that do not compress.
fn noise(length: usize) -> String {
    let mut state = 1_u64;
    let letter = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(33 + ((state >> 33) % 94) as u8)
    };
    (0..length).map(letter).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    cases: Vec<Case>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Case {
    link: String,
    derived: String,
    text: String,
    sealed: String,
}

#[derive(Deserialize)]
struct Refused {
    name: String,
    link: String,
    sealed: String,
}

/// The vectors that other implementations are checked against. They were sealed with Python's `cryptography`, and so
/// are not this code's own word; compressed bytes may differ from ours, which is why they are only opened here.
#[test]
fn the_vectors_open_and_the_rejected_ones_do_not() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/sealed.json");
    let vectors: Vectors = serde_json::from_slice(&fs::read(path).expect("readable")).expect("vectors");
    let bytes = |text: &str| STANDARD.decode(text).expect("base64");
    assert!(vectors.cases.len() >= 4 && vectors.refused.len() >= 6);
    for case in vectors.cases {
        let link = Link::parse(&case.link).expect("a link");
        assert_eq!(*link.reveal(), case.link);
        let mut derived = [0; 32];
        Hkdf::<Sha256>::new(Some(link.id.as_bytes()), link.key.as_bytes()).expand(CONTEXT, &mut derived).expect("32");
        assert_eq!(hex::encode(derived), case.derived);
        let sealed = bytes(&case.sealed);
        assert_eq!(open(&sealed, &link.id, &link.key).as_deref(), Ok(&case.text[..]));
        let nonce = sealed[1..13].try_into().expect("12 bytes");
        let again = seal(&case.text, &link.id, &link.key, nonce).expect("sealed");
        assert_eq!((again.len(), &again[..13]), (sealed.len(), &sealed[..13]));
    }
    for case in vectors.refused {
        let opened = Link::parse(&case.link).ok().map(|link| open(&bytes(&case.sealed), &link.id, &link.key));
        assert!(opened.is_none_or(|opened| opened.is_err()), "{}", case.name);
    }
}

#[test]
fn another_key_another_page_or_a_changed_byte_opens_nothing() {
    let sealed = sealed("{}");
    let (id, key) = page();
    let mut other = KEY;
    other[15] ^= 1;
    assert_eq!(open(&sealed, &id, &SealKey::new(other)), Err(Fault::NotOpened));
    assert_eq!(open(&sealed, &SealedId::new(other), &key), Err(Fault::NotOpened));
    for place in (1..sealed.len()).step_by(97) {
        let mut altered = sealed.clone();
        altered[place] ^= 0x10;
        assert_eq!(opened(&altered), Err(Fault::NotOpened), "byte {place}");
    }
    let mut later = sealed.clone();
    later[0] = 2;
    assert_eq!(opened(&later), Err(Fault::Version { version: 2 }));
}

#[test]
fn what_is_cut_off_or_grown_says_so() {
    let mut sealed = sealed("{}");
    for length in [1, 12, 28, 29, 4_000, sealed.len() - 1] {
        assert_eq!(opened(&sealed[..length]), Err(Fault::Length { found: length }));
    }
    assert_eq!(opened(&[]), Err(Fault::Length { found: 0 }));
    sealed.push(0);
    assert_eq!(opened(&sealed), Err(Fault::Length { found: sealed.len() }));
    sealed.resize(AROUND + 2 * LARGEST, 0);
    assert_eq!(opened(&sealed), Err(Fault::Length { found: sealed.len() }));
}

#[test]
fn a_bomb_is_refused_before_it_is_inflated() {
    let zeros = "0".repeat(MAX_TEXT);
    assert_eq!(opened(&sealed(&zeros)).as_deref(), Ok(&zeros[..]));
    let (id, key) = page();
    let limit = Fault::TooLarge { limit: MAX_TEXT };
    assert_eq!(seal(&(zeros.clone() + "0"), &id, &key, [3; 12]), Err(limit));
    let mut padded = pad(&zeros).expect("padded");
    let deflated = u32::from_be_bytes(padded[..4].try_into().expect("4 bytes"));
    with_lengths(&mut padded, deflated, MAX_TEXT as u32 + 1);
    assert_eq!(opened(&sealed_as_is(&padded)), Err(limit));
    for length in [0, 1, 1_000, MAX_TEXT as u32 - 1] {
        with_lengths(&mut padded, deflated, length);
        assert_eq!(opened(&sealed_as_is(&padded)), Err(Fault::Damaged { what: "its compression" }), "{length}");
    }
    assert_eq!(seal(&noise(MAX_TEXT), &id, &key, [3; 12]), Err(Fault::TooLarge { limit: LARGEST - LENGTHS }));
}

#[test]
fn what_lies_about_itself_is_damaged() {
    let padded = pad(r#"{"name":"name"}"#).expect("padded");
    let deflated = u32::from_be_bytes(padded[..4].try_into().expect("4 bytes"));
    for (deflated, length) in
        [(deflated - 1, 15), (deflated + 1, 15), (0, 15), (deflated, 14), (deflated, 16), (u32::MAX, 15)]
    {
        let mut lying = padded.clone();
        with_lengths(&mut lying, deflated, length);
        assert!(matches!(opened(&sealed_as_is(&lying)), Err(Fault::Damaged { .. })), "{deflated} {length}");
    }
    let mut latin = vec![0; SMALLEST];
    latin[8..14].copy_from_slice(&[0x01, 1, 0, 0xfe, 0xff, 0xe9]); // stored: one byte that is no UTF-8
    with_lengths(&mut latin, 6, 1);
    assert_eq!(opened(&sealed_as_is(&latin)), Err(Fault::Damaged { what: "it is not UTF-8" }));
}

#[test]
fn lengths_tell_their_class_alone() {
    let classes: std::collections::BTreeSet<_> = (0..4_000).step_by(13).map(|n| sealed(&noise(n)).len()).collect();
    assert_eq!(classes.into_iter().collect::<Vec<_>>(), [AROUND + SMALLEST]);
    assert_eq!(sealed(&noise(1 << 20)).len(), AROUND + (1 << 20), "94 letters take less than 7 bits each");
}

#[test]
fn a_link_is_short_and_read_as_it_was_written() {
    let (id, key) = page();
    let link = Link { base: "https://badges.example.edu".to_owned(), id, key };
    let text = link.reveal();
    assert_eq!(*text, "https://badges.example.edu/c/AQEBAQEBAQEBAQEBAQEBAQ#AgICAgICAgICAgICAgICAg");
    assert!(text.len() <= 84, "QR code of version 5, level M: 84 bytes");
    assert_eq!(Link::parse(&text), Ok(link.clone()));
    assert!(!format!("{link:?}").contains("AgIC"));
    let (page, key) = text.split_once('#').expect("both");
    let parse = |text: &str| Link::parse(text);
    assert_eq!(parse(&format!(" {page}/?utm_source=x#{key}\n")), Ok(link));
    assert_eq!(parse(page), Err(LinkFault::NoKey));
    assert_eq!(parse(&format!("{page}#")), Err(LinkFault::NoKey));
    for wrong in
        [&key[1..], &format!("{key}A"), &format!("{key}=="), "AgICAgICAgICAgICAgICAh", "AgICAgICAgICAgICAgIC+g"]
    {
        assert_eq!(parse(&format!("{page}#{wrong}")), Err(LinkFault::Key), "{wrong}");
    }
    assert_eq!(parse(&format!("{}#{key}", &page[..page.len() - 1])), Err(LinkFault::Id));
    assert_eq!(parse("https://badges.example.edu/about#x"), Err(LinkFault::NoPage));
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens(text in ".{0,2000}", id: [u8; 16], key: [u8; 16], nonce: [u8; 12]) {
        let (id, key) = (SealedId::new(id), SealKey::new(key));
        let sealed = seal(&text, &id, &key, nonce).expect("sealed");
        prop_assert_eq!(open(&sealed, &id, &key), Ok(text));
        prop_assert_eq!(SealedId::parse(&id.to_string()), Some(id));
    }

    #[test]
    fn noise_opens_nothing_and_nobody_stumbles(bytes in proptest::collection::vec(any::<u8>(), 0..5_000)) {
        let (id, key) = page();
        prop_assert!(open(&bytes, &id, &key).is_err());
        let _ = unpad(&bytes);
        let _ = Link::parse(&String::from_utf8_lossy(&bytes));
    }
}
