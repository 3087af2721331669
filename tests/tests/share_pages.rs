//! Learners and employers in a real browser: `testamur-issuer` issues, invites and serves; a node anchors on a real chain.
//! Screenshots: target/screens.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use testamur_tests::harness::{Chain, Node, Ran, World, binary, pages, run, until};

/// What the browser's side computes without a page: sealing, against the vectors of `tests/vectors`.
#[test]
fn the_browser_seals_as_the_vectors_say() {
    let Some(web) = pages("the_browser_seals_as_the_vectors_say", "share/index.html") else { return };
    let status = Command::new("node").args(["--test", "tests/share-pure.mjs"]).current_dir(web).status();
    assert!(status.expect("Node.js, with which the pages were built").success(), "what failed is above");
}

#[test]
fn learners_claim_share_and_manage_and_employers_verify() {
    let Some(web) = pages("learners_claim_share_and_manage_and_employers_verify", "share/index.html") else { return };
    let world = World::on(Chain::anvil());
    let mut node = Some(world.node());
    let office = Office::open(&world, node.as_ref().expect("just started"));
    let files = office.issue();
    let (server, links) = office.serve(&files);

    let mut looker = Command::new("node");
    looker.arg("tests/share.mjs").current_dir(&web).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut looker = looker.spawn().expect("Node.js, with which the pages were built");
    let given = json!({
        "url": server.url, "rpc": world.chain.url, "folder": world.folder(), "screens": web.join("../target/screens"),
        "invitations": { "botany": links[0], "compilers": links[1], "replaced": links[2] },
    });
    let mut input = looker.stdin.take().expect("piped");
    let wishes = BufReader::new(looker.stdout.take().expect("piped")).lines();
    writeln!(input, "{given}").expect("written");
    for wish in wishes.map_while(Result::ok) {
        let wish: Value = serde_json::from_str(&wish).unwrap_or_else(|error| panic!("{error}: {wish}"));
        let text = |name: &str| wish[name].as_str().expect("a text");
        let done = match text("do") {
            "verify" => json!({ "verdict": office.verdict(Path::new(text("file"))) }),
            "revoke" => office.revoke(text("id")),
            "stop-node" => json!({ "stopped": node.take().map(Node::stop) }),
            other => panic!("{other}?"),
        };
        writeln!(input, "{done}").expect("written");
    }
    assert!(looker.wait().expect("ended").success(), "what the pages showed is above; the server: {}", server.log());
}
