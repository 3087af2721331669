//! `testamur reserve`

use std::path::PathBuf;

use serde_json::json;
use testamur::{Node, node::MOST_ENTRIES};
use testamur_core::{Address, Purpose, status::own_entry};

use super::{
    anchor::token,
    console::Console,
    outcome::{Exit, Failure},
};

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
    /// The node.
    #[arg(long, value_name = "URL", env = "TESTAMUR_NODE", hide_env_values = true)]
    node: String,
    /// A file that holds the node's bearer token.
    #[arg(long, value_name = "FILE", env = "TESTAMUR_TOKEN_FILE", hide_env_values = true)]
    token_file: Option<PathBuf>,
    /// The issuer that the token must speak for. Default: whoever it speaks for.
    #[arg(long, value_name = "0x…")]
    issuer: Option<Address>,
}

pub async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    let node = Node::new(&args.node, token(args.token_file.as_deref())?).map_err(|e| Failure::usage(e.to_string()))?;
    let issuer = node.place(args.issuer).await?.issuer;
    let server = node.public_url(issuer).await?;
    for index in node.reserve(issuer, args.count as usize).await? {
        console.line(&index.to_string());
        let entry = |purpose| own_entry(&server, issuer, purpose, index);
        let entries = [Purpose::REVOCATION, Purpose::SUSPENSION].map(entry);
        console.object(&json!({ "index": index, "credentialStatus": entries }));
    }
    Ok(Exit::Done)
}
