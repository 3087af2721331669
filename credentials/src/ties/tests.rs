use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::json;
use testamur_core::Address;

use super::*;
use crate::{Shelf, Supplied};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const ACCOUNT: Address = Address([7; 20]);
const OTHER: Address = Address([8; 20]);
const NAMED: &str = "did:web:example.edu";
const URL: &str = "https://example.edu/.well-known/did.json";
const RECORD_URL: &str = "dns:_testamur.example.edu?type=TXT";

fn anchored() -> Anchored {
    Anchored { chain: ChainId(1), account: ACCOUNT }
}

fn method(account: &str) -> Value {
    json!({ "id": "#a", "type": "EcdsaSecp256k1RecoveryMethod2020", "controller": NAMED, "blockchainAccountId": account })
}

fn put(shelf: &mut Shelf, url: &str, bytes: &[u8]) {
    shelf.put_document(url, Ok(Supplied { bytes: bytes.into(), as_of: NOW }));
}

/// The answer of the issuer's document, with no DNS record.
fn listed(document: &Value) -> TieAnswer {
    let mut shelf = Shelf::default();
    put(&mut shelf, URL, document.to_string().as_bytes());
    put(&mut shelf, RECORD_URL, b"[]");
    find_ties(NAMED, Some(anchored()), &Known::default(), &shelf, NOW).remove(0).answer
}

fn document(methods: Value) -> Value {
    json!({ "id": NAMED, "verificationMethod": methods })
}

/// The answer of a DNS record, where the document is silent.
fn recorded_as(named: &str, url: &str, texts: &Value) -> Option<TieAnswer> {
    let mut shelf = Shelf::default();
    put(&mut shelf, url, json!({ "id": named }).to_string().as_bytes());
    put(&mut shelf, RECORD_URL, texts.to_string().as_bytes());
    let ties = find_ties(named, Some(anchored()), &Known::default(), &shelf, NOW);
    ties.into_iter().find(|tie| matches!(tie.source, TieSource::Dns { .. })).map(|tie| tie.answer)
}

const THEIRS: TieAnswer = TieAnswer::Theirs { as_of: NOW, until: None };

#[test]
fn a_document_says_whose_the_account_is() {
    let here = format!("eip155:1:{ACCOUNT}");
    let other = format!("eip155:1:{OTHER}");
    assert_eq!(listed(&document(json!([method(&here)]))), THEIRS);
    assert_eq!(listed(&document(json!([method(&format!("{ACCOUNT}@eip155:1"))]))), THEIRS);
    let upper = format!("eip155:1:0x{}", ACCOUNT.to_string()[2..].to_uppercase());
    assert_eq!(listed(&document(json!([method(&upper)]))), THEIRS);
    assert_eq!(listed(&json!({ "id": NAMED, "assertionMethod": ["#x", method(&here)] })), THEIRS);
    // Rotated: the old account stays listed.
    assert_eq!(listed(&document(json!([method(&other), method(&here)]))), THEIRS);
    assert_eq!(listed(&document(json!([method(&other)]))), TieAnswer::Others { accounts: vec![OTHER] });
    // Another chain's account may be somebody else's, and says nothing about this one.
    for silent in
        [json!([]), json!([method(&format!("eip155:10:{OTHER}"))]), json!([method("x")]), json!({}), json!([1])]
    {
        assert_eq!(listed(&document(silent.clone())), TieAnswer::Silent, "{silent}");
    }
    let mut foreign = method(&here);
    foreign["controller"] = "did:web:other.net".into();
    assert_eq!(listed(&document(json!([foreign]))), TieAnswer::Silent);
}

#[test]
fn an_account_that_ended_says_when() {
    let until = |members: Value| {
        let mut method = method(&format!("eip155:1:{ACCOUNT}"));
        method.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        listed(&document(json!([method])))
    };
    let ended = |until| TieAnswer::Theirs { as_of: NOW, until: Some(UnixSeconds(until)) };
    assert_eq!(until(json!({ "revoked": "2026-01-01T00:00:00Z" })), ended(1_767_225_600));
    assert_eq!(
        until(json!({ "expires": "2027-01-01T00:00:00Z", "revoked": "2026-01-01T00:00:00Z" })),
        ended(1_767_225_600)
    );
    assert_eq!(until(json!({ "revoked": true })), ended(0));
    let mut old = method(&format!("eip155:1:{ACCOUNT}"));
    old["revoked"] = "2026-01-01T00:00:00Z".into();
    assert_eq!(listed(&document(json!([old, method(&format!("eip155:1:{ACCOUNT}"))]))), THEIRS);
}

