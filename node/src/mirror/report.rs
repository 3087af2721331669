//! What a mirror tells its operator: problems, findings, measurements.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use testamur_chain::{Error, Finding};

use super::{Key, board::Held, look::Look};
use crate::health::{Health, Part, Reason};

/// Where a mirror tells what it does. Cheap to clone.
#[derive(Clone, Default)]
pub struct Report {
    /// Told all problems at the end of each round.
    pub health: Health,
    /// Counted.
    pub measures: Measures,
}

/// What is measured.
#[derive(Clone, Default)]
pub struct Measures {
    head: Gauge,
    settled: Gauge,
    followed: Gauge,
    memory: Gauge,
    findings: Family<OfKind, Counter>,
    updates: Counter,
    undone: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
}

impl Measures {
    /// Offers them for scraping.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("mirror_head_block", "The newest block that the mirror has seen", self.head.clone());
        registry.register("mirror_settled_block", "The newest settled block that it has seen", self.settled.clone());
        registry.register("mirror_followed", "Issuers and purposes that it follows", self.followed.clone());
        registry.register_with_unit("mirror_memory", "Trees in memory, about", Unit::Bytes, self.memory.clone());
        registry.register("mirror_updates", "Status updates applied", self.updates.clone());
        registry.register("mirror_undone", "Status updates undone by reorganisations", self.undone.clone());
        registry.register("mirror_findings", "What is wrong with issuers' status updates", self.findings.clone());
    }

    pub(super) fn looked(&self, look: &Look) {
        self.head.set(gauge(look.head.number.0));
        self.settled.set(gauge(look.settled.number.0));
    }

    pub(super) fn held(&self, held: &Held) {
        self.followed.set(gauge(held.followed as u64));
        self.memory.set(gauge(held.bytes as u64));
    }

    pub(super) fn moved(&self, applied: usize, undone: usize) {
        self.updates.inc_by(applied as u64);
        self.undone.inc_by(undone as u64);
    }
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Report {
    /// Something is wrong with an issuer's update: said once, loudly.
    pub(super) fn found(&self, key: Key, finding: &Finding) {
        let kind = match finding {
            Finding::ClearedRevocation { .. } => "cleared-revocation",
            Finding::RootDoesNotMatch { .. } => "root-mismatch",
            Finding::Delta { .. } => "delta-unreadable",
            _ => "other",
        };
        self.measures.findings.get_or_create(&OfKind { kind }).inc();
        tracing::error!(issuer = %key.issuer, purpose = %key.purpose, kind, "{finding}");
    }

    /// All that stands in the way now.
    pub(super) fn problems(&self, problems: Vec<Reason>) {
        self.health.set(Part::Mirror, problems);
    }
}

/// The chain could not be looked at.
pub(super) fn unseen(error: &Error) -> Reason {
    let problem = match error {
        Error::WrongChain { .. } => "wrong-chain",
        Error::Behind { .. } => "endpoint-behind",
        _ => "chain-unavailable",
    };
    Reason { problem, issuer: None, detail: format!("{error}; what was seen before is served, with its block") }
}

/// The status of an issuer is not known, or not under its newest root.
pub(super) fn of_issuer(key: Key, error: &Error) -> Reason {
    let (problem, advice) = match error {
        Error::StatusRoot { .. } => {
            ("status-root-mismatch", "its next update can heal it; another endpoint may differ")
        }
        Error::Delta { .. } => ("status-delta-unreadable", "its next update can heal it; another endpoint may differ"),
        Error::Contradicted { .. } => ("status-contradicted", "its status is read from the chain anew"),
        _ => ("status-unavailable", "it is tried again"),
    };
    Reason { problem, issuer: Some(key.issuer), detail: format!("{}: {error}; {advice}", key.purpose) }
}

/// An issuer's status was not read yet.
pub(super) fn loading(key: Key) -> Reason {
    let detail = format!("{}: it is being read from the chain, which takes a while the first time", key.purpose);
    Reason { problem: "status-loading", issuer: Some(key.issuer), detail }
}

/// The mirror's folder cannot be used.
pub(super) fn store_failed(error: &super::store::StoreError) -> Reason {
    let detail = format!("{error}; status is served from memory, and read from the chain again after a restart");
    Reason { problem: "mirror-store-failed", issuer: None, detail }
}
