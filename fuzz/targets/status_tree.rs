//! A status tree holds the bits that a plain set holds, whatever is toggled in whatever order.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use testamur_core::{StatusIndex, status::StatusTree};

/// One update: a place, and how far apart so many bits from there on stand. Many make a list flat.
type Update = (u64, u16, u8);

fuzz_target!(|updates: Vec<Update>| {
    let (mut tree, mut set) = (StatusTree::new(), BTreeSet::new());
    for (first, distance, count) in updates.into_iter().take(20) {
        let bits = (0..=u64::from(count)).map(|n| first.wrapping_add(n * u64::from(distance)) % StatusIndex::END);
        let indices: Vec<_> = bits.map(|n| StatusIndex::new(n).expect("in range")).collect();
        let before = tree.clone();
        tree.toggle(&indices);
        for &index in &indices {
            if !set.remove(&index) {
                set.insert(index);
            }
        }
        check(&tree, &set, indices[0]);
        let mut back = tree.clone();
        back.toggle(&indices);
        assert_eq!((back.root(), back.footprint()), (before.root(), before.footprint()));
    }
});

fn check(tree: &StatusTree, set: &BTreeSet<StatusIndex>, probe: StatusIndex) {
    assert!(tree.set_bits().eq(set.iter().copied()));
    let mut at_once = StatusTree::new();
    at_once.toggle(&set.iter().copied().collect::<Vec<_>>());
    assert_eq!((tree.root(), tree.footprint()), (at_once.root(), at_once.footprint()));
    let (proof, list) = (tree.proof(probe), tree.list(probe.list()));
    assert_eq!((proof.root(probe), proof.bit(probe)), (Ok(tree.root()), set.contains(&probe)));
    assert_eq!(list.bit(probe.within_list()), set.contains(&probe));
    assert_eq!(tree.list_proof(probe.list()).root(probe.list(), &list), Ok(tree.root()));
}
