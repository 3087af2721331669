//! Is it neither revoked nor suspended? The chain's bits, and every other list that the document names.

use super::{Fact, Fault, Gap, Outcome, Seen, anchor::look};
use crate::{
    Document, Hash, Purpose, Receipt, StatusIndex, UnixSeconds,
    checked::{Checked, ListOutcome},
    observation::{BlockRef, Observation, StatusAt, StatusSeen},
    policy::Policy,
};

/// A set status anywhere is a fault; what could not be told anywhere is a gap.
pub(super) fn status(
    document: &Document,
    seen: &Seen,
    checked: &Checked,
    policy: &Policy,
    now: UnixSeconds,
) -> Outcome {
    let on_chain = document.anchor.as_ref().map(|anchor| on_chain(&anchor.receipt, seen, policy, now));
    let in_lists = in_lists(document, checked);
    let is_fault = |outcome: &Outcome| matches!(outcome, Outcome::Fail(_));
    match (on_chain, in_lists) {
        (Some(Err(outcome)), _) if is_fault(&outcome) => outcome,
        (_, Err(outcome)) if is_fault(&outcome) => outcome,
        (Some(Err(outcome)), _) | (_, Err(outcome)) => outcome,
        (Some(Ok(block)), Ok((lists, _))) => Outcome::Pass(Fact::Good { block: block.number, time: block.time, lists }),
        (None, Ok((lists, Some(as_of)))) => Outcome::Pass(Fact::ListsClear { lists, as_of }),
        (None, Ok((_, None))) => Outcome::NotApplicable,
    }
}

/// A set bit counts at the newest block, a cleared one at the settled one.
fn on_chain(receipt: &Receipt, seen: &Seen, policy: &Policy, now: UnixSeconds) -> Result<BlockRef, Outcome> {
    let seen = look(receipt, seen, policy).map_err(Outcome::Unknown)?;
    // Whoever packs evidence could leave out the purpose that is set.
    let is_seen = |purpose: &Purpose| seen.status.iter().any(|seen| seen.purpose == *purpose);
    let unseen = [Purpose::REVOCATION, Purpose::SUSPENSION].into_iter().find(|purpose| !is_seen(purpose));
    let mut gap = unseen.map(|purpose| Gap::StatusUnseen { purpose });
    for purpose in &seen.status {
        match status_of(purpose, receipt.status_index) {
            Ok(()) => {}
            Err(Outcome::Unknown(unseen)) => gap = Some(unseen),
            Err(outcome) => return Err(outcome),
        }
    }
    gap.or_else(|| too_old(seen, policy, now)).map_or(Ok(seen.head), |gap| Err(Outcome::Unknown(gap)))
}

fn too_old(seen: &Observation, policy: &Policy, now: UnixSeconds) -> Option<Gap> {
    let age = now.0.saturating_sub(seen.head.time.0);
    policy.max_status_age.filter(|&allowed| age > allowed).map(|allowed| Gap::StatusTooOld { age, allowed })
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
    if at.record.root == Hash::ZERO {
        return Some(false);
    }
    let proof = at.proof.as_ref()?;
    (proof.root(index) == Ok(at.record.root)).then(|| proof.bit(index))
}

/// How many lists say that it is good, and when the oldest of them was had.
fn in_lists(document: &Document, checked: &Checked) -> Result<(usize, Option<UnixSeconds>), Outcome> {
    let mut clear = Vec::new();
    let mut gap = None;
    for entry in &checked.lists {
        let (purpose, list) = (entry.purpose.clone(), entry.list.clone());
        match &entry.outcome {
            ListOutcome::Set { as_of } => return Err(Outcome::Fail(Fault::ListSet { purpose, list, as_of: *as_of })),
            ListOutcome::Clear { as_of } => clear.push(*as_of),
            ListOutcome::Message { .. } => {}
            ListOutcome::Unknown(reason) => {
                _ = gap.get_or_insert(Gap::ListUnknown { purpose, list, gap: reason.clone() });
            }
        }
    }
    let unread = document.other_status_entries().saturating_sub(checked.lists.len());
    if unread > 0 {
        gap.get_or_insert(Gap::OtherStatusLists { count: unread });
    }
    match gap {
        Some(gap) => Err(Outcome::Unknown(gap)),
        None => Ok((clear.len(), clear.into_iter().min())),
    }
}
