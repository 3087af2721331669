//! `testamur audit`

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use indicatif::ProgressStyle;
use serde_json::{Value, json};
use testamur::{
    audit::{
        Audit, Auditor,
        entry::Entry,
        known,
        watch::{Notice, Position, Webhook},
    },
    span,
    terminal::{Console, Exit, Failure, Tone},
};
use testamur_chain::{Endpoint, Registry};
use testamur_core::{Address, ChainId, Purpose};

use super::acts::Access;

const AFTER_HELP: &str = "\
Everything that the issuer ever wrote is read from the chain: anchors, status updates, and acts
of its controller. Wrong are anchors that are none of the known ones, status roots that their
published updates do not lead to, and revocations that were taken back.

Examples:
  testamur audit 0x… --rpc https://rpc.example --known roots.txt
  testamur audit 0x… --rpc https://rpc.example --known *.receipt.json --json
  testamur audit 0x… --rpc https://rpc.example --watch --state audit.json --webhook https://…";

/// Pauses after failures of a webhook or an endpoint double from the one to the other.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// For how long news may be told before that is noted: after a crash, they are told again.
const UNSAVED: Duration = Duration::from_secs(1);

/// Read back and check everything that an issuer wrote to the chain
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// The issuer.
    #[arg(value_name = "ISSUER")]
    issuer: Address,
    #[command(flatten)]
    access: Access,
    /// What the issuer anchored to its own knowledge: receipts, anchored credentials, or lists of roots, one a line.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    known: Vec<PathBuf>,
    /// Read the status of this purpose as well, beside revocation and suspension: a number.
    #[arg(long, value_name = "N")]
    purpose: Vec<Purpose>,
    /// Go on, and tell what is new.
    #[arg(long)]
    watch: bool,
    /// How often to look, such as 15s or 5m.
    #[arg(long, value_name = "SPAN", default_value = "15s", value_parser = interval, requires = "watch")]
    every: Duration,
    /// Keep what was told in this file, so that nothing is told twice, or never, when it is started again.
    #[arg(long, value_name = "FILE", requires = "watch")]
    state: Option<PathBuf>,
    /// Post what is new to this URL as JSON, each at least once.
    #[arg(long, value_name = "URL", env = "TESTAMUR_WEBHOOK", hide_env_values = true, requires = "state")]
    webhook: Option<String>,
}

fn interval(text: &str) -> Result<Duration, String> {
    match span::seconds(text) {
        Some(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err("write a span such as 15s or 5m".to_owned()),
    }
}

pub async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    let webhook = args
        .webhook
        .as_deref()
        .map(|url| Webhook::new(url).ok_or_else(|| Failure::usage("--webhook: not an http:// or https:// URL")));
    let webhook = webhook.transpose()?;
    let registry = args.access.registry().await?;
    let chain = registry.endpoint().chain_id().await?;
    let known = known_roots(&args.known, args.issuer, chain)?;
    let mut purposes = vec![Purpose::REVOCATION, Purpose::SUSPENSION];
    purposes.extend(args.purpose.iter().copied().filter(|purpose| purpose.0 > 1));
    let endpoint = registry.endpoint().clone();
    let position = position(args.state.as_deref(), args.issuer, chain, &registry)?;
    let auditor = Auditor::new(registry, args.issuer, purposes, known).await?;
    let mut audit = Running { auditor, endpoint, console };
    if args.watch {
        Watch { position, state: args.state, webhook, every: args.every, printed: HashSet::new() }.run(&mut audit).await
    } else {
        let audit = audit.look().await?;
        audit.entries.iter().for_each(|entry| tell(console, entry, entry.object(&audit)));
        Ok(conclude(console, &audit))
    }
}

