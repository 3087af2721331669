//! Several endpoints before one chain, some of which lie, fail or lag.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::{FutureExt, future::join_all};
use serde_json::{Value, json};
use testamur_chain::{
    Basis, BlockTag, Endpoint, Error, Quorum, Reading, Registry, observe,
    observe::{Sighting, observe_with},
    quorum::Mode,
    registry::{anchor_call, withdraw_call},
    transact,
};
use testamur_core::{
    Address, ChainId, Hash, Purpose, Receipt, StatusIndex,
    evidence::Evidence,
    observation::{Finality, Observation, Unseen},
};

use crate::{
    chain::{CHAIN, Chain, PATIENCE, geth, key, root},
    history::Bits,
    observe::{UNTIL_FINAL, bits, receipt},
    proxy::{Reply, constant, proxy},
};

/// What an endpoint does to an honest answer.
type Lie = fn(method: &str, params: &Value, answer: &mut Value);

async fn liar(behind: &Endpoint, lie: Lie) -> Endpoint {
    let honest = behind.clone();
    proxy(behind, move |method, params| {
        let honest = honest.clone();
        async move {
            let Ok(mut answer) = honest.request::<Value>(&method, params.clone()).await else { return Reply::Honest };
            lie(&method, &params, &mut answer);
            Reply::Result(answer)
        }
        .boxed()
    })
    .await
}

async fn honest(behind: &Endpoint) -> Endpoint {
    liar(behind, |_, _, _| {}).await
}

/// One that refuses a method, as an endpoint does that has no such thing.
async fn without(behind: &Endpoint, refused: &'static str) -> Endpoint {
    proxy(behind, move |method, _| {
        let reply = if method == refused { Reply::Error(-32601, "method not found") } else { Reply::Honest };
        async move { reply }.boxed()
    })
    .await
}

/// A chain with one anchor of account 1, long settled, and one revoked index (7).
struct World {
    chain: Chain,
    registry: Registry,
    receipt: Receipt,
}

impl World {
    async fn new(test: &str) -> Option<Self> {
        let chain = Chain::start(test)?;
        let registry = chain.registry().await;
        let issuer = key(1).address();
        chain.send(&key(1), registry.address(), anchor_call(issuer, root(1), 3)).await;
        chain.send(&key(1), registry.address(), Bits::new(issuer, Purpose::REVOCATION).toggle(&[7])).await;
        chain.mine(UNTIL_FINAL + 10).await;
        let receipt = receipt(&registry, issuer, root(1), 7);
        Some(Self { chain, registry, receipt })
    }

    fn behind(&self) -> &Endpoint {
        &self.chain.endpoint
    }

    async fn look(&self, quorum: &Quorum) -> Sighting {
        let receipts = [&self.receipt];
        observe_with(quorum, &receipts, Finality::Finalized, &[]).await.pop().unwrap()
    }

    /// A look that must show the truth; with what it rests on.
    async fn sees(&self, quorum: &Quorum) -> Basis {
        let Sighting { look, basis, .. } = self.look(quorum).await;
        let seen = look.unwrap();
        let anchor = self.registry.anchor_of(self.receipt.issuer, root(1), BlockTag::Latest).await.unwrap();
        assert!(anchor.is_some());
        assert_eq!((seen.anchor_at_head, seen.anchor_settled), (anchor, anchor));
        assert_eq!(Ok(seen.code_hash), self.behind().code_hash(self.registry.address(), BlockTag::Latest).await);
        assert_eq!(bits(&seen, Purpose::REVOCATION, 7), [Some(true); 2]);
        assert_eq!(bits(&seen, Purpose::SUSPENSION, 7), [Some(false); 2]);
        assert_eq!(self.behind().has(seen.head).await, Ok(true));
        let basis = basis.unwrap().as_ref().clone();
        assert_eq!((basis.head.block, basis.settled.block), (seen.head, seen.settled));
        basis
    }

    /// A look at which nothing may be seen.
    async fn sees_nothing(&self, quorum: &Quorum) -> (Unseen, String) {
        let Sighting { look, basis, .. } = self.look(quorum).await;
        assert!(basis.is_none());
        look.unwrap_err()
    }
}

fn of(endpoints: &[&Endpoint]) -> Quorum {
    Quorum::new(CHAIN, endpoints.iter().copied().cloned())
}

fn names(endpoints: &[&Endpoint]) -> Vec<String> {
    endpoints.iter().map(ToString::to_string).collect()
}

