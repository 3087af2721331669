//! `testamur receipt …`

use std::path::{Path, PathBuf};

use testamur::{
    files,
    terminal::{Console, Exit, Failure, printable},
    verify,
};
use testamur_core::{Document, Error, json::MAX_BYTES, proof::AnchorProof};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Show the receipts that files carry, or that stand beside them; with --json in their detached form
    #[command(after_help = "Example:\n  testamur receipt show diploma.json")]
    Show {
        /// Files, or receipts themselves.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

pub fn show(paths: &[PathBuf], console: &Console) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    for path in paths {
        let name = printable(&path.display().to_string());
        match read(path) {
            Ok(Ok(proof)) => tell(&name, &proof, console),
            Ok(Err(error)) => {
                console.error(&format!("{name}: {error}"));
                exit = exit.and(if error == Error::NoAnchor { Exit::CouldNotTell } else { Exit::Invalid });
            }
            Err(error) => {
                console.error(&format!("{name}: {error}"));
                exit = exit.and(Exit::CouldNotTell);
            }
        }
    }
    Ok(exit)
}

/// The proof in a receipt, in a file, or beside it.
fn read(path: &Path) -> std::io::Result<Result<AnchorProof, Error>> {
    if files::accompanied_file(path).is_some() {
        return Ok(files::read_up_to(path, MAX_BYTES)?.and_then(|bytes| AnchorProof::from_detached(&bytes)));
    }
    Ok(verify::read(path)?.and_then(Document::into_anchor))
}

fn tell(name: &str, proof: &AnchorProof, console: &Console) {
    console.object(&proof.to_detached());
    let receipt = &proof.receipt;
    console.line(name);
    for (what, value) in [
        ("issuer", receipt.issuer.to_string()),
        ("chain", receipt.chain.to_string()),
        ("registry", receipt.registry.to_string()),
        ("root", receipt.root.to_string()),
        ("leaf", format!("{} of {}", receipt.leaf_index, receipt.tree_size)),
        ("status index", receipt.status_index.to_string()),
        ("transaction", receipt.transaction.to_string()),
        ("block", receipt.block.to_string()),
        ("created", proof.config.created.to_string()),
    ] {
        console.line(&format!("  {what:<12} {value}"));
    }
    console.note("  read, not verified: `testamur verify` checks it against the chain");
}
