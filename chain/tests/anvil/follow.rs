use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures::FutureExt;
use serde_json::{Value, json};
use testamur_chain::{
    Advance, Base, BlockTag, Error, Finding, Follower, Registry,
    history::{Event, StatusUpdate},
};
use testamur_core::{Address, BlockNumber, Hash, Purpose, StatusIndex, observation::BlockRef};

use crate::{
    chain::{Chain, key, until},
    history::Bits,
    proxy::{Reply, altered, proxy, with_logs},
};

const REVOCATION: Purpose = Purpose::REVOCATION;

/// A follower, the block that the test calls settled, and everything that was applied and not undone.
struct Scene {
    chain: Chain,
    registry: Registry,
    issuer: Address,
    bits: Bits,
    settled: u64,
    follower: Follower,
    standing: Vec<Event<StatusUpdate>>,
}

impl Scene {
    async fn start(test: &str) -> Option<Self> {
        let chain = Chain::start(test)?;
        let registry = chain.registry().await;
        let issuer = key(1).address();
        let settled = chain.head().await.0;
        let (bits, follower) = (Bits::new(issuer, REVOCATION), Follower::new(issuer, REVOCATION));
        Some(Self { chain, registry, issuer, bits, settled, follower, standing: Vec::new() })
    }

    async fn update(&mut self, indices: &[u64]) {
        let call = self.bits.toggle(indices);
        self.chain.send(&key(1), self.registry.address(), call).await;
    }

    async fn blocks(&self) -> (BlockRef, BlockRef) {
        let block = async |tag| self.chain.endpoint.block(tag).await.unwrap();
        (block(BlockTag::Latest).await, block(BlockTag::Number(self.settled)).await)
    }

    async fn advance_through(&mut self, registry: &Registry) -> Result<Advance, Error> {
        let (head, settled) = self.blocks().await;
        let advance = self.follower.advance(registry, head, settled).await?;
        self.standing.retain(|event| !advance.undone.contains(&event.what.epoch));
        self.standing.extend(advance.applied.iter().cloned());
        Ok(advance)
    }

    /// Advances, and checks everything that the view says.
    async fn advance(&mut self) -> Advance {
        let registry = self.registry.clone();
        let advance = self.advance_through(&registry).await.unwrap();
        let view = self.follower.view().unwrap();
        for at in [&view.head, &view.settled] {
            let stated = registry.status_of(self.issuer, REVOCATION, at.block.number.into()).await.unwrap();
            assert_eq!(at.record, stated);
            assert_eq!(at.fault.is_none(), at.tree.root() == stated.root, "{:?}", at.fault);
        }
        advance
    }

    fn set(&self) -> [Vec<u64>; 2] {
        let view = self.follower.view().unwrap();
        [&view.head, &view.settled].map(|at| at.bits().unwrap().set_bits().map(StatusIndex::get).collect())
    }

    async fn nothing_to_do(&mut self) {
        let again = self.advance().await;
        assert!(again.undone.is_empty() && again.applied.is_empty() && again.findings.is_empty(), "{again:?}");
    }
}

fn epochs(advance: &Advance) -> Vec<u64> {
    advance.applied.iter().map(|event| event.what.epoch).collect()
}

#[tokio::test]
async fn updates_are_followed_as_they_come_and_as_they_settle() {
    let Some(mut scene) = Scene::start("updates_are_followed_as_they_come_and_as_they_settle").await else { return };
    assert!(scene.follower.view().is_none());
    scene.nothing_to_do().await;
    assert_eq!(scene.set(), [Vec::<u64>::new(), vec![]]);
    scene.update(&[1, 1 << 39]).await;
    scene.update(&[2]).await;
    assert_eq!(epochs(&scene.advance().await), [1, 2]);
    assert_eq!(scene.set(), [vec![1, 2, 1 << 39], vec![]]);
    scene.settled = scene.chain.head().await.0 - 1;
    let calls = vec![scene.bits.toggle(&[3]), scene.bits.toggle(&[4, 5]), scene.bits.toggle(&[6])];
    scene.chain.in_one_block(&key(1), scene.registry.address(), calls).await;
    assert_eq!(epochs(&scene.advance().await), [3, 4, 5]);
    assert_eq!(scene.set(), [vec![1, 2, 3, 4, 5, 6, 1 << 39], vec![1, 1 << 39]]);
    scene.nothing_to_do().await;
    scene.chain.mine(3).await;
    scene.settled = scene.chain.head().await.0;
    scene.nothing_to_do().await;
    let [head, settled] = scene.set();
    assert_eq!(head, settled);
}

