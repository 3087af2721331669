//! Keys and values, as bytes.

use fjall::Keyspace;
use serde::{Serialize, de::DeserializeOwned};
use testamur_core::{Address, Digest, Entry, Hash, StatusIndex, UnixSeconds, status::delta};

use super::{super::StoreError, OpenRecord};
use crate::store::{BatchId, ChangeId, Sequence};

pub(super) fn batch_key(id: BatchId) -> [u8; 8] {
    id.0.to_be_bytes()
}

pub(super) fn entries_key(batch: BatchId, first_leaf: u32) -> [u8; 12] {
    join(&batch.0.to_be_bytes(), &first_leaf.to_be_bytes())
}

/// Behind every entry of a batch.
pub(super) fn batch_end(batch: BatchId) -> [u8; 12] {
    entries_key(BatchId(batch.0 + 1), 0)
}

pub(super) fn index_key(issuer: Address, digest: Digest) -> [u8; 52] {
    join(&issuer.0, &digest.0)
}

pub(super) fn index_value(batch: BatchId, leaf: u32) -> [u8; 12] {
    entries_key(batch, leaf)
}

pub(super) fn issuer_batch_key(issuer: Address, batch: BatchId) -> [u8; 28] {
    join(&issuer.0, &batch.0.to_be_bytes())
}

pub(super) fn sequence_key(issuer: Address) -> [u8; 28] {
    join(b"sequence", &issuer.0)
}

pub(super) fn sequence_value(sequence: Sequence) -> [u8; 16] {
    join(&sequence.next.to_be_bytes(), &sequence.first.to_be_bytes())
}

pub(super) fn parse_sequence(bytes: &[u8]) -> Result<Sequence, StoreError> {
    let (next, first) = bytes.split_at_checked(8).ok_or(StoreError::Damaged { what: "counter of status indices" })?;
    // Folders of the first version have no second number: they began at 0.
    let first = if first.is_empty() { 0 } else { parse_u64(first)? };
    Ok(Sequence { first, next: parse_u64(next)? })
}

pub(super) fn reserved_key(issuer: Address, index: StatusIndex) -> [u8; 28] {
    join(&issuer.0, &index.get().to_be_bytes())
}

pub(super) fn parse_reserved_key(bytes: &[u8]) -> Result<(Address, StatusIndex), StoreError> {
    let damaged = StoreError::Damaged { what: "reserved status index" };
    let Some((issuer, index)) = bytes.split_first_chunk() else { return Err(damaged) };
    Ok((Address(*issuer), StatusIndex::new(parse_u64(index)?).map_err(|_| damaged)?))
}

pub(super) fn open_value(issuer: Address, opened_at: UnixSeconds) -> [u8; 28] {
    join(&issuer.0, &opened_at.0.to_be_bytes())
}

/// `left ‖ right`.
pub(super) fn join<const N: usize>(left: &[u8], right: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out[..left.len()].copy_from_slice(left);
    out[left.len()..].copy_from_slice(right);
    out
}

pub(super) fn to_json(record: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(record).expect("records have only JSON values and string keys")
}

pub(super) fn parse_json<T: DeserializeOwned>(bytes: &[u8], what: &'static str) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|_| StoreError::Damaged { what })
}

pub(super) fn parse_u32(bytes: &[u8]) -> Result<u32, StoreError> {
    Ok(u32::from_be_bytes(bytes.try_into().map_err(|_| StoreError::Damaged { what: "number" })?))
}

pub(super) fn parse_u64(bytes: &[u8]) -> Result<u64, StoreError> {
    Ok(u64::from_be_bytes(bytes.try_into().map_err(|_| StoreError::Damaged { what: "number" })?))
}

pub(super) fn read_u64(keyspace: &Keyspace, key: &[u8]) -> Result<Option<u64>, StoreError> {
    keyspace.get(key)?.map(|value| parse_u64(&value)).transpose()
}

pub(super) fn parse_entry(bytes: &[u8]) -> Result<Entry, StoreError> {
    let exact = bytes.try_into().map_err(|_| StoreError::Damaged { what: "entry" })?;
    Entry::from_bytes(exact).map_err(|_| StoreError::Damaged { what: "entry" })
}

pub(super) fn parse_index_value(bytes: &[u8]) -> Result<(BatchId, u32), StoreError> {
    let (batch, leaf) = bytes.split_at_checked(8).ok_or(StoreError::Damaged { what: "index entry" })?;
    Ok((BatchId(parse_u64(batch)?), parse_u32(leaf)?))
}

pub(super) fn open_record((key, value): fjall::KvPair) -> Result<OpenRecord, StoreError> {
    let damaged = StoreError::Damaged { what: "open batch" };
    let Some((issuer, opened_at)) = value.split_at_checked(20) else { return Err(damaged) };
    let issuer = Address::try_from(issuer).map_err(|_| damaged)?;
    Ok(OpenRecord { id: BatchId(parse_u64(&key)?), issuer, opened_at: UnixSeconds(parse_u64(opened_at)?) })
}

pub(super) fn change_key(id: ChangeId) -> [u8; 8] {
    id.0.to_be_bytes()
}

pub(super) fn issuer_change_key(issuer: Address, id: ChangeId) -> [u8; 28] {
    join(&issuer.0, &id.0.to_be_bytes())
}

pub(super) fn request_key(issuer: Address, key: Hash) -> [u8; 52] {
    join(&issuer.0, &key.0)
}

pub(super) fn request_value(body: Hash, id: ChangeId) -> [u8; 40] {
    join(&body.0, &id.0.to_be_bytes())
}

pub(super) fn parse_request_value(bytes: &[u8]) -> Result<(Hash, ChangeId), StoreError> {
    let damaged = StoreError::Damaged { what: "idempotency key" };
    let Some((body, id)) = bytes.split_first_chunk() else { return Err(damaged) };
    Ok((Hash(*body), ChangeId(parse_u64(id)?)))
}

pub(super) fn parse_indices(bytes: &[u8]) -> Result<Vec<StatusIndex>, StoreError> {
    delta::decode(bytes).map_err(|_| StoreError::Damaged { what: "list of status indices" })
}
