//! Status lists of other people: every entry is looked up, and a list that cannot be believed says nothing.

mod formats;

use std::{fs, io::Write};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use formats::{Desk, Told, corpus, signer::Signer};
use serde_json::{Value, json};
use testamur_core::{
    UnixSeconds,
    checked::{ListGap, ListOutcome},
    status::bitstring,
    verify::CheckKind::Status,
};

const LIST: &str = "https://issuer.example/lists/1";

fn issuer() -> Signer {
    Signer::new(7)
}

fn entry(index: u64) -> Value {
    json!({"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": index.to_string(),
        "statusListCredential": LIST})
}

/// A credential with these entries, signed.
fn credential(status: Value) -> Vec<u8> {
    let credential = json!({"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"],
        "id": "urn:uuid:1", "credentialSubject": {"name": "x"}, "credentialStatus": status});
    issuer().sign(credential).to_string().into_bytes()
}

/// 131,072 bits of which these are set.
fn bits(set: &[usize]) -> Vec<u8> {
    let mut bits = vec![0; 16_384];
    for place in set {
        bits[place / 8] |= 0x80 >> (place % 8);
    }
    bits
}

fn list(bits: &[u8]) -> Value {
    json!({"@context": ["https://www.w3.org/ns/credentials/v2"], "id": LIST, "validFrom": "2026-01-01T00:00:00Z",
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "credentialSubject": {"id": format!("{LIST}#list"), "type": "BitstringStatusList", "statusPurpose": "revocation",
            "encodedList": bitstring::encode(bits)}})
}

/// What comes of a credential with this entry, before a list like that.
fn told(entry: &Value, list: Value) -> Told {
    let mut desk = Desk::default();
    desk.serve_json(LIST, &issuer().sign(list));
    desk.verify(&credential(entry.clone()))
}

fn changed(change: impl FnOnce(&mut Value)) -> Told {
    let mut list = list(&bits(&[]));
    change(&mut list);
    told(&entry(5), list)
}

impl Told {
    fn outcome(&self) -> &ListOutcome {
        &self.checked.lists[0].outcome
    }

    #[track_caller]
    fn mismatches(self, words: &str) {
        let told = self.unverifiable(Status, words);
        assert!(matches!(told.outcome(), ListOutcome::Unknown(ListGap::Mismatch { .. })), "{:?}", told.outcome());
    }
}

#[test]
fn bits_of_digital_bazaar() {
    let Some(folder) = corpus("status-lists") else { return };
    let cases: Value =
        serde_json::from_slice(&fs::read(folder.join("digitalbazaar-cases.json")).expect("readable")).expect("JSON");
    for case in cases.as_array().expect("cases") {
        let (Some(encoded), length) = (case["encodedList"].as_str(), case["length"].as_u64().unwrap_or(0)) else {
            continue;
        };
        let mut list = list(&[]);
        list["credentialSubject"]["encodedList"] = json!(encoded);
        if case["ok"] == false {
            told(&entry(0), list).mismatches("multibase");
            continue;
        }
        let set: Vec<_> = case["set"].as_array().expect("places").iter().filter_map(Value::as_u64).collect();
        for place in [0, 49_999, 50_000, 50_007, length - 1] {
            let told = told(&entry(place), list.clone());
            if set.contains(&place) {
                told.invalid(Status, "set by the issuer");
            } else {
                // They are shorter than W3C allows.
                told.unverifiable(Status, "the policy asks for 131072");
            }
        }
        told(&entry(length), list).mismatches("outside a list of 100000");
    }
    let eight = |case: usize| {
        bitstring::decode_2021(cases[case]["encodedBits_nobase"].as_str().expect("text"), 8).expect("bits")
    };
    let set = |bits: &[u8]| (0..8).filter(|place| bitstring::status(bits, *place, 1) == Ok(1)).collect::<Vec<_>>();
    assert_eq!(set(&eight(4)), [1, 4], "from the left");
    assert_eq!(set(&eight(5)), [3, 6], "from the right: another order, which W3C does not have");
}

