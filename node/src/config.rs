//! The configuration: one TOML file, overridden by the environment, overridden by flags.
//!
//! `TESTAMUR_NODE_CHAIN__RPC=…` in the environment and `--set chain.rpc=…` as a flag set the key `rpc` of the
//! table `[chain]`; lists are written as in TOML (`TESTAMUR_NODE_ISSUERS='["0x…"]'`). Unknown keys are refused.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned};
use testamur_chain::KeySource;
use testamur_core::{Address, ChainId, registry};
use toml::{Table, Value};

use crate::lists::PublicUrl;

/// Environment variables that start with this are keys of the configuration.
const ENVIRONMENT: &str = "TESTAMUR_NODE_";
/// The variable that names the file; no key.
pub const FILE_VARIABLE: &str = "TESTAMUR_NODE_CONFIG";

/// Everything that can be configured.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The folder of the node's data: store and tokens. Made with mode 0700 where there is none.
    #[serde(default = "default_data_dir")]
    pub data_dir: PathBuf,
    /// Where HTTP is served; port 0 takes any free one. TLS is a reverse proxy's job.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// What the URLs of status lists begin with; `http://` and where HTTP is served unless stated. Credentials name
    /// their list by it: choose one that stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<PublicUrl>,
    /// The accounts for which digests are taken.
    pub issuers: Vec<Address>,
    /// The chain.
    pub chain: Chain,
    /// The key that signs anchoring transactions: `key_file = "…"`, or `keystore = { file = "…", password_file = "…" }`.
    #[serde(serialize_with = "paths_only")]
    pub operator: KeySource,
    /// When batches are sealed.
    #[serde(default)]
    pub seal: Seal,
    /// When changes of status are written to the chain.
    #[serde(default)]
    pub status: Status,
    /// What the node defends itself with.
    #[serde(default)]
    pub limits: Limits,
    /// What it writes about its work, to standard error.
    #[serde(default)]
    pub log: Log,
}

/// Table `[chain]`.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// URL of a JSON-RPC endpoint. Often holds an access key: only its host is ever printed.
    #[serde(serialize_with = "host_only")]
    pub rpc: String,
    /// URLs of JSON-RPC endpoints that anybody may use: the page at `/verify/` offers them to its visitors, who see all of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_rpc: Vec<String>,
    /// The EIP-155 chain id that the endpoint must serve.
    pub id: u64,
    /// Address of the `Registry` contract; the published one unless stated.
    #[serde(default = "default_registry")]
    pub registry: Address,
    /// Seconds between two looks at the chain.
    #[serde(default = "default_poll", with = "seconds")]
    pub poll_seconds: Duration,
    /// The most that is bid for gas, in gwei.
    #[serde(default = "default_max_fee")]
    pub max_fee_gwei: u64,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.caip2(), public_part(&self.rpc))
    }
}

impl Chain {
    /// The chain as CAIP-2 writes it.
    pub fn caip2(&self) -> ChainId {
        ChainId(self.id)
    }
}

/// Table `[seal]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Seal {
    /// Digests in a batch, at most 2^22.
    pub max_size: u32,
    /// Age of a batch in seconds.
    #[serde(with = "seconds")]
    pub max_age_seconds: Duration,
}

/// Table `[status]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Status {
    /// Age of a change in seconds.
    #[serde(with = "seconds")]
    pub max_age_seconds: Duration,
    /// Bits to be changed, of one issuer and purpose.
    pub max_changes: usize,
}

/// Table `[limits]`. 0 requests a second: no limit.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of a body of lines or raw digests. What is taken is kept until the reply: up to 40 bytes a digest.
    pub body_bytes: u64,
    /// Bytes of a JSON body, which is parsed as a whole. 100,000 entries with reserved indices need 11 MB.
    pub json_body_bytes: usize,
    /// Open connections; who comes then waits.
    pub connections: usize,
    /// Requests answered at the same time; who comes then is told to try again.
    pub requests: usize,
    /// Requests a second with one token.
    pub token_requests_per_second: u32,
    /// Requests a second of one peer (IPv6: a /64). Peers on this machine are not counted: behind a proxy, all
    /// requests come from it, and limits are its job.
    pub peer_requests_per_second: u32,
    /// Seconds until the head of a request must be complete.
    #[serde(with = "seconds")]
    pub head_seconds: Duration,
    /// Seconds until a body must be complete, and one more for each KiB that has come.
    #[serde(with = "seconds")]
    pub body_seconds: Duration,
    /// Bytes of disk below which nothing is taken.
    pub disk_reserve_bytes: u64,
    /// Bytes of memory for trees of sealed batches.
    pub tree_cache_bytes: usize,
}

