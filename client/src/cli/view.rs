//! How a verifier sees the chain: the options that `verify` and `status` share.

use std::{fs, path::PathBuf};

use testamur::{
    Chains, StatusServer,
    policy::{self, FinalityName},
    span,
    status::server::Fault,
};
use testamur_core::{Address, ChainId, UnixSeconds, policy::Policy};

use super::{console::Console, outcome::Failure};

#[derive(clap::Args)]
pub struct View {
    /// A JSON-RPC endpoint. Several, for several chains or as substitutes: repeat it.
    #[arg(long, value_name = "URL", env = "TESTAMUR_RPC", hide_env_values = true, value_delimiter = ' ')]
    rpc: Vec<String>,
    /// A node or a mirror that is asked for status lists, whoever runs it: what it says is checked against the chain.
    /// Several are asked in their order. Default: the lists are rebuilt from the chain.
    #[arg(long, value_name = "URL", env = "TESTAMUR_STATUS", hide_env_values = true, value_delimiter = ' ')]
    status: Vec<String>,
    /// Ask the status servers for single bits, not for lists of 131,072. Faster, and tells them which credential it is.
    #[arg(long)]
    one: bool,
    /// Look back: what was true at this moment (RFC 3339, a date, or seconds since 1970)?
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// A policy in TOML: chains, registries, finality, issuers.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Accept this chain as well, such as eip155:31337. A development chain is never accepted otherwise.
    #[arg(long, value_name = "eip155:N")]
    pub chain: Vec<ChainId>,
    /// Accept the registry at this address as well. Its code must be the published code all the same.
    #[arg(long, value_name = "0x…")]
    pub registry: Vec<Address>,
    /// How settled an anchor's block must be: included, safe or final. Default: the policy's, else final.
    #[arg(long, value_name = "STATE")]
    finality: Option<FinalityName>,
}

impl View {
    pub fn policy(&self) -> Result<Policy, Failure> {
        let mut policy = match &self.policy {
            None => Policy::default(),
            Some(path) => {
                let wrong = |error: String| Failure::usage(format!("the policy {}: {error}", path.display()));
                let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
                policy::parse(&text).map_err(|error| wrong(error.to_string()))?
            }
        };
        policy.chains.extend(&self.chain);
        policy.registries.extend(&self.registry);
        policy.finality = self.finality.map_or(policy.finality, |name| name.0);
        Ok(policy)
    }

    pub async fn chains(&self) -> Result<Chains, Failure> {
        let moment = self.moment()?;
        let servers: Result<Vec<_>, _> = self.status.iter().map(|url| StatusServer::new(url, self.one)).collect();
        let servers = servers.map_err(|error| Failure::usage(format!("--status: {error}")))?;
        Ok(Chains::connect(&self.rpc).await?.with_servers(servers).at(moment))
    }

    fn moment(&self) -> Result<Option<UnixSeconds>, Failure> {
        let wrong = || Failure::usage("--at: write 2026-06-30, 2026-06-30T12:00:00Z, or seconds since 1970");
        self.at.as_deref().map(|text| span::moment(text).ok_or_else(wrong)).transpose()
    }
}

/// Names the status servers that were passed over. One that lies is told in any case.
pub fn tell_troubles(chains: &Chains, console: &Console) {
    for trouble in chains.troubles() {
        match trouble.fault {
            Fault::Lie { .. } => console.error(&trouble.to_string()),
            _ => console.note(&format!("passed over: {}", testamur::terminal::printable(&trouble.to_string()))),
        }
    }
}
