//! A studio that is killed in the middle of a run takes it up again; one whose node is away waits for it.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testamur_tests::harness::{Chain, Fault, Node, Proxy, Studio, World};

use super::{
    browser::Browser,
    story::{PASSWORD, TEMPLATE},
};

const PEOPLE: [(&str, &str, &str); 1] = [("ana", "admin", PASSWORD)];
const ROSTER: &str = "id,name,email\n1,Ada,ada@example.edu\n2,Grace,grace@example.edu\n3,Nobody,no address\n";

fn begin(ana: &Browser, roster: &str) -> Value {
    assert_eq!(ana.status(Method::PUT, "templates/botany", Some(json!({ "text": TEMPLATE }))), StatusCode::OK);
    let roster = ana.upload("botany", roster)["roster"].clone();
    ana.post("runs", json!({ "template": "botany", "roster": roster }))["run"].clone()
}

/// Everybody has theirs, once.
fn check(ana: &Browser, learners: usize) {
    let listed = ana.get("credentials")["credentials"].as_array().expect("a list").clone();
    assert_eq!(listed.len(), learners);
    assert!(listed.iter().all(|credential| credential["state"] == "good"), "{listed:#?}");
    let of: BTreeSet<_> = listed.iter().map(|credential| credential["learner"].to_string()).collect();
    assert_eq!(of.len(), learners);
}

#[test]
fn a_killed_studio_goes_on_with_its_runs() {
    let world = World::on(Chain::anvil());
    let node = world.node();
    let line = Proxy::to(&node.url);
    let studio = Studio::start_with(&world, &node, &line.url, &PEOPLE, |_| String::new());
    let ana = Browser::signed_in(&studio.url, "ana", PASSWORD);
    line.set("receipts", Some(Fault::Hangs));
    let run = begin(&ana, ROSTER);
    let second = begin(&ana, "id,name,email\n4,Alan,alan@example.edu\n");
    ana.until(&run, "the node has it", |run| run["submitted"] == 2);
    assert_eq!(ana.get(&format!("runs/{second}"))["state"], "queued");
    let studio = studio.crash();
    assert_eq!(ana.get("session")["name"], "ana", "who was signed in still is");
    line.set("receipts", None);
    let last = ana.watch(&run).pop().expect("events");
    assert_eq!((&last["state"], &last["written"]), (&json!("done"), &json!(2)), "{last}");
    let summary = &last["summary"];
    assert_eq!(
        (&summary["issued"], &summary["already"], &summary["faults"]),
        (&json!(2), &json!(0), &json!(1)),
        "{last}"
    );
    assert_eq!(last["passed"].as_array().map(Vec::len), Some(1), "{last}");
    assert_eq!(ana.watch(&second).pop().expect("events")["state"], "done");
    check(&ana, 3);
    studio.stop();
}

#[test]
fn a_run_waits_for_a_node_that_is_away() {
    let world = World::on(Chain::anvil());
    let node = world.node();
    let studio = Studio::start(&world, &node, &PEOPLE);
    let url = node.kill();
    let ana = Browser::signed_in(&studio.url, "ana", PASSWORD);
    assert_eq!(ana.get("issuer")["node"]["ready"], json!(false));
    let run = begin(&ana, ROSTER);
    let held = ana.until(&run, "the run is held", |run| run["state"] == "held");
    assert!(held["error"].as_str().is_some_and(|error| error.contains(&url)), "{held}");
    let _node = Node::restart(world.folder(), &url);
    let last = ana.watch(&run).pop().expect("events");
    assert_eq!((&last["state"], &last["error"], &last["written"]), (&json!("done"), &Value::Null, &json!(2)), "{last}");
    check(&ana, 2);
}

#[test]
fn what_was_revoked_without_the_node_is_revoked_when_it_is_back() {
    let world = World::on(Chain::anvil());
    let node = world.node();
    let studio = Studio::start(&world, &node, &PEOPLE);
    let ana = Browser::signed_in(&studio.url, "ana", PASSWORD);
    let run = begin(&ana, ROSTER);
    assert_eq!(ana.watch(&run).pop().expect("events")["state"], "done");
    let url = node.kill();
    let id = ana.get("credentials?search=ada")["credentials"][0]["id"].clone();
    let answer = ana.post("credentials/revoke", json!({ "ids": [id] }));
    assert_eq!(answer, json!({ "revoked": [], "refused": [], "waiting": [id] }));
    let _node = Node::restart(world.folder(), &url);
    // Any run carries out what was decided; here it is the studio's own first look after a new start.
    let _studio = studio.crash();
    let path = format!("credentials/{}", id.as_str().expect("an id"));
    testamur_tests::harness::until("it is revoked", || (ana.get(&path)["state"] == "revoked").then_some(()));
}
