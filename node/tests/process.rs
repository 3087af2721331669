//! The real process: killed, started twice, on a full disk, with a wrong chain, and stopped gently.

#![allow(clippy::unwrap_used)] // a test may panic

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, BufReader, Read},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value;

const ISSUER: &str = "0x0707070707070707070707070707070707070707";
/// Nothing listens there: the chain is out of reach, which must not keep a node from taking digests.
const NO_CHAIN: &str = "http://127.0.0.1:1";

/// A data folder with what a node needs to start.
struct Site {
    data_dir: PathBuf,
    token: String,
    /// Holds the operator's key, and the data folder where nothing else is said.
    folder: tempfile::TempDir,
    settings: Vec<String>,
}

impl Site {
    fn new(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        Self::at(folder, data_dir, settings)
    }

    fn at(folder: tempfile::TempDir, data_dir: PathBuf, settings: &[&str]) -> Self {
        let key = "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318\n";
        let file = std::fs::File::options().write(true).create_new(true).mode(0o600).open(folder.path().join("key"));
        std::io::Write::write_all(&mut file.unwrap(), key.as_bytes()).unwrap();
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let mut site = Self { data_dir, token: String::new(), folder, settings };
        let made =
            site.command(&["token", "create", "--issuer", ISSUER, "--scope", "submit,revoke,admin"]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        site.token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        site
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_testamur-node"));
        command.args(arguments).arg("--data-dir").arg(&self.data_dir);
        let key = self.folder.path().join("key");
        let own = [
            "listen=127.0.0.1:0".to_owned(),
            format!("issuers=[\"{ISSUER}\"]"),
            format!("operator.key_file={}", key.display()),
            format!("chain.rpc={NO_CHAIN}"),
            "chain.id=31337".to_owned(),
        ];
        for setting in own.iter().chain(&self.settings) {
            command.arg("--set").arg(setting);
        }
        command
    }

    fn start(&self) -> Node {
        let mut child = self.command(&["serve", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).expect("a node that starts says where it listens");
        Node { child, url: told["listening"].as_str().unwrap().to_owned(), token: self.token.clone() }
    }

    /// Of a node that must not start: exit status and standard error.
    fn refused(&self) -> (Option<i32>, String) {
        let Output { status, stderr, .. } = self.command(&["serve"]).output().unwrap();
        (status.code(), String::from_utf8(stderr).unwrap())
    }
}

/// A running node; killed when dropped.
struct Node {
    child: Child,
    url: String,
    token: String,
}

impl Node {
    async fn submit(&self, client: &reqwest::Client, digests: Vec<u8>) -> reqwest::Result<reqwest::Response> {
        submit(client, &self.url, &self.token, digests).await
    }

    fn terminate(&mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn submit(client: &reqwest::Client, url: &str, token: &str, body: Vec<u8>) -> reqwest::Result<reqwest::Response> {
    let request = client.post(format!("{url}/v1/issuers/{ISSUER}/digests")).bearer_auth(token).body(body);
    request.header("content-type", "application/octet-stream").send().await
}

fn digest(n: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes[24..].copy_from_slice(&n.to_be_bytes());
    bytes
}

fn indices(body: &[u8]) -> Vec<u64> {
    body.chunks(8).map(|index| u64::from_be_bytes(index.try_into().unwrap())).collect()
}

/// What was acknowledged: digest number → status index.
type Acknowledged = Arc<Mutex<HashMap<u64, u64>>>;

/// Submits numbers of its own, a few at a time, until the node is gone.
async fn submit_until_gone(url: String, token: String, task: u64, acknowledged: Acknowledged) {
    let client = reqwest::Client::new();
    for round in 0.. {
        let numbers: Vec<u64> = (0..50).map(|n| (task << 40) | (round * 50 + n)).collect();
        let body = numbers.iter().flat_map(|n| digest(*n)).collect();
        let Ok(reply) = submit(&client, &url, &token, body).await else { return };
        assert_eq!(reply.status(), 200);
        let Ok(bytes) = reply.bytes().await else { return };
        acknowledged.lock().unwrap().extend(numbers.into_iter().zip(indices(&bytes)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_it_keeps_all_that_it_acknowledged() {
    // Small batches, so that it is killed while it seals, too.
    let site = Site::new(&["seal.max_size=3000", "log.filter=error"]);
    let acknowledged = Acknowledged::default();
    for kill in 0..3 {
        let mut node = site.start();
        let wanted = acknowledged.lock().unwrap().len() + 10_000 + kill * 1_111;
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let id = ((kill as u64) << 8) | task;
                tokio::spawn(submit_until_gone(node.url.clone(), node.token.clone(), id, acknowledged.clone()))
            })
            .collect();
        let deadline = Instant::now() + Duration::from_secs(60);
        while acknowledged.lock().unwrap().len() < wanted {
            assert!(Instant::now() < deadline, "too slow: {} of {wanted}", acknowledged.lock().unwrap().len());
            tokio::task::yield_now().await;
        }
        node.child.kill().unwrap(); // SIGKILL
        for task in tasks {
            task.await.unwrap();
        }
    }
    let (node, client) = (site.start(), reqwest::Client::new());
    let acknowledged: Vec<_> = acknowledged.lock().unwrap().iter().map(|(n, index)| (*n, *index)).collect();
    for part in acknowledged.chunks(5000) {
        let reply = node.submit(&client, part.iter().flat_map(|(n, _)| digest(*n)).collect()).await.unwrap();
        assert_eq!(reply.headers()["testamur-new"], "0", "all of them are there");
        let expected: Vec<_> = part.iter().map(|(_, index)| *index).collect();
        assert_eq!(indices(&reply.bytes().await.unwrap()), expected, "with the index that was acknowledged");
    }
    let fresh = node.submit(&client, (0..500).flat_map(|n| digest(u64::MAX - n)).collect()).await.unwrap();
    let mut all: HashSet<_> = indices(&fresh.bytes().await.unwrap()).into_iter().collect();
    all.extend(acknowledged.iter().map(|(_, index)| *index));
    assert_eq!(all.len(), acknowledged.len() + 500, "no index was given twice");
}

async fn post(node: &(String, String), client: &reqwest::Client, path: &str, body: Value) -> Option<Value> {
    let (url, token) = node;
    let sent = client.post(format!("{url}/v1/issuers/{ISSUER}/{path}")).bearer_auth(token).json(&body).send();
    let reply = sent.await.ok()?;
    assert!(reply.status().is_success(), "{}", reply.status());
    reply.json().await.ok()
}

/// What was promised: reserved indices, those of them that a digest got, and changes by their keys.
#[derive(Default)]
struct Promised {
    reserved: Vec<u64>,
    used: HashMap<u64, u64>,
    changes: HashMap<String, (u64, Value)>,
}

/// Reserves, submits with what it reserved, and revokes half of it, until the node is gone.
async fn reserve_until_gone(node: (String, String), task: u64, promised: Arc<Mutex<Promised>>) {
    let client = reqwest::Client::new();
    for round in 0_u64.. {
        let Some(told) = post(&node, &client, "indices", serde_json::json!({ "count": 8 })).await else { return };
        let indices: Vec<u64> = serde_json::from_value(told["indices"].clone()).unwrap();
        promised.lock().unwrap().reserved.extend(&indices);
        let numbers: Vec<u64> = (0..4).map(|n| (task << 40) | (round * 4 + n)).collect();
        let pairs = numbers.iter().zip(&indices);
        let hex = |n: u64| digest(n).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let entries: Vec<_> =
            pairs.clone().map(|(n, i)| serde_json::json!({ "digest": hex(*n), "statusIndex": i })).collect();
        let Some(_) = post(&node, &client, "digests", serde_json::json!({ "entries": entries })).await else { return };
        promised.lock().unwrap().used.extend(pairs.map(|(n, index)| (*n, *index)));
        let (key, body) =
            (format!("{task}-{round}"), serde_json::json!({ "action": "revoke", "indices": &indices[..6] }));
        let Some(change) = change(&node, &client, &key, &body).await else { return };
        promised.lock().unwrap().changes.insert(key, (change, body));
    }
}

async fn change(node: &(String, String), client: &reqwest::Client, key: &str, body: &Value) -> Option<u64> {
    let (url, token) = node;
    let asked =
        client.post(format!("{url}/v1/issuers/{ISSUER}/changes")).bearer_auth(token).header("idempotency-key", key);
    let reply = asked.json(body).send().await.ok()?;
    assert_eq!(reply.status(), 202);
    reply.json::<Value>().await.ok()?["change"].as_u64()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_it_keeps_every_promise_about_indices_and_changes() {
    let site = Site::new(&["seal.max_size=100", "log.filter=error"]);
    let promised = Arc::new(Mutex::new(Promised::default()));
    for kill in 0..3_usize {
        let mut node = site.start();
        let wanted = promised.lock().unwrap().changes.len() + 40 + kill * 7;
        let tasks: Vec<_> = (0..4)
            .map(|task| {
                let reached = (node.url.clone(), node.token.clone());
                tokio::spawn(reserve_until_gone(reached, ((kill as u64) << 8) | task, promised.clone()))
            })
            .collect();
        let deadline = Instant::now() + Duration::from_secs(60);
        while promised.lock().unwrap().changes.len() < wanted {
            assert!(Instant::now() < deadline, "too slow: {wanted} wanted");
            tokio::task::yield_now().await;
        }
        node.child.kill().unwrap(); // SIGKILL
        for task in tasks {
            task.await.unwrap();
        }
    }
    let (node, client) = (site.start(), reqwest::Client::new());
    let reached = (node.url.clone(), node.token.clone());
    let Promised { reserved, used, changes } = std::mem::take(&mut *promised.lock().unwrap());
    assert_eq!(reserved.iter().collect::<HashSet<_>>().len(), reserved.len(), "no index was reserved twice");
    for (key, (number, body)) in &changes {
        assert_eq!(change(&reached, &client, key, body).await, Some(*number), "kept, and once");
    }
    let (numbers, expected): (Vec<_>, Vec<_>) = used.into_iter().unzip();
    let reply = node.submit(&client, numbers.iter().flat_map(|n| digest(*n)).collect()).await.unwrap();
    assert_eq!(indices(&reply.bytes().await.unwrap()), expected);
    let fresh = node.submit(&client, (0..500).flat_map(|n| digest(u64::MAX - n)).collect()).await.unwrap();
    let fresh = indices(&fresh.bytes().await.unwrap());
    assert!(fresh.iter().all(|index| !reserved.contains(index)), "what is reserved is given to nothing else");
}

#[tokio::test]
async fn a_second_node_on_the_same_folder_is_refused() {
    let site = Site::new(&[]);
    let _node = site.start();
    let (status, told) = site.refused();
    assert_eq!(status, Some(1));
    assert!(told.contains("in use by another testamur-node"), "{told}");
}

#[tokio::test]
async fn told_to_stop_it_finishes_and_exits_well() {
    let site = Site::new(&["log.filter=error"]);
    let mut node = site.start();
    let client = reqwest::Client::new();
    assert_eq!(node.submit(&client, digest(1).to_vec()).await.unwrap().status(), 200);
    let ready = client.get(format!("{}/readyz", node.url)).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    let reasons: Value = ready.json().await.unwrap();
    assert!(reasons["reasons"].to_string().contains("chain-una"), "{reasons}");
    let mut events = client.get(format!("{}/v1/events", node.url)).send().await.unwrap();
    node.terminate();
    assert!(events.chunk().await.unwrap().is_none(), "streams end");
    assert!(node.child.wait().unwrap().success());
    let again = site.start();
    assert_eq!(again.submit(&client, digest(1).to_vec()).await.unwrap().headers()["testamur-new"], "0");
}

#[test]
fn what_cannot_be_used_is_told_at_the_start() {
    let site = Site::new(&["chain.colour=1"]);
    let (status, told) = site.refused();
    assert!(status == Some(64) && told.contains("chain") && told.contains("colour"), "{told}");

    let site = Site::new(&[]);
    let key = site.folder.path().join("key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (status, told) = site.refused();
    assert!(status == Some(1) && told.contains("chmod 600"), "{told}");
    assert!(!told.contains("4c0883a6"), "no key in an error");

    let site = Site::new(&["listen=203.0.113.1:80"]);
    let (status, told) = site.refused();
    assert!(status == Some(1) && told.contains("cannot listen on 203.0.113.1:80"), "{told}");
}

#[test]
fn its_commands_work_without_a_server() {
    let site = Site::new(&[]);
    let output = |arguments: &[&str]| {
        let output = site.command(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, listed) = output(&["token", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((status, &listed[0]["issuer"]), (Some(0), &Value::from(ISSUER)));
    let out = site.folder.path().join("token");
    let arguments = ["token", "create", "--issuer", ISSUER, "--scope", "submit", "--out", out.to_str().unwrap()];
    assert_eq!(output(&arguments).0, Some(0));
    assert_eq!(out.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(output(&arguments).0, Some(1), "it overwrites nothing");
    assert_eq!(output(&["token", "revoke", listed[0]["id"].as_str().unwrap()]).0, Some(0));
    assert_eq!(output(&["token", "revoke", "none"]).0, Some(1));
    assert!(output(&["config"]).1.contains("max_age_seconds"));
    let (_, config) = output(&["config", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&config).unwrap()["chain"]["id"], 31337);
    assert!(output(&["completions", "bash"]).1.contains("testamur-node"));
    assert_eq!(output(&["no-such-command"]).0, Some(64));
}

/// A development chain; ended when dropped.
struct Anvil {
    child: Child,
    url: String,
}

impl Anvil {
    /// `None`, said aloud, where anvil is not installed.
    fn start() -> Option<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/node_modules/.bin/anvil");
        if !program.exists() {
            eprintln!("SKIPPED: anvil is not there; run scripts/setup-contracts");
            return None;
        }
        let mut child = Command::new(program).args(["--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("Listening on ")?.to_owned()));
        Some(Self { child, url: format!("http://{}", address.expect("anvil says where it listens")) })
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_wrong_chain_or_an_address_without_code_is_refused() {
    let Some(anvil) = Anvil::start() else { return };
    let rpc = format!("chain.rpc={}", anvil.url);
    let (status, told) = Site::new(&[&rpc, "chain.id=1"]).refused();
    assert!(status == Some(1) && told.contains("eip155:1") && told.contains("31337"), "{told}");
    let (status, told) = Site::new(&[&rpc]).refused();
    assert!(status == Some(1) && told.contains("no code") | told.contains("no contract"), "{told}");
}

/// A file system of its own; unmounted when dropped.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// `None`, said aloud, where it cannot be mounted.
    fn mount(folder: &Path, mebibytes: u32) -> Option<Self> {
        std::fs::create_dir(folder).unwrap();
        let options = format!("size={mebibytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder).status();
        if !mounted.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: a full disk needs root, to mount a small tmpfs");
            return None;
        }
        Some(Self { folder: folder.to_owned() })
    }

    fn resize(&self, mebibytes: u32) {
        let options = format!("remount,size={mebibytes}m");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.folder).status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the node's files may still be open while a failed test unwinds.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

#[tokio::test]
async fn before_the_disk_is_full_it_refuses_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk"), 64) else { return };
    let data_dir = disk.folder.join("data");
    let site = Site::at(folder, data_dir, &["limits.disk_reserve_bytes=33554432"]);
    let (node, client) = (site.start(), reqwest::Client::new());
    assert_eq!(node.submit(&client, digest(1).to_vec()).await.unwrap().status(), 200);
    let ballast = disk.folder.join("ballast");
    std::fs::write(&ballast, vec![1; 40 << 20]).unwrap();
    let refused = node.submit(&client, digest(2).to_vec()).await.unwrap();
    assert_eq!(refused.status(), 507);
    assert!(refused.json::<Value>().await.unwrap()["type"].as_str().unwrap().ends_with("disk-full"));
    std::fs::remove_file(&ballast).unwrap();
    let taken = node.submit(&client, digest(2).to_vec()).await.unwrap();
    assert_eq!((taken.status().as_u16(), &taken.headers()["testamur-new"]), (200, &"1".parse().unwrap()));
}

#[tokio::test]
async fn on_a_disk_that_fills_up_all_the_same_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk"), 24) else { return };
    let data_dir = disk.folder.join("data");
    let site = Site::at(folder, data_dir, &["limits.disk_reserve_bytes=0", "log.filter=off", "seal.max_size=20000"]);
    let client = reqwest::Client::new();
    let mut acknowledged = Vec::new();
    {
        let node = site.start();
        let mut failed = None;
        for round in 0_u64..2000 {
            let numbers = round * 1000..(round + 1) * 1000;
            let reply = node.submit(&client, numbers.clone().flat_map(digest).collect()).await.unwrap();
            if reply.status() != 200 {
                failed = Some(reply);
                break;
            }
            acknowledged.extend(numbers.zip(indices(&reply.bytes().await.unwrap())));
        }
        let failed = failed.expect("24 MiB do not hold two million digests");
        assert_eq!(failed.status(), 503);
        assert!(failed.text().await.unwrap().contains("store-failed"));
        let still = node.submit(&client, digest(1 << 50).to_vec()).await.unwrap();
        assert_eq!(still.status(), 503, "nothing more is taken");
        let ready = client.get(format!("{}/readyz", node.url)).send().await.unwrap();
        assert!(ready.text().await.unwrap().contains("store-failed"));
    }
    disk.resize(512);
    let node = site.start();
    for part in acknowledged.chunks(20_000) {
        let reply = node.submit(&client, part.iter().flat_map(|(n, _)| digest(*n)).collect()).await.unwrap();
        assert_eq!((reply.status().as_u16(), &reply.headers()["testamur-new"]), (200, &"0".parse().unwrap()));
        let expected: Vec<_> = part.iter().map(|(_, index)| *index).collect();
        assert_eq!(indices(&reply.bytes().await.unwrap()), expected);
    }
}

#[test]
fn a_request_that_never_ends_is_cut_off() {
    let site = Site::new(&["limits.head_seconds=0.2"]);
    let node = site.start();
    let mut stream = std::net::TcpStream::connect(node.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    std::io::Write::write_all(&mut stream, b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it is closed before the read gives up");
}
