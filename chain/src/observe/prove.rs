//! Proofs to be kept: what shows, without any endpoint, what the contract held in a block.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use testamur_core::{
    Address, ChainId, Purpose, Receipt, StatusIndex,
    observation::{BlockRef, Finality, StatusAt, StatusRecord},
    status::StatusProof,
};

use super::{
    BitsSource, Exhibit, Origin, Wanted,
    bits::gather,
    parts::{Records, StatusKey, Wants},
    read,
};
use crate::{
    Endpoint, Error, Registry,
    quorum::{Agreed, Basis, Footing, Grounds, Quorum},
};

/// What proves the anchors and the status of some receipts at one block, to whoever trusts that block's hash.
#[derive(Clone, Debug)]
pub struct Proofs {
    /// The chain.
    pub chain: ChainId,
    /// The block.
    pub block: BlockRef,
    /// What the block was when the proofs were taken: as settled as asked for, or only [`Finality::Included`], where
    /// no endpoint could prove the settled state. Then they count from when that block is settled itself, and not if
    /// it never is.
    pub finality: Finality,
    /// One for each registry, with every receipt's anchor and status slots.
    pub exhibits: Vec<Exhibit>,
    /// The bits under the proven status roots that are not zero.
    pub bits: Vec<ProvenBits>,
    /// Who agreed on the block, and who could not prove.
    pub basis: Basis,
}

/// Bits of one issuer and purpose under a proven root.
#[derive(Clone, Debug)]
pub struct ProvenBits {
    /// The contract.
    pub registry: Address,
    /// Whose bits.
    pub issuer: Address,
    /// Which bits.
    pub purpose: Purpose,
    /// What the contract says: the proofs lead to this root.
    pub record: StatusRecord,
    /// The proofs of those of the receipts' indices that could be had.
    pub proofs: BTreeMap<StatusIndex, StatusProof>,
    /// Why others could not be; empty where none is missing.
    pub missing: BTreeSet<String>,
}

/// Takes the proofs of everything that verifying these receipts takes, at the settled block or, where nobody can prove
/// that one's state, at the newest. Receipts of other chains are left out.
///
/// Many endpoints prove the newest state only. [`Error::NoProof`] where none proves either.
pub async fn prove(
    quorum: &Quorum,
    receipts: &[&Receipt],
    finality: Finality,
    sources: &[&dyn BitsSource],
) -> Result<Proofs, Error> {
    let Footing { head, settled } = quorum.footing(finality).await?;
    let wants = Wants::of(quorum.chain(), receipts);
    let mut grounds = Grounds::default();
    let taken = match exhibits(&settled, &wants, &mut grounds).await {
        Err(_) if settled.value != head.value => {
            exhibits(&head, &wants, &mut grounds).await.map(|taken| (&head, Finality::Included, taken))
        }
        taken => taken.map(|taken| (&settled, finality, taken)),
    };
    let (at, finality, (exhibits, records)) = taken?;
    let mut bits = Vec::new();
    for (key, indices) in &wants.indices {
        if let Some(record) = records[&key.registry].status(key.issuer, key.purpose)? {
            let wanted = key.wanted(quorum.chain(), record, finality != Finality::Included, indices);
            bits.push(proven_bits(key, &at.by, wanted, sources).await);
        }
    }
    let (chain, block) = (quorum.chain(), at.value);
    let basis = Basis::new(quorum, &Footing { head: head.clone(), settled: settled.clone() }, grounds);
    Ok(Proofs { chain, block, finality, exhibits, bits, basis })
}

/// Proofs of all registries at one block, and what they say.
async fn exhibits(
    at: &Agreed<BlockRef>,
    wants: &Wants,
    grounds: &mut Grounds,
) -> Result<(Vec<Exhibit>, HashMap<Address, Records>), Error> {
    let (mut exhibits, mut records) = (Vec::new(), HashMap::new());
    for (registry, parts) in &wants.parts {
        match read::prove(at, *registry, parts).await {
            Ok((contents, exhibit)) => {
                grounds.add(contents.grounds);
                records.insert(*registry, contents.records);
                exhibits.push(exhibit);
            }
            Err(faults) => {
                let error = read::no_proof(at, &faults);
                grounds.add(Grounds { passed_over: faults, ..Grounds::default() });
                return Err(error);
            }
        }
    }
    Ok((exhibits, records))
}

async fn proven_bits(key: &StatusKey, through: &[Endpoint], wanted: Wanted, sources: &[&dyn BitsSource]) -> ProvenBits {
    let registries: Vec<_> = through.iter().map(|endpoint| Registry::new(endpoint.clone(), key.registry)).collect();
    let (indices, record) = (wanted.indices.clone(), wanted.record);
    let [bits, _] = gather(&registries, sources, wanted, [record; 2]).await;
    let (mut proofs, mut missing) = (BTreeMap::new(), BTreeSet::new());
    for index in indices {
        match bits.at(index) {
            (StatusAt { proof: Some(proof), .. }, _) => _ = proofs.insert(index, proof),
            (_, Origin::Unknown(why)) => _ = missing.insert(why),
            _ => {}
        }
    }
    let StatusKey { registry, issuer, purpose } = *key;
    ProvenBits { registry, issuer, purpose, record, proofs, missing }
}