#[test]
fn the_list_of_the_digital_credentials_consortium() {
    let Some(folder) = corpus("dcc") else { return };
    let host = "https://digitalcredentials.github.io/vc-test-fixtures";
    let read = |path: &str| fs::read(folder.join(path)).expect("readable");
    let mut desk = Desk::default();
    for name in ["legacy", "oidf"] {
        desk.serve(&format!("{host}/dids/{name}/did.json"), &read(&format!("dids/{name}/did.json")));
    }
    let list = format!("{host}/statusLists/didkey-ed25519Signature2020/e5WK8CbZ1GjycuPombrj");
    desk.serve(&list, &read("statusLists/e5WK8CbZ1GjycuPombrj"));
    for suite in ["bothSignatureTypes", "dataIntegrityProof", "ed25519"] {
        let good = read(&format!("credentials/{suite}/didWeb/oidf-validStatus-noExpiry.json"));
        desk.policy.min_list_length = 131_072;
        desk.verify(&good).unverifiable(Status, "holds 100000 statuses, the policy asks for 131072");
        desk.policy.min_list_length = 100_000;
        let told = desk.verify(&good).valid();
        // Another signed the list, and that is told.
        assert!(told.checked.lists[0].signer.as_ref().is_some_and(|signer| signer.starts_with("did:key:z6MknNQD1")));
        for length in [131_072, 100_000] {
            desk.policy.min_list_length = length;
            let revoked = read(&format!("credentials/{suite}/didWeb/oidf-revokedStatus-noExpiry.json"));
            desk.verify(&revoked).invalid(Status, "revocation: set by the issuer");
        }
    }
}

#[test]
fn every_entry_is_looked_up() {
    let set = list(&bits(&[9]));
    told(&json!([entry(5), entry(6)]), set.clone()).valid();
    told(&json!([entry(5), entry(9)]), set.clone()).invalid(Status, "revocation");
    told(&json!([{"type": "SomethingElse", "id": "urn:x"}, entry(9)]), set.clone()).invalid(Status, "revocation");
    told(&json!([{"type": "SomethingElse", "id": "urn:x"}, entry(5)]), set).unverifiable(Status, "SomethingElse");
}

#[test]
fn a_list_that_is_not_what_its_entry_asks_for_says_nothing() {
    let subject = "credentialSubject";
    changed(|_| {}).valid();
    changed(|list| list[subject]["statusPurpose"] = json!("suspension")).mismatches("its purpose is \"suspension\"");
    changed(|list| list[subject]["statusPurpose"] = json!(["suspension", "revocation"])).valid();
    changed(|list| list["type"] = json!(["VerifiableCredential"])).mismatches("no BitstringStatusListCredential");
    changed(|list| list[subject]["type"] = json!("StatusList2021")).mismatches("no BitstringStatusListCredential");
    changed(|list| list[subject]["encodedList"] = json!("uAAAA")).mismatches("compression");
    changed(|list| list[subject]["encodedList"] = Value::Null).mismatches("no encodedList");
    changed(|list| list["validFrom"] = json!("2027-01-01T00:00:00Z")).mismatches("valid from 2027");
    changed(|list| list["validUntil"] = json!("2026-02-01T00:00:00Z")).unverifiable(Status, "ended 2026-02-01");
    told(&entry(131_072), list(&bits(&[]))).mismatches("outside a list of 131072");
    for index in ["-1", "", "1e3", "0x1", "99999999999999999999"] {
        let mut strange = entry(0);
        strange["statusListIndex"] = json!(index);
        told(&strange, list(&bits(&[]))).mismatches("names no index");
    }
    let bomb = bitstring::encode(&vec![0; (16 << 20) + 1]);
    changed(|list| list[subject]["encodedList"] = json!(bomb)).mismatches("inflates to more than");
}

