//! Mail servers that refuse, put off, break off, and do not let us in.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};
use testamur_tests::harness::{MailServer, Node, Ran, ShareServer};

use crate::office::{Office, lines, people};

/// An office with so many learners who have their credentials.
pub fn office(learners: usize, mail: &str) -> (Office, Node) {
    let (office, node) = Office::plain(&["--name", "Example University"]);
    ShareServer::configure(&office.path("issuer.toml"), mail);
    office.write("people.csv", people(learners));
    office.issue("people.csv", &[], 0);
    (office, node)
}

/// A table for a mail server on this machine.
pub fn table(port: u16) -> String {
    format!("[mail]\nhost = '127.0.0.1'\nport = {port}\nsecurity = 'none'\nfrom = 'U <badges@example.edu>'\n")
}

/// How many mails came to each address, and with which ids.
pub fn by_address(mails: &[Value]) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for mail in mails {
        let to = mail["to"][0].as_str().expect("an address").to_owned();
        found.entry(to).or_default().push(mail["messageId"].as_str().expect("an id").to_owned());
    }
    found
}

fn sum(ran: &Ran) -> Value {
    lines(ran).into_iter().find_map(|line| line.get("mails").cloned()).expect("a round")
}

#[test]
fn half_of_the_addresses_are_refused_and_the_others_get_theirs() {
    let refused = ["learner1@university.example", "learner3@university.example", "learner5@university.example"];
    let wishes = json!({ "refuse": refused, "defer": ["learner2@university.example"] });
    let Some(server) = MailServer::start("half_of_the_addresses_are_refused", &wishes) else { return };
    let (office, _node) = office(6, &table(server.port));
    let ran = office.run(&["invite", "--template", "botany"]).expect(1);
    assert_eq!(sum(&ran), json!({ "sent": 2, "refused": 3, "put_off": 1, "trouble": null }));
    for number in [1, 3, 5] {
        let line = format!("s-{number} <learner{number}@university.example>");
        assert!(ran.stderr.contains(&line) && ran.stderr.contains("no such user"), "{}", ran.stderr);
    }
    let first = server.mails(2);

    // Again: nobody is invited twice. What was put off goes when it is asked for.
    let again = office.run(&["invite", "--template", "botany"]).expect(0);
    assert_eq!(sum(&again)["sent"], 0, "{}", again.stdout);
    assert_eq!(sum(&office.run(&["invite", "--waiting"]).expect(0))["sent"], 1);
    let mails = [first, server.mails(1)].concat();
    let got = by_address(&mails);
    assert_eq!(got.keys().collect::<Vec<_>>(), ["learner0@university.example", "learner2@university.example", "learner4@university.example"]);
    assert!(got.values().all(|ids| ids.len() == 1));

    // Anew: the link before it is void.
    office.run(&["invite", "--again", "--search", "learner0@"]).expect(0);
    let anew = server.mails(1);
    assert_ne!(anew[0]["text"], mails[0]["text"]);
    assert!(server.end().is_empty(), "nobody else was written to");
}

#[test]
fn a_connection_that_breaks_off_costs_nobody_a_mail() {
    let Some(server) = MailServer::start("a_connection_that_breaks_off", &json!({ "breakAt": 3 })) else { return };
    let (office, _node) = office(5, &table(server.port));
    let ran = office.run(&["invite", "--template", "botany"]).expect(0);
    assert_eq!(sum(&ran)["sent"], 5, "{}", ran.stderr);
    let events = server.end();
    assert_eq!(events.iter().filter(|event| event.get("broke").is_some()).count(), 1);
    let mails: Vec<_> = events.iter().filter_map(|event| event.get("mail").cloned()).collect();
    assert_eq!((mails.len(), by_address(&mails).len()), (5, 5));
}

#[test]
fn whoever_is_not_let_in_loses_no_mail() {
    let folder = tempfile::tempdir().expect("a folder");
    let (key, cert) = (folder.path().join("key.pem"), folder.path().join("cert.pem"));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    fs::write(&cert, made.cert.pem()).expect("written");
    let wishes = json!({ "auth": { "user": "u", "pass": "right" }, "tls": { "key": key, "cert": cert } });
    let Some(server) = MailServer::start("whoever_is_not_let_in_loses_no_mail", &wishes) else { return };
    let password = folder.path().join("password");
    let mail = format!(
        "[mail]\nhost = 'localhost'\nport = {}\nca_file = {cert:?}\nuser = 'u'\npassword_file = {password:?}\nfrom = 'b@example.edu'\n",
        server.port
    );
    let (office, _node) = office(3, &mail);
    let write = |text: &str| {
        fs::write(&password, text).expect("written");
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).expect("made private");
    };
    write("wrong\n");
    let ran = office.run(&["invite", "--template", "botany"]).expect(2);
    assert!(ran.stderr.contains("535") && ran.stderr.contains("3 mails wait"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("wrong\n"), "the password is told");
    write("right\n");
    assert_eq!(sum(&office.run(&["invite", "--waiting"]).expect(0))["sent"], 3);
    assert_eq!(by_address(&server.mails(3)).len(), 3);

    // Without the authority the server is a stranger; the sender's refusal is not the learners'.
    let config = office.path("issuer.toml");
    let text = fs::read_to_string(&config).expect("readable").replace("ca_file", "# ca_file");
    fs::write(&config, text).expect("written");
    let ran = office.run(&["invite", "--template", "botany", "--again"]).expect(2);
    assert!(ran.stderr.contains("certificate"), "{}", ran.stderr);
    assert!(server.end().is_empty());
}

#[test]
fn a_server_that_refuses_the_sender_refuses_no_learner() {
    let Some(server) = MailServer::start("a_server_that_refuses_the_sender", &json!({ "refuseSender": true })) else { return };
    let (office, _node) = office(2, &table(server.port));
    let ran = office.run(&["invite", "--template", "botany"]).expect(2);
    assert_eq!(sum(&ran)["refused"], 0);
    assert!(ran.stderr.contains("sender not allowed") && ran.stderr.contains("2 mails wait"), "{}", ran.stderr);
}

#[test]
fn links_in_a_file_are_as_good_as_mails() {
    let (office, _node) = office(3, "");
    let told = office.run(&["invite", "--template", "botany"]).expect(64).stderr;
    assert!(told.contains("--links"), "{told}");
    let file = office.path("links.csv");
    let path = file.to_str().expect("UTF-8");
    office.run(&["invite", "--template", "botany", "--links", path]).expect(0);
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    let mut reader = csv::Reader::from_path(&file).expect("readable");
    let links: Vec<_> = reader.records().map(|row| row.expect("a row")[5].to_owned()).collect();
    assert_eq!(links.len(), 3);
    office.run(&["invite", "--template", "botany", "--links", path]).expect(64);
    let other = office.path("other.csv");
    office.run(&["invite", "--template", "botany", "--links", other.to_str().expect("UTF-8")]).expect(0);
    assert_eq!(csv::Reader::from_path(&other).expect("readable").records().count(), 0, "nobody is invited twice");
}
