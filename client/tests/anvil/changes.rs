//! Revoking, suspending and reinstating straight on a real chain, and what `status` and `verify` say then.

use std::{process::Stdio, time::Instant};

use serde_json::{Value, json};
use testamur_chain::{KeySource, TxFees, registry::update_status_call, sign};
use testamur_core::{
    Hash, Purpose, StatusIndex,
    registry::ADDRESS,
    status::{StatusTree, delta},
};

use crate::scene::{PATIENCE, Run, Scene, credential};

const ACCEPT: &str = "--chain eip155:31337";

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn an_issuer_without_a_node_revokes_suspends_and_reinstates() {
    let Some(scene) = Scene::set().await else { return };
    let documents =
        [("a.json", credential("Botany")), ("diploma.pdf", b"%PDF-1.7".to_vec()), ("b.json", credential("Law"))];
    scene.anchor(&documents).await;
    scene.settle().await;
    let act = |what: &str| scene.run(&format!("{what} --rpc $RPC --key-file $KEY0"));
    let status = |what: &str| scene.run(&format!("status {what} --rpc $RPC {ACCEPT} --json"));

    let good = status("a.json diploma.pdf b.json");
    assert_eq!(good.code, Some(0), "{good:?}");

    // By file, and by number; both in one update.
    let revoked = act("revoke b.json 70000");
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    assert!(revoked.out.contains("✓ 2 revoked, included in block") && revoked.out.contains("epoch 1"), "{revoked:?}");
    let at_head = status("b.json");
    assert_eq!((at_head.code, &at_head.json()["status"]), (Some(1), &"revoked".into()), "{at_head:?}");
    assert_eq!(at_head.json()["settled"], false);
    scene.settle().await;
    assert_eq!(status("b.json").json()["settled"], true);
    let both = status("70000 70001 --issuer $ISSUER");
    let states: Vec<_> = lines(&both.out).iter().map(|line| line["status"].as_str().unwrap().to_owned()).collect();
    assert_eq!((both.code, states), (Some(1), vec!["revoked".to_owned(), "good".to_owned()]), "{both:?}");

    // Again: nothing is sent.
    let again = act("revoke b.json --wait final");
    assert!(again.code == Some(0) && again.out.contains("– 1 revoked before"), "{again:?}");

    // Suspension can be lifted, revocation cannot.
    assert_eq!(act("suspend a.json").code, Some(0));
    assert_eq!(status("a.json").json()["status"], "suspended");
    scene.settle().await;
    let lifted = act("reinstate a.json b.json");
    assert!(lifted.code == Some(1) && lifted.err.contains("b.json: it is revoked, which is for good"), "{lifted:?}");
    assert!(lifted.out.contains("✓ 1 reinstated, included"), "{lifted:?}");
    let pending = status("a.json");
    assert_eq!(pending.json()["status"], "suspended", "a cleared bit counts when it is final: {pending:?}");
    scene.settle().await;
    assert_eq!(status("a.json").json()["status"], "good");

    // Another's key may not, and a forged receipt names no index of ours.
    let usurped = scene.run("revoke 5 --rpc $RPC --key-file $KEY1 --issuer $ISSUER");
    assert!(usurped.code == Some(1) && usurped.err.contains("NotAuthorized"), "{usurped:?}");
    let forged = scene.forge("forged.pdf", StatusIndex::new(1).unwrap());
    let refused = act(&format!("revoke {forged}"));
    assert!(refused.code == Some(1) && refused.err.contains("has not anchored the root"), "{refused:?}");
    let unbelieved = status(&forged);
    assert_eq!((unbelieved.code, &unbelieved.json()["status"]), (Some(1), &"invalid".into()), "{unbelieved:?}");
}

#[tokio::test]
async fn many_entries_take_several_transactions() {
    let Some(scene) = Scene::set().await else { return };
    // Far apart, so that each takes four bytes of delta.
    let list: String = (0..40_000_u64).map(|n| format!("{}\n", n * 20_000_003 % (1 << 40))).collect();
    std::fs::write(scene.path("list.txt"), list).unwrap();
    let run = scene.run("revoke --from list.txt --rpc $RPC --key-file $KEY0 --json");
    assert_eq!(run.code, Some(0), "{run:?}");
    let steps = lines(&run.out);
    let (last, sent) = steps.split_last().unwrap();
    assert!(sent.len() > 1 && last["count"] == 40_000, "{run:?}");
    assert_eq!(sent.iter().map(|step| step["count"].as_u64().unwrap()).sum::<u64>(), 40_000);
    let found = scene.run("status 20000003 20000004 --issuer $ISSUER --rpc $RPC --json");
    let found = lines(&found.out);
    assert_eq!((&found[0]["status"], &found[1]["status"]), (&"revoked".into(), &"good".into()));
}

