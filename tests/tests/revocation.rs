//! Is it still good? Told without the issuer, its node or its data: stories of revocation on a real chain, with the
//! programs as users call them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use testamur_tests::harness::{Chain, Fault, Mirror, Node, Proxy, Ran, World, run, until};

/// Files that differ from one another, in an empty folder.
fn documents(world: &World, count: usize) -> Vec<PathBuf> {
    let folder = world.folder().join("documents");
    fs::create_dir_all(&folder).expect("a folder");
    let write = |number| {
        let file = folder.join(format!("{number:04}.txt"));
        fs::write(&file, format!("document {number}")).expect("written");
        file
    };
    (0..count).map(write).collect()
}

fn lines(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
}

fn receipt(file: &Path) -> Value {
    let text = fs::read_to_string(format!("{}.receipt.json", file.display())).expect("a receipt beside it");
    let value: Value = serde_json::from_str(&text).expect("JSON");
    value.get("receipt").cloned().unwrap_or(value)
}

fn status_index(file: &Path) -> u64 {
    receipt(file)["statusIndex"].as_u64().expect("a number")
}

/// The names of the files that `verify` finds valid, and of those that it finds revoked. There must be no others.
fn verdicts(world: &World, folder: &Path, more: &[&str]) -> (BTreeSet<String>, BTreeSet<String>) {
    let trust = ["--trust", &world.issuer.address];
    let ran = world.verify(&[folder], &[&trust, more].concat());
    let (mut valid, mut revoked) = (BTreeSet::new(), BTreeSet::new());
    for report in lines(&ran) {
        let file = report["file"].as_str().expect("a name").to_owned();
        let status = report["checks"].as_array().expect("checks").iter().find(|check| check["check"] == "status");
        match (report["verdict"].as_str(), &status.expect("a status")["outcome"]) {
            (Some("valid"), outcome) if outcome == "pass" => valid.insert(file),
            (Some("invalid"), outcome) if outcome == "fail" => revoked.insert(file),
            _ => panic!("neither valid nor revoked: {report:#}"),
        };
    }
    assert_eq!(ran.code, i32::from(!revoked.is_empty()));
    (valid, revoked)
}

fn names(files: &[PathBuf]) -> BTreeSet<String> {
    files.iter().map(|file| file.display().to_string()).collect()
}

/// `testamur revoke | suspend | reinstate` through a node.
fn change(node: &Node, token: &Path, action: &str, targets: &[&str], more: &[&str]) -> Ran {
    let token = token.to_str().expect("UTF-8");
    let fixed = ["--json", action, "--node", &node.url, "--token-file", token, "--now"];
    run("testamur", [&fixed[..], more, targets].concat())
}

fn texts(files: &[PathBuf]) -> Vec<&str> {
    files.iter().map(|file| file.to_str().expect("UTF-8")).collect()
}

fn overview(url: &str, issuer: &str) -> Value {
    let answer = reqwest::blocking::get(format!("{url}/v1/issuers/{issuer}/status")).expect("answered");
    answer.json().expect("JSON")
}

/// How many of these files have a bit set at the settled block, as a server says; `None` while it cannot say.
fn set_bits(url: &str, issuer: &str, purpose: &str, files: &[PathBuf]) -> Option<usize> {
    let indices: Vec<u64> = files.iter().map(|file| status_index(file)).collect();
    let asked = format!("{url}/v1/issuers/{issuer}/status/{purpose}?at=settled");
    let answer = reqwest::blocking::Client::new().post(asked).json(&json!({ "indices": indices })).send().ok()?;
    let answer: Value = answer.error_for_status().ok()?.json().ok()?;
    Some(answer["statuses"].as_array()?.iter().filter(|status| status["set"] == true).count())
}

