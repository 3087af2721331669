use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures::FutureExt;
use serde_json::{Value, json};
use testamur_chain::{
    BlockTag::Latest,
    Error, Registry, Roles,
    history::{Act, Anchored, acts, anchors, past, rebuild, status_tree, status_updates},
    registry::{
        accept_controller_call, anchor_call, anchor_many_call, set_controller_call, set_operator_call,
        update_status_call, withdraw_call,
    },
};
use testamur_core::{
    Address, BlockNumber, Hash, Purpose, StatusIndex, UnixSeconds,
    status::{StatusTree, delta},
};

use crate::{
    chain::{Chain, key, root},
    proxy::{Reply, altered, proxy, with_logs},
};

/// The bits of one issuer and purpose, and the calls that bring them to the chain.
pub struct Bits {
    issuer: Address,
    purpose: Purpose,
    epoch: u64,
    pub tree: StatusTree,
}

impl Bits {
    pub fn new(issuer: Address, purpose: Purpose) -> Self {
        Self { issuer, purpose, epoch: 0, tree: StatusTree::new() }
    }

    pub fn toggle(&mut self, indices: &[u64]) -> Vec<u8> {
        let indices: Vec<_> = indices.iter().map(|&index| StatusIndex::new(index).unwrap()).collect();
        self.tree.toggle(&indices);
        self.publish(&delta::encode(&indices).unwrap())
    }

    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Forgets what a reorganisation undid.
    pub fn back_to(&mut self, (epoch, tree): (u64, StatusTree)) {
        (self.epoch, self.tree) = (epoch, tree);
    }

    pub fn publish(&mut self, delta: &[u8]) -> Vec<u8> {
        self.epoch += 1;
        update_status_call(self.issuer, self.purpose, self.epoch, self.tree.root(), delta)
    }
}

#[tokio::test]
async fn anchors_and_acts_are_found_also_several_in_a_block() {
    let Some(chain) = Chain::start("anchors_and_acts_are_found_also_several_in_a_block") else { return };
    let registry = chain.registry().await;
    let (issuer, next, to) = (key(1).address(), key(2).address(), registry.address());
    chain.send(&key(1), to, anchor_call(issuer, root(1), 1)).await;
    chain.send(&key(0), to, anchor_call(key(0).address(), root(1), 1)).await;
    chain.mine(5).await;
    let many = anchor_many_call(&[(issuer, root(2), 2), (issuer, root(3), 3)]);
    let appoint = set_operator_call(issuer, next, Roles::ANCHOR, UnixSeconds(77));
    let calls = vec![many, anchor_call(issuer, root(4), 4), withdraw_call(issuer, root(2), 8), appoint];
    let block = chain.in_one_block(&key(1), to, calls).await;
    chain.send(&key(1), to, anchor_call(issuer, root(5), 5)).await;
    chain.send(&key(1), to, set_controller_call(issuer, Some(next))).await;
    chain.send(&key(2), to, accept_controller_call(issuer)).await;

    let last = registry.last_blocks_of(issuer, Latest).await.unwrap();
    let found = anchors(&registry, issuer, last.anchor).await.unwrap();
    let expected: Vec<_> = (1..=5).map(|n| Anchored { root: root(n), size: n.into() }).collect();
    assert_eq!(found.iter().map(|event| event.what).collect::<Vec<_>>(), expected);
    assert_eq!(found[3].place.block, block);
    let known = chain.endpoint.tx_receipt(found[3].place.transaction).await.unwrap().unwrap();
    assert_eq!((known.block, known.block_hash), (block, found[3].place.block_hash));

    let found = acts(&registry, issuer, last.act).await.unwrap();
    let expected = [
        Act::Withdrawn { root: root(2), reason: 8 },
        Act::OperatorSet { operator: next, roles: Roles::ANCHOR, expires: UnixSeconds(77) },
        Act::ControllerChanged { controller: next },
    ];
    assert_eq!(found.iter().map(|event| event.what).collect::<Vec<_>>(), expected);
    assert_eq!(anchors(&registry, next, BlockNumber(0)).await, Ok(vec![]));
}

