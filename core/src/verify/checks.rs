//! The seven checks.

use serde_json::{Map, Value};

use super::report::{Fact, Fault, Gap, Outcome, Tie};
use crate::{
    Document, Error, Receipt, StatusIndex, UnixSeconds,
    observation::{Observation, StatusAt, StatusSeen, Unseen},
    policy::{Policy, RecognisedIssuer},
    proof::parse_account_did,
    registry,
};

type Seen = Result<Observation, Unseen>;

/// Document → digest → leaf, and one account and one chain everywhere.
pub(super) fn integrity(document: &Document, inclusion: &Result<(), Error>) -> Outcome {
    let (config, receipt) = (&document.proof.config, &document.proof.receipt);
    if config.account != receipt.issuer {
        let error = Error::Account { proof: config.account, receipt: receipt.issuer };
        return Outcome::Fail(Fault::Document(error));
    }
    if config.chain != receipt.chain {
        return Outcome::Fail(Fault::Document(Error::Chain { proof: config.chain, receipt: receipt.chain }));
    }
    match inclusion {
        Err(Error::Root { .. }) => Outcome::Fail(Fault::Changed),
        _ => Outcome::Pass(Fact::Unchanged { digest: document.digest() }),
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
fn look<'a>(receipt: &Receipt, seen: &'a Seen, policy: &Policy) -> Result<&'a Observation, Gap> {
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

/// The account belongs to the issuer that the document names.
pub(super) fn issuer(document: &Document, policy: &Policy) -> Outcome {
    let receipt = &document.proof.receipt;
    let account = receipt.issuer;
    let owner = policy.issuers.iter().find(|issuer| issuer.accounts.contains(&account));
    let tied = |tie, by: Option<&RecognisedIssuer>| {
        Outcome::Pass(Fact::Tied { account, name: by.and_then(|issuer| issuer.name.clone()), tie })
    };
    if document.credential.is_none() {
        return match owner {
            Some(owner) => tied(Tie::Recognised, Some(owner)),
            None => Outcome::Unknown(Gap::UnknownAccount { account }),
        };
    }
    let Some(named) = document.named_issuer() else {
        return Outcome::Fail(Fault::Document(Error::Member { member: "issuer" }));
    };
    if let Some(did) = parse_account_did(named) {
        return if did == (receipt.chain, account) {
            tied(Tie::SelfNamed, owner)
        } else {
            Outcome::Fail(Fault::OtherAccount { named: named.to_owned(), account })
        };
    }
    let mut known = policy.issuers.iter().filter(|issuer| issuer.id.as_deref() == Some(named)).peekable();
    if known.peek().is_none() {
        return Outcome::Unknown(Gap::NoTie { named: named.to_owned(), account });
    }
    match known.find(|issuer| issuer.accounts.contains(&account)) {
        Some(issuer) => tied(Tie::Recognised, Some(issuer)),
        None => Outcome::Fail(Fault::NotTheirAccount { named: named.to_owned(), account }),
    }
}

/// Proofs of other kinds are counted, and not taken for checked.
pub(super) fn signature(document: &Document) -> Outcome {
    match document.other_proofs() {
        0 => Outcome::NotApplicable,
        count => Outcome::Unknown(Gap::UncheckedProofs { count }),
    }
}

/// Neither revoked nor suspended: a set bit counts at the newest block, a cleared one at the settled one.
pub(super) fn status(document: &Document, seen: &Seen, policy: &Policy, now: UnixSeconds) -> Outcome {
    let receipt = &document.proof.receipt;
    let seen = match look(receipt, seen, policy) {
        Ok(seen) => seen,
        Err(gap) => return Outcome::Unknown(gap),
    };
    let mut gap = seen.status.is_empty().then_some(Gap::StatusUnseen { purpose: crate::Purpose::REVOCATION });
    for purpose in &seen.status {
        match status_of(purpose, receipt.status_index) {
            Ok(()) => {}
            Err(Outcome::Unknown(unseen)) => gap = Some(unseen),
            Err(outcome) => return outcome,
        }
    }
    let age = now.0.saturating_sub(seen.head.time.0);
    if let Some(allowed) = policy.max_status_age.filter(|&allowed| age > allowed) {
        gap.get_or_insert(Gap::StatusTooOld { age, allowed });
    }
    let count = document.other_status_entries();
    if count > 0 {
        gap.get_or_insert(Gap::OtherStatusLists { count });
    }
    match gap {
        Some(gap) => Outcome::Unknown(gap),
        None => Outcome::Pass(Fact::Good { block: seen.head.number, time: seen.head.time }),
    }
}

/// `Ok` where the bit is known to be clear at both blocks.
fn status_of(seen: &StatusSeen, index: StatusIndex) -> Result<(), Outcome> {
    let purpose = seen.purpose;
    let mut unknown = false;
    for at in [&seen.head, &seen.settled] {
        match bit(at, index) {
            Some(true) => {
                let record = &at.record;
                return Err(Outcome::Fail(Fault::StatusSet { purpose, block: record.block, time: record.time }));
            }
            Some(false) => {}
            None => unknown = true,
        }
    }
    if unknown { Err(Outcome::Unknown(Gap::StatusUnseen { purpose })) } else { Ok(()) }
}

/// The bit at one block; `None` where no proof could be had. A proof of another tree is none: it speaks against
/// whoever delivered it, not against the credential.
fn bit(at: &StatusAt, index: StatusIndex) -> Option<bool> {
    if at.record.root == crate::Hash::ZERO {
        return Some(false);
    }
    let proof = at.proof.as_ref()?;
    (proof.root(index) == Ok(at.record.root)).then(|| proof.bit(index))
}

/// Within the credential's period (VC 2.0 and 1.1 names) and the proof's own.
pub(super) fn validity(document: &Document, now: UnixSeconds) -> Outcome {
    let empty = Map::new();
    let credential = document.credential.as_ref().unwrap_or(&empty);
    let times = || -> Result<_, Error> {
        let from = [time(credential, "validFrom")?, time(credential, "issuanceDate")?];
        let until =
            [time(credential, "validUntil")?, time(credential, "expirationDate")?, document.proof.config.expires];
        Ok((from.into_iter().flatten().max(), until.into_iter().flatten().min()))
    };
    match times() {
        Err(error) => Outcome::Fail(Fault::Document(error)),
        Ok((None, None)) => Outcome::NotApplicable,
        Ok((Some(from), _)) if now < from => Outcome::Fail(Fault::NotYet { from }),
        Ok((_, Some(until))) if now > until => Outcome::Fail(Fault::Expired { until }),
        Ok((from, until)) => Outcome::Pass(Fact::Within { from, until }),
    }
}

fn time(credential: &Map<String, Value>, member: &'static str) -> Result<Option<UnixSeconds>, Error> {
    let Some(value) = credential.get(member) else { return Ok(None) };
    let time = value.as_str().and_then(|text| text.parse().ok());
    time.map(Some).ok_or(Error::Member { member })
}