/// The reasons for which an endpoint was passed over.
fn reasons<'a>(basis: &'a Basis, endpoint: &Endpoint) -> Vec<&'a str> {
    let of = basis.passed_over.iter().filter(|passed| passed.endpoint == endpoint.to_string());
    of.map(|passed| passed.reason.as_str()).collect()
}

#[test]
fn a_majority_is_needed_and_one_host_is_one_voice() {
    let endpoint = |port: usize| Endpoint::connect(&format!("http://127.0.0.1:{port}/key{port}")).unwrap();
    for (given, needed) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)] {
        assert_eq!(Quorum::new(CHAIN, (1..=given).map(endpoint)).needed(), needed);
    }
    let again = Endpoint::connect("http://127.0.0.1:1/another-key").unwrap();
    let quorum = Quorum::new(CHAIN, [endpoint(1), again, endpoint(2)]);
    assert_eq!((quorum.endpoints().len(), quorum.needed()), (2, 2));
    assert_eq!((quorum.clone().needing(Some(0)).needed(), quorum.needing(Some(9)).needed()), (1, 9));
    assert_eq!("proof".parse(), Ok(Reading::Proof));
    assert!("prof".parse::<Reading>().is_err());
}

#[tokio::test]
async fn one_liar_of_three_changes_nothing_and_is_named() {
    let Some(world) = World::new("one_liar_of_three_changes_nothing_and_is_named").await else { return };
    let (a, b) = (honest(world.behind()).await, honest(world.behind()).await);
    let other_hash: Lie = |method, _, answer| {
        if method == "eth_getBlockByNumber" {
            answer["hash"] = json!(Hash([9; 32]));
        }
    };
    let runs_ahead: Lie = |method, _, answer| {
        if method == "eth_getBlockByNumber" {
            answer["number"] = json!("0xffffff");
        }
    };
    let lags: Lie = |method, params, answer| {
        if method == "eth_getBlockByNumber" && params[0] != "0x0" {
            answer["number"] = json!("0x1");
        }
    };
    let other_time: Lie = |method, _, answer| {
        if method == "eth_getBlockByNumber" {
            answer["timestamp"] = json!("0x1");
        }
    };
    let value: Lie = |method, _, answer| {
        if method == "eth_getProof" {
            answer["storageProof"][0]["value"] = json!("0x0");
        } else if method == "eth_call" {
            *answer = json!(format!("0x{}", "00".repeat(128)));
        }
    };
    let code: Lie = |method, _, answer| {
        if method == "eth_getProof" {
            answer["codeHash"] = json!(Hash([9; 32]));
        } else if method == "eth_getCode" {
            *answer = json!("0x6000");
        }
    };
    let chain: Lie = |method, _, answer| {
        if method == "eth_chainId" {
            *answer = json!("0x1");
        }
    };
    let no_proof_node: Lie = |method, _, answer| {
        if method == "eth_getProof" {
            answer["accountProof"].as_array_mut().unwrap().pop();
        }
    };
    for (lie, told) in [
        (other_hash, "0x0909"),
        (runs_ahead, "block 16777215"),
        (lags, "block 1, behind"),
        (other_time, "(1970-01-01T00:00:01Z)"),
        (chain, "eip155:1"),
    ] {
        let liar = liar(world.behind(), lie).await;
        for (place, reading) in [(0, Reading::Proof), (1, Reading::Agreement), (2, Reading::Auto)] {
            let mut endpoints = vec![&a, &b];
            endpoints.insert(place, &liar);
            let basis = world.sees(&of(&endpoints).reading(reading)).await;
            assert_eq!((basis.needed, basis.given), (2, 3));
            assert_eq!((&basis.head.by, &basis.settled.by), (&names(&[&a, &b]), &names(&[&a, &b])), "{told}");
            assert!(reasons(&basis, &liar).iter().any(|reason| reason.contains(told)), "{told}: {basis:?}");
        }
    }
    for (lie, told) in [(value, "the slot's value"), (code, "code"), (no_proof_node, "lacks the node")] {
        let liar = liar(world.behind(), lie).await;
        let basis = world.sees(&of(&[&liar, &a, &b]).reading(Reading::Proof)).await;
        assert_eq!((basis.mode, &basis.read_from), (Mode::Proof, &names(&[&a])));
        assert!(reasons(&basis, &liar)[0].contains(told), "{basis:?}");
        let basis = world.sees(&of(&[&liar, &a, &b]).reading(Reading::Agreement)).await;
        assert_eq!((basis.mode, basis.head.by.len()), (Mode::Agreement, 3));
    }
}

