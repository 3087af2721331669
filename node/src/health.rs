//! Why the node is not ready: each part tells its problems, all of them at once; `/readyz` prints them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use testamur_core::Address;

/// Who tells problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Anchoring: the chain, the operator's rights and funds, transactions that wait.
    Anchoring,
    /// The disk of the data folder.
    Disk,
    /// The store.
    Store,
    /// The mirror: seeing the chain, and what the issuers that it always follows published.
    Mirror,
}

/// One problem, as `/readyz` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Its name, in kebab case: `chain-unreachable`.
    pub problem: &'static str,
    /// The issuer that it concerns; all, where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Address>,
    /// What is wrong and what to do, for the operator of the node. Holds no secret: `/readyz` is public.
    pub detail: String,
}

/// The present problems of all parts. Cheap to clone; all clones are the same list.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<Part, Vec<Reason>>>>);

impl Health {
    /// Replaces the problems of one part; none: it is well.
    pub fn set(&self, part: Part, reasons: Vec<Reason>) {
        self.lock().insert(part, reasons);
    }

    /// All problems; none: ready.
    pub fn reasons(&self) -> Vec<Reason> {
        self.lock().values().flatten().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Part, Vec<Reason>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
