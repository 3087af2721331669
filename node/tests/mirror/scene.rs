//! A chain of one's own with the registry on it, an endpoint before it that counts, lies and fails, and mirrors.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use serde_json::{Value, json};
use testamur_chain::{
    Endpoint, Key as AccountKey, KeySource, Registry, StatusView, deploy, registry::update_status_call, transact,
};
use testamur_core::{
    Address, ChainId, Hash, Purpose, StatusIndex,
    status::{StatusTree, delta},
};
use testamur_node::{
    health::Health,
    mirror::{Limits, Mirror, MirrorConfig, Report},
};
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub const CHAIN: ChainId = ChainId(31337);
pub const REVOCATION: Purpose = Purpose::REVOCATION;
pub const SUSPENSION: Purpose = Purpose::SUSPENSION;
const PATIENCE: Duration = Duration::from_secs(30);

/// Keys of anvil's first accounts.
const KEYS: [&str; 3] = [
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
];

pub struct Scene {
    anvil: Child,
    pub endpoint: Endpoint,
    pub proxy: Proxy,
    registry: Registry,
    /// What each issuer's bits are, with the epoch.
    bits: Mutex<BTreeMap<(usize, u8), (u64, StatusTree)>>,
    pub folder: tempfile::TempDir,
}

impl Scene {
    /// Two issuers (1 and 2) on a new chain; `None`, loudly, where there is no anvil.
    pub async fn new(test: &str) -> Option<Self> {
        let Some(program) = find_anvil() else {
            // Past the test harness, which would swallow it.
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: no anvil (run scripts/setup-contracts)");
            return None;
        };
        let (anvil, url) = start(&program);
        let endpoint = Endpoint::connect(&url).unwrap();
        let deployed = deploy::deploy(&endpoint, &account(0), PATIENCE).await.unwrap();
        let registry = Registry::new(endpoint.clone(), deployed.address());
        let proxy = Proxy::start(&endpoint).await;
        let (bits, folder) = (Mutex::default(), tempfile::tempdir().unwrap());
        Some(Self { anvil, endpoint, proxy, registry, bits, folder })
    }

    pub fn issuer(&self, n: usize) -> Address {
        account(n).address()
    }

    pub fn registry(&self) -> Address {
        self.registry.address()
    }

    /// An honest update.
    pub async fn toggle(&self, n: usize, purpose: Purpose, indices: &[u64]) {
        let delta = delta::encode(&places(indices)).unwrap();
        let (epoch, root) = {
            let mut bits = self.bits.lock().unwrap();
            let (epoch, tree) = bits.entry((n, purpose.0)).or_default();
            tree.toggle(&places(indices));
            *epoch += 1;
            (*epoch, tree.root())
        };
        self.publish(n, purpose, epoch, root, &delta).await;
    }

    /// An update with any root and delta.
    pub async fn forge(&self, n: usize, purpose: Purpose, root: Hash, delta: &[u8]) {
        let epoch = {
            let mut bits = self.bits.lock().unwrap();
            let (epoch, _) = bits.entry((n, purpose.0)).or_default();
            *epoch += 1;
            *epoch
        };
        self.publish(n, purpose, epoch, root, delta).await;
    }

    /// An update that toggles nothing and states the root of exactly these bits, which are the issuer's from now on.
    pub async fn settle(&self, n: usize, purpose: Purpose, indices: &[u64]) {
        let mut tree = StatusTree::new();
        tree.toggle(&places(indices));
        self.forge(n, purpose, tree.root(), &[]).await;
        if let Some((_, bits)) = self.bits.lock().unwrap().get_mut(&(n, purpose.0)) {
            *bits = tree;
        }
    }

    async fn publish(&self, n: usize, purpose: Purpose, epoch: u64, root: Hash, delta: &[u8]) {
        self.act(n, &update_status_call(self.issuer(n), purpose, epoch, root, delta)).await;
    }

    /// An issuer's transaction, in a block when this returns.
    pub async fn act(&self, n: usize, call: &[u8]) {
        transact::send(&self.endpoint, &account(n), self.registry.address(), call, PATIENCE).await.unwrap();
    }

    /// The root of an issuer's bits as they are meant.
    pub fn root(&self, n: usize, purpose: Purpose) -> Hash {
        self.bits.lock().unwrap()[&(n, purpose.0)].1.root()
    }

    /// Undoes the newest blocks, and what was published in them.
    pub async fn reorganise(&self, blocks: u64, n: usize, purpose: Purpose, undone: &[u64]) {
        let _: Value = self.endpoint.request("anvil_reorg", json!([blocks, []])).await.unwrap();
        let mut bits = self.bits.lock().unwrap();
        let (epoch, tree) = bits.entry((n, purpose.0)).or_default();
        *epoch -= 1;
        tree.toggle(&places(undone));
    }

    pub async fn mine(&self, blocks: u64) {
        let _: Value = self.endpoint.request("anvil_mine", json!([format!("{blocks:#x}")])).await.unwrap();
    }

    pub fn mirror_folder(&self) -> PathBuf {
        self.folder.path().join("mirror")
    }

    /// What a mirror of these issuers would be started with; none: of anybody.
    pub fn config(&self, issuers: &[usize]) -> MirrorConfig {
        MirrorConfig {
            registry: Registry::new(self.proxy.endpoint(), self.registry()),
            chain: CHAIN,
            folder: self.mirror_folder(),
            issuers: issuers.iter().map(|&n| self.issuer(n)).collect(),
            open: issuers.is_empty(),
            poll: Duration::from_millis(50),
            limits: Limits { patience: PATIENCE, ..Limits::default() },
        }
    }

