//! What is committed alone: reservations of status indices, and changes of status.

use testamur_core::{Address, StatusIndex};

use super::{super::LedgerError, Writer};
use crate::store::{ChangeRecord, NewChange, Sequence};

impl Writer {
    /// Gives status indices to no digest yet.
    pub(super) fn reserve(&mut self, issuer: Address, count: u32) -> Result<Vec<StatusIndex>, LedgerError> {
        // The counter is stored as a whole: what waits has to be on disk before.
        self.commit();
        self.require_room()?;
        let Sequence { first, next } = self.sequence(issuer)?;
        let end = next + u64::from(count);
        let indices: Option<Vec<_>> = (next..end).map(|n| self.permutations.index(issuer, n)).collect();
        let indices = indices.ok_or(LedgerError::Exhausted)?;
        let sequence = Sequence { first, next: end };
        // the one commit point of reservations
        self.store.reserve(issuer, &indices, sequence).map_err(|error| self.fail(&error))?;
        self.sequences.insert(issuer, sequence);
        Ok(indices)
    }

    /// Keeps a change of status; under a key that was used before, tells the one that was kept then.
    pub(super) fn accept_change(&mut self, new: &NewChange) -> Result<ChangeRecord, LedgerError> {
        if let Some(key) = &new.key {
            match self.store.change_by_key(new.issuer, key.key).map_err(|error| self.fail(&error))? {
                Some((body, change)) if body == key.body => return Ok(change),
                Some(_) => return Err(LedgerError::KeyUsed),
                None => {}
            }
        }
        self.require_room()?;
        self.store.accept_change(new).map_err(|error| self.fail(&error)) // the one commit point of changes
    }
}