fn known_roots(
    files: &[PathBuf],
    issuer: Address,
    chain: ChainId,
) -> Result<Option<HashSet<testamur_core::Hash>>, Failure> {
    let mut roots = HashSet::new();
    for file in files {
        let wrong = |error| Failure::usage(format!("--known {}: {error}", file.display()));
        roots.extend(known::read(file, issuer, chain).map_err(wrong)?);
    }
    Ok((!files.is_empty()).then_some(roots))
}

fn position(state: Option<&Path>, issuer: Address, chain: ChainId, registry: &Registry) -> Result<Position, Failure> {
    let Some(path) = state else { return Ok(Position::new(issuer, chain, registry.address())) };
    Position::read(path, issuer, chain, registry.address())
        .map_err(|error| Failure::usage(format!("--state {}: {error}", path.display())))
}

/// An auditor whose progress is shown.
struct Running<'a> {
    auditor: Auditor,
    endpoint: Endpoint,
    console: &'a Console,
}

impl Running<'_> {
    async fn look(&mut self) -> Result<Audit, testamur_chain::Error> {
        let bar = self.console.bar(usize::MAX, "reading the chain");
        bar.set_style(ProgressStyle::with_template("{spinner} {msg}, {pos} requests").expect("the template is valid"));
        let look = self.auditor.look();
        tokio::pin!(look);
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        loop {
            tokio::select! {
                audit = &mut look => {
                    bar.finish_and_clear();
                    return audit;
                }
                _ = ticks.tick() => bar.set_position(self.endpoint.requests()),
            }
        }
    }
}

/// A watch, and how far it came.
struct Watch {
    position: Position,
    state: Option<PathBuf>,
    webhook: Option<Webhook>,
    every: Duration,
    /// News that wait for the webhook are printed once only.
    printed: HashSet<String>,
}

impl Watch {
    /// Goes on until it is stopped from outside, which may be at any moment.
    async fn run(mut self, audit: &mut Running<'_>) -> Result<Exit, Failure> {
        let (mut failures, mut concluded) = (0, false);
        loop {
            let told = match audit.look().await {
                Ok(seen) => {
                    let told = self.tell(audit.console, &seen).await?;
                    if !concluded {
                        conclude(audit.console, &seen);
                        concluded = true;
                    }
                    seen.gaps.iter().try_for_each(|(part, error)| Err(format!("{part}: {error}"))).and(told)
                }
                Err(error) if Failure::from(error.clone()).exit == Exit::CouldNotTell => Err(error.to_string()),
                Err(error) => return Err(error.into()),
            };
            failures = match &told {
                Ok(()) => 0,
                Err(error) => {
                    audit.console.error(error);
                    failures + 1
                }
            };
            tokio::time::sleep(if failures == 0 { self.every } else { pause(failures) }).await;
        }
    }

    /// Tells what is new. The inner error says why the webhook did not take it; the outer one ends the watch.
    async fn tell(&mut self, console: &Console, audit: &Audit) -> Result<Result<(), String>, Failure> {
        let (before, mut saved, mut posted) = (self.position.clone(), Instant::now(), Ok(()));
        for notice in self.position.news(audit) {
            if self.printed.insert(notice.id.clone()) {
                tell_news(console, &notice);
            }
            posted = self.post(&notice).await;
            if posted.is_err() {
                break;
            }
            self.position.tell(&notice);
            if saved.elapsed() > UNSAVED {
                self.save()?;
                saved = Instant::now();
            }
        }
        if posted.is_ok() {
            self.position.settle(audit);
            self.printed.clear();
        }
        if self.position != before {
            self.save()?;
        }
        Ok(posted)
    }

    async fn post(&self, notice: &Notice) -> Result<(), String> {
        let Some(webhook) = &self.webhook else { return Ok(()) };
        webhook.post(&notice.object).await.map_err(|error| format!("the webhook does not take it: {error}"))
    }

