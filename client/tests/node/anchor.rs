//! What `testamur anchor` does about files, interruptions, and a node that lies.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use testamur_core::{
    Address, BatchTree, BlockNumber, ChainId, Digest, Document, Entry, Hash, Receipt, StatusIndex, registry::ADDRESS,
};

use crate::http::{Answer, Request, serve};

pub const ISSUER: Address = Address([7; 20]);
pub const CHAIN: ChainId = ChainId(31337);

/// The digests that came in, in their order.
type Seen = Arc<Mutex<Vec<Digest>>>;

/// A server that gives what a node gives, after `twist` has had its way with the receipt.
fn node(seen: &Seen, mut twist: impl FnMut(Receipt) -> Answer + Send + 'static) -> String {
    let seen = Arc::clone(seen);
    serve(move |Request { line, body, .. }| {
        let mut seen = seen.lock().unwrap();
        if line == "GET /v1/node" {
            return Answer::json(200, &json!({ "chain": CHAIN, "registry": ADDRESS, "issuers": [ISSUER] }));
        }
        if line == "GET /v1/token" {
            return Answer::json(200, &json!({ "issuer": ISSUER, "scopes": ["submit"] }));
        }
        if line == format!("POST /v1/issuers/{ISSUER}/digests") {
            seen.extend(body.chunks(32).map(|bytes| Digest::try_from(bytes).unwrap()));
            return Answer { status: 200, headers: String::new(), body: vec![0; body.len() / 4] };
        }
        let path = format!("GET /v1/issuers/{ISSUER}/receipts/");
        let digest = line.strip_prefix(&path).and_then(|rest| rest.strip_suffix("?state=final")).expect(&line);
        twist(receipt(&seen, digest.parse().unwrap(), StatusIndex::default()))
    })
}

/// The receipt of one of the digests, all of which are one batch and have this index.
pub fn receipt(seen: &[Digest], digest: Digest, status_index: StatusIndex) -> Receipt {
    let leaves = seen.iter().map(|&digest| Entry { digest, status_index }.leaf_hash()).collect();
    let tree = BatchTree::new(leaves).unwrap();
    let leaf_index = seen.iter().position(|known| *known == digest).expect("handed over before") as u64;
    Receipt {
        version: 1,
        leaf_index,
        tree_size: tree.size(),
        status_index,
        path: tree.path(leaf_index).unwrap(),
        root: tree.root(),
        issuer: ISSUER,
        chain: CHAIN,
        registry: ADDRESS,
        transaction: Hash([9; 32]),
        block: BlockNumber(5),
    }
}

pub fn honest(receipt: Receipt) -> Answer {
    Answer::json(200, &json!(receipt)).header("testamur-state", "final")
}

pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, node: &str, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_testamur"));
        command.args(["anchor", "--node", node]).args(arguments.split_whitespace());
        command.current_dir(self.folder.path()).env("TESTAMUR_TOKEN", "token");
        command
    }

    pub fn anchor(&self, node: &str, arguments: &str) -> Output {
        self.command(node, arguments).output().unwrap()
    }

    fn spawn(&self, node: &str, arguments: &str) -> Child {
        self.command(node, arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn document(&self, name: &str) -> Document {
        Document::from_credential(&fs::read(self.path(name)).unwrap()).unwrap()
    }

    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

const CREDENTIAL: &str = "{\n  \"@context\": [\"x\"],\n  \"type\": \"VerifiableCredential\",\n  \"score\": 4.50\n}\n";

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_folder_is_anchored_once() {
    let (place, seen) = (Place::new(), Seen::default());
    place.write("in/a.json", CREDENTIAL);
    place.write("in/b.pdf", "%PDF-1.7");
    place.write("in/broken.json", "{\"a\":1,\"a\":2}");
    let url = node(&seen, honest);
    let run = place.anchor(&url, "in");
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(text(&run.stderr).contains("in/broken.json: an object has the same key twice"), "{run:?}");
    assert!(text(&run.stdout).contains("2 anchored, 0 anchored before, 1 failed"), "{run:?}");
    assert_eq!(place.names("in"), ["a.json", "b.pdf", "b.pdf.receipt.json", "broken.json"]);

    // In the manner it was written, and what it says is anchored.
    let written = fs::read_to_string(place.path("in/a.json")).unwrap();
    assert!(written.starts_with("{\n  \"@context\"") && written.ends_with("}\n"));
    let document = place.document("in/a.json");
    let (digest, anchor) = (document.digest().unwrap(), document.anchor.unwrap());
    assert_eq!(anchor.receipt.check_inclusion(digest), Ok(()));
    let pdf = Document::from_file(b"%PDF-1.7", &fs::read(place.path("in/b.pdf.receipt.json")).unwrap()).unwrap();
    let (digest, anchor) = (pdf.digest().unwrap(), pdf.anchor.unwrap());
    assert_eq!(anchor.receipt.check_inclusion(digest), Ok(()));

    // Again: nothing goes to the node, nothing is written.
    let again = place.anchor(&url, "in/a.json in/b.pdf in/b.pdf.receipt.json");
    assert!(again.status.success() && text(&again.stdout).contains("0 anchored, 2 anchored before"), "{again:?}");
    assert_eq!(fs::read_to_string(place.path("in/a.json")).unwrap(), written);
    assert_eq!(seen.lock().unwrap().len(), 2);

    // A file that was changed since is another document.
    place.write("in/b.pdf", "%PDF-2.0");
    assert!(place.anchor(&url, "in/b.pdf").status.success());
    assert_eq!(seen.lock().unwrap().len(), 3);
}

#[test]
fn copies_leave_the_files_alone() {
    let (place, seen) = (Place::new(), Seen::default());
    place.write("in/a.json", CREDENTIAL);
    place.write("in/b.pdf", "%PDF-1.7");
    let url = node(&seen, honest);
    for _ in 0..2 {
        let run = place.anchor(&url, "in --out out");
        assert!(run.status.success(), "{run:?}");
        assert_eq!(fs::read_to_string(place.path("in/a.json")).unwrap(), CREDENTIAL);
        assert_eq!(place.names("in"), ["a.json", "b.pdf"]);
        assert_eq!(place.names("out"), ["a.json", "b.pdf", "b.pdf.receipt.json"]);
    }
    assert_eq!(seen.lock().unwrap().len(), 2);
    place.document("out/a.json");

    // What is anchored itself is copied with its proof.
    assert!(place.anchor(&url, "in").status.success());
    assert!(place.anchor(&url, "in --out third").status.success());
    assert_eq!(place.names("third"), ["a.json", "b.pdf", "b.pdf.receipt.json"]);
    assert_eq!(seen.lock().unwrap().len(), 4);

    // Two files, one place: told, and the first one stands.
    fs::create_dir(place.path("other")).unwrap();
    place.write("other/a.json", CREDENTIAL);
    let clash = place.anchor(&url, "in/a.json other/a.json --out out");
    assert!(clash.status.code() == Some(1) && text(&clash.stderr).contains("out/a.json as well"), "{clash:?}");
}

#[test]
fn a_run_that_was_killed_resumes_with_the_same_digest() {
    let (place, seen) = (Place::new(), Seen::default());
    place.write("a.json", CREDENTIAL);
    let (asked, was_asked) = mpsc::channel();
    let is_sealed = Arc::new(AtomicBool::new(false));
    let sealed = Arc::clone(&is_sealed);
    let url = node(&seen, move |receipt| {
        // The test may be over when a late question comes.
        let _ = asked.send(());
        if sealed.load(Ordering::SeqCst) { honest(receipt) } else { Answer::json(202, &json!({ "state": "open" })) }
    });
    let mut first = place.spawn(&url, "a.json");
    was_asked.recv_timeout(Duration::from_secs(30)).expect("it hands over the digest, and asks for the receipt");
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(fs::read_to_string(place.path("a.json")).unwrap(), CREDENTIAL);
    assert!(place.path("a.json.pending.json").exists());

    is_sealed.store(true, Ordering::SeqCst);
    assert!(place.anchor(&url, "a.json").status.success());
    assert!(!place.path("a.json.pending.json").exists());
    let seen = seen.lock().unwrap();
    assert_eq!((seen.len(), seen[0]), (2, seen[1]), "the same digest, handed over twice");
    assert_eq!(place.document("a.json").digest(), Some(seen[0]));
}

#[test]
fn a_lying_node_is_found_out() {
    type Twist = fn(Receipt) -> Answer;
    let lies: [(Twist, &str); 7] = [
        (|r| honest(Receipt { root: Hash([1; 32]), ..r }), "the receipt names"),
        (|r| honest(Receipt { issuer: Address([8; 20]), ..r }), "not where the node anchors for us"),
        (|r| honest(Receipt { chain: ChainId(1), ..r }), "not where the node anchors for us"),
        (|r| honest(Receipt { registry: Address([1; 20]), ..r }), "not where the node anchors for us"),
        (|r| honest(Receipt { tree_size: 9, ..r }), "hashes"),
        (|r| Answer::json(200, &json!(r)).header("testamur-state", "included"), "final was asked for"),
        (|_| Answer::json(200, &json!({ "receipt": "none" })), "cannot be used"),
    ];
    for (twist, told) in lies {
        let (place, seen) = (Place::new(), Seen::default());
        place.write("a.json", CREDENTIAL);
        let run = place.anchor(&node(&seen, twist), "a.json");
        assert!(run.status.code() == Some(1) && text(&run.stderr).contains(told), "{run:?}");
        assert_eq!(fs::read_to_string(place.path("a.json")).unwrap(), CREDENTIAL);
    }
}

#[test]
fn a_file_that_changes_meanwhile_is_not_overwritten() {
    let (place, seen) = (Place::new(), Seen::default());
    place.write("a.json", CREDENTIAL);
    let file = place.path("a.json");
    let edited = CREDENTIAL.replace("4.50", "5");
    let by_hand = edited.clone();
    let url = node(&seen, move |receipt| {
        fs::write(&file, &by_hand).unwrap();
        honest(receipt)
    });
    let run = place.anchor(&url, "a.json");
    assert!(run.status.code() == Some(1) && text(&run.stderr).contains("changed while"), "{run:?}");
    assert_eq!(fs::read_to_string(place.path("a.json")).unwrap(), edited);
}

#[test]
fn a_refusal_is_told_in_the_node_s_words() {
    let place = Place::new();
    place.write("a.json", CREDENTIAL);
    let url = serve(|_| {
        let problem: Value =
            json!({ "title": "the token is unknown", "detail": "make one: testamur-node token create\u{1b}[2J" });
        Answer::json(401, &problem).header("content-type", "application/problem+json")
    });
    let run = place.anchor(&url, "a.json");
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let told = text(&run.stderr);
    assert!(told.contains("401") && told.contains("the token is unknown") && told.contains("token create"), "{told}");
    assert!(!told.contains('\u{1b}'), "{told}");
    let silent = place.anchor("http://127.0.0.1:1", "a.json");
    assert!(silent.status.code() == Some(2) && text(&silent.stderr).contains("did not answer"), "{silent:?}");
}

#[test]
fn a_credential_that_was_changed_after_its_anchoring_is_told() {
    let (place, seen) = (Place::new(), Seen::default());
    place.write("a.json", CREDENTIAL);
    let url = node(&seen, honest);
    assert!(place.anchor(&url, "a.json").status.success());
    let changed = fs::read_to_string(place.path("a.json")).unwrap().replace("4.5", "5");
    place.write("a.json", &changed);
    let run = place.anchor(&url, "a.json");
    assert!(run.status.code() == Some(1) && text(&run.stderr).contains("does not hold"), "{run:?}");
    assert_eq!(fs::read_to_string(place.path("a.json")).unwrap(), changed);
}

#[test]
fn names_need_not_be_text() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let (place, seen) = (Place::new(), Seen::default());
    let name = OsStr::from_bytes(b"in/caf\xe9\x1b.pdf");
    fs::write(place.folder.path().join(name), "%PDF-1.7").unwrap();
    for arguments in ["in --json", "in"] {
        let run = place.anchor(&node(&seen, honest), arguments);
        assert!(run.status.success() && !run.stdout.contains(&0x1b), "{run:?}");
    }
}
