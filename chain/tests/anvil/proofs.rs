//! Proofs of the genuine contract's state say what its views say.

use serde_json::json;
use testamur_chain::{
    Registry,
    registry::{anchor_call, withdraw_call},
};
use testamur_core::{
    Address, BlockNumber, Hash, Purpose, Receipt, StatusIndex,
    evidence::{AccountProof, AnchorKey, Evidence, Header, ProofError, StatusKey, View, slots_of},
    observation::Finality,
    registry::CODE_HASH,
};

use crate::{
    chain::{CHAIN, Chain, key, root},
    history::Bits,
};

/// The header of a block, and a proof of a contract's slots at it. Slots have all their digits: anvil refuses `0x1`.
async fn prove(chain: &Chain, at: BlockNumber, contract: Address, slots: &[Hash]) -> (Header, AccountProof) {
    let tag = format!("{:#x}", at.0);
    let block = chain.ask("eth_getBlockByNumber", json!([tag, false])).await;
    let header = Header::from_rpc(&block).unwrap();
    // By hash: the answer is then of this block, whatever happens to the chain. EIP-1898.
    let by_hash = json!({ "blockHash": header.block().hash });
    let answer = chain.ask("eth_getProof", json!([contract, slots, by_hash])).await;
    (header, AccountProof::from_rpc(&answer).unwrap())
}

struct Written {
    registry: Registry,
    issuer: Address,
    revoked: Bits,
}

/// Three batches, one of them withdrawn, and two revocations.
async fn write(chain: &Chain) -> Written {
    let registry = chain.registry().await;
    let (issuer, to) = (key(1).address(), registry.address());
    let mut revoked = Bits::new(issuer, Purpose::REVOCATION);
    for call in [
        anchor_call(issuer, root(1), 1),
        anchor_call(issuer, root(2), 1 << 40),
        anchor_call(issuer, root(3), u64::MAX),
        withdraw_call(issuer, root(2), 1),
        revoked.toggle(&[7, 300_000]),
        revoked.toggle(&[8]),
    ] {
        chain.send(&key(1), to, call).await;
    }
    Written { registry, issuer, revoked }
}

#[tokio::test]
async fn proven_slots_say_what_the_contract_says() {
    let Some(chain) = Chain::start("proven_slots_say_what_the_contract_says") else { return };
    let Written { registry, issuer, .. } = write(&chain).await;
    let at = chain.head().await;
    let anchors = [1, 2, 3, 4].map(|n| (issuer, root(n)));
    let statuses = [Purpose::REVOCATION, Purpose::SUSPENSION].map(|purpose| (issuer, purpose));
    let slots = slots_of(&anchors, &statuses);
    let (header, proof) = prove(&chain, at, registry.address(), &slots).await;
    assert_eq!(header.block(), chain.endpoint.block(at.into()).await.unwrap());
    let proven = proof.check(&header, registry.address(), &slots).unwrap();
    assert_eq!(proven.code_hash(), Some(CODE_HASH));
    for (issuer, root) in anchors {
        assert_eq!(proven.anchor(issuer, root), Ok(registry.anchor_of(issuer, root, at.into()).await.unwrap()));
    }
    assert_eq!(proven.anchor(issuer, root(4)), Ok(None));
    assert!(proven.anchor(issuer, root(2)).unwrap().unwrap().withdrawn);
    for (issuer, purpose) in statuses {
        assert_eq!(proven.status(issuer, purpose), Ok(registry.status_of(issuer, purpose, at.into()).await.unwrap()));
    }
    assert_eq!(proven.status(issuer, Purpose::REVOCATION).unwrap().epoch, 2);
}

#[tokio::test]
async fn an_address_without_a_contract_is_proven_to_be_one() {
    let Some(chain) = Chain::start("an_address_without_a_contract_is_proven_to_be_one") else { return };
    chain.mine(1).await;
    let nowhere = testamur_core::registry::ADDRESS;
    let slots = slots_of(&[(key(1).address(), root(1))], &[]);
    let (header, proof) = prove(&chain, chain.head().await, nowhere, &slots).await;
    let proven = proof.check(&header, nowhere, &slots).unwrap();
    assert_eq!((proven.code_hash(), proven.anchor(key(1).address(), root(1))), (None, Ok(None)));
    // And an account that is there, but no contract.
    let person = key(0).address();
    let (header, proof) = prove(&chain, chain.head().await, person, &slots).await;
    assert_eq!(proof.check(&header, person, &slots).unwrap().code_hash(), None);
    assert!(matches!(proof.check(&header, nowhere, &slots), Err(ProofError::OtherAccount { .. })));
}

#[tokio::test]
async fn evidence_of_a_real_chain_needs_only_a_block_hash() {
    let Some(chain) = Chain::start("evidence_of_a_real_chain_needs_only_a_block_hash") else { return };
    let Written { registry, issuer, revoked } = write(&chain).await;
    let anchors: Vec<AnchorKey> = vec![(issuer, root(1))];
    let statuses: Vec<StatusKey> = [Purpose::REVOCATION, Purpose::SUSPENSION].map(|purpose| (issuer, purpose)).to_vec();
    let slots = slots_of(&anchors, &statuses);
    let (header, proof) = prove(&chain, chain.head().await, registry.address(), &slots).await;
    let pinned = header.block();
    let mut view = View::new(CHAIN, header);
    view.add_proof(&proof, registry.address(), &anchors, &statuses).unwrap();
    let number = StatusIndex::new(300_000).unwrap().list();
    let (list, way) = (revoked.tree.list(number), revoked.tree.list_proof(number));
    view.add_list(registry.address(), statuses[0], number, list, way).unwrap();
    let file = Evidence { views: vec![view], ..Evidence::default() }.to_bytes();
    drop(chain);

    let evidence = Evidence::parse(&file).unwrap();
    for (index, is_set) in [(300_000, true), (300_001, false)] {
        let receipt = Receipt {
            version: 1,
            leaf_index: 0,
            tree_size: 1,
            status_index: StatusIndex::new(index).unwrap(),
            path: Vec::new(),
            root: root(1),
            issuer,
            chain: CHAIN,
            registry: registry.address(),
            transaction: Hash::ZERO,
            block: BlockNumber(1),
        };
        let trusted = |chain, number, hash| (chain, number, hash) == (CHAIN, pinned.number, pinned.hash);
        let seen = evidence.observe(&receipt, &trusted, Finality::Finalized).unwrap();
        assert_eq!((seen.code_hash, seen.anchor_settled.map(|anchor| anchor.size)), (Some(CODE_HASH), Some(1)));
        let proof = seen.status[0].head.proof.as_ref().unwrap();
        assert_eq!(
            (proof.root(receipt.status_index), proof.bit(receipt.status_index)),
            (Ok(revoked.tree.root()), is_set)
        );
    }
}