#[test]
fn a_list_must_be_signed_by_its_issuer() {
    let verify = |list: &Value| {
        let mut desk = Desk::default();
        desk.serve_json(LIST, list);
        desk.verify(&credential(entry(9)))
    };
    let honest = issuer().sign(list(&bits(&[9])));
    verify(&honest).invalid(Status, "revocation");
    verify(&list(&bits(&[9]))).unverifiable(Status, "");
    let mut forged = honest.clone();
    forged["credentialSubject"]["encodedList"] = json!(bitstring::encode(&bits(&[])));
    verify(&forged).unverifiable(Status, "the list's own signature: the document was changed");
    let mut stolen = Signer::new(8).sign(list(&bits(&[])));
    stolen["issuer"] = json!(issuer().did);
    verify(&stolen).unverifiable(Status, "the list's own signature");
    let mut unsigned = honest;
    unsigned["proof"] = json!([]);
    verify(&unsigned).unverifiable(Status, "it carries none");
    // Another's list counts, because the issuer chose its URL; but whose it is, is told.
    let told = verify(&Signer::new(8).sign(list(&bits(&[])))).valid();
    assert_eq!(told.checked.lists[0].signer, Some(Signer::new(8).did));
}

#[test]
fn a_list_may_be_a_token() {
    let mut payload = list(&bits(&[9]));
    payload["issuer"] = json!(issuer().did);
    let mut desk = Desk::default();
    desk.serve(LIST, issuer().token("vc+jwt", &payload).as_bytes());
    desk.verify(&credential(entry(9))).invalid(Status, "revocation");
    desk.verify(&credential(entry(5))).valid();
    desk.serve(LIST, issuer().token("vc+jwt", &payload).replace('a', "b").as_bytes());
    desk.verify(&credential(entry(5))).unverifiable(Status, "");
}

#[test]
fn an_unreachable_or_old_list_is_not_told() {
    let mut desk = Desk::default();
    desk.verify(&credential(entry(5))).unverifiable(Status, "could not be reached");
    desk.serve_json(LIST, &issuer().sign(list(&bits(&[]))));
    desk.policy.max_status_age = Some(3_600);
    desk.now = UnixSeconds(desk.now.0 + 3_600);
    desk.verify(&credential(entry(5))).valid();
    desk.now = UnixSeconds(desk.now.0 + 1);
    desk.verify(&credential(entry(5))).unverifiable(Status, "3601 s old");
}

#[test]
fn statuses_of_several_bits_have_messages() {
    let mut bits = vec![0; 32_768];
    bits[1] = 0b0001_0000; // bits 10 and 11, the sixth status, are 01
    let mut list = list(&bits);
    list["credentialSubject"]["statusPurpose"] = json!("message");
    let mut entry = entry(5);
    entry["statusPurpose"] = json!("message");
    entry["statusSize"] = json!(2);
    entry["statusMessage"] = json!([{"status": "0x0", "message": "pending"}, {"status": "0x1", "message": "accepted"}]);
    let told = told(&entry, list.clone()).valid();
    assert_eq!(*told.outcome(), ListOutcome::Message { text: "accepted".to_owned() });
    entry["statusMessage"] = json!([]);
    self::told(&entry, list.clone()).mismatches("no message for 0x1");
    for size in [json!(0), json!(65), json!("2"), json!(-1)] {
        entry["statusSize"] = size;
        self::told(&entry, list.clone()).unverifiable(Status, "");
    }
    // What an issuer's own purposes mean, nobody knows.
    let mut own = of_purpose("graduation");
    let mut of_own = self::list(&self::bits(&[9]));
    of_own["credentialSubject"]["statusPurpose"] = json!("graduation");
    self::told(&own, of_own.clone()).unverifiable(Status, "statusPurpose graduation");
    own["statusListIndex"] = json!("5");
    self::told(&own, of_own).valid();
}

fn of_purpose(purpose: &str) -> Value {
    let mut entry = entry(9);
    entry["statusPurpose"] = json!(purpose);
    entry
}