#[tokio::test]
async fn a_wrong_root_is_healed_by_the_next_update() {
    let Some(scene) = Scene::set().await else { return };
    let set = [StatusIndex::new(3).unwrap()];
    let published = delta::encode(&set).unwrap();
    scene.send(&update_status_call(scene.issuer, Purpose::REVOCATION, 1, Hash([9; 32]), &published)).await;
    let unknown = scene.run("status 3 --issuer $ISSUER --rpc $RPC");
    assert!(unknown.code == Some(2) && unknown.out.contains("could not tell"), "{unknown:?}");
    let healed = scene.run("revoke 3 --rpc $RPC --key-file $KEY0");
    assert_eq!(healed.code, Some(0), "{healed:?}");
    assert_eq!(scene.run("status 3 --issuer $ISSUER --rpc $RPC").code, Some(1));
    let mut tree = StatusTree::new();
    tree.toggle(&set);
    let record = scene.status_record(Purpose::REVOCATION).await;
    assert_eq!((record.epoch, record.root), (2, tree.root()));
}

#[tokio::test]
async fn the_past_is_told_as_it_was() {
    let Some(scene) = Scene::set().await else { return };
    let start = scene.now().await;
    scene.warp(start + 1000).await;
    scene.anchor(&[("a.json", credential("Botany"))]).await;
    scene.warp(start + 2000).await;
    assert_eq!(scene.run("suspend a.json --rpc $RPC --key-file $KEY0").code, Some(0));
    scene.warp(start + 3000).await;
    assert_eq!(scene.run("reinstate a.json --rpc $RPC --key-file $KEY0").code, Some(0));
    scene.warp(start + 4000).await;
    scene.settle().await;
    let at = |command: &str, after: u64| {
        scene.run(&format!("{command} a.json --rpc $RPC {ACCEPT} --json --at {}", start + after))
    };
    for (after, code, word) in [(1500, 0, "good"), (2500, 1, "suspended"), (3500, 0, "good"), (500, 1, "invalid")] {
        let run = at("status", after);
        assert_eq!((run.code, &run.json()["status"]), (Some(code), &word.into()), "{after}: {run:?}");
    }
    let trust = "--trust did:web:university.example=$ISSUER";
    let verdict = |after| at(&format!("verify {trust}"), after).json()["verdict"].clone();
    assert_eq!([500, 1500, 2500, 3500].map(verdict), ["invalid", "valid", "invalid", "valid"]);
    assert_eq!(at("status", 1_000_000).code, Some(2), "the future is not settled");
    let before = scene.run(&format!("status a.json --rpc $RPC {ACCEPT} --at 1970-01-02"));
    assert!(before.code == Some(2) && before.out.contains("1970-01-02T00:00:00Z or older"), "{before:?}");
}

#[tokio::test]
async fn whoever_is_overtaken_adapts_and_nothing_is_lost() {
    let Some(scene) = Scene::set().await else { return };
    let operator = KeySource::KeyFile(scene.path(".key1")).load().unwrap();
    let appoint =
        format!("issuer appoint {} --roles revoke --expires 90d --rpc $RPC --key-file $KEY0", operator.address());
    assert_eq!(scene.run(&appoint).code, Some(0));

    scene.ask("evm_setAutomine", json!([false])).await;
    let arguments = "revoke 5 --rpc $RPC --key-file $KEY0";
    let ours = scene.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until(|| async { scene.ask("txpool_status", json!([])).await["pending"] == "0x1" }).await;

    // Somebody pays more for the same epoch, and is in the block before us.
    let mut tree = StatusTree::new();
    let set = [StatusIndex::new(9).unwrap()];
    tree.toggle(&set);
    let published = delta::encode(&set).unwrap();
    let calldata = update_status_call(scene.issuer, Purpose::REVOCATION, 1, tree.root(), &published);
    let fees = TxFees { max_fee: 90_000_000_000, max_priority_fee: 50_000_000_000 };
    let signed = sign(&operator, 0, fees, 200_000, ADDRESS, &calldata, scene.chain);
    scene.endpoint.send_raw(&signed.raw).await.unwrap();
    scene.ask("evm_mine", json!([])).await;
    scene.ask("evm_setAutomine", json!([true])).await;

    let ours = tokio::task::spawn_blocking(|| Run::new(ours.wait_with_output().unwrap())).await.unwrap();
    assert!(ours.code == Some(0) && ours.out.contains("epoch 2"), "{ours:?}");
    let states = scene.run("status 5 9 --issuer $ISSUER --rpc $RPC --json");
    assert!(lines(&states.out).iter().all(|line| line["status"] == "revoked"), "{states:?}");
}

/// Asks until it is so.
async fn until<F: Future<Output = bool>>(is_so: impl Fn() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "it never came");
    }
}
