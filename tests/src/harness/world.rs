//! A chain with the registry on it, an issuer that has appointed an operator, and a node that works for both.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tempfile::TempDir;

use super::{Account, Chain, Node, NodeOptions, Ran, run};

/// Everything that the main job needs.
pub struct World {
    /// The chain.
    pub chain: Chain,
    /// Its EIP-155 id.
    pub chain_id: u64,
    /// Where the registry is.
    pub registry: String,
    /// The issuer, which is its own controller.
    pub issuer: Account,
    /// The account that anchors for it.
    pub operator: Account,
    folder: TempDir,
}

impl World {
    /// Deploys the registry and appoints the operator, as an issuer would.
    pub fn on(chain: Chain) -> Self {
        let id = chain.rpc("eth_chainId", serde_json::json!([]));
        let chain_id = u64::from_str_radix(&id.as_str().expect("text")[2..], 16).expect("hex");
        let (issuer, operator) = (chain.account(0), chain.account(1));
        let deployed = issuer_act(&chain, &issuer, &["--json", "registry", "deploy"]).json();
        let registry = deployed["registry"].as_str().expect("an address").to_owned();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let world = Self { chain, chain_id, registry, issuer, operator, folder };
        world.appoint(&world.issuer, &world.operator.address);
        world
    }

    /// An issuer lets an account anchor and revoke for it.
    pub fn appoint(&self, issuer: &Account, operator: &str) {
        let arguments = ["issuer", "appoint", operator, "--roles", "anchor,revoke", "--expires", "30d"];
        issuer_act(&self.chain, issuer, &arguments);
    }

    /// A folder of this world.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the node for this issuer.
    pub fn node(&self) -> Node {
        self.node_through(&self.chain.url)
    }

    /// Starts it on another line to the chain.
    pub fn node_through(&self, rpc: &str) -> Node {
        self.node_for(rpc, &[&self.issuer])
    }

    /// Starts it for several issuers.
    pub fn node_for(&self, rpc: &str, issuers: &[&Account]) -> Node {
        let issuers = issuers.iter().map(|issuer| issuer.address.clone()).collect();
        let options =
            NodeOptions { rpc, chain_id: self.chain_id, issuers, operator: &self.operator, max_age_seconds: 0.2 };
        Node::start(self.folder(), &options)
    }

    /// A copy of the sample credentials, to be anchored.
    pub fn samples(&self) -> PathBuf {
        let to = self.folder().join("credentials");
        fs::create_dir_all(&to).expect("a folder");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/credentials");
        for entry in fs::read_dir(from).expect("committed") {
            let path = entry.expect("an entry").path();
            fs::copy(&path, to.join(path.file_name().expect("a file"))).expect("copied");
        }
        to
    }

    /// Anchors files and waits for a state.
    pub fn anchor(&self, node: &str, token: &Path, paths: &[&Path], wait: &str) -> Ran {
        let mut arguments: Vec<&OsStr> =
            ["anchor", "--node", node, "--wait", wait, "--token-file"].map(OsStr::new).to_vec();
        arguments.push(token.as_os_str());
        arguments.extend(paths.iter().map(|path| path.as_os_str()));
        run("testamur", arguments)
    }

    /// Verifies files as an employer who recognises the issuer, with other arguments added.
    pub fn verify(&self, paths: &[&Path], more: &[&str]) -> Ran {
        let policy = self.folder().join("policy.toml");
        let text = format!(
            "chains = [\"eip155:{}\"]\n[[issuers]]\nid = \"did:web:university.example\"\nname = \"Example University\"\naccounts = [{:?}]\n",
            self.chain_id, self.issuer.address
        );
        fs::write(&policy, text).expect("written");
        let mut arguments: Vec<&OsStr> =
            vec!["--json".as_ref(), "verify".as_ref(), "--policy".as_ref(), policy.as_os_str()];
        if !more.contains(&"--rpc") {
            arguments.extend(["--rpc".as_ref(), OsStr::new(&self.chain.url)]);
        }
        arguments.extend(more.iter().map(OsStr::new));
        arguments.extend(paths.iter().map(|path| path.as_os_str()));
        run("testamur", arguments)
    }

    /// Checks that a root was anchored exactly once, whatever happened on the way.
    #[track_caller]
    pub fn assert_anchored_once(&self, receipt: &Value) {
        let root = receipt["root"].as_str().expect("a root");
        assert_eq!(self.chain.anchored_events(&self.registry, &self.issuer.address, root), 1);
    }
}

fn issuer_act(chain: &Chain, issuer: &Account, arguments: &[&str]) -> Ran {
    let key = issuer.key_file.as_os_str();
    let common: [&OsStr; 4] = ["--rpc".as_ref(), chain.url.as_ref(), "--key-file".as_ref(), key];
    run("testamur", arguments.iter().map(OsStr::new).chain(common)).expect(0)
}
