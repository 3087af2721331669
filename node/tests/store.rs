//! What every store of the node has to do, written against its public methods only.

#![allow(clippy::unwrap_used)] // a test may panic

use testamur_core::{Address, BlockNumber, Digest, Entry, Hash, Purpose, StatusIndex, UnixSeconds};
use testamur_node::store::{
    Action, AnchoredAt, Append, Attempt, BatchId, BatchRecord, BatchState, Carries, ChangeId, ChangeRecord,
    ChangeState, IdempotencyKey, NewChange, OpenRecord, Sequence, Store, StoreError, TxRecord, UpdatedAt,
};

const ISSUER: Address = Address([7; 20]);
const OTHER: Address = Address([8; 20]);

fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(folder.path()).unwrap()
}

fn entries(seed: u8, count: u64) -> Vec<Entry> {
    (0..count)
        .map(|i| {
            let mut digest = [seed; 32];
            // Spread like hashes, so that the order of commits is not the order of digests.
            digest[..8].copy_from_slice(&i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
            Entry { digest: Digest(digest), status_index: StatusIndex::new(i * 3).unwrap() }
        })
        .collect()
}

fn append<'a>(batch: BatchId, issuer: Address, first_leaf: u32, entries: &'a [Entry], sequence: u64) -> Append<'a> {
    let sequence = Sequence { first: 0, next: sequence };
    Append { batch, issuer, opened_at: UnixSeconds(1000), first_leaf, entries, used: Vec::new(), sequence }
}

fn record(id: BatchId, issuer: Address, size: u64, state: BatchState) -> BatchRecord {
    BatchRecord { id, issuer, root: Hash([id.0 as u8; 32]), size, sealed_at: UnixSeconds(2000), final_at: None, state }
}

const ANCHOR: AnchoredAt = AnchoredAt { block: BlockNumber(9), time: UnixSeconds(3000), transaction: Hash([3; 32]) };

#[test]
fn appended_entries_are_read_back_in_order_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let all = entries(1, 100);
    let store = open(&folder);
    let id = store.next_batch_id();
    store.append(&[append(id, ISSUER, 0, &all[..60], 60)]).unwrap();
    store.append(&[append(id, ISSUER, 60, &all[60..], 100)]).unwrap();
    drop(store);

    let store = open(&folder);
    assert_eq!(store.entries(id).unwrap(), all);
    for leaf in [0, 59, 60, 99] {
        assert_eq!(store.entry(id, leaf).unwrap(), Some(all[leaf as usize]));
    }
    assert_eq!(store.entry(id, 100).unwrap(), None);
    for (first, count) in [(0, 100), (0, 7), (55, 10), (60, 40), (99, 5), (100, 5)] {
        let expected = &all[first..(first + count).min(100)];
        assert_eq!(store.entries_from(id, first as u32, count).unwrap(), expected, "{count} from {first}");
    }
    assert_eq!(store.entry(BatchId(99), 0).unwrap(), None);
    assert_eq!(store.sequence(ISSUER).unwrap(), Some(Sequence { first: 0, next: 100 }));
    assert_eq!(store.sequence(OTHER).unwrap(), None);
    assert_eq!(store.open_batches().unwrap(), [OpenRecord { id, issuer: ISSUER, opened_at: UnixSeconds(1000) }]);
}

#[test]
fn several_issuers_commit_together_and_apart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let (one, two) = (store.next_batch_id(), store.next_batch_id());
    assert_ne!(one, two);
    let (mine, theirs) = (entries(1, 5), entries(1, 9));
    store.append(&[append(one, ISSUER, 0, &mine, 5), append(two, OTHER, 0, &theirs, 9)]).unwrap();
    store.seal(&record(one, ISSUER, 5, BatchState::Sealed), &mine).unwrap();
    assert_eq!(store.locate(ISSUER, mine[4].digest).unwrap(), Some((one, 4)));
    assert_eq!(store.locate(OTHER, mine[4].digest).unwrap(), None, "open batches are not in the index");
    assert_eq!(store.batches_of(OTHER, None).count(), 0);
}

