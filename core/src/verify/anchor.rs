//! Integrity, inclusion and anchor: the document, its leaf, its root.

use super::{Fact, Fault, Gap, Outcome, Seen};
use crate::{
    Digest, Error, Receipt,
    observation::{Observation, Unseen},
    policy::Policy,
    proof::AnchorProof,
    registry,
};

/// Document → digest → leaf, and one account and one chain everywhere.
pub(super) fn integrity(anchor: &AnchorProof, digest: Digest, inclusion: &Result<(), Error>) -> Outcome {
    let (config, receipt) = (&anchor.config, &anchor.receipt);
    if config.account != receipt.issuer {
        let error = Error::Account { proof: config.account, receipt: receipt.issuer };
        return Outcome::Fail(Fault::Document(error));
    }
    if config.chain != receipt.chain {
        return Outcome::Fail(Fault::Document(Error::Chain { proof: config.chain, receipt: receipt.chain }));
    }
    match inclusion {
        Err(Error::Root { .. }) => Outcome::Fail(Fault::Changed),
        _ => Outcome::Pass(Fact::Unchanged { digest }),
    }
}

/// Leaf → root.
pub(super) fn inclusion(receipt: &Receipt, inclusion: &Result<(), Error>) -> Outcome {
    match inclusion {
        Ok(()) => Outcome::Pass(Fact::Included { leaf_index: receipt.leaf_index, tree_size: receipt.tree_size }),
        Err(error) => Outcome::Fail(Fault::Document(error.clone())),
    }
}

/// The root stands under this issuer in an accepted registry, settled, with the right size, not withdrawn.
pub(super) fn anchor(receipt: &Receipt, seen: &Seen, policy: &Policy) -> Outcome {
    let seen = match look(receipt, seen, policy) {
        Ok(seen) => seen,
        Err(gap) => return Outcome::Unknown(gap),
    };
    let behind = seen.head.number < receipt.block;
    let absent = |fault| {
        if behind {
            Outcome::Unknown(Gap::Behind { head: seen.head.number, claimed: receipt.block })
        } else {
            Outcome::Fail(fault)
        }
    };
    match seen.code_hash {
        None => return absent(Fault::NoRegistry { chain: receipt.chain, registry: receipt.registry }),
        Some(found) if found != registry::CODE_HASH => {
            return Outcome::Fail(Fault::ForeignCode { registry: receipt.registry, found });
        }
        Some(_) => {}
    }
    let Some(head) = seen.anchor_at_head else {
        return absent(Fault::NotAnchored { chain: receipt.chain, issuer: receipt.issuer, root: receipt.root });
    };
    if head.withdrawn {
        return Outcome::Fail(Fault::Withdrawn);
    }
    if head.size != receipt.tree_size {
        return Outcome::Fail(Fault::TreeSize { anchored: head.size, claimed: receipt.tree_size });
    }
    match seen.anchor_settled {
        Some(anchor) if anchor.size == head.size => Outcome::Pass(Fact::Anchored {
            chain: receipt.chain,
            block: anchor.block,
            time: anchor.time,
            finality: seen.finality,
        }),
        _ => Outcome::Unknown(Gap::NotSettled {
            block: head.block,
            settled: seen.settled.number,
            asked: policy.finality,
        }),
    }
}

/// What was seen, if it is of a kind and a place that the policy lets count.
pub(super) fn look<'a>(receipt: &Receipt, seen: &'a Seen, policy: &Policy) -> Result<&'a Observation, Gap> {
    if !policy.accepts_chain(receipt.chain) {
        return Err(Gap::ChainNotAccepted { chain: receipt.chain });
    }
    if !policy.accepts_registry(receipt.registry) {
        return Err(Gap::RegistryNotAccepted { registry: receipt.registry });
    }
    let seen = seen.as_ref().map_err(|unseen| Gap::Unseen(*unseen))?;
    if seen.chain != receipt.chain {
        return Err(Gap::Unseen(Unseen::OtherChain { wanted: receipt.chain, served: seen.chain }));
    }
    if (seen.registry, seen.issuer, seen.root) != (receipt.registry, receipt.issuer, receipt.root) {
        return Err(Gap::OtherObservation);
    }
    if seen.finality < policy.finality {
        return Err(Gap::LessSettled { seen: seen.finality, asked: policy.finality });
    }
    Ok(seen)
}
