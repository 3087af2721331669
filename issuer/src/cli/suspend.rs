//! `testamur-issuer suspend` and `reinstate`

use serde_json::json;
use testamur::terminal::{Console, Exit, Failure, Tone};
use testamur_issuer::{
    change::{StatusOrder, set_suspended},
    config::Settings,
};

use super::{
    failure,
    named::{WaitFor, find_all},
    now, store,
};

/// Make credentials invalid until they are reinstated
#[derive(clap::Args)]
#[command(after_help = "Example:\n  testamur-issuer suspend urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed")]
pub struct Args {
    /// Ids, digests or files.
    #[arg(required = true, value_name = "ID|FILE")]
    credentials: Vec<String>,
    /// Your own code for the reason, from 0 to 255. The node keeps it; it is not published.
    #[arg(long, value_name = "N", default_value_t = 0)]
    reason: u8,
    /// Send it to the chain at once, rather than with what else comes in.
    #[arg(long)]
    now: bool,
    /// How settled it must be before the command ends.
    #[arg(long, value_enum, default_value_t = WaitFor::Included)]
    wait: WaitFor,
}

/// Make suspended credentials valid again
#[derive(clap::Args)]
#[command(after_help = "Example:\n  testamur-issuer reinstate urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed")]
pub struct Reinstate {
    #[command(flatten)]
    pub args: Args,
}

pub async fn run(args: &Args, suspend: bool, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let mut store = store(settings)?;
    let (found, mut exit) = find_all(&args.credentials, &store, console)?;
    let node = settings.node().map_err(failure::of_settings)?;
    let journals = settings.journals();
    let order = StatusOrder {
        account: settings.node.account,
        reason: args.reason,
        at_once: args.now,
        wait: args.wait.into(),
        journals: &journals,
    };
    let mut refused = |id: &str, why: &str| {
        console.error(&format!("{id}: {why}"));
        exit = Exit::Invalid;
    };
    let count = set_suspended(&node, &mut store, &found, suspend, &order, now(), &mut refused).await;
    let count = count.map_err(failure::of_issue)?;
    let done = if suspend { "suspended" } else { "reinstated" };
    console.object(&json!({ "done": done, "count": count }));
    console.line(&format!("{} {count} {done}", console.tone(Tone::Good, "✓")));
    Ok(exit)
}
