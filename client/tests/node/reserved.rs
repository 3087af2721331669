//! What the command line does about credentials that name their status index, and about a node that answers strangely.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use testamur_core::{
    Digest, Document, Purpose, StatusIndex, UnixSeconds,
    digest::{blind, credential_hash},
    proof::{AnchorProof, ProofConfig},
    registry::ADDRESS,
    status::own_entry,
};

use crate::{
    anchor::{CHAIN, ISSUER, Place, honest, receipt, text},
    http::{Answer, Request, serve},
};

/// The indices that came in, each time they did.
type Asked = Arc<Mutex<Vec<Vec<u64>>>>;

/// A node that refuses uneven indices, and names at most `named` of them at once. The receipts of the others have the
/// index that `given` makes of the one asked for.
fn node(asked: &Asked, named: usize, given: fn(u64) -> u64) -> String {
    let (asked, mut taken) = (Arc::clone(asked), BTreeMap::new());
    serve(move |Request { line, body, .. }| match line.as_str() {
        "GET /v1/node" => Answer::json(200, &json!({ "chain": CHAIN, "registry": ADDRESS })),
        "GET /v1/token" => Answer::json(200, &json!({ "issuer": ISSUER })),
        line if line == format!("POST /v1/issuers/{ISSUER}/digests") => {
            let body: Value = serde_json::from_slice(&body).unwrap();
            let entries = body["entries"].as_array().unwrap();
            let indices: Vec<_> = entries.iter().map(|entry| entry["statusIndex"].as_u64().unwrap()).collect();
            asked.lock().unwrap().push(indices.clone());
            let bad: Vec<_> = (0..indices.len()).filter(|&place| indices[place] % 2 == 1).collect();
            if !bad.is_empty() {
                return refusal(&bad, named);
            }
            let digests = entries.iter().map(|entry| entry["digest"].as_str().unwrap().parse::<Digest>().unwrap());
            taken.extend(digests.zip(indices));
            Answer::json(200, &json!({ "batch": 1, "accepted": entries.len(), "new": 0, "entries": entries }))
        }
        line => {
            let path = format!("GET /v1/issuers/{ISSUER}/receipts/");
            let digest = line.strip_prefix(&path).and_then(|rest| rest.strip_suffix("?state=final")).expect(line);
            let digest: Digest = digest.parse().unwrap();
            honest(receipt(&[digest], digest, index(given(taken[&digest]))))
        }
    })
}

fn refusal(bad: &[usize], named: usize) -> Answer {
    let offender = |place: &usize| json!({ "path": format!("/entries/{place}/statusIndex"), "problem": "not-reserved", "detail": "not reserved" });
    let errors: Vec<_> = bad.iter().take(named).map(offender).collect();
    Answer::json(422, &json!({ "title": "Some entries cannot be taken", "errors": errors, "errorCount": bad.len() }))
}

fn index(number: u64) -> StatusIndex {
    StatusIndex::new(number).unwrap()
}

/// A credential that names an index.
fn credential(number: u64) -> Value {
    let entry = own_entry("https://node.example", ISSUER, Purpose::REVOCATION, index(number));
    json!({ "@context": ["x"], "type": "VerifiableCredential", "credentialStatus": entry })
}

fn issue(place: &Place, number: u64) {
    place.write(&format!("in/{number}.json"), &credential(number).to_string());
}

#[test]
fn each_refused_index_is_told_however_few_are_named_at_once() {
    let (place, asked) = (Place::new(), Asked::default());
    (10..20).for_each(|index| issue(&place, index));
    let url = node(&asked, 2, |asked| asked);
    let run = place.anchor(&url, "in");
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(text(&run.stdout).contains("5 anchored, 0 anchored before, 5 failed"), "{run:?}");
    for index in 10..20 {
        let told = format!("in/{index}.json: the node refuses the status index {index} that its");
        assert_eq!(text(&run.stderr).contains(&told), index % 2 == 1, "{run:?}");
    }
    assert_eq!(place.names("in").len(), 10, "nothing is left under way");
    let asked = asked.lock().unwrap();
    assert_eq!(asked[0], (10..20).collect::<Vec<_>>());
    assert!(asked[1..].iter().all(|indices| indices.len() <= 2), "{asked:?}");
    drop(asked);

    let run = place.anchor(&url, "in --json");
    assert_eq!(text(&run.stdout).matches(r#""state":"already""#).count(), 5, "{run:?}");
}

#[test]
fn a_node_that_names_nobody_ends_the_run() {
    let (place, asked) = (Place::new(), Asked::default());
    issue(&place, 7);
    let run = place.anchor(&node(&asked, 0, |asked| asked), "in");
    assert!(run.status.code() == Some(1) && text(&run.stderr).contains("Some entries cannot be taken"), "{run:?}");
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[test]
fn a_receipt_with_another_index_is_not_taken() {
    let (place, asked) = (Place::new(), Asked::default());
    issue(&place, 8);
    let before = fs::read(place.path("in/8.json")).unwrap();
    let run = place.anchor(&node(&asked, 0, |asked| asked + 1), "in");
    assert!(run.status.code() == Some(1) && text(&run.stderr).contains("it gives the status index 9"), "{run:?}");
    assert_eq!(fs::read(place.path("in/8.json")).unwrap(), before);
}

#[test]
fn an_anchor_with_another_index_is_told_and_a_copy_with_it_is_replaced() {
    let (place, asked) = (Place::new(), Asked::default());
    let url = node(&asked, 0, |asked| asked);
    issue(&place, 8);
    // As a client anchored it that did not look at `credentialStatus`.
    let mut anchored = credential(8);
    let config = ProofConfig::new(anchored.get("@context"), CHAIN, ISSUER, UnixSeconds(1_800_000_000), [1; 32]);
    let digest = blind(&config.to_json(), credential_hash(&anchored));
    let proof = AnchorProof { config, receipt: receipt(&[digest], digest, index(10)) };
    proof.embed(anchored.as_object_mut().unwrap()).unwrap();
    place.write("8.json", &anchored.to_string());

    let run = place.anchor(&url, "8.json");
    let told = "anchored with the status index 10, and its credentialStatus names 8";
    assert!(run.status.code() == Some(1) && text(&run.stderr).contains(told), "{run:?}");

    let run = place.anchor(&url, "in --out .");
    assert!(run.status.success(), "{run:?}");
    let copy = Document::from_credential(&fs::read(place.path("8.json")).unwrap()).unwrap();
    assert_eq!((copy.anchor.as_ref().unwrap().receipt.status_index, copy.other_status_entries()), (index(8), 0));
}
