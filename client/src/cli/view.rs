//! How a verifier sees the chain: the options that `verify` and `status` share.

use std::{num::NonZeroUsize, path::PathBuf};

use testamur::{
    Chains, StatusServer,
    policy::{FinalityName, Settings, Sources},
    span,
    status::server::Fault,
    terminal::{Console, Failure},
};
use testamur_chain::quorum::Reading;
use testamur_core::{Address, ChainId, UnixSeconds};

#[derive(clap::Args)]
pub struct View {
    /// A JSON-RPC endpoint, or eip155:N=URL where it is for that chain alone. Repeat it: most of those for a chain must agree.
    #[arg(long, value_name = "URL", env = "TESTAMUR_RPC", hide_env_values = true, value_delimiter = ' ')]
    rpc: Vec<String>,
    /// So many endpoints must agree. Default: the policy's, else most of those for the chain.
    #[arg(long, value_name = "K")]
    quorum: Option<NonZeroUsize>,
    /// How the contract is read: `proof` (proven against the block's hash), `agreement` (endpoints answer alike), or
    /// `auto` (proof where an endpoint can give one). Default: the policy's, else auto.
    #[arg(long, value_name = "HOW")]
    reading: Option<Reading>,
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
    /// A policy in TOML: what is trusted, which proofs are required, whom to ask.
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
    /// What counts, and whom to ask: the policy file, and the flags that add to it.
    pub fn settings(&self) -> Result<Settings, Failure> {
        let read = |path: &PathBuf| Settings::read(path).map_err(Failure::usage);
        let mut settings = self.policy.as_ref().map(read).transpose()?.unwrap_or_default();
        let policy = &mut settings.policy;
        policy.chains.extend(&self.chain);
        policy.registries.extend(&self.registry);
        policy.finality = self.finality.map_or(policy.finality, |name| name.0);
        settings.sources.quorum = self.quorum.or(settings.sources.quorum);
        settings.sources.reading = self.reading.unwrap_or(settings.sources.reading);
        Ok(settings)
    }

    pub async fn chains(&self, sources: &Sources) -> Result<Chains, Failure> {
        let moment = self.moment()?;
        let servers: Result<Vec<_>, _> = self.status.iter().map(|url| StatusServer::new(url, self.one)).collect();
        let servers = servers.map_err(|error| Failure::usage(format!("--status: {error}")))?;
        let chains =
            Chains::connect(&self.rpc).await?.with_quorum(sources.quorum.map(NonZeroUsize::get), sources.reading);
        Ok(chains.with_servers(servers).at(moment))
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