#[test]
fn a_sealed_batch_is_indexed_listed_and_no_longer_open() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let mut ids = Vec::new();
    for seed in 0..5 {
        let all = entries(seed, 1000);
        let id = store.next_batch_id();
        store.append(&[append(id, ISSUER, 0, &all, 1000)]).unwrap();
        store.seal(&record(id, ISSUER, 1000, BatchState::Sealed), &all).unwrap();
        ids.push(id);
    }
    drop(store);

    let store = open(&folder);
    assert!(store.open_batches().unwrap().is_empty());
    for (seed, id) in ids.iter().enumerate() {
        for (leaf, entry) in entries(seed as u8, 1000).iter().enumerate() {
            assert_eq!(store.locate(ISSUER, entry.digest).unwrap(), Some((*id, leaf as u32)));
        }
    }
    assert_eq!(store.locate(ISSUER, Digest([0xee; 32])).unwrap(), None);
    let listed = |before| store.batches_of(ISSUER, before).map(|batch| batch.unwrap().id).collect::<Vec<_>>();
    assert_eq!(listed(None), ids.iter().rev().copied().collect::<Vec<_>>());
    assert_eq!(listed(Some(ids[2])), [ids[1], ids[0]]);
    assert!(store.next_batch_id() > ids[4], "a number is never used twice");
}

#[test]
fn sealing_again_after_a_crash_in_between_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let all = entries(1, 50);
    let id = store.next_batch_id();
    store.append(&[append(id, ISSUER, 0, &all[..40], 40)]).unwrap();
    // As if the crash came after the index and before the record: the batch then grew and was sealed.
    store.seal(&record(id, ISSUER, 40, BatchState::Sealed), &all[..40]).unwrap();
    store.append(&[append(id, ISSUER, 40, &all[40..], 50)]).unwrap();
    store.seal(&record(id, ISSUER, 50, BatchState::Sealed), &all).unwrap();
    for (leaf, entry) in all.iter().enumerate() {
        assert_eq!(store.locate(ISSUER, entry.digest).unwrap(), Some((id, leaf as u32)));
    }
    assert_eq!(store.batch(id).unwrap().map(|batch| batch.size), Some(50));
}

#[test]
fn progress_is_atomic_listed_and_survives() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let tx = store.next_tx_id();
    let attempt = Attempt {
        hash: Hash([1; 32]),
        raw: vec![2, 0xff],
        max_fee: u128::MAX,
        max_priority_fee: 1,
        signed_at: UnixSeconds(5),
    };
    let tx_record =
        TxRecord { id: tx, nonce: 4, carries: Carries::Batches(vec![BatchId(1), BatchId(2)]), attempts: vec![attempt] };
    let prepared = |id| record(BatchId(id), ISSUER, 3, BatchState::Prepared { tx });
    store.put_progress(&[prepared(1), prepared(2)], Some(&tx_record)).unwrap();
    drop(store);

    let store = open(&folder);
    assert_eq!(store.open_txs().unwrap(), [tx_record]);
    assert_eq!(store.unfinished_batches().unwrap(), [prepared(1), prepared(2)]);
    let done = record(BatchId(1), ISSUER, 3, BatchState::Final { anchor: ANCHOR });
    let back = record(BatchId(2), ISSUER, 3, BatchState::Included { anchor: ANCHOR });
    assert_eq!(store.batch(BatchId(1)).unwrap(), Some(prepared(1)));
    store.retire_tx(tx, &[done.clone(), back.clone()]).unwrap();
    assert_eq!(store.batch(BatchId(1)).unwrap().as_ref(), Some(&done), "what is read is what was written last");
    assert!(store.open_txs().unwrap().is_empty());
    assert_eq!(store.unfinished_batches().unwrap(), std::slice::from_ref(&back));
    assert_eq!(store.all_batches().map(|batch| batch.unwrap()).collect::<Vec<_>>(), [done, back]);
    assert!(store.next_tx_id() > tx, "a number is never used twice");
}

fn change(issuer: Address, action: Action, indices: &[u64]) -> NewChange {
    let indices = indices.iter().map(|index| StatusIndex::new(*index).unwrap()).collect();
    NewChange { issuer, action, reason: 4, accepted_at: UnixSeconds(7), now: false, indices, key: None }
}

const UPDATED: UpdatedAt =
    UpdatedAt { epoch: 3, block: BlockNumber(9), time: UnixSeconds(3000), transaction: Hash([3; 32]) };

