//! What `/metrics` counts. No digest, account or peer is ever a label.

use std::{fmt, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

/// One request: which route, how answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Answered {
    /// The method.
    pub method: &'static str,
    /// The route's template, never the path.
    pub route: String,
    /// The HTTP status.
    pub status: u16,
}

/// A batch's life, or a change's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToStage {
    state: &'static str,
}

/// The node's metrics.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    latency: Histogram,
    digests: Counter,
    commit_size: Histogram,
    commit_latency: Histogram,
    batches: Family<ToStage, Counter>,
    changes: Family<ToStage, Counter>,
    problems: Gauge,
    disk_free: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(|_| ())
    }
}

impl Metrics {
    /// Together with what another part registers.
    pub fn new(register: impl FnOnce(&mut Registry)) -> Self {
        let mut registry = Registry::with_prefix("testamur");
        let seconds = || Histogram::new(exponential_buckets(0.000_25, 4.0, 9));
        let metrics = Self {
            requests: Family::default(),
            latency: seconds(),
            digests: Counter::default(),
            commit_size: Histogram::new(exponential_buckets(1.0, 8.0, 7)),
            commit_latency: seconds(),
            batches: Family::default(),
            changes: Family::default(),
            problems: Gauge::default(),
            disk_free: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        let (latency, commit) = (metrics.latency.clone(), metrics.commit_latency.clone());
        registry.register_with_unit("http_request", "Time to the head of the answer", Unit::Seconds, latency);
        registry.register("digests", "New digests on disk", metrics.digests.clone());
        registry.register("commit_digests", "New digests in one commit", metrics.commit_size.clone());
        registry.register_with_unit("commit", "Time of one commit", Unit::Seconds, commit);
        registry.register("batches", "Batches that came to a state", metrics.batches.clone());
        registry.register("changes", "Changes of status that came to a state", metrics.changes.clone());
        registry.register("problems", "What keeps the node from being ready, see /readyz", metrics.problems.clone());
        let free = metrics.disk_free.clone();
        registry.register_with_unit("disk_free", "Space left on the data folder's disk", Unit::Bytes, free);
        register(&mut registry);
        Self { registry, ..metrics }
    }

    /// A request was answered.
    pub fn answered(&self, how: &Answered, after: Duration) {
        self.requests.get_or_create(how).inc();
        self.latency.observe(after.as_secs_f64());
    }

    /// New digests are on disk.
    pub fn committed(&self, digests: usize, after: Duration) {
        self.digests.inc_by(digests as u64);
        self.commit_size.observe(digests as f64);
        self.commit_latency.observe(after.as_secs_f64());
    }

    /// A batch came to a state.
    pub fn came_to(&self, state: &'static str) {
        self.batches.get_or_create(&ToStage { state }).inc();
    }

    /// A change of status came to a state.
    pub fn change_came_to(&self, state: &'static str) {
        self.changes.get_or_create(&ToStage { state }).inc();
    }

    /// The text format, with the present problems and free space.
    pub fn render(&self, problems: usize, disk_free: Option<u64>) -> Result<String, fmt::Error> {
        self.problems.set(i64::try_from(problems).unwrap_or(i64::MAX));
        self.disk_free.set(disk_free.map_or(-1, |free| i64::try_from(free).unwrap_or(i64::MAX)));
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
