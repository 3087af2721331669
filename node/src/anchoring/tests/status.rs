//! What chains, fees, reorgs, limits and other people do to a change of status on its way.

use std::{collections::BTreeSet, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use testamur_chain::{
    BlockTag, Roles,
    registry::{set_operator_call, update_status_call},
};
use testamur_core::{
    Hash, Purpose, StatusIndex, UnixSeconds,
    status::{StatusTree, delta},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{
    stories::{GWEI, NEVER, drop_from_pool, outbid, pending, set_base_fee},
    world::{CHAIN, Node, World},
};
use crate::{
    anchoring::{Fault, StatusPolicy},
    events::Subject,
    mirror::{self, Limits, Mirror, MirrorConfig},
    store::{Action, ChangeId},
};

const SUSPENSION: Purpose = Purpose::SUSPENSION;

fn indices(numbers: &[u64]) -> Vec<StatusIndex> {
    numbers.iter().map(|&n| StatusIndex::new(n).unwrap()).collect()
}

/// Indices below `end`, each time the same.
fn random(count: usize, end: u64) -> BTreeSet<u64> {
    let mut rng = StdRng::seed_from_u64(count as u64);
    let mut chosen = BTreeSet::new();
    while chosen.len() < count {
        chosen.insert(rng.random_range(0..end));
    }
    chosen
}

/// A change whose update is sent.
async fn sent(world: &World, node: &mut Node, action: Action, numbers: &[u64]) -> ChangeId {
    let id = node.change(world.issuer(1), action, numbers.iter().copied());
    world.look_and_tick(node).await;
    assert_eq!((node.change_stage(id), node.versions().last()), ("pending", Some(&1)));
    id
}

/// An update by the issuer itself: calldata, on top of these bits.
fn foreign(world: &World, epoch: u64, before: &[u64], toggled: &[u64]) -> Vec<u8> {
    let mut tree = StatusTree::new();
    tree.toggle(&indices(before));
    tree.toggle(&indices(toggled));
    let delta = delta::encode(&indices(toggled)).unwrap();
    update_status_call(world.issuer(1), SUSPENSION, epoch, tree.root(), &delta)
}

async fn gas_of(world: &World, hash: Hash) -> u64 {
    world.anvil.endpoint.tx_receipt(hash).await.unwrap().unwrap().gas_used
}

#[tokio::test]
async fn a_life_without_faults_is_told_in_order() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let mut events = node.report.events.listen();
    let revoked = node.change(world.issuer(1), Action::Revoke, [5, 700]);
    world.finish_changes(&mut node).await;
    world.check_changes(&node).await;
    // What is so already needs no transaction, and rests on the update that made it so.
    let again = node.change(world.issuer(1), Action::Revoke, [5]);
    let nonce = world.nonce(0).await;
    world.look_and_tick(&mut node).await;
    assert_eq!((node.change_stage(again), world.nonce(0).await), ("final", nonce));
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        told.push((event.subject, event.state.name()));
    }
    let expected = [(revoked, "included"), (revoked, "final"), (again, "final")];
    assert_eq!(told, expected.map(|(id, state)| (Subject::Change(id), state)));
}

#[tokio::test]
async fn changes_are_gathered_by_age_and_by_count() {
    let Some(world) = World::new().await else { return };
    let policy = StatusPolicy { max_age: Duration::from_secs(3600), max_changes: 5 };
    let mut node = world.node_with(|config| config.status = policy);
    let change = |node: &Node, first: u64| {
        let (issuer, indices) = (world.issuer(1), indices(&[first, first + 1]));
        let accepted_at = crate::clock::now();
        let new = crate::store::NewChange {
            issuer,
            action: Action::Suspend,
            reason: 0,
            accepted_at,
            now: false,
            indices,
            key: None,
        };
        node.store.accept_change(&new).unwrap();
    };
    for first in [10, 20] {
        change(&node, first);
        world.look_and_tick(&mut node).await;
        assert!(node.versions().is_empty(), "neither old nor many");
    }
    change(&node, 30);
    world.look_and_tick(&mut node).await;
    assert_eq!(node.versions(), [1]);
    world.finish_changes(&mut node).await;
    world.check_changes(&node).await;
    assert_eq!(world.check_updates(world.issuer(1), SUSPENSION).await.0.len(), 1);
}