#[tokio::test]
async fn a_look_without_news_costs_two_requests() {
    let Some(mut scene) = Scene::start("a_look_without_news_costs_two_requests").await else { return };
    scene.update(&[1]).await;
    scene.settled = scene.chain.head().await.0;
    scene.advance().await;
    let requests = Arc::new(AtomicU32::new(0));
    let counted = requests.clone();
    let counting = proxy(&scene.chain.endpoint, move |_, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Reply::Honest }.boxed()
    })
    .await;
    let registry = Registry::new(counting, scene.registry.address());
    scene.advance_through(&registry).await.unwrap();
    assert_eq!(requests.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_a_reorganisation_undoes_is_forgotten() {
    let Some(mut scene) = Scene::start("what_a_reorganisation_undoes_is_forgotten").await else { return };
    scene.update(&[1]).await;
    let fork = scene.chain.ask("evm_snapshot", json!([])).await;
    let kept = (scene.bits.epoch(), scene.bits.tree.clone());
    scene.update(&[2]).await;
    scene.update(&[3]).await;
    scene.advance().await;
    assert_eq!(scene.set()[0], [1, 2, 3]);

    // Dropped: the last two blocks are empty now.
    scene.chain.ask("anvil_reorg", json!([2, []])).await;
    scene.bits.back_to(kept.clone());
    assert_eq!(scene.advance().await.undone, [2, 3]);
    assert_eq!(scene.set()[0], [1]);

    // Replaced by others of the same epochs, and one more.
    scene.update(&[4]).await;
    scene.update(&[5]).await;
    scene.advance().await;
    scene.chain.ask("evm_revert", json!([fork])).await;
    scene.bits.back_to(kept.clone());
    for index in [6, 7, 8] {
        scene.update(&[index]).await;
    }
    let advance = scene.advance().await;
    assert_eq!((advance.undone.clone(), epochs(&advance)), (vec![2, 3], vec![2, 3, 4]));
    assert_eq!(scene.set()[0], [1, 6, 7, 8]);
    scene.nothing_to_do().await;
}

#[tokio::test]
async fn the_same_transactions_in_other_blocks_are_other_updates() {
    let Some(mut scene) = Scene::start("the_same_transactions_in_other_blocks_are_other_updates").await else { return };
    scene.chain.mine(1).await;
    let first = scene.bits.toggle(&[1]);
    let second = scene.bits.toggle(&[2]);
    let raw = scene.chain.signed(&key(1), scene.registry.address(), vec![first, second]).await;
    let BlockNumber(head) = scene.chain.head().await;
    for (raw, block) in raw.iter().zip(head + 1..) {
        scene.chain.endpoint.send_raw(raw).await.unwrap();
        // It is mined at once, and not within the request.
        until("a block of its own", async || scene.chain.head().await.0 == block).await;
    }
    scene.advance().await;
    let before = scene.standing.clone();
    // Both in the first of the two blocks: the same events, in blocks with other hashes.
    let hex = raw.iter().map(|raw| json!([alloy::hex::encode_prefixed(raw), 0])).collect::<Vec<_>>();
    scene.chain.ask("anvil_reorg", json!([2, hex])).await;
    let advance = scene.advance().await;
    assert_eq!((advance.undone.clone(), epochs(&advance)), (vec![1, 2], vec![1, 2]));
    assert_eq!(scene.set()[0], [1, 2]);
    let same = |a: &Event<StatusUpdate>, b: &Event<StatusUpdate>| a.what == b.what && a.place != b.place;
    assert!(before.iter().zip(&scene.standing).all(|(a, b)| same(a, b)));
    assert_eq!(scene.standing[0].place.block, scene.standing[1].place.block);
}

#[tokio::test]
async fn a_follower_goes_on_where_an_earlier_one_stopped() {
    let Some(mut scene) = Scene::start("a_follower_goes_on_where_an_earlier_one_stopped").await else { return };
    for index in 1..=2 {
        scene.update(&[index]).await;
    }
    scene.settled = scene.chain.head().await.0;
    let fork = scene.chain.ask("evm_snapshot", json!([])).await;
    let kept = (scene.bits.epoch(), scene.bits.tree.clone());
    for index in 3..=5 {
        scene.update(&[index]).await;
    }
    scene.advance().await;
    let base = scene.follower.base();
    assert_eq!((base.epoch, base.root), (2, base.tree.root()));

    scene.follower = Follower::resume(scene.issuer, REVOCATION, base.clone(), &scene.standing);
    assert!(scene.follower.view().is_none());
    scene.nothing_to_do().await;
    assert_eq!(scene.set(), [vec![1, 2, 3, 4, 5], vec![1, 2]]);

    // Stopped while the chain went on, and back.
    scene.follower = Follower::resume(scene.issuer, REVOCATION, base.clone(), &scene.standing);
    scene.update(&[6]).await;
    assert_eq!(epochs(&scene.advance().await), [6]);
    scene.follower = Follower::resume(scene.issuer, REVOCATION, base, &scene.standing);
    scene.chain.ask("evm_revert", json!([fork])).await;
    scene.bits.back_to(kept);
    scene.update(&[9]).await;
    let advance = scene.advance().await;
    assert_eq!((advance.undone.clone(), epochs(&advance)), (vec![3, 4, 5, 6], vec![3]));
    assert_eq!(scene.set(), [vec![1, 2, 9], vec![1, 2]]);
}

#[tokio::test]
async fn a_snapshot_counts_only_if_the_chain_has_it() {
    let Some(mut scene) = Scene::start("a_snapshot_counts_only_if_the_chain_has_it").await else { return };
    for index in 1..=3 {
        scene.update(&[index]).await;
    }
    scene.settled = scene.chain.head().await.0;
    scene.advance().await;
    let good = scene.follower.base();
    scene.update(&[4]).await;
    let from = |base: Base| Follower::from_base(scene.issuer, REVOCATION, base);

    let Base { tree: mut other, .. } = good.clone();
    other.toggle(&[StatusIndex::new(77).unwrap()]);
    let lies = [
        Base { tree: other.clone(), ..good.clone() },
        Base { tree: other.clone(), root: other.root(), ..good.clone() },
        Base { epoch: 2, ..good.clone() },
        Base { block: BlockNumber(good.block.0 - 1), ..good.clone() },
        Base { epoch: 4, ..good.clone() },
    ];
    let followers: Vec<_> = lies.into_iter().map(from).collect();
    scene.follower = from(good);
    assert_eq!(epochs(&scene.advance().await), [4]);
    for follower in followers {
        scene.follower = follower;
        let registry = scene.registry.clone();
        let refused = scene.advance_through(&registry).await.unwrap_err();
        assert!(matches!(refused, Error::Contradicted { .. } | Error::StatusRoot { .. }), "{refused}");
        assert!(scene.follower.view().is_none());
        assert_eq!(epochs(&scene.advance().await), [1, 2, 3, 4], "from nothing");
        assert_eq!(scene.set(), [vec![1, 2, 3, 4], vec![1, 2, 3]]);
    }
}

#[tokio::test]
async fn a_chain_that_contradicts_what_was_settled_is_told_and_read_anew() {
    let Some(mut scene) = Scene::start("a_chain_that_contradicts_what_was_settled").await else { return };
    scene.update(&[1]).await;
    let fork = scene.chain.ask("evm_snapshot", json!([])).await;
    let kept = (scene.bits.epoch(), scene.bits.tree.clone());
    scene.update(&[2]).await;
    scene.settled = scene.chain.head().await.0;
    scene.advance().await;
    scene.chain.ask("evm_revert", json!([fork])).await;
    scene.bits.back_to(kept);
    scene.update(&[3]).await;
    let registry = scene.registry.clone();
    let error = scene.advance_through(&registry).await.unwrap_err();
    assert_eq!(error, Error::Contradicted { issuer: scene.issuer, epoch: 2 });
    assert_eq!(epochs(&scene.advance().await), [1, 2]);
    assert_eq!(scene.set(), [vec![1, 3], vec![1, 3]]);
}

#[tokio::test]
async fn an_endpoint_that_is_behind_unsettles_nothing() {
    let Some(mut scene) = Scene::start("an_endpoint_that_is_behind_unsettles_nothing").await else { return };
    let early = scene.chain.endpoint.block(BlockTag::Latest).await.unwrap();
    scene.update(&[1]).await;
    scene.settled = scene.chain.head().await.0;
    scene.chain.mine(2).await;
    scene.advance().await;
    let (head, settled) = scene.blocks().await;
    scene.follower.advance(&scene.registry, head, early).await.unwrap();
    assert_eq!(scene.follower.view().unwrap().settled.block, settled);
    let behind = scene.follower.advance(&scene.registry, early, early).await.unwrap_err();
    assert_eq!(behind, Error::Behind { block: early.number, known: settled.number });
    assert!(behind.is_transient());
}

#[tokio::test]
async fn findings_are_told_once_and_healed_by_a_right_root() {
    let Some(mut scene) = Scene::start("findings_are_told_once_and_healed_by_a_right_root").await else { return };
    let index = |n| StatusIndex::new(n).unwrap();
    let to = scene.registry.address();
    scene.update(&[10, 11, 12]).await;
    scene.update(&[10, 12, 13]).await;
    let cleared = Finding::ClearedRevocation { epoch: 2, first: index(10), count: 2 };
    assert_eq!(scene.advance().await.findings, [cleared]);

    // A delta that says less than the root: the bits are unknown until the next right root.
    scene.bits.tree.toggle(&[index(20), index(21)]);
    let call = scene.bits.publish(&testamur_core::status::delta::encode(&[index(20)]).unwrap());
    scene.chain.send(&key(1), to, call).await;
    let findings = scene.advance().await.findings;
    assert!(matches!(findings[..], [Finding::RootDoesNotMatch { epoch: 3, .. }]), "{findings:?}");
    let at = scene.follower.view().unwrap().head;
    assert!(matches!(at.bits(), Err(Error::StatusRoot { .. })));
    scene.nothing_to_do().await;
    let call = scene.bits.publish(&testamur_core::status::delta::encode(&[index(21)]).unwrap());
    scene.chain.send(&key(1), to, call).await;
    assert_eq!(scene.advance().await.findings, []);
    assert_eq!(scene.set()[0], [11, 13, 20, 21]);

    // Garbage in every form, each healed by an empty delta under the true root.
    let cut_off: &[u8] = &[0x80];
    for garbage in [cut_off, &[0x80, 0], &[0xff; 12], &[0x80, 0x80, 0x80, 0x80, 0x80, 0x20]] {
        let root = std::mem::take(&mut scene.bits.tree);
        let call = scene.bits.publish(garbage);
        scene.chain.send(&key(1), to, call).await;
        let findings = scene.advance().await.findings;
        assert!(matches!(findings[..], [Finding::Delta { .. }, Finding::RootDoesNotMatch { .. }]), "{findings:?}");
        let at = scene.follower.view().unwrap().head;
        assert!(matches!(at.bits(), Err(Error::Delta { .. })));
        scene.bits.tree = root;
        let call = scene.bits.publish(&[]);
        scene.chain.send(&key(1), to, call).await;
        assert_eq!(scene.advance().await.findings, []);
        assert_eq!(scene.set()[0], [11, 13, 20, 21]);
    }
}

#[tokio::test]
async fn a_walk_goes_on_where_a_failure_stopped_it() {
    let Some(mut scene) = Scene::start("a_walk_goes_on_where_a_failure_stopped_it").await else { return };
    for index in 0..12 {
        scene.update(&[index]).await;
    }
    let (asked, allowed) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (counted, left) = (asked.clone(), allowed.clone());
    let flaky = proxy(&scene.chain.endpoint, move |method, _| {
        let mut reply = Reply::Honest;
        if method == "eth_getLogs" {
            counted.fetch_add(1, Ordering::SeqCst);
            if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
                reply = Reply::LateStatus(503);
            }
        }
        async move { reply }.boxed()
    })
    .await;
    let registry = Registry::new(flaky, scene.registry.address());
    // Three links at a time; the newest block is asked for again each time, and the chain grows meanwhile.
    for round in 1.. {
        allowed.store(3, Ordering::SeqCst);
        match scene.advance_through(&registry).await {
            Ok(advance) => {
                assert_eq!(epochs(&advance), (1..=12 + round - 1).collect::<Vec<_>>());
                break;
            }
            Err(error) => assert!(error.is_transient() && round < 20, "{error}"),
        }
        scene.update(&[100 + round]).await;
    }
    assert!(asked.load(Ordering::SeqCst) < 60, "{asked:?}");
    scene.nothing_to_do().await;
    assert_eq!(scene.set()[0].len(), scene.standing.len());
}

