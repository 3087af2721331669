use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::evidence::world::{Trie, list, string};

fn read(root: Hash, path: Hash, nodes: &[Vec<u8>]) -> Result<Option<Vec<u8>>, ProofError> {
    let mut listed = Listed::new(nodes);
    let found = value(root, path, &mut listed)?.map(<[u8]>::to_vec);
    listed.end()?;
    Ok(found)
}

/// Without the nodes that stand in their parents.
fn as_geth(nodes: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let large = nodes.iter().enumerate().filter(|(at, node)| *at == 0 || node.len() >= 32);
    large.map(|(_, node)| node.clone()).collect()
}

/// Keys that share long prefixes, so that there are extensions, and nodes small enough to stand in their parents.
fn keys() -> impl Strategy<Value = Hash> {
    (any::<[u8; 2]>(), 0..4_u8, 0..8_u8).prop_map(|(start, middle, end)| {
        let mut key = [middle; 32];
        (key[0], key[1]) = (start[0] & 0x31, start[1] & 0x11);
        key[31] = end;
        Hash(key)
    })
}

fn tries() -> impl Strategy<Value = Trie> {
    let values = prop::collection::vec(any::<u8>(), 1..40);
    prop::collection::btree_map(keys(), values.prop_map(|bytes| string(&bytes)), 1..40).prop_map(Trie)
}

proptest! {
    // The other hand's tries are slow without optimisation.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_there_and_what_is_not_is_read_as_it_was_written(trie in tries(), other in keys()) {
        for path in trie.0.keys().copied().chain([other]) {
            let (root, nodes) = trie.prove(path);
            prop_assert_eq!(read(root, path, &nodes), Ok(trie.0.get(&path).cloned()));
            prop_assert_eq!(read(root, path, &as_geth(&nodes)), Ok(trie.0.get(&path).cloned()));
        }
    }

    #[test]
    fn a_proof_is_these_nodes_in_this_order(trie in tries(), path in keys()) {
        let (root, nodes) = trie.prove(path);
        let nodes = as_geth(&nodes);
        for at in 0..nodes.len() {
            let mut fewer = nodes.clone();
            let gone = fewer.remove(at);
            prop_assert!(read(root, path, &fewer).is_err());
            let mut twice = nodes.clone();
            twice.insert(at, gone);
            prop_assert!(read(root, path, &twice).is_err());
            let mut turned = nodes.clone();
            turned.rotate_left(at);
            prop_assert!(at == 0 || read(root, path, &turned).is_err());
        }
        let mut more = nodes;
        more.push(string(b"one too many"));
        prop_assert_eq!(read(root, path, &more), Err(ProofError::ExtraNodes { count: 1 }));
    }

    #[test]
    fn no_bytes_panic(node in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = read(keccak256(&node), Hash::ZERO, &[node]);
    }
}

#[test]
fn an_empty_trie_has_no_nodes() {
    assert_eq!(read(EMPTY_ROOT, Hash::ZERO, &[]), Ok(None));
    assert_eq!(Trie::default().root(), EMPTY_ROOT);
    assert_eq!(read(EMPTY_ROOT, Hash::ZERO, &[vec![0x80]]), Err(ProofError::ExtraNodes { count: 1 }));
}

/// A value that stands inside the nodes above it, three deep.
#[test]
fn small_nodes_stand_in_their_parents() {
    let mut keys = [Hash([0x11; 32]), Hash([0x11; 32]), Hash([0x22; 32])];
    keys[1].0[31] = 0x12;
    let trie = Trie(BTreeMap::from(keys.map(|key| (key, string(b"1")))));
    let (root, nodes) = trie.prove(keys[1]);
    let nodes = as_geth(&nodes);
    assert_eq!(nodes.len(), 2, "the branch at the last nibble, with its leaves, is in the extension above it");
    assert_eq!(read(root, keys[1], &nodes), Ok(Some(string(b"1"))));
    let mut absent = keys[1];
    absent.0[31] = 0x13;
    assert_eq!(read(root, absent, &nodes), Ok(None));
}

/// Nodes that no trie has. Their hashes are right: only a chain of one's own could state them.
#[test]
fn strange_nodes_are_refused_though_their_hash_is_right() {
    let child = string(&[9; 32]);
    let branch = |count: usize, value: &[u8]| {
        let mut items = vec![child.as_slice(); count];
        items.push(value);
        list(&items)
    };
    let mut long_path = vec![0x20];
    long_path.extend([0; 33]);
    let strange = [
        string(b"no list"),
        list(&[]),
        list(&[&string(&[0x00]), &child]),              // an extension by nothing
        list(&[&string(&[0x00, 0x11]), &string(b"")]),  // an extension to nothing
        list(&[&string(&[0x40, 0x11]), &child]),        // neither leaf nor extension
        list(&[&string(&[0x01, 0x11]), &child]),        // padding that is not zero
        list(&[&string(b""), &child]),                  // no path at all
        list(&[&string(&[0x20, 0x00]), &string(b"1")]), // a leaf before the end of the path
        list(&[&string(&long_path), &string(b"1")]),    // a leaf beyond it
        branch(15, &string(b"")),
        branch(17, &string(b"")),
        branch(16, &string(b"a value of its own")),
        list(&vec![string(&[9; 31]).as_slice(); 17]), // children that are no hashes
        [list(&[&string(&[0x20; 33]), &string(b"1")]), vec![0]].concat(), // something after it
    ];
    for node in strange {
        let found = read(keccak256(&node), Hash::ZERO, std::slice::from_ref(&node));
        assert_eq!(found, Err(MALFORMED), "{}", hex::encode(node));
    }
}
