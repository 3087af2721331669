//! The way from the root of a Merkle Patricia trie to one key (Ethereum yellow paper, appendix D).
//!
//! Only "secure" tries are read, those of states and storages: every key is a hash, 64 nibbles long, so that no
//! branch has a value of its own.

use super::{ProofError, rlp};
use crate::{Hash, keccak::keccak256};

/// The root of a trie without a key: the hash of an empty RLP string.
pub const EMPTY_ROOT: Hash = Hash([
    0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45, 0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b, 0x48, 0xe0,
    0x1b, 0x99, 0x6c, 0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21,
]);
/// A branch of sixteen hashes takes 532 bytes, and no leaf of these tries as much.
pub const MAX_NODE_BYTES: usize = 600;

const WHAT: &str = "a node of the proof";
const MALFORMED: ProofError = ProofError::Malformed { what: WHAT };

/// Where the nodes of a proof are taken from, by their hashes.
pub trait Nodes<'a> {
    /// The node of this hash; [`ProofError::MissingNode`] or [`ProofError::WrongNode`] where it is not there.
    fn take(&mut self, wanted: Hash) -> Result<&'a [u8], ProofError>;

    /// The path goes on through a node that stands in its parent.
    fn pass(&mut self, _inside: &[u8]) {}
}

/// A proof as endpoints deliver it: nodes from the root down, of which none may be left over.
pub struct Listed<'a>(std::slice::Iter<'a, Vec<u8>>);

impl<'a> Listed<'a> {
    pub fn new(nodes: &'a [Vec<u8>]) -> Self {
        Self(nodes.iter())
    }

    /// Refuses what the path did not need.
    pub fn end(self) -> Result<(), ProofError> {
        match self.0.len() {
            0 => Ok(()),
            count => Err(ProofError::ExtraNodes { count }),
        }
    }
}

impl<'a> Nodes<'a> for Listed<'a> {
    fn take(&mut self, wanted: Hash) -> Result<&'a [u8], ProofError> {
        let node = self.0.next().ok_or(ProofError::MissingNode { wanted })?;
        let found = keccak256(node);
        if found == wanted { Ok(node) } else { Err(ProofError::WrongNode { wanted, found }) }
    }

    /// Clients that use alloy's tries (reth, anvil) list such a node once more, geth does not.
    fn pass(&mut self, inside: &[u8]) {
        if self.0.as_slice().first().is_some_and(|node| node == inside) {
            self.0.next();
        }
    }
}

/// The value at a path in the trie under `root`; `None` where the nodes prove that there is none. The path is the hash
/// of an address, or of a slot.
pub fn value<'a>(root: Hash, path: Hash, nodes: &mut impl Nodes<'a>) -> Result<Option<&'a [u8]>, ProofError> {
    if root == EMPTY_ROOT {
        return Ok(None);
    }
    let path = nibbles(&path.0);
    let mut path = path.as_slice();
    let mut node = nodes.take(root)?;
    // Every turn consumes a nibble of the path, or ends.
    loop {
        let child = match Node::parse(node)? {
            Node::Leaf { path: end, value } if end.len() == path.len() => return Ok((end == path).then_some(value)),
            Node::Leaf { .. } => return Err(MALFORMED),
            Node::Branch(children) => {
                let (nibble, rest) = path.split_first().ok_or(MALFORMED)?;
                path = rest;
                children[usize::from(*nibble)]
            }
            Node::Extension { path: part, child } => {
                let Some(rest) = path.strip_prefix(part.as_slice()) else { return Ok(None) };
                path = rest;
                child
            }
        };
        node = match child {
            Child::None => return Ok(None),
            Child::Inside(node) => {
                nodes.pass(node);
                node
            }
            Child::Hash(wanted) => nodes.take(wanted)?,
        };
    }
}

/// A node of a trie.
enum Node<'a> {
    Branch(Vec<Child<'a>>),
    Extension { path: Vec<u8>, child: Child<'a> },
    Leaf { path: Vec<u8>, value: &'a [u8] },
}

/// What stands below a branch or an extension.
#[derive(Clone, Copy)]
enum Child<'a> {
    None,
    /// A node of fewer than 32 bytes, which stands in its parent.
    Inside(&'a [u8]),
    Hash(Hash),
}

impl<'a> Node<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, ProofError> {
        match *rlp::list(bytes, WHAT)?.as_slice() {
            [path, second] => Self::of_two(rlp::string(path, WHAT)?, second),
            // Only in tries of unhashed keys has a branch a value.
            [ref children @ .., value] if children.len() == 16 && value == [alloy_rlp::EMPTY_STRING_CODE] => {
                children.iter().map(|child| Child::parse(child)).collect::<Result<_, _>>().map(Self::Branch)
            }
            _ => Err(MALFORMED),
        }
    }

    /// A leaf or an extension. The first nibble of its compact path says which, and whether the next one is padding.
    fn of_two(compact: &[u8], second: &'a [u8]) -> Result<Self, ProofError> {
        let all = nibbles(compact);
        let (is_leaf, path) = match all.as_slice() {
            [0, 0, path @ ..] | [1, path @ ..] => (false, path.to_vec()),
            [2, 0, path @ ..] | [3, path @ ..] => (true, path.to_vec()),
            _ => return Err(MALFORMED),
        };
        if is_leaf {
            return Ok(Self::Leaf { path, value: rlp::string(second, WHAT)? });
        }
        match Child::parse(second)? {
            Child::None => Err(MALFORMED),
            _ if path.is_empty() => Err(MALFORMED),
            child => Ok(Self::Extension { path, child }),
        }
    }
}

impl<'a> Child<'a> {
    fn parse(item: &'a [u8]) -> Result<Self, ProofError> {
        if item.first().is_some_and(|first| *first >= alloy_rlp::EMPTY_LIST_CODE) {
            return if item.len() < 32 { Ok(Self::Inside(item)) } else { Err(MALFORMED) };
        }
        match rlp::string(item, WHAT)? {
            [] => Ok(Self::None),
            hash => hash.try_into().map(Self::Hash).map_err(|_| MALFORMED),
        }
    }
}

fn nibbles(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect()
}

#[cfg(test)]
mod tests;
