//! `testamur-issuer list`

use testamur::{
    span,
    terminal::{Console, Exit, Failure, Tone, printable},
};
use testamur_core::UnixSeconds;
use testamur_issuer::{
    config::Settings,
    store::{Listed, Standing, Wanted},
};

use super::{failure, now, store};

const AFTER_HELP: &str = "\
Examples:
  testamur-issuer list --search lovelace
  testamur-issuer list --expiring 60d --json";

/// List what was issued, the newest first
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Only what is good now and ends within this span (`60d`, `1y`) or before this date; what ends first stands first.
    #[arg(long, value_name = "SPAN|DATE")]
    expiring: Option<String>,
    /// Only what has this in its id, template, or the learner's key, name or e-mail.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only those of this template.
    #[arg(long, value_name = "TEMPLATE")]
    template: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N")]
    most: Option<usize>,
}

pub fn run(args: &Args, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let now = now();
    let wanted = Wanted {
        text: args.search.clone(),
        template: args.template.clone(),
        ends_before: args.expiring.as_deref().map(|text| end(text, now)).transpose()?,
        standing: args.expiring.as_ref().map(|_| (Standing::Good, now)),
        most: args.most,
        ..Wanted::default()
    };
    let found = store(settings)?.list(&wanted).map_err(failure::of_store)?;
    for credential in &found {
        console.object(credential);
        console.line(&line(credential, now, console));
    }
    if found.is_empty() {
        console.note("nothing");
    }
    Ok(Exit::Done)
}

fn end(text: &str, now: UnixSeconds) -> Result<UnixSeconds, Failure> {
    span::point(text, now)
        .ok_or_else(|| Failure::usage(format!("--expiring: {text} is neither a span like 60d nor a date")))
}

fn line(credential: &Listed, now: UnixSeconds, console: &Console) -> String {
    let Listed { id, template, learner, name, valid_from, valid_until, .. } = credential;
    let (tone, state) = state(credential, now);
    let who = printable(name.as_deref().unwrap_or(learner));
    let until = valid_until.map(|until| format!(" to {}", day(until))).unwrap_or_default();
    format!("{}  {template}  {who}  {}{until}  {id}", console.tone(tone, &format!("{state:<10}")), day(*valid_from))
}

fn state(credential: &Listed, now: UnixSeconds) -> (Tone, &'static str) {
    match credential.standing(now) {
        Standing::Good => (Tone::Good, "good"),
        Standing::Revoked => (Tone::Bad, "revoked"),
        Standing::Superseded => (Tone::Faint, "superseded"),
        Standing::Suspended => (Tone::Unsure, "suspended"),
        Standing::Ended => (Tone::Unsure, "ended"),
        Standing::Unfinished => (Tone::Unsure, credential.state.name()),
    }
}

/// The date of a point of time, in UTC.
fn day(time: UnixSeconds) -> String {
    time.to_string().chars().take(10).collect()
}