/// Table `[log]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `text` or `json`.
    pub format: LogFormat,
    /// Directives as of `tracing_subscriber::EnvFilter`; `info,testamur_node::http=debug`
    /// shows each request.
    pub filter: String,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Seal {
    fn default() -> Self {
        Self { max_size: 1 << 20, max_age_seconds: Duration::from_secs(300) }
    }
}

impl Default for Status {
    fn default() -> Self {
        Self { max_age_seconds: Duration::from_secs(30), max_changes: 50_000 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 256 << 20,
            json_body_bytes: 16 << 20,
            connections: 4096,
            requests: 1024,
            token_requests_per_second: 0,
            peer_requests_per_second: 500,
            head_seconds: Duration::from_secs(10),
            body_seconds: Duration::from_secs(30),
            disk_reserve_bytes: 512 << 20,
            tree_cache_bytes: 128 << 20,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info,fjall=warn,lsm_tree=warn".to_owned() }
    }
}

/// What is wrong with the configuration, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{}: {source}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A key sets a table where another source sets a value.
    #[error("{key}: {part} is not a table")]
    NotATable {
        /// The key.
        key: String,
        /// The part of it that is a value.
        part: String,
    },
    /// A key that does not exist, is missing, or has a value that it cannot have.
    #[error("configuration, {key}: {reason}")]
    Key {
        /// The key, dotted; `.` is the top.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Config {
    /// Reads the file (if any), then the environment, then `settings` (dotted key and value, the last one counts).
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        settings: &[(String, String)],
    ) -> Result<Self, ConfigError> {
        let config: Self = read(file, environment, settings)?;
        config.check()?;
        Ok(config)
    }

    /// Only the data folder: what commands on tokens need.
    pub fn load_data_dir(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        settings: &[(String, String)],
    ) -> Result<PathBuf, ConfigError> {
        let table = merge(file, environment, settings)?;
        let stated = table.get("data_dir").and_then(Value::as_str).map(PathBuf::from);
        Ok(stated.unwrap_or_else(default_data_dir))
    }

    /// What types do not say.
    fn check(&self) -> Result<(), ConfigError> {
        let refuse = |key: &str, reason: &str| Err(ConfigError::Key { key: key.to_owned(), reason: reason.to_owned() });
        match self {
            _ if self.issuers.is_empty() => refuse("issuers", "name at least one issuer"),
            _ if !(1..=1 << 22).contains(&self.seal.max_size) => refuse("seal.max_size", "must be from 1 to 4194304"),
            _ if self.limits.requests == 0 => refuse("limits.requests", "must be at least 1"),
            _ if self.limits.connections == 0 => refuse("limits.connections", "must be at least 1"),
            _ => Ok(()),
        }
    }

    /// The configuration as a TOML file would state it, without secrets.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string_pretty(self)
    }
}

/// Reads all sources as whatever a program configures.
pub(crate) fn read<T: DeserializeOwned>(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
    settings: &[(String, String)],
) -> Result<T, ConfigError> {
    let table = merge(file, environment, settings)?;
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let key = error.path().to_string();
        ConfigError::Key { key, reason: error.into_inner().message().to_owned() }
    })
}

/// All sources in one table.
fn merge(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
    settings: &[(String, String)],
) -> Result<Table, ConfigError> {
    let mut table = file.map(read_file).transpose()?.unwrap_or_default();
    for (name, value) in environment.filter(|(name, _)| name != FILE_VARIABLE) {
        if let Some(key) = name.strip_prefix(ENVIRONMENT) {
            set(&mut table, &key.to_ascii_lowercase().replace("__", "."), &value)?;
        }
    }
    settings.iter().try_for_each(|(key, value)| set(&mut table, key, value))?;
    Ok(table)
}

fn read_file(path: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
    text.parse().map_err(|source| ConfigError::Toml { path: path.to_owned(), source: Box::new(source) })
}

/// Sets a dotted key. What is not a TOML value is a string.
fn set(table: &mut Table, key: &str, value: &str) -> Result<(), ConfigError> {
    let parsed = format!("value = {value}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    let value = parsed.unwrap_or_else(|| Value::String(value.to_owned()));
    let mut parts: Vec<_> = key.split('.').collect();
    let last = parts.pop().unwrap_or_default();
    let mut table = table;
    for part in parts {
        let inner = table.entry(part).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(inner) = inner else {
            return Err(ConfigError::NotATable { key: key.to_owned(), part: part.to_owned() });
        };
        table = inner;
    }
    table.insert(last.to_owned(), value);
    Ok(())
}

pub(crate) fn default_data_dir() -> PathBuf {
    "testamur-data".into()
}

pub(crate) fn default_listen() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 8642).into()
}

