//! The batch tree: RFC 9162 (RFC 6962) with SHA-256.
//!
//! `entry = digest (32) ‖ status index (8, big-endian)`, `leaf hash = SHA-256(0x00 ‖ entry)`,
//! `node = SHA-256(0x01 ‖ left ‖ right)`; of n leaves the left subtree holds the largest power of two below n.

use crate::{
    Digest, Error, Hash, StatusIndex,
    sha256::{sha256_leaf, sha256_node},
};

/// The longest path there is: a tree's size is below 2^64.
pub const MAX_PATH: usize = 64;

/// What stands in a batch for one credential. 40 bytes: digest, then status index in 8 bytes, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The blinded digest.
    pub digest: Digest,
    /// Where the credential's status bits are.
    pub status_index: StatusIndex,
}

impl Entry {
    /// Bytes of one entry.
    pub const SIZE: usize = 40;

    /// The 40 bytes.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut out = [0; Self::SIZE];
        out[..32].copy_from_slice(&self.digest.0);
        out[32..].copy_from_slice(&self.status_index.get().to_be_bytes());
        out
    }

    /// Reads the 40 bytes; refuses a status index at or above 2^40.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Result<Self, Error> {
        let (digest, index) = bytes.split_at(32);
        let index = index.iter().fold(0, |n, b| n << 8 | u64::from(*b));
        Ok(Self { digest: digest.try_into()?, status_index: StatusIndex::new(index)? })
    }

    /// `SHA-256(0x00 ‖ entry)`.
    pub fn leaf_hash(&self) -> Hash {
        Hash(sha256_leaf(0, &self.to_bytes()))
    }
}

/// `SHA-256(0x01 ‖ left ‖ right)`.
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    Hash(sha256_node(1, &left.0, &right.0))
}

/// A whole batch tree in one flat vector, level by level from the leaves up: 64 bytes a leaf.
///
/// A last node without a sibling moves up unchanged; that gives exactly the RFC's tree.
pub struct BatchTree {
    nodes: Vec<Hash>,
    size: usize,
}

impl BatchTree {
    /// Builds the tree over leaf hashes; [`Error::EmptyBatch`] where there are none.
    pub fn new(leaves: Vec<Hash>) -> Result<Self, Error> {
        if leaves.is_empty() {
            return Err(Error::EmptyBatch);
        }
        let size = leaves.len();
        let mut nodes = leaves;
        nodes.reserve_exact(node_count(size) - size);
        let (mut start, mut width) = (0, size);
        while width > 1 {
            let end = start + width;
            for left in (start..end - 1).step_by(2) {
                nodes.push(node_hash(nodes[left], nodes[left + 1]));
            }
            if width % 2 == 1 {
                nodes.push(nodes[end - 1]);
            }
            start = end;
            width = width.div_ceil(2);
        }
        Ok(Self { nodes, size })
    }

    /// The root.
    pub fn root(&self) -> Hash {
        self.nodes[self.nodes.len() - 1]
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size as u64
    }

    /// A leaf hash; none outside the tree.
    pub fn leaf(&self, index: u64) -> Option<Hash> {
        self.nodes[..self.size].get(usize::try_from(index).ok()?).copied()
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.nodes.capacity() * size_of::<Hash>()
    }

    /// The sibling hashes of a leaf, from the leaf up; [`Error::LeafIndex`] outside the tree.
    pub fn path(&self, leaf_index: u64) -> Result<Vec<Hash>, Error> {
        let outside = Error::LeafIndex { index: leaf_index, size: self.size() };
        let mut index = usize::try_from(leaf_index).map_err(|_| outside.clone())?;
        if index >= self.size {
            return Err(outside);
        }
        let mut path = Vec::with_capacity(self.size.next_power_of_two().ilog2() as usize);
        let (mut start, mut width) = (0, self.size);
        while width > 1 {
            if index ^ 1 < width {
                path.push(self.nodes[start + (index ^ 1)]);
            }
            start += width;
            width = width.div_ceil(2);
            index /= 2;
        }
        Ok(path)
    }
}

/// Nodes of all levels together, moved-up ones included.
fn node_count(size: usize) -> usize {
    std::iter::successors(Some(size), |&width| (width > 1).then(|| width.div_ceil(2))).sum()
}

/// How many siblings the path of a leaf has in a tree of `size`.
pub(crate) fn path_length(index: u64, size: u64) -> usize {
    let (mut index, mut last, mut length) = (index, size - 1, 0);
    while last > 0 {
        if index % 2 == 1 || index < last {
            length += 1;
        }
        index /= 2;
        last /= 2;
    }
    length
}

