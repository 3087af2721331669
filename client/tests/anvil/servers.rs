//! Status servers that lie, stall, or send somebody away: passed over, named, and never believed.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use testamur_chain::registry::update_status_call;
use testamur_core::{
    ListNumber, Purpose, StatusIndex,
    registry::ADDRESS,
    status::{StatusList, StatusTree, bitstring, delta},
};

use crate::{
    http::{Answer, serve},
    scene::{Run, Scene, credential},
};

/// Paths that were asked for.
type Asked = Arc<Mutex<Vec<String>>>;

fn index(number: u64) -> StatusIndex {
    StatusIndex::new(number).unwrap()
}

/// The tree on chain: index 200,000 of list 1 is revoked.
async fn revoke(scene: &Scene) -> StatusTree {
    let mut tree = StatusTree::new();
    let set = [index(200_000)];
    tree.toggle(&set);
    let published = delta::encode(&set).unwrap();
    scene.send(&update_status_call(scene.issuer, Purpose::REVOCATION, 1, tree.root(), &published)).await;
    tree
}

/// What an honest mirror answers about list 1.
fn list(tree: &StatusTree, epoch: u64) -> Value {
    let number = ListNumber::new(1).unwrap();
    let bits = bitstring::encode(tree.list(number).as_bytes());
    json!({ "chain": "eip155:31337", "registry": ADDRESS, "epoch": epoch, "encodedList": bits,
        "path": tree.list_proof(number), "root": tree.root() })
}

fn server(asked: &Asked, answer: impl Fn() -> Answer + Send + 'static) -> String {
    let asked = Arc::clone(asked);
    serve(move |request| {
        asked.lock().unwrap().push(request.line);
        answer()
    })
}

fn status(scene: &Scene, urls: &[&str], more: &str) -> Run {
    let servers: String = urls.iter().map(|url| format!(" --status {url}")).collect();
    scene.run(&format!("status 200000 200001 --issuer $ISSUER --rpc $RPC --purpose revocation{servers} {more}"))
}

/// Both verdicts are right, whatever the servers did.
#[track_caller]
fn is_right(run: &Run, source: &str) {
    let states: Vec<_> =
        run.out.lines().filter(|line| line.starts_with("  ✗ revoked") || line.starts_with("  ✓ good")).collect();
    assert!(run.code == Some(1) && states.len() == 2, "{run:?}");
    assert!(states[0].contains("revoked") && states[1].contains("good"), "{run:?}");
    assert_eq!(run.out.matches(source).count(), 2, "{source}: {run:?}");
}

#[tokio::test]
async fn a_mirror_is_asked_for_whole_lists_and_checked() {
    let Some(scene) = Scene::set().await else { return };
    let tree = revoke(&scene).await;
    scene.settle().await;
    let asked = Asked::default();
    let honest = server(&asked, {
        let list = list(&tree, 1);
        move || Answer::json(200, &list)
    });
    is_right(&status(&scene, &[&honest], ""), &format!("{honest}, checked against the status root on chain"));
    let expected = format!("GET /v1/issuers/{}/status/revocation/lists/1", scene.issuer);
    assert_eq!(*asked.lock().unwrap(), [expected], "one list, and no index");

    // Only who asks for it is asked about single indices.
    asked.lock().unwrap().clear();
    let proofs = tree.clone();
    let single = serve(move |request| {
        let number: u64 = request.line.rsplit('/').next().unwrap().parse().unwrap();
        let proof = proofs.proof(index(number));
        Answer::json(200, &json!({ "chain": "eip155:31337", "registry": ADDRESS, "epoch": 1, "proof": proof }))
    });
    is_right(&status(&scene, &[&single], "--one"), &single);
}

