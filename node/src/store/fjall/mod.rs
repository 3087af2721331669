//! The embedded engine: keyspaces, keys and values, byte by byte. Integers are big-endian; JSON values are
//! the records of [`super::records`].
//!
//! | keyspace | key | value |
//! | --- | --- | --- |
//! | `meta` | `format` | format version, 4 bytes |
//! | | `secret` | key of the status index permutation, 32 bytes |
//! | | `next-batch`, `next-tx`, `next-change` | the next number to give, 8 bytes |
//! | | `sequence` ‖ issuer (20) | the next position of that issuer's status indices (8) ‖ the first (8; 0 where it is missing) |
//! | `open` | batch (8) | issuer (20) ‖ opened at, Unix seconds (8): batches without a record |
//! | `entries` | batch (8) ‖ first leaf index (4) | entries of 40 bytes (digest ‖ status index), as committed together |
//! | `reserved` | issuer (20) ‖ status index (8) | empty: given to nobody yet, and to be given to whom the issuer says |
//! | `index` | issuer (20) ‖ digest (32) | batch (8) ‖ leaf index (4), for every *sealed* batch |
//! | `batches` | batch (8) | JSON of [`BatchRecord`](super::BatchRecord) |
//! | `roots` | root (32) | batch (8), for every sealed batch |
//! | `issuer-batches` | issuer (20) ‖ batch (8) | empty |
//! | `unfinished` | batch (8) | empty: batches whose state is not final |
//! | `txs` | transaction (8) | JSON of [`TxRecord`](super::TxRecord) |
//! | `costs` | hash of a transaction of ours (32) | JSON of [`Cost`](super::Cost), for good |
//! | `changes` | change (8) | JSON of [`ChangeRecord`](super::ChangeRecord) |
//! | `change-indices` | change (8) | its status indices, as the [`delta`](testamur_core::status::delta) of an update |
//! | `issuer-changes` | issuer (20) ‖ change (8) | empty |
//! | `open-changes` | change (8) | empty: changes whose state is not final |
//! | `change-keys` | issuer (20) ‖ SHA-256 of an idempotency key (32) | SHA-256 of the request's body (32) ‖ change (8) |
//!
//! Whoever can alter this folder can make the node give out receipts that verify nowhere, or give a status
//! index twice; nobody can make a verifier accept what the issuer's account did not anchor.
//!
//! Every write is one atomic batch that is on disk (`fdatasync`) before the call returns. The index is written
//! when a batch is sealed, sorted and past the journal: a third of the bytes and none of the random inserts.

mod batches;
mod changes;
mod history;
mod known;
mod values;

use std::{
    fs::{DirBuilder, File, TryLockError},
    os::unix::fs::DirBuilderExt,
    path::Path,
    sync::atomic::AtomicU64,
};

use fjall::{
    CompressionType, Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode,
    config::{BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry},
};
use rand::RngCore;

pub use self::{
    batches::{Append, OpenRecord},
    changes::{IdempotencyKey, NewChange},
};
use self::{
    known::Known,
    values::{parse_u32, read_u64},
};
use super::StoreError;

/// The layout above.
const FORMAT: u32 = 1;
/// Blocks of tables kept in memory: the whole index of a million digests, which look-ups visit at random.
const BLOCK_CACHE: u64 = 96 << 20;
/// What is kept in memory of one keyspace before it becomes a table. Small, because journals live as long.
const MEMTABLE: u64 = 8 << 20;
/// Journals on disk before stragglers are flushed; the least that the engine takes.
const JOURNALS: u64 = 64 << 20;

