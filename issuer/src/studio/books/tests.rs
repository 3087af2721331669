use super::*;
use crate::{store::RunId, studio::role::Role};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const LIFETIME: Lifetime = Lifetime { idle: 1_000, all: 5_000 };

fn books() -> (tempfile::TempDir, Books) {
    let folder = tempfile::tempdir().unwrap();
    let books = Books::open(&folder.path().join(FILE)).unwrap();
    (folder, books)
}

fn later(seconds: u64) -> UnixSeconds {
    UnixSeconds(NOW.0 + seconds)
}

#[test]
fn names_are_one_whatever_their_case() {
    let (_folder, books) = books();
    assert_eq!(books.add_user(" Ada@Example.edu ", Role::Admin, None, NOW).unwrap().name, "ada@example.edu");
    assert!(matches!(books.add_user("ADA@example.edu", Role::Viewer, None, NOW), Err(BooksError::UserExists { .. })));
    for hostile in ["", " ", ".ada", "a b", "a\nb", "a/b", "<a>", "a\u{202e}b", &"a".repeat(129)] {
        assert!(matches!(books.add_user(hostile, Role::Viewer, None, NOW), Err(BooksError::Name)), "{hostile:?}");
    }
}

#[test]
fn somebody_manages_users() {
    let (_folder, books) = books();
    books.add_user("ada", Role::Admin, None, NOW).unwrap();
    books.add_user("bob", Role::Viewer, None, NOW).unwrap();
    assert!(matches!(books.set_role("ada", Role::Viewer), Err(BooksError::LastAdmin { .. })));
    assert!(matches!(books.remove_user("ada"), Err(BooksError::LastAdmin { .. })));
    assert_eq!(books.user("ada").unwrap().role, Role::Admin);
    books.set_role("bob", Role::Admin).unwrap();
    books.remove_user("ada").unwrap();
    books.remove_user("bob").unwrap();
    assert!(matches!(books.remove_user("bob"), Err(BooksError::NoUser { .. })));
}

#[test]
fn sessions_end_by_themselves() {
    let (_folder, books) = books();
    books.add_user("ada", Role::Admin, Some("hash"), NOW).unwrap();
    let token = books.begin_session("ada", NOW).unwrap();
    let at = |seconds| books.session(&token, LIFETIME, later(seconds)).unwrap();
    let ada = Session { name: "ada".to_owned(), role: Role::Admin, password: true };
    assert_eq!(at(999), Some(ada.clone()));
    assert_eq!(at(1_998), Some(ada.clone()));
    assert_eq!(at(2_998), None, "idle");
    assert_eq!(at(2_000), None, "it is gone for good");
    let token = books.begin_session("ada", NOW).unwrap();
    for seconds in (0..5_000).step_by(900) {
        assert_eq!(books.session(&token, LIFETIME, later(seconds)).unwrap(), Some(ada.clone()), "{seconds}");
    }
    assert_eq!(books.session(&token, LIFETIME, later(5_000)).unwrap(), None, "too old");
}

#[test]
fn sessions_end_with_what_they_were_begun_under() {
    let (_folder, books) = books();
    books.add_user("ada", Role::Admin, Some("hash"), NOW).unwrap();
    books.add_user("bob", Role::Viewer, Some("hash"), NOW).unwrap();
    let is_open = |token: &str| books.session(token, LIFETIME, NOW).unwrap().is_some();
    let other = books.begin_session("ada", NOW).unwrap();
    let begin = || books.begin_session("bob", NOW).unwrap();
    let token = begin();
    books.end_session(&token).unwrap();
    assert!(!is_open(&token));
    let token = begin();
    books.set_role("bob", Role::Viewer).unwrap();
    assert!(is_open(&token), "the same role");
    books.set_role("bob", Role::Issuer).unwrap();
    assert!(!is_open(&token));
    let token = begin();
    books.set_password("bob", "another").unwrap();
    assert!(!is_open(&token));
    let token = begin();
    books.remove_user("bob").unwrap();
    assert!(!is_open(&token) && is_open(&other));
    books.tidy_sessions(LIFETIME, later(1_000)).unwrap();
    assert!(!is_open(&other));
}

#[test]
fn whoever_reads_the_file_cannot_sign_in() {
    let (_folder, books) = books();
    books.add_user("ada", Role::Admin, None, NOW).unwrap();
    let token = books.begin_session("ada", NOW).unwrap();
    let select = "SELECT token FROM sessions";
    let kept: Vec<u8> = books.lock().query_row(select, [], |row| row.get(0)).unwrap();
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, &kept);
    assert_ne!(encoded, token);
    assert_eq!(books.session(&encoded, LIFETIME, NOW).unwrap(), None);
}

