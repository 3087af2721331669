//! Changes of status: what is wanted, and how far it has come.

use std::sync::atomic::Ordering;

use fjall::OwnedWriteBatch;
use testamur_core::{Address, Hash, StatusIndex, UnixSeconds, status::delta};

use super::{
    super::{Action, ChangeId, ChangeRecord, ChangeState, StoreError, TxId, TxRecord},
    Store,
    values::{
        change_key, issuer_change_key, parse_indices, parse_json, parse_request_value, parse_u64, request_key,
        request_value, to_json,
    },
};

/// A change to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChange {
    /// Whose status it changes.
    pub issuer: Address,
    /// What is wanted.
    pub action: Action,
    /// Why, in the issuer's own code.
    pub reason: u8,
    /// When it was accepted.
    pub accepted_at: UnixSeconds,
    /// Whether it waits for no others.
    pub now: bool,
    /// Strictly ascending.
    pub indices: Vec<StatusIndex>,
    /// By which the same request is recognised.
    pub key: Option<IdempotencyKey>,
}

/// What a client calls a request, so that it can send it twice and mean it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// SHA-256 of the key.
    pub key: Hash,
    /// SHA-256 of the request's body.
    pub body: Hash,
}

impl Store {
    /// A number for a new change. It counts as used once the change is kept.
    pub fn next_change_id(&self) -> ChangeId {
        ChangeId(self.next_change.fetch_add(1, Ordering::Relaxed))
    }

    /// Keeps a change: its record, its indices and its key, all or none. Durable when it returns.
    ///
    /// Two calls at once must not carry one key; the ledger's writer makes one after the other.
    pub fn accept_change(&self, new: &NewChange) -> Result<ChangeRecord, StoreError> {
        let id = self.next_change_id();
        let NewChange { issuer, action, reason, accepted_at, now, .. } = *new;
        let (count, state) = (new.indices.len() as u64, ChangeState::Pending);
        let record = ChangeRecord { id, issuer, action, reason, count, accepted_at, now, state };
        let indices = delta::encode(&new.indices).expect("indices ascend strictly: NewChange says so");
        let mut write = self.write();
        self.put_change(&mut write, &record);
        write.insert(&self.change_indices, change_key(id), indices);
        write.insert(&self.issuer_changes, issuer_change_key(issuer, id), []);
        if let Some(IdempotencyKey { key, body }) = new.key {
            write.insert(&self.change_keys, request_key(issuer, key), request_value(body, id));
        }
        write.insert(&self.meta, "next-change", (id.0 + 1).to_be_bytes());
        write.commit()?;
        Ok(record)
    }

    /// The change that an issuer's idempotency key stands for, and the SHA-256 of the body that came with it.
    pub fn change_by_key(&self, issuer: Address, key: Hash) -> Result<Option<(Hash, ChangeRecord)>, StoreError> {
        let Some(value) = self.change_keys.get(request_key(issuer, key))? else { return Ok(None) };
        let (body, id) = parse_request_value(&value)?;
        Ok(Some((body, self.must_have_change(id)?)))
    }

    /// One change.
    pub fn change(&self, id: ChangeId) -> Result<Option<ChangeRecord>, StoreError> {
        self.changes.get(change_key(id))?.map(|json| parse_json(&json, "change record")).transpose()
    }

    /// The status indices of a change, ascending.
    pub fn change_indices(&self, id: ChangeId) -> Result<Vec<StatusIndex>, StoreError> {
        let missing = StoreError::Damaged { what: "change: its status indices are missing" };
        parse_indices(&self.change_indices.get(change_key(id))?.ok_or(missing)?)
    }

    /// Changes whose state is not [`ChangeState::Final`], by ascending number.
    pub fn open_changes(&self) -> Result<Vec<ChangeRecord>, StoreError> {
        self.open_changes.iter().map(|pair| self.must_have_change(ChangeId(parse_u64(&pair.key()?)?))).collect()
    }

    /// All changes, by ascending number.
    pub fn all_changes(&self) -> impl Iterator<Item = Result<ChangeRecord, StoreError>> {
        self.changes.iter().map(|pair| parse_json(&pair.value()?, "change record"))
    }

    /// An issuer's changes with a number below `before` (all: `None`), newest first.
    pub fn changes_of(
        &self,
        issuer: Address,
        before: Option<ChangeId>,
    ) -> impl Iterator<Item = Result<ChangeRecord, StoreError>> {
        let end = issuer_change_key(issuer, before.unwrap_or(ChangeId(u64::MAX)));
        let pairs = self.issuer_changes.range(issuer_change_key(issuer, ChangeId(0))..end);
        pairs.rev().map(|pair| self.must_have_change(ChangeId(parse_u64(&pair.key()?[20..])?)))
    }

    /// Writes change records and a transaction record: all, or none. Durable when it returns.
    pub fn put_changes(&self, changes: &[ChangeRecord], tx: Option<&TxRecord>) -> Result<(), StoreError> {
        let mut write = self.write();
        changes.iter().for_each(|record| self.put_change(&mut write, record));
        tx.iter().for_each(|tx| self.put_tx(&mut write, tx));
        Ok(write.commit()?)
    }

    /// Removes the record of a transaction that carried a status update, and writes change records: all, or none.
    /// Durable when it returns.
    pub fn retire_status_tx(&self, tx: TxId, changes: &[ChangeRecord]) -> Result<(), StoreError> {
        let mut write = self.write();
        changes.iter().for_each(|record| self.put_change(&mut write, record));
        write.remove(&self.txs, tx.0.to_be_bytes());
        Ok(write.commit()?)
    }

    fn put_change(&self, write: &mut OwnedWriteBatch, record: &ChangeRecord) {
        let key = change_key(record.id);
        write.insert(&self.changes, key, to_json(record));
        match record.state {
            ChangeState::Final { .. } => write.remove(&self.open_changes, key),
            _ => write.insert(&self.open_changes, key, []),
        }
    }

    fn must_have_change(&self, id: ChangeId) -> Result<ChangeRecord, StoreError> {
        self.change(id)?.ok_or(StoreError::Damaged { what: "list of changes" })
    }
}