#[test]
fn the_chain_alone_tells_what_was_revoked() {
    let world = World::on(Chain::anvil());
    let issuer = world.issuer.address.clone();
    let node = world.node();
    let token = node.token(&issuer, "submit,revoke");
    let files = documents(&world, 1_000);
    let folder = files[0].parent().expect("a folder").to_owned();
    world.anchor(&node.url, &token, &[&folder], "final").expect(0);
    let (valid, revoked) = verdicts(&world, &folder, &[]);
    assert_eq!((valid, revoked.len()), (names(&files), 0));

    // One in ten, scattered; then twice the same, which changes nothing.
    let lost: Vec<PathBuf> = files.iter().skip(3).step_by(10).cloned().collect();
    let (good, bad) = (&names(&files) - &names(&lost), names(&lost));
    assert_eq!(lost.len(), 100);
    change(&node, &token, "revoke", &texts(&lost), &["--wait", "final"]).expect(0);
    change(&node, &token, "revoke", &texts(&lost[..2]), &["--wait", "final"]).expect(0);
    assert_eq!(verdicts(&world, &folder, &["--status", &node.url]), (good.clone(), bad.clone()));

    // The node is gone, and its data: the chain alone tells.
    let url = node.stop();
    fs::remove_dir_all(world.folder().join("data")).expect("removed");
    assert_eq!(verdicts(&world, &folder, &[]), (good.clone(), bad.clone()));
    let gone = ["--status", &url];
    assert_eq!(verdicts(&world, &folder, &gone), (good.clone(), bad.clone()), "a server that is gone is no verdict");

    // A mirror that knows nothing but the contract's address serves them too.
    let mirror = Mirror::start(&world.folder().join("mirror"), &world);
    assert_eq!(verdicts(&world, &folder, &["--status", &mirror.url]), (good.clone(), bad.clone()));
    assert_eq!(set_bits(&mirror.url, &issuer, "revocation", &files), Some(100));
    assert_eq!(set_bits(&mirror.url, &issuer, "revocation", &lost), Some(100));

    // A node that is set up anew goes on where the chain stands.
    let node = world.node();
    let token = node.token(&issuer, "revoke,submit");
    let one = status_index(&files[0]).to_string();
    let refused = change(&node, &token, "revoke", &[&one], &[]);
    assert_eq!(refused.code, 1, "it never assigned that index: {refused:?}");
    let wait = ["--wait", "final", "--assigned-elsewhere"];
    change(&node, &token, "revoke", &[&one], &wait).expect(0);
    let epoch = |url: &str| overview(url, &issuer)["purposes"][0]["head"]["epoch"].as_u64();
    until("the next epoch", || (epoch(&node.url) == Some(2)).then_some(()));
    let (good, bad) = verdicts(&world, &folder, &["--status", &node.url]);
    assert_eq!((good.len(), bad.len()), (899, 101));

    // New credentials get other indices than those that the lost folder gave.
    let new = world.folder().join("new.txt");
    fs::write(&new, "new").expect("written");
    world.anchor(&node.url, &token, &[&new], "final").expect(0);
    assert!(files.iter().all(|file| status_index(file) != status_index(&new)));
}

#[test]
fn suspended_reinstated_revoked_on_anvil() {
    suspended_reinstated_revoked(&World::on(Chain::anvil()));
}

#[test]
fn suspended_reinstated_revoked_on_geth() {
    match Chain::geth() {
        Some(chain) => suspended_reinstated_revoked(&World::on(chain)),
        None => eprintln!(
            "SKIPPED suspended_reinstated_revoked_on_geth: no geth in target/tools (scripts/test builds it where Go is)"
        ),
    }
}