#[tokio::test]
async fn a_server_that_does_not_tell_the_truth_is_named_and_passed_over() {
    let Some(scene) = Scene::set().await else { return };
    let tree = revoke(&scene).await;
    scene.settle().await;
    let asked = Asked::default();
    let honest_list = list(&tree, 1);
    let honest = server(&asked, {
        let list = honest_list.clone();
        move || Answer::json(200, &list)
    });
    let elsewhere = honest.clone();
    let with = |name: &str, value: Value| {
        let mut list = honest_list.clone();
        list[name] = value;
        list
    };
    let empty = with("encodedList", json!(bitstring::encode(StatusList::default().as_bytes())));
    let bomb = with("encodedList", json!(bitstring::encode(&vec![0; 64 << 20])));
    let mut other_chain = empty.clone();
    other_chain["chain"] = json!("eip155:1");
    let stale = list(&StatusTree::new(), 0);
    type Twist = Box<dyn Fn() -> Answer + Send>;
    let json = |body: Value| -> Twist { Box::new(move || Answer::json(200, &body)) };
    let twists: Vec<(Twist, &str)> = vec![
        (json(empty), "IT LIES"),
        (json(other_chain), "on eip155:1"),
        (json(stale), "it is at status update 0, the chain at 1"),
        (json(bomb), "cannot be used"),
        (json(with("path", json!({ "bitmap": 1, "siblings": [] }))), "cannot be used"),
        (json(json!({ "lists": [] })), "cannot be used"),
        (Box::new(|| Answer { status: 200, headers: String::new(), body: vec![b' '; 1 << 20] }), "longer than 65536"),
        (Box::new(move || Answer::json(302, &Value::Null).header("location", &elsewhere)), "302"),
        (Box::new(|| Answer::json(404, &json!({ "title": "no such issuer\u{1b}[2J" }))), "no such issuer"),
        (Box::new(|| Answer::json(500, &Value::Null)), "500"),
    ];
    for (twist, told) in twists {
        let faulty = server(&Asked::default(), twist);
        // Alone, the chain answers; with another, the other does.
        let alone = status(&scene, &[&faulty], "");
        is_right(&alone, "rebuilt from the chain");
        assert!(alone.err.contains(told) && alone.err.contains(&faulty) && !alone.err.contains('\u{1b}'), "{alone:?}");
        asked.lock().unwrap().clear();
        is_right(&status(&scene, &[&faulty, &honest], ""), &honest);
        assert_eq!(asked.lock().unwrap().len(), 1, "{told}: nothing was redirected there");
    }

    // Nobody there, and nobody who ever answers.
    let stalled = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stalled_url = format!("http://{}", stalled.local_addr().unwrap());
    let silent = status(&scene, &["http://127.0.0.1:1", &stalled_url], "");
    is_right(&silent, "rebuilt from the chain");
    assert_eq!(silent.err.matches("did not answer").count(), 2, "{silent:?}");
}

#[tokio::test]
async fn without_a_view_of_the_chain_no_server_is_believed() {
    let Some(scene) = Scene::set().await else { return };
    let tree = revoke(&scene).await;
    let asked = Asked::default();
    let honest = server(&asked, {
        let list = list(&tree, 1);
        move || Answer::json(200, &list)
    });
    let blind = scene.run(&format!(
        "status 200000 --issuer $ISSUER --rpc http://127.0.0.1:1 --chain eip155:31337 --status {honest} --json"
    ));
    assert_eq!((blind.code, &blind.json()["status"]), (Some(2), &"unknown".into()), "{blind:?}");
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_verdict_tells_whose_bits_it_rests_on() {
    let Some(scene) = Scene::set().await else { return };
    scene.anchor(&[("a.json", credential("Botany"))]).await;
    let tree = revoke(&scene).await;
    scene.settle().await;
    let asked = Asked::default();
    let number = ListNumber::new(0).unwrap();
    let body = json!({ "chain": "eip155:31337", "registry": ADDRESS, "epoch": 1, "path": tree.list_proof(number),
        "encodedList": bitstring::encode(tree.list(number).as_bytes()) });
    let mirror = server(&asked, move || Answer::json(200, &body));
    let verify = |more: &str| {
        let trust = "--chain eip155:31337 --trust did:web:university.example=$ISSUER";
        scene.run(&format!("verify a.json --rpc $RPC {trust} {more}"))
    };
    let people = verify(&format!("--status {mirror}"));
    assert!(people.code == Some(0) && people.out.contains(&format!("bits: {mirror}, checked")), "{people:?}");
    let program = verify(&format!("--status {mirror} --json")).json();
    assert_eq!((&program["status"]["status"], &program["status"]["settled"]), (&"good".into(), &true.into()));
    let source = program["status"]["purposes"][0]["source"].as_str().unwrap();
    assert!(source.starts_with(&mirror), "{source}");
    assert!(verify("").out.contains("bits: rebuilt from the chain"));
}
