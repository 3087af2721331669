//! `testamur anchor`

use std::path::{Path, PathBuf};

use serde_json::json;
use testamur::{
    anchor::{AnchorOptions, Anchored, FileError, Progress},
    node::Wait,
    terminal::{Console, Exit, Failure, Tone, printable},
};

use super::{node::NodeArgs, now, paths};

const AFTER_HELP: &str = "\
A credential gets its proof inside; anything else gets FILE.receipt.json. The registry sees
a blinded digest, never the file. A run that was interrupted can be repeated: nothing is
anchored twice. A credential whose credentialStatus names a reserved status index
(`testamur reserve`) gets that one. The node's bearer token comes from --token-file, or from
TESTAMUR_TOKEN.

Example:
  testamur anchor diplomas/ --node https://node.example --token-file token";

/// Anchor files: write a proof into JSON credentials, and a receipt beside any other file
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Files, or folders whose files are meant (without hidden files, receipts and subfolders).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
    /// How settled an anchor must be before the proof is written.
    #[arg(long, value_enum, default_value_t = WaitFor::Final)]
    wait: WaitFor,
    /// Write anchored copies to this folder, and leave the files as they are.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum WaitFor {
    /// In a block, which may still be undone.
    Included,
    /// In a finalized block.
    Final,
}

pub async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    let node = args.node.connect()?;
    let wait = match args.wait {
        WaitFor::Included => Wait::Included,
        WaitFor::Final => Wait::Final,
    };
    let options = AnchorOptions { issuer: args.node.issuer, wait, out: args.out };
    let (files, mut exit) = paths(&args.files, console);
    let bar = console.bar(files.len(), "reading");
    let mut counts = Counts::default();
    testamur::anchor(&node, &files, &options, now(), &mut |progress| match progress {
        Progress::Prepared(count) => bar.set_position(count as u64),
        Progress::Submitted(count) => {
            let what = if wait == Wait::Final { "final blocks" } else { "blocks" };
            bar.set_message("anchoring");
            bar.set_position(counts.done() as u64);
            bar.suspend(|| console.note(&format!("{count} with the node; waiting for {what}")));
        }
        Progress::Done(file, outcome) => {
            exit = exit.and(counts.count(outcome));
            bar.set_position(counts.done() as u64);
            bar.suspend(|| tell(console, file, outcome));
        }
    })
    .await?;
    bar.finish_and_clear();
    if files.len() > 1 {
        console.line(&counts.summary());
    }
    Ok(exit)
}

#[derive(Default)]
struct Counts {
    anchored: usize,
    already: usize,
    failed: usize,
}

impl Counts {
    fn count(&mut self, outcome: &Result<Anchored, FileError>) -> Exit {
        match outcome {
            Ok(anchored) if anchored.already => self.already += 1,
            Ok(_) => self.anchored += 1,
            Err(error) => {
                self.failed += 1;
                let passes = matches!(error, FileError::Node(error) if error.is_transient());
                return if passes { Exit::CouldNotTell } else { Exit::Invalid };
            }
        }
        Exit::Done
    }

    fn done(&self) -> usize {
        self.anchored + self.already + self.failed
    }

    fn summary(&self) -> String {
        let Self { anchored, already, failed } = self;
        format!("{anchored} anchored, {already} anchored before, {failed} failed")
    }
}

fn tell(console: &Console, file: &Path, outcome: &Result<Anchored, FileError>) {
    // Names need not be UTF-8, JSON must.
    let name = file.display().to_string();
    match outcome {
        Ok(anchored) => {
            let (receipt, proof) = (&anchored.receipt, anchored.proof_in.display().to_string());
            let state = if anchored.already { "already" } else { "anchored" };
            console.object(&json!({ "file": name, "state": state, "proof": proof, "receipt": receipt }));
            let word = match anchored.already {
                true => console.tone(Tone::Faint, "– anchored before"),
                false => console.tone(Tone::Good, "✓ anchored"),
            };
            let place = if proof == name { String::new() } else { format!(", see {}", printable(&proof)) };
            let block = format!("block {} of {}{place}", receipt.block, receipt.chain);
            console.line(&format!("{word}  {}  ({block})", printable(&name)));
        }
        Err(error) => {
            console.object(&json!({ "file": name, "state": "failed", "error": error.to_string() }));
            console.error(&format!("{name}: {error}"));
        }
    }
}
