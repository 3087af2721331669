//! What one block of one chain proves, of any number of registries, issuers and batches.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    AccountProof, Header, ProofError, Proven,
    account::Account,
    trie::{MAX_NODE_BYTES, Nodes},
};
use crate::{
    Address, ChainId, Hash, ListNumber, Purpose, StatusIndex,
    keccak::keccak256,
    observation::{BlockRef, StatusAt},
    registry::slots,
    status::{LIST_HEIGHT, ListProof, StatusList, StatusProof, StatusTree},
};

/// A header and the state under it, as far as it is proven. All that goes in is checked on its way.
#[derive(Clone, Debug)]
pub struct View {
    pub(super) chain: ChainId,
    pub(super) header: Header,
    pub(super) nodes: NodeSet,
    pub(super) registries: BTreeMap<Address, RegistryView>,
}

/// What is proven of one contract.
#[derive(Clone, Debug)]
pub(super) struct RegistryView {
    pub proven: Proven,
    pub anchors: BTreeSet<AnchorKey>,
    pub statuses: BTreeMap<StatusKey, Bits>,
}

/// An issuer and the root of one of its batches.
pub type AnchorKey = (Address, Hash);
/// An issuer and one of its status trees.
pub type StatusKey = (Address, Purpose);

/// Status bits that lead to a proven root.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    /// Each list alone, and its way to the root.
    pub lists: BTreeMap<ListNumber, (StatusTree, ListProof)>,
    pub single: BTreeMap<StatusIndex, StatusProof>,
}

impl View {
    /// A view of which nothing is proven yet but its block. That the header is of this chain is part of what whoever
    /// trusts its hash must know.
    pub fn new(chain: ChainId, header: Header) -> Self {
        Self { chain, header, nodes: NodeSet::default(), registries: BTreeMap::new() }
    }

    /// The chain.
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The block.
    pub fn block(&self) -> BlockRef {
        self.header.block()
    }

    /// What is proven of a contract.
    pub fn proven(&self, registry: Address) -> Option<&Proven> {
        self.registries.get(&registry).map(|view| &view.proven)
    }

    /// Takes in a proof of exactly these anchors and status records (in [`slots_of`] is what to ask for). Endpoints
    /// limit how much they prove at once: several proofs of one contract add up.
    pub fn add_proof(
        &mut self,
        proof: &AccountProof,
        registry: Address,
        anchors: &[AnchorKey],
        statuses: &[StatusKey],
    ) -> Result<(), ProofError> {
        proof.check(&self.header, registry, &slots_of(anchors, statuses))?;
        for node in proof.all_nodes() {
            self.nodes.insert(node.clone())?;
        }
        self.prove(registry, anchors, statuses)
    }

    /// Proves anchors and status records from the nodes that are here.
    pub(super) fn prove(
        &mut self,
        registry: Address,
        anchors: &[AnchorKey],
        statuses: &[StatusKey],
    ) -> Result<(), ProofError> {
        let mut nodes = self.nodes.walk();
        let account = Account::read(&self.header, registry, &mut nodes)?;
        let view = self.registries.entry(registry).or_insert_with(|| RegistryView {
            proven: Proven::new(self.header.block(), registry, account.as_ref()),
            anchors: BTreeSet::new(),
            statuses: BTreeMap::new(),
        });
        for slot in slots_of(anchors, statuses) {
            let value = Account::slot(account.as_ref(), slot, &mut nodes)?;
            view.proven.insert(slot, value);
        }
        view.anchors.extend(anchors);
        for &key in statuses {
            view.statuses.entry(key).or_default();
        }
        Ok(())
    }

    /// Takes in all bits of a list, if they lead to the status root that is proven here.
    pub fn add_list(
        &mut self,
        registry: Address,
        key: StatusKey,
        number: ListNumber,
        list: StatusList,
        proof: ListProof,
    ) -> Result<(), ProofError> {
        let (bits, root) = self.bits_mut(registry, key)?;
        check_root(root, proof.root(number, &list))?;
        bits.lists.insert(number, (StatusTree::from_lists([(number, list)]), proof));
        Ok(())
    }

    /// Takes in one bit, if its proof leads to the status root that is proven here.
    pub fn add_bit(
        &mut self,
        registry: Address,
        key: StatusKey,
        index: StatusIndex,
        proof: StatusProof,
    ) -> Result<(), ProofError> {
        let (bits, root) = self.bits_mut(registry, key)?;
        check_root(root, proof.root(index))?;
        bits.single.insert(index, proof);
        Ok(())
    }

