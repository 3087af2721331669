//! Changes of status, as they are stored. Whether their bits are on chain is checked elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use testamur_core::Address;

use super::{Findings, Level};
use crate::store::{ChangeId, ChangeRecord, ChangeState, Store, StoreError};

/// Records, indices, lists and the counter of changes agree.
pub fn check_changes(store: &Store, findings: &mut Findings) -> Result<(), StoreError> {
    let changes = store.all_changes().collect::<Result<Vec<_>, _>>()?;
    findings.changes = changes.len() as u64;
    let open: BTreeSet<_> = store.open_changes()?.into_iter().map(|change| change.id).collect();
    let mut issuers = BTreeMap::<Address, Vec<ChangeId>>::new();
    for change in &changes {
        issuers.entry(change.issuer).or_default().push(change.id);
        for fault in faults(store, change, open.contains(&change.id))? {
            findings.add(Level::False, format!("change {}", change.id.0), fault);
        }
    }
    for (issuer, mut expected) in issuers {
        expected.reverse();
        let listed: Vec<_> =
            store.changes_of(issuer, None).map(|change| Ok(change?.id)).collect::<Result<_, StoreError>>()?;
        if listed != expected {
            findings.add(Level::False, format!("issuer {issuer}"), "the list of its changes is not what is stored");
        }
    }
    // Nothing is taken by asking: a number counts as used once something is stored under it.
    let next = store.next_change_id();
    if changes.last().is_some_and(|last| last.id >= next) {
        findings.add(Level::False, "counter", format!("the next change would be {} a second time", next.0));
    }
    Ok(())
}

fn faults(store: &Store, change: &ChangeRecord, is_open: bool) -> Result<Vec<String>, StoreError> {
    let mut faults = Vec::new();
    match store.change_indices(change.id) {
        Ok(indices) if indices.len() as u64 == change.count => {}
        Ok(indices) => faults.push(format!("{} status indices, {} recorded", indices.len(), change.count)),
        Err(error @ StoreError::Damaged { .. }) => faults.push(error.to_string()),
        Err(error) => return Err(error),
    }
    if is_open == matches!(change.state, ChangeState::Final { .. }) {
        faults.push("the list of open changes says otherwise than its state".to_owned());
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use testamur_core::{BlockNumber, Hash, StatusIndex, UnixSeconds};

    use super::*;
    use crate::store::{Action, NewChange, UpdatedAt};

    fn kept(store: &Store) -> ChangeRecord {
        let indices = [4, 7].map(|index| StatusIndex::new(index).expect("below 2^40")).to_vec();
        let (issuer, action, accepted_at) = (Address([7; 20]), Action::Suspend, UnixSeconds(1));
        let new = NewChange { issuer, action, reason: 0, accepted_at, now: false, indices, key: None };
        store.accept_change(&new).expect("kept")
    }

    fn look(store: &Store) -> Findings {
        let mut findings = Findings::default();
        check_changes(store, &mut findings).expect("read");
        findings
    }

    #[test]
    fn what_is_kept_is_well_and_what_does_not_fit_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opened");
        kept(&store);
        let change = kept(&store);
        let at = UpdatedAt { epoch: 1, block: BlockNumber(2), time: UnixSeconds(3), transaction: Hash([4; 32]) };
        let done = ChangeRecord { state: ChangeState::Final { at }, ..change.clone() };
        store.put_changes(std::slice::from_ref(&done), None).expect("written");
        assert_eq!(look(&store), Findings { changes: 2, ..Findings::default() });
        let told = |change: ChangeRecord| {
            store.put_changes(&[change], None).expect("written");
            look(&store).findings.iter().map(|finding| finding.to_string()).collect::<Vec<_>>().join("\n")
        };
        assert!(told(ChangeRecord { count: 3, ..done.clone() }).contains("2 status indices, 3 recorded"));
        let stranger = told(ChangeRecord { id: ChangeId(9), ..change });
        assert!(stranger.contains("its status indices are missing") && stranger.contains("change 9"), "{stranger}");
        assert!(stranger.contains("the list of its changes is not"), "{stranger}");
        assert!(stranger.contains("would be"), "{stranger}");
    }
}
