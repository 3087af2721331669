//! What chains, fees, issuers and other people do to a batch on its way.

use std::sync::Arc;

use serde_json::{Value, json};
use testamur_chain::{
    BlockTag, Roles, TxFees,
    registry::{anchor_call, set_operator_call},
    sign,
};
use testamur_core::{Address, Hash, UnixSeconds};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    proxy::{Form, Which},
    world::{CHAIN, Node, World},
};
use crate::{
    anchoring::run,
    store::{BatchRecord, BatchState},
};

pub const GWEI: u128 = 1_000_000_000;
pub const NEVER: UnixSeconds = UnixSeconds(u64::MAX);

/// A pending transaction that stands before every one of ours.
pub async fn outbid(world: &World, account: usize, to: Address, calldata: &[u8], nonce: u64) {
    let fees = TxFees { max_fee: 400 * GWEI, max_priority_fee: 200 * GWEI };
    // Gas for any of these calls, and enough to keep ours out of a block of 80,000.
    let gas = if calldata.is_empty() { 60_000 } else { 200_000 };
    let signed = sign(&world.keys[account], nonce, fees, gas, to, calldata, CHAIN);
    world.anvil.endpoint.send_raw(&signed.raw).await.unwrap();
}

pub async fn set_base_fee(world: &World, wei: u128) {
    let _: Value = world.anvil.rpc("anvil_setNextBlockBaseFeePerGas", json!([format!("{wei:#x}")])).await;
}

pub async fn drop_from_pool(world: &World, node: &Node) {
    for hash in pending(node) {
        let _: Value = world.anvil.rpc("anvil_dropTransaction", json!([hash])).await;
    }
}

pub fn pending(node: &Node) -> Vec<Hash> {
    node.store.open_txs().unwrap().iter().flat_map(|tx| &tx.attempts).map(|attempt| attempt.hash).collect()
}

async fn broadcast(world: &World, node: &mut Node, issuer: usize) -> BatchRecord {
    let batch = node.seal(world.issuer(issuer));
    world.tick(node).await;
    assert_eq!(node.stage(&batch), "broadcast");
    batch
}

#[tokio::test]
async fn a_risen_base_fee_is_outbid() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    broadcast(&world, &mut node, 1).await;
    set_base_fee(&world, 100 * GWEI).await;
    world.tick(&mut node).await;
    assert_eq!(node.versions(), [2]);
    world.finish(&mut node).await;
    world.check(&node).await;
}

#[tokio::test]
async fn fees_above_the_limit_are_waited_out() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node_with(|config| config.max_fee = 20 * GWEI);
    set_base_fee(&world, 50 * GWEI).await;
    let early = node.seal(world.issuer(1));
    world.tick(&mut node).await;
    assert_eq!((node.stage(&early), node.problems()), ("sealed", vec!["fees-above-limit"]));
    set_base_fee(&world, GWEI).await;
    world.tick(&mut node).await;
    assert_eq!((node.stage(&early), node.problems()), ("broadcast", vec![]));
    // They rise once more while it is pending; what was bid cannot be mined, nor more be bid.
    set_base_fee(&world, 50 * GWEI).await;
    world.tick(&mut node).await;
    assert_eq!((node.stage(&early), node.problems()), ("broadcast", vec!["fees-above-limit"]));
    set_base_fee(&world, GWEI).await;
    world.finish(&mut node).await;
    world.check(&node).await;
}

async fn set_block_gas_limit(world: &World, gas: u64) {
    let _: Value = world.anvil.rpc("anvil_setBlockGasLimit", json!([format!("{gas:#x}")])).await;
}

#[tokio::test]
async fn what_blocks_leave_out_too_long_is_replaced() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let batch = broadcast(&world, &mut node, 1).await;
    set_block_gas_limit(&world, 80_000).await;
    // Counted from the first look that finds it waiting.
    for versions in [1, 1, 1, 2, 2, 2, 2, 3] {
        outbid(&world, 3, world.operator(), &[], world.nonce(3).await).await;
        world.anvil.mine(1).await;
        world.tick(&mut node).await;
        assert_eq!((node.stage(&batch), node.versions()), ("broadcast", vec![versions]));
    }
    world.finish(&mut node).await;
    world.check(&node).await;
}

