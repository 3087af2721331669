use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::{
    evidence::{AccountProof, AnchorKey, EvidenceGap, StatusKey, slots_of, world::World},
    observation::{Finality, Observation},
    registry::slots,
    status::StatusTree,
};

const CHAIN: ChainId = ChainId(1);
const ISSUER: Address = Address([7; 20]);
const ROOT: Hash = Hash([5; 32]);
const ABSENT: Hash = Hash([6; 32]);
const REVOKED: StatusKey = (ISSUER, Purpose::REVOCATION);
const SUSPENDED: StatusKey = (ISSUER, Purpose::SUSPENSION);

fn index(number: u64) -> StatusIndex {
    StatusIndex::new(number).expect("in range")
}

/// A world in which a root is anchored, and index 300,000 is revoked, among others.
fn world() -> (World, StatusTree) {
    let mut world = World::new();
    let mut tree = StatusTree::new();
    tree.toggle(&[index(12), index(131_072), index(300_000), index(1 << 39)]);
    let mut packed = [0; 32];
    (packed[15], packed[23], packed[31]) = (3, 2, 1);
    let [first, second] = slots::status(ISSUER, Purpose::REVOCATION);
    let anchor = slots::anchor(ISSUER, ROOT);
    world.slots.extend([(anchor, Hash(packed)), (first, tree.root()), (second, Hash(packed))]);
    (world, tree)
}

fn view(world: &World, anchors: &[AnchorKey], statuses: &[StatusKey]) -> View {
    let mut view = View::new(CHAIN, world.header());
    let answer = AccountProof::from_rpc(&world.answer(&slots_of(anchors, statuses))).expect("an answer");
    view.add_proof(&answer, world.address, anchors, statuses).expect("an honest proof");
    view
}

/// Evidence for one batch: both purposes, one list whole and one bit alone.
fn evidence() -> Evidence {
    let (world, tree) = world();
    let mut view = view(&world, &[(ISSUER, ROOT), (ISSUER, ABSENT)], &[REVOKED, SUSPENDED]);
    let number = index(300_000).list();
    view.add_list(world.address, REVOKED, number, tree.list(number), tree.list_proof(number)).expect("a list");
    view.add_bit(world.address, REVOKED, index(12), tree.proof(index(12))).expect("a bit");
    let url = "https://issuer.example/.well-known/did.json".to_owned();
    let document = IdentityDocument { url, as_of: UnixSeconds(1), bytes: b"{}".to_vec() };
    Evidence { views: vec![view], receipts: vec![receipt(ROOT, 300_000)], documents: vec![document] }
}

fn receipt(root: Hash, status_index: u64) -> Receipt {
    Receipt {
        version: 1,
        leaf_index: 0,
        tree_size: 1,
        status_index: index(status_index),
        path: Vec::new(),
        root,
        issuer: ISSUER,
        chain: CHAIN,
        registry: crate::registry::ADDRESS,
        transaction: Hash::ZERO,
        block: BlockNumber(2),
    }
}

fn observe(evidence: &Evidence, receipt: &Receipt) -> Result<Observation, EvidenceGap> {
    evidence.observe(receipt, &|chain, _, _| chain == CHAIN, Finality::Finalized)
}

/// Whether the bit of a purpose is set; `None` where it is not told.
fn bit(seen: &Observation, purpose: Purpose, index: StatusIndex) -> Option<bool> {
    let status = seen.status.iter().find(|seen| seen.purpose == purpose)?;
    assert_eq!(status.head, status.settled);
    let Some(proof) = &status.head.proof else { return (status.head.record.root == Hash::ZERO).then_some(false) };
    assert_eq!(proof.root(index), Ok(status.head.record.root));
    Some(proof.bit(index))
}

