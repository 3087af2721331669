//! Proofs to be kept: what shows, without any endpoint, what the contract held in a block.

use std::collections::{BTreeMap, BTreeSet};

use testamur_core::{
    Hash, ListNumber, Receipt, StatusIndex,
    evidence::{ProofError, View},
    observation::{BlockRef, Finality, StatusAt, StatusRecord},
};

use super::{
    BitsSource, Origin,
    bits::{Bits, gather},
    parts::{Part, StatusKey, Wants},
    read,
};
use crate::{
    Endpoint, Error, Registry,
    quorum::{Agreed, Basis, Footing, Grounds, Quorum},
};

/// From so many bits of one list on, the whole list (16 KiB at most, and packed much smaller) is shorter than their
/// proofs.
const BITS_OF_A_LIST: usize = 32;

/// What proves the anchors and the status of some receipts at one block, to whoever trusts that block's hash.
#[derive(Clone, Debug)]
pub struct Proofs {
    /// The proofs.
    pub view: View,
    /// What their block was when they were taken: as settled as asked for, or only [`Finality::Included`], where no
    /// endpoint could prove the settled state. Then they count from when that block is settled itself, and not if it
    /// never is.
    pub finality: Finality,
    /// Why some status bits could not be had; empty where none is missing.
    pub missing: BTreeSet<String>,
    /// Who agreed on the block, and who could not prove.
    pub basis: Basis,
}

/// Takes the proofs of everything that verifying these receipts takes, at the settled block or, where nobody can prove
/// that one's state, at the newest: many endpoints prove no other. Receipts of other chains are left out.
///
/// Whether the anchors are there is not looked at: a proof of absence is one as well. [`Error::NoProof`] where no
/// endpoint proves either block.
pub async fn prove(
    quorum: &Quorum,
    receipts: &[&Receipt],
    finality: Finality,
    sources: &[&dyn BitsSource],
) -> Result<Proofs, Error> {
    let footing = quorum.footing(finality).await?;
    let Footing { head, settled } = &footing;
    let wants = Wants::of(quorum.chain(), receipts);
    let mut grounds = Grounds::default();
    let (at, finality, mut view) = match view(quorum, settled, &wants, &mut grounds).await {
        Err(Error::NoProof { .. }) if settled.value != head.value => {
            (head, Finality::Included, view(quorum, head, &wants, &mut grounds).await?)
        }
        view => (settled, finality, view?),
    };
    let mut missing = BTreeSet::new();
    for (&key, indices) in &wants.indices {
        let of = view.proven(key.registry).map(|proven| proven.status(key.issuer, key.purpose));
        // Of what is no registry, no status was asked.
        let Some(Ok(record)) = of else { continue };
        let settled = finality != Finality::Included;
        let bits = bits(quorum, &at.by, key, record, settled, indices, sources).await;
        missing.extend(add(&mut view, key, indices, &bits).map_err(wrong)?);
    }
    let basis = Basis::new(quorum, &footing, grounds);
    Ok(Proofs { view, finality, missing, basis })
}

/// Proofs of all registries at one block.
async fn view(quorum: &Quorum, at: &Agreed<BlockRef>, wants: &Wants, grounds: &mut Grounds) -> Result<View, Error> {
    let mut view: Option<View> = None;
    for (&registry, parts) in &wants.parts {
        let (contents, exhibit) = read::prove(at, registry, parts).await.map_err(|faults| {
            let error = read::no_proof(at, &faults);
            grounds.add(Grounds { passed_over: faults, ..Grounds::default() });
            error
        })?;
        grounds.add(contents.grounds);
        let view = view.get_or_insert_with(|| View::new(quorum.chain(), exhibit.header));
        for (parts, proof) in &exhibit.proofs {
            let (anchors, statuses) = Part::sort(parts);
            view.add_proof(proof, registry, &anchors, &statuses).map_err(wrong)?;
        }
    }
    view.ok_or_else(|| Error::unusable("no receipt is of this chain"))
}

async fn bits(
    quorum: &Quorum,
    through: &[Endpoint],
    key: StatusKey,
    record: StatusRecord,
    settled: bool,
    indices: &BTreeSet<StatusIndex>,
    sources: &[&dyn BitsSource],
) -> Bits {
    let registries: Vec<_> = through.iter().map(|endpoint| Registry::new(endpoint.clone(), key.registry)).collect();
    let wanted = key.wanted(quorum.chain(), record, settled, indices);
    let [bits, _] = gather(&registries, sources, wanted, [record; 2]).await;
    bits
}

/// Adds bits to a view: many of one list as the list, others one by one. Returns why some are missing.
fn add(
    view: &mut View,
    key: StatusKey,
    indices: &BTreeSet<StatusIndex>,
    bits: &Bits,
) -> Result<BTreeSet<String>, ProofError> {
    let mut missing = BTreeSet::new();
    if bits.root() == Hash::ZERO {
        return Ok(missing); // nothing is set, and nothing to prove
    }
    let of = (key.issuer, key.purpose);
    let mut lists: BTreeMap<ListNumber, Vec<StatusIndex>> = BTreeMap::new();
    for &index in indices {
        lists.entry(index.list()).or_default().push(index);
    }
    for (number, indices) in lists {
        if let Some(tree) = bits.tree().filter(|_| indices.len() >= BITS_OF_A_LIST) {
            view.add_list(key.registry, of, number, tree.list(number), tree.list_proof(number))?;
            continue;
        }
        for index in indices {
            match bits.at(index) {
                (StatusAt { proof: Some(proof), .. }, _) => view.add_bit(key.registry, of, index, proof)?,
                (_, Origin::Unknown(why)) => _ = missing.insert(why),
                _ => {}
            }
        }
    }
    Ok(missing)
}

/// What was checked before does not fail again, unless something is wrong here.
fn wrong(fault: ProofError) -> Error {
    Error::unusable(fault.to_string())
}
