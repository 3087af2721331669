//! `testamur issuer …`: who may write for an issuer, and the issuer's own acts.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use testamur::{
    span,
    terminal::{Console, Exit, Failure},
};
use testamur_chain::{
    BlockTag, Registry, Roles,
    history::{self, Act},
    registry::{accept_controller_call, set_controller_call, set_operator_call, withdraw_call},
};
use testamur_core::{Address, Hash, UnixSeconds};

use super::{
    acts::{self, Access, KeyArgs},
    now,
};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Show who controls an issuer, and where it acted last
    #[command(after_help = "Example:\n  testamur issuer show --issuer 0x… --rpc https://rpc.example")]
    Show(Target),
    /// List the operators that an issuer has now, from its acts on the chain.
    Operators(Target),
    /// Appoint an operator, with exactly these roles, whatever it had before
    #[command(
        after_help = "Example:\n  testamur issuer appoint 0x… --roles anchor,revoke --expires 1y --key-file key --rpc https://rpc.example"
    )]
    Appoint {
        /// The operator's account.
        operator: Address,
        /// What it may do.
        #[arg(long, value_enum, value_delimiter = ',', required = true)]
        roles: Vec<Role>,
        /// Until when: a span (90d, 1y) or a date (2027-06-30).
        #[arg(long, value_name = "WHEN")]
        expires: String,
        #[command(flatten)]
        target: Target,
    },
    /// Dismiss an operator: it may do nothing any more.
    Dismiss {
        /// The operator's account.
        operator: Address,
        #[command(flatten)]
        target: Target,
    },
    /// Give control to another account, in two steps. The issuer's address stays its name.
    #[command(subcommand)]
    Controller(Controller),
    /// Withdraw a whole batch, for good: all credentials in it become invalid
    #[command(after_help = "Example:\n  testamur issuer withdraw 0x… --key-file key --rpc https://rpc.example")]
    Withdraw {
        /// The batch's root, as `testamur receipt show` tells it.
        root: Hash,
        /// The issuer's own code for the reason, from 0 to 255. It is only published.
        #[arg(long, default_value_t = 0)]
        reason: u8,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(clap::Subcommand)]
pub enum Controller {
    /// Propose the next controller. Nothing changes until it accepts.
    Propose {
        /// The account.
        next: Address,
        #[command(flatten)]
        target: Target,
    },
    /// Take a proposal back.
    Cancel(Target),
    /// Take control, with the proposed account's key. Needs --issuer.
    Accept(Target),
}

/// What an operator may do.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Role {
    /// Anchor batches.
    Anchor,
    /// Set status bits: revoke, suspend, reinstate.
    Revoke,
    /// Withdraw batches.
    Withdraw,
}

/// Which issuer, where, and with which key.
#[derive(clap::Args)]
pub struct Target {
    /// The issuer. Default: the key's own account.
    #[arg(long, value_name = "0x…")]
    issuer: Option<Address>,
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    key: KeyArgs,
}

impl Target {
    fn issuer(&self) -> Result<Address, Failure> {
        match (self.issuer, self.key.load()?) {
            (Some(issuer), _) => Ok(issuer),
            (None, Some(key)) => Ok(key.address()),
            (None, None) => Err(Failure::usage("no issuer: give --issuer, or its key")),
        }
    }

    /// Sends an act of the issuer. `act` makes its words, its result's members and its calldata.
    async fn send(&self, act: impl FnOnce(Address) -> Spoken, console: &Console) -> Result<Exit, Failure> {
        let key = self.key.require()?;
        let issuer = self.issuer.unwrap_or(key.address());
        let Spoken { what, result, calldata } = act(issuer);
        let registry = self.access.registry().await?;
        acts::send(&registry, &key, &format!("{what}, for the issuer {issuer}"), &calldata, result, console).await?;
        Ok(Exit::Done)
    }
}

/// An act: for people, for programs, and for the contract.
struct Spoken {
    what: String,
    result: Map<String, Value>,
    calldata: Vec<u8>,
}

impl Spoken {
    fn new(what: String, result: Value, calldata: Vec<u8>) -> Self {
        let Value::Object(result) = result else { unreachable!("results are written as objects") };
        Self { what, result, calldata }
    }
}

pub async fn run(command: Command, console: &Console) -> Result<Exit, Failure> {
    match command {
        Command::Show(target) => show(&target, console).await,
        Command::Operators(target) => operators(&target, console).await,
        Command::Appoint { operator, roles, expires, target } => {
            let (roles, expires) = (union(&roles), in_future(&expires)?);
            target.send(|issuer| appointment(issuer, operator, roles, expires), console).await
        }
        Command::Dismiss { operator, target } => target.send(|issuer| dismissal(issuer, operator), console).await,
        Command::Controller(Controller::Propose { next, target }) => {
            target.send(|issuer| proposal(issuer, Some(next)), console).await
        }
        Command::Controller(Controller::Cancel(target)) => target.send(|issuer| proposal(issuer, None), console).await,
        Command::Controller(Controller::Accept(target)) => {
            if target.issuer.is_none() {
                return Err(Failure::usage("no issuer: give --issuer, because the key is another account's"));
            }
            target.send(acceptance, console).await
        }
        Command::Withdraw { root, reason, target } => {
            target.send(|issuer| withdrawal(issuer, root, reason), console).await
        }
    }
}