#[tokio::test]
async fn a_lie_about_a_value_alone_is_never_seen_as_the_truth() {
    let Some(world) = World::new("a_lie_about_a_value_alone_is_never_seen_as_the_truth").await else { return };
    // The right proof of another slot, and the value that it proves, in place of the status root: "never revoked".
    let other_slot: Lie = |method, params, answer| {
        if method != "eth_getProof" {
            return;
        }
        let asked = params[1].as_array().unwrap();
        let storage = answer["storageProof"].as_array_mut().unwrap();
        let unwritten = storage.iter().find(|proof| proof["value"] == "0x0").unwrap().clone();
        for (proof, asked) in storage.iter_mut().zip(asked) {
            *proof = unwritten.clone();
            proof["key"] = asked.clone();
        }
    };
    let liar = liar(world.behind(), other_slot).await;
    let (unseen, detail) = world.sees_nothing(&of(&[&liar]).reading(Reading::Proof)).await;
    assert_eq!(unseen, Unseen::Unusable);
    assert!(detail.contains("no endpoint proves") && detail.contains(&liar.to_string()), "{detail}");
    // It cannot lie to those who take one honest word for the block.
    let basis = world.sees(&of(&[&liar, world.behind()]).reading(Reading::Proof)).await;
    assert_eq!(basis.read_from, names(&[world.behind()]));
}

#[tokio::test]
async fn too_few_who_agree_are_no_evidence_and_the_text_says_who_said_what() {
    let Some(world) = World::new("too_few_who_agree_are_no_evidence").await else { return };
    let (a, gone) = (honest(world.behind()).await, constant(503, "").await);
    let other_hash: Lie = |method, _, answer| {
        if method == "eth_getBlockByNumber" {
            answer["hash"] = json!(Hash([9; 32]));
        }
    };
    let liar = liar(world.behind(), other_hash).await;
    for endpoints in [[&a, &liar], [&liar, &a]] {
        let (unseen, detail) = world.sees_nothing(&of(&endpoints)).await;
        assert_eq!(unseen, Unseen::Unusable);
        let head = world.behind().block(BlockTag::Latest).await.unwrap();
        let honest = format!("{a}: says {} for block {}", head.hash, head.number);
        let lie = format!("{liar}: says {} for block {}", Hash([9; 32]), head.number);
        assert!(detail.contains(&honest) && detail.contains(&lie), "{detail}");
    }
    // Two of three are gone: the third alone is not believed, and it is the network's fault.
    let gone_as_well = constant(503, "").await;
    let (unseen, detail) = world.sees_nothing(&of(&[&a, &gone, &gone_as_well])).await;
    assert_eq!(unseen, Unseen::Unreachable);
    assert!(detail.contains(&format!("{gone_as_well} did not answer")), "{detail}");
    // One of three is gone.
    let b = honest(world.behind()).await;
    let basis = world.sees(&of(&[&gone, &a, &b])).await;
    assert!(reasons(&basis, &gone)[0].contains("503"), "{basis:?}");
    // As many as are told to: with one, one is enough; with three, one that is silent is missed.
    world.sees(&of(&[&gone, &a]).needing(Some(1))).await;
    let (unseen, _) = world.sees_nothing(&of(&[&gone, &a, &b]).needing(Some(3))).await;
    assert_eq!(unseen, Unseen::Unreachable);
    // One that serves another chain than it is for.
    let (unseen, _) = world.sees_nothing(&Quorum::new(ChainId(1), [a.clone()])).await;
    assert_eq!(unseen, Unseen::OtherChain { wanted: ChainId(1), served: CHAIN });
}

#[tokio::test]
async fn endpoints_that_cannot_prove_must_answer_alike() {
    let Some(world) = World::new("endpoints_that_cannot_prove_must_answer_alike").await else { return };
    let bare = join_all((0..3).map(|_| without(world.behind(), "eth_getProof"))).await;
    let bare: Vec<&Endpoint> = bare.iter().collect();
    let basis = world.sees(&of(&bare)).await;
    assert_eq!((basis.mode, basis.read_from), (Mode::Agreement, names(&bare[..2])));
    assert!(
        basis.passed_over.iter().all(|passed| passed.reason.contains("method not found")),
        "{:?}",
        basis.passed_over
    );
    let (unseen, detail) = world.sees_nothing(&of(&bare).reading(Reading::Proof)).await;
    assert!(unseen == Unseen::Unusable && detail.contains("method not found"), "{detail}");
    // One of them that can is enough.
    let basis = world.sees(&of(&[bare[0], bare[1], world.behind()])).await;
    assert_eq!((basis.mode, basis.read_from), (Mode::Proof, names(&[world.behind()])));
    // Two that say different things about the contract, and neither can prove it.
    let empty: Lie = |method, _, answer| {
        if method == "eth_call" {
            *answer = json!(format!("0x{}", "00".repeat(128)));
        }
    };
    let liar = liar(bare[0], empty).await;
    let (unseen, detail) = world.sees_nothing(&of(&[&liar, bare[1]])).await;
    assert_eq!(unseen, Unseen::Unusable);
    assert!(
        detail.contains("says that the root is not anchored") && detail.contains("says anchored in block"),
        "{detail}"
    );
}

