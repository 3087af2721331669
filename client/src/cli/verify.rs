//! `testamur verify`

use std::{
    fmt,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use testamur::{
    Verified, Verifier,
    bulk::{self, Table},
    files, identity,
    policy::Trust,
    source::Source,
    status::Answer,
    terminal::{Console, Exit, Failure, Tone, printable},
    testimony::{Testimony, Witness},
};
use testamur_chain::quorum::{Basis, Mode};
use testamur_core::verify::{Check, CheckKind, Gap, Outcome, Report, Verdict};

use super::{
    evidence::EvidenceArgs,
    now, paths,
    view::{View, tell_troubles},
};

const AFTER_HELP: &str = "\
Each file is verified by the proof inside it, or by FILE.receipt.json beside it. What a receipt
names counts only as far as your policy accepts it: the chain, the registry, and whose account
it is. Status lists may come from any node or mirror (--status), and are rebuilt from the chain
where none answers. With --at, all but a withdrawal is seen as it was then. Evidence shows the
status as of its block: how old that may be is your policy's to say (max_status_age).

Examples:
  testamur verify diploma.json --rpc https://rpc.example --trust did:web:example.edu=0x…
  testamur verify folder/ --rpc https://rpc.example --policy policy.toml --json
  testamur verify --bulk applications.zip --out verdicts.csv --rpc https://rpc.example --policy policy.toml
  testamur verify diploma.json --at 2026-06-30 --rpc https://rpc.example --status https://mirror.example
  testamur verify diploma.json --offline --block eip155:1:21925176:0x…";

/// Verify documents against the chain itself, without asking any node
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Files, or folders whose files are meant (without hidden files, receipts and subfolders), or links.
    #[arg(required_unless_present = "bulk", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Verify everything in a folder and its subfolders, a zip archive, or a table (.csv, .tsv, .txt) of links, and write a
    /// table of verdicts.
    #[arg(long, value_name = "IN")]
    bulk: Vec<PathBuf>,
    /// Where the table of verdicts goes (CSV). Default: the standard output.
    #[arg(long, value_name = "OUT.csv", requires = "bulk")]
    out: Option<PathBuf>,
    /// Recognise an issuer: ID=0x…, or for files 0x… or 0x…=NAME.
    #[arg(long, value_name = "ID=0x…")]
    trust: Vec<Trust>,
    #[command(flatten)]
    view: View,
    #[command(flatten)]
    evidence: EvidenceArgs,
    #[command(flatten)]
    record: RecordArgs,
}

/// What is signed of it.
#[derive(clap::Args)]
#[command(next_help_heading = "Verification receipt")]
struct RecordArgs {
    /// Write a verification receipt: what was checked, under which policy, with which verdict, signed. `testamur replay` checks it again.
    #[arg(long, value_name = "OUT", requires = "key")]
    receipt: Option<PathBuf>,
    /// Sign it with this Ed25519 key: a file of mode 0600, as `testamur key new --kind ed25519` makes one.
    #[arg(long, value_name = "FILE", requires = "receipt")]
    key: Option<PathBuf>,
    /// Name the documents in it by their file names as well, and not by their SHA-256 alone.
    #[arg(long, requires = "receipt")]
    names: bool,
}

/// What is being recorded, and who signs it where.
struct Record<'a> {
    testimony: Testimony,
    witness: Witness,
    out: &'a Path,
    names: bool,
}

impl RecordArgs {
    /// The key is read before anything is verified; `None` where nothing is recorded.
    fn open(&self, verifier: &Verifier, lists: &[String]) -> Result<Option<Record<'_>>, Failure> {
        let (Some(out), Some(key)) = (&self.receipt, &self.key) else { return Ok(None) };
        let witness = Witness::load(key)?;
        let mut testimony = Testimony::new(verifier.policy, verifier.now);
        testimony.at = verifier.chains.moment().map(|moment| moment.0);
        testimony.lists = lists.to_vec();
        testimony.evidence = verifier.chains.evidence().to_vec();
        Ok(Some(Record { testimony, witness, out, names: self.names }))
    }
}

impl Record<'_> {
    fn add(&mut self, verified: &Verified) {
        self.testimony.add(verified, self.names);
    }

    fn write(self) -> Result<(), Failure> {
        let token = self.witness.sign(self.testimony) + "\n";
        files::replace(self.out, token.as_bytes()).map_err(|error| Failure {
            message: format!("--receipt {}: {error}", self.out.display()),
            exit: Exit::CouldNotTell,
        })
    }
}

