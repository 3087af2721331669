//! What a mirror keeps on disk, in `<data_dir>/mirror`: nothing that the chain does not have, so the folder can be
//! deleted, and what is damaged is thrown away. Integers are big-endian.
//!
//! | keyspace | key | value |
//! | --- | --- | --- |
//! | `meta` | `format` | format version, 4 bytes |
//! | | `of` | chain id (8) ‖ registry (20): what everything here was read from |
//! | `bases` | issuer (20) ‖ purpose (1) | a snapshot file ([`super::snapshot`]) |
//! | `updates` | issuer (20) ‖ purpose (1) ‖ epoch (8) | block (8) ‖ its hash (32) ‖ transaction (32) ‖ root (32) ‖ delta |
//!
//! `updates` holds settled updates only, without a gap, from the one after the base (from 1 where there is none).
//! Whoever can alter this folder can make the mirror rebuild from the chain: what is read here counts only once the
//! chain confirms the root that it leads to.

use std::{fs, io, path::Path};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use testamur_chain::history::{Event, Place, StatusUpdate};
use testamur_core::{Address, BlockNumber, ChainId, Hash};

use super::{Key, snapshot::Snapshot};

/// The layout above.
const FORMAT: u32 = 1;
/// Blocks of tables kept in memory: what is here is read once.
const BLOCK_CACHE: u64 = 4 << 20;

/// Why the mirror's folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process uses it.
    #[error("{folder} is in use by another mirror or node")]
    Locked {
        /// The folder.
        folder: String,
    },
    /// It cannot be made or emptied.
    #[error("{folder}: {source}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system said.
        source: io::Error,
    },
    /// Reading or writing failed.
    #[error("the mirror's store failed: {0}")]
    Engine(#[from] fjall::Error),
}

impl StoreError {
    /// The task that opens the folder ended early.
    pub(super) fn task(folder: &Path, error: tokio::task::JoinError) -> Self {
        Self::Folder { folder: folder.display().to_string(), source: io::Error::other(error) }
    }
}

/// The mirror's folder. All methods block on the disk.
pub struct Store {
    db: Database,
    meta: Keyspace,
    bases: Keyspace,
    updates: Keyspace,
}

/// What is kept of one issuer and purpose: where its follower goes on.
#[derive(Debug, Default)]
pub struct Kept {
    /// The bits at some epoch; none: begin with none.
    pub base: Option<Snapshot>,
    /// The settled updates after it.
    pub updates: Vec<Event<StatusUpdate>>,
}

impl Store {
    /// Opens the folder, which is made where there is none. One that is damaged, or was filled from another chain or
    /// contract, is emptied, and the log says so.
    pub fn open(folder: &Path, chain: ChainId, registry: Address) -> Result<Self, StoreError> {
        let reason = match Self::open_as_it_is(folder) {
            Ok(store) => match store.is_of(chain, registry) {
                Ok(true) => return Ok(store),
                Ok(false) => "it is of another chain, contract or format".to_owned(),
                Err(error) => error.to_string(),
            },
            Err(fjall::Error::Locked) => return Err(StoreError::Locked { folder: folder.display().to_string() }),
            Err(error) => error.to_string(),
        };
        tracing::warn!(folder = %folder.display(), %reason, "the mirror's folder is emptied and filled from the chain");
        empty(folder)?;
        let store = Self::open_as_it_is(folder)?;
        store.is_of(chain, registry)?;
        Ok(store)
    }

    fn open_as_it_is(folder: &Path) -> Result<Self, fjall::Error> {
        let db = Database::builder(folder).cache_size(BLOCK_CACHE).open()?;
        let keyspace = |name| db.keyspace(name, KeyspaceCreateOptions::default);
        Ok(Self { meta: keyspace("meta")?, bases: keyspace("bases")?, updates: keyspace("updates")?, db })
    }

    /// Whether it was filled from here. A new one is from now on.
    fn is_of(&self, chain: ChainId, registry: Address) -> Result<bool, fjall::Error> {
        let of = [&chain.0.to_be_bytes()[..], &registry.0].concat();
        let (Some(format), found) = (self.meta.get("format")?, self.meta.get("of")?) else {
            let mut write = self.write();
            write.insert(&self.meta, "format", FORMAT.to_be_bytes());
            write.insert(&self.meta, "of", of);
            return write.commit().map(|()| true);
        };
        Ok(format[..] == FORMAT.to_be_bytes() && found.is_some_and(|found| found[..] == of[..]))
    }

