//! `testamur evidence`, and the options of commands that use evidence.

use std::{
    fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde_json::json;
use testamur::{
    Chains, Verified, Verifier,
    evidence::{Archives, Packed, PackedBlock, Pins, pack},
    files,
    identity::{self, Library},
    policy::{Settings, Sources, Trust},
    source::Source,
    terminal::{Console, Exit, Failure, printable},
};
use testamur_core::{
    Receipt,
    digest::file_hash,
    evidence::Checkpoints,
    observation::Finality,
    verify::{Report, Verdict},
};

use super::{
    now, paths,
    view::{View, tell_troubles},
};

const AFTER_HELP: &str = "\
Each file is verified first: what is invalid is refused. With the archive, `testamur verify --offline`
needs no network, only the hash of the block that the archive rests on, from a source that it trusts.
The archive holds no documents: keep it with them, and with the receipts beside them.

Examples:
  testamur evidence diploma.json --rpc https://rpc.example
  testamur evidence class/ --rpc https://rpc.example -o class.evidence";

/// Pack what proves documents valid, to verify them without a network
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Files, or folders whose files are meant (without hidden files, receipts and subfolders).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The archive to write. Default: FILE.evidence.
    #[arg(long, short, value_name = "OUT")]
    out: Option<PathBuf>,
    /// Recognise an issuer: ID=0x…, or for files 0x… or 0x…=NAME.
    #[arg(long, value_name = "ID=0x…")]
    trust: Vec<Trust>,
    #[command(flatten)]
    view: View,
}

/// Which archives are used, and which of their blocks are trusted.
#[derive(clap::Args)]
#[command(next_help_heading = "Evidence")]
pub struct EvidenceArgs {
    /// Ask nobody: evidence tells of the chain, under a block that --block or --checkpoints names. Neither endpoints nor status servers are used.
    #[arg(long, conflicts_with = "at")]
    pub offline: bool,
    /// An archive that `testamur evidence` has packed. With endpoints, they are asked whether its block is the chain's.
    /// Default with --offline: FILE.evidence.
    #[arg(long, value_name = "ARCHIVE", conflicts_with = "at")]
    evidence: Vec<PathBuf>,
    /// A block that you trust: eip155:CHAIN:NUMBER:0xHASH.
    #[arg(long, value_name = "eip155:N:BLOCK:0x…")]
    block: Vec<Pin>,
    /// A file of blocks that you trust, on each line: eip155:CHAIN NUMBER 0xHASH.
    #[arg(long, value_name = "FILE")]
    checkpoints: Vec<PathBuf>,
    /// Believe what the archive says of issuers' identity documents, because you trust whoever packed it.
    #[arg(long)]
    accept_documents: bool,
}

/// A trusted block on one line.
#[derive(Clone)]
struct Pin(Checkpoints);

impl FromStr for Pin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let line: Vec<&str> = text.rsplitn(3, ':').collect();
        let line: Vec<&str> = line.into_iter().rev().collect();
        line.join(" ").parse().map(Self).map_err(|_| "write it as eip155:CHAIN:NUMBER:0xHASH")
    }
}

impl EvidenceArgs {
    /// The views of the chains: archives, endpoints, or both.
    pub async fn chains(&self, files: &[PathBuf], view: &View, sources: &Sources) -> Result<Chains, Failure> {
        let chains = if self.offline { Chains::default() } else { view.chains(sources).await? };
        Ok(if self.is_used() { chains.with_evidence(self.archives(files)?) } else { chains })
    }

    /// Where documents about issuers come from: the archives, the network, or both.
    pub async fn library(&self, files: &[PathBuf], sources: &Sources) -> Result<Library, Failure> {
        let library = if self.offline { identity::offline(sources) } else { identity::open(sources).await };
        let library = library.map_err(Failure::usage)?;
        let accept = self.accept_documents || sources.accept_evidence;
        if self.is_used() && (accept || self.offline) {
            self.archives(files)?.shelve(&library, accept);
        }
        Ok(library)
    }

    fn is_used(&self) -> bool {
        self.offline || !self.evidence.is_empty()
    }

    fn archives(&self, files: &[PathBuf]) -> Result<Archives, Failure> {
        let mut archives = Archives::new(self.pins()?);
        for path in &self.evidence {
            archives.add(path).map_err(|error| wrong(path, error))?;
        }
        for file in files.iter().filter(|_| self.evidence.is_empty()) {
            let beside: Vec<PathBuf> = [vec![file.clone()], files::expand(file).unwrap_or_default()].concat();
            let mut beside: Vec<PathBuf> = beside.iter().map(|file| files::evidence_path(file)).collect();
            beside.dedup();
            beside.retain(|path| path.is_file());
            if beside.is_empty() {
                archives.fault(format!("{} is not there", files::evidence_path(file).display()));
            }
            beside.iter().try_for_each(|path| archives.add(path).map_err(|error| wrong(path, error)))?;
        }
        Ok(archives)
    }

    fn pins(&self) -> Result<Pins, Failure> {
        let mut pins = Pins::default();
        self.block.iter().for_each(|pin| pins.add("--block", pin.0.clone()));
        for path in &self.checkpoints {
            let text = fs::read_to_string(path).map_err(|error| wrong(path, error))?;
            let blocks =
                text.parse().map_err(|error| Failure::usage(format!("--checkpoints {}: {error}", path.display())))?;
            pins.add(path.display().to_string(), blocks);
        }
        Ok(pins)
    }
}

