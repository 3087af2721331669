//! The ledger over a real store: what is answered is on disk, and no status index is given twice.

#![allow(clippy::unwrap_used)] // a test may panic

use std::{collections::HashSet, sync::Arc, time::Duration};

use proptest::prelude::*;
use testamur_core::{Address, Digest, Entry, Hash, StatusIndex, UnixSeconds};
use testamur_node::{
    disk::Disk,
    events,
    health::Health,
    ledger::{Accepted, Conflict, ConflictReason, Ledger, LedgerError, Parts, Place, Threads},
    metrics::Metrics,
    permutation::Permutations,
    seal::SealPolicy,
    store::{Action, BatchId, BatchState, ChangeId, IdempotencyKey, NewChange, Sequence, Store},
    trees::Trees,
};
use tokio::sync::Notify;

const ISSUER: Address = Address([7; 20]);
const OTHER: Address = Address([8; 20]);
const NEVER: SealPolicy = SealPolicy { max_size: 1 << 20, max_age: Duration::from_secs(3600) };

/// A ledger on a folder, as `serve` builds it.
struct Running {
    ledger: Ledger,
    threads: Threads,
    store: Arc<Store>,
    events: events::Sender,
    health: Health,
}

impl Running {
    fn start(folder: &std::path::Path, policy: SealPolicy) -> Self {
        Self::with_reserve(folder, policy, 0)
    }

    fn with_reserve(folder: &std::path::Path, policy: SealPolicy, reserve: u64) -> Self {
        let store = Arc::new(Store::open(folder).unwrap());
        let (events, health) = (events::Sender::default(), Health::default());
        let parts = Parts {
            store: store.clone(),
            policy,
            trees: Arc::new(Trees::new(store.clone(), 1 << 20)),
            events: events.clone(),
            wake: Arc::new(Notify::new()),
            health: health.clone(),
            metrics: Arc::new(Metrics::default()),
            disk: Arc::new(Disk::new(folder.to_owned(), reserve, health.clone())),
        };
        let (ledger, threads) = Ledger::start(parts).unwrap();
        Self { ledger, threads, store, events, health }
    }

    async fn stop(self) {
        self.ledger.stop().await;
        tokio::task::spawn_blocking(move || self.threads.join()).await.unwrap();
    }
}

fn digests(range: std::ops::Range<u64>) -> Vec<Digest> {
    let digest = |n: u64| {
        let mut bytes = [0; 32];
        bytes[8..16].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        bytes[16..24].copy_from_slice(&n.to_be_bytes());
        Digest(bytes)
    };
    range.map(digest).collect()
}

fn distinct(indices: &[StatusIndex]) -> bool {
    indices.iter().collect::<HashSet<_>>().len() == indices.len()
}

#[tokio::test]
async fn the_same_digest_gets_the_same_answer_while_open_sealed_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), NEVER);
    let first = running.ledger.submit(ISSUER, digests(0..100)).await.unwrap();
    assert_eq!((first.new, first.batch), (100, BatchId(1)));
    assert!(distinct(&first.indices));
    let again = Accepted { indices: first.indices.clone(), new: 0, batch: first.batch };
    assert_eq!(running.ledger.submit(ISSUER, digests(0..100)).await.unwrap(), again);
    let doubled = running.ledger.submit(ISSUER, [digests(200..201), digests(200..201)].concat()).await.unwrap();
    assert_eq!((doubled.new, doubled.indices[0]), (1, doubled.indices[1]));
    running.stop().await;

    let running = Running::start(folder.path(), NEVER);
    assert_eq!(running.ledger.submit(ISSUER, digests(0..100)).await.unwrap(), again);
    let record = running.ledger.seal(ISSUER).await.unwrap().unwrap();
    assert_eq!((record.id, record.size, record.state), (BatchId(1), 101, BatchState::Sealed));
    assert_eq!(running.ledger.seal(ISSUER).await.unwrap(), None, "nothing is open");
    assert_eq!(running.ledger.submit(ISSUER, digests(0..100)).await.unwrap(), again);
    let place = running.ledger.find(ISSUER, digests(3..4)[0]).unwrap();
    assert_eq!(place, Some(Place::Sealed { batch: BatchId(1), leaf: 3 }));
    let next = running.ledger.submit(ISSUER, digests(300..301)).await.unwrap();
    assert_eq!((next.new, next.batch), (1, BatchId(2)));
    assert!(!first.indices.contains(&next.indices[0]));
    running.stop().await;
}

