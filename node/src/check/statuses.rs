//! Changes of status against the bits on chain, rebuilt from what was published.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use testamur_chain::{BlockTag, Error, Registry, history};
use testamur_core::{BlockNumber, ChainId, Purpose, StatusIndex, observation::StatusRecord, status::StatusTree};

use super::{Finding, Findings, Level};
use crate::{
    mirror::Key,
    store::{ChangeRecord, ChangeState, Store, StoreError, UpdatedAt},
};

/// Reads every issuer's status that was changed here. What cannot be read is [`Level::Unknown`], never false.
pub async fn check_statuses(
    store: Arc<Store>,
    registry: &Registry,
    chain: ChainId,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    for (key, changes) in by_key(&store)? {
        let subject = format!("{} of {}", key.purpose.name(), key.issuer);
        let (record, head, tree) = match rebuild(key, registry, chain).await {
            Ok(rebuilt) => rebuilt,
            Err(error) => {
                let damaged = matches!(error, Error::StatusRoot { .. } | Error::Delta { .. });
                findings.add(if damaged { Level::False } else { Level::Unknown }, subject, error.to_string());
                continue;
            }
        };
        let found = compare(&store, key.purpose, changes, &record, head, &tree)?;
        findings.findings.extend(found);
    }
    Ok(())
}

/// Changes that are on chain, or were, the newest first.
fn by_key(store: &Store) -> Result<BTreeMap<Key, Vec<(ChangeRecord, UpdatedAt)>>, StoreError> {
    let mut changes = BTreeMap::<Key, Vec<_>>::new();
    for change in store.all_changes() {
        let change = change?;
        if let ChangeState::Included { at } | ChangeState::Final { at } = change.state {
            let key = Key { issuer: change.issuer, purpose: change.action.purpose() };
            changes.entry(key).or_default().push((change, at));
        }
    }
    changes.values_mut().for_each(|changes| changes.reverse());
    Ok(changes)
}

/// The record at the newest block, that block, and the bits.
async fn rebuild(
    key: Key,
    registry: &Registry,
    chain: ChainId,
) -> Result<(StatusRecord, BlockNumber, StatusTree), Error> {
    let registry = Registry::open(registry.endpoint().clone(), registry.address(), chain).await?;
    let head = registry.endpoint().block(BlockTag::Latest).await?.number;
    let record = registry.status_of(key.issuer, key.purpose, head.into()).await?;
    let tree = history::status_tree(&registry, key.issuer, key.purpose, &record).await?;
    Ok((record, head, tree))
}

/// What the chain says about changes of one issuer and purpose, the newest first.
fn compare(
    store: &Store,
    purpose: Purpose,
    changes: Vec<(ChangeRecord, UpdatedAt)>,
    record: &StatusRecord,
    head: BlockNumber,
    tree: &StatusTree,
) -> Result<Vec<Finding>, StoreError> {
    let (mut findings, mut overruled) = (Vec::new(), HashSet::new());
    for (change, at) in changes {
        let indices = match store.change_indices(change.id) {
            Err(StoreError::Damaged { .. }) => continue, // told already
            indices => indices?,
        };
        let own: Vec<StatusIndex> = indices.into_iter().filter(|index| overruled.insert(*index)).collect();
        let differing = own.iter().filter(|index| tree.bit(**index) != change.action.bit()).count();
        if let Some((level, detail)) = judge(&change, purpose, &at, record, head, differing) {
            findings.push(Finding { level, subject: format!("change {}", change.id.0), detail });
        }
    }
    Ok(findings)
}

/// What is wrong with a change of which so many bits are not on chain. Pure.
fn judge(
    change: &ChangeRecord,
    purpose: Purpose,
    at: &UpdatedAt,
    record: &StatusRecord,
    head: BlockNumber,
    differing: usize,
) -> Option<(Level, String)> {
    if at.block > head {
        let detail = format!("the endpoint ends at block {head}, it was completed in {}", at.block);
        return Some((Level::Unknown, detail));
    }
    let is_final = matches!(change.state, ChangeState::Final { .. });
    if at.epoch > record.epoch {
        let detail = format!("completed by update {}, the newest on chain is {}", at.epoch, record.epoch);
        return Some(if is_final { (Level::False, detail) } else { (Level::Note, format!("{detail}: undone")) });
    }
    match differing {
        0 => None,
        // The newest update is the one that completed it, or no update may take a revocation back.
        _ if is_final && (at.epoch == record.epoch || purpose == Purpose::REVOCATION) => {
            Some((Level::False, format!("{differing} of its bits are not on chain")))
        }
        _ => Some((Level::Note, format!("somebody else has toggled {differing} of its bits back since"))),
    }
}

#[cfg(test)]
mod tests {
    use testamur_core::{Address, Hash, UnixSeconds};

    use super::*;
    use crate::store::{Action, ChangeId};

    #[test]
    fn the_chain_confirms_or_refutes_a_change() {
        use Level::{False, Note, Unknown};
        let at = UpdatedAt { epoch: 3, block: BlockNumber(7), time: UnixSeconds(7), transaction: Hash::ZERO };
        let told = |action: Action, is_final, epoch, head, differing| {
            let state = if is_final { ChangeState::Final { at } } else { ChangeState::Included { at } };
            let (id, issuer, accepted_at) = (ChangeId(1), Address([1; 20]), UnixSeconds(1));
            let change = ChangeRecord { id, issuer, action, reason: 0, count: 5, accepted_at, now: false, state };
            let record = StatusRecord { epoch, ..StatusRecord::default() };
            judge(&change, action.purpose(), &at, &record, BlockNumber(head), differing).map(|(level, _)| level)
        };
        let table = [
            (Action::Suspend, true, 3, 9, 0, None),
            (Action::Suspend, true, 3, 6, 0, Some(Unknown)),
            (Action::Suspend, true, 2, 9, 0, Some(False)),
            (Action::Suspend, false, 2, 9, 0, Some(Note)),
            (Action::Suspend, true, 3, 9, 1, Some(False)),
            (Action::Suspend, true, 4, 9, 1, Some(Note)),
            (Action::Reinstate, true, 4, 9, 1, Some(Note)),
            (Action::Revoke, true, 4, 9, 1, Some(False)),
            (Action::Revoke, false, 4, 9, 1, Some(Note)),
        ];
        for (action, is_final, epoch, head, differing, expected) in table {
            let got = told(action, is_final, epoch, head, differing);
            assert_eq!(got, expected, "{action:?}, final: {is_final}, epoch {epoch}, head {head}, {differing} differ");
        }
    }
}
