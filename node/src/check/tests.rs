//! The check of stores that are well, and of stores that are not, against a real chain.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use serde_json::{Value, json};
use testamur_chain::registry::withdraw_call;
use testamur_core::{Address, BatchTree, BlockNumber, Digest, Entry, Hash, StatusIndex, UnixSeconds};

use super::{Findings, Level, check};
use crate::{
    anchoring::tests::{
        proxy::{Form, Which},
        world::{CHAIN, Node, World},
    },
    store::{
        Action, AnchoredAt, Append, Attempt, BatchId, BatchRecord, BatchState, Carries, ChangeRecord, ChangeState,
        OpenRecord, Sequence, Store, TxId, TxRecord, UpdatedAt,
    },
};

fn entry(number: u64, status_index: u64) -> Entry {
    let mut digest = [7; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    Entry { digest: Digest(digest), status_index: StatusIndex::new(status_index).unwrap() }
}

fn append(store: &Store, issuer: Address, entries: &[Entry], sequence: u64) -> OpenRecord {
    let open = OpenRecord { id: store.next_batch_id(), issuer, opened_at: UnixSeconds(5) };
    let OpenRecord { id: batch, issuer, opened_at } = open;
    let sequence = Sequence { first: 0, next: sequence };
    store.append(&[Append { batch, issuer, opened_at, first_leaf: 0, entries, used: Vec::new(), sequence }]).unwrap();
    open
}

fn seal(store: &Store, issuer: Address, entries: &[Entry], sequence: u64) -> BatchRecord {
    let id = append(store, issuer, entries, sequence).id;
    let tree = BatchTree::new(entries.iter().map(Entry::leaf_hash).collect()).unwrap();
    let (root, size) = (tree.root(), tree.size());
    let record =
        BatchRecord { id, issuer, root, size, sealed_at: UnixSeconds(6), final_at: None, state: BatchState::Sealed };
    store.seal(&record, entries).unwrap();
    record
}

async fn look(world: &World, store: &Arc<Store>) -> Findings {
    check(store.clone(), &world.seen_by_nodes, CHAIN).await.unwrap()
}

/// Two final batches, a sealed one and an open one.
async fn well(world: &World, first: u64) -> (Node, BatchRecord) {
    let mut node = world.node();
    let entries: Vec<_> = (first..first + 10).map(|number| entry(number, number - first)).collect();
    let anchored = seal(&node.store, world.issuer(1), &entries[..5], 5);
    seal(&node.store, world.issuer(2), &entries, 10);
    world.finish(&mut node).await;
    seal(&node.store, world.issuer(1), &entries[5..8], 8);
    append(&node.store, world.issuer(1), &entries[8..], 10);
    let anchored = node.store.batch(anchored.id).unwrap().unwrap();
    (node, anchored)
}

#[tokio::test]
async fn a_store_that_is_well_is_found_well() {
    let Some(world) = World::new().await else { return };
    let (mut node, _) = well(&world, 0).await;
    let findings = look(&world, &node.store).await;
    assert_eq!(findings, Findings { batches: 3, entries: 20, anchors: 2, ..Findings::default() });
    assert_eq!(findings.to_string(), "3 batches, 20 entries, 0 changes, 2 anchors on chain: all is well");
    // At each step of a batch's life.
    for anchors in [2, 3, 3] {
        world.tick(&mut node).await;
        let findings = look(&world, &node.store).await;
        assert_eq!((findings.exit_status(), findings.anchors), (0, anchors), "{findings}");
        world.anvil.mine(1).await;
    }
}

#[tokio::test]
async fn what_was_altered_is_found() {
    let Some(world) = World::new().await else { return };
    type Alter = fn(&Store, BatchRecord);
    let table: [(&str, Alter); 9] = [
        ("lead to the root", |store, batch| {
            store.put_progress(&[BatchRecord { root: Hash([9; 32]), ..batch }], None).unwrap();
        }),
        ("6 recorded", |store, batch| {
            store.put_progress(&[BatchRecord { size: 6, ..batch }], None).unwrap();
        }),
        ("anchored in block", |store, batch| {
            let BatchState::Final { anchor } = batch.state else { panic!() };
            let state = BatchState::Final { anchor: AnchoredAt { block: BlockNumber(1), ..anchor } };
            store.put_progress(&[BatchRecord { state, ..batch }], None).unwrap();
        }),
        ("and not on chain", |store, batch| {
            let sealed = store.batch(BatchId(3)).unwrap().unwrap();
            store.put_progress(&[BatchRecord { state: batch.state, ..sealed }], None).unwrap();
        }),
        ("was given twice", |store, batch| {
            seal(store, batch.issuer, &[entry(u64::MAX, 1)], 11);
        }),
        ("not among those given", |store, batch| {
            seal(store, batch.issuer, &[entry(u64::MAX, 1 << 30)], 11);
        }),
        ("the index has its leaf 1", |store, batch| {
            let twin = Entry { status_index: StatusIndex::new(50).unwrap(), ..store.entries(batch.id).unwrap()[1] };
            seal(store, batch.issuer, &[twin], 11);
        }),
        ("does not carry it", |store, batch| {
            let state = BatchState::Prepared { tx: TxId(77) };
            store.put_progress(&[BatchRecord { state, ..batch }], None).unwrap();
        }),
        ("is not what is recorded", |store, batch| {
            let attempt = Attempt {
                hash: Hash([1; 32]),
                raw: vec![2, 3],
                max_fee: 1,
                max_priority_fee: 1,
                signed_at: UnixSeconds(1),
            };
            let carries = Carries::Batches(vec![batch.id]);
            let tx = TxRecord { id: store.next_tx_id(), nonce: 1, carries, attempts: vec![attempt] };
            store.put_progress(&[], Some(&tx)).unwrap();
        }),
    ];
    for (number, (expected, alter)) in (1..).zip(table) {
        let (node, anchored) = well(&world, number * 100).await;
        alter(&node.store, anchored);
        let findings = look(&world, &node.store).await;
        assert_eq!(findings.exit_status(), 1, "{expected}: {findings}");
        let found = findings.findings.iter().any(|f| f.level == Level::False && f.detail.contains(expected));
        assert!(found, "{expected}: {findings}");
    }
}

#[tokio::test]
async fn a_chain_that_cannot_be_asked_refutes_nothing() {
    let Some(world) = World::new().await else { return };
    let (node, _) = well(&world, 0).await;
    for method in ["eth_chainId", "eth_call"] {
        world.proxy.fail(Which::Method(method), Form::Refused);
        let findings = look(&world, &node.store).await;
        assert_eq!((findings.exit_status(), findings.worst()), (2, Some(Level::Unknown)), "{findings}");
    }
    world.proxy.heal();
    world.proxy.claim_chain(5);
    assert_eq!(look(&world, &node.store).await.exit_status(), 2);
}

#[tokio::test]
async fn what_the_node_has_not_seen_yet_is_only_noted() {
    let Some(world) = World::new().await else { return };
    let (mut node, anchored) = well(&world, 0).await;
    world.tick(&mut node).await;
    world.anvil.mine(1).await;
    world.tick(&mut node).await;
    let _: Value = world.anvil.rpc("anvil_reorg", json!([1, []])).await;
    world.act(1, &withdraw_call(anchored.issuer, anchored.root, 0)).await;
    let findings = look(&world, &node.store).await;
    assert_eq!(findings.exit_status(), 0, "{findings}");
    let told: Vec<_> = findings.findings.iter().map(|finding| finding.subject.as_str()).collect();
    assert_eq!(told, ["batch 1", "batch 3"], "{findings}");
}

#[tokio::test]
async fn a_change_that_is_not_on_chain_is_found() {
    let Some(world) = World::new().await else { return };
    let mut node = world.node();
    let (kept, lost) =
        (node.change(world.issuer(1), Action::Revoke, [1, 2]), node.change(world.issuer(1), Action::Suspend, [3]));
    world.finish_changes(&mut node).await;
    let findings = look(&world, &node.store).await;
    assert_eq!((findings.exit_status(), findings.changes), (0, 2), "{findings}");
    let (kept, lost) = (node.store.change(kept).unwrap().unwrap(), node.store.change(lost).unwrap().unwrap());
    let pending = node.change(world.issuer(1), Action::Revoke, [9]);
    let claimed = ChangeRecord { state: kept.state, ..node.store.change(pending).unwrap().unwrap() };
    let ChangeState::Final { at } = lost.state else { panic!() };
    let state = ChangeState::Final { at: UpdatedAt { epoch: at.epoch + 1, ..at } };
    node.store.put_changes(&[claimed, ChangeRecord { state, ..lost }], None).unwrap();
    let findings = look(&world, &node.store).await;
    assert_eq!(findings.exit_status(), 1);
    let told = findings.to_string();
    assert!(told.contains("1 of its bits are not on chain") && told.contains("completed by update 2"), "{told}");
    world.proxy.fail(Which::Method("eth_getLogs"), Form::Refused);
    let told = look(&world, &node.store).await;
    assert_eq!(told.exit_status(), 2, "{told}");
}
