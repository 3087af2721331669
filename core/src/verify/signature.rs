//! The signatures beside the anchor: Data Integrity and JOSE, as those found them who have the suites.

use super::{Fact, Fault, Gap, Outcome};
use crate::{
    Document, UnixSeconds,
    checked::{Checked, KeyOwner, Signature, SignatureOutcome},
    policy::{Need, Policy},
};

/// None is false, and where there are some, at least one holds. `proven` is when the document is known to have existed.
pub(super) fn signature(
    document: &Document,
    checked: &Checked,
    policy: &Policy,
    proven: Option<UnixSeconds>,
    now: UnixSeconds,
) -> Outcome {
    let count = document.other_proofs();
    if checked.signatures.is_empty() {
        return match (count, policy.signature) {
            (0, Need::Optional) => Outcome::NotApplicable,
            (0, Need::Required) => Outcome::Unknown(Gap::NoSignature),
            (count, _) => Outcome::Unknown(Gap::UncheckedProofs { count }),
        };
    }
    let mut gap = None;
    let mut holding = Vec::new();
    for signature in &checked.signatures {
        match outcome(signature, proven, now) {
            Ok(()) => holding.push(signature.suite.clone()),
            Err(Outcome::Unknown(found)) => _ = gap.get_or_insert(found),
            Err(fault) => return fault,
        }
    }
    match gap {
        Some(gap) if holding.is_empty() => Outcome::Unknown(gap),
        _ => {
            let unchecked = checked.signatures.len().max(count) - holding.len();
            Outcome::Pass(Fact::Signed { suites: holding, unchecked })
        }
    }
}

fn outcome(signature: &Signature, proven: Option<UnixSeconds>, now: UnixSeconds) -> Result<(), Outcome> {
    let suite = signature.suite.clone();
    match &signature.outcome {
        SignatureOutcome::Holds(KeyOwner::Issuer { until: Some(until), .. })
            if now > *until && proven.is_none_or(|proven| proven > *until) =>
        {
            Err(Outcome::Unknown(Gap::KeyEnded { until: *until }))
        }
        SignatureOutcome::Holds(_) => Ok(()),
        SignatureOutcome::Fails(fault) => Err(Outcome::Fail(Fault::Signature { suite, fault: fault.clone() })),
        SignatureOutcome::Unknown(gap) => Err(Outcome::Unknown(Gap::Signature { suite, gap: gap.clone() })),
    }
}
