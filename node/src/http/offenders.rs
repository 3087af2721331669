//! Entries of a request that cannot be taken, each with its place.

use serde::Serialize;
use serde_json::json;

use super::problem::{Kind, Problem};
use crate::ledger::{Conflict, ConflictReason};

/// Offenders that a problem lists, at most.
const LISTED: usize = 100;

/// One entry of a request that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Offender {
    /// Where it stands in the body (JSON pointer).
    #[schema(example = "/indices/17")]
    pub path: String,
    /// The kind, which never changes: `unknown-digest`, `never-assigned`, `revoked`, `has-index` or `not-reserved`.
    pub problem: &'static str,
    /// What is wrong and what to do.
    pub detail: String,
}

/// The refusal of a request because of these entries; the first of them are listed.
pub fn refused(offenders: Vec<Offender>) -> Problem {
    let count = offenders.len();
    let detail = format!("{count} cannot be taken, so none of the request was: see `errors`");
    let listed: Vec<_> = offenders.into_iter().take(LISTED).map(|offender| json!(offender)).collect();
    Problem::new(Kind::RefusedEntries, detail).with("errors", listed).with("errorCount", count)
}

impl From<&Conflict> for Offender {
    fn from(conflict: &Conflict) -> Self {
        let path = format!("/entries/{}/statusIndex", conflict.place);
        let (problem, detail) = match conflict.reason {
            ConflictReason::HasIndex(index) => {
                ("has-index", format!("the digest has the status index {index} already"))
            }
            ConflictReason::NotReserved => {
                ("not-reserved", "it is not reserved for this issuer here, or another digest has it".to_owned())
            }
        };
        Self { path, problem, detail }
    }
}