#[tokio::test]
async fn a_walk_that_stopped_within_a_block_goes_on_there() {
    let Some(mut scene) = Scene::start("a_walk_that_stopped_within_a_block_goes_on_there").await else { return };
    scene.update(&[1]).await;
    scene.advance().await;
    let calls = (2..6).map(|index| scene.bits.toggle(&[index])).collect();
    scene.chain.in_one_block(&key(1), scene.registry.address(), calls).await;
    scene.update(&[6]).await;
    // The walk is complete, and then the head cannot be looked at.
    let blind = proxy(&scene.chain.endpoint, |method, _| {
        let reply = if method == "eth_getBlockByNumber" { Reply::LateStatus(503) } else { Reply::Honest };
        async move { reply }.boxed()
    })
    .await;
    let blind = Registry::new(blind, scene.registry.address());
    assert!(scene.advance_through(&blind).await.unwrap_err().is_transient());
    assert!(scene.advance_through(&blind).await.unwrap_err().is_transient());
    scene.update(&[7]).await;
    assert_eq!(epochs(&scene.advance().await), (2..=7).collect::<Vec<_>>());
    assert_eq!(scene.set()[0], [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn lies_about_logs_change_no_view() {
    let Some(mut scene) = Scene::start("lies_about_logs_change_no_view").await else { return };
    scene.update(&[1]).await;
    scene.advance().await;
    let calls = vec![scene.bits.toggle(&[2]), scene.bits.toggle(&[3])];
    let block = scene.chain.in_one_block(&key(1), scene.registry.address(), calls).await;
    let at = format!("{:#x}", block.0);
    let asked = json!([{ "address": scene.registry.address(), "fromBlock": at, "toBlock": at }]);
    let logs = scene.chain.ask("eth_getLogs", asked).await;
    let with = |change: &dyn Fn(&mut Vec<Value>)| altered(&logs, change);
    let lies = [
        ("nothing", with(&|logs| logs.clear())),
        ("the first is left out", with(&|logs| drop(logs.remove(0)))),
        ("the last is left out", with(&|logs| drop(logs.pop()))),
        ("one comes twice", with(&|logs| logs.push(logs[0].clone()))),
        ("of two blocks", with(&|logs| logs[0]["blockHash"] = json!(Hash([1; 32])))),
        ("exchanged", with(&|logs| (logs[0]["logIndex"], logs[1]["logIndex"]) = (json!("0x9"), json!("0x1")))),
    ];
    let before = scene.set();
    for (name, lie) in lies {
        let liar = Registry::new(with_logs(&scene.chain.endpoint, lie).await, scene.registry.address());
        let error = scene.advance_through(&liar).await.unwrap_err();
        assert!(matches!(error, Error::Unusable { .. } | Error::NoHistory { .. }), "{name}: {error:?}");
        assert_eq!(scene.set(), before, "{name}");
    }
    assert_eq!(epochs(&scene.advance().await), [2, 3]);
}

#[tokio::test]
async fn a_head_that_goes_away_during_the_look_is_not_taken_over() {
    let Some(mut scene) = Scene::start("a_head_that_goes_away_during_the_look_is_not_taken_over").await else { return };
    scene.update(&[1]).await;
    scene.advance().await;
    scene.update(&[2]).await;
    let behind = scene.chain.endpoint.clone();
    let unsteady = proxy(&scene.chain.endpoint, move |method, _| {
        let behind = behind.clone();
        async move {
            if method == "eth_getLogs" {
                behind.request::<Value>("anvil_reorg", json!([1, []])).await.unwrap();
            }
            Reply::Honest
        }
        .boxed()
    })
    .await;
    let unsteady = Registry::new(unsteady, scene.registry.address());
    let error = scene.advance_through(&unsteady).await.unwrap_err();
    assert!(matches!(error, Error::Reorganised { .. }) && error.is_transient(), "{error}");
    assert_eq!(scene.set()[0], [1]);
    scene.nothing_to_do().await;
}
