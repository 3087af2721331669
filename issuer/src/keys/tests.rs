//! With the project's own verifier: what is signed, anchored and published here is judged as by everybody.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::{Value, json};
use testamur_core::{
    Address, BatchTree, BlockNumber, ChainId, Document, Entry, Hash, Purpose, Receipt, StatusIndex, UnixSeconds,
    checked::{Missing, TieAnswer},
    digest::{blind, credential_hash},
    observation::{AnchorRecord, BlockRef, Finality, Observation, StatusAt, StatusRecord, StatusSeen, Unseen},
    policy::Policy,
    proof::{AnchorProof, ProofConfig},
    registry,
    verify::{CheckKind, Gap, Outcome, Report, Verdict, verify},
};
use testamur_credentials::{
    Shelf, Supplied,
    check::check,
    opened::open,
    ties::{Anchored, Known, find_ties},
};

use super::*;

const ISSUER: &str = "did:web:school.example";
const URL: &str = "https://school.example/.well-known/did.json";
const CHAIN: ChainId = ChainId(31337);
const ACCOUNT: Address = Address([7; 20]);
const DAY: u64 = 86_400;
const START: UnixSeconds = UnixSeconds(1_790_000_000);

fn day(number: u64) -> UnixSeconds {
    UnixSeconds(START.0 + number * DAY)
}

fn own_account(revoked: Option<UnixSeconds>) -> Account {
    Account { chain: CHAIN, address: ACCOUNT, revoked }
}

fn served(document: &Value) -> Result<Supplied, Missing> {
    Ok(Supplied { bytes: document.to_string().into_bytes().into(), as_of: day(0) })
}

fn credential(issuer: &str) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
        "id": "urn:uuid:5c3b0a52-8b5c-4c53-9a3a-2b1f6f9f0f10",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": { "id": issuer, "type": ["Profile"], "name": "School" },
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": { "type": ["AchievementSubject"] },
    })
}

/// A credential that the ring's key signed, and whatever date it says.
fn signed(ring: &KeyRing, created: UnixSeconds) -> Value {
    let key = IssuerKey::load(ring, ISSUER).unwrap();
    let mut credential = credential(ISSUER);
    let proof = key.signer().prove_jcs(credential_hash(&credential), credential.get("@context"), created);
    credential["proof"] = proof;
    credential
}

/// The same, anchored by the issuer's account.
fn anchored(mut credential: Value) -> Value {
    let config = ProofConfig::new(credential.get("@context"), CHAIN, ACCOUNT, START, [5; 32]);
    let digest = blind(&config.to_json(), credential_hash(&credential));
    let status_index = StatusIndex::new(1).unwrap();
    let tree = BatchTree::new(vec![Entry { digest, status_index }.leaf_hash()]).unwrap();
    let receipt = Receipt {
        version: 1,
        leaf_index: 0,
        tree_size: 1,
        status_index,
        path: tree.path(0).unwrap(),
        root: tree.root(),
        issuer: ACCOUNT,
        chain: CHAIN,
        registry: registry::ADDRESS,
        transaction: Hash([9; 32]),
        block: BlockNumber(50),
    };
    AnchorProof { config, receipt }.embed(credential.as_object_mut().unwrap()).unwrap();
    credential
}

/// A chain on which its root was anchored then.
fn seen(document: &Document, time: UnixSeconds) -> Result<Observation, Unseen> {
    let receipt = &document.anchor.as_ref().ok_or(Unseen::Unreachable)?.receipt;
    let block = |number| BlockRef { number: BlockNumber(number), hash: Hash([number as u8; 32]), time: day(1_000) };
    let anchor = AnchorRecord { time, block: BlockNumber(50), size: 1, withdrawn: false };
    let clear = StatusAt { record: StatusRecord::default(), proof: None };
    let status = |purpose| StatusSeen { purpose, head: clear.clone(), settled: clear.clone() };
    Ok(Observation {
        chain: CHAIN,
        registry: registry::ADDRESS,
        code_hash: Some(registry::CODE_HASH),
        issuer: ACCOUNT,
        root: receipt.root,
        head: block(200),
        settled: block(100),
        finality: Finality::Finalized,
        anchor_at_head: Some(anchor),
        anchor_settled: Some(anchor),
        status: [Purpose::REVOCATION, Purpose::SUSPENSION].map(status).to_vec(),
    })
}