#[tokio::test]
async fn heads_that_differ_by_a_block_meet_at_the_lower_one() {
    let Some(world) = World::new("heads_that_differ_by_a_block_meet_at_the_lower_one").await else { return };
    let head = world.behind().block(BlockTag::Latest).await.unwrap().number;
    let settled = world.behind().block(BlockTag::Finalized).await.unwrap().number;
    let late = |by: u64| {
        let behind = world.behind().clone();
        proxy(world.behind(), move |method, params| {
            let behind = behind.clone();
            let at = match params[0].as_str() {
                Some("latest") => head.0 - by,
                Some("finalized") => settled.0 - by,
                _ => return async { Reply::Honest }.boxed(),
            };
            async move {
                let block = json!([BlockTag::Number(at).to_string(), false]);
                Reply::Result(behind.request(&method, block).await.unwrap())
            }
            .boxed()
        })
    };
    let (one, two) = (late(1).await, late(2).await);
    let basis = world.sees(&of(&[&one, world.behind(), &two])).await;
    assert_eq!((basis.head.block.number.0, basis.settled.block.number.0), (head.0 - 1, settled.0 - 1));
    assert_eq!(basis.head.by, names(&[&one, world.behind()]));
    assert!(reasons(&basis, &two)[0].contains("behind"), "{basis:?}");
    // Two newest blocks of one height: both have the one before.
    let forked: Lie = |method, params, answer| {
        if method == "eth_getBlockByNumber" && params[0] == "latest" {
            answer["hash"] = json!(Hash([9; 32]));
        }
    };
    let forked = liar(world.behind(), forked).await;
    let basis = world.sees(&of(&[&forked, world.behind()])).await;
    assert_eq!(basis.head.block.number.0, head.0 - 1);
}

