//! What `testamur revoke`, `suspend` and `reinstate` do about lists, refusals, lost answers and interruptions.

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Output},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};
use tempfile::TempDir;
use testamur_core::{Address, ChainId, registry::ADDRESS};

use crate::http::{Answer, Request, serve};

const ISSUER: Address = Address([7; 20]);
const CHAIN: ChainId = ChainId(31337);

/// What a node took: bodies by idempotency key. The number of a change is its place from 1.
#[derive(Default)]
struct Taken {
    keys: Vec<String>,
    bodies: BTreeMap<String, Value>,
    requests: usize,
}

impl Taken {
    /// As a node does: the same key and body, the same answer.
    fn take(&mut self, key: &str, body: Value) -> Answer {
        match self.bodies.get(key) {
            Some(known) if *known != body => return problem(409, "the key was used for another change", json!({})),
            Some(_) => {}
            None => {
                self.keys.push(key.to_owned());
                self.bodies.insert(key.to_owned(), body);
            }
        }
        let change = self.keys.iter().position(|known| known == key).unwrap() + 1;
        Answer::json(202, &json!({ "change": change, "state": "pending" }))
    }
}

fn problem(status: u16, detail: &str, more: Value) -> Answer {
    let mut body = json!({ "title": "refused", "detail": detail });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Answer::json(status, &body)
}

/// A node whose answer to a change `twist` may replace, after it was taken.
fn node(taken: &Arc<Mutex<Taken>>, mut twist: impl FnMut(&Value, Answer) -> Answer + Send + 'static) -> String {
    let taken = Arc::clone(taken);
    serve(move |request: Request| {
        let mut taken = taken.lock().unwrap();
        match request.line.as_str() {
            "GET /v1/node" => Answer::json(200, &json!({ "chain": CHAIN, "registry": ADDRESS })),
            "GET /v1/token" => Answer::json(200, &json!({ "issuer": ISSUER, "scopes": ["revoke"] })),
            line if line == format!("POST /v1/issuers/{ISSUER}/changes") => {
                taken.requests += 1;
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                let key = request.header("idempotency-key").expect("a key").to_owned();
                let refused = twist(&body, Answer::json(202, &Value::Null));
                if refused.status != 202 && refused.status != 503 {
                    return refused;
                }
                let answer = taken.take(&key, body);
                if refused.status == 503 { refused } else { answer }
            }
            line => {
                let number = line.strip_prefix(&format!("GET /v1/issuers/{ISSUER}/changes/")).expect(line);
                let change: u64 = number.parse().unwrap();
                let transaction = format!("0x{}", "09".repeat(32));
                let update =
                    json!({ "epoch": 3, "block": 5, "time": "2026-05-04T03:02:01Z", "transaction": transaction });
                Answer::json(200, &json!({ "change": change, "state": "included", "update": update }))
            }
        }
    })
}

