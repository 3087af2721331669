//! An anvil of one's own, killed when dropped.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use testamur_chain::{
    BlockTag, Endpoint, Key, KeySource, Registry, TxFees, deploy, sign,
    transact::{self, Included},
};
use testamur_core::{Address, BlockNumber, ChainId, Hash};

pub const CHAIN: ChainId = ChainId(31337);
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Keys of anvil's first accounts.
const KEYS: [&str; 3] = [
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
];

pub struct Chain {
    _anvil: Anvil,
    pub endpoint: Endpoint,
}

struct Anvil(Child);

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Chain {
    /// A new chain that mines at once; `None`, loudly, where there is no anvil.
    pub fn start(test: &str) -> Option<Self> {
        let Some(anvil) = find_anvil() else {
            // Past the test harness, which would swallow it.
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: no anvil (run scripts/setup-contracts)");
            return None;
        };
        let started = Command::new(anvil).args(["--port", "0"]).stdout(Stdio::piped()).spawn();
        let mut anvil = Anvil(started.expect("anvil starts"));
        let output = BufReader::new(anvil.0.stdout.take().expect("piped"));
        let (told, listening) = mpsc::channel();
        // Reads on after the port is known: a full pipe would stop anvil.
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("Listening on ") {
                    let _ = told.send(address.to_owned());
                }
            }
        });
        let url = listening.recv_timeout(PATIENCE).map(|address| format!("http://{address}"));
        let url = url.expect("anvil listens");
        let endpoint = Endpoint::connect(&url).unwrap();
        Some(Self { _anvil: anvil, endpoint })
    }

    pub async fn ask(&self, method: &str, params: Value) -> Value {
        self.endpoint.request(method, params).await.unwrap()
    }

    pub async fn mine(&self, blocks: u64) {
        self.ask("anvil_mine", json!([format!("{blocks:#x}")])).await;
    }

    pub async fn automine(&self, on: bool) {
        self.ask("evm_setAutomine", json!([on])).await;
    }

    pub async fn head(&self) -> BlockNumber {
        self.endpoint.block(BlockTag::Latest).await.unwrap().number
    }

    pub async fn registry(&self) -> Registry {
        let deployed = deploy::deploy(&self.endpoint, &key(0), PATIENCE).await.unwrap();
        Registry::new(self.endpoint.clone(), deployed.address())
    }

    pub async fn send(&self, who: &Key, to: Address, calldata: Vec<u8>) -> Included {
        transact::send(&self.endpoint, who, to, &calldata, PATIENCE).await.unwrap()
    }

    /// Puts several calls of one account into one block, in their order.
    pub async fn in_one_block(&self, who: &Key, to: Address, calls: Vec<Vec<u8>>) -> BlockNumber {
        self.automine(false).await;
        for raw in self.signed(who, to, calls).await {
            self.endpoint.send_raw(&raw).await.unwrap();
        }
        self.mine(1).await;
        self.automine(true).await;
        self.head().await
    }

    /// Signs calls of one account, in their order, without sending them.
    pub async fn signed(&self, who: &Key, to: Address, calls: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let nonce = self.endpoint.nonce(who.address(), BlockTag::Latest).await.unwrap();
        let fees = self.endpoint.fees().await.unwrap().bid();
        (nonce..).zip(&calls).map(|(nonce, call)| sign(who, nonce, fees, 500_000, to, call, CHAIN).raw).collect()
    }
}

/// A registry on a geth in developer mode, in which accounts 0 and 1 have funds, and its endpoint; `None`, loudly,
/// where no geth was built.
pub async fn geth(test: &str) -> Option<(Geth, Registry)> {
    let program = env::var_os("TESTAMUR_GETH")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/geth"), PathBuf::from);
    if !program.is_file() {
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: no geth (TESTAMUR_GETH, or target/tools/geth)");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let child = Command::new(program)
        .args(["--dev", "--http", "--http.api", "eth", "--http.port", &port, "--authrpc.port", "0", "--port", "0"])
        .args(["--nodiscover", "--ipcdisable", "--verbosity", "1", "--datadir"])
        .arg(folder.path())
        .stderr(Stdio::null())
        .spawn();
    let process = Anvil(child.expect("geth starts"));
    let endpoint = Endpoint::connect(&format!("http://127.0.0.1:{port}")).unwrap();
    until("geth answers", async || endpoint.chain_id().await.is_ok()).await;
    let accounts: Vec<Address> = endpoint.request("eth_accounts", json!([])).await.unwrap();
    for to in [key(0).address(), key(1).address()] {
        let gift = json!([{ "from": accounts[0], "to": to, "value": "0x56bc75e2d63100000" }]);
        endpoint.request::<Value>("eth_sendTransaction", gift).await.unwrap();
        until("funds", async || endpoint.balance(to).await.unwrap() > 0).await;
    }
    let deployed = deploy::deploy(&endpoint, &key(0), PATIENCE).await.unwrap();
    Some((Geth { _process: process, _folder: folder }, Registry::new(endpoint, deployed.address())))
}

/// A running geth and its data. Both are gone when dropped.
pub struct Geth {
    _process: Anvil,
    _folder: tempfile::TempDir,
}

/// The key of anvil's account `n`, by way of a key file.
pub fn key(n: usize) -> Key {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), KEYS[n]).unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
    KeySource::KeyFile(file.path().to_owned()).load().unwrap()
}

pub fn root(n: u8) -> Hash {
    Hash([n; 32])
}

pub fn fees(max_fee: u128, max_priority_fee: u128) -> TxFees {
    TxFees { max_fee, max_priority_fee }
}

/// Waits for a state of the world.
pub async fn until(what: &str, check: impl AsyncFn() -> bool) {
    let wait = async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{what}: not in {PATIENCE:?}"));
}

/// The binary itself: npm's launcher would leave it running when killed.
fn find_anvil() -> Option<PathBuf> {
    if let Some(named) = env::var_os("TESTAMUR_ANVIL") {
        return Some(named.into());
    }
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/node_modules/@foundry-rs");
    let installed = fs::read_dir(packages).into_iter().flatten().flatten();
    let beside = installed.map(|package| package.path().join("bin/anvil"));
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<_> = env::split_paths(&path).map(|folder| folder.join("anvil")).collect();
    beside.chain(on_path).find(|candidate| candidate.is_file())
}