/// The root that a leaf and its path lead to (RFC 9162, 2.1.3.2).
///
/// Refuses an index outside the tree and a path of any other length than index and size demand. The size
/// must then be compared with the anchored one: other sizes of the same shape reach the same root.
pub fn root_from_path(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Result<Hash, Error> {
    if index >= size {
        return Err(Error::LeafIndex { index, size });
    }
    let expected = path_length(index, size);
    if path.len() != expected {
        return Err(Error::PathLength { expected, found: path.len() });
    }
    let (mut index, mut last, mut node) = (index, size - 1, leaf);
    let mut siblings = path.iter();
    while last > 0 {
        // A last node with an even index has no sibling on this level and moves up.
        if index % 2 == 1 || index < last {
            let Some(&sibling) = siblings.next() else { break };
            node = if index % 2 == 1 { node_hash(sibling, node) } else { node_hash(node, sibling) };
        }
        index /= 2;
        last /= 2;
    }
    Ok(node)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rs_merkle::Hasher;

    use super::*;
    use crate::sha256::sha256;

    fn leaves(size: u64) -> Vec<Hash> {
        (0..size).map(|i| Hash(sha256(&[&i.to_le_bytes()]))).collect()
    }

    /// The RFC's own recursion (2.1.1), to check the flat one.
    fn recursive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(recursive_root(left), recursive_root(right))
            }
        }
    }

    /// RFC 9162, 2.1.3.1.
    fn recursive_path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        let (mut path, sibling) = if index < left.len() {
            (recursive_path(index, left), recursive_root(right))
        } else {
            (recursive_path(index - left.len(), right), recursive_root(left))
        };
        path.push(sibling);
        path
    }

    #[test]
    fn the_flat_tree_is_the_rfcs_tree() {
        for size in 1..=130 {
            let leaves = leaves(size);
            let tree = BatchTree::new(leaves.clone()).expect("not empty");
            assert_eq!(tree.root(), recursive_root(&leaves), "size {size}");
            assert_eq!(tree.nodes.len(), node_count(leaves.len()));
            for index in 0..size {
                let path = tree.path(index).expect("inside");
                assert_eq!(path, recursive_path(index as usize, &leaves), "leaf {index} of {size}");
                assert_eq!(root_from_path(leaves[index as usize], index, size, &path), Ok(tree.root()));
            }
            assert!(tree.path(size).is_err());
        }
        assert_eq!(BatchTree::new(Vec::new()).err(), Some(Error::EmptyBatch));
    }

    #[derive(Clone)]
    struct Rfc6962;

    impl Hasher for Rfc6962 {
        type Hash = [u8; 32];

        fn hash(data: &[u8]) -> [u8; 32] {
            sha256(&[data])
        }

        fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
            right.map_or(*left, |right| node_hash(Hash(*left), Hash(*right)).0)
        }
    }

    #[test]
    fn rs_merkle_agrees() {
        for size in [1, 2, 3, 5, 8, 13, 255, 256, 257, 1000] {
            let leaves = leaves(size);
            let raw: Vec<_> = leaves.iter().map(|hash| hash.0).collect();
            let oracle = rs_merkle::MerkleTree::<Rfc6962>::from_leaves(&raw);
            let tree = BatchTree::new(leaves).expect("not empty");
            assert_eq!(Some(tree.root().0), oracle.root());
            for index in [0, size / 2, size - 1] {
                let expected: Vec<_> =
                    oracle.proof(&[index as usize]).proof_hashes().iter().map(|h| Hash(*h)).collect();
                assert_eq!(tree.path(index), Ok(expected));
            }
        }
    }

    #[test]
    fn ct_merkle_agrees() {
        for size in [1_u64, 2, 3, 7, 100, 257] {
            let entries: Vec<_> = (0..size)
                .map(|i| Entry {
                    digest: Digest(sha256(&[&i.to_le_bytes()])),
                    status_index: StatusIndex::new(i * 31).expect("small"),
                })
                .collect();
            let mut oracle = ct_merkle::mem_backed_tree::MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
            entries.iter().for_each(|entry| oracle.push(entry.to_bytes().to_vec()));
            let tree = BatchTree::new(entries.iter().map(Entry::leaf_hash).collect()).expect("not empty");
            assert_eq!(tree.root().0[..], oracle.root().as_bytes()[..]);
            for index in 0..size {
                let path: Vec<_> = tree.path(index).expect("inside").iter().flat_map(|hash| hash.0).collect();
                assert_eq!(path, oracle.prove_inclusion(index as usize).as_bytes());
            }
        }
    }

    proptest! {
        #[test]
        fn a_flipped_bit_never_leads_to_the_root(size in 1_u64..400, pick: prop::sample::Index, bit: prop::sample::Index) {
            let leaves = leaves(size);
            let index = pick.index(leaves.len());
            let tree = BatchTree::new(leaves.clone()).expect("not empty");
            let mut bytes: Vec<u8> = leaves[index].0.to_vec();
            bytes.extend(tree.path(index as u64).expect("inside").iter().flat_map(|hash| hash.0));
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let hashes: Vec<Hash> = bytes.chunks(32).map(|c| c.try_into().expect("32 bytes")).collect();
            prop_assert_ne!(root_from_path(hashes[0], index as u64, size, &hashes[1..]), Ok(tree.root()));
        }

        #[test]
        fn any_index_size_and_path_are_answered(index: u64, size: u64, length in 0_usize..70) {
            let _ = root_from_path(Hash::ZERO, index, size, &vec![Hash::ZERO; length]);
        }

        #[test]
        fn entries_parse_as_they_print(digest: [u8; 32], index in 0..StatusIndex::END) {
            let entry = Entry { digest: Digest(digest), status_index: StatusIndex::new(index).expect("in range") };
            prop_assert_eq!(Entry::from_bytes(&entry.to_bytes()), Ok(entry));
        }
    }
}
