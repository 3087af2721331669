//! The explorer's pages of a real node, in a real browser. Screenshots: target/screens.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use rand::RngCore;
use reqwest::blocking::Client;
use serde_json::{Value, json};
use testamur_tests::harness::{Chain, Node, World, pages, until};

/// Digests of batches that are anchored one by one, and of those that come close upon each other.
const ONE_BY_ONE: [usize; 5] = [40, 120, 75, 310, 9];
const TOGETHER: [usize; 6] = [18, 260, 140, 66, 501, 220];
/// Revoked and suspended.
const REVOKED: usize = 12;
const SUSPENDED: usize = 3;

#[test]
fn pages_show_what_happened_and_what_happens() {
    let Some(web) = pages("pages_show_what_happened_and_what_happens", "explore/index.html") else { return };
    let world = World::on(Chain::anvil());
    let node = world.node();
    let (issuer, folder) = (&world.issuer.address, world.folder().to_owned());
    let token = fs::read_to_string(node.token(issuer, "submit,revoke,admin")).expect("written");
    let story = Story { url: node.url.clone(), issuer: issuer.clone(), token: token.trim().to_owned() };
    let first = story.submit(ONE_BY_ONE[0]);
    for count in &ONE_BY_ONE[1..] {
        story.settled("included");
        story.submit(*count);
    }
    story.settled("included");
    for count in TOGETHER {
        story.submit(count);
        story.seal();
    }
    story.settled("final");
    story.change("revoke", &first[..REVOKED]);
    story.change("suspend", &first[REVOKED..REVOKED + SUSPENDED]);
    until("the changes are final", || {
        let changes = story.get("changes")["changes"].as_array().cloned().unwrap_or_default();
        (changes.len() == 2 && changes.iter().all(|change| change["state"] == "final")).then_some(())
    });

    let mut looker = Command::new("node");
    looker.arg("tests/explore.mjs").current_dir(&web).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut looker = looker.spawn().expect("Node.js, with which the pages were built");
    let given = json!({
        "url": story.url, "issuer": story.issuer, "token": story.token, "revoked": REVOKED,
        "credentials": ONE_BY_ONE.iter().chain(&TOGETHER).sum::<usize>(),
        "screens": web.join("../target/screens"),
    });
    let mut input = looker.stdin.take().expect("piped");
    writeln!(input, "{given}").expect("written");
    let said = BufReader::new(looker.stdout.take().expect("piped")).lines().map_while(Result::ok).next();
    if said.as_deref() == Some("restart") {
        let url = node.kill();
        let again = Node::restart(&folder, &url);
        writeln!(input, "back").expect("written");
        assert!(looker.wait().expect("ended").success(), "what the pages showed is above; the node: {}", again.log());
    } else {
        panic!("it ended early: {:?}; the node: {}", looker.wait(), node.log());
    }
}

/// An issuer at work, through the API.
struct Story {
    url: String,
    issuer: String,
    token: String,
}

impl Story {
    /// Random digests.
    fn submit(&self, count: usize) -> Vec<String> {
        let mut bytes = vec![0; 32 * count];
        rand::rng().fill_bytes(&mut bytes);
        let digests: Vec<String> = bytes.chunks(32).map(hex::encode).collect();
        self.post("digests", &json!({ "digests": digests }));
        digests
    }

    fn seal(&self) {
        self.post("seal", &Value::Null);
    }

    fn change(&self, action: &str, digests: &[String]) {
        self.post("changes", &json!({ "action": action, "digests": digests, "now": true }));
    }

    /// Waits until the newest batch is in a state, or beyond.
    fn settled(&self, state: &str) {
        until(state, || {
            let page = self.get("batches?limit=100");
            let batches = page["batches"].as_array()?;
            let is_there = |batch: &Value| batch["state"] == state || batch["state"] == "final";
            (!batches.is_empty() && batches.iter().all(is_there)).then_some(())
        });
    }

    fn get(&self, rest: &str) -> Value {
        let request = Client::new().get(format!("{}/v1/issuers/{}/{rest}", self.url, self.issuer));
        request.bearer_auth(&self.token).send().expect("answered").json().expect("JSON")
    }

    fn post(&self, rest: &str, body: &Value) {
        let request = Client::new().post(format!("{}/v1/issuers/{}/{rest}", self.url, self.issuer));
        let answer = request.bearer_auth(&self.token).json(body).send().expect("answered");
        assert!(answer.status().is_success(), "{rest}: {}", answer.text().unwrap_or_default());
    }
}
