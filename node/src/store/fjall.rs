//! The embedded engine: keyspaces, keys and values, byte by byte. Integers are big-endian; JSON values are
//! the records of [`super::records`].
//!
//! | keyspace | key | value |
//! | --- | --- | --- |
//! | `meta` | `format` | format version, 4 bytes |
//! | | `secret` | key of the status index permutation, 32 bytes |
//! | | `next-batch`, `next-tx` | the next number to give, 8 bytes |
//! | | `sequence` ‖ issuer (20) | status indices given to that issuer so far, 8 bytes |
//! | `open` | batch (8) | issuer (20) ‖ opened at, Unix seconds (8): batches without a record |
//! | `entries` | batch (8) ‖ first leaf index (4) | entries of 40 bytes (digest ‖ status index), as committed together |
//! | `index` | issuer (20) ‖ digest (32) | batch (8) ‖ leaf index (4), for every *sealed* batch |
//! | `batches` | batch (8) | JSON of [`BatchRecord`] |
//! | `issuer-batches` | issuer (20) ‖ batch (8) | empty |
//! | `unfinished` | batch (8) | empty: batches whose state is not final |
//! | `txs` | transaction (8) | JSON of [`TxRecord`] |
//!
//! Whoever can alter this folder can make the node give out receipts that verify nowhere, or give a status
//! index twice; nobody can make a verifier accept what the issuer's account did not anchor.
//!
//! Every write is one atomic batch that is on disk (`fdatasync`) before the call returns. The index is written
//! when a batch is sealed, sorted and past the journal: a third of the bytes and none of the random inserts.

use std::{
    fs::{DirBuilder, File, TryLockError},
    os::unix::fs::DirBuilderExt,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use fjall::{
    CompressionType, Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode,
    config::{BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry},
};
use rand::RngCore;
use serde::{Serialize, de::DeserializeOwned};
use testamur_core::{Address, Digest, Entry, UnixSeconds};

use super::{BatchId, BatchRecord, BatchState, StoreError, TxId, TxRecord};

/// The layout above.
const FORMAT: u32 = 1;
/// Blocks of tables kept in memory.
const BLOCK_CACHE: u64 = 32 << 20;
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
    index: Keyspace,
    batches: Keyspace,
    issuer_batches: Keyspace,
    unfinished: Keyspace,
    txs: Keyspace,
    secret: [u8; 32],
    next_batch: AtomicU64,
    next_tx: AtomicU64,
    /// Dropped last: the lock outlives the engine.
    _lock: File,
}

/// Entries to commit to an open batch.
pub struct Append<'a> {
    /// The batch.
    pub batch: BatchId,
    /// Whose batch it is.
    pub issuer: Address,
    /// When its first entry came.
    pub opened_at: UnixSeconds,
    /// Leaf index of the first of `entries`.
    pub first_leaf: u32,
    /// In commit order.
    pub entries: &'a [Entry],
    /// Status indices given to the issuer when these are committed.
    pub sequence: u64,
}

