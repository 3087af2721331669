//! The studio's pages, as registrars and teachers use them: a real browser, studio, node and chain. Screenshots:
//! target/screens.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use serde_json::json;
use testamur_tests::harness::{Chain, Studio, World, pages};

const PASSWORD: &str = "correct horse battery staple";

#[test]
fn staff_issue_find_revoke_and_correct() {
    let Some(web) = pages("staff_issue_find_revoke_and_correct", "studio/index.html") else { return };
    let world = World::on(Chain::anvil());
    let node = world.node();
    let people = [("ana", "admin", PASSWORD), ("ben", "issuer", PASSWORD), ("vera", "viewer", PASSWORD)];
    let studio = Studio::start(&world, &node, &people);

    let mut looker = Command::new("node");
    looker.arg("tests/studio.mjs").current_dir(&web).stdin(Stdio::piped());
    let mut looker = looker.spawn().expect("Node.js, with which the pages were built");
    let given = json!({
        "url": studio.url, "password": PASSWORD, "account": world.issuer.address,
        "screens": web.join("../target/screens"),
    });
    let mut input = looker.stdin.take().expect("piped");
    writeln!(input, "{given}").expect("written");
    let ended = looker.wait().expect("ended");
    assert!(ended.success(), "what the pages showed is above; the studio: {}", studio.log());

    let template = fs::read_to_string(studio.folder().join("templates/open-water-lifesaving.toml")).expect("saved");
    assert!(template.contains("targetUrl"), "{template}");
    for secret in [PASSWORD, "ada@example.org"] {
        assert!(!studio.log().contains(secret), "the log says {secret}: {}", studio.log());
    }
}
