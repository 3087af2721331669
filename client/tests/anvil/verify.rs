//! Verdicts against a real chain, through the command line, without any node.

use std::fs;

use crate::scene::{Anvil, Run, Scene, credential};
use serde_json::Value;
use testamur_chain::registry::update_status_call;
use testamur_core::{
    Purpose, StatusIndex,
    status::{StatusTree, delta},
};

const ACCEPT: &str = "--chain eip155:31337";
const TRUST: &str = "--trust did:web:university.example=$ISSUER --trust $ISSUER=Example";

/// The outcome and the detail of one check.
fn check<'a>(report: &'a Value, name: &str) -> (&'a str, &'a str) {
    let checks = report["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["check"] == name).expect("the check");
    (check["outcome"].as_str().expect("text"), check["detail"]["kind"].as_str().unwrap_or_default())
}

#[track_caller]
fn ends(run: &Run, code: i32, verdict: &str, name: &str, kind: &str) {
    let report = run.json();
    assert_eq!((run.code, report["verdict"].as_str()), (Some(code), Some(verdict)), "{run:?}");
    assert_eq!(check(&report, name).1, kind, "{run:?}");
}

#[tokio::test]
async fn verdicts_on_a_real_chain() {
    let Some(scene) = Scene::set().await else { return };
    let documents =
        [("a.json", credential("Botany")), ("diploma.pdf", b"%PDF-1.7".to_vec()), ("b.json", credential("Law"))];
    let root = scene.anchor(&documents).await;
    let verify = |what: &str| scene.run(&format!("verify --json --rpc $RPC {what}"));

    // Included, not final.
    ends(&verify(&format!("a.json {ACCEPT} {TRUST}")), 2, "unverifiable", "anchor", "notSettled");
    ends(&verify(&format!("a.json {ACCEPT} {TRUST} --finality included")), 0, "valid", "anchor", "anchored");
    scene.settle().await;
    for file in ["a.json", "diploma.pdf", "diploma.pdf.receipt.json"] {
        ends(&verify(&format!("{file} {ACCEPT} {TRUST}")), 0, "valid", "anchor", "anchored");
    }

    // What the policy does not name is not believed.
    ends(&verify(&format!("a.json {TRUST}")), 2, "unverifiable", "anchor", "chainNotAccepted");
    ends(&verify(&format!("a.json {ACCEPT}")), 2, "unverifiable", "issuer", "tieUnseen");
    ends(&verify(&format!("diploma.pdf {ACCEPT}")), 2, "unverifiable", "issuer", "unknownAccount");
    let elsewhere = format!("a.json {ACCEPT} --trust did:web:university.example=0x{}", "11".repeat(20));
    ends(&verify(&elsewhere), 1, "invalid", "issuer", "notTheirAccount");

    // Whatever was changed is noticed, with and without the chain.
    let changed = fs::read_to_string(scene.path("a.json")).unwrap().replace("Botany", "Alchemy");
    fs::write(scene.path("changed.json"), changed).unwrap();
    ends(&verify(&format!("changed.json {ACCEPT} {TRUST}")), 1, "invalid", "integrity", "changed");
    let blind = scene.run("verify --json changed.json --rpc http://127.0.0.1:1");
    ends(&blind, 1, "invalid", "integrity", "changed");

    // A chain that cannot be seen is no verdict.
    let unreachable = scene.run(&format!("verify --json a.json --rpc http://127.0.0.1:1 {ACCEPT} {TRUST}"));
    ends(&unreachable, 2, "unverifiable", "anchor", "unseen");
    assert!(unreachable.json()["detail"].as_str().is_some_and(|detail| detail.contains("127.0.0.1:1")));
    let other = Anvil::start(31338).unwrap();
    let wrong = scene.run(&format!("verify --json a.json --rpc {} {ACCEPT} {TRUST}", other.url));
    ends(&wrong, 2, "unverifiable", "anchor", "unseen");
    // An endpoint that might be for any chain is one of those that must agree, until it is said which it is for.
    let both = scene.run(&format!("verify --json a.json --rpc {} --rpc $RPC {ACCEPT} {TRUST}", other.url));
    ends(&both, 2, "unverifiable", "anchor", "unseen");
    assert!(both.json()["detail"].as_str().is_some_and(|detail| detail.contains("eip155:1=URL")), "{both:?}");
    let named = format!("verify --json a.json --rpc eip155:31338={} --rpc $RPC {ACCEPT} {TRUST}", other.url);
    ends(&scene.run(&named), 0, "valid", "anchor", "anchored");

    // One is revoked: the other is not.
    let mut tree = StatusTree::new();
    let set = [StatusIndex::new(2).unwrap()];
    tree.toggle(&set);
    let published = delta::encode(&set).unwrap();
    scene.send(&update_status_call(scene.issuer, Purpose::REVOCATION, 1, tree.root(), &published)).await;
    ends(&verify(&format!("b.json {ACCEPT} {TRUST}")), 1, "invalid", "status", "statusSet");
    ends(&verify(&format!("a.json {ACCEPT} {TRUST}")), 0, "valid", "status", "good");

    // A whole folder: one exit code, a line for each, in the order of their names.
    let all = verify(&format!(". {ACCEPT} {TRUST}"));
    let verdicts: Vec<Value> = all.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let verdicts: Vec<_> = verdicts.iter().map(|report| report["verdict"].as_str().unwrap()).collect();
    assert_eq!((all.code, verdicts), (Some(1), vec!["valid", "invalid", "invalid", "valid"]));

    // The issuer withdraws the batch.
    let withdrawn = scene.run(&format!("issuer withdraw {root} --reason 3 --rpc $RPC --key-file $KEY0 --json"));
    assert_eq!((withdrawn.code, &withdrawn.json()["reason"]), (Some(0), &3.into()), "{withdrawn:?}");
    ends(&verify(&format!("a.json {ACCEPT} {TRUST}")), 1, "invalid", "anchor", "withdrawn");
    let again = scene.run(&format!("issuer withdraw {root} --rpc $RPC --key-file $KEY0"));
    assert!(again.code == Some(1) && again.err.contains("Nothing is left to do"), "{again:?}");
}

#[tokio::test]
async fn people_read_a_line_for_each_check() {
    let Some(scene) = Scene::set().await else { return };
    scene.anchor(&[("a.json", credential("Botany"))]).await;
    scene.settle().await;
    fs::write(scene.path("policy.toml"), format!("issuer = 'optional'\nchains = ['{}']", scene.chain)).unwrap();
    let run = scene.run("verify a.json --rpc $RPC --policy policy.toml");
    assert_eq!(run.code, Some(0), "{run:?}");
    let starts: Vec<_> =
        run.out.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "a.json",
        "✓ integrity",
        "✓ inclusion",
        "✓ anchor",
        "? issuer",
        "– signature",
        "✓ status",
        "✓ validity",
        "rests on",
        "valid",
    ];
    assert_eq!(starts, expected);
    assert!(run.out.contains("leaf 0 of a batch of 1") && run.out.contains("final in block"), "{}", run.out);
    let quiet = scene.run("verify a.json --quiet --rpc $RPC --policy policy.toml");
    assert_eq!((quiet.code, quiet.out.as_str(), quiet.err.as_str()), (Some(0), "", ""));
}