#[tokio::test]
async fn issuers_do_not_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), NEVER);
    running.ledger.submit(ISSUER, digests(0..10)).await.unwrap();
    let theirs = running.ledger.submit(OTHER, digests(0..10)).await.unwrap();
    assert_eq!((theirs.new, theirs.batch), (10, BatchId(2)));
    assert_eq!(running.ledger.find(OTHER, digests(10..11)[0]).unwrap(), None);
    running.ledger.seal(ISSUER).await.unwrap();
    assert_eq!(running.ledger.find(OTHER, digests(0..1)[0]).unwrap(), Some(Place::Open { batch: BatchId(2) }));
    running.stop().await;
}

#[tokio::test]
async fn a_full_batch_is_sealed_and_the_rest_goes_into_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), SealPolicy { max_size: 10, ..NEVER });
    let mut told = running.events.listen();
    let accepted = running.ledger.submit(ISSUER, digests(0..35)).await.unwrap();
    assert_eq!((accepted.new, accepted.batch), (35, BatchId(4)));
    assert!(distinct(&accepted.indices));
    for id in 1..=3 {
        assert_eq!(told.recv().await.unwrap().subject, events::Subject::Batch(BatchId(id)));
        assert_eq!(running.store.batch(BatchId(id)).unwrap().map(|batch| batch.size), Some(10));
    }
    assert_eq!(running.ledger.unsealed(ISSUER), [(BatchId(4), 5)]);
    let all: Vec<_> = (1..=4).flat_map(|id| running.store.entries(BatchId(id)).unwrap()).collect();
    let expected = digests(0..35).into_iter().zip(accepted.indices);
    assert_eq!(all, expected.map(|(digest, status_index)| Entry { digest, status_index }).collect::<Vec<_>>());
    running.stop().await;
}

#[tokio::test]
async fn a_batch_is_sealed_at_an_age() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), SealPolicy { max_age: Duration::from_millis(100), ..NEVER });
    let mut told = running.events.listen();
    running.ledger.submit(ISSUER, digests(0..3)).await.unwrap();
    let event = tokio::time::timeout(Duration::from_secs(20), told.recv()).await.expect("sealed in time").unwrap();
    assert_eq!((event.subject, event.id), (events::Subject::Batch(BatchId(1)), 1));
    running.stop().await;
}

#[tokio::test]
async fn what_was_being_sealed_at_a_crash_is_sealed_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let entry = |n: u64| Entry { digest: digests(n..n + 1)[0], status_index: StatusIndex::new(n).unwrap() };
    for (id, sequence) in [(1, 2), (2, 3)] {
        let entries: Vec<_> = if id == 1 { vec![entry(0), entry(1)] } else { vec![entry(2)] };
        let batch = testamur_node::store::Append {
            batch: BatchId(id),
            issuer: ISSUER,
            opened_at: testamur_node::clock::now(),
            first_leaf: 0,
            entries: &entries,
            used: Vec::new(),
            sequence: Sequence { first: 0, next: sequence },
        };
        store.append(&[batch]).unwrap();
    }
    drop(store);
    let running = Running::start(folder.path(), NEVER);
    let record = running.ledger.seal(ISSUER).await.unwrap().unwrap();
    assert_eq!((record.id, record.size), (BatchId(2), 1));
    assert_eq!(running.store.batch(BatchId(1)).unwrap().map(|batch| batch.size), Some(2));
    assert_eq!(running.ledger.submit(ISSUER, digests(1..2)).await.unwrap().indices, [StatusIndex::new(1).unwrap()]);
    running.stop().await;
}

#[tokio::test]
async fn a_disk_without_room_refuses_and_takes_again_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_reserve(folder.path(), NEVER, u64::MAX);
    assert_eq!(running.ledger.submit(ISSUER, digests(0..1)).await, Err(LedgerError::DiskFull));
    assert_eq!(running.health.reasons()[0].problem, "disk-full");
    assert_eq!(running.ledger.find(ISSUER, digests(0..1)[0]).unwrap(), None);
    running.stop().await;
}

