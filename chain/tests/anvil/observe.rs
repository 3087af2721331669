use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures::{FutureExt, future::BoxFuture};
use serde_json::json;
use testamur_chain::{
    BlockTag::Latest,
    Endpoint, Quorum, Reading, Registry, observe,
    observe::{BitsSource, Origin, Supply, Wanted},
    observe_many, observe_with,
    registry::{anchor_call, withdraw_call},
};
use testamur_core::{
    Address, BlockNumber, ChainId, Hash, ListNumber, Purpose, Receipt, StatusIndex,
    observation::{Finality, Observation, Unseen},
    status::StatusTree,
};

use crate::{
    chain::{CHAIN, Chain, key, root},
    history::Bits,
    proxy::{Reply, proxy},
};

/// Blocks after which anvil, by default, calls one finalized.
pub const UNTIL_FINAL: u64 = 64;

pub fn receipt(registry: &Registry, issuer: Address, root: Hash, index: u64) -> Receipt {
    Receipt {
        version: 1,
        leaf_index: 0,
        tree_size: 1,
        status_index: StatusIndex::new(index).unwrap(),
        path: Vec::new(),
        root,
        issuer,
        chain: CHAIN,
        registry: registry.address(),
        transaction: Hash::ZERO,
        block: BlockNumber(1),
    }
}

/// One endpoint, believed alone.
fn alone(endpoint: &Endpoint) -> Quorum {
    Quorum::new(CHAIN, [endpoint.clone()])
}

/// The bit at the head and at the settled block; `None` where it cannot be told. Proofs must lead to their roots.
pub fn bits(seen: &Observation, purpose: Purpose, index: u64) -> [Option<bool>; 2] {
    let index = StatusIndex::new(index).unwrap();
    let status = seen.status.iter().find(|status| status.purpose == purpose).unwrap();
    [&status.head, &status.settled].map(|at| match &at.proof {
        None => (at.record.root == Hash::ZERO).then_some(false),
        Some(proof) => {
            assert_eq!(proof.root(index), Ok(at.record.root));
            Some(proof.bit(index))
        }
    })
}

#[tokio::test]
async fn an_anchor_is_seen_first_included_then_final() {
    let Some(chain) = Chain::start("an_anchor_is_seen_first_included_then_final") else { return };
    let registry = chain.registry().await;
    let issuer = key(1).address();
    chain.send(&key(1), registry.address(), anchor_call(issuer, root(1), 1)).await;
    let receipt = receipt(&registry, issuer, root(1), 0);

    let seen = observe(&alone(&chain.endpoint), &receipt, Finality::Finalized).await.unwrap();
    let anchor = registry.anchor_of(issuer, root(1), Latest).await.unwrap();
    assert_eq!((seen.chain, seen.registry, seen.issuer, seen.root), (CHAIN, registry.address(), issuer, root(1)));
    assert_eq!(Ok(seen.code_hash), chain.endpoint.code_hash(registry.address(), Latest).await);
    assert_eq!(seen.head, chain.endpoint.block(Latest).await.unwrap());
    assert_eq!((seen.settled.number, seen.anchor_at_head, seen.anchor_settled), (BlockNumber(0), anchor, None));
    assert_eq!(bits(&seen, Purpose::REVOCATION, 0), [Some(false); 2]);

    let included = observe(&alone(&chain.endpoint), &receipt, Finality::Included).await.unwrap();
    assert_eq!((included.settled, included.anchor_settled), (included.head, anchor));

    chain.mine(UNTIL_FINAL).await;
    for finality in [Finality::Safe, Finality::Finalized] {
        let seen = observe(&alone(&chain.endpoint), &receipt, finality).await.unwrap();
        assert!(seen.settled.number < seen.head.number);
        assert_eq!((seen.anchor_at_head, seen.anchor_settled), (anchor, anchor), "{finality:?}");
    }

    chain.send(&key(1), registry.address(), withdraw_call(issuer, root(1), 0)).await;
    let seen = observe(&alone(&chain.endpoint), &receipt, Finality::Finalized).await.unwrap();
    assert!(seen.anchor_at_head.unwrap().withdrawn && !seen.anchor_settled.unwrap().withdrawn);
}

#[tokio::test]
async fn a_chain_that_has_no_finalized_block_yet_has_settled_only_its_first() {
    let Some(chain) = Chain::start("a_chain_that_has_no_finalized_block_yet_has_settled_only_its_first") else {
        return;
    };
    let registry = chain.registry().await;
    let receipt = receipt(&registry, key(1).address(), root(1), 0);
    let young = proxy(&chain.endpoint, |_, params| {
        let reply = if params[0] == "finalized" { Reply::Result(json!(null)) } else { Reply::Honest };
        async move { reply }.boxed()
    })
    .await;
    let seen = observe(&alone(&young), &receipt, Finality::Finalized).await.unwrap();
    assert_eq!(seen.settled, chain.endpoint.block(testamur_chain::BlockTag::Number(0)).await.unwrap());
}

