use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::status::{chunk_hash, node::FLAT_FROM, node_hash};

fn index(n: u64) -> StatusIndex {
    StatusIndex::new(n).expect("in range")
}

fn indices(bits: &BTreeSet<u64>) -> Vec<StatusIndex> {
    bits.iter().map(|&n| index(n)).collect()
}

fn tree_of(bits: &BTreeSet<u64>) -> StatusTree {
    let mut tree = StatusTree::new();
    tree.toggle(&indices(bits));
    tree
}

/// The protocol's definition, top down.
fn recursive_root(bits: &BTreeSet<u64>, level: u32, number: u64) -> Hash {
    let width = 8 + level;
    let (first, last) = (number << width, ((number + 1) << width) - 1);
    if bits.range(first..=last).next().is_none() {
        return Hash::ZERO;
    }
    if level == 0 {
        let mut chunk = [0; 32];
        for bit in bits.range(first..=last) {
            let (byte, mask) = bit_position(index(*bit));
            chunk[byte] |= mask;
        }
        return chunk_hash(&chunk);
    }
    node_hash(recursive_root(bits, level - 1, number * 2), recursive_root(bits, level - 1, number * 2 + 1))
}

/// Everything that a tree answers, against the definition.
fn check(tree: &StatusTree, bits: &BTreeSet<u64>, probes: &[u64]) {
    let root = recursive_root(bits, DEPTH, 0);
    assert_eq!(tree.root(), root);
    assert_eq!(tree.set_bits().collect::<Vec<_>>(), indices(bits));
    let lists: BTreeSet<_> = indices(bits).into_iter().map(StatusIndex::list).collect();
    assert_eq!(tree.lists().collect::<Vec<_>>(), lists.into_iter().collect::<Vec<_>>());
    for &probe in probes {
        let (at, list) = (index(probe), index(probe).list());
        assert_eq!(tree.bit(at), bits.contains(&probe));
        let proof = tree.proof(at);
        assert_eq!((proof.root(at), proof.bit(at)), (Ok(root), bits.contains(&probe)));
        let whole = tree.list(list);
        assert_eq!(whole.bit(at.within_list()), bits.contains(&probe));
        assert_eq!(whole.root(), recursive_root(bits, LIST_HEIGHT, list.get().into()));
        assert_eq!(tree.list_proof(list).root(list, &whole), Ok(root));
    }
}

/// Bits that meet in every way: anywhere, close together, and enough in one list to make it flat.
fn some_bits() -> impl Strategy<Value = BTreeSet<u64>> {
    let anywhere = prop::collection::btree_set(0..StatusIndex::END, 0..40);
    let near = prop::collection::btree_set(0_u64..2000, 0..60);
    let list = prop::collection::btree_set(5 * StatusIndex::PER_LIST..6 * StatusIndex::PER_LIST, 0..300);
    (anywhere, near, list).prop_map(|(anywhere, near, list)| [anywhere, near, list].into_iter().flatten().collect())
}

