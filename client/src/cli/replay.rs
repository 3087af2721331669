//! `testamur replay`

use std::path::{Path, PathBuf};

use serde_json::json;
use testamur::{
    Verified, Verifier, files, identity,
    source::Source,
    terminal::{Console, Exit, Failure, Tone, printable},
    testimony::{Testimony, Told},
};
use testamur_core::{
    UnixSeconds,
    verify::{CheckKind, Gap, Outcome, Report, Verdict},
};

use super::{
    evidence::EvidenceArgs,
    now, paths,
    view::{View, tell_troubles},
};

/// The longest verification receipt that is read: of a hundred thousand documents.
const LONGEST: usize = 256 << 20;

const AFTER_HELP: &str = "\
The receipt's signature is checked first; --signer says whose counts. The files are then verified
under the receipt's own policy, as of its moment where the endpoints can look back, else as of now.
Exits with 0 where all came out as then, 1 where something changed or the receipt is not to be
believed, 2 where it could not be told.

Examples:
  testamur verify class/ --rpc https://rpc.example --receipt class.jws --key verifier.key
  testamur replay class.jws class/ --rpc https://rpc.example --signer did:key:z6Mk…";

/// Check a verification receipt, and verify its documents again
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// The verification receipt, as `testamur verify --receipt` wrote it.
    #[arg(value_name = "OUT")]
    receipt: PathBuf,
    /// The files that it speaks of, or folders with them. Without any, only the receipt is checked and told.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Whose word counts: a did:key. Default: anybody's, and who it is is told.
    #[arg(long, value_name = "did:key:…")]
    signer: Vec<String>,
    #[command(flatten)]
    view: View,
    #[command(flatten)]
    evidence: EvidenceArgs,
}

pub async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    let testimony = match Testimony::open(&read(&args.receipt)?) {
        Ok(testimony) => testimony,
        Err(reason) => {
            let message =
                format!("{}: the verification receipt is not to be believed: {reason}", args.receipt.display());
            return Err(Failure { message, exit: Exit::Invalid });
        }
    };
    tell(&testimony, &args, console)?;
    if args.files.is_empty() {
        return Ok(Exit::Done);
    }
    let (files, exit) = paths(&args.files, console);
    let sources = &args.view.settings()?.sources;
    let chains = args.evidence.chains(&args.files, &args.view, sources).await?;
    if chains.moment().is_some() {
        return Err(Failure::usage("--at: the receipt says of which moment it speaks"));
    }
    let library = args.evidence.library(&args.files, sources).await?;
    let known = identity::known(sources, &testimony.policy, &library).await.map_err(Failure::usage)?;
    let (library, policy, known) = (&library, &testimony.policy, &known);
    let mut replay = Replay { testimony: &testimony, console, exit };

    let files: Vec<Source> = files.into_iter().map(Source::File).collect();
    let is_offline = args.evidence.offline;
    let then = if is_offline { testimony.now() } else { testimony.moment() };
    let chains = if is_offline { chains } else { chains.at(Some(then)) };
    let mut later = Vec::new();
    let looking_back = Verifier { chains: &chains, library, policy, known, now: then };
    looking_back
        .verify(&files, &mut |verified| {
            if is_unseen(&verified) && !is_offline {
                later.push(verified.source);
            } else {
                replay.compare(&verified, then);
            }
        })
        .await;
    let chains = chains.at(None);
    let today = Verifier { chains: &chains, library, policy, known, now: now() };
    today.verify(&later, &mut |verified| replay.compare(&verified, today.now)).await;
    tell_troubles(&chains, console);
    Ok(replay.exit)
}

fn read(path: &Path) -> Result<String, Failure> {
    let wrong = |error: String| Failure::usage(format!("{}: {error}", path.display()));
    let bytes = files::read_up_to(path, LONGEST).map_err(|error| wrong(error.to_string()))?;
    String::from_utf8(bytes.map_err(|error| wrong(error.to_string()))?).map_err(|error| wrong(error.to_string()))
}

/// Who says what. Somebody whose word does not count is refused.
fn tell(testimony: &Testimony, args: &Args, console: &Console) -> Result<(), Failure> {
    let is_trusted = args.signer.contains(&testimony.iss);
    if !is_trusted && !args.signer.is_empty() {
        let message = format!("the verification receipt is signed by {}, whose word does not count", testimony.iss);
        return Err(Failure { message, exit: Exit::Invalid });
    }
    console.object(&json!({ "signer": testimony.iss, "trusted": is_trusted, "receipt": testimony }));
    console.line(&format!(
        "signed by {}, {}, with {}",
        testimony.iss,
        UnixSeconds(testimony.iat),
        printable(&testimony.software)
    ));
    if !is_trusted {
        console.note("--signer says whose word counts: nobody has said so of this one");
    }
    for basis in &testimony.rests_on {
        let block = &basis.settled;
        let by = printable(&block.by.join(", "));
        console
            .line(&format!("rests on {} block {} {}, as {by} said", basis.chain, block.block.number, block.block.hash));
    }
    for told in &testimony.documents {
        let hash = told.sha256.map(|hash| hash.to_string()).unwrap_or_default();
        let name = told.name.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
        console.line(&printable(&format!("  {hash}{name}: {}", told.verdict)));
    }
    Ok(())
}

/// Whether the chain could not be seen at that moment.
fn is_unseen(verified: &Verified) -> bool {
    let anchor = verified.report.as_ref().ok().and_then(|report| report.outcome(CheckKind::Anchor));
    matches!(anchor, Some(Outcome::Unknown(Gap::Unseen(_))))
}

struct Replay<'a> {
    testimony: &'a Testimony,
    console: &'a Console,
    exit: Exit,
}

impl Replay<'_> {
    fn compare(&mut self, verified: &Verified, as_of: UnixSeconds) {
        let name = printable(&verified.source.to_string());
        let told = verified.hash.and_then(|hash| self.testimony.of(hash));
        let Some(told) = told else {
            let why = match &verified.report {
                Err(error) => error.to_string(),
                Ok(_) => "the verification receipt does not speak of it: it is another file, or was changed".to_owned(),
            };
            self.console.error(&format!("{name}: {why}"));
            self.exit = self.exit.and(Exit::CouldNotTell);
            return;
        };
        let changes = told.changes(verified);
        let is = verified.report.as_ref().map_or(Verdict::Unverifiable, Report::verdict);
        self.exit = self.exit.and(exit(told, is, &changes));
        self.console.object(&json!({
            "file": verified.source.to_string(),
            "sha256": verified.hash,
            "was": told.verdict,
            "is": is,
            "asOf": as_of,
            "changes": changes,
        }));
        self.say(&name, is, as_of, &changes);
    }

    fn say(&self, name: &str, is: Verdict, as_of: UnixSeconds, changes: &[String]) {
        let (sign, text) = match changes {
            [] => (self.console.tone(Tone::Good, "="), format!("{is}, as then (looked at as of {as_of})")),
            changes => (self.console.tone(Tone::Bad, "≠"), format!("{is} as of {as_of}: {}", changes.join("; "))),
        };
        self.console.line(&format!("{sign} {name}: {}", printable(&text)));
    }
}

fn exit(told: &Told, is: Verdict, changes: &[String]) -> Exit {
    match is {
        _ if changes.is_empty() => Exit::Done,
        Verdict::Unverifiable if told.verdict != is.to_string() => Exit::CouldNotTell,
        _ => Exit::Invalid,
    }
}
