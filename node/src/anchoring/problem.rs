//! What keeps batches from being anchored and changes from being written, in words that an operator of the node can
//! act on.

use std::fmt;

use testamur_chain::{Error, Roles};
use testamur_core::{Address, BlockNumber, Hash};

use super::Fault;
use crate::{health::Reason, mirror::Key, store::BatchId};

/// What keeps batches from being anchored, or changes from being written. It stands until a tick does not meet it any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The chain could not be read. The next tick tries again.
    ChainUnavailable {
        /// Why.
        detail: String,
    },
    /// The endpoint serves another chain than the configured one. Nothing is sent.
    WrongChain {
        /// Both.
        detail: String,
    },
    /// The endpoint refuses a transaction for good. A new one is made.
    NotTaken {
        /// The endpoint's words.
        detail: String,
    },
    /// The store could not be read or written. The next tick tries again.
    Store {
        /// Why.
        detail: String,
    },
    /// A transaction succeeded, and the contract does not show it.
    Contradiction {
        /// The transaction.
        transaction: Hash,
    },
    /// The endpoint's newest block is below one that it served before.
    Behind {
        /// Its newest block.
        head: BlockNumber,
        /// The block of an anchor that the node has seen.
        known: BlockNumber,
    },
    /// An anchor that was final is not there any more, or stands elsewhere.
    FinalityBroken {
        /// The batch.
        batch: BatchId,
        /// Where it was final.
        block: BlockNumber,
    },
    /// Somebody with the right to anchor for the issuer anchored this root with another number of leaves.
    OtherSize {
        /// The batch.
        batch: BatchId,
        /// Leaves of the batch.
        ours: u64,
        /// Leaves according to the contract.
        anchored: u64,
    },
    /// The operator may not anchor, or not write status updates, for an issuer.
    NotAppointed {
        /// The issuer.
        issuer: Address,
        /// This node's account.
        operator: Address,
        /// What it may not.
        missing: Roles,
        /// What it should be appointed to, this and other things.
        roles: Roles,
    },
    /// The contract refuses a batch for another reason.
    Refused {
        /// The batch.
        batch: BatchId,
        /// The contract's words.
        detail: String,
    },
    /// The last transaction with an issuer's batches failed; the next one waits.
    Failed {
        /// The issuer.
        issuer: Address,
        /// Failures in a row.
        failures: u32,
        /// From which block it is tried again.
        not_before: BlockNumber,
    },
    /// The status of an issuer could not be read from the chain yet.
    StatusUnknown {
        /// Whose, and of which bits.
        key: Key,
    },
    /// What was published of an issuer's status does not lead to its root, and none of it is ours.
    StatusDamaged {
        /// Whose, and of which bits.
        key: Key,
        /// What is wrong.
        detail: String,
    },
    /// A status update of ours took effect after a reorg changed what it was made for: its root is wrong.
    WrongRoot {
        /// Whose, and of which bits.
        key: Key,
        /// The update.
        epoch: u64,
    },
    /// The contract refuses a status update.
    UpdateRefused {
        /// Whose, and of which bits.
        key: Key,
        /// The contract's words.
        detail: String,
    },
    /// The last status update of an issuer failed; the next one waits.
    UpdateFailed {
        /// Whose, and of which bits.
        key: Key,
        /// Failures in a row.
        failures: u32,
        /// From which block it is tried again.
        not_before: BlockNumber,
    },
    /// The operator's account cannot pay for the next transaction.
    NoFunds {
        /// This node's account.
        operator: Address,
        /// What it has, in wei.
        balance: u128,
        /// What the transaction may cost at most, in wei.
        needed: u128,
    },
    /// Gas costs more than the configuration allows.
    TooDear {
        /// The fee needed, in wei per gas.
        needed: u128,
        /// The highest allowed.
        cap: u128,
    },
}