#[tokio::test]
async fn bits_are_seen_as_they_are_set_and_cleared() {
    let Some(chain) = Chain::start("bits_are_seen_as_they_are_set_and_cleared") else { return };
    let registry = chain.registry().await;
    let (issuer, to) = (key(1).address(), registry.address());
    let mut revoked = Bits::new(issuer, Purpose::REVOCATION);
    let mut suspended = Bits::new(issuer, Purpose::SUSPENSION);
    chain.send(&key(1), to, anchor_call(issuer, root(1), 1)).await;
    chain.send(&key(1), to, suspended.toggle(&[10, 11])).await;
    let look = async |index| {
        let receipt = receipt(&registry, issuer, root(1), index);
        let seen = observe(&alone(&chain.endpoint), &receipt, Finality::Finalized).await.unwrap();
        [bits(&seen, Purpose::REVOCATION, index), bits(&seen, Purpose::SUSPENSION, index)]
    };
    let (clear, set) = (Some(false), Some(true));
    // Set at once at the head, later at the settled block.
    assert_eq!(look(10).await, [[clear, clear], [set, clear]]);
    chain.mine(UNTIL_FINAL).await;
    assert_eq!(look(10).await, [[clear, clear], [set, set]]);
    // Reinstated, and another revoked: one issuer, two trees, both at two blocks.
    chain.send(&key(1), to, suspended.toggle(&[10])).await;
    chain.send(&key(1), to, revoked.toggle(&[12])).await;
    assert_eq!(look(10).await, [[clear, clear], [clear, set]]);
    assert_eq!(look(11).await, [[clear, clear], [set, set]]);
    assert_eq!(look(12).await, [[set, clear], [clear, clear]]);
    // The last suspension lifted: a zero root at the head needs no proof, the settled one still has bits.
    chain.send(&key(1), to, suspended.toggle(&[11])).await;
    assert_eq!(look(11).await, [[clear, clear], [clear, set]]);
    chain.mine(UNTIL_FINAL).await;
    assert_eq!(look(11).await, [[clear, clear], [clear, clear]]);
}

#[tokio::test]
async fn without_history_the_bits_are_unknown_and_the_rest_is_seen() {
    let Some(chain) = Chain::start("without_history_the_bits_are_unknown_and_the_rest_is_seen") else { return };
    let registry = chain.registry().await;
    let issuer = key(1).address();
    chain.send(&key(1), registry.address(), anchor_call(issuer, root(1), 1)).await;
    chain.send(&key(1), registry.address(), Bits::new(issuer, Purpose::REVOCATION).toggle(&[1])).await;
    let pruned = proxy(&chain.endpoint, |method, _| {
        let reply = if method == "eth_getLogs" { Reply::Result(json!([])) } else { Reply::Honest };
        async move { reply }.boxed()
    })
    .await;
    let seen = observe(&alone(&pruned), &receipt(&registry, issuer, root(1), 2), Finality::Included).await.unwrap();
    assert!(seen.anchor_at_head.is_some());
    assert_eq!(bits(&seen, Purpose::REVOCATION, 2), [None, None]);
    assert_eq!(bits(&seen, Purpose::SUSPENSION, 2), [Some(false), Some(false)]);
}

#[tokio::test]
async fn a_reorganised_anchor_is_gone_and_no_look_is_half_and_half() {
    let Some(chain) = Chain::start("a_reorganised_anchor_is_gone_and_no_look_is_half_and_half") else { return };
    let registry = chain.registry().await;
    let issuer = key(1).address();
    chain.mine(2).await;
    chain.send(&key(1), registry.address(), anchor_call(issuer, root(1), 1)).await;
    let receipt = receipt(&registry, issuer, root(1), 0);
    // The chain changes right after the contract was read.
    for (method, reading) in [("eth_call", Reading::Agreement), ("eth_getProof", Reading::Proof)] {
        let before = observe(&alone(&chain.endpoint), &receipt, Finality::Finalized).await.unwrap();
        let (behind, reads) = (chain.endpoint.clone(), Arc::new(AtomicU32::new(0)));
        let counted = reads.clone();
        let unsteady = proxy(&chain.endpoint, move |asked, params| {
            let (behind, is_read) = (behind.clone(), asked == method);
            let first = is_read && counted.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                if !first {
                    return Reply::Honest;
                }
                let answer = behind.request(method, params).await.unwrap();
                behind.request::<serde_json::Value>("anvil_reorg", json!([2, []])).await.unwrap();
                Reply::Result(answer)
            }
            .boxed()
        })
        .await;
        let after = observe(&alone(&unsteady).reading(reading), &receipt, Finality::Finalized).await.unwrap();
        assert_eq!(after.anchor_at_head, None, "{reading:?}");
        assert_eq!(after.head, chain.endpoint.block(Latest).await.unwrap());
        assert_ne!(after.head.hash, before.head.hash);
        let twice = if reading == Reading::Proof { 2 } else { 6 };
        assert_eq!(reads.load(Ordering::SeqCst), twice, "both looks read an anchor and two status records");
        chain.send(&key(1), registry.address(), anchor_call(issuer, receipt.root, 1)).await;
    }
}