fn suspended_reinstated_revoked(world: &World) {
    let node = world.node();
    let token = node.token(&world.issuer.address, "submit,revoke");
    let files = documents(world, 2);
    let file = files[0].to_str().expect("UTF-8");
    world.anchor(&node.url, &token, &[&files[0], &files[1]], "final").expect(0);
    let status = |more: &[&str]| {
        let registry = ["--chain", &format!("eip155:{}", world.chain_id)];
        let fixed = ["--json", "status", file, "--rpc", &world.chain.url];
        let ran = run("testamur", [&fixed[..], &registry, more].concat());
        (ran.code, lines(&ran).remove(0)["status"].clone())
    };
    let good = world.chain.now();
    assert_eq!(status(&[]), (0, json!("good")));
    change(&node, &token, "suspend", &[file], &["--wait", "final", "--reason", "7"]).expect(0);
    assert_eq!(status(&[]), (1, json!("suspended")));
    change(&node, &token, "reinstate", &[file], &["--wait", "final"]).expect(0);
    assert_eq!(status(&[]), (0, json!("good")));
    change(&node, &token, "revoke", &[file], &["--wait", "final"]).expect(0);
    assert_eq!(status(&["--status", &node.url]), (1, json!("revoked")));
    let refused = change(&node, &token, "reinstate", &[file], &[]).expect(1);
    assert!(format!("{}{}", refused.stdout, refused.stderr).contains("revoked"), "{refused:?}");

    // It was good once; and nobody who cannot be reached makes it revoked or good.
    assert_eq!(status(&["--at", &good.to_string()]), (0, json!("good")));
    let unreachable = ["--rpc", "http://127.0.0.1:9", "--status", &node.url];
    let fixed = ["--json", "status", file];
    let ran = run("testamur", [&fixed[..], &unreachable].concat());
    assert_eq!((ran.code, &lines(&ran)[0]["status"]), (2, &json!("unknown")));
}

#[test]
fn an_issuer_without_its_node_revokes_with_its_own_key() {
    let world = World::on(Chain::anvil());
    let node = world.node();
    let token = node.token(&world.issuer.address, "submit");
    let files = documents(&world, 3);
    world.anchor(&node.url, &token, &[&files[0], &files[1], &files[2]], "final").expect(0);
    drop(node);
    let key = world.issuer.key_file.to_str().expect("UTF-8");
    let straight = ["--json", "revoke", "--rpc", &world.chain.url, "--key-file", key, "--wait", "final"];
    run("testamur", [&straight[..], &texts(&files[1..2])].concat()).expect(0);
    let folder = files[0].parent().expect("a folder");
    let (valid, revoked) = verdicts(&world, folder, &[]);
    assert_eq!((valid.len(), revoked), (2, names(&files[1..2])));
}

/// Kills the node while `method` goes wrong in the given way; afterwards exactly what was acknowledged is on chain.
fn killed_while(method: &str, fault: Fault) {
    let world = World::on(Chain::anvil());
    let proxy = Proxy::to(&world.chain.url);
    let node = world.node_through(&proxy.url);
    let token = node.token(&world.issuer.address, "submit,revoke");
    let files = documents(&world, 20);
    let folder = files[0].parent().expect("a folder").to_owned();
    world.anchor(&node.url, &token, &[&folder], "final").expect(0);
    change(&node, &token, "suspend", &texts(&files[..5]), &["--wait", "final"]).expect(0);

    proxy.set(method, Some(fault));
    let calls = proxy.calls(method);
    change(&node, &token, "revoke", &texts(&files[10..]), &["--wait", "pending"]).expect(0);
    change(&node, &token, "reinstate", &texts(&files[..2]), &["--wait", "pending"]).expect(0);
    until("the step is reached", || (proxy.calls(method) > calls).then_some(()));
    let url = node.kill();
    proxy.set(method, None);

    let node = Node::restart(world.folder(), &url);
    let settled = |purpose| set_bits(&node.url, &world.issuer.address, purpose, &files);
    until("both changes are final", || {
        (settled("revocation") == Some(10) && settled("suspension") == Some(3)).then_some(())
    });
    let (valid, others) = verdicts(&world, &folder, &[]);
    let gone: Vec<PathBuf> = [&files[2..5], &files[10..]].concat();
    assert_eq!(others, names(&gone));
    assert_eq!(valid.len(), 7);
    node.stop();
    let config = world.folder().join("node.toml");
    run("testamur-node", ["check".as_ref(), "--config".as_ref(), config.as_os_str()]).expect(0);
    let audit = ["--json", "audit", &world.issuer.address, "--rpc", &world.chain.url];
    run("testamur", audit).expect(0);
}

#[test]
fn killed_while_an_update_is_sent_in_vain() {
    killed_while("eth_sendRawTransaction", Fault::Hangs);
}

#[test]
fn killed_while_the_reply_to_an_update_is_lost() {
    killed_while("eth_sendRawTransaction", Fault::HangsButTookEffect);
    killed_while("eth_sendRawTransaction", Fault::FailedButTookEffect);
}
