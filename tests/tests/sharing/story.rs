//! From a mail to a verdict.

use std::{fs, path::Path, process::Command};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use testamur_tests::harness::{MailServer, ShareServer, javascript};

use crate::{
    learner::Learner,
    office::{Office, text},
};

#[test]
fn a_learner_claims_shares_and_takes_it_into_a_wallet() {
    let test = "a_learner_claims_shares_and_takes_it_into_a_wallet";
    let Some(mails) = MailServer::start(test, &json!({})) else { return };
    let Some(javascript) = javascript(test, "@openid4vc/openid4vci") else { return };
    let (office, node) = Office::plain(&["--name", "Example University"]);
    let config = office.path("issuer.toml");
    let mail = format!("[mail]\nhost = '127.0.0.1'\nport = {}\nsecurity = 'none'\nfrom = 'U <b@example.edu>'\n", mails.port);
    let url = ShareServer::configure(&config, &mail);
    office.write("people.csv", "id,name,email\n7,Ada Lovelace,ada@example.edu\n8,José Ñandú,jose@example.edu\n");
    office.issue("people.csv", &[], 0);
    office.run(&["invite", "--template", "botany", "--language", "es"]).expect(0);
    let [ada, _] = <[Value; 2]>::try_from(sorted(mails.mails(2))).expect("two");
    assert_eq!(ada["to"], json!(["ada@example.edu"]));
    assert_eq!(ada["subject"], "Su credencial: Field Botany");
    assert!(ada["text"].as_str().is_some_and(|text| text.starts_with("Hola, Ada Lovelace:")), "{ada}");

    // A mail scanner opens what it finds. Then the learner does.
    let server = ShareServer::start(&config, &url);
    let learner = Learner::with_link_in(ada["text"].as_str().expect("text"));
    for page in ["claim", "c", "manage", "p"] {
        reqwest::blocking::get(format!("{url}/{page}/{}", learner.id)).expect("answered");
    }
    assert_eq!(learner.claim().0, 200);
    assert_eq!(learner.elsewhere().claim(), (409, "already-claimed".to_owned()));
    let credential = learner.part("credential");
    assert_eq!(credential, fs::read_to_string(office.file("ada-lovelace-")).expect("readable").trim_end());
    let certificate: Value = serde_json::from_str(&learner.part("certificate")).expect("JSON");
    let pdf = BASE64_STANDARD.decode(certificate["base64"].as_str().expect("base64")).expect("a file");
    assert!(pdf.starts_with(b"%PDF-1."), "{}", certificate["name"]);
    office.assert_verdicts(&[&office.write("certificate.pdf", &pdf)], "valid");

    // An employer reads and verifies it, while the learner shows it.
    assert_eq!(learner.read_by_employer(), Err((404, "not-published".to_owned())));
    learner.publish(true);
    let shown = learner.read_by_employer().expect("published");
    let file = office.write("shown.json", &shown);
    office.assert_verdicts(&[&file], "valid");

    // A wallet takes it, once.
    let offer = learner.offer();
    let taken = wallet(&javascript, &offer);
    assert_eq!(taken["credentials"][0]["credential"], serde_json::from_str::<Value>(&credential).expect("JSON"));
    assert_eq!(wallet(&javascript, &offer)["error"], "invalid_grant");

    // The issuer revokes, and the employer sees it.
    office.run(&["revoke", "--now", "--wait", "final", text(&file)]).expect(0);
    office.assert_verdicts(&[&file], "invalid");

    assert_nothing_personal(&office, &learner, &server.log(), &node.log());
    assert_eq!(learner.ask(Method::DELETE, "", None).status(), 204);
    assert_eq!(learner.read_by_employer(), Err((410, "deleted-page".to_owned())));
    server.stop();
}

/// What the wallet got.
fn wallet(folder: &Path, offer: &str) -> Value {
    let ran = Command::new("node").args(["wallet.mjs", offer]).current_dir(folder).output().expect("Node.js");
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}{}", String::from_utf8_lossy(&ran.stderr)))
}

/// Neither the pages' store, nor what is left of the mails, nor the node, nor any log tells who it was or opens anything.
fn assert_nothing_personal(office: &Office, learner: &Learner, log: &str, node_log: &str) {
    let personal = ["Ada", "Lovelace", "ada@example.edu", "Field Botany", "Ñandú"].map(str::to_owned);
    let secrets = learner.secrets();
    let data = office.path("data");
    for (place, bytes) in [
        ("share.sqlite", files(&data, "share.sqlite")),
        ("the node", files(&office.world.folder().join("data"), "")),
        ("the log", log.as_bytes().to_vec()),
        ("the node's log", node_log.as_bytes().to_vec()),
    ] {
        assert!(!bytes.is_empty(), "{place}");
        for word in personal.iter().chain(&secrets) {
            assert!(!contains(&bytes, word.as_bytes()), "{word} in {place}");
        }
    }
    let mails = files(&data, "mail.sqlite");
    assert!(contains(&mails, b"ada@example.edu"), "what is looked for can be found");
    assert!(secrets.iter().all(|secret| !contains(&mails, secret.as_bytes())), "a link is left of a mail that was sent");
    assert!(!log.contains(&learner.id.to_string()), "the log tells which page was asked for");
}

/// Everything in the files of a folder that are called so, and below it.
fn files(folder: &Path, prefix: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            bytes.extend(files(&path, prefix));
        } else if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)) {
            bytes.extend(fs::read(path).expect("readable"));
        }
    }
    bytes
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn sorted(mut mails: Vec<Value>) -> Vec<Value> {
    mails.sort_by_key(|mail| mail["to"].to_string());
    mails
}