/// The node's data folder. All methods block on the disk; whoever is async calls them through `spawn_blocking`
/// (point reads of records excepted, which are served from memory as a rule).
pub struct Store {
    db: Database,
    meta: Keyspace,
    open: Keyspace,
    entries: Keyspace,
    reserved: Keyspace,
    index: Keyspace,
    batches: Keyspace,
    roots: Keyspace,
    issuer_batches: Keyspace,
    unfinished: Keyspace,
    txs: Keyspace,
    costs: Keyspace,
    changes: Keyspace,
    change_indices: Keyspace,
    issuer_changes: Keyspace,
    open_changes: Keyspace,
    change_keys: Keyspace,
    secret: [u8; 32],
    next_batch: AtomicU64,
    next_tx: AtomicU64,
    next_change: AtomicU64,
    known: Known,
    /// Dropped last: the lock outlives the engine.
    _lock: File,
}

impl Store {
    /// Opens the data folder, creating it (mode 0700) where there is none, and locks it until dropped.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let lock = lock(folder)?;
        let db = Database::builder(folder.join("store"))
            .cache_size(BLOCK_CACHE)
            .max_journaling_size(JOURNALS)
            .journal_compression(CompressionType::None)
            .open()?;
        let keyspace = |name| db.keyspace(name, options);
        let meta = keyspace("meta")?;
        let secret = initialise(&db, &meta, folder)?;
        let store = Self {
            open: keyspace("open")?,
            entries: keyspace("entries")?,
            reserved: keyspace("reserved")?,
            index: keyspace("index")?,
            batches: keyspace("batches")?,
            roots: keyspace("roots")?,
            issuer_batches: keyspace("issuer-batches")?,
            unfinished: keyspace("unfinished")?,
            txs: keyspace("txs")?,
            costs: keyspace("costs")?,
            changes: keyspace("changes")?,
            change_indices: keyspace("change-indices")?,
            issuer_changes: keyspace("issuer-changes")?,
            open_changes: keyspace("open-changes")?,
            change_keys: keyspace("change-keys")?,
            next_batch: AtomicU64::new(read_u64(&meta, b"next-batch")?.unwrap_or(1)),
            next_tx: AtomicU64::new(read_u64(&meta, b"next-tx")?.unwrap_or(1)),
            next_change: AtomicU64::new(read_u64(&meta, b"next-change")?.unwrap_or(1)),
            known: Known::default(),
            secret,
            meta,
            db,
            _lock: lock,
        };
        store.index_roots()?;
        Ok(store)
    }

    /// The key of the status index permutation, made at the first start.
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// A write that is on disk when its commit returns.
    fn write(&self) -> OwnedWriteBatch {
        self.db.batch().durability(Some(PersistMode::SyncData))
    }
}

/// Makes the folder and takes its lock.
fn lock(folder: &Path) -> Result<File, StoreError> {
    let fault = |source| StoreError::Folder { path: folder.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fault)?;
    let file = File::options().create(true).append(true).open(folder.join("lock")).map_err(fault)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(fault(source)),
    }
}

/// Checks the format, or writes it into a new folder together with a new secret.
fn initialise(db: &Database, meta: &Keyspace, folder: &Path) -> Result<[u8; 32], StoreError> {
    let Some(format) = meta.get("format")? else {
        let mut secret = [0; 32];
        rand::rng().fill_bytes(&mut secret);
        let mut write = db.batch().durability(Some(PersistMode::SyncAll));
        write.insert(meta, "format", FORMAT.to_be_bytes());
        write.insert(meta, "secret", secret);
        write.commit()?;
        return Ok(secret);
    };
    let found = parse_u32(&format)?;
    if found != FORMAT {
        return Err(StoreError::Format { path: folder.to_owned(), found, known: FORMAT });
    }
    let secret = meta.get("secret")?.ok_or(StoreError::Damaged { what: "secret" })?;
    secret[..].try_into().map_err(|_| StoreError::Damaged { what: "secret" })
}

/// Digests are random, so nothing is compressed; most look-ups find nothing, so filters are kept at every level.
fn options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .max_memtable_size(MEMTABLE)
        .data_block_compression_policy(CompressionPolicy::disabled())
        .filter_policy(FilterPolicy::all(FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(10.0))))
}
