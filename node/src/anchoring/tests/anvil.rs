//! A development chain in a process of its own.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use testamur_chain::Endpoint;

pub struct Anvil {
    child: Child,
    pub url: String,
    pub endpoint: Endpoint,
}

impl Anvil {
    /// `None`, said aloud, where anvil is not installed.
    pub fn start() -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("SKIPPED: anvil is not there; run scripts/setup-contracts, or set TESTAMUR_ANVIL");
            return None;
        };
        let mut child = Command::new(program)
            .args(["--port", "0", "--slots-in-an-epoch", "1"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("anvil starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let url = lines
            .map_while(Result::ok)
            .find_map(|line| Some(format!("http://{}", line.strip_prefix("Listening on ")?)))
            .expect("anvil says where it listens");
        let endpoint = Endpoint::connect(&url).expect("a URL");
        Some(Self { child, url, endpoint })
    }

    pub async fn rpc<R: DeserializeOwned>(&self, method: &str, params: Value) -> R {
        self.endpoint.request(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    pub async fn mine(&self, blocks: u64) {
        for _ in 0..blocks {
            let _: Value = self.rpc("evm_mine", json!([])).await;
        }
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    let named = std::env::var_os("TESTAMUR_ANVIL").map(PathBuf::from);
    let installed = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../contracts/node_modules/.bin/anvil");
    named.or_else(|| installed.exists().then_some(installed))
}