#[test]
fn what_the_recommendation_was_before() {
    let encoded = bitstring::encode(&bits(&[9]))[1..].to_owned();
    let mut of_2021 = list(&[]);
    of_2021["type"] = json!(["VerifiableCredential", "StatusList2021Credential"]);
    of_2021["credentialSubject"]["type"] = json!("StatusList2021");
    of_2021["credentialSubject"]["encodedList"] = json!(encoded);
    let mut entry = entry(9);
    entry["type"] = json!("StatusList2021Entry");
    told(&entry, of_2021.clone()).invalid(Status, "revocation");
    entry["statusListIndex"] = json!(5);
    told(&entry, of_2021.clone()).valid();
    let of_2020 = {
        let mut list = of_2021;
        list["type"] = json!(["VerifiableCredential", "RevocationList2020Credential"]);
        list["credentialSubject"] = json!({"type": "RevocationList2020", "encodedList": encoded});
        list
    };
    let entry = |index: &str| json!({"type": "RevocationList2020Status", "revocationListIndex": index, "revocationListCredential": LIST});
    told(&entry("9"), of_2020.clone()).invalid(Status, "revocation");
    told(&entry("5"), of_2020).valid();
}

/// A token with a place in a Token Status List.
fn token(index: u64) -> Vec<u8> {
    let payload = json!({"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"],
        "issuer": issuer().did, "credentialSubject": {"name": "x"}, "status": {"status_list": {"idx": index, "uri": LIST}}});
    issuer().token("vc+jwt", &payload).into_bytes()
}

/// A list of two-bit statuses: 0, 1, 2, 3, and zeros.
fn token_list() -> Value {
    let mut bytes = vec![0_u8; 32_768];
    bytes[0] = 0b11_10_01_00;
    json!({"sub": LIST, "iat": 1_790_000_000, "ttl": 43_200,
        "status_list": {"bits": 2, "lst": URL_SAFE_NO_PAD.encode(zlib(&bytes))}})
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("into memory")
}

#[test]
fn token_status_lists() {
    let verify = |index: u64, typ: &str, list: &Value| {
        let mut desk = Desk::default();
        desk.serve(LIST, issuer().token(typ, list).as_bytes());
        desk.verify(&token(index))
    };
    let (typ, good) = ("statuslist+jwt", token_list());
    verify(0, typ, &good).valid();
    verify(4, typ, &good).valid();
    verify(1, typ, &good).invalid(Status, "revocation");
    verify(2, typ, &good).invalid(Status, "suspension");
    verify(3, typ, &good).unverifiable(Status, "application specific");
    verify(131_072, typ, &good).mismatches("outside a list of 131072");
    verify(0, "JWT", &good).mismatches("not statuslist+jwt");
    let with = |member: &str, value: Value| {
        let mut list = good.clone();
        list[member] = value;
        verify(0, typ, &list)
    };
    with("sub", json!("https://issuer.example/lists/2")).mismatches("of another URL");
    with("exp", json!(1_790_000_001)).unverifiable(Status, "ended 2026-09-21");
    with("iat", json!(1_890_000_000)).mismatches("valid from 2029");
    with("status_list", json!({"bits": 3, "lst": "AA"})).mismatches("a status of 3 bits");
    with("status_list", json!({"bits": 1, "lst": URL_SAFE_NO_PAD.encode(zlib(&vec![0; (16 << 20) + 1]))}))
        .mismatches("more than");
    with("status_list", json!({"bits": 1, "lst": URL_SAFE_NO_PAD.encode(zlib(&[0; 8]))}))
        .unverifiable(Status, "holds 64");
    let mut desk = Desk::default();
    desk.serve(LIST, Signer::new(8).token(typ, &good).as_bytes());
    desk.verify(&token(0)).unverifiable(Status, "the list's own signature");
    desk.serve(LIST, b"no token");
    desk.verify(&token(0)).mismatches("");
}