#[tokio::test]
async fn a_suspension_is_lifted_before_and_while_it_is_on_its_way() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    node.change(world.issuer(1), Action::Suspend, [1]);
    node.change(world.issuer(1), Action::Reinstate, [1]);
    world.finish_changes(&mut node).await;
    assert_eq!(world.check_updates(world.issuer(1), SUSPENSION).await.0.len(), 0, "nothing to write");

    sent(&world, &mut node, Action::Suspend, &[2]).await;
    let lifted = node.change(world.issuer(1), Action::Reinstate, [2]);
    world.look_and_tick(&mut node).await;
    assert_eq!(node.change_stage(lifted), "pending", "although the bit is clear still");
    world.finish_changes(&mut node).await;
    world.check_changes(&node).await;
    assert_eq!(world.check_updates(world.issuer(1), SUSPENSION).await.0.len(), 2);
}

#[tokio::test]
async fn status_and_batches_take_turns() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    node.change(world.issuer(1), Action::Suspend, [1]);
    node.change(world.issuer(2), Action::Revoke, [1]);
    let batch = node.seal(world.issuer(1));
    for expected in ["sealed", "sealed", "broadcast"] {
        world.look_and_tick(&mut node).await;
        assert_eq!(node.stage(&batch), expected);
        world.anvil.mine(1).await;
    }
    world.finish_changes(&mut node).await;
    world.check(&node).await;
    world.check_changes(&node).await;
}

#[tokio::test]
async fn a_risen_base_fee_is_outbid_and_a_dropped_transaction_sent_again() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    sent(&world, &mut node, Action::Suspend, &[1]).await;
    set_base_fee(&world, 100 * GWEI).await;
    world.look_and_tick(&mut node).await;
    assert_eq!(node.versions(), [2]);
    drop_from_pool(&world, &node).await;
    world.finish_changes(&mut node).await;
    world.check_changes(&node).await;
    assert_eq!(world.check_updates(world.issuer(1), SUSPENSION).await.0.len(), 1);
}

#[tokio::test]
async fn a_nonce_used_by_somebody_else_is_given_up() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let change = sent(&world, &mut node, Action::Suspend, &[1]).await;
    outbid(&world, 0, world.operator(), &[], world.nonce(0).await).await;
    world.anvil.mine(1).await;
    world.look_and_tick(&mut node).await;
    assert_eq!(
        (node.change_stage(change), node.versions()),
        ("pending", vec![1, 1]),
        "a new one, the old one remembered"
    );
    world.finish_changes(&mut node).await;
    world.check_changes(&node).await;
}

#[tokio::test]
async fn a_reorg_takes_an_update_back_and_it_comes_again() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let first = sent(&world, &mut node, Action::Suspend, &[1]).await;
    world.anvil.mine(1).await;
    let second = sent(&world, &mut node, Action::Suspend, &[2]).await;
    assert_eq!(node.change_stage(first), "included");
    let _: Value = world.anvil.rpc("anvil_reorg", json!([1, []])).await;
    world.look_and_tick(&mut node).await;
    assert_eq!((node.change_stage(first), node.change_stage(second)), ("pending", "pending"));
    assert_eq!(node.versions(), [1, 1], "the same transactions");
    world.finish_changes(&mut node).await;
    world.check_changes(&node).await;
    assert_eq!(world.check_updates(world.issuer(1), SUSPENSION).await.0.len(), 2);
}

/// Our update waits on top of the issuer's own, which a reorg takes away; another one of the issuer's comes instead.
async fn replaced_beneath(world: &World, node: &mut Node) -> ChangeId {
    world.act(1, &foreign(world, 1, &[], &[100])).await;
    let ours = sent(world, node, Action::Suspend, &[1, 2]).await;
    let _: Value = world.anvil.rpc("anvil_reorg", json!([1, []])).await;
    outbid(world, 1, world.registry.address(), &foreign(world, 1, &[], &[2, 200]), world.nonce(1).await).await;
    ours
}