#[tokio::test]
async fn status_trees_are_rebuilt_from_their_deltas() {
    let Some(chain) = Chain::start("status_trees_are_rebuilt_from_their_deltas") else { return };
    let registry = chain.registry().await;
    let (issuer, to) = (key(1).address(), registry.address());
    let mut revoked = Bits::new(issuer, Purpose::REVOCATION);
    let mut suspended = Bits::new(issuer, Purpose::SUSPENSION);
    let none = registry.status_of(issuer, Purpose::REVOCATION, Latest).await.unwrap();
    assert_eq!(status_tree(&registry, issuer, Purpose::REVOCATION, &none).await.unwrap().root(), Hash::ZERO);

    chain.send(&key(1), to, revoked.toggle(&[3, 70_000, 1 << 39])).await;
    let early = registry.status_of(issuer, Purpose::REVOCATION, Latest).await.unwrap();
    let calls = vec![suspended.toggle(&[3, 4]), revoked.toggle(&[4]), revoked.toggle(&[5]), suspended.toggle(&[3])];
    chain.in_one_block(&key(1), to, calls).await;
    chain.send(&key(1), to, revoked.toggle(&[6])).await;

    for bits in [&revoked, &suspended] {
        let record = registry.status_of(issuer, bits.purpose, Latest).await.unwrap();
        let tree = status_tree(&registry, issuer, bits.purpose, &record).await.unwrap();
        assert!(tree.set_bits().eq(bits.tree.set_bits()));
        assert_eq!((tree.root(), bits.epoch), (record.root, record.epoch));
    }
    let record = registry.status_of(issuer, Purpose::REVOCATION, Latest).await.unwrap();
    let updates = status_updates(&registry, issuer, Purpose::REVOCATION, &record).await.unwrap();
    let before = rebuild(&updates, &early).unwrap();
    assert_eq!(before.set_bits().map(StatusIndex::get).collect::<Vec<_>>(), [3, 70_000, 1 << 39]);
}

#[tokio::test]
async fn deltas_that_miss_the_root_give_no_answer() {
    let Some(chain) = Chain::start("deltas_that_miss_the_root_give_no_answer") else { return };
    let registry = chain.registry().await;
    let (issuer, to) = (key(1).address(), registry.address());
    let tree = async |purpose| {
        let record = registry.status_of(issuer, purpose, Latest).await.unwrap();
        status_tree(&registry, issuer, purpose, &record).await.map(|tree| tree.root())
    };
    let mut bits = Bits::new(issuer, Purpose::REVOCATION);
    bits.toggle(&[7]);
    bits.epoch = 0;
    chain.send(&key(1), to, bits.publish(&[8])).await;
    let stated = bits.tree.root();
    let missed = tree(Purpose::REVOCATION).await;
    assert!(matches!(missed, Err(Error::StatusRoot { stated: told, .. }) if told == stated), "{missed:?}");
    // The next update makes it good again.
    bits.tree.toggle(&[StatusIndex::new(9).unwrap()]);
    let amends = [7, 8, 9].map(|index| StatusIndex::new(index).unwrap());
    chain.send(&key(1), to, bits.publish(&delta::encode(&amends).unwrap())).await;
    assert_eq!(tree(Purpose::REVOCATION).await, Ok(bits.tree.root()));

    let mut broken = Bits::new(issuer, Purpose::SUSPENSION);
    let whole = broken.toggle(&[5]);
    chain.send(&key(1), to, whole).await;
    let sound = std::mem::replace(&mut broken.tree, bits.tree);
    chain.send(&key(1), to, broken.publish(&[0x80])).await;
    let fault = testamur_core::Error::DeltaCutOff;
    assert_eq!(tree(Purpose::SUSPENSION).await, Err(Error::Delta { epoch: 2, fault }));
    // Under a right root it does not matter what could not be read.
    broken.tree = sound;
    chain.send(&key(1), to, broken.publish(&[])).await;
    assert_eq!(tree(Purpose::SUSPENSION).await, Ok(broken.tree.root()));
}