    /// The status record of an issuer and, as far as it is here, the proof of one bit under it.
    pub fn status(&self, registry: Address, key: StatusKey, index: StatusIndex) -> Result<StatusAt, ProofError> {
        let (issuer, purpose) = key;
        let [slot, _] = slots::status(issuer, purpose);
        let view = self.registries.get(&registry).ok_or(ProofError::NotProven { slot })?;
        let record = view.proven.status(issuer, purpose)?;
        Ok(StatusAt { record, proof: view.statuses.get(&key).and_then(|bits| bits.proof(index)) })
    }

    /// The bits of a status record, and the root that they must lead to.
    fn bits_mut(&mut self, registry: Address, key: StatusKey) -> Result<(&mut Bits, Hash), ProofError> {
        let (issuer, purpose) = key;
        let [slot, _] = slots::status(issuer, purpose);
        let view = self.registries.get_mut(&registry).ok_or(ProofError::NotProven { slot })?;
        let root = view.proven.status(issuer, purpose)?.root;
        Ok((view.statuses.get_mut(&key).ok_or(ProofError::NotProven { slot })?, root))
    }
}

impl Bits {
    fn proof(&self, index: StatusIndex) -> Option<StatusProof> {
        let in_list = self.lists.get(&index.list()).map(|(alone, list)| {
            let mut proof = alone.proof(index);
            proof.bitmap |= list.bitmap << LIST_HEIGHT;
            proof.siblings.extend(&list.siblings);
            proof
        });
        in_list.or_else(|| self.single.get(&index).cloned())
    }
}

/// The slots that hold these anchors and status records, each once: what to ask of `eth_getProof`.
pub fn slots_of(anchors: &[AnchorKey], statuses: &[StatusKey]) -> Vec<Hash> {
    let anchors = anchors.iter().map(|&(issuer, root)| slots::anchor(issuer, root));
    let statuses = statuses.iter().flat_map(|&(issuer, purpose)| slots::status(issuer, purpose));
    anchors.chain(statuses).collect::<BTreeSet<_>>().into_iter().collect()
}

fn check_root(proven: Hash, reached: Result<Hash, crate::Error>) -> Result<(), ProofError> {
    match reached {
        Ok(reached) if reached == proven => Ok(()),
        Ok(reached) => Err(ProofError::StatusRoot { reached, proven }),
        Err(_) => Err(ProofError::Malformed { what: "a status proof" }),
    }
}

/// Nodes of tries, each once, found by their hashes.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeSet {
    nodes: BTreeMap<Hash, Vec<u8>>,
    /// Those that some proof needed.
    taken: BTreeSet<Hash>,
}

impl NodeSet {
    /// Adds a node; whether it is new.
    pub fn insert(&mut self, node: Vec<u8>) -> Result<bool, ProofError> {
        let (what, found, limit) = ("bytes of a node", node.len(), MAX_NODE_BYTES);
        if found > limit {
            return Err(ProofError::TooLarge { what, found, limit });
        }
        Ok(self.nodes.insert(keccak256(&node), node).is_none())
    }

    /// The nodes that some proof needed, by their hashes.
    pub fn taken(&self) -> impl Iterator<Item = &[u8]> {
        self.nodes.iter().filter(|(hash, _)| self.taken.contains(hash)).map(|(_, node)| node.as_slice())
    }

    /// How many nodes no proof needed.
    pub fn unused(&self) -> usize {
        self.nodes.len() - self.taken.len()
    }

    fn walk(&mut self) -> Walk<'_> {
        Walk { nodes: &self.nodes, taken: &mut self.taken }
    }
}

/// Takes nodes from a set, and notes which.
struct Walk<'a> {
    nodes: &'a BTreeMap<Hash, Vec<u8>>,
    taken: &'a mut BTreeSet<Hash>,
}

impl<'a> Nodes<'a> for Walk<'a> {
    fn take(&mut self, wanted: Hash) -> Result<&'a [u8], ProofError> {
        let node = self.nodes.get(&wanted).ok_or(ProofError::MissingNode { wanted })?;
        self.taken.insert(wanted);
        Ok(node)
    }
}
