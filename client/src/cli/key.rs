//! `testamur key …`

use std::path::PathBuf;

use serde_json::json;
use testamur::{
    newkey,
    terminal::{Console, Exit, Failure},
};
use testamur_chain::{Key, KeySource};

use super::acts::KeyArgs;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Make a new key in a file that only you can read, and print its account
    #[command(after_help = "Example:\n  testamur key new --out issuer.key")]
    New {
        /// The file to make. An existing one is never replaced.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Make an encrypted keystore (version 3), with the password that this file of mode 0600 holds.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// What it is for: `account` (of an issuer or operator), or `ed25519` (signs verification receipts).
        #[arg(long, default_value = "account", conflicts_with = "password_file")]
        kind: Kind,
    },
    /// Print the account of a key.
    Address(KeyArgs),
}

/// What a key signs.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Kind {
    Account,
    Ed25519,
}

pub fn run(command: Command, console: &Console) -> Result<Exit, Failure> {
    match command {
        Command::New { out, kind: Kind::Ed25519, .. } => {
            let did = newkey::create_witness(&out)?.did();
            console.line(&did);
            console.object(&json!({ "did": did }));
        }
        Command::New { out, password_file, .. } => {
            let source = match password_file {
                Some(password_file) => KeySource::Keystore { file: out, password_file },
                None => KeySource::KeyFile(out),
            };
            tell(&newkey::create(&source)?, console);
        }
        Command::Address(key) => tell(&key.require()?, console),
    }
    Ok(Exit::Done)
}

fn tell(key: &Key, console: &Console) {
    console.line(&key.address().to_string());
    console.object(&json!({ "address": key.address() }));
}