#[tokio::test]
async fn hostile_logs_are_refused() {
    let Some(chain) = Chain::start("hostile_logs_are_refused") else { return };
    let registry = chain.registry().await;
    let (issuer, to) = (key(1).address(), registry.address());
    let mut bits = Bits::new(issuer, Purpose::REVOCATION);
    chain.send(&key(1), to, bits.toggle(&[1])).await;
    chain.in_one_block(&key(1), to, vec![bits.toggle(&[2]), bits.toggle(&[3])]).await;
    let record = registry.status_of(issuer, Purpose::REVOCATION, Latest).await.unwrap();
    let at = format!("{:#x}", record.block.0);
    let logs: Value = chain.ask("eth_getLogs", json!([{ "address": to, "fromBlock": at, "toBlock": at }])).await;
    let with = |change: &dyn Fn(&mut Vec<Value>)| altered(&logs, change);
    let lies = [
        ("nothing", with(&|logs| logs.clear())),
        ("the first is left out", with(&|logs| drop(logs.remove(0)))),
        ("the last is left out", with(&|logs| drop(logs.pop()))),
        ("one comes twice", with(&|logs| logs.push(logs[0].clone()))),
        ("of another contract", with(&|logs| logs[0]["address"] = json!(key(0).address()))),
        ("of another issuer", with(&|logs| logs[1]["topics"][1] = json!(root(1)))),
        ("of another purpose", with(&|logs| logs[1]["topics"][2] = json!(root(1)))),
        ("of another kind", with(&|logs| logs[1]["topics"][0] = json!(root(1)))),
        ("of another block", with(&|logs| logs[1]["blockNumber"] = json!("0x1"))),
        ("undone", with(&|logs| logs[1]["removed"] = json!(true))),
        ("cut off", with(&|logs| logs[1]["data"] = json!("0x00"))),
        ("exchanged", with(&|logs| (logs[0]["logIndex"], logs[1]["logIndex"]) = (json!("0x9"), json!("0x1")))),
        ("a loop", with(&|logs| logs[0]["data"] = logs[1]["data"].clone())),
    ];
    for (name, lie) in lies {
        let lied_to = Registry::new(with_logs(&chain.endpoint, lie).await, to);
        let error = status_tree(&lied_to, issuer, Purpose::REVOCATION, &record).await.err();
        let refused = matches!(error, Some(Error::Unusable { .. } | Error::NoHistory { .. }));
        assert!(refused, "{name}: {error:?}");
    }
}

#[tokio::test]
async fn the_status_of_a_moment_in_the_past() {
    let Some(chain) = Chain::start("the_status_of_a_moment_in_the_past") else { return };
    let registry = chain.registry().await;
    let (issuer, to) = (key(1).address(), registry.address());
    let mut bits = Bits::new(issuer, Purpose::SUSPENSION);
    let start = chain.endpoint.block(Latest).await.unwrap().time.0;
    for n in 1..=20 {
        chain.ask("evm_setNextBlockTimestamp", json!([start + 100 * n])).await;
        // Some lifted again, some in one block with the next.
        let calls = vec![bits.toggle(&[n]), bits.toggle(&[n.saturating_sub(3), 1000 + n])];
        chain.in_one_block(&key(1), to, calls).await;
    }
    let settled = chain.endpoint.block(Latest).await.unwrap();
    let reads = Arc::new(AtomicU32::new(0));
    let counted = reads.clone();
    let counting = proxy(&chain.endpoint, move |method, _| {
        let _ = method == "eth_getBlockByNumber" && counted.fetch_add(1, Ordering::SeqCst) > 0;
        async { Reply::Honest }.boxed()
    })
    .await;
    let counting = Registry::new(counting, to);
    for (moment, epoch) in [(0, 0), (start + 99, 0), (start + 100, 2), (start + 1_555, 30), (settled.time.0, 40)] {
        reads.store(0, Ordering::SeqCst);
        let (record, tree) = past(&counting, issuer, Purpose::SUSPENSION, UnixSeconds(moment), settled).await.unwrap();
        assert_eq!((record.epoch, tree.root()), (epoch, record.root), "{moment}");
        assert_eq!(record.time.0, if epoch == 0 { 0 } else { start + 50 * epoch });
        let then = registry.status_of(issuer, Purpose::SUSPENSION, record.block.into()).await.unwrap_or_default();
        assert!(epoch == 0 || then == record);
        assert!(reads.load(Ordering::SeqCst) <= 6, "{reads:?} blocks read");
    }
    let later = UnixSeconds(settled.time.0 + 1);
    let error = past(&registry, issuer, Purpose::SUSPENSION, later, settled).await.unwrap_err();
    assert_eq!(error, Error::NotSettled { moment: later, settled: settled.time });
}