    fn save(&self) -> Result<(), Failure> {
        let Some(path) = &self.state else { return Ok(()) };
        let unsaved = |error: io::Error| Failure {
            message: format!("--state {}: {error}", path.display()),
            exit: Exit::CouldNotTell,
        };
        self.position.write(path).map_err(unsaved)
    }
}

fn pause(failures: u32) -> Duration {
    PAUSES[0].saturating_mul(1 << (failures - 1).min(10)).min(PAUSES[1])
}

fn tell_news(console: &Console, notice: &Notice) {
    match &notice.line {
        Some(entry) => tell(console, entry, notice.object.clone()),
        None => {
            console.object(&notice.object);
            let of = &notice.object["undone"];
            let (event, block) = (&of["event"], &of["block"]);
            console.line(&format!(
                "{} undone by a reorganisation: {event} of block {block}",
                console.tone(Tone::Unsure, "↶")
            ));
        }
    }
}

fn tell(console: &Console, entry: &Entry, object: Value) {
    console.object(&object);
    let sign = if entry.flaws.is_empty() { "·".to_owned() } else { console.tone(Tone::Bad, "✗") };
    let block = entry.place.map_or("".to_owned(), |place| format!("block {}", place.block));
    console.line(&format!("{sign} {}  {block:<14} {}", entry.time, entry.what));
    for flaw in &entry.flaws {
        console.line(&format!("    {} {flaw}", console.tone(Tone::Bad, "✗")));
    }
}

/// The verdict over all of it.
fn conclude(console: &Console, audit: &Audit) -> Exit {
    let flaws = audit.flaws().count();
    let exit = match (flaws, audit.gaps.is_empty()) {
        (0, true) => Exit::Done,
        (0, false) => Exit::CouldNotTell,
        _ => Exit::Invalid,
    };
    for (part, error) in &audit.gaps {
        console.error(&format!("{part}: {error}"));
    }
    for status in audit.statuses.iter().filter(|status| status.epoch > 0) {
        let (name, epoch) = (status.purpose.name(), status.epoch);
        let set = status.set.as_ref().map_or_else(|error| format!("unknown: {error}"), |set| format!("{set} set"));
        console.line(&format!("{name}: {set}, after update {epoch}"));
    }
    if !audit.missing.is_empty() {
        let such_as = audit.missing[0];
        console.line(&format!("known, but not anchored: {}, such as {such_as}", audit.missing.len()));
    }
    let (count, head) = (audit.entries.len(), audit.head);
    let (tone, verdict) = match exit {
        Exit::Done => (Tone::Good, "✓ nothing is wrong".to_owned()),
        Exit::Invalid => (Tone::Bad, format!("✗ {flaws} wrong")),
        _ => (Tone::Unsure, "? not everything could be read".to_owned()),
    };
    let place = format!("as of block {} ({}); final up to block {}", head.number, head.time, audit.settled.number);
    console.line(&format!("{}; entries: {count}, {place}", console.tone(tone, &verdict)));
    console.object(&summary(audit, exit, flaws));
    exit
}

fn summary(audit: &Audit, exit: Exit, flaws: usize) -> Value {
    let verdict = match exit {
        Exit::Done => "sound",
        Exit::Invalid => "wrong",
        _ => "unknown",
    };
    let status = audit.statuses.iter().map(|status| {
        json!({ "purpose": status.purpose.name(), "epoch": status.epoch, "root": status.root,
            "set": status.set.as_ref().ok(), "fault": status.set.as_ref().err().map(ToString::to_string) })
    });
    let gaps = audit.gaps.iter().map(|(part, error)| json!({ "part": part, "error": error.to_string() }));
    json!({
        "event": "summary", "verdict": verdict, "issuer": audit.issuer, "chain": audit.chain, "registry": audit.registry,
        "head": audit.head, "settled": audit.settled, "entries": audit.entries.len(), "flaws": flaws,
        "status": status.collect::<Vec<_>>(), "missing": audit.missing, "gaps": gaps.collect::<Vec<_>>(),
    })
}
