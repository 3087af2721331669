//! The store against itself.

use std::collections::{BTreeMap, BTreeSet, btree_map};

use alloy::{
    consensus::{Transaction as _, TxEnvelope},
    eips::Decodable2718,
    primitives::keccak256,
};
use testamur_core::{Address, BatchTree, Entry, Hash, StatusIndex};

use super::{Findings, Level, changes::check_changes, progress};
use crate::store::{BatchId, BatchRecord, BatchState, Sequence, Store, StoreError, TxId, TxRecord};

/// Recomputes and looks up everything that is stored. Blocks.
pub fn check_store(store: &Store) -> Result<Findings, StoreError> {
    let batches = store.all_batches().collect::<Result<Vec<_>, _>>()?;
    let mut check = Check { store, findings: Findings::default(), indices: BTreeMap::new() };
    let bar = progress(batches.iter().map(|batch| batch.size).sum(), "entries");
    for batch in &batches {
        check.batch(batch)?;
        bar.inc(batch.size);
    }
    bar.finish_and_clear();
    check.open_batches(&batches)?;
    check.reserved()?;
    check.counters(&batches)?;
    check.transactions(&batches)?;
    check_changes(store, &mut check.findings)?;
    Ok(check.findings)
}

struct Check<'a> {
    store: &'a Store,
    findings: Findings,
    /// The status indices that an issuer's entries have.
    indices: BTreeMap<Address, Indices>,
}

/// A set of status indices among those given: one bit each.
struct Indices {
    /// The first index that these bits are about.
    base: u64,
    words: Vec<u64>,
    count: u64,
    given: u64,
}

impl Indices {
    fn new(Sequence { first, next }: Sequence) -> Self {
        let given = next.saturating_sub(first);
        // Indices are spread over whole lists.
        let lists = given.div_ceil(StatusIndex::PER_LIST);
        Self { base: first, words: vec![0; (lists * StatusIndex::PER_LIST / 64) as usize], count: 0, given }
    }

    /// What is wrong with giving this index once more.
    fn insert(&mut self, index: StatusIndex) -> Option<&'static str> {
        let place = index.get().wrapping_sub(self.base);
        let (word, bit) = ((place / 64) as usize, 1 << (place % 64));
        let Some(word) = self.words.get_mut(word) else { return Some("is not among those given so far") };
        self.count += 1;
        let twice = *word & bit != 0;
        *word |= bit;
        twice.then_some("was given twice")
    }
}

