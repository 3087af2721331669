//! `testamur-node mirror`.

use clap::Args;
use testamur_core::Address;
use testamur_node::mirror::{serve::Server, settings};
use tokio_util::sync::CancellationToken;

use super::{Failure, Settings, announce, runtime, start_log, stop_on_signal};

#[derive(Args)]
pub struct Arguments {
    /// URL of a JSON-RPC endpoint. One that holds an access key belongs into TESTAMUR_NODE_CHAIN__RPC or the
    /// configuration file: other users can read command lines.
    #[arg(long, value_name = "URL")]
    rpc: Option<String>,
    /// Address of the registry contract; the published one unless stated.
    #[arg(long, value_name = "ADDRESS")]
    registry: Option<Address>,
    /// Serve this issuer only; may be repeated. Otherwise any issuer is read when it is asked for.
    #[arg(long, value_name = "ADDRESS")]
    issuer: Vec<Address>,
    /// The chain that the endpoint must serve; what it serves at the start unless stated.
    #[arg(long, value_name = "NUMBER")]
    chain_id: Option<u64>,
}

pub fn run(arguments: &Arguments, common: &Settings) -> Result<(), Failure> {
    let pairs: Vec<_> = common.pairs().into_iter().chain(arguments.pairs()).collect();
    let settings = settings::Settings::load(common.config.as_deref(), std::env::vars(), &pairs)?;
    start_log(&settings.log)?;
    runtime()?.block_on(async {
        let shutdown = CancellationToken::new();
        stop_on_signal(&shutdown)?;
        let server = Server::start(settings, shutdown).await?;
        announce(server.address(), common.json);
        server.run().await;
        Ok(())
    })
}

impl Arguments {
    /// The keys of the configuration that these flags set.
    fn pairs(&self) -> impl Iterator<Item = (String, String)> {
        let issuers: Vec<_> = self.issuer.iter().map(|issuer| format!("\"{issuer}\"")).collect();
        let flags = [
            ("chain.rpc", self.rpc.clone()),
            ("chain.registry", self.registry.map(|registry| registry.to_string())),
            ("chain.id", self.chain_id.map(|id| id.to_string())),
            ("issuers", (!issuers.is_empty()).then(|| format!("[{}]", issuers.join(", ")))),
        ];
        flags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)))
    }
}
