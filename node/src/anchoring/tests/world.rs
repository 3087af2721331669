//! A chain with the contract on it, a store with batches in it, and a checker that believes neither.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::OpenOptionsExt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use testamur_chain::{
    BlockTag, Endpoint, Key, KeySource, Registry, Roles, StatusView, deploy,
    history::{self, StatusUpdate},
    registry::{anchor_call, set_operator_call},
    transact,
};
use testamur_core::{
    Address, ChainId, Hash, Purpose, StatusIndex, UnixSeconds,
    status::{StatusTree, delta},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{anvil::Anvil, proxy::Proxy};
use crate::{
    anchoring::{Anchoring, AnchoringConfig, Report},
    mirror::{self, Limits, Mirror, MirrorConfig},
    store::{Action, BatchId, BatchRecord, BatchState, ChangeId, ChangeState, NewChange, Store},
};

/// The keys of anvil's first accounts: they have money, and everybody knows them.
pub const KEYS: [&str; 4] = [
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
];
pub const CHAIN: ChainId = ChainId(31337);
const BOTH: Roles = Roles::ANCHOR.with(Roles::REVOKE);
const FAR: UnixSeconds = UnixSeconds(u64::MAX);

pub struct World {
    pub anvil: Anvil,
    pub proxy: Proxy,
    /// Seen without the proxy.
    pub registry: Registry,
    /// Through the proxy.
    pub seen_by_nodes: Registry,
    /// Follows all issuers, without the proxy, and looks when told to.
    pub mirror: Mirror,
    _stop: DropGuard,
    /// The accounts' keys: the first is the operator's, the others are issuers'.
    pub keys: Vec<Key>,
    folder: TempDir,
    made: AtomicU64,
}

/// A node's anchoring part over a store of its own.
pub struct Node {
    pub store: Arc<Store>,
    pub report: Report,
    pub anchoring: Anchoring,
}

impl World {
    /// The registry deployed, the operator appointed by two issuers; from then on blocks are mined on request only.
    pub async fn new() -> Option<Self> {
        let anvil = Anvil::start()?;
        let proxy = Proxy::start(&anvil.url).await;
        let folder = tempfile::tempdir().unwrap();
        let keys: Vec<Key> = KEYS.iter().map(|hex| key(&folder, hex)).collect();
        let deployed = deploy::deploy(&anvil.endpoint, &keys[0], Duration::from_secs(20)).await.unwrap();
        let registry = Registry::new(anvil.endpoint.clone(), deployed.address());
        let seen_by_nodes = Registry::new(Endpoint::connect(&proxy.url).unwrap(), deployed.address());
        let shutdown = CancellationToken::new();
        let config = MirrorConfig {
            registry: registry.clone(),
            chain: CHAIN,
            folder: folder.path().join("mirror"),
            issuers: keys.iter().map(Key::address).collect(),
            open: false,
            poll: Duration::from_secs(3600),
            limits: Limits::default(),
        };
        let (mirror, _) = Mirror::start(config, mirror::Report::default(), shutdown.clone()).await.unwrap();
        let (made, _stop) = (AtomicU64::new(0), shutdown.drop_guard());
        let world = Self { anvil, proxy, registry, seen_by_nodes, mirror, _stop, keys, folder, made };
        world.appoint(1, BOTH, FAR).await;
        world.appoint(2, BOTH, FAR).await;
        world.auto_mine(false).await;
        Some(world)
    }

    pub fn key(&self, hex: &str) -> Key {
        key(&self.folder, hex)
    }

    pub fn operator(&self) -> Address {
        self.keys[0].address()
    }

    pub fn issuer(&self, number: usize) -> Address {
        self.keys[number].address()
    }

    pub async fn auto_mine(&self, on: bool) {
        let _: Value = self.anvil.rpc("evm_setAutomine", json!([on])).await;
    }

    /// An issuer's own transaction, mined at once.
    pub async fn act(&self, issuer: usize, calldata: &[u8]) {
        self.auto_mine(true).await;
        let to = self.registry.address();
        transact::send(&self.anvil.endpoint, &self.keys[issuer], to, calldata, Duration::from_secs(20)).await.unwrap();
        self.auto_mine(false).await;
    }

    pub async fn appoint(&self, issuer: usize, roles: Roles, expires: UnixSeconds) {
        self.act(issuer, &set_operator_call(self.issuer(issuer), self.operator(), roles, expires)).await;
    }

    /// What the controller itself may do with a root.
    pub async fn anchor_by_hand(&self, issuer: usize, root: Hash, size: u64) {
        self.act(issuer, &anchor_call(self.issuer(issuer), root, size)).await;
    }

    /// A node over a new store.
    pub fn node(&self) -> Node {
        self.node_with(|_| ())
    }

    pub fn node_with(&self, change: impl FnOnce(&mut AnchoringConfig)) -> Node {
        self.node_over(self.store(), change)
    }

    pub fn store(&self) -> Arc<Store> {
        let folder = self.folder.path().join(format!("store-{}", self.made.fetch_add(1, Ordering::Relaxed)));
        Arc::new(Store::open(&folder).unwrap())
    }

    pub fn node_over(&self, store: Arc<Store>, change: impl FnOnce(&mut AnchoringConfig)) -> Node {
        let report = Report::default();
        let mut config = self.config();
        change(&mut config);
        let anchoring = Anchoring::new(store.clone(), config, report.clone()).unwrap();
        Node { store, report, anchoring }
    }

    pub fn config(&self) -> AnchoringConfig {
        let registry = self.seen_by_nodes.clone();
        let issuers = vec![self.issuer(1), self.issuer(2)];
        AnchoringConfig::new(registry, self.mirror.clone(), CHAIN, key(&self.folder, KEYS[0]), issuers)
    }

    /// Ticks and mines until everything is final, whatever a single tick says.
    pub async fn finish(&self, node: &mut Node) {
        for _ in 0..40 {
            let _ = node.anchoring.tick().await;
            if node.store.unfinished_batches().unwrap().is_empty() {
                return;
            }
            self.anvil.mine(1).await;
        }
        panic!("never final: {:?}, {:?}", node.store.unfinished_batches(), node.problems());
    }

    /// Ticks without a fault.
    pub async fn tick(&self, node: &mut Node) {
        node.anchoring.tick().await.unwrap();
    }

    /// Brings the mirror to the newest block.
    pub async fn mirror_looks(&self) {
        let mut changed = self.mirror.changed();
        let head = self.anvil.endpoint.block(BlockTag::Latest).await.unwrap().hash;
        let is_there = |key: &Key| {
            let view = |purpose| self.mirror.view(key.address(), purpose);
            let at_head = |view: Option<Arc<StatusView>>| view.is_some_and(|view| view.head.block.hash == head);
            at_head(view(Purpose::REVOCATION)) && at_head(view(Purpose::SUSPENSION))
        };
        for _ in 0..100 {
            if self.keys.iter().all(is_there) {
                return;
            }
            self.mirror.refresh();
            let _ = tokio::time::timeout(Duration::from_millis(200), changed.changed()).await;
        }
        panic!("the mirror never sees the head");
    }

    /// A tick without a fault, after the mirror has seen the newest block.
    pub async fn look_and_tick(&self, node: &mut Node) {
        self.mirror_looks().await;
        self.tick(node).await;
    }

    /// Ticks and mines until all changes are final and nothing is left over.
    pub async fn finish_changes(&self, node: &mut Node) {
        for _ in 0..60 {
            self.mirror_looks().await;
            let _ = node.anchoring.tick().await;
            if is_done(&node.store) {
                return;
            }
            self.anvil.mine(1).await;
        }
        panic!("never final: {:?}, {:?}", node.store.open_changes(), node.problems());
    }

    /// All updates of one issuer and purpose. Each root is where its deltas lead, and no revocation is cleared.
    pub async fn check_updates(&self, issuer: Address, purpose: Purpose) -> (Vec<StatusUpdate>, StatusTree) {
        let record = self.registry.status_of(issuer, purpose, BlockTag::Latest).await.unwrap();
        let updates = history::status_updates(&self.registry, issuer, purpose, &record).await.unwrap();
        let updates: Vec<_> = updates.into_iter().map(|event| event.what).collect();
        let mut tree = StatusTree::new();
        for update in &updates {
            let toggled = delta::decode(&update.delta).unwrap();
            assert!(purpose != Purpose::REVOCATION || toggled.iter().all(|index| !tree.bit(*index)), "{update:?}");
            tree.toggle(&toggled);
            assert_eq!(tree.root(), update.root, "{update:?}");
        }
        (updates, tree)
    }

    /// The one checker of changes: all are final, the bits on chain are what was acknowledged, nothing is left over.
    pub async fn check_changes(&self, node: &Node) {
        assert_eq!((node.store.open_changes().unwrap(), node.store.open_txs().unwrap()), (vec![], vec![]));
        assert_eq!(node.problems(), Vec::<&str>::new());
        let mut wanted = BTreeMap::<(Address, Purpose), BTreeMap<StatusIndex, bool>>::new();
        for change in node.store.all_changes().map(Result::unwrap) {
            let bits = wanted.entry((change.issuer, change.action.purpose())).or_default();
            let indices = node.store.change_indices(change.id).unwrap();
            bits.extend(indices.into_iter().map(|index| (index, change.action.bit())));
            let ChangeState::Final { at } = change.state else { panic!("{change:?}") };
            if at.transaction != Hash::ZERO {
                let tx_receipt = self.anvil.endpoint.tx_receipt(at.transaction).await.unwrap().unwrap();
                assert_eq!((tx_receipt.success, tx_receipt.block), (true, at.block), "{change:?}");
            }
        }
        for ((issuer, purpose), bits) in wanted {
            let (_, tree) = self.check_updates(issuer, purpose).await;
            let differing: Vec<_> = bits.iter().filter(|(index, bit)| tree.bit(**index) != **bit).collect();
            assert!(differing.is_empty(), "{issuer}, {purpose}: {differing:?}");
        }
    }

    /// The one checker: everything is final, on chain exactly once, as it was sealed, and nothing is left over.
    pub async fn check(&self, node: &Node) {
        let batches: Vec<_> = node.store.all_batches().map(Result::unwrap).collect();
        self.check_batches(node, &batches).await;
    }

    /// The same, of these batches only.
    pub async fn check_batches(&self, node: &Node, batches: &[BatchRecord]) {
        assert!(node.store.unfinished_batches().unwrap().is_empty());
        assert_eq!(node.store.open_txs().unwrap(), []);
        assert_eq!(node.problems(), Vec::<&str>::new());
        for batch in batches {
            let stored = node.store.batch(batch.id).unwrap().unwrap();
            let BatchState::Final { anchor } = stored.state else { panic!("not final: {stored:?}") };
            assert!(stored.final_at.is_some(), "{stored:?}");
            // Who anchored by hand paid for it.
            let cost = node.store.cost(anchor.transaction).unwrap();
            assert!(cost.is_none_or(|cost| cost.block == anchor.block && cost.batches > 0), "{cost:?} {stored:?}");
            assert_eq!(stored, BatchRecord { state: stored.state, final_at: stored.final_at, ..batch.clone() });
            let slot = self.registry.anchor_of(batch.issuer, batch.root, BlockTag::Finalized).await.unwrap().unwrap();
            assert_eq!((slot.size, slot.block, slot.time), (batch.size, anchor.block, anchor.time), "{batch:?}");
            assert_eq!(self.anchored_by(batch).await, [anchor.transaction], "{batch:?}");
        }
    }

    /// An account's next unused nonce.
    pub async fn nonce(&self, account: usize) -> u64 {
        self.anvil.endpoint.nonce(self.issuer(account), BlockTag::Latest).await.unwrap()
    }

    /// The transactions of all events that mention a root.
    async fn anchored_by(&self, batch: &BatchRecord) -> Vec<Hash> {
        let filter = json!([{ "address": self.registry.address(), "fromBlock": "0x0", "toBlock": "latest",
            "topics": [null, null, batch.root] }]);
        let logs: Vec<BTreeMap<String, Value>> = self.anvil.rpc("eth_getLogs", filter).await;
        logs.iter().map(|log| log["transactionHash"].as_str().unwrap().parse().unwrap()).collect()
    }
}

impl Node {
    /// A sealed batch with a root that nobody had before.
    pub fn seal(&self, issuer: Address) -> BatchRecord {
        static ROOTS: AtomicU64 = AtomicU64::new(1);
        let mut root = [0xab; 32];
        root[..8].copy_from_slice(&ROOTS.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let id = BatchId(1 + self.store.all_batches().count() as u64);
        let (root, size, sealed_at) = (Hash(root), 10 + id.0, UnixSeconds(1_700_000_000));
        let batch = BatchRecord { id, issuer, root, size, sealed_at, final_at: None, state: BatchState::Sealed };
        self.store.put_progress(std::slice::from_ref(&batch), None).unwrap();
        batch
    }

    /// A change that waits for no others.
    pub fn change(&self, issuer: Address, action: Action, indices: impl IntoIterator<Item = u64>) -> ChangeId {
        let indices: BTreeSet<_> = indices.into_iter().map(|n| StatusIndex::new(n).unwrap()).collect();
        let (accepted_at, indices) = (UnixSeconds(1_700_000_000), indices.into_iter().collect());
        let new = NewChange { issuer, action, reason: 0, accepted_at, now: true, indices, key: None };
        self.store.accept_change(&new).unwrap().id
    }

    pub fn change_stage(&self, id: ChangeId) -> &'static str {
        crate::events::Stage::from(self.store.change(id).unwrap().unwrap().state).name()
    }

    pub fn state(&self, batch: &BatchRecord) -> BatchState {
        self.store.batch(batch.id).unwrap().unwrap().state
    }

    pub fn stage(&self, batch: &BatchRecord) -> &'static str {
        crate::events::Stage::from(self.state(batch)).name()
    }

    pub fn problems(&self) -> Vec<&'static str> {
        self.report.health.reasons().iter().map(|reason| reason.problem).collect()
    }

    /// The number of signed versions of each open transaction.
    pub fn versions(&self) -> Vec<usize> {
        self.store.open_txs().unwrap().iter().map(|tx| tx.attempts.len()).collect()
    }
}

/// Whether no change waits for anything, and no transaction is left over.
pub fn is_done(store: &Store) -> bool {
    store.open_changes().unwrap().is_empty() && store.open_txs().unwrap().is_empty()
}

pub fn key(folder: &TempDir, hex: &str) -> Key {
    let file = folder.path().join(&hex[..8]);
    if !file.exists() {
        let open = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
        std::io::Write::write_all(&mut open.unwrap(), hex.as_bytes()).unwrap();
    }
    KeySource::KeyFile(file).load().unwrap()
}