    /// What a folder was filled from; `None` for one that is new, or cannot be read.
    pub fn inspect(folder: &Path) -> Result<Option<(ChainId, Address)>, StoreError> {
        if !folder.exists() {
            return Ok(None);
        }
        let store = match Self::open_as_it_is(folder) {
            Err(fjall::Error::Locked) => return Err(StoreError::Locked { folder: folder.display().to_string() }),
            store => store?,
        };
        let of = store.meta.get("of")?;
        Ok(of.and_then(|of| {
            let (chain, registry) = of.split_first_chunk()?;
            Some((ChainId(u64::from_be_bytes(*chain)), Address::try_from(registry).ok()?))
        }))
    }

    /// What is kept of one issuer and purpose. What is damaged there is thrown away.
    pub fn load(&self, key: Key) -> Result<Kept, StoreError> {
        match self.read(key)? {
            Ok(kept) => Ok(kept),
            Err(reason) => {
                tracing::warn!(issuer = %key.issuer, purpose = %key.purpose, reason,
                    "what was kept is thrown away and read from the chain anew");
                self.forget(key)?;
                Ok(Kept::default())
            }
        }
    }

    /// The inner error: what is damaged.
    fn read(&self, key: Key) -> Result<Result<Kept, String>, StoreError> {
        let base = match self.bases.get(key.bytes())? {
            None => None,
            Some(file) => match Snapshot::parse(&file) {
                Ok(base) if (base.of.issuer, base.of.purpose) == (key.issuer, key.purpose) => Some(base),
                Ok(_) => return Ok(Err("a base of another issuer".to_owned())),
                Err(error) => return Ok(Err(error.to_string())),
            },
        };
        let mut epoch = base.as_ref().map_or(0, |base| base.of.epoch);
        let mut updates = Vec::new();
        for pair in self.updates.prefix(key.bytes()) {
            let (name, value) = pair.into_inner()?;
            epoch += 1;
            match parse_update(epoch, &value) {
                Some(update) if name[..] == update_key(key, epoch) => updates.push(update),
                _ => return Ok(Err(format!("update {epoch} is missing or cannot be read"))),
            }
        }
        Ok(Ok(Kept { base, updates }))
    }

    /// Keeps settled updates, which follow on those that are kept.
    pub fn append(&self, key: Key, updates: &[Event<StatusUpdate>]) -> Result<(), StoreError> {
        let mut write = self.write();
        for update in updates {
            write.insert(&self.updates, update_key(key, update.what.epoch), update_value(update));
        }
        Ok(write.commit()?)
    }

    /// Makes a snapshot the base, of which `file` is [`Snapshot::to_bytes`], in place of all that was kept.
    pub fn rebase(&self, key: Key, file: Vec<u8>) -> Result<(), StoreError> {
        let mut write = self.write();
        write.insert(&self.bases, key.bytes(), file);
        self.remove_updates(&mut write, key)?;
        Ok(write.commit()?)
    }

    /// Forgets all of one issuer and purpose.
    pub fn forget(&self, key: Key) -> Result<(), StoreError> {
        let mut write = self.write();
        write.remove(&self.bases, key.bytes());
        self.remove_updates(&mut write, key)?;
        Ok(write.commit()?)
    }

    fn remove_updates(&self, write: &mut OwnedWriteBatch, key: Key) -> Result<(), StoreError> {
        for pair in self.updates.prefix(key.bytes()) {
            write.remove(&self.updates, pair.key()?);
        }
        Ok(())
    }

    fn write(&self) -> OwnedWriteBatch {
        self.db.batch().durability(Some(PersistMode::SyncData))
    }
}

/// Removes the folder, which holds nothing that the chain does not have.
fn empty(folder: &Path) -> Result<(), StoreError> {
    let fault = |source| StoreError::Folder { folder: folder.display().to_string(), source };
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fault(error)),
        _ => Ok(()),
    }
}

fn update_key(key: Key, epoch: u64) -> [u8; 29] {
    let mut bytes = [0; 29];
    bytes[..21].copy_from_slice(&key.bytes());
    bytes[21..].copy_from_slice(&epoch.to_be_bytes());
    bytes
}

