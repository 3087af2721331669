//! Snapshot files: all status bits of one issuer and purpose after one update, so that a mirror need not replay years.
//!
//! A file is one line of JSON (the header, at most 4 KiB, ended by a line feed) and, behind it, the indices of all set
//! bits, encoded as the protocol's delta: what one update from nothing would publish. So the bits need no
//! encoding of their own, nothing is compressed, and a byte of the file is at most one bit of the tree.
//!
//! ```json
//! {"format":"testamur-status-snapshot","version":1,"chain":"eip155:1","registry":"0x…","issuer":"0x…","purpose":0,
//!  "epoch":12,"root":"0x…","block":90,"bits":2048,"bytes":2050}
//! ```
//!
//! `epoch`, `root` and `block` are the update's number, the root that it left and the block that it is in; all 0 where
//! there was none. `bits` counts set bits, and `bytes` the bytes behind the header. So whoever makes a snapshot of the
//! same update makes the same file. Read strictly: unknown members, another length, bits that do not hash to the root
//! are refused. Nothing in it is believed beyond that: whoever uses it asks the chain for its epoch and root first.

use std::{fs::File, io::Read, path::Path};

use serde::{Deserialize, Serialize};
use testamur_core::{
    Address, BlockNumber, ChainId, Hash, Purpose, StatusIndex,
    status::{StatusTree, delta},
};

/// Bytes of a header with its line feed.
const MAX_HEADER: usize = 4 << 10;
/// Bytes of bits: tens of millions of set bits.
const MAX_BITS: usize = 64 << 20;
/// Bytes of a snapshot; whoever reads one stops there.
pub const MAX_BYTES: usize = MAX_HEADER + MAX_BITS;

/// What a file must say that it is.
const FORMAT: &str = "testamur-status-snapshot";
/// The version above.
const VERSION: u32 = 1;

/// All bits of one issuer and purpose after one update. They hash to its root.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Whose status, and after which update.
    pub of: Subject,
    /// The bits.
    pub tree: StatusTree,
}

/// What a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The chain.
    pub chain: ChainId,
    /// The contract on it.
    pub registry: Address,
    /// The issuer.
    pub issuer: Address,
    /// The purpose.
    pub purpose: Purpose,
    /// The update's number; 0 where there was none.
    pub epoch: u64,
    /// The root that it left.
    pub root: Hash,
    /// Its block.
    pub block: BlockNumber,
}

/// Why a snapshot is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is none.
    #[error("it is no status snapshot: {reason}")]
    NotOne {
        /// What is wrong with its header.
        reason: String,
    },
    /// It is of a version that this program does not know.
    #[error("it has version {found}, this program reads version {VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// It has more bytes than any may have.
    #[error("it has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// It was cut off, or something was added.
    #[error("its header announces {stated} bytes of bits, {found} follow")]
    Length {
        /// What the header says.
        stated: u64,
        /// What follows it.
        found: u64,
    },
    /// The bits are not encoded as they must be.
    #[error("its bits cannot be read: {0}")]
    Bits(testamur_core::Error),
    /// The number of bits is not the one stated.
    #[error("its header announces {stated} set bits, {found} follow")]
    Count {
        /// What the header says.
        stated: u64,
        /// What follows it.
        found: u64,
    },
    /// The bits are not those of the stated root.
    #[error("its bits hash to {rebuilt}, its header states {stated}")]
    Root {
        /// The root of its bits.
        rebuilt: Hash,
        /// What the header says.
        stated: Hash,
    },
    /// It is of another chain or contract.
    #[error("it is of {found_chain}, registry {found}; wanted is {wanted_chain}, registry {wanted}")]
    Elsewhere {
        /// Its chain.
        found_chain: ChainId,
        /// Its contract.
        found: Address,
        /// The chain that is followed.
        wanted_chain: ChainId,
        /// The contract that is followed.
        wanted: Address,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    chain: ChainId,
    registry: Address,
    issuer: Address,
    purpose: Purpose,
    epoch: u64,
    root: Hash,
    block: BlockNumber,
    bits: u64,
    bytes: u64,
}

impl Snapshot {
    /// Reads a snapshot; its bits lead to the root that it states.
    pub fn parse(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let (header, bits) = split(bytes)?;
        if header.bytes != bits.len() as u64 {
            return Err(SnapshotError::Length { stated: header.bytes, found: bits.len() as u64 });
        }
        if bits.len() > MAX_BITS {
            return Err(SnapshotError::TooLarge);
        }
        let set = delta::decode(bits).map_err(SnapshotError::Bits)?;
        if header.bits != set.len() as u64 {
            return Err(SnapshotError::Count { stated: header.bits, found: set.len() as u64 });
        }
        let mut tree = StatusTree::new();
        tree.toggle(&set);
        let Header { chain, registry, issuer, purpose, epoch, root, block, .. } = header;
        if tree.root() != root {
            return Err(SnapshotError::Root { rebuilt: tree.root(), stated: root });
        }
        Ok(Self { of: Subject { chain, registry, issuer, purpose, epoch, root, block }, tree })
    }

