//! The signatures beside the anchor: Data Integrity and JOSE, as those found them who have the suites.

use super::{Fact, Fault, Gap, Outcome};
use crate::{
    Document, UnixSeconds,
    checked::{Checked, KeyOwner, Signature, SignatureOutcome},
    policy::{Need, Policy},
};

/// None is false, and where there are some, at least one holds; where the policy asks for one, it is the issuer's: anybody
/// may sign what others anchored. `proven` is when the document is known to have existed.
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
    let (mut suites, mut is_issuers) = (Vec::new(), false);
    for signature in &checked.signatures {
        match holds(signature, proven, now) {
            Ok(owner) => {
                is_issuers |= matches!(owner, KeyOwner::Issuer { .. });
                if let (Need::Required, Some(found)) = (policy.signature, not_issuers(document, owner)) {
                    gap.get_or_insert(found);
                }
                suites.push(signature.suite.clone());
            }
            Err(Outcome::Unknown(found)) => _ = gap.get_or_insert(found),
            Err(fault) => return fault,
        }
    }
    let is_enough = if policy.signature == Need::Required { is_issuers } else { !suites.is_empty() };
    match gap {
        Some(gap) if !is_enough => Outcome::Unknown(gap),
        _ => {
            let unchecked = checked.signatures.len().max(count) - suites.len();
            Outcome::Pass(Fact::Signed { suites, unchecked })
        }
    }
}

/// Why a signature that holds is not known to be the issuer's.
fn not_issuers(document: &Document, owner: &KeyOwner) -> Option<Gap> {
    let named = document.named_issuer().unwrap_or_default().to_owned();
    match owner {
        KeyOwner::Issuer { .. } => None,
        KeyOwner::Unproven(missing) => Some(Gap::KeyUnproven { named, missing: missing.clone() }),
        KeyOwner::Untied { owner } => Some(Gap::KeyUntied { named, owner: owner.clone() }),
    }
}

/// Whose key it is, of a signature that holds and whose key counted in its time.
pub(super) fn holds(
    signature: &Signature,
    proven: Option<UnixSeconds>,
    now: UnixSeconds,
) -> Result<&KeyOwner, Outcome> {
    let suite = signature.suite.clone();
    match &signature.outcome {
        SignatureOutcome::Holds(KeyOwner::Issuer { until: Some(until), .. })
            if now > *until && proven.is_none_or(|proven| proven > *until) =>
        {
            Err(Outcome::Unknown(Gap::KeyEnded { until: *until }))
        }
        SignatureOutcome::Holds(owner) => Ok(owner),
        SignatureOutcome::Fails(fault) => Err(Outcome::Fail(Fault::Signature { suite, fault: fault.clone() })),
        SignatureOutcome::Unknown(gap) => Err(Outcome::Unknown(Gap::Signature { suite, gap: gap.clone() })),
    }
}