#[tokio::test]
async fn what_is_newer_than_the_settled_block_is_read_there() {
    let Some(world) = World::new("what_is_newer_than_the_settled_block_is_read_there").await else { return };
    let World { chain, registry, receipt } = &world;
    let (to, issuer) = (registry.address(), receipt.issuer);
    chain.send(&key(1), to, withdraw_call(issuer, root(1), 0)).await;
    chain.send(&key(1), to, anchor_call(issuer, root(2), 9)).await;
    let newer = Receipt { root: root(2), ..receipt.clone() };
    let absent = Receipt { root: root(3), issuer: key(2).address(), ..receipt.clone() };
    let nowhere = Receipt { registry: Address([5; 20]), ..receipt.clone() };
    // Like endpoints that keep no old state: they prove the newest only.
    let forgetful = {
        let head = json!(BlockTag::from(chain.head().await).to_string());
        proxy(&chain.endpoint, move |method, params| {
            let old = method == "eth_getProof" && params[2] != head;
            async move { if old { Reply::Error(-32000, "distance to target block exceeds maximum") } else { Reply::Honest } }
                .boxed()
        })
        .await
    };
    for (endpoint, mode) in [(&chain.endpoint, Mode::Proof), (&forgetful, Mode::Agreement)] {
        let receipts = [receipt, &newer, &absent, &nowhere];
        let sightings = observe_with(&of(&[endpoint]), &receipts, Finality::Finalized, &[]).await;
        let seen: Vec<&Observation> = sightings.iter().map(|sighting| sighting.look.as_ref().unwrap()).collect();
        assert!(seen[0].anchor_at_head.unwrap().withdrawn && !seen[0].anchor_settled.unwrap().withdrawn);
        assert_eq!((seen[1].anchor_at_head.unwrap().size, seen[1].anchor_settled), (9, None));
        assert_eq!((seen[2].anchor_at_head, seen[2].status.len()), (None, 2));
        assert_eq!((seen[3].code_hash, seen[3].anchor_at_head, seen[3].status.len()), (None, None, 0));
        assert_eq!(sightings[0].basis.as_ref().unwrap().mode, mode);
    }
    let strict = observe(&of(&[&forgetful]).reading(Reading::Proof), receipt, Finality::Finalized).await;
    assert_eq!(strict.unwrap_err().0, Unseen::Unusable);

    // Proofs to be kept, at the settled block; and at the newest where the settled one is forgotten.
    for (endpoint, finality) in [(&chain.endpoint, Finality::Finalized), (&forgetful, Finality::Included)] {
        let receipts = [receipt, &nowhere];
        let proofs = observe::prove(&of(&[endpoint]), &receipts, Finality::Finalized, &[]).await.unwrap();
        assert_eq!((proofs.finality, &proofs.missing), (finality, &BTreeSet::new()));
        // Packed and unpacked, it shows the same to whoever trusts the block, and only to them.
        let (block, views) = (proofs.view.block(), vec![proofs.view]);
        assert_eq!(endpoint.has(block).await, Ok(true));
        let packed = Evidence { views, ..Evidence::default() }.to_bytes();
        let evidence = Evidence::parse(&packed).unwrap();
        let trusted = |chain, number, hash| (chain, number, hash) == (CHAIN, block.number, block.hash);
        let seen = evidence.observe(receipt, &trusted, finality).unwrap();
        assert_eq!((seen.head, seen.settled, seen.finality), (block, block, finality));
        assert_eq!(seen.anchor_settled.unwrap().withdrawn, finality == Finality::Included);
        assert_eq!(bits(&seen, Purpose::REVOCATION, 7), [Some(true); 2]);
        assert!(evidence.observe(receipt, &|_, _, _| false, finality).is_err());
        assert!(evidence.observe(&nowhere, &trusted, finality).unwrap().code_hash.is_none());
    }
    let bare = without(&chain.endpoint, "eth_getProof").await;
    let refused = observe::prove(&of(&[&bare]), &[receipt], Finality::Finalized, &[]).await;
    assert!(matches!(refused, Err(Error::NoProof { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_history_that_one_has_lost_is_taken_from_another() {
    let Some(world) = World::new("a_history_that_one_has_lost_is_taken_from_another").await else { return };
    let pruned: Lie = |method, _, answer| {
        if method == "eth_getLogs" {
            *answer = json!([]);
        }
    };
    let pruned = liar(world.behind(), pruned).await;
    world.sees(&of(&[&pruned, world.behind()])).await;
}

#[tokio::test]
async fn ten_thousand_receipts_of_many_batches_cost_a_few_requests() {
    let Some(world) = World::new("ten_thousand_receipts_of_many_batches_cost_a_few_requests").await else { return };
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = requests.clone();
    let counting = proxy(world.behind(), move |_, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Reply::Honest }.boxed()
    })
    .await;
    let one_of = |n: u64| Receipt {
        root: root((n % 200) as u8),
        status_index: StatusIndex::new(n).unwrap(),
        ..world.receipt.clone()
    };
    let receipts: Vec<Arc<Receipt>> = (0..10_000).map(|n| Arc::new(one_of(n))).collect();
    let sightings = observe_with(&of(&[&counting]), &receipts, Finality::Finalized, &[]).await;
    let anchored = sightings.iter().filter(|sighting| sighting.look.as_ref().unwrap().anchor_at_head.is_some()).count();
    assert_eq!(anchored, 50);
    // chain id, two blocks, header, two proofs of up to 128 parts each, one block of events, head again
    assert_eq!(requests.load(Ordering::SeqCst), 8);
}

#[tokio::test]
async fn geth_proves_as_well() {
    let Some((_geth, registry)) = geth("geth_proves_as_well").await else { return };
    let endpoint = registry.endpoint().clone();
    let issuer = key(1).address();
    let receipt = Receipt { chain: endpoint.chain_id().await.unwrap(), ..receipt(&registry, issuer, root(1), 7) };
    let quorum = Quorum::new(receipt.chain, [endpoint.clone()]).reading(Reading::Proof);
    let absent = observe(&quorum, &receipt, Finality::Included).await.unwrap();
    assert_eq!(absent.anchor_at_head, None);
    let send =
        async |call: Vec<u8>| transact::send(&endpoint, &key(1), registry.address(), &call, PATIENCE).await.unwrap();
    send(anchor_call(issuer, root(1), 3)).await;
    send(Bits::new(issuer, Purpose::REVOCATION).toggle(&[7])).await;
    let seen = observe(&quorum, &receipt, Finality::Included).await.unwrap();
    assert_eq!(seen.anchor_at_head, registry.anchor_of(issuer, root(1), BlockTag::Latest).await.unwrap());
    assert!(seen.anchor_at_head.is_some() && seen.anchor_at_head == seen.anchor_settled);
    assert_eq!(bits(&seen, Purpose::REVOCATION, 7), [Some(true); 2]);
}