fn update_value(update: &Event<StatusUpdate>) -> Vec<u8> {
    let Place { block, block_hash, transaction } = update.place;
    let StatusUpdate { root, delta, .. } = &update.what;
    [&block.0.to_be_bytes()[..], &block_hash.0, &transaction.0, &root.0, delta].concat()
}

fn parse_update(epoch: u64, value: &[u8]) -> Option<Event<StatusUpdate>> {
    let (block, rest) = value.split_first_chunk()?;
    let (block_hash, rest) = rest.split_first_chunk()?;
    let (transaction, rest) = rest.split_first_chunk()?;
    let (root, delta) = rest.split_first_chunk()?;
    let block = BlockNumber(u64::from_be_bytes(*block));
    let place = Place { block, block_hash: Hash(*block_hash), transaction: Hash(*transaction) };
    Some(Event { what: StatusUpdate { epoch, root: Hash(*root), delta: delta.to_vec() }, place })
}

#[cfg(test)]
mod tests {
    use testamur_core::Purpose;

    use super::*;

    const CHAIN: ChainId = ChainId(31337);
    const REGISTRY: Address = Address([9; 20]);
    const KEY: Key = Key { issuer: Address([7; 20]), purpose: Purpose::REVOCATION };

    fn update(epoch: u64) -> Event<StatusUpdate> {
        let what = StatusUpdate { epoch, root: Hash([epoch as u8; 32]), delta: vec![epoch as u8] };
        let place = Place { block: BlockNumber(epoch * 10), block_hash: Hash([1; 32]), transaction: Hash([2; 32]) };
        Event { what, place }
    }

    fn epochs(store: &Store, key: Key) -> Vec<u64> {
        store.load(key).unwrap().updates.iter().map(|update| update.what.epoch).collect()
    }

    #[test]
    fn it_keeps_updates_of_each_issuer_and_purpose() {
        let folder = tempfile::tempdir().unwrap();
        let other = Key { purpose: Purpose::SUSPENSION, ..KEY };
        {
            let store = Store::open(folder.path(), CHAIN, REGISTRY).unwrap();
            store.append(KEY, &[update(1), update(2)]).unwrap();
            store.append(other, &[update(1)]).unwrap();
            store.append(KEY, &[update(3)]).unwrap();
        }
        let store = Store::open(folder.path(), CHAIN, REGISTRY).unwrap();
        assert_eq!(store.load(KEY).unwrap().updates, [update(1), update(2), update(3)]);
        assert_eq!(epochs(&store, other), [1]);
        store.forget(KEY).unwrap();
        assert_eq!((epochs(&store, KEY), epochs(&store, other)), (vec![], vec![1]));
    }

    #[test]
    fn a_gap_or_a_damaged_base_is_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), CHAIN, REGISTRY).unwrap();
        store.append(KEY, &[update(1), update(3)]).unwrap();
        assert_eq!(epochs(&store, KEY), [0; 0]);
        store.rebase(KEY, b"no snapshot".to_vec()).unwrap();
        store.append(KEY, &[update(2)]).unwrap();
        assert!(store.load(KEY).unwrap().base.is_none());
        assert_eq!(epochs(&store, KEY), [0; 0]);
    }

    #[test]
    fn a_folder_of_another_chain_or_a_damaged_one_is_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let open = |chain| Store::open(folder.path(), chain, REGISTRY).unwrap();
        open(CHAIN).append(KEY, &[update(1)]).unwrap();
        assert_eq!(epochs(&open(CHAIN), KEY), [1]);
        assert_eq!(epochs(&open(ChainId(1)), KEY), [0; 0]);
        open(ChainId(1)).append(KEY, &[update(1)]).unwrap();
        damage(folder.path());
        assert_eq!(epochs(&open(ChainId(1)), KEY), [0; 0]);
    }

    /// Overwrites every file.
    fn damage(folder: &Path) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => damage(&entry.path()),
                false => fs::write(entry.path(), b"damaged").unwrap(),
            }
        }
    }

    #[test]
    fn one_folder_has_one_user() {
        let folder = tempfile::tempdir().unwrap();
        let _first = Store::open(folder.path(), CHAIN, REGISTRY).unwrap();
        assert!(matches!(Store::open(folder.path(), CHAIN, REGISTRY), Err(StoreError::Locked { .. })));
    }
}
