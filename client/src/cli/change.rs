//! `testamur revoke`, `testamur suspend` and `testamur reinstate`

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde_json::json;
use testamur::{
    Node,
    change::{
        Action, ChangeError, ChangeState, Entry, Landed, Step, Target, Unfit, journal,
        on_chain::Sender,
        targets,
        through_node::{self, Order},
    },
    terminal::{Console, Exit, Failure, Tone},
};
use testamur_chain::Key;
use testamur_core::Address;

use super::{
    acts::{Access, KeyArgs, PATIENCE},
    node::token,
    now, paths,
};

pub const AFTER_HELP: &str = "\
A file is meant by the receipt inside or beside it, a number is a status index (./7 is a file),
and 64 hex digits are a digest. The node's answer means that the change is durable there; a run
that was interrupted can be repeated: nothing is taken twice. An entry that is refused is named,
and the others go on.

When the node is gone, the chain itself will do: with --key-file or --keystore, --node is not
asked. The bits are rebuilt from the chain, and what differs is sent as the issuer's next update.

Examples:
  testamur revoke diploma.json --reason 4 --node https://node.example --token-file token
  testamur suspend --from lost.csv --wait final --node https://node.example --token-file token
  testamur reinstate 1048576 1048577 --rpc https://rpc.example --key-file issuer.key";

#[derive(clap::Args)]
pub struct Args {
    /// Files, folders, status indices or digests.
    #[arg(value_name = "FILE|INDEX", required_unless_present = "from")]
    targets: Vec<PathBuf>,
    /// A list of indices or digests: a line for each, or a table (CSV) with a column `index` or `digest`.
    #[arg(long, value_name = "LIST")]
    from: Vec<PathBuf>,
    /// The issuer's own code for the reason, from 0 to 255. The node keeps it; it is not published.
    #[arg(long, value_name = "N")]
    reason: Option<u8>,
    /// Send it to the chain at once, rather than with what else comes in.
    #[arg(long)]
    now: bool,
    /// How settled it must be before the command ends.
    #[arg(long, value_enum, default_value_t = WaitFor::Included)]
    wait: WaitFor,
    /// The issuer. Default: whoever the token speaks for, or the key's own account.
    #[arg(long, value_name = "0x…")]
    issuer: Option<Address>,
    /// The node.
    #[arg(long, value_name = "URL", env = "TESTAMUR_NODE", hide_env_values = true)]
    node: Option<String>,
    /// A file that holds the node's bearer token.
    #[arg(long, value_name = "FILE", env = "TESTAMUR_TOKEN_FILE", hide_env_values = true)]
    token_file: Option<PathBuf>,
    /// Take indices that the node never assigned: it was set up anew, and receipts or lists hold them.
    #[arg(long)]
    assigned_elsewhere: bool,
    /// A JSON-RPC endpoint of the chain, to go there without a node.
    #[arg(long, value_name = "URL", env = "TESTAMUR_RPC", hide_env_values = true)]
    rpc: Option<String>,
    /// The registry, without a node. Default: the published address.
    #[arg(long, value_name = "0x…")]
    registry: Option<Address>,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
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

pub async fn run(action: Action, args: Args, console: &Console) -> Result<Exit, Failure> {
    let way = Way::choose(&args)?;
    let (targets, mut exit) = read(&args, console);
    if targets.is_empty() {
        return Ok(exit);
    }
    let bar = console.bar(targets.len(), "sending");
    let mut tell = |step: Step| {
        if let Step::Refused(_, unfit) = &step {
            exit = exit.and(exit_of(unfit));
        }
        bar.suspend(|| told(action, args.wait.into(), &step, console));
        advance(&bar, &step);
    };
    match way {
        Way::Chain(key, access) => {
            let registry = access.registry().await?;
            let chain = registry.endpoint().chain_id().await?;
            let issuer = args.issuer.unwrap_or(key.address());
            let sender = Sender { registry: &registry, chain, issuer, key: &key, patience: PATIENCE };
            sender.change(targets, action, args.wait.into(), &mut tell).await?;
        }
        Way::Node(node) => {
            let place = node.place(args.issuer).await.map_err(ChangeError::from)?;
            let order = Order {
                action,
                reason: args.reason.unwrap_or(0),
                now: args.now,
                assigned_elsewhere: args.assigned_elsewhere,
                wait: args.wait.into(),
            };
            through_node::change(&node, place, targets, &order, &journal::default_folder(), now(), &mut tell).await?;
        }
    }
    bar.finish_and_clear();
    Ok(exit)
}

/// Which way the change goes.
enum Way {
    Node(Node),
    Chain(Box<Key>, Access),
}

impl Way {
    fn choose(args: &Args) -> Result<Self, Failure> {
        let Some(key) = args.key.load()? else { return Self::through_node(args) };
        if args.wait == WaitFor::Pending || args.reason.is_some() || args.now || args.assigned_elsewhere {
            let message = "--wait pending, --reason, --now and --assigned-elsewhere are for the way through a node; \
                           with a key it goes straight to the chain";
            return Err(Failure::usage(message));
        }
        let rpc = args.rpc.clone().ok_or_else(|| Failure::usage("no way to the chain: give --rpc"))?;
        Ok(Self::Chain(Box::new(key), Access::new(rpc, args.registry)))
    }