#[tokio::test]
async fn a_transaction_that_no_endpoint_takes_is_made_anew() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let batch = broadcast(&world, &mut node, 1).await;
    drop_from_pool(&world, &node).await;
    set_block_gas_limit(&world, 40_000).await;
    assert!(node.anchoring.tick().await.is_err());
    assert_eq!((node.stage(&batch), node.problems()), ("sealed", vec!["transaction-not-taken"]));
    world.tick(&mut node).await;
    assert_eq!((node.stage(&batch), node.problems()), ("sealed", vec!["batch-refused"]));
    set_block_gas_limit(&world, 30_000_000).await;
    world.finish(&mut node).await;
    world.check(&node).await;
}

#[tokio::test]
async fn a_dropped_transaction_is_sent_again() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    broadcast(&world, &mut node, 1).await;
    drop_from_pool(&world, &node).await;
    world.anvil.mine(1).await;
    world.finish(&mut node).await;
    assert_eq!(world.proxy.seen().iter().filter(|method| *method == "eth_sendRawTransaction").count(), 2);
    world.check(&node).await;
}

#[tokio::test]
async fn a_nonce_used_by_somebody_else_is_given_up() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let batch = broadcast(&world, &mut node, 1).await;
    let before = pending(&node);
    outbid(&world, 0, world.operator(), &[], world.nonce(0).await).await;
    world.anvil.mine(1).await;
    world.tick(&mut node).await;
    assert_eq!(node.stage(&batch), "broadcast");
    assert_ne!(pending(&node), before, "a new transaction");
    world.finish(&mut node).await;
    world.check(&node).await;
}

#[tokio::test]
async fn a_transaction_waiting_under_our_nonce_is_outbid() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let fees = TxFees { max_fee: 4 * GWEI, max_priority_fee: 2 * GWEI };
    let waiting = sign(&world.keys[0], world.nonce(0).await, fees, 30_000, world.operator(), &[], CHAIN);
    world.anvil.endpoint.send_raw(&waiting.raw).await.unwrap();
    let batch = node.seal(world.issuer(1));
    for _ in 0..100 {
        world.tick(&mut node).await;
        if node.stage(&batch) == "broadcast" {
            break;
        }
    }
    assert!(node.versions()[0] > 1);
    world.finish(&mut node).await;
    world.check(&node).await;
}

#[tokio::test]
async fn a_reorg_takes_an_anchor_back_and_it_comes_again() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let first = broadcast(&world, &mut node, 1).await;
    world.anvil.mine(1).await;
    // A second transaction, whose nonce follows, is pending when the first is undone.
    let second = broadcast(&world, &mut node, 2).await;
    assert_eq!(node.stage(&first), "included");
    let _: Value = world.anvil.rpc("anvil_reorg", json!([1, []])).await;
    world.tick(&mut node).await;
    assert_eq!((node.stage(&first), node.stage(&second)), ("broadcast", "broadcast"));
    assert_eq!(node.versions(), [1, 1], "the same transactions");
    world.finish(&mut node).await;
    world.check(&node).await;
}

#[tokio::test]
async fn a_reorg_of_somebody_elses_transaction_leaves_no_gap() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    outbid(&world, 0, world.operator(), &[], world.nonce(0).await).await;
    world.anvil.mine(1).await;
    let batch = broadcast(&world, &mut node, 1).await;
    let before = node.store.open_txs().unwrap();
    let _: Value = world.anvil.rpc("anvil_reorg", json!([1, []])).await;
    world.tick(&mut node).await;
    let after = node.store.open_txs().unwrap();
    assert_eq!((node.stage(&batch), after.len()), ("broadcast", 1));
    assert_eq!(after[0].nonce + 1, before[0].nonce);
    world.finish(&mut node).await;
    world.check(&node).await;
}

#[tokio::test]
async fn an_operator_is_waited_for_and_others_are_not_kept_waiting() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let (appointed, stranger) = (node.seal(world.issuer(1)), node.seal(world.issuer(3)));
    world.tick(&mut node).await;
    assert_eq!((node.stage(&appointed), node.stage(&stranger)), ("broadcast", "sealed"));
    let [reason] = &node.report.health.reasons()[..] else { panic!() };
    assert_eq!((reason.problem, reason.issuer), ("operator-not-appointed", Some(world.issuer(3))));
    assert!(reason.detail.contains(&world.operator().to_string()), "{}", reason.detail);

    let head = world.anvil.endpoint.block(BlockTag::Latest).await.unwrap();
    world.appoint(3, Roles::ANCHOR, UnixSeconds(head.time.0 + 1000)).await;
    let _: Value = world.anvil.rpc("evm_increaseTime", json!([2000])).await;
    world.anvil.mine(1).await;
    world.tick(&mut node).await;
    assert_eq!((node.stage(&stranger), node.problems()), ("sealed", vec!["operator-not-appointed"]), "expired");

    world.appoint(3, Roles::ANCHOR, NEVER).await;
    world.finish(&mut node).await;
    world.check(&node).await;
}

