//! `testamur audit` on a real chain, with a real webhook.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use serde_json::{Value, json};
use testamur_chain::{
    Roles,
    registry::{anchor_call, set_operator_call, update_status_call, withdraw_call},
};
use testamur_core::{
    Address, Hash, Purpose, StatusIndex, UnixSeconds,
    status::{StatusTree, delta},
};

use crate::{
    http::{Answer, serve},
    scene::{PATIENCE, Run, Scene, credential},
};

const OPERATOR: Address = Address([7; 20]);

fn indices(indices: &[u64]) -> Vec<StatusIndex> {
    indices.iter().map(|&index| StatusIndex::new(index).unwrap()).collect()
}

/// Publishes toggled bits under the root that they lead to.
async fn update(scene: &Scene, purpose: Purpose, epoch: u64, tree: &mut StatusTree, toggled: &[u64]) {
    let toggled = indices(toggled);
    tree.toggle(&toggled);
    let delta = delta::encode(&toggled).unwrap();
    scene.send(&update_status_call(scene.issuer, purpose, epoch, tree.root(), &delta)).await;
}

async fn time(scene: &Scene) -> u64 {
    let block: Value = scene.endpoint.request("eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
    u64::from_str_radix(block["timestamp"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

fn objects(run: &Run) -> Vec<Value> {
    run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn events(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["event"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_issuer_that_keeps_the_rules_is_told_in_the_order_of_time() {
    let Some(scene) = Scene::set().await else { return };
    let nothing = scene.run("audit $ISSUER --rpc $RPC");
    assert!(nothing.code == Some(0) && nothing.out.contains("✓ nothing is wrong; entries: 0"), "{nothing:?}");

    let root = scene.anchor(&[("a.json", credential("A")), ("b.pdf", b"%PDF".to_vec())]).await;
    let (mut revoked, mut suspended) = (StatusTree::new(), StatusTree::new());
    update(&scene, Purpose::REVOCATION, 1, &mut revoked, &[1, 2]).await;
    update(&scene, Purpose::SUSPENSION, 1, &mut suspended, &[3]).await;
    update(&scene, Purpose::SUSPENSION, 2, &mut suspended, &[3]).await;
    update(&scene, Purpose(9), 1, &mut StatusTree::new(), &[3, 4, 5]).await;
    let until = UnixSeconds(time(&scene).await + 60);
    scene.send(&set_operator_call(scene.issuer, OPERATOR, Roles::ANCHOR, until)).await;
    scene.send(&set_operator_call(scene.issuer, Address([8; 20]), Roles::REVOKE, until)).await;
    scene.send(&set_operator_call(scene.issuer, Address([8; 20]), Roles::default(), UnixSeconds(0))).await;
    scene.send(&withdraw_call(scene.issuer, root, 4)).await;
    let _: Value = scene.endpoint.request("evm_increaseTime", json!([120])).await.unwrap();
    scene.settle().await;

    // Both the credential with its proof and a receipt tell the root.
    fs::write(scene.path("roots.txt"), format!("# ours\n{root}\n")).unwrap();
    for known in ["a.json", "b.pdf.receipt.json", "roots.txt", "a.json roots.txt"] {
        let run = scene.run(&format!("audit $ISSUER --rpc $RPC --purpose 9 --json --known {known}"));
        assert_eq!(run.code, Some(0), "{known}: {run:?}");
        let objects = objects(&run);
        let expected = [
            "anchored",
            "statusUpdated",
            "statusUpdated",
            "statusUpdated",
            "statusUpdated",
            "operatorAppointed",
            "operatorAppointed",
            "operatorDismissed",
            "withdrawn",
            "operatorExpired",
            "summary",
        ];
        assert_eq!(events(&objects), expected);
        assert!(objects[..9].windows(2).all(|pair| pair[0]["block"].as_u64() <= pair[1]["block"].as_u64()));
        assert_eq!((&objects[0]["known"], &objects[0]["size"]), (&json!(true), &json!(2)));
        assert_eq!(objects[9]["operator"], json!(OPERATOR));
        let summary = objects.last().unwrap();
        assert_eq!((&summary["verdict"], &summary["flaws"]), (&json!("sound"), &json!(0)));
        let set: Vec<_> = summary["status"].as_array().unwrap().iter().map(|status| &status["set"]).collect();
        assert_eq!(set, [2, 0, 3]);
    }
    let told = scene.run("audit $ISSUER --rpc $RPC");
    assert!(told.out.contains("appointed") && told.out.contains("revocation: 2 set, after update 1"), "{told:?}");
}

#[tokio::test]
async fn whatever_is_wrong_is_flagged() {
    let Some(scene) = Scene::set().await else { return };
    scene.send(&anchor_call(scene.issuer, Hash([1; 32]), 1)).await;
    scene.send(&anchor_call(scene.issuer, Hash([2; 32]), 1)).await;
    fs::write(scene.path("roots"), format!("{}\n{}\n", Hash([1; 32]), Hash([3; 32]))).unwrap();
    let run = scene.run("audit $ISSUER --rpc $RPC --known roots");
    assert!(run.code == Some(1) && run.out.contains("none of the known roots"), "{run:?}");
    assert!(run.out.contains("known, but not anchored: 1"), "{run:?}");
    assert_eq!(scene.run("audit $ISSUER --rpc $RPC").code, Some(0), "without a list of one's own nothing is unknown");

    let mut revoked = StatusTree::new();
    update(&scene, Purpose::REVOCATION, 1, &mut revoked, &[1, 2]).await;
    update(&scene, Purpose::REVOCATION, 2, &mut revoked, &[2]).await;
    scene.send(&update_status_call(scene.issuer, Purpose::REVOCATION, 3, Hash([9; 32]), &[0x80])).await;
    update(&scene, Purpose::REVOCATION, 4, &mut revoked, &[7]).await;
    scene.send(&update_status_call(scene.issuer, Purpose::SUSPENSION, 1, Hash([9; 32]), &[])).await;
    let run = scene.run("audit $ISSUER --rpc $RPC --known roots --json");
    assert_eq!(run.code, Some(1), "{run:?}");
    let objects = objects(&run);
    let flaws: Vec<_> =
        objects.iter().flat_map(|object| object["flaws"].as_array().cloned().unwrap_or_default()).collect();
    let flaws: Vec<_> = flaws.iter().map(|flaw| flaw["flaw"].as_str().unwrap()).collect();
    let expected = ["unknownAnchor", "clearedRevocation", "unreadableDelta", "rootDoesNotMatch", "rootDoesNotMatch"];
    assert_eq!(flaws, expected);
    let summary = objects.last().unwrap();
    assert_eq!((&summary["verdict"], &summary["missing"]), (&json!("wrong"), &json!([Hash([3; 32])])));
    assert_eq!((&summary["status"][0]["set"], &summary["status"][1]["set"]), (&json!(2), &Value::Null));
}

#[tokio::test]
async fn what_cannot_be_told_or_is_meant_wrongly() {
    let Some(scene) = Scene::set().await else { return };
    scene.anchor(&[("a.json", credential("A"))]).await;
    fs::write(scene.path("junk"), "not a root\n").unwrap();
    fs::write(scene.path("state"), "{}").unwrap();
    let other = OPERATOR.to_string();
    for (arguments, code, told) in [
        ("audit $ISSUER --rpc http://127.0.0.1:1", 2, "did not answer"),
        ("audit nobody --rpc $RPC", 64, "nobody"),
        ("audit $ISSUER --rpc $RPC --known junk", 64, "line 1"),
        ("audit $ISSUER --rpc $RPC --known missing", 64, "No such file"),
        (&format!("audit {other} --rpc $RPC --known a.json"), 64, "not the one that is audited"),
        ("audit $ISSUER --rpc $RPC --webhook http://127.0.0.1:1", 64, "--state"),
        ("audit $ISSUER --rpc $RPC --watch --state state", 64, "--state state"),
        ("audit $ISSUER --rpc $RPC --watch --every never", 64, "15s"),
    ] {
        let run = scene.run(arguments);
        assert!(run.code == Some(code) && run.err.contains(told), "{arguments}: {run:?}");
    }
}

/// An endpoint that has no events any more.
fn pruned(scene: &Scene) -> String {
    let behind = scene.anvil.url.trim_start_matches("http://").to_owned();
    serve(move |request| {
        if String::from_utf8_lossy(&request.body).contains("eth_getLogs") {
            return Answer::json(200, &json!({ "jsonrpc": "2.0", "id": 1, "result": [] }));
        }
        let mut stream = TcpStream::connect(&behind).unwrap();
        let head = "POST / HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length";
        write!(stream, "{head}: {}\r\n\r\n", request.body.len()).unwrap();
        stream.write_all(&request.body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let body = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        Answer { status: 200, headers: String::new(), body: answer.split_off(body) }
    })
}

#[tokio::test]
async fn what_an_endpoint_has_forgotten_is_no_evidence() {
    let Some(scene) = Scene::set().await else { return };
    let rpc = pruned(&scene);
    assert_eq!(scene.run(&format!("audit $ISSUER --rpc {rpc}")).code, Some(0), "nothing was written yet");
    update(&scene, Purpose::REVOCATION, 1, &mut StatusTree::new(), &[1]).await;
    let run = scene.run(&format!("audit $ISSUER --rpc {rpc}"));
    assert!(run.code == Some(2) && run.err.contains("use an endpoint that keeps history"), "{run:?}");
    assert!(run.out.contains("? not everything could be read"), "{run:?}");
}

/// A watch, until it is dropped.
struct Watch(Child);

impl Watch {
    fn start(scene: &Scene, webhook: &str) -> Self {
        let arguments = ["audit", &scene.issuer.to_string(), "--rpc", &scene.anvil.url, "--watch", "--every", "1s"]
            .map(str::to_owned);
        let child = Command::new(env!("CARGO_BIN_EXE_testamur"))
            .args(arguments)
            .args(["--state", "state.json", "--known", "roots", "--webhook", webhook])
            .current_dir(scene.folder.path())
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until the state file says that everything up to a block was told.
async fn noted(scene: &Scene, block: u64) {
    let noted = || {
        let state: Value = serde_json::from_slice(&fs::read(scene.path("state.json")).ok()?).unwrap();
        (state["block"].as_u64() >= Some(block)).then_some(())
    };
    let wait = async {
        while noted().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the state is written");
}

#[tokio::test]
async fn a_watch_tells_its_webhook_everything_whatever_fails() {
    let Some(scene) = Scene::set().await else { return };
    let (down, (told, posts)) = (Arc::new(AtomicBool::new(false)), mpsc::channel());
    let is_down = down.clone();
    let webhook = serve(move |request| {
        let posted: Value = serde_json::from_slice(&request.body).unwrap();
        let refused = is_down.load(Ordering::SeqCst);
        told.send((refused, posted)).unwrap();
        Answer::json(if refused { 503 } else { 200 }, &json!({}))
    });
    let next = |refused: bool, event: &str| loop {
        let (was_refused, posted) = posts.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {event}"));
        // What was refused is posted again and again until it is taken.
        if was_refused == refused {
            assert_eq!(posted["event"], event, "{posted}");
            return posted;
        }
    };
    fs::write(scene.path("roots"), Hash([1; 32]).to_string()).unwrap();
    scene.send(&anchor_call(scene.issuer, Hash([1; 32]), 1)).await;
    scene.settle().await;

    let watch = Watch::start(&scene, &webhook);
    assert_eq!(next(false, "anchored")["known"], true);
    let fork: Value = scene.endpoint.request("evm_snapshot", json!([])).await.unwrap();
    scene.send(&anchor_call(scene.issuer, Hash([2; 32]), 1)).await;
    let unknown = next(false, "anchored");
    assert_eq!(unknown["flaws"], json!([{ "flaw": "unknownAnchor" }]));

    // A reorganisation takes it away; the watch is told so.
    let _: Value = scene.endpoint.request("evm_revert", json!([fork])).await.unwrap();
    assert_eq!(next(false, "undone")["undone"], unknown);

    // The webhook is down, and meanwhile the watch is killed and started again.
    down.store(true, Ordering::SeqCst);
    scene.send(&anchor_call(scene.issuer, Hash([3; 32]), 1)).await;
    next(true, "anchored");
    drop(watch);
    scene.send(&withdraw_call(scene.issuer, Hash([3; 32]), 1)).await;
    scene.settle().await;
    let watch = Watch::start(&scene, &webhook);
    next(true, "anchored");
    down.store(false, Ordering::SeqCst);
    assert_eq!(next(false, "anchored")["root"], json!(Hash([3; 32])));
    let withdrawn = next(false, "withdrawn");
    assert_eq!(withdrawn["reason"], 1);
    noted(&scene, withdrawn["block"].as_u64().unwrap()).await;
    drop(watch);

    // Started once more, it tells only what is new.
    let _watch = Watch::start(&scene, &webhook);
    let (mut tree, news) = (StatusTree::new(), [5]);
    update(&scene, Purpose::REVOCATION, 1, &mut tree, &news).await;
    assert_eq!(next(false, "statusUpdated")["toggled"], 1);
}
