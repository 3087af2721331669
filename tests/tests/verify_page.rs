//! The page that verifies, in a real browser: against a real chain, on a host without any API, and on a node. Screenshots:
//! target/screens.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;
use testamur_tests::harness::{Chain, World, pages, run};

#[test]
fn the_page_verifies_without_any_server() {
    let Some(web) = pages("the_page_verifies_without_any_server", "verify/index.html") else { return };
    let world = World::on(Chain::anvil());
    let node = world.node();
    let credentials = world.samples();
    for entry in fs::read_dir(web.join("tests/credentials")).expect("committed") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, credentials.join(path.file_name().expect("a file"))).expect("copied");
    }
    let token = node.token(&world.issuer.address, "submit");
    world.anchor(&node.url, &token, &[&credentials], "final").expect(0);
    change(&world, "revoke", &credentials.join("revoked.json"));
    change(&world, "suspend", &credentials.join("suspended.json"));
    let text = fs::read_to_string(credentials.join("botany.json")).expect("readable");
    let tampered = text.replacen("\"value\": \"A\"", "\"value\": \"B\"", 1);
    assert_ne!(text, tampered);
    fs::write(credentials.join("tampered.json"), tampered).expect("written");

    let mut looker = Command::new("node").arg("tests/verify.mjs").current_dir(&web).stdin(Stdio::piped()).spawn();
    let looker = looker.as_mut().expect("Node.js, with which the pages were built");
    let given = json!({
        "node": node.url,
        "rpc": world.chain.url,
        "chain": format!("eip155:{}", world.chain_id),
        "issuer": world.issuer.address,
        "credentials": credentials,
        "screens": web.join("../target/screens"),
    });
    writeln!(looker.stdin.take().expect("piped"), "{given}").expect("written");
    assert!(looker.wait().expect("ended").success(), "what the page showed is above; the node: {}", node.log());
}

/// The issuer changes a status by its own key, without the node.
fn change(world: &World, action: &str, file: &Path) {
    let arguments = [action, "--rpc", &world.chain.url, "--registry", &world.registry, "--key-file"];
    let paths = [world.issuer.key_file.as_os_str(), file.as_os_str()];
    run("testamur", arguments.iter().map(AsRef::as_ref).chain(paths)).expect(0);
}