fn appointment(issuer: Address, operator: Address, roles: Roles, expires: UnixSeconds) -> Spoken {
    Spoken::new(
        format!("appoint the operator {operator} ({roles}) until {expires}"),
        json!({ "act": "appoint", "issuer": issuer, "operator": operator, "roles": names(roles), "expires": expires }),
        set_operator_call(issuer, operator, roles, expires),
    )
}

fn dismissal(issuer: Address, operator: Address) -> Spoken {
    Spoken::new(
        format!("dismiss the operator {operator}"),
        json!({ "act": "dismiss", "issuer": issuer, "operator": operator }),
        set_operator_call(issuer, operator, Roles::default(), UnixSeconds(0)),
    )
}

fn proposal(issuer: Address, next: Option<Address>) -> Spoken {
    let what = match next {
        Some(next) => format!("propose {next} as the next controller"),
        None => "take back the proposal of a next controller".to_owned(),
    };
    let result = json!({ "act": "proposeController", "issuer": issuer, "next": next });
    Spoken::new(what, result, set_controller_call(issuer, next))
}

fn acceptance(issuer: Address) -> Spoken {
    let result = json!({ "act": "acceptController", "issuer": issuer });
    Spoken::new("take control".to_owned(), result, accept_controller_call(issuer))
}

fn withdrawal(issuer: Address, root: Hash, reason: u8) -> Spoken {
    Spoken::new(
        format!("withdraw the batch {root} for good, reason {reason}"),
        json!({ "act": "withdraw", "issuer": issuer, "root": root, "reason": reason }),
        withdraw_call(issuer, root, reason),
    )
}

fn union(roles: &[Role]) -> Roles {
    roles.iter().fold(Roles::default(), |all, role| {
        all.with(match role {
            Role::Anchor => Roles::ANCHOR,
            Role::Revoke => Roles::REVOKE,
            Role::Withdraw => Roles::WITHDRAW,
        })
    })
}

fn names(roles: Roles) -> Vec<&'static str> {
    let all = [(Roles::ANCHOR, "anchor"), (Roles::REVOKE, "revoke"), (Roles::WITHDRAW, "withdraw")];
    all.iter().filter(|(role, _)| roles.contains(*role)).map(|(_, name)| *name).collect()
}

fn in_future(text: &str) -> Result<UnixSeconds, Failure> {
    let now = now();
    match span::point(text, now) {
        Some(time) if time > now => Ok(time),
        Some(time) => Err(Failure::usage(format!("--expires {time} is in the past"))),
        None => Err(Failure::usage("--expires: write a span (90d, 1y) or a date (2027-06-30)")),
    }
}

async fn show(target: &Target, console: &Console) -> Result<Exit, Failure> {
    let (issuer, registry) = (target.issuer()?, target.access.registry().await?);
    let controller = registry.controller_of(issuer, BlockTag::Latest).await?;
    let proposed = registry.pending_controller_of(issuer, BlockTag::Latest).await?;
    let last = registry.last_blocks_of(issuer, BlockTag::Latest).await?;
    let chain = registry.endpoint().chain_id().await?;
    let itself = if controller == issuer { " (itself)" } else { "" };
    let block = |number: u64| if number == 0 { "none".to_owned() } else { format!("block {number}") };
    console.line(&format!("issuer      {issuer} on {chain}"));
    console.line(&format!("controller  {controller}{itself}"));
    if let Some(proposed) = proposed {
        console.line(&format!("proposed    {proposed} (has not accepted yet)"));
    }
    console.line(&format!("last anchor {}", block(last.anchor.0)));
    console.line(&format!("last act    {}", block(last.act.0)));
    console.object(&json!({ "issuer": issuer, "chain": chain, "registry": registry.address(),
        "controller": controller, "proposed": proposed, "lastAnchor": last.anchor, "lastAct": last.act }));
    Ok(Exit::Done)
}

async fn operators(target: &Target, console: &Console) -> Result<Exit, Failure> {
    let (issuer, registry) = (target.issuer()?, target.access.registry().await?);
    let current = current_operators(&registry, issuer).await?;
    if current.is_empty() {
        console.line(&format!("{issuer} has no operators"));
    }
    for (operator, (roles, expires)) in current {
        let is_over = expires <= now();
        let remark = if is_over { " (over)" } else { "" };
        console.line(&format!("{operator}  {roles}  until {expires}{remark}"));
        console.object(&json!({ "operator": operator, "roles": names(roles), "expires": expires, "expired": is_over }));
    }
    Ok(Exit::Done)
}

/// The operators that the acts leave: the last word on each counts.
async fn current_operators(
    registry: &Registry,
    issuer: Address,
) -> Result<BTreeMap<Address, (Roles, UnixSeconds)>, Failure> {
    let newest = registry.last_blocks_of(issuer, BlockTag::Latest).await?.act;
    let mut current = BTreeMap::new();
    for event in history::acts(registry, issuer, newest).await? {
        if let Act::OperatorSet { operator, roles, expires } = event.what {
            current.insert(operator, (roles, expires));
        }
    }
    current.retain(|_, (roles, _)| *roles != Roles::default());
    Ok(current)
}