/// What a verifier says long afterwards who finds this document, and the anchor of that time.
fn judge(credential: &Value, document: &Value, anchored_at: UnixSeconds) -> Report {
    let policy = Policy { chains: vec![CHAIN], ..Policy::default() };
    let mut shelf = Shelf::default();
    shelf.put_document(URL, served(document));
    let mut opened = open(None, credential.to_string().as_bytes(), None).unwrap();
    let checked = check(&mut opened, &shelf, &policy, &Known::default(), day(1_000));
    verify(&opened.document, &seen(&opened.document, anchored_at), &checked, &policy, day(1_000))
}

/// What it says of one that nobody anchored.
fn judge_signed(credential: &Value, document: &Value) -> Report {
    judge(credential, document, START)
}

#[track_caller]
fn is_valid(report: Report) {
    assert_eq!(report.verdict(), Verdict::Valid, "{report:#?}");
}

#[test]
fn what_was_signed_before_a_rotation_stays_valid_and_what_a_thief_signs_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut ring = KeyRing::open(folder.path()).unwrap();
    let first = ring.add(&[1; 32], day(0)).unwrap();
    let document = |ring: &KeyRing| did_document(ISSUER, ring.keys(), &[own_account(None)]).unwrap();
    let (early, early_anchored) = (signed(&ring, day(1)), anchored(signed(&ring, day(1))));
    is_valid(judge_signed(&early, &document(&ring)));
    is_valid(judge(&early_anchored, &document(&ring), day(1)));

    // The next key is listed, published, and only then used.
    let second = ring.add(&[2; 32], day(10)).unwrap();
    assert_eq!(ring.current().unwrap().name, first);
    ring.use_key(&second).unwrap();
    let later = signed(&ring, day(20));
    assert_ne!(later["proof"]["verificationMethod"], early["proof"]["verificationMethod"]);
    for credential in [&early, &later] {
        is_valid(judge_signed(credential, &document(&ring)));
    }
    is_valid(judge(&early_anchored, &document(&ring), day(1)));

    // The first turns out to be stolen on the fifth day. The thief writes an earlier date.
    ring.use_key(&first).unwrap();
    let forged = signed(&ring, day(1));
    ring.revoke(&first, day(5)).unwrap();
    assert_eq!(ring.current(), None, "no key signs until another is chosen");
    ring.use_key(&second).unwrap();
    let ended = Outcome::Unknown(Gap::KeyEnded { until: day(5) });
    for credential in [&forged, &early] {
        let report = judge_signed(credential, &document(&ring));
        assert_eq!(report.verdict(), Verdict::Unverifiable, "nothing tells the one from the other");
        assert_eq!(report.outcome(CheckKind::Signature), Some(&ended));
    }
    is_valid(judge(&early_anchored, &document(&ring), day(1)));
    is_valid(judge_signed(&later, &document(&ring)));
    let report = judge(&anchored(forged), &document(&ring), day(6));
    assert_eq!(report.outcome(CheckKind::Signature), Some(&ended));
}

#[test]
fn who_took_a_former_key_out_of_the_document_would_orphan_what_it_signed() {
    let folder = tempfile::tempdir().unwrap();
    let mut ring = KeyRing::open(folder.path()).unwrap();
    let (first, second) = (ring.add(&[1; 32], day(0)).unwrap(), ring.add(&[2; 32], day(0)).unwrap());
    let credential = signed(&ring, day(1));
    ring.use_key(&second).unwrap();
    let orphaning: Vec<_> = ring.keys().iter().filter(|key| key.name == second).cloned().collect();
    let report = judge_signed(&credential, &did_document(ISSUER, &orphaning, &[]).unwrap());
    assert_eq!(report.verdict(), Verdict::Invalid);
    // On a new platform the old one's key is listed by its public half.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut ring = KeyRing::open(elsewhere.path()).unwrap();
    ring.add(&[3; 32], day(2)).unwrap();
    ring.add_former(&first, day(2)).unwrap();
    is_valid(judge_signed(&credential, &did_document(ISSUER, ring.keys(), &[]).unwrap()));
    assert!(matches!(ring.use_key(&first), Err(KeysError::File(_))), "its secret is not here");
    assert!(matches!(ring.add_former("z6Mk", day(2)), Err(KeysError::NoMultikey { .. })));
}