#[tokio::test]
async fn an_update_whose_base_a_reorg_replaced_is_taken_back() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let ours = replaced_beneath(&world, &mut node).await;
    let raw = node.store.open_txs().unwrap()[0].attempts[0].raw.clone();
    drop_from_pool(&world, &node).await;
    world.anvil.mine(1).await;
    // Somebody has kept it.
    world.anvil.endpoint.send_raw(&raw).await.unwrap();
    world.look_and_tick(&mut node).await;
    assert_eq!(node.versions(), [1, 1], "one that does nothing has its nonce");
    world.finish_changes(&mut node).await;
    world.check_changes(&node).await;
    assert_eq!(node.change_stage(ours), "final");
    let (updates, tree) = world.check_updates(world.issuer(1), SUSPENSION).await;
    assert_eq!((updates.len(), tree.set_bits().collect::<Vec<_>>()), (2, indices(&[1, 2, 200])));
}

#[tokio::test]
async fn an_update_that_was_mined_on_another_base_is_healed() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let ours = replaced_beneath(&world, &mut node).await;
    world.anvil.mine(1).await;
    let record = world.registry.status_of(world.issuer(1), SUSPENSION, BlockTag::Latest).await.unwrap();
    assert_eq!(record.epoch, 2, "both are in one block");
    world.look_and_tick(&mut node).await;
    assert_eq!((node.change_stage(ours), node.problems()), ("pending", vec!["status-root-wrong"]));
    world.finish_changes(&mut node).await;
    assert_eq!((node.change_stage(ours), node.problems()), ("final", vec![]));
    // 2 was toggled back by the wrong one: the one that heals it set it again.
    let record = world.registry.status_of(world.issuer(1), SUSPENSION, BlockTag::Latest).await.unwrap();
    let mut tree = StatusTree::new();
    tree.toggle(&indices(&[1, 2, 200]));
    assert_eq!((record.epoch, record.root), (3, tree.root()));
}

#[tokio::test]
async fn what_somebody_else_published_wrongly_is_not_built_upon() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let wrong = update_status_call(world.issuer(1), SUSPENSION, 1, Hash([9; 32]), &[]);
    world.act(1, &wrong).await;
    let (blind, other) =
        (node.change(world.issuer(1), Action::Suspend, [1]), node.change(world.issuer(1), Action::Revoke, [1]));
    for _ in 0..6 {
        world.look_and_tick(&mut node).await;
        world.anvil.mine(1).await;
    }
    assert_eq!((node.change_stage(blind), node.change_stage(other)), ("pending", "final"));
    assert_eq!(node.problems(), ["status-damaged"]);
    world.act(1, &foreign(&world, 2, &[], &[])).await;
    world.finish_changes(&mut node).await;
    assert_eq!((node.change_stage(blind), node.problems()), ("final", vec![]));
}

#[tokio::test]
async fn an_epoch_that_somebody_else_took_is_passed_over() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    sent(&world, &mut node, Action::Suspend, &[1, 2]).await;
    outbid(&world, 1, world.registry.address(), &foreign(&world, 1, &[], &[2, 3]), world.nonce(1).await).await;
    world.anvil.mine(1).await; // both are in it, and ours fails
    world.finish_changes(&mut node).await;
    world.check_changes(&node).await;
    let (updates, tree) = world.check_updates(world.issuer(1), SUSPENSION).await;
    assert_eq!((updates.len(), tree.set_bits().collect::<Vec<_>>()), (2, indices(&[1, 2, 3])));
}

#[tokio::test]
async fn strangers_are_not_fought() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let change = sent(&world, &mut node, Action::Suspend, &[1, 2]).await;
    world.anvil.mine(1).await;
    world.look_and_tick(&mut node).await;
    assert_eq!(node.change_stage(change), "included");
    world.act(1, &foreign(&world, 2, &[1, 2], &[2])).await;
    world.finish_changes(&mut node).await;
    assert_eq!(node.change_stage(change), "final");
    let (updates, tree) = world.check_updates(world.issuer(1), SUSPENSION).await;
    assert_eq!((updates.len(), tree.set_bits().collect::<Vec<_>>()), (2, indices(&[1])));
}

#[tokio::test]
async fn what_the_endpoint_does_not_take_is_tried_again_and_kept_once() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let change = node.change(world.issuer(1), Action::Revoke, 0..1000);
    world.proxy.refuse_transactions("oversized data");
    for _ in 0..6 {
        world.mirror_looks().await;
        assert!(matches!(node.anchoring.tick().await, Err(Fault::NotTaken(_))));
        assert_eq!(node.problems(), ["transaction-not-taken"]);
    }
    assert_eq!(node.versions(), [1]);
    world.proxy.heal();
    world.finish_changes(&mut node).await;
    assert_eq!(node.change_stage(change), "final");
    world.check_changes(&node).await;
}

