//! Putting the parts together, and taking them apart.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use testamur_chain::{Endpoint, Key, Registry};
use testamur_core::Address;
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore},
    task::{JoinHandle, spawn_blocking},
    time::{interval, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    anchoring::{self, AnchoringConfig, Report, StatusPolicy, report::Measures},
    changes::{Changes, revoked_on_chain},
    config::{Config, public_part},
    disk::Disk,
    events,
    health::{Health, Part, Reason},
    http::{
        self, AppState,
        access::Rates,
        status::{self, StatusReads},
    },
    ledger::{Ledger, Parts, StartError, Threads},
    lists::{ListKeyError, Lists, PublicUrl},
    metrics::Metrics,
    mirror::{self, Mirror, MirrorConfig},
    seal::SealPolicy,
    server,
    store::{Carries, Store, StoreError},
    tokens::Tokens,
    trees::Trees,
};

/// How long the chain has to answer at the start; later is soon enough.
const FIRST_LOOK: Duration = Duration::from_secs(10);
/// How often limits forget who has not asked for a while.
const TIDY: Duration = Duration::from_secs(60);
/// Wei in a gwei.
const GWEI: u128 = 1_000_000_000;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The data folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operator's key, the endpoint's URL, or what the endpoint serves: another chain, no contract or another one.
    #[error(transparent)]
    Chain(#[from] testamur_chain::Error),
    /// The key that signs status lists.
    #[error(transparent)]
    ListKey(#[from] ListKeyError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] StartError),
    /// The mirror's folder.
    #[error(transparent)]
    Mirror(#[from] mirror::store::StoreError),
    /// The address to listen on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A start-up task ended early.
    #[error("a start-up task ended early: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// A node that is started and listens.
pub struct Node {
    listener: TcpListener,
    address: SocketAddr,
    state: Arc<AppState>,
    threads: Threads,
    anchoring: JoinHandle<()>,
    mirroring: JoinHandle<()>,
    reads: Arc<StatusReads>,
    shutdown: CancellationToken,
}

impl Node {
    /// Opens everything. With an endpoint that does not answer the node starts all the same: it takes digests, and
    /// anchors when the chain is back.
    pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Self, RunError> {
        let operator = config.operator.clone();
        let key = spawn_blocking(move || operator.load()).await??;
        let registry = look(&config).await?;
        let data_dir = config.data_dir.clone();
        let store = Arc::new(spawn_blocking(move || Store::open(&data_dir)).await??);
        let listener = listen(config.listen).await?;
        let address = listener.local_addr().unwrap_or(config.listen);

        let (measures, mirrored) = (Measures::default(), mirror::report::Measures::default());
        let metrics = Arc::new(Metrics::new(|registry| {
            measures.register(registry);
            mirrored.register(registry);
        }));
        let report = Report { events: events::Sender::new(metrics.clone()), health: Health::default(), measures };
        let mirrored = mirror::Report { health: report.health.clone(), measures: mirrored };
        let followed = spawn_blocking({
            let (store, issuers) = (store.clone(), config.issuers.clone());
            move || followed(&store, issuers)
        });
        let mirror_config = mirror_config(&config, &registry, followed.await??);
        let (mirror, mirroring) = Mirror::start(mirror_config, mirrored, shutdown.clone()).await?;
        let reads = status_reads(&config, address, mirror.clone()).await?;
        report.health.set(Part::Anchoring, vec![not_looked()]);
        let wake = Arc::new(Notify::new());
        let operator = key.address();
        let anchoring = anchoring_config(&config, registry, mirror, key);
        let (state, threads) = assemble(&config, &anchoring, store.clone(), &report, metrics, &wake, &shutdown)?;
        let anchoring = anchor(store, anchoring, report, wake, shutdown.clone());
        info!(%address, operator = %operator, chain = %state.chain, "started");
        Ok(Self { listener, address, state, threads, anchoring, mirroring, reads, shutdown })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until shutdown; then finishes what is under way and closes the store. Seals nothing.
    pub async fn run(self) {
        let Self { listener, state, threads, anchoring, mirroring, reads, shutdown, .. } = self;
        let tidy = tokio::spawn(tidy(state.clone()));
        let chain = http::snapshot::routes(reads.mirror.clone())
            .merge(http::anchors::routes(reads.mirror.clone()))
            .merge(http::updates::routes(reads.mirror.clone(), Some(state.store.clone())));
        let router = http::router(state.clone(), status::routes(reads).merge(chain));
        server::serve(listener, router, &state.limits, shutdown).await;
        tidy.abort();
        state.ledger.stop().await;
        let stopped = spawn_blocking(move || threads.join()).await.and(anchoring.await).and(mirroring.await);
        if let Err(error) = stopped {
            error!(%error, "a task ended badly");
        }
        // The store closes with its last user.
        let _ = spawn_blocking(move || drop(state)).await;
        info!("stopped");
    }
}

/// Builds what requests are answered from, and starts the ledger.
fn assemble(
    config: &Config,
    anchoring: &AnchoringConfig,
    store: Arc<Store>,
    report: &Report,
    metrics: Arc<Metrics>,
    wake: &Arc<Notify>,
    shutdown: &CancellationToken,
) -> Result<(Arc<AppState>, Threads), RunError> {
    let Report { events, health, .. } = report;
    let policy = SealPolicy { max_size: config.seal.max_size, max_age: config.seal.max_age_seconds };
    let limits = config.limits.clone();
    let trees = Arc::new(Trees::new(store.clone(), limits.tree_cache_bytes));
    let disk = Arc::new(Disk::new(config.data_dir.clone(), limits.disk_reserve_bytes, health.clone()));
    let (ledger, threads) = Ledger::start(Parts {
        store: store.clone(),
        policy,
        trees: trees.clone(),
        events: events.clone(),
        wake: wake.clone(),
        health: health.clone(),
        metrics: metrics.clone(),
        disk: disk.clone(),
    })?;
    let revoked = revoked_on_chain(anchoring.mirror.clone());
    let state = AppState {
        issuers: config.issuers.iter().copied().collect(),
        chain: config.chain.caip2(),
        registry: config.chain.registry,
        public_rpc: config.chain.public_rpc.clone(),
        operator: anchoring.key.address(),
        seal: policy,
        changes: Changes::new(store.clone(), ledger.clone(), revoked, wake.clone()),
        store,
        ledger,
        trees,
        tokens: Tokens::new(&config.data_dir),
        events: events.clone(),
        health: health.clone(),
        metrics,
        disk,
        rates: Rates::new(limits.token_requests_per_second, limits.peer_requests_per_second),
        places: Semaphore::new(limits.requests),
        shutdown: shutdown.clone(),
        limits,
    };
    Ok((Arc::new(state), threads))
}

/// What keeps a node from being ready until anchoring has looked at the chain for the first time.
fn not_looked() -> Reason {
    let detail = "the chain has not been looked at yet; wait a moment".to_owned();
    Reason { problem: "starting", issuer: None, detail }
}

/// Looks whether the endpoint serves the configured chain and contract. Silence is no reason not to start.
async fn look(config: &Config) -> Result<Registry, RunError> {
    let (chain, address) = (config.chain.caip2(), config.chain.registry);
    let endpoint = Endpoint::connect(&config.chain.rpc)?;
    match timeout(FIRST_LOOK, Registry::open(endpoint.clone(), address, chain)).await {
        Ok(Ok(registry)) => return Ok(registry),
        Ok(Err(error)) if !error.is_transient() => return Err(error.into()),
        Ok(Err(error)) => warn!(%error, "the chain cannot be reached; digests are taken, and anchored later"),
        Err(_) => warn!(rpc = public_part(&config.chain.rpc), "the chain does not answer; digests are anchored later"),
    }
    Ok(Registry::new(endpoint, address))
}

async fn listen(address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address).await.map_err(|source| RunError::Listen { address, source })
}

fn anchoring_config(config: &Config, registry: Registry, mirror: Mirror, key: Key) -> AnchoringConfig {
    AnchoringConfig {
        poll: config.chain.poll_seconds,
        max_fee: u128::from(config.chain.max_fee_gwei) * GWEI,
        status: StatusPolicy { max_age: config.status.max_age_seconds, max_changes: config.status.max_changes },
        ..AnchoringConfig::new(registry, mirror, config.chain.caip2(), key, config.issuers.clone())
    }
}

/// What status is read from.
async fn status_reads(config: &Config, address: SocketAddr, mirror: Mirror) -> Result<Arc<StatusReads>, RunError> {
    let data_dir = config.data_dir.clone();
    let lists = spawn_blocking(move || Lists::open(&data_dir)).await??;
    let public_url = config.public_url.clone().unwrap_or_else(|| PublicUrl::of(address));
    let (chain, registry) = (config.chain.caip2(), config.chain.registry);
    Ok(Arc::new(StatusReads { mirror, lists, chain, registry, public_url }))
}

/// The issuers whose status the node must see: those that it serves, and those for whom it accepted changes before they
/// were taken out of the configuration. What was acknowledged comes on chain all the same.
fn followed(store: &Store, mut issuers: Vec<Address>) -> Result<Vec<Address>, StoreError> {
    issuers.extend(store.open_changes()?.iter().map(|change| change.issuer));
    issuers.extend(store.open_txs()?.iter().filter_map(|tx| match tx.carries {
        Carries::Status { issuer, .. } => Some(issuer),
        Carries::Batches(_) => None,
    }));
    Ok(issuers)
}

fn mirror_config(config: &Config, registry: &Registry, issuers: Vec<Address>) -> MirrorConfig {
    MirrorConfig {
        registry: registry.clone(),
        chain: config.chain.caip2(),
        folder: config.data_dir.join("mirror"),
        issuers,
        open: false,
        poll: config.chain.poll_seconds,
        limits: mirror::Limits::default(),
    }
}

/// Anchoring reads the store at its start; where that fails, the node ends.
fn anchor(
    store: Arc<Store>,
    config: AnchoringConfig,
    report: Report,
    wake: Arc<Notify>,
    shutdown: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = anchoring::run(store, config, report, wake, shutdown.clone()).await {
            error!(%error, "anchoring cannot go on; the node stops");
            shutdown.cancel();
        }
    })
}

async fn tidy(state: Arc<AppState>) {
    let mut ticks = interval(TIDY);
    loop {
        ticks.tick().await;
        state.rates.tidy();
    }
}

#[cfg(test)]
mod tests {
    use testamur_core::{Hash, Purpose, UnixSeconds};

    use super::*;
    use crate::store::{Action, NewChange, TxRecord};

    #[test]
    fn what_was_acknowledged_is_followed_without_its_issuer_in_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let [served, changed, written] = [1, 2, 3].map(|n| Address([n; 20]));
        let (action, accepted_at) = (Action::Revoke, UnixSeconds(1));
        let new = NewChange { issuer: changed, action, reason: 0, accepted_at, now: false, indices: vec![], key: None };
        store.accept_change(&new).unwrap();
        let carries = Carries::Status { issuer: written, purpose: Purpose::REVOCATION, epoch: 1, root: Hash::ZERO };
        let tx = TxRecord { id: store.next_tx_id(), nonce: 0, carries, attempts: vec![] };
        store.put_changes(&[], Some(&tx)).unwrap();
        assert_eq!(followed(&store, vec![served]).unwrap(), [served, changed, written]);
    }
}
