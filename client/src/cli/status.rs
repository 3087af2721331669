//! `testamur status`

use std::path::PathBuf;

use serde_json::{Value, json};
use testamur::{
    Chains, Verified, Verifier,
    change::Entry,
    identity::Library,
    node::Place,
    policy::Settings,
    source::Source,
    status::{self, Answer, Bit, Sight, State},
    terminal::{Console, Exit, Failure, Tone, printable},
};
use testamur_core::{
    Address, Purpose, StatusIndex, UnixSeconds,
    policy::{Need, Policy},
    registry::ADDRESS,
    verify::{CheckKind, Gap, Outcome},
};

use testamur_credentials::ties::Known;

use super::{
    now, paths,
    view::{View, tell_troubles},
};

const AFTER_HELP: &str = "\
A file is looked up by its proof, which must hold, and a number is a status index (./7 is a
file). Servers named by --status are asked for whole lists, so they do not learn which
credential is meant; what they say counts only under the root that the chain states. Where none
answers, or none fits, the bits are rebuilt from the chain. Exit codes: 0 good; 1 revoked or
suspended; 2 could not tell.

Examples:
  testamur status diploma.json --rpc https://rpc.example
  testamur status 1048576 --issuer 0x… --rpc https://rpc.example --status https://mirror.example
  testamur status diploma.json --at 2026-06-30 --rpc https://rpc.example";

/// Tell whether credentials are still good: neither revoked nor suspended
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Files, folders or status indices.
    #[arg(required = true, value_name = "FILE|INDEX")]
    targets: Vec<PathBuf>,
    /// The issuer whose indices are meant.
    #[arg(long, value_name = "0x…")]
    issuer: Option<Address>,
    /// Only this purpose: revocation or suspension. Default: both.
    #[arg(long, value_name = "PURPOSE", value_parser = purpose)]
    purpose: Option<Purpose>,
    #[command(flatten)]
    view: View,
}

fn purpose(text: &str) -> Result<Purpose, &'static str> {
    let known = |purpose: &Purpose| [Purpose::REVOCATION, Purpose::SUSPENSION].contains(purpose);
    text.parse().ok().filter(known).ok_or("write revocation or suspension")
}

pub async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    let (indices, files) = sort(&args)?;
    let Settings { mut policy, sources } = args.view.settings()?;
    // Whose it is, and who signed it, is not asked here.
    (policy.issuer, policy.signature) = (Need::Optional, Need::Optional);
    let chains = args.view.chains(&sources).await?;
    let teller = Teller { console, policy: &policy, purpose: args.purpose, chains: &chains };
    let mut exit = Exit::Done;
    if !indices.is_empty() {
        let place = place(&args, &chains)?;
        let sights = status::look(&chains, place, &indices, policy.finality).await;
        for (index, sight) in indices.into_iter().zip(sights) {
            let finding = sight.map_err(|(_, detail)| detail).and_then(|sight| teller.finding(&sight, index));
            exit = exit.and(teller.tell("index", &index.to_string(), json!(index), finding));
        }
    }
    let (files, missing) = paths(&files, console);
    exit = exit.and(missing);
    let files: Vec<Source> = files.into_iter().map(Source::File).collect();
    let (library, known) = (Library::offline(), Known::default());
    let verifier = Verifier { chains: &chains, library: &library, policy: &policy, known: &known, now: now() };
    verifier
        .verify(&files, &mut |verified| {
            let name = verified.source.to_string();
            exit = exit.and(match teller.of_file(&verified) {
                Ok(finding) => teller.tell("file", &name, json!(name), finding),
                Err(refusal) => teller.refuse(&name, &refusal),
            });
        })
        .await;
    tell_troubles(&chains, console);
    Ok(exit)
}

fn sort(args: &Args) -> Result<(Vec<StatusIndex>, Vec<PathBuf>), Failure> {
    let (mut indices, mut files) = (Vec::new(), Vec::new());
    for target in &args.targets {
        match Entry::from_argument(target) {
            Entry::Index(index) => indices.push(index),
            Entry::File(file) => files.push(file),
            Entry::Digest(_) => {
                let message = "the chain knows no digests: name the file with its receipt, or the status index";
                return Err(Failure::usage(message));
            }
        }
    }
    if !indices.is_empty() && args.issuer.is_none() {
        return Err(Failure::usage("no issuer: an index alone says little; give --issuer"));
    }
    Ok((indices, files))
}

/// Whose indices, and where: what is named, else what can be meant.
fn place(args: &Args, chains: &Chains) -> Result<Place, Failure> {
    let several = || Failure::usage("which chain? Give --rpc for one; where it serves several, name one with --chain");
    let chain = match args.view.chain[..] {
        [chain] => chain,
        _ => chains.only()?.ok_or_else(several)?,
    };
    let registry = match args.view.registry[..] {
        [] => ADDRESS,
        [registry] => registry,
        _ => return Err(Failure::usage("which registry? Name one with --registry")),
    };
    Ok(Place { issuer: args.issuer.unwrap_or_default(), chain, registry })
}