/// A batch that has entries and no record yet: open, or caught by a restart while it was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenRecord {
    /// The number.
    pub id: BatchId,
    /// Whose batch it is.
    pub issuer: Address,
    /// When its first entry came.
    pub opened_at: UnixSeconds,
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
            index: keyspace("index")?,
            batches: keyspace("batches")?,
            issuer_batches: keyspace("issuer-batches")?,
            unfinished: keyspace("unfinished")?,
            txs: keyspace("txs")?,
            next_batch: AtomicU64::new(read_u64(&meta, b"next-batch")?.unwrap_or(1)),
            next_tx: AtomicU64::new(read_u64(&meta, b"next-tx")?.unwrap_or(1)),
            secret,
            meta,
            db,
            _lock: lock,
        };
        Ok(store)
    }

    /// The key of the status index permutation, made at the first start.
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    // --- Submitting

    /// A number for a new batch. It counts as used once something is appended under it.
    pub fn next_batch_id(&self) -> BatchId {
        BatchId(self.next_batch.fetch_add(1, Ordering::Relaxed))
    }

    /// Status indices given to an issuer so far.
    pub fn sequence(&self, issuer: Address) -> Result<u64, StoreError> {
        Ok(read_u64(&self.meta, &sequence_key(issuer))?.unwrap_or(0))
    }

    /// Commits entries of any number of open batches: all, or none. Durable when it returns.
    pub fn append(&self, appends: &[Append<'_>]) -> Result<(), StoreError> {
        let mut write = self.write();
        for append in appends {
            let mut value = Vec::with_capacity(append.entries.len() * Entry::SIZE);
            append.entries.iter().for_each(|entry| value.extend_from_slice(&entry.to_bytes()));
            if append.first_leaf == 0 {
                write.insert(&self.open, batch_key(append.batch), open_value(append.issuer, append.opened_at));
                write.insert(&self.meta, "next-batch", (append.batch.0 + 1).to_be_bytes());
            }
            write.insert(&self.entries, entries_key(append.batch, append.first_leaf), value);
            write.insert(&self.meta, sequence_key(append.issuer), append.sequence.to_be_bytes());
        }
        Ok(write.commit()?)
    }

    /// Batches with entries and without a record, by ascending number.
    pub fn open_batches(&self) -> Result<Vec<OpenRecord>, StoreError> {
        self.open.iter().map(|pair| open_record(pair.into_inner()?)).collect()
    }

    /// Writes a sealed batch: its digests into the index, then its record, which makes it count.
    ///
    /// A crash in between leaves index entries of a batch that is still open; they are true already, and sealing
    /// it again writes them again.
    pub fn seal(&self, record: &BatchRecord, entries: &[Entry]) -> Result<(), StoreError> {
        let mut order: Vec<u32> =
            (0..u32::try_from(entries.len()).expect("a batch has fewer than 2^32 entries")).collect();
        order.sort_unstable_by_key(|leaf| entries[*leaf as usize].digest);
        let mut ingestion = self.index.start_ingestion()?;
        for leaf in order {
            let key = index_key(record.issuer, entries[leaf as usize].digest);
            ingestion.write(key, index_value(record.id, leaf))?;
        }
        ingestion.finish()?;
        let mut write = self.write();
        write.remove(&self.open, batch_key(record.id));
        self.put_batch(&mut write, record);
        Ok(write.commit()?)
    }

    // --- Reading

    /// Where a digest stands among the sealed batches.
    pub fn locate(&self, issuer: Address, digest: Digest) -> Result<Option<(BatchId, u32)>, StoreError> {
        let value = self.index.get(index_key(issuer, digest))?;
        value.map(|value| parse_index_value(&value)).transpose()
    }

    /// One entry of a batch, open or sealed.
    pub fn entry(&self, batch: BatchId, leaf: u32) -> Result<Option<Entry>, StoreError> {
        let chunks = self.entries.range(entries_key(batch, 0)..=entries_key(batch, leaf));
        let Some(chunk) = { chunks }.next_back() else { return Ok(None) };
        let (key, value) = chunk.into_inner()?;
        let first = parse_u32(&key[8..])?;
        let offset = (leaf - first) as usize * Entry::SIZE;
        value.get(offset..offset + Entry::SIZE).map(parse_entry).transpose()
    }

    /// All entries of a batch, in the order of their leaf indices.
    pub fn entries(&self, batch: BatchId) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        for chunk in self.entries.prefix(batch_key(batch)) {
            let (key, value) = chunk.into_inner()?;
            if parse_u32(&key[8..])? as usize != entries.len() || value.len() % Entry::SIZE != 0 {
                return Err(StoreError::Damaged { what: "chunk of entries" });
            }
            for bytes in value.chunks_exact(Entry::SIZE) {
                entries.push(parse_entry(bytes)?);
            }
        }
        Ok(entries)
    }

    /// At most `count` entries of a batch from a leaf on.
    pub fn entries_from(&self, batch: BatchId, first: u32, count: usize) -> Result<Vec<Entry>, StoreError> {
        let Some(chunk) = self.entries.range(entries_key(batch, 0)..=entries_key(batch, first)).next_back() else {
            return Ok(Vec::new());
        };
        let (mut skip, mut entries) = ((first - parse_u32(&chunk.key()?[8..])?) as usize, Vec::with_capacity(count));
        let from = entries_key(batch, first - skip as u32);
        for chunk in self.entries.range(from..batch_end(batch)) {
            for bytes in chunk.value()?.chunks_exact(Entry::SIZE).skip(skip).take(count - entries.len()) {
                entries.push(parse_entry(bytes)?);
            }
            skip = 0;
            if entries.len() == count {
                break;
            }
        }
        Ok(entries)
    }

    /// The record of a sealed batch.
    pub fn batch(&self, id: BatchId) -> Result<Option<BatchRecord>, StoreError> {
        self.batches.get(batch_key(id))?.map(|json| parse_json(&json, "batch record")).transpose()
    }

    /// All sealed batches, by ascending number.
    pub fn all_batches(&self) -> impl Iterator<Item = Result<BatchRecord, StoreError>> {
        self.batches.iter().map(|pair| parse_json(&pair.value()?, "batch record"))
    }

    /// An issuer's sealed batches with a number below `before` (all: `None`), newest first.
    pub fn batches_of(
        &self,
        issuer: Address,
        before: Option<BatchId>,
    ) -> impl Iterator<Item = Result<BatchRecord, StoreError>> {
        let end = issuer_batch_key(issuer, before.unwrap_or(BatchId(u64::MAX)));
        let pairs = self.issuer_batches.range(issuer_batch_key(issuer, BatchId(0))..end);
        pairs.rev().map(|pair| self.must_have(BatchId(parse_u64(&pair.key()?[20..])?)))
    }

    // --- Anchoring

    /// Batches whose state is not [`BatchState::Final`], by ascending number.
    pub fn unfinished_batches(&self) -> Result<Vec<BatchRecord>, StoreError> {
        self.unfinished.iter().map(|pair| self.must_have(BatchId(parse_u64(&pair.key()?)?))).collect()
    }

    /// Transactions that are not retired, by ascending number.
    pub fn open_txs(&self) -> Result<Vec<TxRecord>, StoreError> {
        self.txs.iter().map(|pair| parse_json(&pair.value()?, "transaction record")).collect()
    }

    /// A number for a new transaction. It counts as used once its record is written.
    pub fn next_tx_id(&self) -> TxId {
        TxId(self.next_tx.fetch_add(1, Ordering::Relaxed))
    }

    /// Writes batch records and a transaction record: all, or none. Durable when it returns.
    pub fn put_progress(&self, batches: &[BatchRecord], tx: Option<&TxRecord>) -> Result<(), StoreError> {
        let mut write = self.write();
        batches.iter().for_each(|record| self.put_batch(&mut write, record));
        if let Some(tx) = tx {
            write.insert(&self.txs, tx.id.0.to_be_bytes(), to_json(tx));
            // Ids are given in order, so what was given last covers this one.
            write.insert(&self.meta, "next-tx", self.next_tx.load(Ordering::Relaxed).to_be_bytes());
        }
        Ok(write.commit()?)
    }

    /// Removes a transaction record and writes batch records: all, or none. Durable when it returns.
    pub fn retire_tx(&self, tx: TxId, batches: &[BatchRecord]) -> Result<(), StoreError> {
        let mut write = self.write();
        batches.iter().for_each(|record| self.put_batch(&mut write, record));
        write.remove(&self.txs, tx.0.to_be_bytes());
        Ok(write.commit()?)
    }

    /// A write that is on disk when its commit returns.
    fn write(&self) -> OwnedWriteBatch {
        self.db.batch().durability(Some(PersistMode::SyncData))
    }

    fn put_batch(&self, write: &mut OwnedWriteBatch, record: &BatchRecord) {
        let key = batch_key(record.id);
        write.insert(&self.batches, key, to_json(record));
        write.insert(&self.issuer_batches, issuer_batch_key(record.issuer, record.id), []);
        match record.state {
            BatchState::Final { .. } => write.remove(&self.unfinished, key),
            _ => write.insert(&self.unfinished, key, []),
        }
    }

    fn must_have(&self, id: BatchId) -> Result<BatchRecord, StoreError> {
        self.batch(id)?.ok_or(StoreError::Damaged { what: "list of batches" })
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

// --- Keys and values

fn batch_key(id: BatchId) -> [u8; 8] {
    id.0.to_be_bytes()
}

fn entries_key(batch: BatchId, first_leaf: u32) -> [u8; 12] {
    join(&batch.0.to_be_bytes(), &first_leaf.to_be_bytes())
}

/// Behind every entry of a batch.
fn batch_end(batch: BatchId) -> [u8; 12] {
    entries_key(BatchId(batch.0 + 1), 0)
}

fn index_key(issuer: Address, digest: Digest) -> [u8; 52] {
    join(&issuer.0, &digest.0)
}

fn index_value(batch: BatchId, leaf: u32) -> [u8; 12] {
    entries_key(batch, leaf)
}

fn issuer_batch_key(issuer: Address, batch: BatchId) -> [u8; 28] {
    join(&issuer.0, &batch.0.to_be_bytes())
}

fn sequence_key(issuer: Address) -> [u8; 28] {
    join(b"sequence", &issuer.0)
}

fn open_value(issuer: Address, opened_at: UnixSeconds) -> [u8; 28] {
    join(&issuer.0, &opened_at.0.to_be_bytes())
}

/// `left ‖ right`.
fn join<const N: usize>(left: &[u8], right: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out[..left.len()].copy_from_slice(left);
    out[left.len()..].copy_from_slice(right);
    out
}

fn to_json(record: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(record).expect("records have only JSON values and string keys")
}

fn parse_json<T: DeserializeOwned>(bytes: &[u8], what: &'static str) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|_| StoreError::Damaged { what })
}

fn parse_u32(bytes: &[u8]) -> Result<u32, StoreError> {
    Ok(u32::from_be_bytes(bytes.try_into().map_err(|_| StoreError::Damaged { what: "number" })?))
}

fn parse_u64(bytes: &[u8]) -> Result<u64, StoreError> {
    Ok(u64::from_be_bytes(bytes.try_into().map_err(|_| StoreError::Damaged { what: "number" })?))
}

fn read_u64(keyspace: &Keyspace, key: &[u8]) -> Result<Option<u64>, StoreError> {
    keyspace.get(key)?.map(|value| parse_u64(&value)).transpose()
}

fn parse_entry(bytes: &[u8]) -> Result<Entry, StoreError> {
    let exact = bytes.try_into().map_err(|_| StoreError::Damaged { what: "entry" })?;
    Entry::from_bytes(exact).map_err(|_| StoreError::Damaged { what: "entry" })
}

fn parse_index_value(bytes: &[u8]) -> Result<(BatchId, u32), StoreError> {
    let (batch, leaf) = bytes.split_at_checked(8).ok_or(StoreError::Damaged { what: "index entry" })?;
    Ok((BatchId(parse_u64(batch)?), parse_u32(leaf)?))
}

fn open_record((key, value): fjall::KvPair) -> Result<OpenRecord, StoreError> {
    let damaged = StoreError::Damaged { what: "open batch" };
    let Some((issuer, opened_at)) = value.split_at_checked(20) else { return Err(damaged) };
    let issuer = Address::try_from(issuer).map_err(|_| damaged)?;
    Ok(OpenRecord { id: BatchId(parse_u64(&key)?), issuer, opened_at: UnixSeconds(parse_u64(opened_at)?) })
}