#[tokio::test]
async fn after_stopping_nothing_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), NEVER);
    let ledger = running.ledger.clone();
    running.stop().await;
    assert_eq!(ledger.submit(ISSUER, digests(0..1)).await, Err(LedgerError::Stopped));
}

#[tokio::test]
async fn submissions_from_many_at_once_never_share_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), SealPolicy { max_size: 700, ..NEVER });
    let tasks: Vec<_> = (0..40_u64)
        .map(|n| {
            let ledger = running.ledger.clone();
            tokio::spawn(async move { ledger.submit(ISSUER, digests(n * 50..n * 50 + 100)).await.unwrap().indices })
        })
        .collect();
    let mut by_digest = std::collections::HashMap::new();
    for (n, task) in tasks.into_iter().enumerate() {
        let n = n as u64;
        for (digest, index) in digests(n * 50..n * 50 + 100).into_iter().zip(task.await.unwrap()) {
            assert_eq!(*by_digest.entry(digest).or_insert(index), index, "one digest, one index");
        }
    }
    assert_eq!(by_digest.values().collect::<HashSet<_>>().len(), by_digest.len());
    running.stop().await;
}

fn pairs(digests: Vec<Digest>, indices: &[StatusIndex]) -> Vec<Entry> {
    digests.into_iter().zip(indices).map(|(digest, index)| Entry { digest, status_index: *index }).collect()
}

#[tokio::test]
async fn a_reserved_index_is_for_one_digest_and_for_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), NEVER);
    let reserved = running.ledger.reserve(ISSUER, 5).await.unwrap();
    assert!(reserved.len() == 5 && distinct(&reserved));
    let given = running.ledger.submit(ISSUER, digests(0..50)).await.unwrap().indices;
    assert!(distinct(&[&reserved[..], &given].concat()));
    running.stop().await;

    let running = Running::start(folder.path(), NEVER);
    let entries = pairs(digests(100..103), &reserved);
    let refused = running.ledger.submit_entries(OTHER, &entries).await;
    assert!(matches!(refused, Err(LedgerError::Conflicts(found)) if found.len() == 3), "they are another issuer's");
    let taken = running.ledger.submit_entries(ISSUER, &entries).await.unwrap();
    assert_eq!((taken.new, &taken.indices[..]), (3, &reserved[..3]));
    let again = Accepted { new: 0, ..taken };
    assert_eq!(running.ledger.submit_entries(ISSUER, &entries).await.unwrap(), again, "while open");
    running.ledger.seal(ISSUER).await.unwrap();
    assert_eq!(running.ledger.submit_entries(ISSUER, &entries).await.unwrap(), again, "sealed");
    running.stop().await;

    let running = Running::start(folder.path(), NEVER);
    let mixed = [
        pairs(digests(200..201), &reserved[3..]),
        pairs(digests(201..202), &reserved[..1]),
        pairs(digests(100..101), &reserved[4..]),
    ]
    .concat();
    let expected = vec![
        Conflict { place: 1, reason: ConflictReason::NotReserved },
        Conflict { place: 2, reason: ConflictReason::HasIndex(reserved[0]) },
    ];
    assert_eq!(running.ledger.conflicts(ISSUER, &mixed).unwrap(), expected);
    assert_eq!(running.ledger.submit_entries(ISSUER, &mixed).await, Err(LedgerError::Conflicts(expected)));
    assert_eq!(running.ledger.find(ISSUER, digests(200..201)[0]).unwrap(), None, "all or nothing");
    let plain = running.ledger.submit(ISSUER, digests(100..103)).await.unwrap();
    assert_eq!(plain.indices, reserved[..3], "the same digests without an index keep theirs");
    let left = running.store.reserved().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(left.iter().map(|(_, index)| *index).collect::<HashSet<_>>(), reserved[3..].iter().copied().collect());
    running.stop().await;
}

#[tokio::test]
async fn of_many_that_want_one_reserved_index_one_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), NEVER);
    let reserved = running.ledger.reserve(ISSUER, 1).await.unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let (ledger, entries) = (running.ledger.clone(), pairs(digests(n..n + 1), &reserved));
            tokio::spawn(async move { ledger.submit_entries(ISSUER, &entries).await })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(accepted) => taken += accepted.new,
            Err(refused) => assert!(matches!(refused, LedgerError::Conflicts(_)), "{refused}"),
        }
    }
    assert_eq!((taken, running.store.reserved().count()), (1, 0));
    running.stop().await;
}