#[test]
fn a_change_is_kept_whole_listed_and_found_by_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let (key, body) = (Hash([1; 32]), Hash([2; 32]));
    let keyed =
        NewChange { key: Some(IdempotencyKey { key, body }), ..change(ISSUER, Action::Revoke, &[5, 6, 1 << 39]) };
    let first = store.accept_change(&keyed).unwrap();
    let theirs = store.accept_change(&change(OTHER, Action::Suspend, &[1])).unwrap();
    let second = store.accept_change(&change(ISSUER, Action::Reinstate, &[7])).unwrap();
    assert_eq!((first.id, theirs.id, second.id), (ChangeId(1), ChangeId(2), ChangeId(3)));
    assert_eq!((first.count, first.state, first.reason), (3, ChangeState::Pending, 4));
    drop(store);

    let store = open(&folder);
    assert_eq!(store.change(first.id).unwrap().as_ref(), Some(&first));
    assert_eq!(store.change_indices(first.id).unwrap(), keyed.indices);
    assert_eq!(store.change_by_key(ISSUER, key).unwrap(), Some((body, first.clone())));
    assert_eq!(store.change_by_key(OTHER, key).unwrap(), None, "another issuer's keys are its own");
    assert_eq!(store.open_changes().unwrap(), [first.clone(), theirs.clone(), second.clone()]);
    let listed = |before| store.changes_of(ISSUER, before).map(|change| change.unwrap().id).collect::<Vec<_>>();
    assert_eq!((listed(None), listed(Some(second.id))), (vec![second.id, first.id], vec![first.id]));
    let next = store.accept_change(&change(ISSUER, Action::Revoke, &[8])).unwrap();
    assert_eq!(next.id, ChangeId(4), "a number is never used twice");
    assert_eq!(store.change(ChangeId(99)).unwrap(), None);
}

#[test]
fn a_change_goes_on_with_the_transaction_that_carries_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let pending = store.accept_change(&change(ISSUER, Action::Revoke, &[5])).unwrap();
    let carries = Carries::Status { issuer: ISSUER, purpose: Purpose::REVOCATION, epoch: 3, root: Hash([8; 32]) };
    let attempt = Attempt {
        hash: Hash([1; 32]),
        raw: vec![2],
        max_fee: u128::MAX,
        max_priority_fee: 1,
        signed_at: UnixSeconds(5),
    };
    let tx = TxRecord { id: store.next_tx_id(), nonce: 4, carries, attempts: vec![attempt] };
    let included = ChangeRecord { state: ChangeState::Included { at: UPDATED }, ..pending.clone() };
    store.put_changes(std::slice::from_ref(&included), Some(&tx)).unwrap();
    drop(store);

    let store = open(&folder);
    assert_eq!(store.open_txs().unwrap(), std::slice::from_ref(&tx));
    assert_eq!(store.open_changes().unwrap(), [included]);
    let done = ChangeRecord { state: ChangeState::Final { at: UPDATED }, ..pending };
    store.retire_status_tx(tx.id, std::slice::from_ref(&done)).unwrap();
    assert!(store.open_txs().unwrap().is_empty() && store.open_changes().unwrap().is_empty());
    assert_eq!(store.change(done.id).unwrap(), Some(done));
}

#[test]
fn a_transaction_written_before_there_were_changes_is_read() {
    let hash = format!("0x{}", "01".repeat(32));
    let attempt =
        format!(r#"{{"hash":"{hash}","raw":[2],"max_fee":{},"max_priority_fee":1,"signed_at":5}}"#, u128::MAX);
    let before = format!(r#"{{"id":1,"nonce":4,"batches":[1,2],"attempts":[{attempt}]}}"#);
    let tx: TxRecord = serde_json::from_str(&before).unwrap();
    assert_eq!((tx.batches(), tx.attempts[0].max_fee), (&[BatchId(1), BatchId(2)][..], u128::MAX));
    assert_eq!(serde_json::to_string(&tx).unwrap(), before);
}

#[test]
fn the_secret_stays_and_differs_between_folders() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let secret = *open(&one).secret();
    assert_eq!(*open(&one).secret(), secret);
    assert_ne!(*open(&two).secret(), secret);
}

#[test]
fn a_folder_serves_one_store_and_only_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("new/data");
    let store = Store::open(&folder).unwrap();
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert!(matches!(Store::open(&folder), Err(StoreError::Locked { .. })));
    drop(store);
    assert!(Store::open(&folder).is_ok());
}

#[test]
fn an_unknown_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder));
    let db = fjall::Database::builder(folder.path().join("store")).open().unwrap();
    db.keyspace("meta", Default::default).unwrap().insert("format", 2_u32.to_be_bytes()).unwrap();
    drop(db);
    assert!(matches!(Store::open(folder.path()), Err(StoreError::Format { found: 2, known: 1, .. })));
}
