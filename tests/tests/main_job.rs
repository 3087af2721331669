//! Credential files in, verdicts out: the stories of the main job, on real chains, with the programs as users call them.

use std::{fs, path::Path};

use serde_json::Value;
use testamur_tests::harness::{Chain, World, run};

/// The lines that `testamur --json verify` prints, one for each file.
fn verdicts(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
}

fn receipt_of(file: &Path) -> Value {
    let shown = run("testamur", ["--json".as_ref(), "receipt".as_ref(), "show".as_ref(), file.as_os_str()]);
    let shown = shown.expect(0).json();
    shown.get("receipt").cloned().unwrap_or(shown)
}

/// Changes one byte of a file, keeping it readable.
fn tamper(file: &Path, from: &str, to: &str) {
    let bytes = fs::read(file).expect("readable");
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).expect("it is there");
    let mut changed = bytes.clone();
    changed.splice(at..at + from.len(), to.bytes());
    fs::write(file, changed).expect("written");
}

fn main_job(world: &World) {
    let node = world.node();
    let token = node.token(&world.issuer.address, "submit");
    let folder = world.samples();
    world.anchor(&node.url, &token, &[&folder], "final").expect(0);

    let valid = world.verify(&[&folder], &[]).expect(0);
    let reports = verdicts(&valid.stdout);
    assert_eq!(reports.len(), 4);
    assert!(reports.iter().all(|report| report["verdict"] == "valid"));
    assert!(folder.join("diploma.pdf.receipt.json").is_file());
    assert!(!folder.join("diploma.pdf.pending.json").exists());
    let receipt = receipt_of(&folder.join("botany.json"));
    world.assert_anchored_once(&receipt);

    // Again: nothing to do, nothing changed.
    let before = fs::read(folder.join("botany.json")).expect("readable");
    world.anchor(&node.url, &token, &[&folder], "final").expect(0);
    assert_eq!(fs::read(folder.join("botany.json")).expect("readable"), before);

    // No digest, and no name, in what the node says about its work.
    let log = node.log();
    let metrics = node.get("/metrics").expect("answered").text().expect("text");
    for secret in ["Rosa", "Botany", "university", receipt["root"].as_str().expect("a root").trim_start_matches("0x")] {
        assert!(!metrics.contains(secret), "{secret} in the metrics");
    }
    assert!(!log.contains("Rosa") && !log.contains("Botany"));

    // The node ends; its data is deleted; the verdicts stay.
    node.stop();
    fs::remove_dir_all(world.folder().join("data")).expect("removed");
    let valid = world.verify(&[&folder], &[]).expect(0);
    assert!(verdicts(&valid.stdout).iter().all(|report| report["verdict"] == "valid"));

    // What was changed is invalid, each with the check that noticed.
    tamper(&folder.join("botany.json"), "\"value\": \"A\"", "\"value\": \"B\"");
    tamper(&folder.join("diploma.pdf"), "Rosa Specimen", "Rosa Specimem");
    for file in ["botany.json", "diploma.pdf"] {
        let refused = world.verify(&[&folder.join(file)], &[]).expect(1);
        let report = &verdicts(&refused.stdout)[0];
        assert_eq!(report["verdict"], "invalid");
        assert_eq!(report["checks"][0]["outcome"], "fail", "{report:#}");
    }
}

#[test]
fn the_main_job_on_anvil() {
    main_job(&World::on(Chain::anvil()));
}

#[test]
fn the_main_job_on_geth() {
    match Chain::geth() {
        Some(chain) => main_job(&World::on(chain)),
        None => eprintln!("SKIPPED the_main_job_on_geth: no geth in target/tools (scripts/test builds it where Go is)"),
    }
}

#[test]
fn what_cannot_be_seen_is_unverifiable() {
    let world = World::on(Chain::anvil());
    let node = world.node();
    let token = node.token(&world.issuer.address, "submit");
    let folder = world.samples();
    let file = folder.join("compilers.json");
    world.anchor(&node.url, &token, &[&file], "final").expect(0);
    let gap = |more: &[&str]| {
        let ran = world.verify(&[&file], more).expect(2);
        let report = verdicts(&ran.stdout).remove(0);
        assert_eq!(report["verdict"], "unverifiable");
        report
    };

    let unreachable = gap(&["--rpc", "http://127.0.0.1:9"]);
    assert_eq!(unreachable["checks"][2]["outcome"], "unknown", "{unreachable:#}");

    let other = Chain::anvil_with(&["--chain-id", "777"]);
    let other_chain = gap(&["--rpc", &other.url]);
    assert_eq!(other_chain["checks"][2]["outcome"], "unknown", "{other_chain:#}");

    // The same chain id, but a chain on which nothing was ever anchored, and shorter than the receipt's block.
    let young = Chain::anvil_with(&[]);
    let behind = gap(&["--rpc", &young.url]);
    assert_eq!(behind["checks"][2]["detail"]["kind"], "behind", "{behind:#}");
}

#[test]
fn a_withdrawn_batch_is_invalid() {
    let world = World::on(Chain::anvil());
    let node = world.node();
    let token = node.token(&world.issuer.address, "submit");
    let file = world.samples().join("first-aid.json");
    world.anchor(&node.url, &token, &[&file], "final").expect(0);
    world.verify(&[&file], &[]).expect(0);
    let root = receipt_of(&file)["root"].as_str().expect("a root").to_owned();
    let arguments = ["issuer", "withdraw", &root, "--reason", "1", "--rpc", &world.chain.url, "--key-file"];
    let key = world.issuer.key_file.as_os_str();
    run("testamur", arguments.iter().map(AsRef::as_ref).chain([key])).expect(0);
    let refused = world.verify(&[&file], &[]).expect(1);
    assert_eq!(verdicts(&refused.stdout)[0]["checks"][2]["detail"]["kind"], "withdrawn");
}

#[test]
fn two_issuers_share_a_node_and_not_their_tokens() {
    let world = World::on(Chain::anvil());
    let other = world.chain.account(2);
    world.appoint(&other, &world.operator.address);
    let node = world.node_for(&world.chain.url, &[&world.issuer, &other]);
    let token = node.token(&other.address, "submit");
    let folder = world.samples();
    let file = folder.join("botany.json");
    // The token decides for whom it is anchored; for somebody else it does not serve.
    let foreign = ["anchor", "--node", &node.url, "--issuer", &world.issuer.address, "--token-file"];
    let arguments = foreign.iter().map(AsRef::as_ref).chain([token.as_os_str(), file.as_os_str()]);
    let refused = run("testamur", arguments);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(refused.stderr.contains("token"), "{refused:?}");

    world.anchor(&node.url, &token, &[&file], "included").expect(0);
    assert_eq!(receipt_of(&file)["issuer"], other.address.as_str());
    // It names Example University, and the employer's policy knows that one by another account.
    let refused = world.verify(&[&file], &["--finality", "included"]).expect(1);
    assert_eq!(verdicts(&refused.stdout)[0]["checks"][3]["detail"]["kind"], "notTheirAccount");
}
