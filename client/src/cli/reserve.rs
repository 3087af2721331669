//! `testamur reserve`

use serde_json::json;
use testamur::{
    node::MOST_ENTRIES,
    terminal::{Console, Exit, Failure},
};
use testamur_core::{Purpose, status::own_entry};

use super::node::NodeArgs;

const AFTER_HELP: &str = "\
For credentials that carry their credentialStatus before they are signed: put the entries that
--json prints into each, sign it, and anchor it; it gets the index that it names. An index is
good for one credential, and nothing else ever gets it. The entries name the node by its
public_url, which should be a name that lasts: whoever verifies with the chain needs no list,
but others fetch it from there.

Examples:
  testamur reserve 30 --node https://node.example --token-file token
  testamur reserve 30 --json --node https://node.example --token-file token > indices.jsonl";

/// Reserve status indices, for credentials that name theirs before they are signed
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// How many, up to 100,000.
    #[arg(value_parser = clap::value_parser!(u32).range(1..=MOST_ENTRIES as i64))]
    count: u32,
    #[command(flatten)]
    node: NodeArgs,
}

pub async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    let node = args.node.connect()?;
    let issuer = node.place(args.node.issuer).await?.issuer;
    let server = node.public_url(issuer).await?;
    for index in node.reserve(issuer, args.count as usize).await? {
        console.line(&index.to_string());
        let entry = |purpose| own_entry(&server, issuer, purpose, index);
        let entries = [Purpose::REVOCATION, Purpose::SUSPENSION].map(entry);
        console.object(&json!({ "index": index, "credentialStatus": entries }));
    }
    Ok(Exit::Done)
}
