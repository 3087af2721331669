//! Status lists that nobody here encoded.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    num::NonZeroU32,
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;
use testamur_core::{
    Error,
    policy::Policy,
    status::{bitstring, token},
};
use testamur_tests::corpora;

/// 16 MiB: more than any list that is known.
const MAX_BYTES: usize = 1 << 24;

/// The statuses that a list of the draft's appendix holds.
#[derive(Deserialize)]
struct TokenCase {
    section: String,
    bits: u32,
    lst: String,
    statuses: BTreeMap<String, u8>,
}

#[test]
fn the_drafts_token_status_lists() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/token-status-lists.json");
    let file: Value = serde_json::from_slice(&fs::read(path).expect("committed")).expect("JSON");
    let cases: Vec<TokenCase> = serde_json::from_value(file["cases"].clone()).expect("of the known shape");
    assert_eq!(cases.iter().map(|case| case.bits).collect::<Vec<_>>(), [1, 2, 4, 8]);
    for TokenCase { section, bits, lst, statuses } in cases {
        let compressed = URL_SAFE_NO_PAD.decode(lst).expect("base64url");
        let bytes = token::decode(&compressed, bits, MAX_BYTES).expect("a list");
        for index in 0..1 << 20 {
            let expected = statuses.get(&index.to_string()).copied().unwrap_or(0);
            assert_eq!(token::status(&bytes, bits, index), Ok(expected), "{section}, status {index}");
        }
        let beyond = Error::StatusRange { index: 1 << 20, length: 1 << 20 };
        assert_eq!(token::status(&bytes, bits, 1 << 20), Err(beyond), "{section}");
    }
}

/// A case of digitalbazaar's tests. The list stands under one of two names, by its form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BitstringCase {
    source: String,
    encoded_list: Option<String>,
    #[serde(rename = "encodedBits_nobase")]
    without_multibase: Option<String>,
    length: Option<u64>,
    set: Option<BTreeSet<u64>>,
    #[serde(rename = "set_if_rtl")]
    set_if_rtl: Option<BTreeSet<u64>>,
    ok: Option<bool>,
}

impl BitstringCase {
    fn bits(&self) -> Result<Vec<u8>, Error> {
        match (&self.encoded_list, &self.without_multibase) {
            (Some(text), None) => bitstring::decode(text, MAX_BYTES),
            (None, Some(text)) => bitstring::decode_2021(text, MAX_BYTES),
            _ => panic!("{}: one list is expected", self.source),
        }
    }
}

#[test]
fn digitalbazaars_bitstrings() {
    let Some(folder) = corpora::folder("status-lists", "digitalbazaars_bitstrings") else { return };
    let text = fs::read(folder.join("digitalbazaar-cases.json")).expect("readable");
    let cases: Vec<BitstringCase> = serde_json::from_slice(&text).expect("of the known shape");
    assert!(cases.len() >= 6, "only {} cases", cases.len());
    for case in cases {
        if case.ok == Some(false) {
            assert_eq!(case.bits(), Err(Error::ListText), "{}", case.source);
            continue;
        }
        let (bits, length) = (case.bits().expect("a list"), case.length.expect("a length"));
        assert_eq!(bits.len() as u64, length.div_ceil(8), "{}", case.source);
        let set: BTreeSet<_> = (0..length).filter(|&place| bitstring::status(&bits, place, 1) == Ok(1)).collect();
        // One list was written from the right: read from the left, each bit stands where its mirror was meant.
        let from_the_right = |set: BTreeSet<u64>| set.into_iter().map(|place| place ^ 7).collect();
        let expected = case.set.or(case.set_if_rtl.map(from_the_right)).expect("the set bits");
        assert_eq!(set, expected, "{}", case.source);
    }
}

#[test]
fn a_list_of_the_dcc_is_read_and_too_short() {
    let Some(folder) = corpora::folder("dcc", "a_list_of_the_dcc_is_read_and_too_short") else { return };
    let path = folder.join("statusLists/e5WK8CbZ1GjycuPombrj");
    let credential: Value = serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON");
    let text = credential["credentialSubject"]["encodedList"].as_str().expect("a text");
    let bits = bitstring::decode(text, MAX_BYTES).expect("a list");
    let set: Vec<_> = (0..100_000).filter(|&place| bitstring::status(&bits, place, 1) == Ok(1)).collect();
    // Of the sample credentials one half has the index 6 and is revoked, the other 7 and is not.
    assert_eq!((bits.len(), set), (12_500, vec![2, 6, 8]));
    let one = NonZeroU32::new(1).expect("not zero");
    let too_short = Error::ListTooShort { found: 100_000, needed: 131_072 };
    assert_eq!(Policy::default().check_list_length(bits.len(), one), Err(too_short));
}