/// What was found, or why nothing could be told.
type Finding = Result<Answer, String>;

struct Teller<'a> {
    console: &'a Console,
    policy: &'a Policy,
    purpose: Option<Purpose>,
    chains: &'a Chains,
}

impl Teller<'_> {
    fn finding(&self, sight: &Sight, index: StatusIndex) -> Finding {
        let answer = sight.answer(index, |purpose| self.purpose.is_none_or(|wanted| wanted == purpose));
        if answer.purposes.is_empty() {
            return Err(format!("there is no published registry at {} on {}", sight.seen.registry, sight.seen.chain));
        }
        match self.policy.max_status_age {
            Some(allowed)
                if answer.status == State::Good && age(&answer) > allowed && self.chains.moment().is_none() =>
            {
                Err(format!("the newest block is {} s old, the policy allows {allowed} s", age(&answer)))
            }
            _ => Ok(answer),
        }
    }

    /// What a file's proof leads to. `Err` where the proof is false: then its index is not the file's.
    fn of_file(&self, verified: &Verified) -> Result<Finding, String> {
        let report = match &verified.report {
            Ok(report) => report,
            Err(error) => return Ok(Err(error.to_string())),
        };
        for kind in [CheckKind::Integrity, CheckKind::Inclusion, CheckKind::Anchor] {
            match report.outcome(kind) {
                Some(Outcome::Fail(fault)) => return Err(fault.to_string()),
                Some(Outcome::Unknown(gap)) => {
                    let detail = verified.detail.as_deref().filter(|_| matches!(gap, Gap::Unseen(_)));
                    let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
                    return Ok(Err(format!("{gap}{detail}")));
                }
                _ => {}
            }
        }
        Ok(match (&verified.sight, &verified.receipt) {
            (Some(sight), Some(receipt)) => self.finding(sight, receipt.status_index),
            _ => Err("nothing was seen of the chain".to_owned()),
        })
    }

    fn tell(&self, kind: &str, name: &str, id: Value, finding: Finding) -> Exit {
        let mut object = match &finding {
            Ok(answer) => json!(answer),
            Err(reason) => json!({ "status": State::Unknown, "reason": reason }),
        };
        object[kind] = id;
        if let Ok(answer) = &finding {
            object["age"] = json!(age(answer));
        }
        self.console.object(&object);
        self.console.line(&printable(name));
        match finding {
            Ok(answer) => self.lines(&answer),
            Err(reason) => {
                let words = self.console.tone(Tone::Unsure, "? could not tell:");
                self.console.line(&format!("  {words} {}", printable(&reason)));
                Exit::CouldNotTell
            }
        }
    }

    fn lines(&self, answer: &Answer) -> Exit {
        let (words, tone, exit) = match answer.status {
            State::Good => ("✓ good", Tone::Good, Exit::Done),
            State::Revoked => ("✗ revoked", Tone::Bad, Exit::Invalid),
            State::Suspended => ("✗ suspended", Tone::Bad, Exit::Invalid),
            State::Unknown => ("? could not tell", Tone::Unsure, Exit::CouldNotTell),
        };
        let settled = match answer.status {
            State::Unknown => "",
            _ if answer.settled => ", settled",
            _ => ", at the newest block only: it may still be undone",
        };
        self.console.line(&format!("  {}{settled}", self.console.tone(tone, words)));
        self.console.line(&format!("  {}", self.when(answer)));
        answer.purposes.iter().for_each(|bit| self.console.line(&format!("  {}", line(bit))));
        exit
    }

    /// Of which block it speaks, and how old that is.
    fn when(&self, answer: &Answer) -> String {
        let Answer { block, settled_block, .. } = answer;
        match self.chains.moment() {
            Some(moment) => format!("at {moment}: block {}, {}", block.number, block.time),
            None => format!(
                "as of block {}, {} ({} s ago); settled up to block {}",
                block.number,
                block.time,
                age(answer),
                settled_block.number
            ),
        }
    }

    fn refuse(&self, name: &str, refusal: &str) -> Exit {
        self.console.object(&json!({ "file": name, "status": "invalid", "reason": refusal }));
        self.console.line(&printable(name));
        let words = self.console.tone(Tone::Bad, "✗ invalid:");
        self.console.line(&format!("  {words} {}", printable(refusal)));
        Exit::Invalid
    }
}

fn line(bit: &Bit) -> String {
    let set = match bit.set {
        Some(true) => "set",
        Some(false) => "not set",
        None => "unknown",
    };
    let undone =
        if bit.set == Some(false) && bit.set_at_settled == Some(true) { " any more, not settled yet" } else { "" };
    let updated = bit.updated.map(|time| format!(" (update {} of {time})", bit.epoch)).unwrap_or_default();
    printable(&format!("{:<10} {set}{undone}{updated}: {}", bit.purpose, bit.source))
}

/// Seconds since the block that the answer speaks of.
fn age(answer: &Answer) -> u64 {
    let UnixSeconds(now) = now();
    now.saturating_sub(answer.block.time.0)
}
