//! Staff issue, look, revoke and correct; and the log has all of it.

use std::fs;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testamur_tests::harness::{Chain, Studio, World, until};

use super::browser::Browser;

pub const PASSWORD: &str = "correct horse battery staple";
pub const TEMPLATE: &str = "id = \"botany\"\nvalidity = \"5 years\"\nname = \"Field Botany\"\n\
    description = \"Identifies vascular plants in the field.\"\ncriteria = \"Forty species identified without keys.\"\n";
const ROSTER: &str = "id,name,email\r\n1,Ada Lovelace,ada@example.edu\r\n2,Grace Hopper,grace@example.edu\r\n\
    3,Nobody,no address\r\n\"=HYPERLINK(\"\"http://evil.example\"\")\",Evil,@evil\r\n";

#[test]
fn staff_issue_revoke_and_correct_and_the_log_has_it() {
    let world = World::on(Chain::anvil());
    let node = world.node();
    let people = [("ana", "admin", PASSWORD), ("ben", "issuer", PASSWORD), ("vera", "viewer", PASSWORD)];
    let studio = Studio::start(&world, &node, &people);
    let ben = Browser::signed_in(&studio.url, "ben", PASSWORD);
    let issuer = ben.get("issuer");
    assert_eq!((&issuer["node"]["ready"], &issuer["node"]["trouble"]), (&json!(true), &Value::Null), "{issuer}");
    assert_eq!(
        issuer["node"]["account"].as_str().map(str::to_lowercase).as_deref(),
        Some(world.issuer.address.as_str())
    );

    assert_eq!(ben.status(Method::PUT, "templates/botany", Some(json!({ "text": TEMPLATE }))), StatusCode::OK);
    let roster = ben.upload("botany", ROSTER);
    assert_eq!((&roster["rows"], &roster["good"]), (&json!(4), &json!(2)), "{roster}");
    let run = ben.post("runs", json!({ "template": "botany", "roster": roster["roster"] }))["run"].clone();
    let events = ben.watch(&run);
    let last = events.last().expect("events");
    assert_eq!((&last["state"], &last["drafted"], &last["written"]), (&json!("done"), &json!(2), &json!(2)), "{last}");
    assert_eq!(
        (&last["summary"]["issued"], &last["summary"]["faults"], &last["failed"]),
        (&json!(2), &json!(2), &json!(true))
    );
    let lines: Vec<_> = last["passed"].as_array().expect("rows").iter().map(|row| row["line"].clone()).collect();
    assert_eq!(lines, [4, 5]);
    let progress: Vec<_> = events.iter().map(|event| event["written"].as_u64().expect("a number")).collect();
    assert!(progress.is_sorted(), "{progress:?}");
    let failed = String::from_utf8(ben.bytes(&format!("runs/{run}/failed.csv"))).expect("UTF-8");
    assert!(
        failed.contains("Nobody")
            && failed.contains("'=HYPERLINK")
            && !failed.contains("\n=")
            && !failed.contains("\"=HYPERLINK"),
        "{failed}"
    );
    until("the roster is removed", || {
        fs::read_dir(studio.folder().join("data/studio/rosters")).expect("a folder").next().is_none().then_some(())
    });

    let listed = ben.get("credentials?search=LOVELACE");
    let ada = listed["credentials"][0].clone();
    assert_eq!((listed["credentials"].as_array().map(Vec::len), &ada["state"]), (Some(1), &json!("good")), "{listed}");
    let id = ada["id"].as_str().expect("an id").to_owned();
    let file = world.folder().join("ada.json");
    fs::write(&file, ben.bytes(&format!("credentials/{id}/file"))).expect("written");
    assert_eq!(world.verify(&[&file], &[]).expect(0).json()["verdict"], "valid");

    correct(&world, &ben, &id, &file);
    log(&studio, &ben, &id, &run);
    studio.stop();
}

/// Ada's name is corrected, and Grace's credential revoked.
fn correct(world: &World, ben: &Browser, id: &str, old: &std::path::Path) {
    let path = format!("credentials/{id}/reissue");
    assert_eq!(
        ben.status(Method::POST, &path, Some(json!({ "changes": { "email": "nonsense" } }))),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let run = ben.post(&path, json!({ "changes": { "name": "Ada King" }, "reason": 3 }))["run"].clone();
    let last = ben.watch(&run).pop().expect("events");
    assert_eq!((&last["state"], &last["summary"]["superseded"]), (&json!("done"), &json!(1)), "{last}");
    assert_eq!(ben.status(Method::POST, &path, Some(json!({}))), StatusCode::CONFLICT, "it was replaced");
    let looked = ben.get(&format!("credentials/{id}"));
    let newer = looked["supersededBy"].as_str().expect("a successor");
    let document = &ben.get(&format!("credentials/{newer}"))["document"];
    assert_eq!(document["relatedResource"][0]["id"], id, "{document}");
    let new = world.folder().join("ada-king.json");
    fs::write(&new, ben.bytes(&format!("credentials/{newer}/file"))).expect("written");
    until("the old one is revoked for everybody", || (world.verify(&[old], &[]).code == 1).then_some(()));
    assert_eq!(world.verify(&[&new], &[]).expect(0).json()["verdict"], "valid");

    let grace = ben.get("credentials?search=grace&state=good")["credentials"][0]["id"].clone();
    let revoked = ben.post("credentials/revoke", json!({ "ids": [grace], "reason": 4 }));
    assert_eq!(revoked, json!({ "revoked": [grace], "refused": [], "waiting": [] }));
    assert_eq!(ben.get("credentials?state=revoked")["credentials"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        ben.status(Method::POST, "credentials/revoke", Some(json!({ "ids": ["urn:uuid:none"] }))),
        StatusCode::NOT_FOUND
    );
}

fn log(studio: &Studio, ben: &Browser, id: &str, run: &Value) {
    let vera = Browser::signed_in(&studio.url, "vera", PASSWORD);
    assert_eq!(vera.status(Method::POST, "credentials/revoke", Some(json!({ "ids": [id] }))), StatusCode::FORBIDDEN);
    assert_eq!(ben.status(Method::GET, "audit", None), StatusCode::FORBIDDEN);
    let ana = Browser::signed_in(&studio.url, "ana", PASSWORD);
    let entries = ana.get("audit")["entries"].as_array().expect("entries").clone();
    let has = |who: &str, what: &str, on: &str, outcome: &str| {
        let found = entries.iter().any(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default();
            text("who") == who
                && text("what") == what
                && text("on").contains(on)
                && text("outcome").starts_with(outcome)
        });
        assert!(found, "{who} {what} {on}: {outcome} is not in {entries:#?}");
    };
    has("command line", "user.add", "ana: admin", "done");
    has("ben", "sign-in", "password", "done");
    has("ben", "template.save", "botany", "done");
    has("ben", "roster.upload", "botany", "done");
    has("ben", "run.ask", "botany: 4 rows", "done");
    has("ben", "run", &format!("{run}: botany"), "done: 2 issued, 2 faults");
    has("ben", "credential.reissue", id, "done");
    has("ben", "credential.revoke", "urn:uuid:", "done");
    has("vera", "refused", "POST /studio/api/credentials/revoke", "refused: role");
    let told = serde_json::to_string(&entries).expect("JSON") + &studio.log();
    for private in ["ada@example.edu", "Lovelace", "Ada King", PASSWORD] {
        assert!(!told.contains(private), "the logs say {private}");
    }
}