#[tokio::test]
async fn an_issuer_without_batches_is_watched_too() {
    let Some(world) = World::new().await else { return };
    let third = world.issuer(3);
    let mut node = world.node_with(|config| config.issuers.push(third));
    world.tick(&mut node).await;
    assert_eq!(node.problems(), ["operator-not-appointed"]);
    world.tick(&mut node).await;
    assert_eq!(node.problems(), ["operator-not-appointed"], "although no block came");
    world.appoint(3, Roles::ANCHOR, NEVER).await;
    world.tick(&mut node).await;
    assert_eq!(node.problems(), Vec::<&str>::new());
}

#[tokio::test]
async fn no_funds_are_told_and_waited_for() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let set_balance = async |hex: &str| {
        let _: Value = world.anvil.rpc("anvil_setBalance", json!([world.operator(), hex])).await;
    };
    set_balance("0x0").await;
    let batch = node.seal(world.issuer(1));
    world.tick(&mut node).await;
    assert_eq!((node.stage(&batch), node.problems()), ("sealed", vec!["no-funds"]));
    set_balance("0xde0b6b3a7640000").await;
    world.tick(&mut node).await;
    assert_eq!((node.stage(&batch), node.problems()), ("broadcast", vec![]));
    // The money goes while it waits, and the pool drops it.
    drop_from_pool(&world, &node).await;
    set_balance("0x0").await;
    world.tick(&mut node).await;
    assert_eq!((node.stage(&batch), node.problems()), ("broadcast", vec!["no-funds"]));
    set_balance("0xde0b6b3a7640000").await;
    world.finish(&mut node).await;
    world.check(&node).await;
}

#[tokio::test]
async fn a_root_that_is_there_already_is_adopted() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let batch = node.seal(world.issuer(1));
    world.anchor_by_hand(1, batch.root, batch.size).await;
    world.tick(&mut node).await;
    assert_eq!(node.stage(&batch), "included");
    world.finish(&mut node).await;
    world.check(&node).await;
    assert!(!world.proxy.seen().iter().any(|method| method == "eth_sendRawTransaction"));

    // The same from a database that was restored from before: final at once.
    let mut restored = world.node();
    restored.store.put_progress(&[batch], None).unwrap();
    world.tick(&mut restored).await;
    world.check(&restored).await;
}

#[tokio::test]
async fn a_root_anchored_by_hand_while_ours_is_pending_does_not_stop_the_others() {
    let Some(world) = World::new().await else { return };
    for dropped in [true, false] {
        let mut node = world.node();
        let (theirs, ours) = (node.seal(world.issuer(1)), node.seal(world.issuer(2)));
        world.tick(&mut node).await;
        assert_eq!(node.versions(), [1]);
        if dropped {
            drop_from_pool(&world, &node).await;
            world.anchor_by_hand(1, theirs.root, theirs.size).await;
        } else {
            let calldata = anchor_call(theirs.issuer, theirs.root, theirs.size);
            outbid(&world, 1, world.registry.address(), &calldata, world.nonce(1).await).await;
            world.anvil.mine(1).await;
        }
        world.tick(&mut node).await;
        assert_eq!((node.stage(&theirs), node.stage(&ours)), ("included", "broadcast"));
        world.finish(&mut node).await;
        world.check(&node).await;
    }
}

#[tokio::test]
async fn a_root_of_another_size_is_an_alarm_and_never_adopted() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let (foreign, ours) = (node.seal(world.issuer(1)), node.seal(world.issuer(2)));
    world.anchor_by_hand(1, foreign.root, foreign.size + 1).await;
    for _ in 0..6 {
        world.tick(&mut node).await;
        world.anvil.mine(1).await;
    }
    assert_eq!((node.stage(&foreign), node.stage(&ours)), ("sealed", "final"));
    assert_eq!(node.problems(), ["other-size-anchored"]);
}