fn wrong(path: &Path, error: io::Error) -> Failure {
    Failure::usage(format!("{}: {error}", path.display()))
}

pub async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    let out = out(&args)?;
    let Settings { mut policy, sources } = args.view.settings()?;
    policy.issuers.extend(args.trust.iter().map(|trust| trust.0.clone()));
    let chains = args.view.chains(&sources).await?;
    if chains.moment().is_some() {
        return Err(Failure::usage("--at: evidence is of now"));
    }
    let library = identity::open(&sources).await.map_err(Failure::usage)?;
    let known = identity::known(&sources, &policy, &library).await.map_err(Failure::usage)?;
    let verifier = Verifier { chains: &chains, library: &library, policy: &policy, known: &known, now: now() };
    let (files, exit) = paths(&args.files, console);
    let lists = sources.lists;
    let sources: Vec<Source> = files.into_iter().map(Source::File).collect();
    let mut sorted = Sorted { exit, ..Sorted::default() };
    let bar = console.bar(sources.len(), "verifying");
    verifier
        .verify(&sources, &mut |verified| {
            bar.inc(1);
            bar.suspend(|| sorted.add(verified, console));
        })
        .await;
    bar.finish_and_clear();
    let believed = |r: &&Receipt| policy.accepts_chain(r.chain) && policy.accepts_registry(r.registry);
    let receipts: Vec<&Receipt> = sorted.receipts.iter().filter(believed).collect();
    let mut packed = pack(&chains, &receipts, policy.finality, &library).await;
    // Whom the verifier recognises is nobody's business.
    packed.evidence.documents.retain(|document| !lists.contains(&document.url));
    tell_troubles(&chains, console);
    write(&out, &packed, &sorted, policy.finality, console)
}

/// FILE.evidence, where one file or folder is meant.
fn out(args: &Args) -> Result<PathBuf, Failure> {
    match (&args.out, &args.files[..]) {
        (Some(out), _) => Ok(out.clone()),
        (None, [file]) => Ok(files::evidence_path(&files::accompanied_file(file).unwrap_or_else(|| file.clone()))),
        (None, _) => Err(Failure::usage("name the archive of several files: -o OUT")),
    }
}

/// What is packed, and what is not.
#[derive(Default)]
struct Sorted {
    receipts: Vec<Receipt>,
    documents: usize,
    refused: usize,
    unverifiable: usize,
    exit: Exit,
}

impl Sorted {
    fn add(&mut self, verified: Verified, console: &Console) {
        let name = verified.source.to_string();
        let told = match &verified.report {
            Ok(report) => reason(report),
            Err(error) => error.to_string(),
        };
        match verified.report.as_ref().map_or(Verdict::Unverifiable, Report::verdict) {
            Verdict::Valid => {}
            Verdict::Invalid => {
                self.refused += 1;
                self.exit = self.exit.and(Exit::Invalid);
                return console.error(&format!("{name} is refused: {told}"));
            }
            Verdict::Unverifiable => {
                self.unverifiable += 1;
                self.exit = self.exit.and(Exit::CouldNotTell);
                console.error(&format!("{name} is unverifiable now, packed is what can be had: {told}"));
            }
        }
        self.documents += 1;
        self.receipts.extend(verified.receipt);
    }
}

fn reason(report: &Report) -> String {
    report.decisive().map(|check| format!("{}: {}", check.kind, check.outcome)).unwrap_or_default()
}

fn write(out: &Path, packed: &Packed, sorted: &Sorted, finality: Finality, console: &Console) -> Result<Exit, Failure> {
    let Packed { evidence, blocks, missing } = packed;
    missing.iter().for_each(|missing| console.error(missing));
    let mut exit = if missing.is_empty() { sorted.exit } else { sorted.exit.and(Exit::CouldNotTell) };
    if evidence.views.is_empty() && evidence.documents.is_empty() {
        console.error("nothing could be packed");
        return Ok(if exit == Exit::Done { Exit::CouldNotTell } else { exit });
    }
    let bytes = evidence.to_bytes();
    let failed =
        |error: io::Error| Failure { message: format!("{}: {error}", out.display()), exit: Exit::CouldNotTell };
    files::replace(out, &bytes).map_err(failed)?;
    for block in blocks {
        console.line(&told(block));
        if block.finality < finality {
            exit = exit.and(Exit::CouldNotTell);
            console.error(&format!(
                "no endpoint proves the settled state of {}: the evidence counts once block {} is {finality}",
                block.chain, block.block.number
            ));
        }
    }
    console.line(&format!(
        "{}: {} for {} document(s), {} document(s) about issuers",
        printable(&out.display().to_string()),
        size(bytes.len()),
        sorted.documents,
        evidence.documents.len()
    ));
    console.object(&json!({
        "evidence": out.display().to_string(),
        "sha256": file_hash(&bytes),
        "bytes": bytes.len(),
        "documents": sorted.documents,
        "unverifiable": sorted.unverifiable,
        "refused": sorted.refused,
        "blocks": blocks,
        "identityDocuments": evidence.documents.iter().map(|document| &document.url).collect::<Vec<_>>(),
        "missing": missing,
    }));
    Ok(exit)
}

/// As --block takes it.
fn told(block: &PackedBlock) -> String {
    let PackedBlock { chain, block, finality, .. } = block;
    format!("rests on {chain}:{}:{} ({finality}, {})", block.number, block.hash, block.time)
}

fn size(bytes: usize) -> String {
    if bytes < 10_000 { format!("{bytes} bytes") } else { format!("{} kB", bytes / 1000) }
}