#[test]
fn a_document_of_somebody_else_or_none_is_no_answer() {
    let unreadable = |answer| matches!(answer, TieAnswer::Unknown(Missing::Unreadable { .. }));
    assert!(unreadable(listed(&json!({ "id": "did:web:other.net" }))));
    assert!(unreadable(listed(&json!([]))));
    let mut shelf = Shelf::default();
    put(&mut shelf, URL, b"<html>");
    put(&mut shelf, RECORD_URL, b"<html>");
    let ties = find_ties(NAMED, Some(anchored()), &Known::default(), &shelf, NOW);
    assert!(ties.len() == 2 && ties.into_iter().all(|tie| unreadable(tie.answer)));
    // A web page at the URL that is an issuer's name is in its place, and silent.
    put(&mut shelf, "https://example.edu", b"<html>");
    let ties = find_ties("https://example.edu", Some(anchored()), &Known::default(), &shelf, NOW);
    assert_eq!(ties[0].answer, TieAnswer::Silent);
}

#[test]
fn a_domain_says_whose_the_account_is() {
    let ours = json!(["v=spf1 -all", format!("testamur=eip155:1:{OTHER}"), format!(" testamur=eip155:1:{ACCOUNT} ")]);
    let others =
        json!([format!("testamur=eip155:1:{OTHER}"), format!("testamur={ACCOUNT}"), "testamur=x", "testamur="]);
    assert_eq!(recorded_as(NAMED, URL, &ours), Some(THEIRS));
    assert_eq!(recorded_as(NAMED, URL, &others), Some(TieAnswer::Others { accounts: vec![OTHER] }));
    assert_eq!(recorded_as(NAMED, URL, &json!([])), Some(TieAnswer::Silent));
    // The domain speaks for whoever has a page there, and does not contradict those who have accounts of their own.
    let user = "https://example.edu/issuers/1";
    assert_eq!(recorded_as(user, user, &ours), Some(THEIRS));
    assert_eq!(recorded_as(user, user, &others), Some(TieAnswer::Silent));
}

#[test]
fn what_is_known_already_is_not_asked_for() {
    let shelf = Shelf::default();
    let list = json!({ "version": 1, "name": "L", "issuers": [
        { "id": NAMED, "name": "Example University", "accounts": [format!("eip155:1:{ACCOUNT}")] },
        { "id": "did:web:other.net", "accounts": [OTHER] },
        { "id": "did:web:silent.net", "name": "Silent College" } ] });
    let listed = |list| Listed { name: "list.json".to_owned(), list };
    let list = listed(Ok((RecognisedList::parse(list.to_string().as_bytes()).unwrap(), NOW)));
    let known = Known::new(vec![list], Vec::new(), &Policy::default());
    let ask = |named: &str, anchored, shelf: &Shelf| find_ties(named, anchored, &known, shelf, NOW);
    let source = |called: &str| TieSource::List { name: "L".to_owned(), called: Some(called.to_owned()) };

    let own = vec![TieFound { source: source("Example University"), answer: THEIRS }];
    assert_eq!(ask(NAMED, Some(anchored()), &shelf), own);
    assert_eq!(ask(NAMED, None, &shelf), own);
    assert_eq!(ask("did:web:nobody.net", None, &shelf), []);
    assert_eq!(ask("did:key:z6Mk", Some(anchored()), &shelf), []);
    assert!(shelf.take_wanted().is_empty());

    // Whose account it is, is asked where the list does not say; that the issuer is recognised, the list says.
    let others = &ask("did:web:other.net", Some(anchored()), &shelf)[0].answer;
    assert_eq!(others, &TieAnswer::Others { accounts: vec![OTHER] });
    assert_eq!(shelf.take_wanted().documents.len(), 2);
    let mut shelf = Shelf::default();
    let silent = json!({ "id": "did:web:silent.net", "verificationMethod": [
        { "id": "#a", "blockchainAccountId": format!("eip155:1:{ACCOUNT}") } ] });
    put(&mut shelf, "https://silent.net/.well-known/did.json", silent.to_string().as_bytes());
    let ties = ask("did:web:silent.net", Some(anchored()), &shelf);
    let answers: Vec<_> = ties.iter().map(|tie| &tie.answer).collect();
    assert_eq!(answers, [&TieAnswer::Silent, &THEIRS, &THEIRS]);
    assert_eq!(ties[2].source, source("Silent College"));
    // A list that knows no account makes nobody's word about one younger than it is.
    let seen = UnixSeconds(NOW.0 - 1_000);
    let old = Supplied { bytes: silent.to_string().into_bytes().into(), as_of: seen };
    shelf.put_document("https://silent.net/.well-known/did.json", Ok(old));
    let ties = ask("did:web:silent.net", Some(anchored()), &shelf);
    assert_eq!(ties[2].answer, TieAnswer::Theirs { as_of: seen, until: None });

    let missing = Missing::Unreachable { what: "L".to_owned(), detail: String::new() };
    let known = Known::new(vec![listed(Err(missing.clone()))], Vec::new(), &Policy::default());
    let ties = find_ties("did:key:z6Mk", Some(anchored()), &known, &shelf, NOW);
    assert_eq!(ties[0].answer, TieAnswer::Unknown(missing));
}