impl Check<'_> {
    /// Root and size from the entries, the place of each digest, the status indices.
    fn batch(&mut self, batch: &BatchRecord) -> Result<(), StoreError> {
        let subject = format!("batch {}", batch.id.0);
        self.findings.batches += 1;
        let entries = match self.store.entries(batch.id) {
            Err(error @ StoreError::Damaged { .. }) => {
                self.findings.add(Level::False, subject, error.to_string());
                return Ok(());
            }
            entries => entries?,
        };
        if entries.len() as u64 != batch.size {
            self.findings.add(Level::False, &subject, format!("{} entries, {} recorded", entries.len(), batch.size));
        }
        let root =
            BatchTree::new(entries.iter().map(Entry::leaf_hash).collect()).map_or(Hash::ZERO, |tree| tree.root());
        if root != batch.root {
            let detail = format!("its entries lead to the root {root}, recorded is {}", batch.root);
            self.findings.add(Level::False, &subject, detail);
        }
        self.places(batch, &entries)?;
        self.status_indices(batch.id, batch.issuer, &entries)
    }

    fn places(&mut self, batch: &BatchRecord, entries: &[Entry]) -> Result<(), StoreError> {
        for (leaf, entry) in (0..).zip(entries) {
            let place = self.store.locate(batch.issuer, entry.digest)?;
            if place != Some((batch.id, leaf)) {
                let told = place.map_or("nowhere".to_owned(), |(id, leaf)| format!("in batch {}, leaf {leaf}", id.0));
                let detail = format!("the index has its leaf {leaf} {told}");
                self.findings.add(Level::False, format!("batch {}", batch.id.0), detail);
            }
        }
        Ok(())
    }

    fn status_indices(&mut self, id: BatchId, issuer: Address, entries: &[Entry]) -> Result<(), StoreError> {
        self.findings.entries += entries.len() as u64;
        for entry in entries {
            self.status_index(&format!("batch {}", id.0), issuer, entry.status_index)?;
        }
        Ok(())
    }

    /// An index has one use.
    fn status_index(&mut self, subject: &str, issuer: Address, index: StatusIndex) -> Result<(), StoreError> {
        let indices = match self.indices.entry(issuer) {
            btree_map::Entry::Occupied(known) => known.into_mut(),
            btree_map::Entry::Vacant(place) => {
                let sequence = self.store.sequence(issuer)?.unwrap_or(Sequence { first: 0, next: 0 });
                place.insert(Indices::new(sequence))
            }
        };
        if let Some(fault) = indices.insert(index) {
            self.findings.add(Level::False, subject, format!("status index {index} of {issuer} {fault}"));
        }
        Ok(())
    }

    /// Reserved indices that no entry uses yet.
    fn reserved(&mut self) -> Result<(), StoreError> {
        for reserved in self.store.reserved() {
            let (issuer, index) = reserved?;
            self.status_index("reserved indices", issuer, index)?;
        }
        Ok(())
    }

    /// Batches without a record: only their entries can be checked.
    fn open_batches(&mut self, sealed: &[BatchRecord]) -> Result<(), StoreError> {
        for open in self.store.open_batches()? {
            if sealed.iter().any(|batch| batch.id == open.id) {
                self.findings.add(Level::False, format!("batch {}", open.id.0), "it is open and sealed at once");
                continue;
            }
            let entries = self.store.entries(open.id)?;
            self.status_indices(open.id, open.issuer, &entries)?;
        }
        Ok(())
    }

    /// Counters lie beyond everything that was numbered by them.
    fn counters(&mut self, batches: &[BatchRecord]) -> Result<(), StoreError> {
        for (issuer, indices) in &self.indices {
            if indices.count > indices.given {
                let detail = format!("{} entries, but only {} status indices given", indices.count, indices.given);
                self.findings.add(Level::False, format!("issuer {issuer}"), detail);
            }
        }
        let open = self.store.open_batches()?.into_iter().map(|open| open.id);
        let last = batches.iter().map(|batch| batch.id).chain(open).max();
        // Nothing is taken by asking: a number counts as used once something is stored under it.
        let next = self.store.next_batch_id();
        if last.is_some_and(|last| last >= next) {
            self.findings.add(Level::False, "counter", format!("the next batch would be {} a second time", next.0));
        }
        Ok(())
    }

    /// Batches and the transactions that carry them agree.
    fn transactions(&mut self, batches: &[BatchRecord]) -> Result<(), StoreError> {
        let txs: BTreeMap<TxId, TxRecord> = self.store.open_txs()?.into_iter().map(|tx| (tx.id, tx)).collect();
        txs.values().for_each(|tx| self.transaction(tx, batches));
        if txs.keys().next_back().is_some_and(|last| *last >= self.store.next_tx_id()) {
            self.findings.add(Level::False, "counter", "the next transaction's number is in use");
        }
        let unfinished: BTreeSet<BatchId> = self.store.unfinished_batches()?.iter().map(|batch| batch.id).collect();
        for batch in batches {
            let subject = format!("batch {}", batch.id.0);
            if let BatchState::Prepared { tx } | BatchState::Broadcast { tx } = batch.state
                && !txs.get(&tx).is_some_and(|tx| tx.batches().contains(&batch.id))
            {
                self.findings.add(Level::False, &subject, format!("transaction {} does not carry it", tx.0));
            }
            let is_final = matches!(batch.state, BatchState::Final { .. });
            if is_final == unfinished.contains(&batch.id) {
                self.findings.add(
                    Level::False,
                    &subject,
                    "the list of unfinished batches says otherwise than its state",
                );
            }
        }
        Ok(())
    }

    fn transaction(&mut self, tx: &TxRecord, batches: &[BatchRecord]) {
        let subject = format!("transaction {}", tx.id.0);
        if tx.attempts.is_empty() {
            self.findings.add(Level::False, &subject, "it has no signed version");
        }
        for attempt in &tx.attempts {
            let nonce = TxEnvelope::decode_2718_exact(&attempt.raw).ok().map(|signed| signed.nonce());
            if nonce != Some(tx.nonce) || keccak256(&attempt.raw).0 != attempt.hash.0 {
                let detail = format!("the signed version {} is not what is recorded", attempt.hash);
                self.findings.add(Level::False, &subject, detail);
            }
        }
        for id in tx.batches().iter().filter(|id| !batches.iter().any(|batch| batch.id == **id)) {
            self.findings.add(Level::False, &subject, format!("it carries batch {}, which is not there", id.0));
        }
    }
}