#[tokio::test]
async fn nothing_is_asked_of_a_look_alike_or_of_another_chain() {
    let Some(chain) = Chain::start("nothing_is_asked_of_a_look_alike_or_of_another_chain") else { return };
    let registry = chain.registry().await;
    let issuer = key(1).address();
    let genuine = receipt(&registry, issuer, root(1), 0);
    let look_alike: Address = "0x4e59b44847b379578588920cA78FbF26c0B4956C".parse().unwrap();
    let receipts = [
        genuine.clone(),
        Receipt { registry: look_alike, ..genuine.clone() },
        Receipt { registry: Address([9; 20]), ..genuine.clone() },
        Receipt { chain: ChainId(1), ..genuine },
    ];
    let looks = observe_many(&alone(&chain.endpoint), &receipts, Finality::Included).await;
    let seen: Vec<_> = looks.iter().flatten().collect();
    assert_eq!(seen.len(), 3);
    assert_eq!((seen[0].anchor_at_head, seen[0].status.len()), (None, 2));
    assert!(seen[1].code_hash.is_some_and(|hash| Some(hash) != seen[0].code_hash));
    assert_eq!((seen[2].code_hash, seen[1].status.len(), seen[2].status.len()), (None, 0, 0));
    let wrong = Unseen::OtherChain { wanted: ChainId(1), served: CHAIN };
    assert_eq!(looks[3].as_ref().unwrap_err().0, wrong);
}

#[tokio::test]
async fn many_receipts_of_a_batch_cost_one_look() {
    let Some(chain) = Chain::start("many_receipts_of_a_batch_cost_one_look") else { return };
    let registry = chain.registry().await;
    let issuer = key(1).address();
    chain.send(&key(1), registry.address(), anchor_call(issuer, root(1), 200)).await;
    chain.send(&key(1), registry.address(), Bits::new(issuer, Purpose::REVOCATION).toggle(&[7])).await;
    let requests = Arc::new(AtomicU32::new(0));
    let counted = requests.clone();
    let counting = proxy(&chain.endpoint, move |_, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Reply::Honest }.boxed()
    })
    .await;
    let receipts: Vec<_> = (0..200).map(|index| receipt(&registry, issuer, root(1), index)).collect();
    // chain id, head, then header and proof, or code, anchor and two status records; one block of events; head again
    for (reading, expected) in [(Reading::Auto, 6), (Reading::Proof, 6), (Reading::Agreement, 8)] {
        requests.store(0, Ordering::SeqCst);
        let looks = observe_many(&alone(&counting).reading(reading), &receipts, Finality::Included).await;
        let revoked: Vec<_> = looks.iter().map(|look| bits(look.as_ref().unwrap(), Purpose::REVOCATION, 7)).collect();
        assert_eq!(revoked[7], [Some(true); 2]);
        assert_eq!(requests.load(Ordering::SeqCst), expected, "{reading:?}");
    }
    let none: [Receipt; 0] = [];
    assert_eq!(observe_many(&alone(&counting), &none, Finality::Included).await.len(), 0);
}

#[tokio::test]
async fn an_endpoint_that_fails_is_no_evidence() {
    let down = crate::proxy::constant(503, "").await;
    let Some(chain) = Chain::start("an_endpoint_that_fails_is_no_evidence") else { return };
    let registry = chain.registry().await;
    let receipt = receipt(&registry, key(1).address(), root(1), 0);
    let (unseen, detail) = observe(&alone(&down), &receipt, Finality::Finalized).await.unwrap_err();
    assert_eq!(unseen, Unseen::Unreachable);
    assert!(detail.contains("503"), "{detail}");
    let flaky = proxy(&chain.endpoint, |method, _| {
        let reply = if method == "eth_call" { Reply::LateStatus(500) } else { Reply::Honest };
        async move { reply }.boxed()
    })
    .await;
    assert_eq!(
        observe(&alone(&flaky).reading(Reading::Agreement), &receipt, Finality::Finalized).await.unwrap_err().0,
        Unseen::Unreachable
    );
    let garbled = proxy(&chain.endpoint, |method, _| {
        let reply = if method == "eth_call" { Reply::Result(json!("0x01")) } else { Reply::Honest };
        async move { reply }.boxed()
    })
    .await;
    assert_eq!(
        observe(&alone(&garbled).reading(Reading::Agreement), &receipt, Finality::Finalized).await.unwrap_err().0,
        Unseen::Unusable
    );
}