proptest! {
    #[test]
    fn the_tree_is_the_definition(bits in some_bits(), anywhere in 0..StatusIndex::END, pick: prop::sample::Index) {
        let picked = indices(&bits).get(pick.index(bits.len().max(1))).map_or(0, |picked| picked.get());
        let probes = [anywhere, picked, picked ^ 1, picked ^ 1 << 16, 5 * StatusIndex::PER_LIST + 300];
        let mut tree = tree_of(&bits);
        check(&tree, &bits, &probes);
        let lists: Vec<_> = tree.lists().map(|number| (number, tree.list(number))).collect();
        let again = StatusTree::from_lists(lists.into_iter().rev());
        check(&again, &bits, &probes);
        prop_assert_eq!(again.footprint(), tree.footprint());
        tree.toggle(&indices(&bits));
        prop_assert_eq!((tree.root(), tree.footprint()), (Hash::ZERO, 0));
        prop_assert!(tree.top.node.is_none());
    }

    #[test]
    fn any_order_of_toggles_ends_in_the_same_tree(first in some_bits(), second in some_bits()) {
        let mut tree = tree_of(&first);
        let before = tree.clone();
        let mut toggled = indices(&second);
        toggled.reverse();
        tree.toggle(&toggled);
        let both: BTreeSet<_> = first.symmetric_difference(&second).copied().collect();
        check(&tree, &both, &[0, 5 * StatusIndex::PER_LIST]);
        prop_assert_eq!(tree.footprint(), tree_of(&both).footprint());
        // A clone does not see what happened to the other.
        check(&before, &first, &[0, 5 * StatusIndex::PER_LIST]);
    }

    #[test]
    fn a_flipped_bit_never_leads_to_the_root(bits in prop::collection::btree_set(0_u64..1 << 20, 1..60), flip: prop::sample::Index) {
        let tree = tree_of(&bits);
        let first = indices(&bits)[0];
        let mut proof = tree.proof(first);
        let place = flip.index(256 * (1 + proof.siblings.len()));
        let target = if place < 256 { &mut proof.chunk } else { &mut proof.siblings[place / 256 - 1] };
        target.0[place % 256 / 8] ^= 1 << (place % 8);
        prop_assert_ne!(proof.root(first), Ok(tree.root()));

        let (mut proof, mut list) = (tree.list_proof(first.list()), tree.list(first.list()).as_bytes().to_vec());
        let place = flip.index(8 * list.len() + 256 * proof.siblings.len());
        match place.checked_sub(8 * list.len()) {
            None => list[place / 8] ^= 1 << (place % 8),
            Some(place) => proof.siblings[place / 256].0[place % 256 / 8] ^= 1 << (place % 8),
        }
        let list = StatusList::from_bytes(&list).expect("of the right length");
        prop_assert_ne!(proof.root(first.list(), &list), Ok(tree.root()));
    }
}

#[test]
fn a_bit_toggled_twice_stays() {
    let mut tree = tree_of(&BTreeSet::from([7]));
    let root = tree.root();
    tree.toggle(&[index(9), index(1 << 39), index(9), index(1 << 39)]);
    assert_eq!((tree.root(), tree.set_bits().count()), (root, 1));
}

#[test]
fn a_list_becomes_flat_and_sparse_again() {
    let bit = |chunk: usize| index(3 * StatusIndex::PER_LIST + 256 * chunk as u64 * 3);
    let mut tree = StatusTree::new();
    let mut trees = Vec::new();
    for chunk in 0..=FLAT_FROM {
        trees.push((tree.root(), tree.footprint()));
        tree.toggle(&[bit(chunk)]);
    }
    assert!(tree.footprint() < 2 * trees[FLAT_FROM - 1].1, "{tree:?}");
    for chunk in (0..=FLAT_FROM).rev() {
        tree.toggle(&[bit(chunk)]);
        assert_eq!((tree.root(), tree.footprint()), trees[chunk], "{chunk} chunks");
    }
}

#[test]
fn a_hostile_issuer_costs_some_hundred_bytes_for_a_bit() {
    let far_apart = |count: u64, distance: u64| (0..count).map(|n| index(n * distance)).collect::<Vec<_>>();
    for (bits, limit) in [
        (far_apart(100_000, 80 * StatusIndex::PER_LIST), 200),
        (far_apart(100_000, 1024), 300),
        (far_apart(100_000, 1025), 300),
    ] {
        let mut tree = StatusTree::new();
        tree.toggle(&bits);
        assert!(tree.footprint() < limit * bits.len(), "{tree:?}");
        assert!(tree.footprint() > 0);
    }
}

#[test]
fn the_status_of_a_hundred_million_takes_few_bytes() {
    // One in a hundred revoked, everywhere.
    let mut tree = StatusTree::new();
    for first in (0..100_000_000_u64).step_by(10_000_000) {
        tree.toggle(&(first..first + 10_000_000).step_by(101).map(index).collect::<Vec<_>>());
    }
    assert!(tree.footprint() < 32 << 20, "{tree:?}");
}
