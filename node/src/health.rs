//! Why the node is not ready: each part reports its problems and clears them; `/readyz` prints what is left.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;
use testamur_core::Address;

/// A kind of problem, the only one of its kind at a time (for each issuer, where it concerns one).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// No RPC endpoint answers.
    ChainUnreachable,
    /// The RPC endpoint serves another chain than the configured one.
    WrongChain,
    /// No registry, or another contract, at the configured address.
    NoRegistry,
    /// The operator may not anchor for this issuer: never appointed, dismissed, or expired.
    OperatorNotAppointed,
    /// The operator's account cannot pay for the next transaction.
    LowFunds,
    /// A transaction has waited for long, in spite of replacements.
    Stuck,
    /// Too little space on the disk of the data folder.
    DiskFull,
    /// A write failed: nothing is taken until the node is started again.
    StoreFailed,
}

/// The present problems. Cheap to clone; all clones are the same list.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<(Problem, Option<Address>), String>>>);

/// One problem, as `/readyz` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Which.
    pub problem: Problem,
    /// The issuer that it concerns; all, where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Address>,
    /// What is wrong and what to do, for the operator of the node. Holds no secret: `/readyz` is public.
    pub detail: String,
}

impl Health {
    /// Reports a problem, or replaces its detail.
    pub fn report(&self, problem: Problem, issuer: Option<Address>, detail: impl Into<String>) {
        self.lock().insert((problem, issuer), detail.into());
    }

    /// Clears a problem, if it was there.
    pub fn clear(&self, problem: Problem, issuer: Option<Address>) {
        self.lock().remove(&(problem, issuer));
    }

    /// Whether a problem is there.
    pub fn has(&self, problem: Problem, issuer: Option<Address>) -> bool {
        self.lock().contains_key(&(problem, issuer))
    }

    /// All problems; none: ready.
    pub fn reasons(&self) -> Vec<Reason> {
        let all = self.lock();
        all.iter().map(|(&(problem, issuer), detail)| Reason { problem, issuer, detail: detail.clone() }).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(Problem, Option<Address>), String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