#[test]
fn what_is_written_is_read_and_shows_the_same() {
    let bytes = evidence().to_bytes();
    let read = Evidence::parse(&bytes).expect("evidence");
    assert_eq!(read.to_bytes(), bytes);
    assert_eq!((&read.receipts, &read.documents), (&evidence().receipts, &evidence().documents));
    for evidence in [evidence(), read] {
        let seen = observe(&evidence, &receipt(ROOT, 300_000)).expect("proven");
        assert_eq!((seen.head, seen.settled), (world().0.header().block(), world().0.header().block()));
        assert_eq!(seen.code_hash, Some(crate::registry::CODE_HASH));
        assert_eq!(seen.anchor_at_head.map(|anchor| anchor.size), Some(3));
        assert_eq!(seen.anchor_settled, seen.anchor_at_head);
        assert_eq!(seen.finality, Finality::Finalized);
        for (number, revoked) in [(300_000, Some(true)), (300_001, Some(false)), (12, Some(true)), (131_071, None)] {
            let seen = observe(&evidence, &receipt(ROOT, number)).expect("proven");
            assert_eq!(bit(&seen, Purpose::REVOCATION, index(number)), revoked, "{number}");
            assert_eq!(bit(&seen, Purpose::SUSPENSION, index(number)), Some(false));
        }
        let absent = observe(&evidence, &receipt(ABSENT, 0)).expect("proven to be absent");
        assert_eq!(absent.anchor_at_head, None);
    }
}

#[test]
fn what_is_not_covered_or_not_trusted_is_unknown() {
    let evidence = evidence();
    let genuine = receipt(ROOT, 300_000);
    let not_covered = |chain| Err(EvidenceGap::NotCovered { chain });
    for other in [
        Receipt { root: Hash([9; 32]), ..genuine.clone() },
        Receipt { issuer: Address([8; 20]), ..genuine.clone() },
        Receipt { registry: Address([8; 20]), ..genuine.clone() },
    ] {
        assert_eq!(observe(&evidence, &other), not_covered(CHAIN));
    }
    let elsewhere = Receipt { chain: ChainId(10), ..genuine.clone() };
    assert_eq!(observe(&evidence, &elsewhere), not_covered(ChainId(10)));
    let block = world().0.header().block();
    let untrusting = evidence.observe(&genuine, &|_, _, _| false, Finality::Finalized);
    assert_eq!(untrusting, Err(EvidenceGap::NotTrusted { chain: CHAIN, block }));
    let pinned = |chain, number, hash| (chain, number, hash) == (CHAIN, block.number, block.hash);
    assert!(evidence.observe(&genuine, &pinned, Finality::Finalized).is_ok());
}

#[test]
fn the_newest_trusted_block_speaks() {
    let (mut world, _) = world();
    let mut evidence = evidence();
    world.number += 1;
    let [first, second] = slots::status(ISSUER, Purpose::REVOCATION);
    world.slots.extend([(first, Hash::ZERO), (second, Hash::ZERO)]);
    let later = view(&world, &[(ISSUER, ROOT)], &[REVOKED, SUSPENDED]);
    evidence.views.insert(0, later);
    let revoked = |trusted: &dyn Fn(ChainId, BlockNumber, Hash) -> bool| {
        let seen = evidence.observe(&receipt(ROOT, 300_000), trusted, Finality::Finalized).expect("proven");
        bit(&seen, Purpose::REVOCATION, index(300_000))
    };
    assert_eq!(revoked(&|_, _, _| true), Some(false));
    assert_eq!(revoked(&|_, number, _| number.0 == 1000), Some(true));
}

/// A holder who packs the evidence leaves out what speaks against them.
#[test]
fn a_purpose_that_is_left_out_leaves_the_status_unknown() {
    let (world, tree) = world();
    let number = index(300_000).list();
    let only = |key| Evidence { views: vec![view(&world, &[(ISSUER, ROOT)], &[key])], ..Evidence::default() };
    let seen = observe(&only(SUSPENDED), &receipt(ROOT, 300_000)).expect("proven");
    assert!(seen.anchor_at_head.is_some() && seen.status.is_empty());
    let mut revoked = only(REVOKED);
    let list = (tree.list(number), tree.list_proof(number));
    revoked.views[0].add_list(world.address, REVOKED, number, list.0, list.1).expect("a list");
    let set = observe(&revoked, &receipt(ROOT, 300_000)).expect("proven");
    assert_eq!(bit(&set, Purpose::REVOCATION, index(300_000)), Some(true));
    let clear = observe(&revoked, &receipt(ROOT, 300_001)).expect("proven");
    assert!(clear.status.is_empty());
}