#[test]
fn accounts_are_told_as_verifiers_read_them() {
    let of = |accounts: &[Account]| {
        let mut shelf = Shelf::default();
        shelf.put_document(URL, served(&did_document(ISSUER, &[], accounts).unwrap()));
        let anchored = Some(Anchored { chain: CHAIN, account: ACCOUNT });
        find_ties(ISSUER, anchored, &Known::default(), &shelf, day(9)).remove(0).answer
    };
    assert_eq!(of(&[own_account(None)]), TieAnswer::Theirs { as_of: day(0), until: None });
    assert_eq!(of(&[own_account(Some(day(3)))]), TieAnswer::Theirs { as_of: day(0), until: Some(day(3)) });
    let other = Account { address: Address([8; 20]), ..own_account(None) };
    assert_eq!(of(&[other]), TieAnswer::Others { accounts: vec![other.address] });
    assert_eq!(of(&[other, own_account(None)]), TieAnswer::Theirs { as_of: day(0), until: None });

    let read = |text: &str| toml::from_str::<Account>(text).map_err(|error| error.to_string());
    let id = own_account(None).caip10();
    assert_eq!(read(&format!("id = '{id}'")), Ok(own_account(None)));
    assert_eq!(
        read(&format!("id = '{id}'\nrevoked = '2026-09-24T14:13:20Z'")).map(|account| account.revoked),
        Ok(Some(UnixSeconds(1_790_259_200)))
    );
    for wrong in ["id = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'", &format!("id = '{id}'\nrevoked = 'x'"), "x = 1"]
    {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_issuer_that_is_its_key_states_its_accounts() {
    let folder = tempfile::tempdir().unwrap();
    let mut ring = KeyRing::open(folder.path()).unwrap();
    let did = format!("did:key:{}", ring.add(&[1; 32], day(0)).unwrap());
    let key = IssuerKey::load(&ring, &did).unwrap();
    assert_eq!(check_published(&key, Err(Missing::NotAsked { what: String::new() })), Ok(()));
    let answer = |account: &Account| {
        let known = Known::new(Vec::new(), vec![account_statement(&key, account, day(1))], &Policy::default());
        let anchored = Some(Anchored { chain: CHAIN, account: ACCOUNT });
        find_ties(&did, anchored, &known, &Shelf::default(), day(9)).remove(0).answer
    };
    assert_eq!(answer(&own_account(None)), TieAnswer::Theirs { as_of: day(1), until: None });
    assert_eq!(answer(&own_account(Some(day(3)))), TieAnswer::Theirs { as_of: day(1), until: Some(day(3)) });
    assert!(matches!(did_document(&did, ring.keys(), &[]), Err(KeysError::NoDocument { .. })));

    let second = ring.add(&[2; 32], day(1)).unwrap();
    ring.use_key(&second).unwrap();
    assert!(matches!(IssuerKey::load(&ring, &did), Err(KeysError::NotItself { .. })));
    assert!(matches!(IssuerKey::load(&ring, "urn:uuid:1"), Err(KeysError::NoHome { .. })));
}

#[test]
fn a_key_that_verifiers_do_not_find_yet_is_told_before_it_signs() {
    let folder = tempfile::tempdir().unwrap();
    let mut ring = KeyRing::open(folder.path()).unwrap();
    let first = ring.add(&[1; 32], day(0)).unwrap();
    let document = |ring: &KeyRing| did_document(ISSUER, ring.keys(), &[]).unwrap();
    let published = document(&ring);
    let key = |ring: &KeyRing| IssuerKey::load(ring, ISSUER).unwrap();
    assert_eq!(check_published(&key(&ring), served(&published)), Ok(()));
    let second = ring.add(&[2; 32], day(1)).unwrap();
    assert_eq!(check_published(&key(&ring), served(&published)), Ok(()), "it does not sign yet");
    ring.use_key(&second).unwrap();
    let refused = check_published(&key(&ring), served(&published)).unwrap_err();
    assert!(matches!(refused, NotPublished::Refused(_)) && refused.to_string().contains("does not list"), "{refused}");
    assert_eq!(check_published(&key(&ring), served(&document(&ring))), Ok(()));

    let unreachable = Missing::Unreachable { what: URL.to_owned(), detail: "timed out".to_owned() };
    assert_eq!(check_published(&key(&ring), Err(unreachable.clone())), Err(NotPublished::Unseen(unreachable)));
    let mut swapped = document(&ring);
    swapped["verificationMethod"][1]["publicKeyMultibase"] = json!(first);
    assert!(matches!(check_published(&key(&ring), served(&swapped)), Err(NotPublished::OtherKey { .. })));
    let mut ended = document(&ring);
    ended["verificationMethod"][1]["revoked"] = json!(day(2).to_string());
    assert!(matches!(check_published(&key(&ring), served(&ended)), Err(NotPublished::Ended { .. })));
}

#[test]
fn the_list_outlives_the_program_and_secrets_are_for_their_owner() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("keys");
    let mut ring = KeyRing::open(&place).unwrap();
    assert!(matches!(IssuerKey::load(&ring, ISSUER), Err(KeysError::NoKey)));
    let first = ring.add(&[1; 32], day(0)).unwrap();
    // Another program adds one meanwhile: neither is lost.
    let second = KeyRing::open(&place).unwrap().add(&[2; 32], day(1)).unwrap();
    ring.revoke(&second, day(2)).unwrap();
    let ring_again = KeyRing::open(&place).unwrap();
    assert_eq!(ring_again.keys(), ring.keys());
    assert_eq!(ring.keys().iter().map(|key| &key.name[..]).collect::<Vec<_>>(), [&first[..], &second]);
    assert_eq!(ring_again.current().unwrap().name, first);
    assert!(matches!(ring.add(&[1; 32], day(3)), Err(KeysError::Known { .. })));
    assert!(matches!(ring.use_key(&second), Err(KeysError::Revoked { .. })));
    assert!(matches!(ring.revoke(&second, day(3)), Err(KeysError::Revoked { .. })), "never later");
    ring.revoke(&second, day(1)).unwrap();
    assert!(matches!(ring.revoke("z6Mk", day(1)), Err(KeysError::Unknown { .. })));

    let secret = place.join(&first);
    let mode = |mode| fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    mode(0o644);
    let told = IssuerKey::load(&ring, ISSUER).unwrap_err().to_string();
    assert!(told.contains("chmod 600") && !told.contains("0101"), "{told}");
    mode(0o600);
    let refused = |content: &str| {
        fs::write(&secret, content).unwrap();
        IssuerKey::load(&ring, ISSUER).unwrap_err()
    };
    assert!(matches!(refused(&"02".repeat(32)), KeysError::Mixed { .. }));
    assert!(matches!(refused("0101"), KeysError::File(_)));
    assert!(!format!("{ring:?}").contains("0101"));
}

#[test]
fn a_list_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |text: &str| {
        fs::write(folder.path().join("keys.json"), text).unwrap();
        KeyRing::open(folder.path())
    };
    let wrong = ["", "[]", r#"{"version":2,"keys":[]}"#, r#"{"version":1,"keys":[{"name":"../x","listed":1}]}"#];
    for text in wrong {
        assert!(matches!(open(text), Err(KeysError::List { .. })), "{text}");
    }
    assert!(matches!(open(r#"{"version":1,"keys":[],"more":1}"#), Err(KeysError::List { .. })));
    assert!(matches!(KeyRing::open(Path::new("/dev/null")), Err(KeysError::Disk { .. })));
}