pub async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    let mut settings = args.view.settings()?;
    settings.policy.issuers.extend(args.trust.iter().map(|trust| trust.0.clone()));
    let named = [&args.files[..], &args.bulk].concat();
    let chains = args.evidence.chains(&named, &args.view, &settings.sources).await?;
    let library = args.evidence.library(&named, &settings.sources).await?;
    let known = identity::known(&settings.sources, &settings.policy, &library).await.map_err(Failure::usage)?;
    let verifier = Verifier { chains: &chains, library: &library, policy: &settings.policy, known: &known, now: now() };
    let mut record = args.record.open(&verifier, &settings.sources.lists)?;
    let mut note = |verified: &Verified| record.iter_mut().for_each(|record| record.add(verified));
    let exit = if args.bulk.is_empty() {
        each(&verifier, &args.files, &mut note, console).await
    } else {
        bulk(&verifier, &args, &mut note, console).await?
    };
    if let Some(record) = record {
        record.write()?;
    }
    tell_troubles(&chains, console);
    Ok(exit)
}

/// Tells every check of every file.
async fn each(verifier: &Verifier<'_>, files: &[PathBuf], note: &mut impl FnMut(&Verified), console: &Console) -> Exit {
    let (sources, mut exit) = sources(files, console);
    exit = exit.and(exit_of_none(&sources, console));
    let bar = console.bar(sources.len(), "verifying");
    let mut counts = Counts::default();
    verifier
        .verify(&sources, &mut |verified| {
            bar.inc(1);
            note(&verified);
            exit = exit.and(counts.add(&verified));
            bar.suspend(|| tell(console, &verified));
        })
        .await;
    bar.finish_and_clear();
    if sources.len() > 1 {
        console.line(&counts.to_string());
    }
    exit
}

/// A row for every document, and a summary.
async fn bulk(
    verifier: &Verifier<'_>,
    args: &Args,
    note: &mut impl FnMut(&Verified),
    console: &Console,
) -> Result<Exit, Failure> {
    let sources = args
        .bulk
        .iter()
        .map(|path| bulk::sources(path).map_err(|error| Failure::usage(format!("--bulk {}: {error}", path.display()))));
    let mut sources: Vec<Source> = sources.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let (named, exit) = self::sources(&args.files, console);
    sources.extend(named);
    let written =
        |error: String| Failure { message: format!("the table of verdicts: {error}"), exit: Exit::CouldNotTell };
    let mut table = Table::new(open(args.out.as_deref(), console)?).map_err(|error| written(error.to_string()))?;
    let bar = console.bar(sources.len(), "verifying");
    let (mut counts, mut exit, mut failed) = (Counts::default(), exit.and(exit_of_none(&sources, console)), None);
    verifier
        .verify(&sources, &mut |verified| {
            bar.inc(1);
            note(&verified);
            exit = exit.and(counts.add(&verified));
            console.object(&object(&verified));
            failed = failed.take().or(table.add(&verified).err());
        })
        .await;
    bar.finish_and_clear();
    match failed {
        Some(error) => return Err(written(error.to_string())),
        None => table.finish().map_err(|error| written(error.to_string()))?,
    }
    console.note(&counts.to_string());
    Ok(exit)
}

/// The documents that the arguments mean, files before links.
fn sources(arguments: &[PathBuf], console: &Console) -> (Vec<Source>, Exit) {
    let (links, files): (Vec<PathBuf>, Vec<PathBuf>) = arguments.iter().cloned().partition(|file| is_link(file));
    let (files, exit) = paths(&files, console);
    let links = links.iter().filter_map(|link| link.to_str()).map(Source::link);
    (files.into_iter().map(Source::File).chain(links).collect(), exit)
}

/// An empty folder is not valid: who takes 0 for *all are valid* would let it pass.
fn exit_of_none(sources: &[Source], console: &Console) -> Exit {
    if !sources.is_empty() {
        return Exit::Done;
    }
    console.error("there is no document to verify");
    Exit::CouldNotTell
}

/// The table's file; without one the standard output, unless JSON goes there.
fn open(out: Option<&Path>, console: &Console) -> Result<Box<dyn Write>, Failure> {
    Ok(match out {
        None if console.is_json() => Box::new(io::sink()),
        None => Box::new(io::stdout()),
        Some(path) => {
            let file =
                File::create(path).map_err(|error| Failure::usage(format!("--out {}: {error}", path.display())))?;
            Box::new(BufWriter::new(file))
        }
    })
}

fn is_link(file: &Path) -> bool {
    file.to_str().is_some_and(|text| text.starts_with("https://"))
}

/// How many documents came out how.
#[derive(Default)]
struct Counts([usize; 3]);

impl Counts {
    fn add(&mut self, verified: &Verified) -> Exit {
        let verdict = verified.report.as_ref().map_or(Verdict::Unverifiable, Report::verdict);
        self.0[verdict as usize] += 1;
        exit_of(verdict)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([valid, invalid, unverifiable]) = self;
        write!(f, "{valid} valid, {invalid} invalid, {unverifiable} unverifiable")
    }
}

fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Valid => Exit::Done,
        Verdict::Invalid => Exit::Invalid,
        Verdict::Unverifiable => Exit::CouldNotTell,
    }
}

fn tell(console: &Console, verified: &Verified) {
    console.object(&object(verified));
    let name = printable(&verified.source.to_string());
    match &verified.report {
        Ok(report) => {
            console.line(&name);
            if verified.is_attached {
                let title = verified.title.as_deref().map(|title| format!(", {title}")).unwrap_or_default();
                let about =
                    format!("  about  the credential attached to it{title}; what its pages show was not checked");
                console.line(&console.tone(Tone::Faint, &printable(&about)));
            }
            let checks = report.checks().iter();
            checks.for_each(|check| console.line(&line(console, check, verified)));
            if let Some(basis) = verified.sight.as_ref().and_then(|sight| sight.basis.as_deref()) {
                console.line(&console.tone(Tone::Faint, &printable(&format!("  rests on  {}", grounds(basis)))));
            }
            console.line(&format!("  {}", verdict(console, report)));
        }
        Err(error) => console.error(&format!("{name}: {error}")),
    }
}

/// The result for programs. A name need not be UTF-8, JSON must.
fn object(verified: &Verified) -> Value {
    let mut object = json!({ "file": verified.source.to_string(), "verdict": Verdict::Unverifiable });
    if let Some(hash) = verified.hash {
        object["sha256"] = json!(hash);
    }
    let said = [("issuer", &verified.issuer), ("issuerName", &verified.issuer_name), ("title", &verified.title)];
    for (member, text) in said {
        if let Some(text) = text {
            object[member] = json!(text);
        }
    }
    if verified.is_attached {
        object["attached"] = json!(true);
    }
    match &verified.report {
        Ok(report) => {
            object["verdict"] = json!(report.verdict());
            object["checks"] = json!(report.checks());
        }
        Err(error) => object["error"] = json!(error.to_string()),
    }
    if let Some(detail) = &verified.detail {
        object["detail"] = json!(detail);
    }
    if let Some(answer) = answer(verified) {
        object["status"] = json!(answer);
    }
    if let Some(basis) = verified.sight.as_ref().and_then(|sight| sight.basis.as_ref()) {
        object["restsOn"] = json!(basis);
    }
    object
}

/// Which endpoints said what.
fn grounds(basis: &Basis) -> String {
    let Basis { chain, needed, given, settled, mode, read_from, passed_over, .. } = basis;
    let how = match mode {
        Mode::Proof => "proven by",
        Mode::Agreement => "as answered alike by",
    };
    let mut text = format!(
        "{chain}: block {} {} ({} of {given} agree, {needed} needed: {}), {how} {}",
        settled.block.number,
        settled.block.hash,
        settled.by.len(),
        settled.by.join(", "),
        read_from.join(", ")
    );
    for passed in passed_over {
        text = format!("{text}; passed over {}: {}", passed.endpoint, passed.reason);
    }
    text
}

/// The status in full: which block, and whose bits.
fn answer(verified: &Verified) -> Option<Answer> {
    let answer = verified.sight.as_ref()?.answer(verified.receipt.as_ref()?.status_index, |_| true);
    (!answer.purposes.is_empty()).then_some(answer)
}

fn rests_on(answer: &Answer) -> String {
    let age = now().0.saturating_sub(answer.block.time.0);
    format!("read at block {}, {age} s old; bits: {}", answer.block.number, answer.sources())
}

/// A sign, the check's name, and what it rests on.
fn line(console: &Console, check: &Check, verified: &Verified) -> String {
    let (sign, tone) = match check.outcome {
        Outcome::Pass(_) => ("✓", Tone::Good),
        Outcome::Fail(_) => ("✗", Tone::Bad),
        Outcome::Unknown(_) => ("?", Tone::Unsure),
        Outcome::NotApplicable => ("–", Tone::Faint),
    };
    let detail = match (&check.outcome, check.kind) {
        (Outcome::Unknown(Gap::Unseen(_)), _) => verified.detail.clone(),
        (_, CheckKind::Status) => answer(verified).map(|answer| rests_on(&answer)),
        _ => None,
    };
    let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
    let kind = check.kind.to_string();
    format!("  {} {kind:<10} {}", console.tone(tone, sign), printable(&format!("{}{detail}", check.outcome)))
}

/// The verdict in words, with what stands in the way of *valid*.
fn verdict(console: &Console, report: &Report) -> String {
    let reason = report.decisive().map(|check| format!(": {}", check.outcome)).unwrap_or_default();
    let tone = match report.verdict() {
        Verdict::Valid => Tone::Good,
        Verdict::Invalid => Tone::Bad,
        Verdict::Unverifiable => Tone::Unsure,
    };
    console.tone(tone, &printable(&format!("{}{reason}", report.verdict())))
}