impl Problem {
    /// As `/readyz` tells it.
    pub fn reason(&self) -> Reason {
        let issuer = match self {
            Self::NotAppointed { issuer, .. } | Self::Failed { issuer, .. } => Some(*issuer),
            Self::StatusUnknown { key }
            | Self::StatusDamaged { key, .. }
            | Self::WrongRoot { key, .. }
            | Self::UpdateRefused { key, .. }
            | Self::UpdateFailed { key, .. } => Some(key.issuer),
            _ => None,
        };
        Reason { problem: self.name(), issuer, detail: self.to_string() }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::ChainUnavailable { .. } => "chain-unavailable",
            Self::WrongChain { .. } => "wrong-chain",
            Self::NotTaken { .. } => "transaction-not-taken",
            Self::Store { .. } => "store-unavailable",
            Self::Contradiction { .. } => "endpoint-contradicts-itself",
            Self::Behind { .. } => "endpoint-behind",
            Self::FinalityBroken { .. } => "finality-broken",
            Self::OtherSize { .. } => "other-size-anchored",
            Self::NotAppointed { .. } => "operator-not-appointed",
            Self::Refused { .. } => "batch-refused",
            Self::Failed { .. } => "transaction-failed",
            Self::StatusUnknown { .. } => "status-unknown",
            Self::StatusDamaged { .. } => "status-damaged",
            Self::WrongRoot { .. } => "status-root-wrong",
            Self::UpdateRefused { .. } => "status-update-refused",
            Self::UpdateFailed { .. } => "status-update-failed",
            Self::NoFunds { .. } => "no-funds",
            Self::TooDear { .. } => "fees-above-limit",
        }
    }
}

impl From<&Fault> for Problem {
    fn from(fault: &Fault) -> Self {
        let detail = fault.to_string();
        match fault {
            Fault::Chain(Error::WrongChain { .. }) => Self::WrongChain { detail },
            Fault::Chain(_) => Self::ChainUnavailable { detail },
            Fault::NotTaken(_) => Self::NotTaken { detail },
            Fault::Store(_) | Fault::Stopping => Self::Store { detail },
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChainUnavailable { detail }
            | Self::WrongChain { detail }
            | Self::NotTaken { detail }
            | Self::Store { detail } => f.write_str(detail),
            Self::Contradiction { transaction } => write!(
                f,
                "the endpoint says that {transaction} succeeded, but the contract does not show what it wrote: if this \
                 lasts, use another endpoint"
            ),
            Self::Behind { head, known } => write!(
                f,
                "the endpoint's newest block is {head}, but an anchor stands in block {known}: it lags behind, or a \
                 development chain was started anew (then start with a new data folder)"
            ),
            Self::FinalityBroken { batch, block } => write!(
                f,
                "batch {} was final in block {block} and is not there any more: the endpoint serves another chain, or \
                 finality was broken; nothing is sent until this is resolved (see testamur-node check)",
                batch.0
            ),
            Self::OtherSize { batch, ours, anchored } => write!(
                f,
                "the root of batch {} is anchored with {anchored} leaves instead of {ours}, by somebody else who may \
                 anchor for its issuer: its receipts cannot verify; look who else holds an operator's key",
                batch.0
            ),
            Self::NotAppointed { issuer, operator, missing, roles } => write!(
                f,
                "{operator} may not {missing} for {issuer} (never appointed, dismissed or expired): \
                 testamur issuer appoint {operator} --issuer {issuer} --roles {} --expires 1y \
                 --key-file <the controller's key> --rpc <URL>",
                roles.to_string().replace(", ", ",")
            ),
            Self::Refused { batch, detail } => write!(f, "batch {} is left out: {detail}", batch.0),
            Self::Failed { issuer, failures, not_before } => write!(
                f,
                "the last {failures} transactions with batches of {issuer} failed; tried again from block {not_before}"
            ),
            Self::StatusUnknown { key: Key { issuer, purpose } } => {
                write!(f, "the {} of {issuer} was not read from the chain yet; its changes wait", purpose.name())
            }
            Self::StatusDamaged { key: Key { issuer, purpose }, detail } => write!(
                f,
                "the {} of {issuer} is not known, so nothing is written: {detail}; the endpoint does not tell the \
                 truth (try another one), or somebody else who may revoke for the issuer published it (then the next \
                 change with `testamur revoke` or `suspend` straight to the chain, by --key-file, sets it right)",
                purpose.name()
            ),
            Self::WrongRoot { key: Key { issuer, purpose }, epoch } => write!(
                f,
                "the root of update {epoch} to the {} of {issuer} is wrong, because a reorg replaced the update before \
                 it: another update with the right one is on its way",
                purpose.name()
            ),
            Self::UpdateRefused { key: Key { issuer, purpose }, detail } => {
                write!(f, "the {} of {issuer} is not updated: {detail}", purpose.name())
            }
            Self::UpdateFailed { key: Key { issuer, purpose }, failures, not_before } => write!(
                f,
                "the last {failures} updates to the {} of {issuer} failed; tried again from block {not_before}",
                purpose.name()
            ),
            Self::NoFunds { operator, balance, needed } => {
                write!(f, "{operator} has {balance} wei, the next transaction may cost {needed}: send it some")
            }
            Self::TooDear { needed, cap } => write!(
                f,
                "gas needs {needed} wei, the configured maximum is {cap}: batches wait until it falls, or raise it"
            ),
        }
    }
}