    /// Reads a file, and no more of it than a snapshot may have.
    pub fn read(path: &Path) -> Result<Self, SnapshotError> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        Self::parse(&bytes)
    }

    /// The file. [`SnapshotError::TooLarge`] for more bits than one may hold.
    pub fn to_bytes(&self) -> Result<Vec<u8>, SnapshotError> {
        let set: Vec<StatusIndex> = self.tree.set_bits().collect();
        let bits = delta::encode(&set).expect("set bits ascend");
        if bits.len() > MAX_BITS {
            return Err(SnapshotError::TooLarge);
        }
        let Subject { chain, registry, issuer, purpose, epoch, root, block } = self.of;
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            chain,
            registry,
            issuer,
            purpose,
            epoch,
            root,
            block,
            bits: set.len() as u64,
            bytes: bits.len() as u64,
        };
        let mut file = serde_json::to_vec(&header).expect("a header has only JSON values");
        file.push(b'\n');
        file.extend_from_slice(&bits);
        Ok(file)
    }

    /// [`SnapshotError::Elsewhere`] unless it is of this chain and contract.
    pub fn require(&self, chain: ChainId, registry: Address) -> Result<(), SnapshotError> {
        if (self.of.chain, self.of.registry) == (chain, registry) {
            return Ok(());
        }
        Err(SnapshotError::Elsewhere {
            found_chain: self.of.chain,
            found: self.of.registry,
            wanted_chain: chain,
            wanted: registry,
        })
    }
}

/// The header, and what is behind its line feed.
fn split(bytes: &[u8]) -> Result<(Header, &[u8]), SnapshotError> {
    let not_one = |reason: &str| SnapshotError::NotOne { reason: reason.to_owned() };
    let end = bytes.iter().take(MAX_HEADER).position(|&byte| byte == b'\n');
    let (line, rest) = bytes.split_at(end.ok_or_else(|| not_one("it has no header line"))?);
    let stated: serde_json::Value = serde_json::from_slice(line).map_err(|_| not_one("its first line is not JSON"))?;
    if stated["format"] != FORMAT {
        return Err(not_one("its first line names another format, or none"));
    }
    // Before the other members, which a later version may have changed.
    match stated["version"].as_u64().and_then(|version| u32::try_from(version).ok()) {
        Some(VERSION) => {}
        Some(found) => return Err(SnapshotError::Version { found }),
        None => return Err(not_one("its header names no version")),
    }
    let header = serde_json::from_slice(line).map_err(|error| not_one(&error.to_string()))?;
    Ok((header, &rest[1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(bits: &[u64]) -> Snapshot {
        let mut tree = StatusTree::new();
        tree.toggle(&bits.iter().map(|&bit| StatusIndex::new(bit).unwrap()).collect::<Vec<_>>());
        let (chain, registry, issuer) = (ChainId(1), Address([2; 20]), Address([3; 20]));
        let (purpose, root, block) = (Purpose::SUSPENSION, tree.root(), BlockNumber(7));
        Snapshot { of: Subject { chain, registry, issuer, purpose, epoch: 3, root, block }, tree }
    }

    fn edited(from: &str, to: &str) -> SnapshotError {
        let bytes = snapshot(&[4, 300, 1 << 39]).to_bytes().unwrap();
        let end = bytes.iter().position(|&byte| byte == b'\n').unwrap();
        let header = std::str::from_utf8(&bytes[..end]).unwrap();
        assert!(header.contains(from), "{header}");
        Snapshot::parse(&[header.replace(from, to).as_bytes(), &bytes[end..]].concat()).unwrap_err()
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        for bits in [&[][..], &[0], &[4, 300, 1 << 39, (1 << 40) - 1]] {
            let written = snapshot(bits);
            let read = Snapshot::parse(&written.to_bytes().unwrap()).unwrap();
            assert_eq!(read.of, written.of);
            assert!(read.tree.set_bits().map(StatusIndex::get).eq(bits.iter().copied()));
        }
    }

    #[test]
    fn each_fault_has_its_name() {
        use SnapshotError as E;
        let whole = snapshot(&[4, 300]).to_bytes().unwrap();
        assert!(matches!(Snapshot::parse(&whole[..whole.len() - 1]), Err(E::Length { .. })));
        assert!(matches!(Snapshot::parse(&[&whole[..], &[0]].concat()), Err(E::Length { .. })));
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        assert!(matches!(Snapshot::parse(&flipped), Err(E::Root { .. })));
        assert!(matches!(edited("\"version\":1", "\"version\":2"), E::Version { found: 2 }));
        assert!(matches!(edited("\"bits\":3", "\"bits\":4"), E::Count { stated: 4, found: 3 }));
        assert!(matches!(edited("\"bytes\":", "\"colour\":1,\"bytes\":"), E::NotOne { .. }));
        assert!(matches!(edited("testamur-status", "other"), E::NotOne { .. }));
        for none in [&b""[..], b"\n", b"{}\n", b"null\n", b"no", &[b' '; MAX_HEADER + 9]] {
            assert!(matches!(Snapshot::parse(none), Err(E::NotOne { .. })));
        }
    }

    #[test]
    fn a_file_ends_where_no_snapshot_goes_on() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut bytes = snapshot(&[]).to_bytes().unwrap();
        bytes.resize(MAX_BYTES + 100, 0);
        std::fs::write(file.path(), bytes).unwrap();
        let SnapshotError::Length { found, .. } = Snapshot::read(file.path()).unwrap_err() else { panic!() };
        assert!(found <= MAX_BYTES as u64);
    }
}