fn honest(_: &Value, answer: Answer) -> Answer {
    answer
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn run(&self, node: &str, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_testamur"));
        command.args(arguments.split_whitespace()).args(["--node", node]);
        command
            .current_dir(self.0.path())
            .env("TESTAMUR_TOKEN", "token")
            .env("XDG_STATE_HOME", self.0.path().join("s"));
        command.output().unwrap()
    }

    /// Journals that are left.
    fn journals(&self) -> usize {
        fs::read_dir(self.0.path().join("s/testamur")).map_or(0, Iterator::count)
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_list_goes_to_the_node_and_its_bad_lines_are_told() {
    let (place, taken) = (Place::new(), Arc::default());
    let digest = "ab".repeat(32);
    place.write("lost.csv", "name,index\nAda,7\nBob,lost\nEve,8\nAda again,7\n");
    let run = place.run(&node(&taken, honest), &format!("revoke --from lost.csv 9 {digest} --reason 4 --now"));
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(text(&run.stderr).contains("lost.csv:3: neither a status index"), "{run:?}");
    assert!(text(&run.stdout).contains("✓ 3 revoked, included in block 5 (epoch 3"), "{run:?}");
    let bodies = &taken.lock().unwrap().bodies;
    let common = |mut body: Value| {
        body["reason"] = json!(4);
        body["now"] = json!(true);
        body["action"] = json!("revoke");
        body["assignedElsewhere"] = json!(false);
        body
    };
    let expected = [common(json!({ "digests": [digest] })), common(json!({ "indices": [9, 7, 8] }))];
    assert!(bodies.len() == 2 && expected.iter().all(|body| bodies.values().any(|taken| taken == body)), "{bodies:?}");
    assert_eq!(place.journals(), 0);
}

#[test]
fn a_lost_answer_is_asked_for_under_the_same_key() {
    let (place, taken) = (Place::new(), Arc::default());
    let mut lost = false;
    let url = node(
        &taken,
        move |_, answer| if std::mem::replace(&mut lost, true) { answer } else { problem(503, "busy", json!({})) },
    );
    let run = place.run(&url, "suspend 7 --wait pending --json");
    assert!(run.status.success() && text(&run.stdout).contains(r#""change":1"#), "{run:?}");
    let taken = taken.lock().unwrap();
    assert_eq!((taken.requests, taken.keys.len()), (2, 1), "taken once");
}

#[test]
fn a_run_without_an_answer_is_resumed_by_the_same_command() {
    let (place, taken) = (Place::new(), Arc::default());
    // A node that takes the change, and dies before it answers.
    let is_back = Arc::new(AtomicBool::new(false));
    let back = Arc::clone(&is_back);
    let url = node(
        &taken,
        move |_, answer| {
            if back.load(Ordering::SeqCst) { answer } else { problem(503, "gone", json!({})) }
        },
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_testamur"));
    command.args(["revoke", "7", "--node", &url, "--wait", "pending"]);
    command.env("TESTAMUR_TOKEN", "token").env("XDG_STATE_HOME", place.0.path().join("s"));
    let mut killed = command.spawn().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while taken.lock().unwrap().requests == 0 {
        assert!(std::time::Instant::now() < deadline, "it asks");
        std::thread::yield_now();
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(place.journals(), 1);
    let first = taken.lock().unwrap().keys.clone();

    is_back.store(true, Ordering::SeqCst);
    let again = place.run(&url, "revoke 7 --wait pending");
    assert!(again.status.success(), "{again:?}");
    assert_eq!(taken.lock().unwrap().keys, first, "the same key");
    assert_eq!(place.journals(), 0);
}

#[test]
fn what_the_node_refuses_is_named_and_the_rest_goes_on() {
    let (place, taken) = (Place::new(), Arc::default());
    place.write("list.txt", "7\n8\n9\n");
    let url = node(&taken, |body, answer| {
        let bad = body["indices"].as_array().unwrap().iter().position(|index| *index == 8);
        match bad {
            None => answer,
            Some(at) => {
                let offender = json!({ "path": format!("/indices/{at}"), "problem": "x", "detail": "never assigned" });
                problem(422, "1 entry is refused", json!({ "errors": [offender], "errorCount": 1 }))
            }
        }
    });
    let run = place.run(&url, "revoke --from list.txt --wait pending");
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(text(&run.stderr).contains("list.txt:2: the node refuses it: never assigned"), "{run:?}");
    assert!(text(&run.stdout).contains("2 to revoke, durable with the node as change 1"), "{run:?}");
    assert_eq!(place.journals(), 0);
}

#[test]
fn more_refusals_than_are_named_are_left_out_one_after_the_other() {
    let (place, taken) = (Place::new(), Arc::default());
    let url = node(&taken, |_, _| {
        let offender = json!({ "path": "/indices/0", "detail": "never assigned" });
        problem(422, "many entries are refused", json!({ "errors": [offender], "errorCount": 2 }))
    });
    let run = place.run(&url, "revoke 7 8 9");
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let told = text(&run.stderr);
    assert!(["7:", "8:", "9:"].iter().all(|index| told.contains(&format!("{index} the node refuses it"))), "{told}");

    // But a list of which hardly anything is right is the wrong list.
    let indices: Vec<String> = (0..50).map(|index| index.to_string()).collect();
    let run = place.run(&url, &format!("revoke {}", indices.join(" ")));
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let told = text(&run.stderr);
    assert!(told.contains("2 entries are refused") && told.contains("--assigned-elsewhere"), "{told}");
    assert!(!told.contains("49: the node refuses it"), "{told}");
    assert_eq!((taken.lock().unwrap().keys.len(), place.journals()), (0, 0));
}

#[test]
fn a_receipt_of_another_place_and_a_file_without_one_go_nowhere() {
    let (place, taken) = (Place::new(), Arc::default());
    for name in ["anchored.json", "notes.txt"] {
        let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/documents.in").join(name);
        fs::copy(sample, place.0.path().join(name)).unwrap();
    }
    let run = place.run(&node(&taken, honest), "revoke anchored.json notes.txt absent.json");
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let told = text(&run.stderr);
    assert!(
        told.contains("anchored.json: its receipt is of 0xf39f") && told.contains("notes.txt: no merkle"),
        "{told}"
    );
    assert!(told.contains("absent.json: No such file"), "{told}");
    assert_eq!(taken.lock().unwrap().requests, 0);
}
