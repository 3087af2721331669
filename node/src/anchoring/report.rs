//! What anchoring tells: events of batches and changes, its problems, and measurements.

use prometheus_client::{
    metrics::{
        counter::Counter,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use super::{now, problem::Problem};
use crate::{
    events::Sender,
    health::{Health, Part},
    store::{BatchRecord, BatchState, ChangeRecord, ChangeState},
};

/// Where anchoring tells what it does. Cheap to clone.
#[derive(Clone, Default)]
pub struct Report {
    /// Told after each change of a batch's state is on disk.
    pub events: Sender,
    /// Told all problems at the end of each tick.
    pub health: Health,
    /// Counted.
    pub measures: Measures,
}

/// What is measured.
#[derive(Clone)]
pub struct Measures {
    gas: Counter,
    to_included: Histogram,
    to_final: Histogram,
    status_gas: Counter,
    updates: Counter,
    missing: Gauge,
    change_to_included: Histogram,
    change_to_final: Histogram,
}

impl Default for Measures {
    fn default() -> Self {
        // From one second to nine hours.
        let histogram = || Histogram::new(exponential_buckets(1.0, 2.0, 16));
        Self {
            gas: Counter::default(),
            to_included: histogram(),
            to_final: histogram(),
            status_gas: Counter::default(),
            updates: Counter::default(),
            missing: Gauge::default(),
            change_to_included: histogram(),
            change_to_final: histogram(),
        }
    }
}

impl Measures {
    /// Offers them for scraping.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("anchoring_gas", "Gas used by our transactions", self.gas.clone());
        let age = "Time from sealing a batch until its anchor was seen";
        let included = format!("{age} in a block");
        registry.register_with_unit("batch_included", included, Unit::Seconds, self.to_included.clone());
        registry.register_with_unit("batch_final", format!("{age} final"), Unit::Seconds, self.to_final.clone());
        registry.register("status_gas", "Gas of it that status updates used", self.status_gas.clone());
        registry.register("status_updates", "Status updates of ours that took effect", self.updates.clone());
        registry.register("status_missing", "Bits on chain that changes want otherwise", self.missing.clone());
        let age = "Time from accepting a change of status until it was seen";
        let (included, last) = (self.change_to_included.clone(), self.change_to_final.clone());
        registry.register_with_unit("change_included", format!("{age} in a block"), Unit::Seconds, included);
        registry.register_with_unit("change_final", format!("{age} final"), Unit::Seconds, last);
    }
}

impl Report {
    /// Batches have a new state, which is on disk.
    pub fn moved(&self, batches: &[BatchRecord]) {
        let now = now();
        for batch in batches {
            self.events.announce(batch, now);
            // A clock that went back makes it nothing, not a panic.
            let age = now.0.saturating_sub(batch.sealed_at.0) as f64;
            match batch.state {
                BatchState::Included { .. } => self.measures.to_included.observe(age),
                BatchState::Final { .. } => self.measures.to_final.observe(age),
                _ => {}
            }
        }
    }

    /// Changes of status have another state, which is on disk.
    pub fn changed(&self, changes: &[ChangeRecord]) {
        let now = now();
        for change in changes {
            self.events.announce_change(change, now);
            let age = now.0.saturating_sub(change.accepted_at.0) as f64;
            match change.state {
                ChangeState::Pending => {}
                ChangeState::Included { .. } => self.measures.change_to_included.observe(age),
                ChangeState::Final { .. } => self.measures.change_to_final.observe(age),
            }
        }
    }

    /// A transaction of ours with a status update is in a block.
    pub fn update(&self, used: u64, success: bool) {
        self.measures.status_gas.inc_by(used);
        self.measures.updates.inc_by(u64::from(success));
    }

    /// How many bits on chain are not what changes want.
    pub fn missing(&self, bits: usize) {
        self.measures.missing.set(i64::try_from(bits).unwrap_or(i64::MAX));
    }

    /// A transaction of ours is in a block.
    pub fn gas(&self, used: u64) {
        self.measures.gas.inc_by(used);
    }

    /// All that stands in the way now.
    pub fn problems(&self, problems: &[Problem]) {
        self.health.set(Part::Anchoring, problems.iter().map(Problem::reason).collect());
    }
}
