//! The verdict: a pure function of document, chain, policy and time.
//!
//! Seven checks, each with an outcome of its own (`docs/protocol.md`, "Verification"). A verdict is *valid* only
//! if none fails and none that the policy requires is unknown; what could not be seen never makes it *invalid*.

mod checks;
mod report;

pub use report::{Check, CheckKind, Fact, Fault, Gap, Outcome, Report, Tie, Verdict};

use crate::{
    Document, Error, UnixSeconds,
    observation::{Observation, Unseen},
    policy::Policy,
};

/// Verifies a document against what was seen of the chain.
pub fn verify(document: &Document, seen: &Result<Observation, Unseen>, policy: &Policy, now: UnixSeconds) -> Report {
    let receipt = &document.proof.receipt;
    let inclusion = receipt.check_inclusion(document.digest());
    let outcomes = [
        (CheckKind::Integrity, checks::integrity(document, &inclusion)),
        (CheckKind::Inclusion, checks::inclusion(receipt, &inclusion)),
        (CheckKind::Anchor, checks::anchor(receipt, seen, policy)),
        (CheckKind::Issuer, checks::issuer(document, policy)),
        (CheckKind::Signature, checks::signature(document)),
        (CheckKind::Status, checks::status(document, seen, policy, now)),
        (CheckKind::Validity, checks::validity(document, now)),
    ];
    Report::new(outcomes.map(|(kind, outcome)| Check { kind, outcome }).to_vec(), policy)
}

/// The report on a document, or a receipt, that cannot be read: *invalid*, unless it only lacks an anchor.
pub fn refuse(error: Error) -> Report {
    let outcome = match error {
        Error::NoAnchor => Outcome::Unknown(Gap::NoAnchor),
        error => Outcome::Fail(Fault::Document(error)),
    };
    Report::new(vec![Check { kind: CheckKind::Integrity, outcome }], &Policy::default())
}

#[cfg(test)]
mod tests;
