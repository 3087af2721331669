//! Packing evidence: for one document, or for a whole class into one archive.

use std::collections::BTreeMap;

use serde::Serialize;
use testamur_chain::{
    observe::{Proofs, prove},
    quorum::Basis,
};
use testamur_core::{
    ChainId, Receipt,
    evidence::{Evidence, IdentityDocument},
    observation::{BlockRef, Finality},
};

use crate::{chains::Chains, identity::Library};

/// Evidence, and what is to be known of it.
#[derive(Debug, Default)]
pub struct Packed {
    /// The evidence.
    pub evidence: Evidence,
    /// The block of each chain that it rests on.
    pub blocks: Vec<PackedBlock>,
    /// What could not be had, in words.
    pub missing: Vec<String>,
}

/// A block whose hash whoever uses the evidence must trust.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackedBlock {
    /// The chain.
    pub chain: ChainId,
    /// The block.
    #[serde(flatten)]
    pub block: BlockRef,
    /// What it was when the proofs were taken. One that is only included counts once it is settled, if it ever is.
    pub finality: Finality,
    /// Who said that it is the chain's.
    pub rests_on: Basis,
}

/// Takes the proofs for receipts, at a block that is settled as `finality` says where the endpoints can prove that one's
/// state, and packs what the library has seen about issuers. A chain of which nothing can be proven is told as missing.
pub async fn pack(chains: &Chains, receipts: &[&Receipt], finality: Finality, library: &Library) -> Packed {
    let mut by_chain: BTreeMap<ChainId, Vec<&Receipt>> = BTreeMap::new();
    for receipt in receipts {
        by_chain.entry(receipt.chain).or_default().push(receipt);
    }
    let mut packed = Packed::default();
    for (chain, receipts) in by_chain {
        let Some(quorum) = chains.quorum(chain) else {
            packed.missing.push(format!("no endpoint for {chain}; give one with --rpc"));
            continue;
        };
        match prove(&quorum, &receipts, finality, &chains.sources()).await {
            Ok(proofs) => packed.add(chain, proofs),
            Err(error) => packed.missing.push(format!("no proofs of {chain}: {error}")),
        }
    }
    packed.evidence.documents = seen(library);
    packed
}

impl Packed {
    fn add(&mut self, chain: ChainId, Proofs { view, finality, missing, basis }: Proofs) {
        self.blocks.push(PackedBlock { chain, block: view.block(), finality, rests_on: basis });
        self.missing.extend(missing.into_iter().map(|why| format!("some status bits of {chain}: {why}")));
        self.evidence.views.push(view);
    }
}

/// What issuers' hosts answered.
fn seen(library: &Library) -> Vec<IdentityDocument> {
    let document = |(url, document): (String, testamur_credentials::Supplied)| IdentityDocument {
        url,
        as_of: document.as_of,
        bytes: document.bytes.to_vec(),
    };
    let mut documents: Vec<_> = library.documents().into_iter().map(document).collect();
    documents.sort_by(|one, other| one.url.cmp(&other.url));
    documents
}
