//! `testamur-issuer revoke`

use std::{collections::HashSet, path::Path};

use serde_json::{Value, json};
use testamur::{
    change::{
        Action, ChangeError, ChangeState, Step, Target, journal,
        through_node::{self, Order},
    },
    files,
    terminal::{Console, Exit, Failure, Tone, printable},
};
use testamur_core::json;
use testamur_issuer::{
    config::Settings,
    store::{Listed, Store},
};

use super::{failure, now, store};

const AFTER_HELP: &str = "\
A credential is meant by its id, its digest, or its file. `list --search` finds ids. Revocation
is for good; a run that was interrupted can be repeated.

Example:
  testamur-issuer revoke urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed --reason 4";

/// Revoke credentials, for good
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
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

#[derive(Clone, Copy, clap::ValueEnum)]
enum WaitFor {
    /// Durable with the node.
    Pending,
    /// In a block, which may still be undone.
    Included,
    /// In a finalized block.
    Final,
}

impl From<WaitFor> for ChangeState {
    fn from(wait: WaitFor) -> Self {
        match wait {
            WaitFor::Pending => Self::Pending,
            WaitFor::Included => Self::Included,
            WaitFor::Final => Self::Final,
        }
    }
}

pub async fn run(args: Args, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let mut store = store(settings)?;
    let (found, mut exit) = find_all(&args.credentials, &store, console)?;
    if found.is_empty() {
        return Ok(exit);
    }
    let node = settings.node().map_err(failure::of_settings)?;
    let place = node.place(settings.node.account).await?;
    let order = Order {
        action: Action::Revoke,
        reason: args.reason,
        now: args.now,
        assigned_elsewhere: false,
        wait: args.wait.into(),
    };
    let mut refused = HashSet::new();
    let mut tell = |step: Step| match step {
        Step::Refused(name, unfit) => {
            console.error(&format!("{name}: {unfit}"));
            refused.insert(name);
        }
        Step::Reached { count, .. } => {
            console.line(&format!("{} {count} revoked", console.tone(Tone::Good, "✓")));
        }
        Step::Taken { .. } | Step::Sent { .. } => {}
    };
    let targets = found.iter().map(target).collect();
    let folder = journal::default_folder();
    let changed = through_node::change(&node, place, targets, &order, &folder, now(), &mut tell).await;
    // Once the node has it, it is revoked, whether or not it was seen on the chain.
    if matches!(changed, Ok(()) | Err(ChangeError::Waiting { .. })) {
        let revoked = found.iter().filter(|credential| !refused.contains(&credential.id));
        let revoked: Vec<_> = revoked.collect();
        store.note_revoked(revoked.iter().map(|credential| &credential.digest), now()).map_err(failure::of_store)?;
        revoked.iter().for_each(|credential| console.object(&json!({ "id": credential.id, "state": "revoked" })));
    }
    changed?;
    if !refused.is_empty() {
        exit = exit.and(Exit::Invalid);
    }
    Ok(exit)
}

fn target(credential: &Listed) -> Target {
    let Listed { id, digest, status_index, .. } = credential;
    Target { name: id.clone(), digest: Some(*digest), index: Some(*status_index), receipt: None }
}

/// The credentials meant. What means none is told.
fn find_all(named: &[String], store: &Store, console: &Console) -> Result<(Vec<Listed>, Exit), Failure> {
    let (mut found, mut exit) = (Vec::new(), Exit::Done);
    for name in named {
        let id = id_in(Path::new(name)).unwrap_or_else(|| name.clone());
        match store.find(&id).map_err(failure::of_store)? {
            Some(credential) => found.push(credential),
            None => {
                console.error(&format!("{}: nothing of this id, digest or file was issued here", printable(name)));
                exit = Exit::Invalid;
            }
        }
    }
    Ok((found, exit))
}

/// The id of the credential in a file, where it is one.
fn id_in(file: &Path) -> Option<String> {
    let bytes = files::read_up_to(file, json::MAX_BYTES).ok()?.ok()?;
    let credential = json::parse(&bytes).ok()?;
    credential.get("id").and_then(Value::as_str).map(str::to_owned)
}
