//! `testamur-node snapshot …`.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Subcommand;
use reqwest::{Client, Response, Url, redirect};
use serde_json::json;
use testamur_core::{Address, Purpose};
use testamur_node::mirror::{
    Key,
    snapshot::{MAX_BYTES, Snapshot, SnapshotError},
    transfer,
};

use super::{Failure, Settings, runtime};

/// How long a server may take to send a snapshot.
const TIMEOUT: Duration = Duration::from_secs(300);

#[derive(Subcommand)]
pub enum Command {
    /// Write the settled status of an issuer to a file: from a server, or from the data folder of a mirror that does
    /// not run.
    Export {
        /// The issuer.
        #[arg(long, value_name = "ADDRESS")]
        issuer: Address,
        /// revocation, suspension or a number.
        #[arg(long, default_value = "revocation")]
        purpose: Purpose,
        /// A running mirror or node to fetch it from.
        #[arg(long, value_name = "URL")]
        from: Option<Url>,
        /// The new file.
        #[arg(long, short, value_name = "FILE")]
        out: PathBuf,
    },
    /// Put snapshots into the data folder of a mirror that does not run. It compares each with the chain before it uses
    /// it.
    Import {
        /// The files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

pub fn run(command: Command, common: &Settings) -> Result<(), Failure> {
    let folder = common.data_dir()?.join("mirror");
    match command {
        Command::Export { issuer, purpose, from, out } => {
            let key = Key { issuer, purpose };
            let snapshot = match from {
                Some(server) => runtime()?.block_on(fetch(&server, key))?,
                None => transfer::export(&folder, key)?,
            };
            write(&snapshot, &out)?;
            tell("exported", &snapshot, &out, common.json);
        }
        Command::Import { files } => {
            let read = |file: PathBuf| match Snapshot::read(&file) {
                Ok(snapshot) => Ok((file, snapshot)),
                Err(source) => Err(Failure::Snapshot { file, source }),
            };
            let (files, snapshots): (Vec<_>, Vec<_>) =
                files.into_iter().map(read).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
            transfer::import(&folder, &snapshots)?;
            for (file, snapshot) in files.iter().zip(&snapshots) {
                tell("imported", snapshot, file, common.json);
            }
        }
    }
    Ok(())
}

/// A snapshot from a server. It leads to its own root; nothing else of it is believed.
async fn fetch(server: &Url, key: Key) -> Result<Snapshot, Failure> {
    let url = format!(
        "{}/v1/issuers/{}/status/{}/snapshot",
        server.as_str().trim_end_matches('/'),
        key.issuer,
        key.purpose.name()
    );
    let failed = |detail: String| Failure::Fetch { url: url.clone(), detail };
    let client = Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none()).build();
    let sent = client.map_err(|error| failed(error.to_string()))?.get(&url).send().await;
    let response = sent.map_err(|error| failed(error.without_url().to_string()))?;
    if !response.status().is_success() {
        return Err(failed(format!("HTTP status {}", response.status())));
    }
    let bytes = read(response).await.map_err(&failed)?;
    Snapshot::parse(&bytes).map_err(|error| failed(error.to_string()))
}

async fn read(mut response: Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| error.without_url().to_string())? {
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(SnapshotError::TooLarge.to_string());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Writes a new file; it is on disk when this returns.
fn write(snapshot: &Snapshot, out: &Path) -> Result<(), Failure> {
    let bytes = snapshot.to_bytes().map_err(|source| Failure::Snapshot { file: out.to_owned(), source })?;
    let written = File::options().write(true).create_new(true).open(out).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.sync_all()
    });
    written.map_err(Failure::io(out.display().to_string()))
}

fn tell(what: &str, snapshot: &Snapshot, file: &Path, as_json: bool) {
    let of = &snapshot.of;
    if as_json {
        let file = file.display().to_string();
        let (issuer, purpose, epoch, root) = (of.issuer, of.purpose, of.epoch, of.root);
        println!("{}", json!({ what: file, "issuer": issuer, "purpose": purpose, "epoch": epoch, "root": root }));
    } else {
        println!("{what} {}: {}, {}, update {}, root {}", file.display(), of.issuer, of.purpose, of.epoch, of.root);
    }
}
