//! Templates, rosters and runs over HTTP, as far as they go without a node.

use std::fs;

use axum::{body::Body, http::StatusCode};
use futures::stream;
use serde_json::{Value, json};

use super::Desk;
use crate::{
    studio::{
        books::RunState,
        role::Role::{Issuer, Viewer},
    },
    template::EXAMPLE,
};

const ROSTER: &str = "id,name,email,course\r\n1,Ada Lovelace,ada@example.edu,x\r\n2,Bob,not an address,x\r\n1,Ada again,a@example.edu,x\r\n";

async fn ask_run(desk: &Desk, roster: &Value) -> super::Answer {
    desk.ask("POST", "runs", &desk.session(Issuer), Some(json!({ "template": "botany", "roster": roster }))).await
}

#[tokio::test]
async fn a_template_is_kept_with_its_faults_and_shown() {
    let desk = Desk::new();
    let cookie = desk.session(Issuer);
    let put = async |name: &str, text: &str| {
        desk.ask("PUT", &format!("templates/{name}"), &cookie, Some(json!({ "text": text }))).await
    };
    let good = put("zoology", EXAMPLE).await.json();
    assert_eq!((&good["faults"], &good["preview"]["type"][1]), (&json!([]), &json!("OpenBadgeCredential")));
    assert_eq!(good["preview"]["issuer"]["name"], "Example University");
    let bad = put("zoology", "name = \"Zoology\"").await.json();
    assert!(
        bad["faults"].as_array().unwrap().iter().any(|fault| fault["path"].as_str().unwrap().contains("criteria")),
        "{bad}"
    );
    assert_eq!(bad["preview"], Value::Null);
    let listed = desk.get("templates", Viewer).await.json();
    let names: Vec<_> = listed["templates"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["botany", "zoology"]);
    assert_eq!(desk.get("templates/zoology", Viewer).await.json()["text"], "name = \"Zoology\"");
    let removed = desk.ask("DELETE", "templates/zoology", &cookie, None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.get("templates/zoology", Viewer).await.problem(), "unknown");
    let preview = desk.ask("POST", "templates/preview", &desk.session(Viewer), Some(json!({ "text": EXAMPLE }))).await;
    assert_eq!(preview.json()["faults"], json!([]));
}

#[tokio::test]
async fn no_template_is_written_outside_its_folder() {
    let desk = Desk::new();
    let cookie = desk.session(Issuer);
    for name in ["..%2Fissuer", "%2Fetc%2Fpasswd", "a%2Fb", "..", ".hidden", "A", "a%00", "preview%2F..%2Fx"] {
        let answer = desk.ask("PUT", &format!("templates/{name}"), &cookie, Some(json!({ "text": EXAMPLE }))).await;
        assert!(answer.status.is_client_error(), "{name}: {}", answer.status);
        assert!(desk.get(&format!("templates/{name}"), Viewer).await.status.is_client_error(), "{name}");
    }
    let names: Vec<_> = fs::read_dir(desk.folder.path().join("templates")).unwrap().collect();
    assert_eq!(names.len(), 1);
    let long = desk.ask("PUT", "templates/long", &cookie, Some(json!({ "text": "x".repeat(3 << 20) }))).await;
    assert_eq!((long.status, long.problem().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"));
    let longer = desk.ask("PUT", "templates/long", &cookie, Some(json!({ "text": "x".repeat(5 << 20) }))).await;
    assert_eq!((longer.status, longer.problem().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"));
}

#[tokio::test]
async fn a_roster_tells_what_it_says() {
    let desk = Desk::new();
    let looked = desk.upload("template=botany", ROSTER).await.json();
    assert_eq!((&looked["rows"], &looked["good"]), (&json!(3), &json!(1)));
    assert_eq!(looked["headings"][2], json!({ "heading": "email", "meaning": "email" }));
    assert_eq!(looked["headings"][3], json!({ "heading": "course", "meaning": null }));
    assert_eq!(
        (&looked["faults"][0]["line"], &looked["faults"][0]["faults"][0]["column"]),
        (&json!(3), &json!("email"))
    );
    assert_eq!((&looked["faults"][1]["line"], &looked["faults"][1]["faults"][0]["column"]), (&json!(4), &json!(null)));
    assert_eq!(
        (&looked["sample"][0]["name"], &looked["notes"][0]),
        (&json!("Ada Lovelace"), &json!("the column `course` is not known and was left aside"))
    );
    assert_eq!(desk.modes("data/studio/rosters"), [0o600]);
}

#[tokio::test]
async fn a_roster_s_columns_can_be_meant_otherwise() {
    let desk = Desk::new();
    let looked = desk.upload("template=botany", "Matrikel;Wer;Wohin\n1;Ada;ada@example.edu\n").await.json();
    assert!(looked["fault"].as_str().unwrap().contains("no column says who the learner is"), "{looked}");
    assert_eq!(looked["headings"].as_array().unwrap().len(), 3);
    let roster = looked["roster"].as_str().unwrap();
    assert_eq!(ask_run(&desk, &looked["roster"]).await.problem(), "unfit");
    let path = format!(
        "rosters/{roster}?template=botany&map=%7B%22id%22%3A%22Matrikel%22%2C%22name%22%3A%22Wer%22%2C%22email%22%3A%22Wohin%22%7D"
    );
    let again = desk.get(&path, Issuer).await.json();
    assert_eq!((&again["good"], &again["fault"]), (&json!(1), &Value::Null), "{again}");
    assert_eq!(desk.get(&format!("rosters/{roster}?template=botany&map=x"), Issuer).await.problem(), "bad-request");
    assert_eq!(desk.get("rosters/..%2F..%2Fstudio.sqlite?template=botany", Issuer).await.problem(), "unknown");
}

#[tokio::test]
async fn no_roster_is_larger_than_others_can_bear() {
    let desk = Desk::new();
    let chunks = stream::iter((0..65).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1 << 20])));
    let answer = desk.upload("template=botany", Body::from_stream(chunks)).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"));
    let broken = stream::iter([Ok(b"id\n1\n".to_vec()), Err(std::io::Error::other("gone"))]);
    let answer = desk.upload("template=botany", Body::from_stream(broken)).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::REQUEST_TIMEOUT, "too-slow"));
    assert!(desk.modes("data/studio/rosters").is_empty(), "nothing is left of them");
    assert_eq!(desk.upload("template=none", ROSTER).await.problem(), "unknown");
}

