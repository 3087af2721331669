//! `testamur-issuer revoke`

use serde_json::json;
use testamur::terminal::{Console, Exit, Failure, Tone};
use testamur_issuer::{
    change::{self, StatusOrder},
    config::Settings,
    issue::Step,
};

use super::{
    failure,
    named::{WaitFor, find_all},
    now, store,
};

const AFTER_HELP: &str = "\
A credential is meant by its id, its digest, or its file. `list --search` finds ids. Revocation is for good. It is
kept here until the node has it: a run that was interrupted is finished by the next one, or by this command without
names.

Example:
  testamur-issuer revoke urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed --reason 4";

/// Revoke credentials, for good
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Ids, digests or files.
    #[arg(value_name = "ID|FILE")]
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

pub async fn run(args: Args, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
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
    let mut count = 0;
    let mut tell = |step: Step<'_>| match step {
        Step::Revoked(more) => count += more,
        Step::Unrevoked(id, why) => {
            console.error(&format!("{id}: {why}"));
            exit = Exit::Invalid;
        }
        _ => {}
    };
    let revoked = change::revoke(&node, &mut store, &found, &order, now(), &mut tell).await;
    for credential in &found {
        let now = store.find(&credential.id).map_err(failure::of_store)?;
        console.object(&json!({ "id": credential.id, "revoked": now.and_then(|now| now.revoked) }));
    }
    console.line(&format!("{} {count} revoked", console.tone(Tone::Good, "✓")));
    revoked.map_err(failure::of_issue)?;
    Ok(exit)
}