/// Every endpoint but an archive forgets what the contract held some blocks ago.
#[tokio::test]
async fn no_archive_is_needed() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    world.act(1, &foreign(&world, 1, &[], &[1])).await;
    // It rests on what somebody else did, and another update comes before that is final.
    let resting = node.change(world.issuer(1), Action::Suspend, [1]);
    world.look_and_tick(&mut node).await;
    let own = sent(&world, &mut node, Action::Suspend, &[2]).await;
    for _ in 0..40 {
        world.anvil.mine(1).await;
        world.proxy.prune(world.anvil.endpoint.block(BlockTag::Latest).await.unwrap().number.0);
        world.look_and_tick(&mut node).await;
    }
    assert_eq!((node.change_stage(resting), node.change_stage(own)), ("final", "final"));
}

/// Where finality takes long, the state of the settled block is forgotten as well.
#[tokio::test]
async fn a_mirror_needs_no_archive_either() {
    let Some(world) = World::new().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = MirrorConfig {
        registry: world.seen_by_nodes.clone(),
        chain: CHAIN,
        folder: folder.path().join("mirror"),
        issuers: vec![world.issuer(1)],
        open: false,
        poll: Duration::from_millis(20),
        limits: Limits::default(),
    };
    let (mirror, _task) = Mirror::start(config, mirror::Report::default(), CancellationToken::new()).await.unwrap();
    for epoch in 1..=4 {
        let before: Vec<u64> = (1..epoch).collect();
        world.act(1, &foreign(&world, epoch, &before, &[epoch])).await;
        let head = world.anvil.endpoint.block(BlockTag::Latest).await.unwrap().number;
        world.proxy.prune(head.0);
        let mut changed = mirror.changed();
        let view = loop {
            match mirror.view(world.issuer(1), SUSPENSION).filter(|view| view.head.block.number >= head) {
                Some(view) => break view,
                None => timeout(Duration::from_secs(20), changed.changed()).await.expect("it sees the head").unwrap(),
            }
        };
        assert_eq!((view.head.record.epoch, &view.head.fault, &view.settled.fault), (epoch, &None, &None));
        assert_eq!(
            view.head.tree.set_bits().map(StatusIndex::get).collect::<Vec<_>>(),
            (1..=epoch).collect::<Vec<_>>()
        );
        let at_settled = view.settled.block.number.into();
        let truth = world.registry.status_of(world.issuer(1), SUSPENSION, at_settled).await.unwrap();
        assert!(view.settled.record == truth && truth.epoch < epoch, "{view:?}");
    }
}

#[tokio::test]
async fn a_missing_appointment_is_told_with_the_remedy_and_blocks_nothing_else() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    world.appoint(1, Roles::ANCHOR, NEVER).await;
    let change = node.change(world.issuer(1), Action::Revoke, [1]);
    let batch = node.seal(world.issuer(1));
    world.look_and_tick(&mut node).await;
    assert_eq!((node.change_stage(change), node.stage(&batch)), ("pending", "broadcast"));
    let [reason] = &node.report.health.reasons()[..] else { panic!("{:?}", node.problems()) };
    assert_eq!((reason.problem, reason.issuer), ("operator-not-appointed", Some(world.issuer(1))));
    let command = format!("appoint {} --issuer {} --roles anchor,revoke ", world.operator(), world.issuer(1));
    assert!(reason.detail.contains(&command) && reason.detail.contains("may not revoke"), "{}", reason.detail);

    let head = world.anvil.endpoint.block(BlockTag::Latest).await.unwrap();
    let both = Roles::ANCHOR.with(Roles::REVOKE);
    world.appoint(1, both, UnixSeconds(head.time.0 + 1000)).await;
    let _: Value = world.anvil.rpc("evm_increaseTime", json!([2000])).await;
    world.anvil.mine(1).await;
    world.look_and_tick(&mut node).await;
    assert_eq!(node.change_stage(change), "pending", "expired");
    world.appoint(1, both, NEVER).await;
    world.finish_changes(&mut node).await;
    world.check_changes(&node).await;
}

