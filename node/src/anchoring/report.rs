//! What anchoring tells: events of batches, its problems, and measurements.

use prometheus_client::{
    metrics::{
        counter::Counter,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use super::{now, problem::Problem};
use crate::{
    events::Sender,
    health::{Health, Part},
    store::{BatchRecord, BatchState},
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
}

impl Default for Measures {
    fn default() -> Self {
        // From one second to nine hours.
        let histogram = || Histogram::new(exponential_buckets(1.0, 2.0, 16));
        Self { gas: Counter::default(), to_included: histogram(), to_final: histogram() }
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

    /// A transaction of ours is in a block.
    pub fn gas(&self, used: u64) {
        self.measures.gas.inc_by(used);
    }

    /// All that stands in the way now.
    pub fn problems(&self, problems: &[Problem]) {
        self.health.set(Part::Anchoring, problems.iter().map(Problem::reason).collect());
    }
}
