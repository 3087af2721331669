//! The verdict: a pure function of document, chain, what others checked, policy and time.
//!
//! Seven checks, each with an outcome of its own (`docs/protocol.md`, "Verification"). A verdict is *valid* only
//! if none fails and none that the policy requires is unknown; what could not be seen never makes it *invalid*.
//!
//! A document carries an anchor, signatures, or both. An anchor that is carried must be told: whoever could leave it
//! untold could leave out a revocation. Without one, a signature must hold, and its key be the issuer's.

mod anchor;
mod issuer;
mod outcome;
mod report;
mod signature;
mod status;
mod validity;

pub use outcome::{Fact, Fault, Gap, Outcome, Tie};
pub use report::{Check, CheckKind, Report, Verdict};

use crate::{
    Document, Error, UnixSeconds,
    checked::Checked,
    observation::{Observation, Unseen},
    policy::{Need, Policy},
    proof::AnchorProof,
};

type Seen = Result<Observation, Unseen>;

/// Verifies a document against what was seen of the chain and what was checked elsewhere. Where it carries no anchor,
/// `seen` does not matter.
pub fn verify(document: &Document, seen: &Seen, checked: &Checked, policy: &Policy, now: UnixSeconds) -> Report {
    let [integrity, inclusion, anchor] = match &document.anchor {
        Some(proof) => anchored(document, proof, seen, policy),
        None => unanchored(document, checked, policy),
    };
    let proven = match &anchor {
        Outcome::Pass(Fact::Anchored { time, .. }) => Some(*time),
        _ => None,
    };
    let signature = signature::signature(document, checked, policy, proven, now);
    let outcomes = [
        (CheckKind::Integrity, integrity),
        (CheckKind::Inclusion, inclusion),
        (CheckKind::Anchor, anchor),
        (CheckKind::Issuer, issuer::Asked { document, checked, policy, proven, now }.answer()),
        (CheckKind::Signature, signature),
        (CheckKind::Status, status::status(document, seen, checked, policy, now)),
        (CheckKind::Validity, validity::validity(document, now)),
    ];
    let needs_signature = document.anchor.is_none() || policy.signature == Need::Required;
    Report::new(outcomes.map(|(kind, outcome)| Check { kind, outcome }).to_vec(), needs_signature, policy)
}

fn anchored(document: &Document, proof: &AnchorProof, seen: &Seen, policy: &Policy) -> [Outcome; 3] {
    let (digest, receipt) = (document.digest_under(proof), &proof.receipt);
    let included = receipt.check_inclusion(digest);
    [
        anchor::integrity(proof, digest, &included),
        anchor::inclusion(receipt, &included),
        anchor::anchor(receipt, seen, policy),
    ]
}

/// Without an anchor there is nothing to include; a document without any proof lacks one.
fn unanchored(document: &Document, checked: &Checked, policy: &Policy) -> [Outcome; 3] {
    let has_signature = !checked.signatures.is_empty() || document.other_proofs() > 0;
    let anchor = match policy.anchor {
        Need::Optional if has_signature => Outcome::NotApplicable,
        Need::Optional => Outcome::Unknown(Gap::NoProof),
        Need::Required => Outcome::Unknown(Gap::NoAnchor),
    };
    [Outcome::NotApplicable, Outcome::NotApplicable, anchor]
}

/// The report on a document, or a receipt, that cannot be read: *invalid*, unless it only lacks an anchor.
pub fn refuse(error: Error) -> Report {
    only(match error {
        Error::NoAnchor => Outcome::Unknown(Gap::NoProof),
        error => Outcome::Fail(Fault::Document(error)),
    })
}

/// The report on a file that is not what it pretends to be, told by whoever opened it: *invalid*.
pub fn refuse_because(reason: String) -> Report {
    only(Outcome::Fail(Fault::Unreadable { reason }))
}

fn only(outcome: Outcome) -> Report {
    Report::new(vec![Check { kind: CheckKind::Integrity, outcome }], false, &Policy::default())
}

#[cfg(test)]
mod tests;