#[test]
fn bits_of_another_tree_are_no_bits() {
    let (world, tree) = world();
    let mut view = view(&world, &[], &[REVOKED]);
    let number = index(300_000).list();
    let (list, proof) = (tree.list(number), tree.list_proof(number));
    let wrong = view.add_list(world.address, REVOKED, number, StatusList::default(), proof.clone());
    assert!(matches!(wrong, Err(ProofError::StatusRoot { .. })));
    let elsewhere = view.add_list(world.address, SUSPENDED, number, list, proof);
    assert!(matches!(elsewhere, Err(ProofError::NotProven { .. })));
    let bit = view.add_bit(world.address, REVOKED, index(13_000_000), tree.proof(index(12)));
    assert!(matches!(bit, Err(ProofError::StatusRoot { .. })));
}

/// The file, made once: the other hand's tries are slow without optimisation.
static FILE: LazyLock<Value> = LazyLock::new(|| serde_json::from_slice(&evidence().to_bytes()).expect("JSON"));

/// Evidence with a change somewhere in its JSON.
fn changed(change: impl FnOnce(&mut Value)) -> EvidenceError {
    let mut value = FILE.clone();
    change(&mut value);
    Evidence::parse(value.to_string().as_bytes()).expect_err("wrong evidence")
}

#[test]
fn a_wrong_part_is_named() {
    let named = |path: &str, value: Value| match changed(|all| *all.pointer_mut(path).expect(path) = value) {
        EvidenceError::Part { part, .. } => part,
        other => panic!("{path}: {other}"),
    };
    assert_eq!(named("/views/0/hash", json!(ROOT)), "views[0].header");
    assert_eq!(named("/views/0/block", json!(7)), "views[0].header");
    assert_eq!(named("/views/0/header", json!("AAAA")), "views[0].header");
    assert_eq!(
        named("/views/0/registries/0/anchors/0/root", json!(Hash([9; 32]))),
        "views[0].registries[0].anchors[0]"
    );
    assert_eq!(
        named("/views/0/registries/0/statuses/0/lists/0/encoded", json!("uAAAA")),
        "views[0].registries[0].statuses[0].lists[0]"
    );
    assert_eq!(
        named("/views/0/registries/0/statuses/0/lists/0/number", json!(3)),
        "views[0].registries[0].statuses[0].lists[0]"
    );
    assert_eq!(
        named("/views/0/registries/0/statuses/0/bits/0/index", json!(9999)),
        "views[0].registries[0].statuses[0].bits[0]"
    );
    assert_eq!(named("/receipts/0/version", json!(2)), "receipts[0]");
    let twice = changed(|all| {
        let nodes = all["views"][0]["nodes"].as_array_mut().expect("nodes");
        nodes.push(nodes[0].clone());
    });
    assert!(matches!(twice, EvidenceError::Part { fault: PartFault::Twice, .. }), "{twice}");
    let extra = changed(|all| all["views"][0]["nodes"].as_array_mut().expect("nodes").push(json!("gA")));
    let fault = PartFault::Proof(ProofError::ExtraNodes { count: 1 });
    assert_eq!(extra, EvidenceError::Part { part: "views[0].nodes".to_owned(), fault });
}

#[test]
fn any_node_that_is_missing_or_another_is_missed() {
    for at in 0..FILE["views"][0]["nodes"].as_array().expect("nodes").len() {
        changed(|all| drop(all["views"][0]["nodes"].as_array_mut().expect("nodes").remove(at)));
    }
}

#[test]
fn what_is_no_evidence_of_this_version_is_told() {
    let later = changed(|all| *all = json!({ "format": "testamur-evidence/2", "proofs": {} }));
    assert_eq!(later, EvidenceError::Format { found: "testamur-evidence/2".to_owned() });
    assert!(matches!(changed(|all| all["more"] = json!(1)), EvidenceError::Json { .. }));
    assert!(matches!(Evidence::parse(b"{}"), Err(EvidenceError::Json { .. })));
    assert!(matches!(Evidence::parse(b"\x89PNG"), Err(EvidenceError::Json { line: 1, column: 1 })));
    let twice = br#"{"format":"testamur-evidence/1","views":[],"views":[]}"#;
    assert!(matches!(Evidence::parse(twice), Err(EvidenceError::Json { .. })));
    let lists = changed(|all| {
        let lists = &mut all["views"][0]["registries"][0]["statuses"][0]["lists"];
        *lists = json!(vec![lists[0].clone(); MAX_LISTS + 1]);
    });
    assert!(matches!(lists, EvidenceError::TooLarge { what: "status lists", .. }));
    assert!(Evidence::parse(br#"{"format":"testamur-evidence/1","views":[]}"#).is_ok(), "nothing is proven by it");
}