    pub async fn mirror(&self, issuers: &[usize]) -> Running {
        Running::start(self.config(issuers)).await
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.anvil.kill();
        let _ = self.anvil.wait();
    }
}

/// A mirror that runs.
pub struct Running {
    pub mirror: Mirror,
    pub health: Health,
    task: JoinHandle<()>,
    shutdown: CancellationToken,
}

impl Running {
    pub async fn start(config: MirrorConfig) -> Self {
        let (report, shutdown) = (Report::default(), CancellationToken::new());
        let health = report.health.clone();
        let (mirror, task) = Mirror::start(config, report, shutdown.clone()).await.unwrap();
        Self { mirror, health, task, shutdown }
    }

    /// Stops it and closes its folder.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }

    pub fn problems(&self) -> Vec<&'static str> {
        self.health.reasons().iter().map(|reason| reason.problem).collect()
    }

    /// Waits for a view.
    pub async fn until(
        &self,
        what: &str,
        issuer: Address,
        purpose: Purpose,
        fits: impl Fn(&StatusView) -> bool,
    ) -> Arc<StatusView> {
        let mut changed = self.mirror.changed();
        let wait = async {
            loop {
                match self.mirror.view(issuer, purpose) {
                    Some(view) if fits(&view) => return view,
                    _ => changed.changed().await.unwrap(),
                }
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.unwrap_or_else(|_| panic!("{what}: {:?}", self.mirror.standing(issuer, purpose)))
    }

    /// Waits until the problems are these.
    pub async fn until_problems(&self, expected: &[&str]) {
        until("problems", || self.problems() == expected, || format!("{:?}", self.health.reasons())).await;
    }
}

/// Waits for a state of the world.
pub async fn until(what: &str, fits: impl Fn() -> bool, state: impl Fn() -> String) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !fits() {
        assert!(tokio::time::Instant::now() < deadline, "{what}: {}", state());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The set bits at the head.
pub fn set(view: &StatusView) -> Vec<u64> {
    assert_eq!(view.head.fault, None);
    view.head.tree.set_bits().map(StatusIndex::get).collect()
}

pub fn places(indices: &[u64]) -> Vec<StatusIndex> {
    indices.iter().map(|&n| StatusIndex::new(n).unwrap()).collect()
}

/// What the endpoint makes of an answer (method, its result).
type Rule = Arc<dyn Fn(&str, &mut Value) + Send + Sync>;

/// An endpoint before the chain.
#[derive(Clone)]
pub struct Proxy {
    url: String,
    behind: Endpoint,
    script: Arc<Mutex<Script>>,
    /// Event queries pass one for each permit.
    pub gate: Arc<Semaphore>,
}

#[derive(Default)]
struct Script {
    seen: Vec<String>,
    down: bool,
    rule: Option<Rule>,
}

impl Proxy {
    async fn start(behind: &Endpoint) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        let proxy = Self { url, behind: behind.clone(), script: Arc::default(), gate };
        let router = Router::new().route("/", post(answer)).with_state(proxy.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        proxy
    }

    pub fn endpoint(&self) -> Endpoint {
        Endpoint::connect(&self.url).unwrap()
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on it answers nothing, or does again.
    pub fn down(&self, down: bool) {
        self.script.lock().unwrap().down = down;
    }

    /// From now on it changes answers.
    pub fn lie(&self, rule: impl Fn(&str, &mut Value) + Send + Sync + 'static) {
        self.script.lock().unwrap().rule = Some(Arc::new(rule));
    }

    pub fn be_honest(&self) {
        self.script.lock().unwrap().rule = None;
    }

    /// Counts anew.
    pub fn forget(&self) {
        self.script.lock().unwrap().seen.clear();
    }

    /// How often a method was asked for.
    pub fn count(&self, method: &str) -> usize {
        self.script.lock().unwrap().seen.iter().filter(|seen| *seen == method).count()
    }
}

async fn answer(State(proxy): State<Proxy>, body: Bytes) -> axum::response::Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let method = request["method"].as_str().unwrap().to_owned();
    let (down, rule) = {
        let mut script = proxy.script.lock().unwrap();
        script.seen.push(method.clone());
        (script.down, script.rule.clone())
    };
    if down {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    if method == "eth_getLogs" {
        proxy.gate.acquire().await.unwrap().forget();
    }
    let answer = match proxy.behind.request::<Value>(&method, request["params"].clone()).await {
        Ok(mut result) => {
            rule.iter().for_each(|rule| rule(&method, &mut result));
            json!({ "jsonrpc": "2.0", "id": 1, "result": result })
        }
        Err(error) => json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32000, "message": error.to_string() } }),
    };
    axum::Json(answer).into_response()
}

/// The key of anvil's account `n`, by way of a key file.
fn account(n: usize) -> AccountKey {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), KEYS[n]).unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
    KeySource::KeyFile(file.path().to_owned()).load().unwrap()
}

fn start(program: &Path) -> (Child, String) {
    let arguments = ["--port", "0", "--slots-in-an-epoch", "1"];
    let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (told, listening) = mpsc::channel();
    // Reads on after the port is known: a full pipe would stop anvil.
    thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if let Some(address) = line.strip_prefix("Listening on ") {
                let _ = told.send(format!("http://{address}"));
            }
        }
    });
    (child, listening.recv_timeout(PATIENCE).expect("anvil listens"))
}

/// The binary itself: npm's launcher would leave it running when killed.
fn find_anvil() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TESTAMUR_ANVIL") {
        return Some(named.into());
    }
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/node_modules/@foundry-rs");
    let installed = fs::read_dir(packages).into_iter().flatten().flatten();
    installed.map(|package| package.path().join("bin/anvil")).find(|candidate| candidate.is_file())
}
