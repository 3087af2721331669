//! What no run may break, whatever else happens between its steps.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::json;
use testamur::node::Place;
use testamur_core::{Address, ChainId, Digest, Hash, StatusIndex, UnixSeconds, proof::ProofConfig};

use super::*;
use crate::roster::Award;

const NOW: UnixSeconds = UnixSeconds(1_790_000_000);
const PLACE: Place = Place { issuer: Address([1; 20]), chain: ChainId(1), registry: Address([2; 20]) };

fn store() -> (tempfile::TempDir, Store, RunId) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("store.sqlite")).unwrap();
    let run = store.begin_run("botany", Path::new("/out"), &PLACE, NOW).unwrap();
    (folder, store, run)
}

/// The draft of this number, for a learner.
fn draft(number: u8, learner: &str) -> Draft {
    let award = json!({
        "learner": { "key": learner, "name": "Ada Ñandú", "email": null, "did": null }, "awarded": null, "expires": null,
        "period": "", "term": null, "role": null, "license_number": null, "credits_earned": null, "narrative": null,
        "evidence": [], "results": [],
    });
    Draft {
        uri: format!("urn:uuid:{number}"),
        award: serde_json::from_value::<Award>(award).unwrap(),
        content: Hash([number; 32]),
        valid_from: NOW,
        valid_until: Some(UnixSeconds(NOW.0 + u64::from(number))),
        document: b"{}".to_vec(),
        config: ProofConfig::new(None, PLACE.chain, PLACE.issuer, NOW, [number; 32]),
        digest: Digest([number; 32]),
        status_index: StatusIndex::new(number.into()).unwrap(),
        file: format!("{number}.json"),
        supersedes: None,
    }
}

fn replacing(draft: Draft, id: &str, revoke: Option<u8>) -> Draft {
    Draft { supersedes: Some(Predecessor { id: id.to_owned(), revoke }), ..draft }
}

#[test]
fn nobody_gets_the_same_twice() {
    let (_folder, mut store, run) = store();
    let drafts = [draft(1, "ada"), draft(2, "ada"), draft(3, "eve")];
    assert_eq!(store.draft(run, "botany", &drafts).unwrap(), [true, false, true]);
    assert_eq!(store.draft(run, "botany", &[draft(4, "eve")]).unwrap(), [false]);
    assert_eq!(store.draft(run, "zoology", &[draft(5, "eve")]).unwrap(), [true]);
    let known = store.known("botany", [("ada", ""), ("bob", ""), ("ada", "2026")]).unwrap();
    assert_eq!(
        known.iter().map(|known| known.as_ref().map(|known| &*known.uri)).collect::<Vec<_>>(),
        [Some("urn:uuid:1"), None, None]
    );
}

#[test]
fn one_takes_the_place_of_another_once() {
    let (_folder, mut store, run) = store();
    store.draft(run, "botany", &[draft(1, "ada"), draft(2, "eve")]).unwrap();
    let again = [replacing(draft(3, "ada"), "urn:uuid:1", Some(7)), replacing(draft(4, "ada"), "urn:uuid:1", Some(7))];
    assert_eq!(store.draft(run, "botany", &again).unwrap(), [true, false]);
    // Where its new learner has one already, everything stays as it was.
    assert_eq!(store.draft(run, "botany", &[replacing(draft(5, "eve"), "urn:uuid:3", None)]).unwrap(), [false]);
    let by = |id: &str| store.find(id).unwrap().unwrap().superseded_by;
    assert_eq!((by("urn:uuid:1").as_deref(), by("urn:uuid:3"), by("urn:uuid:2")), (Some("urn:uuid:3"), None, None));
}

#[test]
fn a_replaced_one_is_revoked_once_its_successor_is_written() {
    let (_folder, mut store, run) = store();
    store.draft(run, "botany", &[draft(1, "ada")]).unwrap();
    store.note_submitted(&store.unsubmitted(&PLACE, 10).unwrap()).unwrap();
    store.draft(run, "botany", &[replacing(draft(2, "ada"), "urn:uuid:1", Some(7))]).unwrap();
    assert_eq!(store.due(&PLACE).unwrap(), []);
    // Somebody decides that it does not wait.
    let old = store.find("urn:uuid:1").unwrap().unwrap();
    store.decide_revocation(std::slice::from_ref(&old), 9).unwrap();
    let due = store.due(&PLACE).unwrap();
    assert_eq!(due, [Due { id: "urn:uuid:1".to_owned(), digest: Digest([1; 32]), reason: 9 }]);
    let elsewhere = Place { issuer: Address([9; 20]), ..PLACE };
    assert_eq!((store.due(&elsewhere).unwrap(), store.elsewhere(&elsewhere).unwrap()), (vec![], 2));
    store.note_revoked([&Digest([1; 32])], NOW).unwrap();
    assert_eq!((store.due(&PLACE).unwrap(), store.elsewhere(&PLACE).unwrap()), (vec![], 0));
    // Decided again, it stays as it is.
    store.decide_revocation(&[old], 1).unwrap();
    assert_eq!(store.due(&PLACE).unwrap(), []);
}

#[test]
fn what_is_looked_for_is_found() {
    let (_folder, mut store, run) = store();
    store.draft(run, "botany", &[draft(1, "ada"), draft(9, "eve"), draft(5, "bob")]).unwrap();
    let ids = |wanted: Wanted| store.list(&wanted).unwrap().into_iter().map(|one| one.learner).collect::<Vec<_>>();
    assert_eq!(ids(Wanted::default()), ["bob", "eve", "ada"]);
    assert_eq!(ids(Wanted { text: Some("ÑANDÚ".to_owned()), most: Some(1), ..Wanted::default() }), ["bob"]);
    assert_eq!(ids(Wanted { before: Some(2), ..Wanted::default() }), ["ada"]);
    let ends = Some(UnixSeconds(NOW.0 + 9));
    assert_eq!(ids(Wanted { ends_before: ends, ..Wanted::default() }), ["ada", "bob"]);
    assert!(ids(Wanted { standing: Some((Standing::Good, NOW)), ..Wanted::default() }).is_empty());
    assert_eq!(ids(Wanted { standing: Some((Standing::Unfinished, NOW)), ..Wanted::default() }).len(), 3);
    assert!(ids(Wanted { template: Some("zoology".to_owned()), ..Wanted::default() }).is_empty());
    assert_eq!(store.issued(&"05".repeat(32)).unwrap().unwrap().award.learner.key, "bob");
}

#[test]
fn it_is_private_durable_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let store = Store::open(&path).unwrap();
    let pragma = |name: &str| store.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((pragma("synchronous"), pragma("foreign_keys"), pragma("user_version")), (2, 1, 1));
    let mode: String = store.connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, PRIVATE, "{:?}", entry.path());
    }
    drop(store);
    Store::open(&path).unwrap();
}

#[test]
fn one_writes_files_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let (one, other) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    let guard = one.alone().unwrap();
    let lock = File::open(path.with_added_extension("lock")).unwrap();
    assert!(lock.try_lock().is_err());
    drop(guard);
    other.alone().unwrap();
}

#[test]
fn the_file_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    Store::open(&path).unwrap().connection.pragma_update(None, "user_version", 2).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Newer { found: 2, known: 1 })));
    fs::write(folder.path().join("other"), "not a database, and long enough to be looked at").unwrap();
    assert!(Store::open(&folder.path().join("other")).is_err());
}
