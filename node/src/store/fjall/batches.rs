//! Entries, batches, and the transactions that carry them.

use std::sync::atomic::Ordering;

use fjall::OwnedWriteBatch;
use testamur_core::{Address, Digest, Entry, StatusIndex, UnixSeconds};

use super::{
    super::{BatchId, BatchRecord, BatchState, Sequence, StoreError, TxId, TxRecord},
    Store,
    values::{
        batch_end, batch_key, entries_key, index_key, index_value, issuer_batch_key, open_record, open_value,
        parse_entry, parse_index_value, parse_json, parse_reserved_key, parse_sequence, parse_u32, parse_u64,
        reserved_key, sequence_key, sequence_value, to_json,
    },
};

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
    /// Reserved status indices that these entries use up.
    pub used: Vec<StatusIndex>,
    /// Status indices given to the issuer when these are committed.
    pub sequence: Sequence,
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
    // --- Submitting

    /// A number for a new batch. It counts as used once something is appended under it.
    pub fn next_batch_id(&self) -> BatchId {
        BatchId(self.next_batch.fetch_add(1, Ordering::Relaxed))
    }

    /// Status indices given to an issuer so far; none: this node gave it none.
    pub fn sequence(&self, issuer: Address) -> Result<Option<Sequence>, StoreError> {
        self.meta.get(sequence_key(issuer))?.map(|value| parse_sequence(&value)).transpose()
    }

    /// Reserves status indices, which `sequence` counts as given. Durable when it returns.
    pub fn reserve(&self, issuer: Address, indices: &[StatusIndex], sequence: Sequence) -> Result<(), StoreError> {
        let mut write = self.write();
        indices.iter().for_each(|index| write.insert(&self.reserved, reserved_key(issuer, *index), []));
        write.insert(&self.meta, sequence_key(issuer), sequence_value(sequence));
        Ok(write.commit()?)
    }

    /// Whether a status index is reserved for an issuer and not used.
    pub fn is_reserved(&self, issuer: Address, index: StatusIndex) -> Result<bool, StoreError> {
        Ok(self.reserved.contains_key(reserved_key(issuer, index))?)
    }

    /// All status indices that are reserved and not used, by issuer, ascending.
    pub fn reserved(&self) -> impl Iterator<Item = Result<(Address, StatusIndex), StoreError>> {
        self.reserved.iter().map(|pair| parse_reserved_key(&pair.key()?))
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
            append.used.iter().for_each(|index| write.remove(&self.reserved, reserved_key(append.issuer, *index)));
            write.insert(&self.meta, sequence_key(append.issuer), sequence_value(append.sequence));
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
        self.commit(write, std::slice::from_ref(record))
    }

    // --- Reading

    /// Where a digest stands among the sealed batches.
    pub fn locate(&self, issuer: Address, digest: Digest) -> Result<Option<(BatchId, u32)>, StoreError> {
        let value = self.index.get(index_key(issuer, digest))?;
        value.map(|value| parse_index_value(&value)).transpose()
    }

    /// The batch and the status index of a digest among the sealed batches.
    pub fn find(&self, issuer: Address, digest: Digest) -> Result<Option<(BatchId, StatusIndex)>, StoreError> {
        let Some((batch, leaf)) = self.locate(issuer, digest)? else { return Ok(None) };
        let entry = self.entry(batch, leaf)?.filter(|entry| entry.digest == digest);
        Ok(Some((batch, entry.ok_or(StoreError::Damaged { what: "index entry" })?.status_index)))
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
        let read = || self.batches.get(batch_key(id))?.map(|json| parse_json(&json, "batch record")).transpose();
        self.known.get(id, read)
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
        tx.iter().for_each(|tx| self.put_tx(&mut write, tx));
        self.commit(write, batches)
    }

    /// Removes a transaction record and writes batch records: all, or none. Durable when it returns.
    pub fn retire_tx(&self, tx: TxId, batches: &[BatchRecord]) -> Result<(), StoreError> {
        let mut write = self.write();
        write.remove(&self.txs, tx.0.to_be_bytes());
        self.commit(write, batches)
    }

    /// Commits a write together with batch records.
    fn commit(&self, mut write: OwnedWriteBatch, batches: &[BatchRecord]) -> Result<(), StoreError> {
        batches.iter().for_each(|record| self.put_batch(&mut write, record));
        let committed = write.commit();
        self.known.forget(batches); // also where it failed: it may have taken effect
        Ok(committed?)
    }

    pub(super) fn put_tx(&self, write: &mut OwnedWriteBatch, tx: &TxRecord) {
        write.insert(&self.txs, tx.id.0.to_be_bytes(), to_json(tx));
        // Ids are given in order, so what was given last covers this one.
        write.insert(&self.meta, "next-tx", self.next_tx.load(Ordering::Relaxed).to_be_bytes());
    }

    fn put_batch(&self, write: &mut OwnedWriteBatch, record: &BatchRecord) {
        let key = batch_key(record.id);
        write.insert(&self.batches, key, to_json(record));
        write.insert(&self.roots, record.root.0, key);
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
