//! What commands that go to the chain share: the way there, the key, and how an act is told.

use std::{path::PathBuf, time::Duration};

use serde_json::{Map, Value, json};
use testamur::terminal::{Console, Failure, Tone};
use testamur_chain::{Endpoint, Key, KeySource, Registry, transact};
use testamur_core::{Address, registry::ADDRESS};

/// How long a transaction is waited for: many blocks of any public chain.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// The way to the contract.
#[derive(clap::Args)]
pub struct Access {
    /// A JSON-RPC endpoint of the chain.
    #[arg(long, value_name = "URL", env = "TESTAMUR_RPC", hide_env_values = true)]
    rpc: String,
    /// The registry. Default: the published address.
    #[arg(long, value_name = "0x…")]
    registry: Option<Address>,
}

impl Access {
    pub fn new(rpc: String, registry: Option<Address>) -> Self {
        Self { rpc, registry }
    }

    pub fn endpoint(&self) -> Result<Endpoint, Failure> {
        Ok(Endpoint::connect(&self.rpc)?)
    }

    pub fn address(&self) -> Address {
        self.registry.unwrap_or(ADDRESS)
    }

    /// The contract, once it is known to be there with the published code.
    pub async fn registry(&self) -> Result<Registry, Failure> {
        let endpoint = self.endpoint()?;
        let chain = endpoint.chain_id().await?;
        Ok(Registry::open(endpoint, self.address(), chain).await?)
    }
}

/// Where the private key is. Never on the command line itself.
#[derive(clap::Args)]
pub struct KeyArgs {
    /// A file of mode 0600 that holds the private key in hex.
    #[arg(long, value_name = "FILE", conflicts_with = "keystore")]
    key_file: Option<PathBuf>,
    /// An encrypted keystore (version 3).
    #[arg(long, value_name = "FILE", requires = "password_file")]
    keystore: Option<PathBuf>,
    /// A file of mode 0600 that holds the keystore's password.
    #[arg(long, value_name = "FILE", requires = "keystore")]
    password_file: Option<PathBuf>,
}

impl KeyArgs {
    /// The key, where one was named.
    pub fn load(&self) -> Result<Option<Key>, Failure> {
        let source = match (&self.key_file, &self.keystore, &self.password_file) {
            (Some(file), _, _) => KeySource::KeyFile(file.clone()),
            (_, Some(file), Some(password)) => {
                KeySource::Keystore { file: file.clone(), password_file: password.clone() }
            }
            _ => return Ok(None),
        };
        Ok(Some(source.load()?))
    }

    pub fn require(&self) -> Result<Key, Failure> {
        self.load()?.ok_or_else(|| Failure::usage("no key: give --key-file, or --keystore with --password-file"))
    }
}

/// Says what is about to be done, does it, and tells where it stands.
pub async fn send(
    registry: &Registry,
    key: &Key,
    what: &str,
    calldata: &[u8],
    mut result: Map<String, Value>,
    console: &Console,
) -> Result<(), Failure> {
    let chain = registry.endpoint().chain_id().await?;
    console.line(&format!("{what}\n  on {chain}, in the registry {}, sent by {}", registry.address(), key.address()));
    let done = transact::send(registry.endpoint(), key, registry.address(), calldata, PATIENCE).await?;
    let (block, gas) = (done.receipt.block, done.receipt.gas_used);
    let word = console.tone(Tone::Good, "✓ done");
    console.line(&format!("  {word} in block {block}, transaction {}, {gas} gas", done.hash));
    let place = json!({ "chain": chain, "registry": registry.address(), "sender": key.address(),
        "transaction": done.hash, "block": block, "gasUsed": gas });
    if let Value::Object(place) = place {
        result.extend(place);
    }
    console.object(&result);
    Ok(())
}
