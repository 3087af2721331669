//! `testamur registry …`

use serde_json::json;
use testamur::terminal::{Console, Exit, Failure, Tone};
use testamur_chain::{
    BlockTag,
    deploy::{Deployed, deploy},
};
use testamur_core::registry::CODE_HASH;

use super::acts::{Access, KeyArgs, PATIENCE};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Deploy the published contract at its address, which is the same on every chain. Does nothing where it is there.
    #[command(after_help = "Example:\n  testamur registry deploy --rpc https://rpc.example --key-file key")]
    Deploy {
        /// A JSON-RPC endpoint of the chain.
        #[command(flatten)]
        access: Access,
        #[command(flatten)]
        key: KeyArgs,
    },
    /// Tell whether the registry is there, and whether its code is the published one.
    Show(Access),
}

pub async fn run(command: Command, console: &Console) -> Result<Exit, Failure> {
    match command {
        Command::Deploy { access, key } => deploy_registry(&access, &key, console).await,
        Command::Show(access) => show(&access, console).await,
    }
}

async fn deploy_registry(access: &Access, key: &KeyArgs, console: &Console) -> Result<Exit, Failure> {
    let endpoint = access.endpoint()?;
    let chain = endpoint.chain_id().await?;
    let deployed = deploy(&endpoint, &key.require()?, PATIENCE).await?;
    let address = deployed.address();
    let mut result = json!({ "registry": address, "chain": chain, "deployed": false });
    match deployed {
        Deployed::Already(_) => console.line(&format!("the registry is at {address} on {chain} already")),
        Deployed::Now(_, tx) => {
            let (block, gas) = (tx.receipt.block, tx.receipt.gas_used);
            let word = console.tone(Tone::Good, "✓ deployed");
            console.line(&format!("{word} the registry at {address} on {chain}"));
            console.line(&format!("  in block {block}, transaction {}, {gas} gas", tx.hash));
            result["deployed"] = json!(true);
            result["transaction"] = json!(tx.hash);
            result["block"] = json!(block);
            result["gasUsed"] = json!(gas);
        }
    }
    console.object(&result);
    Ok(Exit::Done)
}

async fn show(access: &Access, console: &Console) -> Result<Exit, Failure> {
    let endpoint = access.endpoint()?;
    let (address, chain) = (access.address(), endpoint.chain_id().await?);
    let found = endpoint.code_hash(address, BlockTag::Latest).await?;
    let (exit, words) = match found {
        Some(hash) if hash == CODE_HASH => (Exit::Done, console.tone(Tone::Good, "✓ the published registry")),
        Some(_) => (Exit::Invalid, console.tone(Tone::Bad, "✗ another contract")),
        None => (Exit::Invalid, console.tone(Tone::Bad, "✗ no contract; `testamur registry deploy` puts it there")),
    };
    console.line(&format!("{address} on {chain}\n  {words}"));
    console.object(&json!({ "registry": address, "chain": chain, "codeHash": found, "published": exit == Exit::Done }));
    Ok(exit)
}