/// Supplies what a test makes of a tree.
struct Mirror(StatusTree, fn(&StatusTree, &Wanted) -> Vec<Supply>);

impl BitsSource for Mirror {
    fn name(&self) -> String {
        "a mirror".to_owned()
    }

    fn supply<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, Vec<Supply>> {
        async { if wanted.purpose == Purpose::REVOCATION { self.1(&self.0, wanted) } else { vec![] } }.boxed()
    }
}

fn list(tree: &StatusTree, number: ListNumber) -> Supply {
    Supply::List { number, bits: tree.list(number), proof: tree.list_proof(number) }
}

#[tokio::test]
async fn supplied_bits_count_under_the_root_on_chain_alone() {
    let Some(chain) = Chain::start("supplied_bits_count_under_the_root_on_chain_alone") else { return };
    let registry = chain.registry().await;
    let (issuer, to) = (key(1).address(), registry.address());
    let indices = [7, 70_000, 1 << 17, (1 << 39) + 5];
    let mut revoked = Bits::new(issuer, Purpose::REVOCATION);
    let mut stale = StatusTree::new();
    chain.send(&key(1), to, revoked.toggle(&[7])).await;
    stale.toggle(&[StatusIndex::new(7).unwrap()]);
    chain.send(&key(1), to, revoked.toggle(&indices[1..])).await;
    let walks = Arc::new(AtomicU32::new(0));
    let counted = walks.clone();
    let counting = proxy(&chain.endpoint, move |method, _| {
        let _ = method == "eth_getLogs" && counted.fetch_add(1, Ordering::SeqCst) > 0;
        async { Reply::Honest }.boxed()
    })
    .await;
    let receipts: Vec<_> =
        [7, 8, 70_000, 1 << 17, (1 << 39) + 5, 1 << 30].map(|n| receipt(&registry, issuer, root(1), n)).into();
    let look = async |sources: &[&dyn BitsSource]| {
        walks.store(0, Ordering::SeqCst);
        let seen = observe_with(&alone(&counting), &receipts, Finality::Included, sources).await;
        let mut origins = Vec::new();
        for (receipt, sighting) in receipts.iter().zip(seen) {
            let index = receipt.status_index.get();
            let expected = Some(indices.contains(&index));
            assert_eq!(bits(&sighting.look.unwrap(), Purpose::REVOCATION, index), [expected; 2], "{index}");
            assert_eq!(sighting.origins[0].head, sighting.origins[0].settled);
            assert_eq!(sighting.origins[1].head, Origin::Root);
            origins.push(sighting.origins[0].head.clone());
        }
        (origins, walks.load(Ordering::SeqCst))
    };
    let supplied = Origin::Supplied("a mirror".to_owned());
    let lists: fn(&StatusTree, &Wanted) -> Vec<Supply> =
        |tree, wanted| wanted.indices.iter().map(|index| list(tree, index.list())).collect();
    let proofs: fn(&StatusTree, &Wanted) -> Vec<Supply> =
        |tree, wanted| wanted.indices.iter().map(|&index| Supply::Bit { index, proof: tree.proof(index) }).collect();
    for honest in [lists, proofs] {
        let mirror = Mirror(revoked.tree.clone(), honest);
        assert_eq!(look(&[&mirror]).await, (vec![supplied.clone(); 6], 0));
    }
    // One that is behind, one that mixes its lists up, one that has nothing: the chain is walked instead.
    let mixed_up: fn(&StatusTree, &Wanted) -> Vec<Supply> = |tree, wanted| {
        let other = ListNumber::new(3).unwrap();
        let lie = |number| Supply::List { number, bits: tree.list(other), proof: tree.list_proof(number) };
        wanted.indices.iter().filter(|index| index.get() == 7).map(|index| lie(index.list())).collect()
    };
    let liars =
        [Mirror(stale, lists), Mirror(revoked.tree.clone(), mixed_up), Mirror(StatusTree::new(), |_, _| vec![])];
    for liar in &liars {
        assert_eq!(look(&[liar]).await, (vec![Origin::Rebuilt; 6], 2));
    }
    // The next source is asked for what the first left open; the chain for the rest.
    let some = Mirror(revoked.tree.clone(), |tree, _| vec![list(tree, ListNumber::new(0).unwrap())]);
    let all = Mirror(revoked.tree.clone(), lists);
    assert_eq!(look(&[&liars[0], &some, &all]).await, (vec![supplied.clone(); 6], 0));
    let (origins, _) = look(&[&some]).await;
    assert_eq!(origins[..3], [supplied.clone(), supplied.clone(), supplied]);
    assert_eq!(origins[3..], [Origin::Rebuilt, Origin::Rebuilt, Origin::Rebuilt]);
}
