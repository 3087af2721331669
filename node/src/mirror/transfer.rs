//! Snapshots into and out of a mirror's folder, while no mirror uses it.

use std::path::Path;

use testamur_chain::history::Event;
use testamur_core::status::{StatusTree, delta};

use super::{
    Key,
    snapshot::{Snapshot, SnapshotError, Subject},
    store::{Kept, Store, StoreError},
};

/// Why a snapshot could not be brought in or out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Nothing is kept of that issuer and purpose.
    #[error("the folder holds nothing settled of {} for {}", key.issuer, key.purpose)]
    Nothing {
        /// What was asked for.
        key: Key,
    },
    /// What is kept does not lead to its own root.
    #[error("what the folder holds of {} for {} is damaged", key.issuer, key.purpose)]
    Damaged {
        /// What was asked for.
        key: Key,
    },
}

/// Puts snapshots into a mirror's folder, in place of what is kept of their issuers. Each leads to its own root; that
/// the chain has that root, the mirror finds out before it uses them.
pub fn import(folder: &Path, snapshots: &[Snapshot]) -> Result<(), TransferError> {
    let Some(first) = snapshots.first() else { return Ok(()) };
    let (chain, registry) = Store::inspect(folder)?.unwrap_or((first.of.chain, first.of.registry));
    snapshots.iter().try_for_each(|snapshot| snapshot.require(chain, registry))?;
    let store = Store::open(folder, chain, registry)?;
    for snapshot in snapshots {
        let key = Key { issuer: snapshot.of.issuer, purpose: snapshot.of.purpose };
        store.rebase(key, snapshot.to_bytes()?)?;
    }
    Ok(())
}

/// The settled bits that a mirror's folder holds of one issuer and purpose.
pub fn export(folder: &Path, key: Key) -> Result<Snapshot, TransferError> {
    let (chain, registry) = Store::inspect(folder)?.ok_or(TransferError::Nothing { key })?;
    let Kept { base, updates } = Store::open(folder, chain, registry)?.load(key)?;
    let (mut epoch, mut root, mut block) = Default::default();
    let mut tree = StatusTree::new();
    if let Some(base) = base {
        (epoch, root, block, tree) = (base.of.epoch, base.of.root, base.of.block, base.tree);
    }
    for Event { what, place } in updates {
        // As when it was followed: only the root at the end decides.
        tree.toggle(&delta::decode(&what.delta).unwrap_or_default());
        (epoch, root, block) = (what.epoch, what.root, place.block);
    }
    let Key { issuer, purpose } = key;
    match () {
        () if epoch == 0 => Err(TransferError::Nothing { key }),
        () if tree.root() != root => Err(TransferError::Damaged { key }),
        () => Ok(Snapshot { of: Subject { chain, registry, issuer, purpose, epoch, root, block }, tree }),
    }
}