    fn through_node(args: &Args) -> Result<Self, Failure> {
        let url = args.node.as_deref();
        let url = url.ok_or_else(|| {
            Failure::usage("no node: give --node; or, straight to the chain, --rpc and --key-file or --keystore")
        })?;
        let node = Node::new(url, token(args.token_file.as_deref())?);
        node.map(Self::Node).map_err(|error| Failure::usage(error.to_string()))
    }
}

/// What the arguments and lists mean. What means nothing is told.
fn read(args: &Args, console: &Console) -> (Vec<Target>, Exit) {
    let (mut targets, mut exit) = (Vec::new(), Exit::Done);
    let mut take = |name: String, entry: Result<Entry, Unfit>| match entry.and_then(|e| Target::read(name.clone(), e)) {
        Ok(target) => targets.push(target),
        Err(unfit) => {
            refused(&name, &unfit, console);
            exit = exit.and(exit_of(&unfit));
        }
    };
    let mut files = Vec::new();
    for argument in &args.targets {
        match Entry::from_argument(argument) {
            Entry::File(path) => files.push(path),
            entry => take(argument.display().to_string(), Ok(entry)),
        }
    }
    let (files, missing) = paths(&files, console);
    files.into_iter().for_each(|path| take(path.display().to_string(), Ok(Entry::File(path))));
    let unread = args.from.iter().fold(missing, |exit, list| exit.and(read_list(list, &mut take, console)));
    (targets, exit.and(unread))
}

fn read_list(list: &Path, take: &mut dyn FnMut(String, Result<Entry, Unfit>), console: &Console) -> Exit {
    let name = list.display();
    match targets::read_list(list) {
        Ok(lines) => lines.into_iter().for_each(|(line, entry)| take(format!("{name}:{line}"), entry)),
        Err(error) => {
            console.error(&format!("{name}: {error}"));
            return Exit::CouldNotTell;
        }
    }
    Exit::Done
}

fn exit_of(unfit: &Unfit) -> Exit {
    if matches!(unfit, Unfit::Io(_)) { Exit::CouldNotTell } else { Exit::Invalid }
}

fn refused(name: &str, unfit: &Unfit, console: &Console) {
    console.object(&json!({ "entry": name, "state": "refused", "error": unfit.to_string() }));
    console.error(&format!("{name}: {unfit}"));
}

fn advance(bar: &ProgressBar, step: &Step) {
    match step {
        Step::Refused(..) => bar.inc(1),
        Step::Taken { count, .. } | Step::Sent { count, .. } => bar.inc(*count as u64),
        Step::Reached { .. } => {}
    }
}

fn told(action: Action, wait: ChangeState, step: &Step, console: &Console) {
    match step {
        Step::Refused(name, unfit) => refused(name, unfit, console),
        Step::Taken { count, change } => {
            console.object(&json!({ "action": action, "state": "pending", "count": count, "change": change }));
            let words = format!("{count} to {action}, durable with the node as change {change}");
            match wait {
                ChangeState::Pending => console.line(&format!("{} {words}", console.tone(Tone::Good, "✓"))),
                _ => console.note(&format!("{words}; waiting until it is {}", state(wait))),
            }
        }
        Step::Sent { count, of, at } => {
            console.object(&object(action, *count, "included", Some(at), None));
            if count < of {
                console.note(&format!("{count} of {of} {}", place(at)));
            }
        }
        Step::Reached { count, state: reached, at, change } => {
            console.object(&object(action, *count, state(*reached), at.as_ref(), *change));
            let done = action.done();
            console.line(&match at {
                Some(at) => {
                    format!(
                        "{} {}, {} {}",
                        console.tone(Tone::Good, "✓"),
                        format_args!("{count} {done}"),
                        state(*reached),
                        place(at)
                    )
                }
                None => console.tone(Tone::Faint, &format!("– {} before", format_args!("{count} {done}"))),
            });
        }
    }
}

fn object(action: Action, count: usize, state: &str, at: Option<&Landed>, change: Option<u64>) -> serde_json::Value {
    let mut object = json!({ "action": action, "state": state, "count": count });
    if let Some(change) = change {
        object["change"] = json!(change);
    }
    if let Some(Landed { epoch, block, transaction }) = at {
        object["epoch"] = json!(epoch);
        object["block"] = json!(block);
        object["transaction"] = json!(transaction);
    }
    object
}

fn state(state: ChangeState) -> &'static str {
    match state {
        ChangeState::Pending => "pending",
        ChangeState::Included => "included",
        ChangeState::Final => "final",
    }
}

fn place(at: &Landed) -> String {
    let Landed { epoch, block, transaction } = at;
    let transaction = transaction.map(|hash| format!(", transaction {hash}")).unwrap_or_default();
    format!("in block {block} (epoch {epoch}{transaction})")
}
