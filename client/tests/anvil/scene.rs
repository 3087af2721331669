//! A real chain for tests, and documents anchored on it without a node.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use testamur::{content::Content, files};
use testamur_chain::{
    BlockTag, Endpoint, Key, KeySource, Registry,
    deploy::deploy,
    registry::anchor_call,
    transact::{self, Included},
};
use testamur_core::{
    Address, BatchTree, BlockNumber, ChainId, Entry, Hash, Purpose, Receipt, StatusIndex, UnixSeconds,
    observation::StatusRecord,
    proof::{AnchorProof, ProofConfig},
    registry::ADDRESS,
};

/// Keys of anvil's first two accounts, which it prints at every start.
const KEYS: [&str; 2] = [
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
];

/// How long a transaction is waited for.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// An anvil of our own; it ends with the test.
pub struct Anvil {
    process: Child,
    pub url: String,
}

impl Anvil {
    /// Starts one; `None`, and a loud word, where it is not installed.
    pub fn start(chain: u64) -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("SKIPPED: no anvil; run scripts/setup-contracts, or set TESTAMUR_ANVIL");
            return None;
        };
        let mut process = Command::new(program)
            .args(["--port", "0", "--slots-in-an-epoch", "1", "--chain-id", &chain.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("anvil starts");
        let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let address = lines
            .map(|line| line.expect("anvil speaks UTF-8"))
            .find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned))
            .expect("anvil tells where it listens");
        Some(Self { process, url: format!("http://{address}") })
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> Option<PathBuf> {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/node_modules/.bin/anvil");
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|folder| folder.join("anvil"));
    let named = env::var_os("TESTAMUR_ANVIL").map(PathBuf::from);
    named.into_iter().chain([installed]).chain(on_path).find(|program| program.exists())
}

/// A chain with the registry, a folder, and an issuer.
pub struct Scene {
    pub anvil: Anvil,
    pub endpoint: Endpoint,
    pub folder: TempDir,
    pub key: Key,
    pub issuer: Address,
    pub chain: ChainId,
}

