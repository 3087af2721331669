//! A mirror that serves: the program behind `testamur-node mirror`. It needs no key, no token, and no issuer's node.

use std::{
    collections::BTreeSet, fs::DirBuilder, net::SocketAddr, os::unix::fs::DirBuilderExt, sync::Arc, time::Duration,
};

use axum::{Json, Router, extract::State, response::Response, routing::get};
use serde_json::{Value, json};
use testamur_chain::{Endpoint, Registry};
use testamur_core::{Address, ChainId};
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::{JoinHandle, spawn_blocking},
    time::{interval, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Mirror, MirrorConfig, Report, report::Measures, settings::Settings, store::StoreError};
use crate::{
    config::Limits,
    health::{Health, Part, Reason},
    http::{Gate, access::Rates, anchors, api, guarded, node, problem::Problem, snapshot, status, updates},
    lists::{Lists, PublicUrl},
    metrics::Metrics,
    run::RunError,
    server,
};

/// How long the chain has to answer at the start; later is soon enough, where its id is configured.
const FIRST_LOOK: Duration = Duration::from_secs(10);
/// How often limits forget who has not asked for a while.
const TIDY: Duration = Duration::from_secs(60);

/// A mirror that is started and listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    state: Arc<ServerState>,
    reads: Arc<status::StatusReads>,
    following: JoinHandle<()>,
    shutdown: CancellationToken,
}

/// What requests are answered from, beside the status itself.
struct ServerState {
    mirror: Mirror,
    /// None: any.
    issuers: BTreeSet<Address>,
    health: Health,
    metrics: Arc<Metrics>,
    rates: Rates,
    places: Semaphore,
    limits: Limits,
}

impl Gate for ServerState {
    fn rates(&self) -> &Rates {
        &self.rates
    }

    fn places(&self) -> &Semaphore {
        &self.places
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

impl Server {
    /// Opens everything. With an endpoint that does not answer it starts all the same, if the chain's id is configured.
    pub async fn start(settings: Settings, shutdown: CancellationToken) -> Result<Self, RunError> {
        let (registry, chain) = look(&settings).await?;
        make_folder(&settings)?;
        let listener = TcpListener::bind(settings.listen).await;
        let listener = listener.map_err(|source| RunError::Listen { address: settings.listen, source })?;
        let address = listener.local_addr().unwrap_or(settings.listen);
        let measures = Measures::default();
        let metrics = Arc::new(Metrics::new(|registry| measures.register(registry)));
        let health = Health::default();
        health.set(Part::Mirror, vec![not_looked()]);
        let report = Report { health: health.clone(), measures };
        let config = config(&settings, registry, chain);
        let (mirror, following) = Mirror::start(config, report, shutdown.clone()).await?;
        let reads = reads(&settings, address, mirror.clone()).await?;
        info!(%address, %chain, registry = %settings.chain.registry, open = settings.issuers.is_empty(), "started");
        let Settings { issuers, limits, .. } = settings;
        let state = ServerState {
            mirror,
            issuers: issuers.into_iter().collect(),
            health,
            metrics,
            rates: Rates::new(limits.token_requests_per_second, limits.peer_requests_per_second),
            places: Semaphore::new(limits.requests),
            limits,
        };
        Ok(Self { listener, address, state: Arc::new(state), reads, following, shutdown })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until shutdown; then finishes what is under way.
    pub async fn run(self) {
        let Self { listener, state, reads, following, shutdown, .. } = self;
        let tidy = tokio::spawn(tidy(state.clone()));
        server::serve(listener, router(state.clone(), reads), &state.limits, shutdown).await;
        tidy.abort();
        if let Err(error) = following.await {
            tracing::error!(%error, "a task ended badly");
        }
        info!("stopped");
    }
}

/// All routes: the reads of a node, and what its operator needs.
fn router(state: Arc<ServerState>, reads: Arc<status::StatusReads>) -> Router {
    let mirror = state.mirror.clone();
    let routes = Router::new()
        .route("/v1/node", get(describe))
        .route("/healthz", get(node::healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(async || Json(api::of_mirror())))
        .route("/docs", get(async || api::docs_of(&api::of_mirror())))
        .route("/docs/style.css", get(api::style))
        .merge(status::routes(reads))
        .merge(snapshot::routes(mirror.clone()))
        .merge(anchors::routes(mirror.clone()))
        .merge(updates::routes(mirror, None));
    guarded(routes, state)
}

/// `GET /v1/node`: that this is a mirror, and of what.
async fn describe(State(state): State<Arc<ServerState>>) -> Json<Value> {
    let look = state.mirror.look();
    Json(json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "role": "mirror",
        "chain": state.mirror.chain(),
        "registry": state.mirror.registry().address(),
        "issuers": state.issuers,
        "open": state.issuers.is_empty(),
        "head": look.map(|look| look.head),
        "settled": look.map(|look| look.settled),
    }))
}

async fn readyz(State(state): State<Arc<ServerState>>) -> Response {
    node::ready(&state.health)
}

async fn metrics(State(state): State<Arc<ServerState>>) -> Result<Response, Problem> {
    node::scraped(&state.metrics, &state.health, None)
}

/// Looks which chain is served, and whether the contract is there. Silence is no reason not to start.
async fn look(settings: &Settings) -> Result<(Registry, ChainId), RunError> {
    let (endpoint, address) = (Endpoint::connect(&settings.chain.rpc)?, settings.chain.registry);
    let chain = match settings.chain.id {
        Some(id) => ChainId(id),
        None => endpoint.chain_id().await?,
    };
    match timeout(FIRST_LOOK, Registry::open(endpoint.clone(), address, chain)).await {
        Ok(Ok(registry)) => return Ok((registry, chain)),
        Ok(Err(error)) if !error.is_transient() => return Err(error.into()),
        Ok(Err(error)) => warn!(%error, "the chain cannot be reached; it is tried again"),
        Err(_) => warn!("the chain does not answer; it is tried again"),
    }
    Ok((Registry::new(endpoint, address), chain))
}

/// What keeps a mirror from being ready until it has looked at the chain for the first time.
fn not_looked() -> Reason {
    let detail = "the chain has not been looked at yet; wait a moment".to_owned();
    Reason { problem: "starting", issuer: None, detail }
}

fn make_folder(settings: &Settings) -> Result<(), StoreError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&settings.data_dir);
    made.map_err(|source| StoreError::Folder { folder: settings.data_dir.display().to_string(), source })
}

fn config(settings: &Settings, registry: Registry, chain: ChainId) -> MirrorConfig {
    MirrorConfig {
        registry,
        chain,
        folder: settings.data_dir.join("mirror"),
        issuers: settings.issuers.clone(),
        open: settings.issuers.is_empty(),
        poll: settings.chain.poll_seconds,
        limits: settings.mirror.limits(),
    }
}

async fn reads(settings: &Settings, address: SocketAddr, mirror: Mirror) -> Result<Arc<status::StatusReads>, RunError> {
    let data_dir = settings.data_dir.clone();
    let lists = spawn_blocking(move || Lists::open(&data_dir)).await??;
    let public_url = settings.public_url.clone().unwrap_or_else(|| PublicUrl::of(address));
    let (chain, registry) = (mirror.chain(), settings.chain.registry);
    Ok(Arc::new(status::StatusReads { mirror, lists, chain, registry, public_url }))
}

async fn tidy(state: Arc<ServerState>) {
    let mut ticks = interval(TIDY);
    loop {
        ticks.tick().await;
        state.rates.tidy();
    }
}
