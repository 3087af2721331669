//! Keys: a new one orphans nothing, and one that somebody else has counts only where an anchor is older.

use std::path::Path;

use crate::office::{Office, lines, people};

const DOMAIN: [&str; 4] = ["--name", "Example University", "--domain", "university.example"];

fn key(office: &Office, arguments: &[&str]) -> String {
    let ran = office.run(&[&["key"], arguments].concat()).expect(0);
    lines(&ran).remove(0)["key"].as_str().expect("a key").to_owned()
}

#[test]
fn the_document_lists_every_key_that_ever_signed() {
    let (office, node) = Office::plain(&DOMAIN);
    office.write("first.csv", people(1));
    office.issue("first.csv", &[], 0);
    let first = key(&office, &["list"]);
    // A new key is listed first, and signs later.
    let second = key(&office, &["new"]);
    assert_ne!(first, second);
    let document = office.run(&["key", "document"]).expect(0).json();
    for name in [&first, &second] {
        let method = format!("did:web:university.example#{name}");
        assert!(document["assertionMethod"].as_array().expect("methods").iter().any(|known| *known == method));
    }
    // Nobody can look whether it is published: that is told apart from *not published*, and the key is not taken.
    let refused = office.run(&["key", "use", &second]).expect(2);
    assert!(refused.stderr.contains("could not be had"), "{}", refused.stderr);
    key(&office, &["use", &second, "--unchecked"]);
    office.write("second.csv", "id,name,email\ns-9,New,new@university.example\n");
    office.issue("second.csv", &[], 0);
    let method = |file: &Path| crate::office::read(file)["proof"].to_string();
    assert!(method(&office.file("learner-0-")).contains(&first));
    assert!(method(&office.file("new-")).contains(&second));
    office.assert_whole(&node, 2);
    office.run(&["key", "use", &first, "--unchecked"]).expect(0);
    office.run(&["key", "revoke", &second, "--since", "2d"]).expect(0);
    office.run(&["key", "use", &second, "--unchecked"]).expect(1);
    let document = office.run(&["key", "document"]).expect(0).json();
    let revoked = document["verificationMethod"].as_array().expect("methods").iter();
    assert_eq!(revoked.filter(|method| method["revoked"].is_string()).count(), 1);
    office.run(&["key", "revoke", &first]).expect(0);
    office.write("third.csv", people(3));
    let ran = office.run(&office.issuing("third.csv")).expect(64);
    assert!(ran.stderr.contains("no key signs"), "{}", ran.stderr);
}

#[test]
fn an_issuer_that_is_its_key_has_one() {
    let (office, _node) = Office::plain(&["--name", "Example University"]);
    let ran = office.run(&["key", "new"]).expect(1);
    assert!(ran.stderr.contains("another issuer"), "{}", ran.stderr);
    office.run(&["key", "check"]).expect(0);
    let ran = office.run(&["key", "document"]).expect(1);
    assert!(ran.stderr.contains("statement"), "{}", ran.stderr);
}
