//! `testamur verify`

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use testamur::{
    Chains,
    policy::{self, FinalityName, Trust},
    terminal::printable,
    verify::Verified,
};
use testamur_core::{
    Address, ChainId,
    policy::Policy,
    verify::{Check, Gap, Outcome, Report, Verdict},
};

use super::{
    console::{Console, Tone},
    now,
    outcome::{Exit, Failure},
    paths,
};

const AFTER_HELP: &str = "\
Each file is verified by the proof inside it, or by FILE.receipt.json beside it. What a receipt
names counts only as far as your policy accepts it: the chain, the registry, and whose account
it is.

Examples:
  testamur verify diploma.json --rpc https://rpc.example --trust did:web:example.edu=0x…
  testamur verify folder/ --rpc https://rpc.example --policy policy.toml --json";

/// Verify files against the chain itself, without asking any node
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Files, or folders whose files are meant (without hidden files, receipts and subfolders).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A JSON-RPC endpoint. Several, for several chains or as substitutes: repeat it.
    #[arg(long, value_name = "URL", env = "TESTAMUR_RPC", hide_env_values = true, value_delimiter = ' ')]
    rpc: Vec<String>,
    /// A policy in TOML: chains, registries, finality, issuers.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Recognise an issuer: ID=0x…, or for files 0x… or 0x…=NAME.
    #[arg(long, value_name = "ID=0x…")]
    trust: Vec<Trust>,
    /// Accept this chain as well, such as eip155:31337. A development chain is never accepted otherwise.
    #[arg(long, value_name = "eip155:N")]
    chain: Vec<ChainId>,
    /// Accept the registry at this address as well. Its code must be the published code all the same.
    #[arg(long, value_name = "0x…")]
    registry: Vec<Address>,
    /// How settled an anchor's block must be: included, safe or final. Default: the policy's, else final.
    #[arg(long, value_name = "STATE")]
    finality: Option<FinalityName>,
}

pub async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    let policy = policy(&args)?;
    let chains = Chains::connect(&args.rpc).await?;
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
    if files.len() > 1 {
        let [valid, invalid, unverifiable] = counts;
        console.line(&format!("{valid} valid, {invalid} invalid, {unverifiable} unverifiable"));
    }
    Ok(exit)
}

fn policy(args: &Args) -> Result<Policy, Failure> {
    let mut policy = match &args.policy {
        None => Policy::default(),
        Some(path) => {
            let wrong = |error: String| Failure::usage(format!("the policy {}: {error}", path.display()));
            let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
            policy::parse(&text).map_err(|error| wrong(error.to_string()))?
        }
    };
    policy.chains.extend(&args.chain);
    policy.registries.extend(&args.registry);
    policy.issuers.extend(args.trust.iter().map(|trust| trust.0.clone()));
    policy.finality = args.finality.map_or(policy.finality, |name| name.0);
    Ok(policy)
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
            checks.for_each(|check| console.line(&line(console, check, verified.detail.as_deref())));
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
    object
}

/// A sign, the check's name, and what it rests on.
fn line(console: &Console, check: &Check, detail: Option<&str>) -> String {
    let (sign, tone) = match check.outcome {
        Outcome::Pass(_) => ("✓", Tone::Good),
        Outcome::Fail(_) => ("✗", Tone::Bad),
        Outcome::Unknown(_) => ("?", Tone::Unsure),
        Outcome::NotApplicable => ("–", Tone::Faint),
    };
    let detail = match &check.outcome {
        Outcome::Unknown(Gap::Unseen(_)) => detail.map(|detail| format!(" ({detail})")).unwrap_or_default(),
        _ => String::new(),
    };
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