#[tokio::test]
async fn an_issuer_that_makes_a_transaction_fail_does_not_stop_the_others() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let (bad, good) = (node.seal(world.issuer(1)), node.seal(world.issuer(2)));
    world.tick(&mut node).await;
    let dismissal = set_operator_call(world.issuer(1), world.operator(), Roles(0), UnixSeconds(0));
    outbid(&world, 1, world.registry.address(), &dismissal, world.nonce(1).await).await;
    world.anvil.mine(1).await;
    world.tick(&mut node).await;
    assert_eq!((node.stage(&bad), node.stage(&good)), ("sealed", "broadcast"));
    world.appoint(1, Roles::ANCHOR, NEVER).await;
    let later = node.seal(world.issuer(1));
    world.finish(&mut node).await;
    world.check(&node).await;
    assert_eq!(node.stage(&later), "final");
}

#[tokio::test]
async fn many_batches_are_split_by_count_and_by_gas() {
    let Some(world) = World::new().await else { return };
    for (max_batches, max_gas, transactions) in [(2, 1 << 24, 3), (200, 130_000, 3), (200, 1 << 24, 1)] {
        let mut node = world.node_with(|config| (config.max_batches, config.max_gas) = (max_batches, max_gas));
        for number in 0..5 {
            node.seal(world.issuer(1 + number % 2));
        }
        world.proxy.heal();
        world.finish(&mut node).await;
        world.check(&node).await;
        let sent = world.proxy.seen().iter().filter(|method| *method == "eth_sendRawTransaction").count();
        assert_eq!(sent, transactions, "at most {max_batches} batches and {max_gas} gas");
    }
}

#[tokio::test]
async fn another_chain_behind_the_url_gets_nothing() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let batch = broadcast(&world, &mut node, 1).await;
    world.proxy.claim_chain(5);
    drop_from_pool(&world, &node).await;
    assert!(node.anchoring.tick().await.is_err());
    assert_eq!((node.stage(&batch), node.problems()), ("broadcast", vec!["wrong-chain"]));
    world.proxy.heal();
    world.finish(&mut node).await;
    world.check(&node).await;
}

#[tokio::test]
async fn broken_finality_is_an_alarm_and_rewrites_nothing() {
    let Some(world) = World::new().await else { return };
    let snapshot: Value = world.anvil.rpc("evm_snapshot", json!([])).await;
    let mut node = world.node();
    let old = node.seal(world.issuer(1));
    world.finish(&mut node).await;
    let is_final = node.state(&old);
    let _: Value = world.anvil.rpc("evm_revert", json!([snapshot])).await;
    let new = node.seal(world.issuer(1));
    world.tick(&mut node).await;
    assert_eq!(node.problems(), ["endpoint-behind"]);
    world.anvil.mine(5).await;
    world.tick(&mut node).await;
    assert_eq!(node.problems(), ["finality-broken"]);
    let mut restarted = world.node_over(node.store, |_| ());
    world.tick(&mut restarted).await;
    assert_eq!(restarted.problems(), ["finality-broken"]);
    assert_eq!((restarted.state(&old), restarted.stage(&new)), (is_final, "sealed"));
    assert!(matches!(is_final, BatchState::Final { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loop_anchors_what_it_is_woken_for_and_stops_when_told() {
    let Some(world) = World::new().await else { return };
    world.auto_mine(true).await;
    let node = world.node();
    let mut events = node.report.events.listen();
    // Unreachable at first.
    world.proxy.fail(Which::Every, Form::Refused);
    let (wake, shutdown) = (Arc::new(Notify::new()), CancellationToken::new());
    let mut config = world.config();
    config.poll = std::time::Duration::from_millis(20);
    let running = tokio::spawn(run(node.store.clone(), config, node.report.clone(), wake.clone(), shutdown.clone()));
    let batch = node.seal(world.issuer(1));
    wake.notify_one();
    while world.proxy.seen().len() < 3 {
        tokio::task::yield_now().await;
    }
    world.proxy.heal();
    let included = async { while events.recv().await.unwrap().state.name() != "included" {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), included).await.unwrap();
    assert_eq!(node.stage(&batch), "included");
    shutdown.cancel();
    running.await.unwrap().unwrap();
}