#[test]
fn a_provider_s_account_takes_nobody_s_name() {
    let (_folder, books) = books();
    books.add_user("ada", Role::Admin, Some("hash"), NOW).unwrap();
    books.add_user("bob", Role::Issuer, None, NOW).unwrap();
    let signed_in = |subject: &str, name: &str, role| books.user_of_subject(subject, name, role, NOW).unwrap();
    assert_eq!(signed_in("op 1", "ada", Some(Role::Admin)), None, "she has a password");
    assert_eq!(signed_in("op 2", "bob", None).unwrap().role, Role::Issuer, "he was expected");
    assert_eq!(signed_in("op 3", "bob", Some(Role::Admin)), None, "he is another one");
    assert_eq!(signed_in("op 2", "ada", None).unwrap().name, "bob", "whatever he calls himself now");
    assert_eq!(signed_in("op 4", "carol", None), None, "nobody expected her");
    assert_eq!(signed_in("op 4", "carol", Some(Role::Viewer)).unwrap().role, Role::Viewer);
    let token = books.begin_session("carol", NOW).unwrap();
    assert_eq!(signed_in("op 4", "carol", Some(Role::Issuer)).unwrap().role, Role::Issuer);
    assert_eq!(books.session(&token, LIFETIME, NOW).unwrap(), None, "begun under another role");
}

#[test]
fn the_log_stays_as_it_is() {
    let (_folder, books) = books();
    let deed = Deed { who: "ada".to_owned(), what: What::Revoke, on: "urn:uuid:1".to_owned() };
    let entry = books.note(&deed, NOW).unwrap();
    assert_eq!(books.entries(None, None, 10).unwrap()[0].outcome, None);
    books.note_outcome(entry, "done").unwrap();
    assert!(books.note_outcome(entry, "never happened").is_err());
    for change in ["UPDATE audit SET who = 'bob'", "DELETE FROM audit", "UPDATE audit SET outcome = NULL"] {
        assert!(books.lock().execute(change, []).is_err(), "{change}");
    }
    books.note_done(&deed, "done", later(1)).unwrap();
    let entries = books.entries(None, None, 10).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.at).collect::<Vec<_>>(), [later(1), NOW]);
    assert_eq!(books.entries(Some(entries[0].id), None, 10).unwrap(), entries[1..]);
    assert!(books.entries(None, Some("urn:uuid:2"), 10).unwrap().is_empty());
}

#[test]
fn runs_are_worked_on_in_their_order() {
    let (_folder, books) = books();
    let asked = |roster: &str| Asked {
        who: "ada".to_owned(),
        template: "botany".to_owned(),
        text: String::new(),
        roster: roster.to_owned(),
        options: "{}".to_owned(),
        rows: 3,
    };
    books.add_roster("a", 3, NOW).unwrap();
    books.add_roster("b", 3, NOW).unwrap();
    books.add_roster("c", 3, NOW).unwrap();
    let first = books.ask_run(&asked("a"), NOW).unwrap().unwrap();
    let second = books.ask_run(&asked("b"), NOW).unwrap().unwrap();
    assert_eq!(books.ask_run(&asked("a"), NOW).unwrap(), None, "a roster is for one run");
    let next = || books.next_run().unwrap().map(|run| (run.id, run.state));
    assert_eq!(next(), Some((first, RunState::Queued)));
    books.begin_run(first, NOW).unwrap();
    books.note_turn(first, RunId(7)).unwrap();
    books.begin_run(first, later(1)).unwrap();
    books.note_turn(first, RunId(9)).unwrap();
    assert_eq!(next(), Some((first, RunState::Running)));
    books.set_run_error(first, Some("the node is away")).unwrap();
    assert_eq!(next(), Some((first, RunState::Held)));
    let half = Counts { drafted: 3, submitted: 2, anchored: 1, written: 0 };
    books.note_counts(first, half).unwrap();
    assert_eq!(books.run(first).unwrap().unwrap().counts, half);
    assert_eq!(books.turns(first).unwrap(), [RunId(7), RunId(9)]);
    assert!(books.stale_rosters(NOW).unwrap().is_empty());
    books.end_run(first, Counts { drafted: 3, ..Counts::default() }, Ok("{}"), later(2)).unwrap();
    assert_eq!(next(), Some((second, RunState::Queued)));
    assert_eq!(books.stale_rosters(NOW).unwrap(), ["a"]);
    assert_eq!(books.stale_rosters(later(1)).unwrap(), ["a", "c"], "c got no run");
    let run = books.run(first).unwrap().unwrap();
    assert_eq!((run.counts.drafted, run.error, run.began), (3, None, Some(NOW)));
}
