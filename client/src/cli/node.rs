//! What commands that go to the issuer's node share: where it is, and the token.

use std::path::{Path, PathBuf};

use testamur::{Node, Token, terminal::Failure};
use testamur_core::Address;

/// The way to the node.
#[derive(clap::Args)]
pub struct NodeArgs {
    /// The node.
    #[arg(long, value_name = "URL", env = "TESTAMUR_NODE", hide_env_values = true)]
    node: String,
    /// A file that holds the node's bearer token.
    #[arg(long, value_name = "FILE", env = "TESTAMUR_TOKEN_FILE", hide_env_values = true)]
    token_file: Option<PathBuf>,
    /// The issuer that the token must speak for. Default: whoever it speaks for.
    #[arg(long, value_name = "0x…")]
    pub issuer: Option<Address>,
}

impl NodeArgs {
    /// The node with the token. No request is made.
    pub fn connect(&self) -> Result<Node, Failure> {
        let token = token(self.token_file.as_deref())?;
        Node::new(&self.node, token).map_err(|error| Failure::usage(error.to_string()))
    }
}

/// The node's bearer token, from a file or the environment.
pub fn token(file: Option<&Path>) -> Result<Token, Failure> {
    let text = match file {
        Some(path) => std::fs::read_to_string(path).map_err(|error| {
            let message = format!("the token file {} cannot be read: {error}", path.display());
            Failure::usage(message)
        })?,
        None => std::env::var("TESTAMUR_TOKEN")
            .map_err(|_| Failure::usage("no token: give --token-file, or set TESTAMUR_TOKEN"))?,
    };
    Token::new(&text).ok_or_else(|| Failure::usage("the token is not one line of printable characters"))
}