fn key(seed: u8) -> (SigningKey, String) {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let multikey = [&[0xed, 0x01], key.verifying_key().as_bytes().as_slice()].concat();
    let did = format!("did:key:z{}", bs58::encode(multikey).into_string());
    (key, did)
}

fn sign(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).to_bytes()))
}

#[test]
fn a_key_says_whose_the_account_is() {
    let (key, did) = key(1);
    let header = json!({ "alg": "EdDSA", "typ": "testamur-account+jwt" });
    let claims = |account: Value| json!({ "iss": did, "account": account, "iat": 1_790_000_000 });
    let account = format!("eip155:1:{ACCOUNT}");
    let ask = |tokens: &[String]| {
        let known = Known::new(Vec::new(), tokens.to_vec(), &Policy::default());
        find_ties(&did, Some(anchored()), &known, &Shelf::default(), NOW).pop().map(|tie| tie.answer)
    };
    let theirs = |until: Option<u64>| {
        Some(TieAnswer::Theirs { as_of: UnixSeconds(1_790_000_000), until: until.map(UnixSeconds) })
    };
    let good = sign(&key, &header, &claims(account.clone().into()));
    assert_eq!(ask(std::slice::from_ref(&good)), theirs(None));
    assert_eq!(ask(&[sign(&key, &header, &claims(json!([format!("eip155:10:{OTHER}"), account])))]), theirs(None));
    // The account was changed: both statements count.
    let other = sign(&key, &header, &claims(format!("eip155:1:{OTHER}").into()));
    assert_eq!(ask(&[other.clone(), good.clone()]), theirs(None));
    assert_eq!(ask(&[other]), Some(TieAnswer::Others { accounts: vec![OTHER] }));
    let mut ended = claims(account.clone().into());
    ended["exp"] = 1_795_000_000.into();
    assert_eq!(ask(&[sign(&key, &header, &ended)]), theirs(Some(1_795_000_000)));

    let stranger = super::tests::key(2).0;
    let mut dateless = claims(account.clone().into());
    dateless.as_object_mut().unwrap().remove("iat");
    for wrong in [
        sign(&stranger, &header, &claims(account.clone().into())),
        sign(&key, &json!({ "alg": "EdDSA", "typ": "vc+jwt" }), &claims(account.clone().into())),
        sign(&key, &json!({ "alg": "none", "typ": "testamur-account+jwt" }), &claims(account.into())),
        sign(&key, &header, &claims("eip155:1".into())),
        sign(&key, &header, &claims(ACCOUNT.to_string().into())),
        sign(&key, &header, &dateless),
    ] {
        assert!(matches!(ask(std::slice::from_ref(&wrong)), Some(TieAnswer::Unknown(_))), "{wrong}");
        // It does not spoil a good one.
        assert_eq!(ask(&[wrong, good.clone()]), theirs(None));
    }
    assert_eq!(ask(&["x.y.z".to_owned(), String::new()]), None);
}

#[test]
fn a_document_is_given_what_was_found() {
    let credential = json!({ "issuer": { "id": "did:web:examp1e.edu", "name": "Registrar" } });
    let document = Document::unanchored(testamur_core::Hash::ZERO, credential.as_object().cloned());
    let issuers =
        serde_json::from_value(json!([{ "id": NAMED, "name": "Example University", "accounts": [] }])).unwrap();
    let policy = Policy { issuers, ..Policy::default() };
    let known = Known::new(Vec::new(), Vec::new(), &policy);
    let mut checked = Checked::default();
    add_to(&mut checked, &document, &policy, &known, &Shelf::default(), NOW);
    let like = checked.looks_like.map(|like| (like.named, like.recognised));
    assert_eq!(like, Some(("examp1e.edu".to_owned(), "example.edu".to_owned())));
    assert_eq!(checked.ties, []);
}
