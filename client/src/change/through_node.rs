//! Through the issuer's node: each request durable there before it is believed, and none taken twice.

use std::{collections::BTreeMap, path::Path};

use sha2::{Digest as _, Sha256};
use testamur_core::{Hash, UnixSeconds};

use super::{Action, ChangeError, ChangeState, Step, Target, Unfit, journal::Journal, targets};
use crate::node::{Change, Entries, MOST_ENTRIES, Node, Offender, Place, Progress, Refused};

/// How often a request is sent again without what the node named: it names a hundred at a time, and a list of which
/// thousands are refused is the wrong list.
const MOST_ROUNDS: usize = 20;

/// What is to be done, beside to whom.
#[derive(Clone, Debug)]
pub struct Order {
    /// What.
    pub action: Action,
    /// The issuer's own code, which the node keeps.
    pub reason: u8,
    /// Whether the node is to send it at once.
    pub now: bool,
    /// Whether indices count that this node never assigned.
    pub assigned_elsewhere: bool,
    /// How settled it must be before the run ends.
    pub wait: ChangeState,
}

/// One request: entries, and how each was named.
struct Part {
    names: Vec<String>,
    change: Change,
}

/// Changes the status of the targets, as far as they are fit; tells each step through `tell`.
///
/// The run is kept in `journals` until the node has answered: the same call resumes one that was interrupted.
pub async fn change(
    node: &Node,
    place: Place,
    mut targets: Vec<Target>,
    order: &Order,
    journals: &Path,
    now: UnixSeconds,
    tell: &mut dyn FnMut(Step),
) -> Result<(), ChangeError> {
    targets::distinct(&mut targets);
    let parts = parts(place, targets, order, tell);
    if parts.is_empty() {
        return Ok(());
    }
    let journal = Journal::begin(journals, name(node, place, &parts), now)?;
    let mut taken = Vec::with_capacity(parts.len());
    for (number, part) in parts.into_iter().enumerate() {
        match hand_over(node, place, part, number, &journal, tell).await {
            Ok(accepted) => taken.extend(accepted),
            Err(ChangeError::Node { error, .. }) if error.is_transient() => {
                return Err(ChangeError::Node { error, kept: Some(journal.path().to_owned()) });
            }
            Err(error) => return journal.end().and(Err(error)),
        }
    }
    journal.end()?;
    follow(node, place, taken, order.wait, tell).await
}

/// Sorts the targets into requests. A digest is the node's own name for a credential, so it counts before an index,
/// unless the node is a stranger to both.
fn parts(place: Place, targets: Vec<Target>, order: &Order, tell: &mut dyn FnMut(Step)) -> Vec<Part> {
    let (mut digests, mut indices) = (Vec::new(), Vec::new());
    for Target { name, digest, index, receipt } in targets {
        if let Some(error) = receipt.and_then(|receipt| Unfit::elsewhere(place, &receipt)) {
            tell(Step::Refused(name, error));
            continue;
        }
        match (digest, index) {
            (_, Some(index)) if order.assigned_elsewhere => indices.push((name, index)),
            (Some(digest), _) => digests.push((name, digest)),
            (None, Some(index)) => indices.push((name, index)),
            (None, None) => {} // a target has one of them
        }
    }
    let digests = requests(digests, order, Entries::Digests);
    digests.chain(requests(indices, order, Entries::Indices)).collect()
}

fn requests<T: Clone>(
    named: Vec<(String, T)>,
    order: &Order,
    entries: impl Fn(Vec<T>) -> Entries,
) -> impl Iterator<Item = Part> {
    let &Order { action, reason, now, assigned_elsewhere, .. } = order;
    let chunks: Vec<_> = named.chunks(MOST_ENTRIES).map(<[_]>::to_vec).collect();
    chunks.into_iter().map(move |chunk| {
        let (names, chunk) = chunk.into_iter().unzip();
        Part { names, change: Change { action, entries: entries(chunk), reason, now, assigned_elsewhere } }
    })
}

/// What the run is about: the same command makes the same name.
fn name(node: &Node, place: Place, parts: &[Part]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(node.name());
    hasher.update(place.issuer.as_bytes());
    for part in parts {
        hasher.update(serde_json::to_vec(&part.change).expect("a change has only JSON values"));
    }
    Hash(hasher.finalize().into())
}

/// Hands one request over. Entries that the node refuses by name are told, and the rest goes on without them;
/// `None` where nothing is left.
async fn hand_over(
    node: &Node,
    place: Place,
    mut part: Part,
    number: usize,
    journal: &Journal,
    tell: &mut dyn FnMut(Step),
) -> Result<Option<(usize, Progress)>, ChangeError> {
    for round in 0.. {
        if part.names.is_empty() {
            break;
        }
        let Refused { error, offenders, count } =
            match node.change(place.issuer, &journal.key(number, round), &part.change).await {
                Ok(progress) => {
                    let count = part.names.len();
                    tell(Step::Taken { count, change: progress.change });
                    return Ok(Some((count, progress)));
                }
                Err(refused) => refused,
            };
        let refused: BTreeMap<usize, Offender> = offenders.into_iter().map(|o| (o.place, o)).collect();
        let before = part.names.len();
        part.leave_out(refused, tell);
        let dropped = before - part.names.len();
        if dropped == 0 {
            return Err(error.into());
        }
        if count > dropped as u64 && round >= MOST_ROUNDS {
            return Err(ChangeError::ManyRefused { error, count });
        }
    }
    Ok(None)
}

impl Part {
    /// Takes out, and tells, what the node refuses.
    fn leave_out(&mut self, refused: BTreeMap<usize, Offender>, tell: &mut dyn FnMut(Step)) {
        match &mut self.change.entries {
            Entries::Digests(digests) => keep_others(digests, &refused),
            Entries::Indices(indices) => keep_others(indices, &refused),
        }
        for (&place, offender) in &refused {
            if let Some(name) = self.names.get(place) {
                tell(Step::Refused(name.clone(), Unfit::Node(offender.reason.clone())));
            }
        }
        keep_others(&mut self.names, &refused);
    }
}

fn keep_others<T>(items: &mut Vec<T>, refused: &BTreeMap<usize, Offender>) {
    let mut place = 0..;
    items.retain(|_| place.next().is_none_or(|place| !refused.contains_key(&place)));
}

/// Waits until everything taken is as settled as asked.
async fn follow(
    node: &Node,
    place: Place,
    taken: Vec<(usize, Progress)>,
    wait: ChangeState,
    tell: &mut dyn FnMut(Step),
) -> Result<(), ChangeError> {
    for (count, Progress { change, .. }) in taken {
        if wait == ChangeState::Pending {
            continue;
        }
        let waited = node.await_change(place.issuer, change, wait).await;
        let progress = waited.map_err(|error| ChangeError::Waiting { error, change })?;
        tell(Step::Reached { count, state: progress.state, at: progress.update, change: Some(change) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_entries_leave_the_others_in_their_order() {
        let refused = [1, 3].map(|place| (place, Offender { place, reason: String::new() }));
        let mut items = vec!['a', 'b', 'c', 'd', 'e'];
        keep_others(&mut items, &refused.into());
        assert_eq!(items, ['a', 'c', 'e']);
    }
}
