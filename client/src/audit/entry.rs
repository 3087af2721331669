//! One thing that an issuer wrote: for people, and as JSON for programs.

use std::fmt;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testamur_chain::{
    Finding, Roles,
    history::{Act, Place},
};
use testamur_core::{Address, Hash, Purpose, UnixSeconds};

use super::Audit;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The time of its block; for what no block says, when it came to be.
    pub time: UnixSeconds,
    /// Whether that is finalized.
    pub settled: bool,
    /// Where it is written. `None` for what only time brought about.
    pub place: Option<Place>,
    /// What.
    pub what: What,
    /// What is wrong with it.
    pub flaws: Vec<Flaw>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A batch was anchored.
    Anchored {
        /// Its root.
        root: Hash,
        /// Its leaves.
        size: u64,
        /// Whether it is one of the expected ones, if those were named.
        known: Option<bool>,
    },
    /// A status root was replaced.
    Updated {
        /// Which bits.
        purpose: Purpose,
        /// The update's number.
        epoch: u64,
        /// The new root.
        root: Hash,
        /// How many bits were toggled; `None` where the delta cannot be read.
        toggled: Option<u64>,
    },
    /// A batch was withdrawn, an operator set, or control handed over.
    Act(Act),
    /// An operator's time ran out.
    Expired {
        /// The operator.
        operator: Address,
    },
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The root is none of those that the issuer knows of: somebody else may have its key.
    UnknownAnchor,
    /// A status update that breaks the protocol.
    Status(Finding),
}

impl Entry {
    /// The same for the same event in the same block, and for nothing else.
    pub fn id(&self) -> String {
        let place = self.place.map(|Place { block_hash, transaction, .. }| (block_hash, transaction));
        let bytes = format!("{:?} {place:?} {:?}", self.time, self.what);
        Hash(Sha256::digest(bytes).into()).to_string()
    }

    /// For programs.
    pub fn object(&self, audit: &Audit) -> Value {
        let mut object = json!({
            "event": self.what.name(), "id": self.id(), "issuer": audit.issuer, "chain": audit.chain,
            "registry": audit.registry, "time": self.time, "settled": self.settled,
            "flaws": self.flaws.iter().map(Flaw::object).collect::<Vec<_>>(),
        });
        if let Some(place) = self.place {
            object["block"] = json!(place.block);
            object["blockHash"] = json!(place.block_hash);
            object["transaction"] = json!(place.transaction);
        }
        for (name, value) in self.what.members() {
            object[name] = value;
        }
        object
    }
}

impl What {
    fn name(&self) -> &'static str {
        match self {
            Self::Anchored { .. } => "anchored",
            Self::Updated { .. } => "statusUpdated",
            Self::Act(Act::Withdrawn { .. }) => "withdrawn",
            Self::Act(Act::OperatorSet { roles, .. }) if *roles == Roles::default() => "operatorDismissed",
            Self::Act(Act::OperatorSet { .. }) => "operatorAppointed",
            Self::Act(Act::ControllerChanged { .. }) => "controllerChanged",
            Self::Expired { .. } => "operatorExpired",
        }
    }

    fn members(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Anchored { root, size, known } => {
                vec![("root", json!(root)), ("size", json!(size)), ("known", json!(known))]
            }
            Self::Updated { purpose, epoch, root, toggled } => vec![
                ("purpose", json!(purpose.name())),
                ("epoch", json!(epoch)),
                ("root", json!(root)),
                ("toggled", json!(toggled)),
            ],
            Self::Act(Act::Withdrawn { root, reason }) => vec![("root", json!(root)), ("reason", json!(reason))],
            Self::Act(Act::OperatorSet { operator, roles, expires }) => {
                vec![("operator", json!(operator)), ("roles", json!(roles.names())), ("expires", json!(expires))]
            }
            Self::Act(Act::ControllerChanged { controller }) => vec![("controller", json!(controller))],
            Self::Expired { operator } => vec![("operator", json!(operator))],
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anchored { root, size, .. } => write!(f, "anchored      {root}, size {size}"),
            Self::Updated { purpose, epoch, root, toggled } => {
                let bits = toggled.map_or("unreadable".to_owned(), |bits| format!("{bits} toggled"));
                write!(f, "status        {} {epoch}: {bits}, root {root}", purpose.name())
            }
            Self::Act(Act::Withdrawn { root, reason }) => write!(f, "withdrew      {root}, reason {reason}"),
            Self::Act(Act::OperatorSet { operator, roles, .. }) if *roles == Roles::default() => {
                write!(f, "dismissed     {operator}")
            }
            Self::Act(Act::OperatorSet { operator, roles, expires }) => {
                write!(f, "appointed     {operator} ({roles}) until {expires}")
            }
            Self::Act(Act::ControllerChanged { controller }) => write!(f, "control to    {controller}"),
            Self::Expired { operator } => write!(f, "expired       {operator}"),
        }
    }
}

impl Flaw {
    /// For programs.
    pub fn object(&self) -> Value {
        match self {
            Self::UnknownAnchor => json!({ "flaw": "unknownAnchor" }),
            Self::Status(Finding::ClearedRevocation { first, count, .. }) => {
                json!({ "flaw": "clearedRevocation", "first": first, "count": count })
            }
            Self::Status(Finding::RootDoesNotMatch { stated, rebuilt, .. }) => {
                json!({ "flaw": "rootDoesNotMatch", "stated": stated, "rebuilt": rebuilt })
            }
            Self::Status(Finding::Delta { fault, .. }) => {
                json!({ "flaw": "unreadableDelta", "fault": fault.to_string() })
            }
            Self::Status(other) => json!({ "flaw": "other", "detail": other.to_string() }),
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAnchor => f.write_str("none of the known roots: who wrote it?"),
            Self::Status(finding) => finding.fmt(f),
        }
    }
}
