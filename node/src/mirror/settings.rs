//! What `testamur-node mirror` is configured with: the same sources and names as a node, and no key, no token.

use std::{net::SocketAddr, path::Path, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use testamur_core::Address;

use super::Limits;
use crate::{
    config::{self, ConfigError, Log},
    lists::PublicUrl,
};

/// Everything that can be configured.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The folder of the mirror's data. Made with mode 0700 where there is none.
    #[serde(default = "config::default_data_dir")]
    pub data_dir: PathBuf,
    /// Where HTTP is served; port 0 takes any free one. TLS is a reverse proxy's job.
    #[serde(default = "config::default_listen")]
    pub listen: SocketAddr,
    /// What the URLs of status lists begin with; `http://` and where HTTP is served unless stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<PublicUrl>,
    /// The only issuers that are served; none: any that is asked for.
    #[serde(default)]
    pub issuers: Vec<Address>,
    /// The chain.
    pub chain: Source,
    /// What is kept in memory.
    #[serde(default)]
    pub mirror: Memory,
    /// What the mirror defends itself with.
    #[serde(default)]
    pub limits: config::Limits,
    /// What it writes about its work, to standard error.
    #[serde(default)]
    pub log: Log,
}

/// Table `[chain]`.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// URL of a JSON-RPC endpoint. Often holds an access key: only its host is ever printed.
    #[serde(serialize_with = "config::host_only")]
    pub rpc: String,
    /// The EIP-155 chain id that the endpoint must serve; what it serves at the start unless stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// Address of the `Registry` contract; the published one unless stated.
    #[serde(default = "config::default_registry")]
    pub registry: Address,
    /// Seconds between two looks at the chain.
    #[serde(default = "config::default_poll", with = "config::seconds")]
    pub poll_seconds: Duration,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&config::public_part(&self.rpc))
    }
}

/// Table `[mirror]`. Issuers that are named are beyond these limits.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Memory {
    /// Bytes of status trees; beyond, what was asked for longest ago is dropped. A single one that takes more is not read.
    pub memory_bytes: usize,
    /// Issuers and purposes.
    pub followed: usize,
    /// Issuers and purposes that are read for the first time at the same time.
    pub loads: usize,
    /// Seconds that a question waits for a first reading.
    #[serde(with = "config::seconds")]
    pub patience_seconds: Duration,
    /// Seconds after which what nobody asks for is dropped.
    #[serde(with = "config::seconds")]
    pub idle_seconds: Duration,
}

impl Default for Memory {
    fn default() -> Self {
        let Limits { memory_bytes, followed, loads, patience, idle, .. } = Limits::default();
        Self { memory_bytes, followed, loads, patience_seconds: patience, idle_seconds: idle }
    }
}

impl Memory {
    pub(super) fn limits(&self) -> Limits {
        let Self { memory_bytes, followed, loads, patience_seconds, idle_seconds } = *self;
        Limits { memory_bytes, followed, loads, patience: patience_seconds, idle: idle_seconds, ..Limits::default() }
    }
}

impl Settings {
    /// Reads the file (if any), then the environment, then `settings`, as a node does.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        settings: &[(String, String)],
    ) -> Result<Self, ConfigError> {
        let read: Self = config::read(file, environment, settings)?;
        let none = [
            ("limits.requests", read.limits.requests),
            ("limits.connections", read.limits.connections),
            ("mirror.loads", read.mirror.loads),
        ];
        match none.iter().find(|(_, value)| *value == 0) {
            Some((key, _)) => Err(ConfigError::Key { key: (*key).to_owned(), reason: "must be at least 1".to_owned() }),
            None => Ok(read),
        }
    }
}
