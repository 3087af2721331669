//! The node is killed (SIGKILL) at each step of anchoring, on a line that fails before or after the step took effect.
//! After the restart: everything acknowledged is anchored, once, and verifies.

use std::{fs, path::PathBuf};

use serde_json::Value;
use testamur_tests::harness::{Chain, Fault, Node, Proxy, World, run, until};

/// Files that differ from one another, as plain documents.
fn documents(world: &World, count: usize) -> PathBuf {
    let folder = world.folder().join("documents");
    fs::create_dir_all(&folder).expect("a folder");
    for number in 0..count {
        fs::write(folder.join(format!("{number}.txt")), format!("document {number}")).expect("written");
    }
    folder
}

/// Submits digests directly, so that nobody waits for receipts, and returns them.
fn submit(node: &Node, token: &PathBuf, issuer: &str, count: u8) -> Vec<String> {
    let digests: Vec<String> = (0..count).map(|n| format!("{n:02x}").repeat(32)).collect();
    let token = fs::read_to_string(token).expect("readable");
    let response = reqwest::blocking::Client::new()
        .post(format!("{}/v1/issuers/{issuer}/digests", node.url))
        .bearer_auth(token.trim())
        .json(&serde_json::json!({ "digests": digests }))
        .send()
        .expect("answered");
    assert!(response.status().is_success(), "{}", response.text().expect("text"));
    digests
}

/// The receipts of all digests, when each batch is final.
fn final_receipts(node: &Node, issuer: &str, digests: &[String]) -> Vec<Value> {
    let receipt = |digest: &String| {
        until("a final receipt", || {
            let response = node.get(&format!("/v1/issuers/{issuer}/receipts/{digest}?state=final")).ok()?;
            (response.status() == 200).then(|| response.json().expect("a receipt"))
        })
    };
    digests.iter().map(receipt).collect()
}

/// Kills the node while `method` goes wrong in the given way, and checks what is left after the restart.
fn killed_while(method: &str, fault: Fault) {
    let world = World::on(Chain::anvil());
    let proxy = Proxy::to(&world.chain.url);
    let node = world.node_through(&proxy.url);
    let token = node.token(&world.issuer.address, "submit");
    proxy.set(method, Some(fault));
    let calls = proxy.calls(method);
    let digests = submit(&node, &token, &world.issuer.address, 20);
    until("the step is reached", || (proxy.calls(method) > calls).then_some(()));
    let url = node.kill();
    proxy.set(method, None);

    let node = Node::restart(world.folder(), &url);
    let receipts = final_receipts(&node, &world.issuer.address, &digests);
    receipts.iter().for_each(|receipt| world.assert_anchored_once(receipt));
    node.stop();
    let config = world.folder().join("node.toml");
    run("testamur-node", ["check".as_ref(), "--config".as_ref(), config.as_os_str()]).expect(0);
}

#[test]
fn killed_before_anything_is_sent() {
    killed_while("eth_getTransactionCount", Fault::Hangs);
}

#[test]
fn killed_while_a_transaction_is_sent_in_vain() {
    killed_while("eth_sendRawTransaction", Fault::Hangs);
    killed_while("eth_sendRawTransaction", Fault::Failed);
}

#[test]
fn killed_while_the_reply_to_a_transaction_is_lost() {
    killed_while("eth_sendRawTransaction", Fault::HangsButTookEffect);
    killed_while("eth_sendRawTransaction", Fault::FailedButTookEffect);
}

#[test]
fn killed_while_waiting_for_inclusion() {
    killed_while("eth_call", Fault::Hangs);
}

#[test]
fn killed_again_and_again_while_files_are_anchored() {
    let world = World::on(Chain::anvil());
    let mut node = world.node();
    let token = node.token(&world.issuer.address, "submit");
    let folder = documents(&world, 12);
    for round in 1..=3 {
        let files: Vec<_> = (0..4 * round).map(|number| folder.join(format!("{number}.txt"))).collect();
        let paths: Vec<_> = files.iter().map(PathBuf::as_path).collect();
        let url = node.url.clone();
        // The client waits for the node to come back; what it acknowledged is neither lost nor anchored twice.
        node = std::thread::scope(|scope| {
            let anchoring = scope.spawn(|| world.anchor(&url, &token, &paths, "final"));
            let under_way = files[4 * round - 1].with_extension("txt.pending.json");
            until("anchoring is under way", || under_way.exists().then_some(()));
            let node = Node::restart(world.folder(), &node.kill());
            anchoring.join().expect("no panic").expect(0);
            node
        });
    }
    let trust = world.issuer.address.as_str();
    let ran = world.verify(&[&folder], &["--trust", trust]).expect(0);
    assert_eq!(ran.stdout.lines().count(), 12);
    let left: Vec<_> = fs::read_dir(&folder).expect("a folder").filter_map(Result::ok).collect();
    assert_eq!(left.len(), 24, "documents and receipts, nothing else: {left:?}");
}