#[tokio::test]
async fn a_fresh_folder_begins_at_a_list_of_its_own_and_an_old_one_goes_on() {
    let lists: HashSet<_> = futures::future::join_all((0..2).map(async |_| {
        let folder = tempfile::tempdir().unwrap();
        let running = Running::start(folder.path(), NEVER);
        let index = running.ledger.reserve(ISSUER, 1).await.unwrap()[0];
        let given = running.ledger.submit(ISSUER, digests(0..1)).await.unwrap().indices[0];
        running.stop().await;
        let running = Running::start(folder.path(), NEVER);
        let later = running.ledger.submit(ISSUER, digests(1..2)).await.unwrap().indices[0];
        running.stop().await;
        let list = |index: StatusIndex| index.get() / StatusIndex::PER_LIST;
        assert_eq!((list(given), list(later)), (list(index), list(index)));
        list(index)
    }))
    .await
    .into_iter()
    .collect();
    assert_eq!(lists.len(), 2, "by chance once in four million runs");

    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path()).unwrap());
    // As the first version of the node left it: five given, and no word about where it began.
    let db = fjall::Database::builder(folder.path().join("store")).open().unwrap();
    let key = [b"sequence", &ISSUER.0[..]].concat();
    db.keyspace("meta", Default::default).unwrap().insert(key, 5_u64.to_be_bytes()).unwrap();
    drop(db);
    let running = Running::start(folder.path(), NEVER);
    let secret = *running.store.secret();
    let index = running.ledger.submit(ISSUER, digests(0..1)).await.unwrap().indices[0];
    assert_eq!(Permutations::new(secret).index(ISSUER, 5), Some(index));
    assert_eq!(running.store.sequence(ISSUER).unwrap(), Some(Sequence { first: 0, next: 6 }));
    running.stop().await;
}

#[tokio::test]
async fn one_key_is_one_change_however_many_ask_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), NEVER);
    let indices = vec![StatusIndex::new(3).unwrap()];
    let key = Some(IdempotencyKey { key: Hash([1; 32]), body: Hash([2; 32]) });
    let (accepted_at, action) = (UnixSeconds(1), Action::Revoke);
    let new = NewChange { issuer: ISSUER, action, reason: 0, accepted_at, now: false, indices, key };
    let asked = (0..20).map(|_| running.ledger.accept_change(new.clone()));
    for change in futures::future::join_all(asked).await {
        assert_eq!(change.unwrap().id, ChangeId(1));
    }
    running.stop().await;
    let running = Running::start(folder.path(), NEVER);
    assert_eq!(running.ledger.accept_change(new.clone()).await.unwrap().id, ChangeId(1), "after a restart");
    let other = NewChange { key: Some(IdempotencyKey { key: Hash([1; 32]), body: Hash([3; 32]) }), ..new.clone() };
    assert_eq!(running.ledger.accept_change(other).await, Err(LedgerError::KeyUsed));
    let unnamed = NewChange { key: None, ..new };
    assert_eq!(running.ledger.accept_change(unnamed).await.unwrap().id, ChangeId(2));
    assert_eq!(running.store.open_changes().unwrap().len(), 2);
    running.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn whatever_happens_indices_are_unique_and_answers_stay(
        steps in prop::collection::vec((0_u64..60, 1_u64..40, prop::bool::weighted(0.2), prop::bool::weighted(0.15)), 1..12),
        max_size in 1_u32..50,
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let policy = SealPolicy { max_size, ..NEVER };
            let mut running = Running::start(folder.path(), policy);
            let mut given = std::collections::HashMap::new();
            for (first, count, seal, restart) in steps {
                let accepted = running.ledger.submit(ISSUER, digests(first..first + count)).await.unwrap();
                for (digest, index) in digests(first..first + count).into_iter().zip(accepted.indices) {
                    assert_eq!(*given.entry(digest).or_insert(index), index);
                }
                if seal {
                    running.ledger.seal(ISSUER).await.unwrap();
                }
                if restart {
                    running.stop().await;
                    running = Running::start(folder.path(), policy);
                }
            }
            assert_eq!(given.values().collect::<HashSet<_>>().len(), given.len());
            running.stop().await;
        });
    }
}
