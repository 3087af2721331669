//! What was wrong is made good, and what ends is renewed: with a link between both, and never a time without.

use serde_json::{Value, json};
use testamur_core::digest::credential_hash;

use crate::office::{Office, lines, people, read, text};

/// What a credential says it takes the place of.
fn replaced(credential: &Value) -> &str {
    credential["relatedResource"][0]["id"].as_str().unwrap_or_else(|| panic!("{credential:#}"))
}

#[test]
fn a_corrected_credential_takes_the_place_of_the_wrong_one() {
    let (office, node) = Office::plain(&["--name", "Example University"]);
    office.write("people.csv", people(3));
    office.issue("people.csv", &[], 0);
    let old = office.file("learner-1-");
    let summary =
        lines(&office.run(&["reissue", text(&old), "--set", "name=Ada King", "--set", "credits=6"]).expect(0));
    assert_eq!(summary.last().expect("a summary")["superseded"], json!(1));
    let new = office.file("ada-king-");
    let (before, after) = (read(&old), read(&new));
    assert_eq!(replaced(&after), before["id"].as_str().expect("an id"));
    assert_eq!(after["credentialSubject"]["creditsEarned"], json!(6));
    // Whoever has both sees by the digest that this one was meant.
    let digest = after["relatedResource"][0]["digestMultibase"].as_str().expect("a digest");
    let hash = [&[0x12, 0x20], &credential_hash(&before).0[..]].concat();
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, hash);
    assert_eq!(digest, format!("u{encoded}"));
    // The old one is revoked, the others are as they were.
    let others = [office.file("learner-0-"), office.file("learner-2-"), new.clone()];
    office.run(&["revoke", "--wait", "final"]).expect(0);
    testamur_tests::harness::until("the old one is revoked", || {
        let verdict = office.verify_by(&office.policy(), &[&old]).remove(0);
        (verdict["verdict"] == "invalid").then_some(())
    });
    others.iter().for_each(|file| office.assert_verdicts(&[file], "valid"));
    // The one that was replaced is not the one to change.
    let ran = office.run(&["reissue", text(&old)]).expect(1);
    assert!(ran.stderr.contains(after["id"].as_str().expect("an id")), "{}", ran.stderr);
    office.run(&["reissue", text(&new), "--set", "shoe=44"]).expect(1);
    office.run(&["reissue", "urn:uuid:nobody"]).expect(1);
    assert_eq!(crate::office::digests(&node, &office.world.issuer.address), 4);
}

#[test]
fn a_corrected_roster_supersedes_what_it_corrects() {
    let (office, _node) = Office::plain(&["--name", "Example University"]);
    office.write("people.csv", people(4));
    office.issue("people.csv", &[], 0);
    // A name is no part of what a credential by hashed e-mail says: nothing differs.
    office.write(
        "people.csv",
        people(4).replace("Learner 2,learner2@", "Learner 2,new2@").replace("Learner 3", "Renamed"),
    );
    let told = office.issue("people.csv", &[], 1);
    assert_eq!((&told["differ"], &told["already"], &told["issued"]), (&json!(1), &json!(3), &json!(0)));
    let failed = std::fs::read_to_string(office.path("people.failed.csv")).expect("the rows that got none");
    assert!(failed.contains("s-2") && failed.contains("with other content"), "{failed}");
    let told = office.issue("people.csv", &["--supersede", "--reason", "7"], 0);
    assert_eq!((&told["superseded"], &told["already"], &told["differ"]), (&json!(1), &json!(3), &json!(0)));
    let told = office.issue("people.csv", &["--supersede"], 0);
    assert_eq!((&told["superseded"], &told["already"]), (&json!(0), &json!(4)));
    let listed = office.list(&["--search", "s-2"]);
    assert_eq!(listed.len(), 2);
    let old = listed.iter().find(|one| one["supersededBy"].is_string()).expect("the old one");
    assert!(old["revoked"].is_u64(), "{old}");
}

#[test]
fn what_ends_is_renewed_and_nothing_is_revoked() {
    let (office, node) = Office::plain(&["--name", "Example University"]);
    let soon = "id,name,email,expires\n1,Soon,soon@example.com,2099-01-31\n2,Late,late@example.com,2299-01-31\n3,Ever,ever@example.com,\n";
    office.write("people.csv", soon);
    office.issue("people.csv", &[], 0);
    let ending = office.list(&["--expiring", "2100-01-01"]);
    let names: Vec<_> = ending.iter().map(|one| one["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["Ever", "Soon"], "the template's five years end first");
    let old = office.file("soon-");
    office.run(&["renew", text(&old), "--until", "2 years"]).expect(0);
    let listed = office.list(&["--search", "soon@"]);
    let (new, before) = (&listed[0], &listed[1]);
    assert_eq!((&new["validUntil"], &before["supersededBy"]), (&json!(4_136_659_199_u64), &new["id"]));
    assert!(before["revoked"].is_null());
    let renewed = read(std::path::Path::new(new["file"].as_str().expect("a path")));
    assert_eq!(replaced(&renewed), before["id"].as_str().expect("an id"));
    office.assert_whole(&node, 3);
    // The roster that it came from changes nothing: the learner has it.
    assert_eq!(office.issue("people.csv", &[], 0)["already"], json!(3));
    // All that end, by the template's validity.
    office.run(&["renew", "--expiring", "2100-01-01", "--template", "botany"]).expect(0);
    assert!(office.list(&["--expiring", "2033-01-01"]).is_empty());
    office.assert_whole(&node, 3);
    let ran = office.run(&["renew", text(&office.file("late-")), "--until", "2150-01-01"]).expect(1);
    assert!(ran.stderr.contains("later end"), "{}", ran.stderr);
}
