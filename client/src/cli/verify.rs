//! `testamur verify`

use std::path::PathBuf;

use serde_json::{Value, json};
use testamur::{policy::Trust, status::Answer, terminal::printable, verify::Verified};
use testamur_core::verify::{Check, CheckKind, Gap, Outcome, Report, Verdict};

use super::{
    console::{Console, Tone},
    now,
    outcome::{Exit, Failure},
    paths,
    view::{View, tell_troubles},
};

const AFTER_HELP: &str = "\
Each file is verified by the proof inside it, or by FILE.receipt.json beside it. What a receipt
names counts only as far as your policy accepts it: the chain, the registry, and whose account
it is. Status lists may come from any node or mirror (--status), and are rebuilt from the chain
where none answers. With --at, all but a withdrawal is seen as it was then.

Examples:
  testamur verify diploma.json --rpc https://rpc.example --trust did:web:example.edu=0x…
  testamur verify folder/ --rpc https://rpc.example --policy policy.toml --json
  testamur verify diploma.json --at 2026-06-30 --rpc https://rpc.example --status https://mirror.example";

/// Verify files against the chain itself, without asking any node
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Files, or folders whose files are meant (without hidden files, receipts and subfolders).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Recognise an issuer: ID=0x…, or for files 0x… or 0x…=NAME.
    #[arg(long, value_name = "ID=0x…")]
    trust: Vec<Trust>,
    #[command(flatten)]
    view: View,
}

pub async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    let mut policy = args.view.policy()?;
    policy.issuers.extend(args.trust.iter().map(|trust| trust.0.clone()));
    let chains = args.view.chains().await?;
    let (files, mut exit) = paths(&args.files, console);
    let bar = console.bar(files.len(), "verifying");
    let mut counts = [0; 3];
    testamur::verify(&files, &chains, &policy, now(), &mut |verified| {
        bar.inc(1);
        let verdict = verified.report.as_ref().map_or(Verdict::Unverifiable, Report::verdict);
        counts[verdict as usize] += 1;
        exit = exit.and(exit_of(verdict));
        bar.suspend(|| tell(console, &verified));
    })
    .await;
    bar.finish_and_clear();
    tell_troubles(&chains, console);
    if files.len() > 1 {
        let [valid, invalid, unverifiable] = counts;
        console.line(&format!("{valid} valid, {invalid} invalid, {unverifiable} unverifiable"));
    }
    Ok(exit)
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
    let name = printable(&verified.file.display().to_string());
    match &verified.report {
        Ok(report) => {
            console.line(&name);
            let checks = report.checks().iter();
            checks.for_each(|check| console.line(&line(console, check, verified)));
            console.line(&format!("  {}", verdict(console, report)));
        }
        Err(error) => console.error(&format!("{name}: {error}")),
    }
}

/// The result for programs. A name need not be UTF-8, JSON must.
fn object(verified: &Verified) -> Value {
    let mut object = json!({ "file": verified.file.display().to_string(), "verdict": Verdict::Unverifiable });
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
    object
}

/// The status in full: which block, and whose bits.
fn answer(verified: &Verified) -> Option<Answer> {
    let answer = verified.sight.as_ref()?.answer(verified.index?, |_| true);
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