#[tokio::test]
async fn a_dismissal_while_an_update_waits_makes_it_fail_and_come_again() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let change = sent(&world, &mut node, Action::Suspend, &[1]).await;
    let dismissal = set_operator_call(world.issuer(1), world.operator(), Roles(0), UnixSeconds(0));
    outbid(&world, 1, world.registry.address(), &dismissal, world.nonce(1).await).await;
    world.anvil.mine(1).await;
    world.look_and_tick(&mut node).await;
    assert_eq!(node.change_stage(change), "pending");
    assert!(node.problems().contains(&"operator-not-appointed"));
    world.appoint(1, Roles::ANCHOR.with(Roles::REVOKE), NEVER).await;
    world.finish_changes(&mut node).await;
    world.check_changes(&node).await;
}

#[tokio::test]
async fn a_node_that_lost_its_folder_goes_on_with_the_right_epoch() {
    let Some(world) = World::new().await else { return };
    let mut lost = world.node();
    lost.change(world.issuer(1), Action::Suspend, [1, 2]);
    world.finish_changes(&mut lost).await;
    sent(&world, &mut lost, Action::Suspend, &[3]).await; // and this one is in the pool still
    let mut fresh = world.node();
    let change = fresh.change(world.issuer(1), Action::Reinstate, [2]);
    world.finish_changes(&mut fresh).await;
    assert_eq!(fresh.change_stage(change), "final");
    let (_, tree) = world.check_updates(world.issuer(1), SUSPENSION).await;
    assert!(tree.bit(indices(&[1])[0]) && !tree.bit(indices(&[2])[0]));
}

/// Most of the gas is for calldata: 40 for each byte of the delta, and a gap above 127 takes a second byte.
#[tokio::test]
async fn a_thousand_random_revocations_cost_85_000_gas_in_a_list_and_100_000_in_a_million() {
    let Some(world) = World::new().await else { return };
    for (issuer, credentials, most) in [(1, StatusIndex::PER_LIST, 85_000), (2, 1_000_000, 100_000)] {
        let mut node = world.node();
        node.change(world.issuer(issuer), Action::Revoke, [credentials]); // the first update pays for two new slots
        world.finish_changes(&mut node).await;
        node.change(world.issuer(issuer), Action::Revoke, random(1000, credentials));
        world.look_and_tick(&mut node).await;
        let hash = pending(&node)[0];
        world.finish_changes(&mut node).await;
        world.check_changes(&node).await;
        let gas = gas_of(&world, hash).await;
        let (updates, _) = world.check_updates(world.issuer(issuer), Purpose::REVOCATION).await;
        println!("1,000 of {credentials}: {gas} gas, {} bytes", updates[1].delta.len());
        assert!(gas <= most, "{gas}");
    }
}

#[tokio::test]
async fn toggles_are_split_where_gas_or_bytes_do_not_suffice() {
    let Some(world) = World::new().await else { return };
    for (number, (max_gas, max_delta)) in [(200_000, 1 << 20), (1 << 24, 1_000)].into_iter().enumerate() {
        let mut node = world.node_with(|config| (config.max_gas, config.max_delta) = (max_gas, max_delta));
        node.change(world.issuer(1 + number), Action::Revoke, random(5_000, 1_000_000));
        world.finish_changes(&mut node).await;
        world.check_changes(&node).await;
        let (updates, tree) = world.check_updates(world.issuer(1 + number), Purpose::REVOCATION).await;
        assert!(updates.len() > 2 && updates.iter().all(|update| update.delta.len() <= max_delta));
        assert_eq!(tree.set_bits().count(), 5_000);
    }
}

#[tokio::test]
async fn a_hundred_thousand_at_once_fit_where_they_are_close() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    node.change(world.issuer(1), Action::Revoke, random(100_000, 1_000_000));
    world.finish_changes(&mut node).await;
    world.check_changes(&node).await;
    let (updates, tree) = world.check_updates(world.issuer(1), Purpose::REVOCATION).await;
    assert_eq!((updates.len(), tree.set_bits().count()), (1, 100_000), "of a million");
    println!("100,000 revocations: {} bytes", updates[0].delta.len());
    node.change(world.issuer(2), Action::Revoke, random(100_000, 1 << 40));
    world.finish_changes(&mut node).await;
    world.check_changes(&node).await;
    let (updates, tree) = world.check_updates(world.issuer(2), Purpose::REVOCATION).await;
    assert_eq!(tree.set_bits().count(), 100_000);
    println!("100,000 anywhere: {} updates", updates.len());
}