impl Scene {
    pub async fn set() -> Option<Self> {
        let chain = ChainId(31337);
        let anvil = Anvil::start(chain.0)?;
        let folder = tempfile::tempdir().expect("a folder");
        for (number, key) in KEYS.iter().enumerate() {
            let file = folder.path().join(format!(".key{number}"));
            fs::write(&file, key).expect("written");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("allowed");
        }
        let endpoint = Endpoint::connect(&anvil.url).expect("a URL");
        let key = KeySource::KeyFile(folder.path().join(".key0")).load().expect("a key");
        deploy(&endpoint, &key, PATIENCE).await.expect("deployed");
        Some(Self { issuer: key.address(), anvil, endpoint, folder, key, chain })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub async fn send(&self, calldata: &[u8]) -> Included {
        transact::send(&self.endpoint, &self.key, ADDRESS, calldata, PATIENCE).await.expect("included")
    }

    /// Mines blocks until what was included is final.
    pub async fn settle(&self) {
        self.ask("anvil_mine", json!(["0x8"])).await;
    }

    pub async fn ask(&self, method: &str, params: Value) -> Value {
        self.endpoint.request(method, params).await.expect("anvil answers")
    }

    /// The time of the newest block.
    pub async fn now(&self) -> u64 {
        self.endpoint.block(BlockTag::Latest).await.expect("a block").time.0
    }

    /// Mines a block with this time.
    pub async fn warp(&self, time: u64) {
        self.ask("evm_setNextBlockTimestamp", json!([time])).await;
        self.ask("evm_mine", json!([])).await;
    }

    pub async fn status_record(&self, purpose: Purpose) -> StatusRecord {
        let registry = Registry::new(self.endpoint.clone(), ADDRESS);
        registry.status_of(self.issuer, purpose, BlockTag::Latest).await.expect("read")
    }

    /// A file whose receipt proves it, in a batch that nobody anchored. Returns its name.
    pub fn forge(&self, name: &str, status_index: StatusIndex) -> String {
        let (content, config) = self.prepare(name, b"forged");
        let entry = Entry { digest: content.digest(&config), status_index };
        let tree = BatchTree::new(vec![entry.leaf_hash()]).expect("not empty");
        let receipt = Receipt { status_index, ..self.receipt(&tree, 0, Hash::ZERO, BlockNumber(1)) };
        self.write_proof(name, content, AnchorProof { config, receipt });
        name.to_owned()
    }

    /// Writes the files and anchors them in one batch, each with its place in it as status index. Returns the root.
    pub async fn anchor(&self, documents: &[(&str, Vec<u8>)]) -> Hash {
        let prepared: Vec<_> = documents.iter().map(|(name, bytes)| self.prepare(name, bytes)).collect();
        let entries = prepared.iter().zip(0..).map(|((content, config), index)| Entry {
            digest: content.digest(config),
            status_index: StatusIndex::new(index).expect("small"),
        });
        let tree = BatchTree::new(entries.map(|entry| entry.leaf_hash()).collect()).expect("not empty");
        let included = self.send(&anchor_call(self.issuer, tree.root(), tree.size())).await;
        for ((leaf, (content, config)), (name, _)) in (0..).zip(prepared).zip(documents) {
            let receipt = self.receipt(&tree, leaf, included.hash, included.receipt.block);
            self.write_proof(name, content, AnchorProof { config, receipt });
        }
        tree.root()
    }

    fn prepare(&self, name: &str, bytes: &[u8]) -> (Content, ProofConfig) {
        fs::write(self.path(name), bytes).expect("written");
        let content = Content::read(&self.path(name)).expect("a document");
        let nonce = [name.len() as u8; 32];
        let created = UnixSeconds(1_760_000_000);
        let config = ProofConfig::new(content.context(), self.chain, self.issuer, created, nonce);
        (content, config)
    }

    fn receipt(&self, tree: &BatchTree, leaf: u64, transaction: Hash, block: BlockNumber) -> Receipt {
        Receipt {
            version: 1,
            leaf_index: leaf,
            tree_size: tree.size(),
            status_index: StatusIndex::new(leaf).expect("small"),
            path: tree.path(leaf).expect("inside"),
            root: tree.root(),
            issuer: self.issuer,
            chain: self.chain,
            registry: ADDRESS,
            transaction,
            block,
        }
    }

    fn write_proof(&self, name: &str, content: Content, proof: AnchorProof) {
        match content {
            Content::Credential(mut credential) => {
                proof.embed(credential.value.as_object_mut().expect("an object")).expect("not anchored yet");
                fs::write(self.path(name), credential.value.to_string()).expect("written");
            }
            Content::File(_) => {
                let receipt = files::receipt_path(&self.path(name));
                fs::write(receipt, proof.to_detached().to_string()).expect("written");
            }
        }
    }

    /// Runs `testamur` with these arguments, words separated by spaces; `$RPC`, `$KEY0`, `$KEY1` and `$ISSUER` are
    /// replaced. Its folder is the scene's.
    pub fn run(&self, arguments: &str) -> Run {
        Run::new(self.command(arguments).output().expect("it runs"))
    }

    /// The same, not started yet.
    pub fn command(&self, arguments: &str) -> Command {
        let arguments = arguments
            .replace("$RPC", &self.anvil.url)
            .replace("$KEY", &format!("{}/.key", self.folder.path().display()))
            .replace("$ISSUER", &self.issuer.to_string());
        let mut command = Command::new(env!("CARGO_BIN_EXE_testamur"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path().join(".state"));
        command
    }
}

/// How a run of `testamur` ended.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Run {
    pub fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The only line of JSON that it printed.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// An Open Badges credential.
pub fn credential(name: &str) -> Vec<u8> {
    let value = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": { "id": "did:web:university.example", "type": ["Profile"], "name": "Example University" },
        "validFrom": "2025-06-01T00:00:00Z",
        "name": name,
        "credentialSubject": { "type": ["AchievementSubject"], "name": "Ada" },
    });
    value.to_string().into_bytes()
}
