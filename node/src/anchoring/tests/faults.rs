//! Every request of a batch's life fails in every form, with and without a restart.

use std::sync::Arc;

use super::{
    proxy::{Form, Which},
    world::{Node, World},
};
use crate::{
    events::Subject,
    store::{BatchId, BatchRecord, Store},
};

/// Three batches of two issuers.
fn three_batches(world: &World, node: &Node) -> Vec<BatchRecord> {
    [1, 2, 1].map(|issuer| node.seal(world.issuer(issuer))).into()
}

/// One tick, or its end as a killed process has it: somewhere inside, when its request hangs.
pub async fn tick_or_die(world: &World, node: &mut Node) -> bool {
    tokio::select! {
        ticked = node.anchoring.tick() => ticked.is_ok(),
        () = world.proxy.hung.notified() => false,
    }
}

/// A life in which the n-th request fails; whether it had so many.
async fn life_with_fault(world: &World, store: &Arc<Store>, nth: usize, form: Form, restart: bool) -> bool {
    let mut node = world.node_over(store.clone(), |_| ());
    let (batches, nonce) = (three_batches(world, &node), world.nonce(0).await);
    world.proxy.fail(Which::Nth(nth), form);
    let mut failed = false;
    while !failed && !store.unfinished_batches().unwrap().is_empty() {
        failed = !tick_or_die(world, &mut node).await;
        if !failed {
            world.anvil.mine(1).await;
        }
    }
    world.proxy.heal();
    if restart || form.hangs() {
        node = world.node_over(node.store, |_| ());
    }
    world.finish(&mut node).await;
    world.check_batches(&node, &batches).await;
    assert_eq!(world.nonce(0).await, nonce + 1, "request {nth}, {form:?}: one transaction, and none in vain");
    failed
}

/// All requests of a life, one after the other.
async fn every_request_fails(form: Form, restart: bool) {
    let Some(world) = World::new().await else { return };
    let (store, mut nth) = (world.store(), 0);
    while life_with_fault(&world, &store, nth, form, restart).await {
        nth += 1;
    }
    assert!(nth > 30, "a life has more requests than {nth}");
}

#[tokio::test]
async fn whichever_request_is_refused_each_batch_is_anchored_once() {
    every_request_fails(Form::Refused, false).await;
    every_request_fails(Form::Refused, true).await;
}

#[tokio::test]
async fn whichever_reply_is_lost_each_batch_is_anchored_once() {
    every_request_fails(Form::ReplyLost, false).await;
    every_request_fails(Form::ReplyLost, true).await;
}

#[tokio::test]
async fn wherever_the_process_is_killed_each_batch_is_anchored_once() {
    every_request_fails(Form::HangsBefore, true).await;
    every_request_fails(Form::HangsAfter, true).await;
}

#[tokio::test]
async fn a_life_without_faults_is_told_in_order() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let mut events = node.report.events.listen();
    three_batches(&world, &node);
    world.finish(&mut node).await;
    world.check(&node).await;
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        told.push((event.subject, event.state.name()));
    }
    let life = ["prepared", "broadcast", "included", "final"];
    let expected: Vec<_> =
        life.iter().flat_map(|stage| [1, 2, 3].map(|id| (Subject::Batch(BatchId(id)), *stage))).collect();
    assert_eq!(told, expected);
    assert_eq!(world.proxy.seen().iter().filter(|method| *method == "eth_sendRawTransaction").count(), 1);
    let batch = node.store.batch(BatchId(1)).unwrap().unwrap();
    let cost = node.store.cost(batch.anchor().unwrap().transaction).unwrap().unwrap();
    assert!(cost.batches == 3 && cost.gas_used > 50_000 && cost.fee() > Some(0), "{cost:?}");
}

#[tokio::test]
async fn an_endpoint_that_is_away_changes_nothing() {
    let Some(world) = World::new().await else { return };
    for which in ["eth_chainId", "eth_call", "eth_sendRawTransaction", "eth_estimateGas"] {
        let mut node = world.node();
        let batch = node.seal(world.issuer(1));
        world.proxy.fail(Which::Method(which), Form::Refused);
        for _ in 0..3 {
            assert!(node.anchoring.tick().await.is_err(), "{which}");
        }
        assert_eq!(node.problems(), ["chain-unavailable"], "{which}");
        let stage = if which == "eth_sendRawTransaction" { "prepared" } else { "sealed" };
        assert_eq!(node.stage(&batch), stage, "{which}");
        assert!(node.versions().iter().all(|versions| *versions == 1), "the same bytes are sent again");
        world.proxy.heal();
        world.finish(&mut node).await;
        world.check(&node).await;
    }
}
