//! `testamur-node token …`.

use std::{
    fs::File,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde_json::json;
use testamur_core::Address;
use testamur_node::tokens::{Scope, TokenFile, TokenRecord};

use super::Failure;

#[derive(Subcommand)]
pub enum Command {
    /// Make a token. It is shown once, and kept nowhere.
    Create {
        /// The issuer for which it may be used.
        #[arg(long)]
        issuer: Address,
        /// What it may be used for.
        #[arg(long, value_delimiter = ',', required = true)]
        scope: Vec<Scope>,
        /// What to call it in the list.
        #[arg(long, default_value = "")]
        name: String,
        /// Write it to this new file (mode 0600) instead of standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// List the tokens.
    List,
    /// Revoke a token. It counts from the next request on.
    Revoke {
        /// Its id, from the list.
        id: String,
    },
}

pub fn run(command: Command, data_dir: &Path, as_json: bool) -> Result<(), Failure> {
    let file = TokenFile::new(data_dir);
    match command {
        Command::Create { issuer, scope, name, out } => {
            // The file first: a token that cannot be handed over must not exist.
            let out = out.map(|path| new_file(&path).map(|file| (path, file))).transpose()?;
            let (record, text) = file.create(issuer, scope.into_iter().collect(), &name)?;
            hand_over(&record, &text, out, as_json)
        }
        Command::List => {
            print_list(&file.list()?, as_json);
            Ok(())
        }
        Command::Revoke { id } => {
            file.revoke(&id)?;
            if as_json {
                println!("{}", json!({ "revoked": id }))
            } else {
                println!("revoked {id}")
            }
            Ok(())
        }
    }
}

fn new_file(path: &Path) -> Result<File, Failure> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(path);
    file.map_err(Failure::io(path.display().to_string()))
}

fn hand_over(record: &TokenRecord, text: &str, out: Option<(PathBuf, File)>, as_json: bool) -> Result<(), Failure> {
    let Some((path, mut file)) = out else {
        if as_json {
            println!("{}", json!({ "id": record.id, "token": text }))
        } else {
            println!("{text}")
        }
        return Ok(());
    };
    let written = writeln!(file, "{text}").and_then(|()| file.sync_all());
    written.map_err(Failure::io(path.display().to_string()))?;
    let path = path.display();
    if as_json {
        println!("{}", json!({ "id": record.id, "file": path.to_string() }));
    } else {
        println!("token {} is in {path}", record.id);
    }
    Ok(())
}

fn print_list(tokens: &[TokenRecord], as_json: bool) {
    if as_json {
        let public = |token: &TokenRecord| {
            json!({
                "id": token.id, "name": token.name, "issuer": token.issuer, "scopes": token.scopes,
                "createdAt": token.created_at.to_string(),
            })
        };
        println!("{}", tokens.iter().map(public).collect::<serde_json::Value>());
        return;
    }
    for token in tokens {
        let scopes: Vec<_> = token.scopes.iter().map(ToString::to_string).collect();
        println!("{}  {}  {}  {}  {}", token.id, token.issuer, scopes.join(","), token.created_at, token.name);
    }
}
