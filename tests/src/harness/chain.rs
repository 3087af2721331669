//! A development chain: anvil, or geth where it has been built.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::until;

/// An account of the chain that has funds, and its key in a file of mode 0600.
pub struct Account {
    /// The address, in lower case.
    pub address: String,
    /// Where its key is.
    pub key_file: PathBuf,
}

/// Keys and addresses that anvil gives funds to: those of the mnemonic "test test … junk", known to everybody.
const DEV_KEYS: [(&str, &str); 4] = [
    ("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    ("0x70997970c51812dc3a010c7d01b50e0d17dc79c8", "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    ("0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc", "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
    ("0x90f79bf6eb2c4f870365e785982e1f101e93b906", "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
];

/// A running chain. It ends when dropped.
pub struct Chain {
    child: Child,
    folder: TempDir,
    /// Its JSON-RPC endpoint.
    pub url: String,
}

impl Chain {
    /// Starts anvil with blocks of one second that are final two blocks later.
    pub fn anvil() -> Self {
        Self::anvil_with(&["--block-time", "1", "--slots-in-an-epoch", "1"])
    }

    /// Starts anvil with other arguments.
    pub fn anvil_with(arguments: &[&str]) -> Self {
        let program = program("TESTAMUR_ANVIL", "../contracts/node_modules/.bin/anvil").unwrap_or("anvil".into());
        let mut child = Command::new(&program)
            .args(["--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; scripts/setup-contracts installs it", program.display()));
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let address =
            output.lines().map_while(Result::ok).find_map(|l| l.strip_prefix("Listening on ").map(str::to_owned));
        let url = format!("http://{}", address.expect("anvil prints where it listens"));
        Self::ready(child, url)
    }

    /// Starts geth in developer mode with blocks of one second, or `None` where no geth was built.
    pub fn geth() -> Option<Self> {
        let program = program("TESTAMUR_GETH", "../target/tools/geth").ok()?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let child = Command::new(program)
            .args(["--dev", "--dev.period", "1", "--http", "--http.api", "eth,net,web3", "--ipcdisable", "--port", "0"])
            .args(["--http.port", &port.to_string(), "--authrpc.port", &free_port().to_string(), "--nodiscover"])
            .arg("--datadir")
            .arg(folder.path())
            .args(["--verbosity", "1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("geth starts");
        let chain = Self { child, folder, url: format!("http://127.0.0.1:{port}") };
        until("geth answers", || chain.try_rpc("eth_chainId", json!([])).ok());
        // Developer mode has one account with funds, whose key only geth holds.
        let rich = until("geth's account", || chain.rpc("eth_accounts", json!([]))[0].as_str().map(str::to_owned));
        for (address, _) in DEV_KEYS {
            let value = json!([{"from": rich, "to": address, "value": "0x56bc75e2d63100000"}]);
            chain.rpc("eth_sendTransaction", value);
        }
        let last = DEV_KEYS[DEV_KEYS.len() - 1].0;
        until("funds", || (chain.rpc("eth_getBalance", json!([last, "latest"])) != "0x0").then_some(()));
        Some(chain)
    }

    fn ready(child: Child, url: String) -> Self {
        let chain = Self { child, folder: tempfile::tempdir().expect("a temporary folder"), url };
        until("the chain answers", || chain.try_rpc("eth_chainId", json!([])).ok());
        chain
    }

    /// One of its accounts with funds, 0 to 3.
    pub fn account(&self, number: usize) -> Account {
        let (address, key) = DEV_KEYS[number];
        let key_file = self.folder.path().join(format!("{address}.key"));
        if !key_file.exists() {
            write_secret(&key_file, key);
        }
        Account { address: address.to_owned(), key_file }
    }

    /// Asks the chain; panics where it answers with an error.
    #[track_caller]
    pub fn rpc(&self, method: &str, parameters: Value) -> Value {
        self.try_rpc(method, parameters).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn try_rpc(&self, method: &str, parameters: Value) -> Result<Value, String> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters});
        let answer: Value = reqwest::blocking::Client::new()
            .post(&self.url)
            .json(&body)
            .send()
            .and_then(|response| response.json())
            .map_err(|error| error.to_string())?;
        answer.get("result").cloned().ok_or_else(|| answer["error"].to_string())
    }

    /// The time of its newest block, in seconds since 1970.
    pub fn now(&self) -> u64 {
        let block = self.rpc("eth_getBlockByNumber", json!(["latest", false]));
        let time = block["timestamp"].as_str().expect("a block has a time");
        u64::from_str_radix(time.trim_start_matches("0x"), 16).expect("hex")
    }

    /// The number of `Anchored` events of an issuer and root: must be one, whatever happened on the way.
    pub fn anchored_events(&self, registry: &str, issuer: &str, root: &str) -> usize {
        // keccak-256 of "Anchored(address,bytes32,uint64,uint64)", as in the committed ABI.
        let topic = "0x".to_owned() + ANCHORED_TOPIC;
        let issuer = format!("0x{:0>64}", issuer.trim_start_matches("0x"));
        let filter =
            json!([{"fromBlock": "0x0", "toBlock": "latest", "address": registry, "topics": [topic, issuer, root]}]);
        self.rpc("eth_getLogs", filter).as_array().map_or(0, Vec::len)
    }
}

const ANCHORED_TOPIC: &str = "ef142d390c5328deae6fcdec8e8eed362b224af35bb6d9aeb988f6233b12a6e9";

impl Drop for Chain {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program by environment, or at its usual place from this crate's folder.
fn program(variable: &str, place: &str) -> Result<PathBuf, ()> {
    let place =
        std::env::var_os(variable).map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(place), PathBuf::from);
    if place.exists() { Ok(place) } else { Err(()) }
}

/// A port that was free a moment ago, for programs that cannot choose one themselves.
pub(super) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// Writes a file that only its owner may read.
pub(super) fn write_secret(path: &Path, text: &str) {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).expect("writable");
    file.write_all(text.as_bytes()).expect("written");
}