pub(crate) fn default_registry() -> Address {
    registry::ADDRESS
}

pub(crate) fn default_poll() -> Duration {
    Duration::from_secs(2)
}

fn default_max_fee() -> u64 {
    500
}

/// A key's source as it is read: paths, no secrets.
fn paths_only<S: Serializer>(source: &KeySource, serializer: S) -> Result<S::Ok, S::Error> {
    let text = |path: &Path| Value::String(path.display().to_string());
    let (kind, value) = match source {
        KeySource::KeyFile(file) => ("key_file", text(file)),
        KeySource::Keystore { file, password_file } => {
            let parts = [("file".to_owned(), text(file)), ("password_file".to_owned(), text(password_file))];
            ("keystore", Value::Table(parts.into_iter().collect()))
        }
    };
    Table::from_iter([(kind.to_owned(), value)]).serialize(serializer)
}

/// Scheme and host of a URL: the rest may be secret.
pub(crate) fn host_only<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&public_part(url))
}

/// Scheme and host of a URL, for logs and replies.
pub fn public_part(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let more = if rest.len() > host.len() + 1 { "/…" } else { "" };
    format!("{scheme}://{host}{more}")
}

/// Durations as numbers of seconds, whole or not.
pub(crate) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(duration.as_secs_f64())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let duration = Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(de::Error::custom)?;
        if duration.is_zero() { Err(de::Error::custom("must be above 0")) } else { Ok(duration) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        issuers = ["0x0707070707070707070707070707070707070707"]
        operator = { key_file = "operator.key" }
        [chain]
        rpc = "https://user:pass@rpc.example/v3/secret-key"
        id = 31337
        [seal]
        max_age_seconds = 0.5
    "#;

    fn load(text: &str, environment: &[(&str, &str)], settings: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.toml");
        std::fs::write(&path, text).unwrap();
        let own = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect::<Vec<_>>();
        Config::load(Some(&path), own(environment).into_iter(), &own(settings))
    }

    #[test]
    fn flags_beat_the_environment_beats_the_file() {
        let environment = [("TESTAMUR_NODE_CHAIN__ID", "5"), ("TESTAMUR_NODE_SEAL__MAX_SIZE", "7"), ("OTHER", "x")];
        let config = load(FILE, &environment, &[("chain.id", "9"), ("data_dir", "/tmp/x")]).unwrap();
        assert_eq!((config.chain.id, config.seal.max_size), (9, 7));
        assert_eq!(config.seal.max_age_seconds, Duration::from_millis(500));
        assert_eq!(config.data_dir, Path::new("/tmp/x"));
        assert_eq!(config.chain.registry, registry::ADDRESS);
    }

    #[test]
    fn mistakes_are_refused_with_their_key() {
        let told = |text: &str, settings: &[(&str, &str)]| load(text, &[], settings).unwrap_err().to_string();
        for (key, value, part) in [
            ("chain.colour", "1", "unknown field `colour`"),
            ("seal.max_age_seconds", "-1", "seal.max_age_seconds"),
            ("seal.max_age_seconds", "0", "above 0"),
            ("seal.max_size", "0", "seal.max_size"),
            ("seal.max_size", "4194305", "seal.max_size"),
            ("issuers", "[]", "issuers"),
            ("issuers", r#"["0x12"]"#, "issuers[0]"),
            ("chain.id.x", "1", "id is not a table"),
            ("listen", "everywhere", "listen"),
        ] {
            let told = told(FILE, &[(key, value)]);
            assert!(told.contains(part), "{key}: {told}");
        }
        assert!(told("issuers = [", &[]).contains("node.toml"));
        assert!(told("", &[]).contains("missing field"));
        assert!(load(FILE, &[("TESTAMUR_NODE_COLOUR", "1")], &[]).is_err());
    }

    #[test]
    fn printing_shows_no_secret_and_can_be_read_again() {
        let printed = load(FILE, &[], &[]).unwrap().to_toml().unwrap();
        assert!(printed.contains("https://rpc.example/…") && !printed.contains("secret") && !printed.contains("pass@"));
        assert_eq!(load(&printed, &[], &[]).unwrap().chain.id, 31337);
        assert_eq!(public_part("http://127.0.0.1:8545"), "http://127.0.0.1:8545");
    }
}