#[tokio::test]
async fn runs_queue_and_wait_for_the_node() {
    let desk = Desk::new();
    let roster = desk.upload("template=botany", ROSTER).await.json()["roster"].clone();
    let other = desk.upload("template=botany", ROSTER).await.json()["roster"].clone();
    let begun = ask_run(&desk, &roster).await;
    assert_eq!((begun.status, begun.json()), (StatusCode::ACCEPTED, json!({ "run": 1 })));
    assert_eq!(ask_run(&desk, &roster).await.problem(), "taken");
    assert_eq!(ask_run(&desk, &json!("none")).await.problem(), "unknown");
    assert_eq!(ask_run(&desk, &other).await.json(), json!({ "run": 2 }));
    let work = desk.studio.work().unwrap();
    let mut changed = desk.studio.queue.watch();
    while desk.studio.books.run(1).unwrap().unwrap().state != RunState::Held {
        changed.changed().await.unwrap();
    }
    let run = desk.get("runs/1", Viewer).await.json();
    assert_eq!((&run["state"], &run["rows"], &run["drafted"]), (&json!("held"), &json!(3), &json!(0)));
    assert!(run["error"].as_str().unwrap().contains("127.0.0.1:1"), "{run}");
    let runs = desk.get("runs", Viewer).await.json();
    assert_eq!((&runs["runs"][0]["run"], &runs["runs"][0]["state"]), (&json!(2), &json!("queued")));
    assert_eq!(desk.modes("data/studio/rosters"), [0o600, 0o600], "they are needed still");
    desk.studio.shutdown.cancel();
    tokio::task::spawn_blocking(|| work.join()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_run_that_cannot_go_on_says_why() {
    let desk = Desk::new();
    let roster = desk.upload("template=botany", ROSTER).await.json()["roster"].clone();
    ask_run(&desk, &roster).await;
    fs::remove_file(desk.studio.roster_path(roster.as_str().unwrap())).unwrap();
    let work = desk.studio.work().unwrap();
    let events = desk.get("runs/1/events", Viewer).await;
    let text = String::from_utf8(events.bytes).unwrap();
    let last = text.lines().rfind(|line| line.starts_with("data: ")).unwrap();
    let run: Value = serde_json::from_str(&last[6..]).unwrap();
    assert_eq!((&run["state"], &run["error"]), (&json!("failed"), &json!("its roster is gone: hand it in again")));
    desk.studio.shutdown.cancel();
    tokio::task::spawn_blocking(|| work.join()).await.unwrap().unwrap();
    let log = desk.log();
    assert_eq!((log[0].1.as_str(), log[0].2.as_str()), ("run", "1: botany"));
}
