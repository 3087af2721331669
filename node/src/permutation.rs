//! Which status index the n-th digest of an issuer gets.
//!
//! Indices are given list by list (2^17 each), inside a list in an order that only the node knows: who sees two
//! neighbouring bits set learns nothing about when those credentials were issued. List `n / 2^17` is shuffled by
//! Fisher and Yates with numbers from ChaCha20, keyed by `SHA-256(secret ‖ issuer ‖ list (8, big-endian))`. The
//! shuffle is written out here, because an order that changes with a library would give an index twice.

use std::ops::Range;

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use sha2::{Digest as _, Sha256};
use testamur_core::{Address, StatusIndex};

use crate::store::Sequence;

/// Shuffled lists kept in memory (512 KiB each): one for each issuer that is active at the same time.
const CACHED: usize = 16;
/// Indices of one list.
const LIST: u32 = StatusIndex::PER_LIST as u32;
/// Lists at which a node may begin: half of all, so that 2^39 indices are left even behind the last of them.
const FIRST_LISTS: u64 = StatusIndex::END / StatusIndex::PER_LIST / 2;

/// Gives status indices.
pub struct Permutations {
    secret: [u8; 32],
    /// Last used last.
    cached: Vec<(Address, u64, Vec<u32>)>,
}

impl Permutations {
    /// For the secret of a data folder.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret, cached: Vec::new() }
    }

    /// The index of an issuer's n-th digest, from 0; none from 2^40 on.
    pub fn index(&mut self, issuer: Address, n: u64) -> Option<StatusIndex> {
        let (list, place) = (n / StatusIndex::PER_LIST, n % StatusIndex::PER_LIST);
        let shuffled = self.shuffle(issuer, list);
        StatusIndex::new(list.checked_mul(StatusIndex::PER_LIST)? + u64::from(shuffled[place as usize])).ok()
    }

    fn shuffle(&mut self, issuer: Address, list: u64) -> &[u32] {
        let kept = self.cached.iter().rposition(|(i, l, _)| (*i, *l) == (issuer, list));
        let entry = match kept {
            Some(place) if place + 1 == self.cached.len() => return &self.cached[place].2,
            Some(place) => self.cached.remove(place),
            None => (issuer, list, shuffled(&key(&self.secret, issuer, list), LIST)),
        };
        if self.cached.len() == CACHED {
            self.cached.remove(0);
        }
        self.cached.push(entry);
        &self.cached[self.cached.len() - 1].2
    }
}

/// The status indices that a node gave to an issuer.
pub struct Given {
    /// Lists of which all were given.
    whole: Range<u64>,
    /// Which bits of the list behind them were given.
    part: Vec<bool>,
}

impl Given {
    /// Those of the positions in `sequence`, which begins with a list.
    pub fn new(secret: &[u8; 32], issuer: Address, sequence: Sequence) -> Self {
        let whole = sequence.first / StatusIndex::PER_LIST..sequence.next / StatusIndex::PER_LIST;
        let mut part = vec![false; LIST as usize];
        let given = (sequence.next % StatusIndex::PER_LIST) as usize;
        if given > 0 {
            let shuffled = shuffled(&key(secret, issuer, whole.end), LIST);
            shuffled[..given].iter().for_each(|bit| part[*bit as usize] = true);
        }
        Self { whole, part }
    }

    /// Whether an index was given.
    pub fn contains(&self, index: StatusIndex) -> bool {
        let (list, bit) = (index.get() / StatusIndex::PER_LIST, index.get() % StatusIndex::PER_LIST);
        self.whole.contains(&list) || (list == self.whole.end && self.part[bit as usize])
    }
}

/// Where a node begins to give an issuer's indices: at a random list of the lower half. So a second node of the issuer,
/// or one that was rebuilt after its data was lost, does not give what the first one gave.
pub fn first_position(random: u64) -> u64 {
    random % FIRST_LISTS * StatusIndex::PER_LIST
}

fn key(secret: &[u8; 32], issuer: Address, list: u64) -> [u8; 32] {
    Sha256::new().chain_update(secret).chain_update(issuer.0).chain_update(list.to_be_bytes()).finalize().into()
}

/// The numbers below `size`, shuffled. Never change this: see the module.
fn shuffled(key: &[u8; 32], size: u32) -> Vec<u32> {
    let mut stream = ChaCha20Rng::from_seed(*key);
    let mut list: Vec<u32> = (0..size).collect();
    for last in (1..size).rev() {
        list.swap(last as usize, draw(&mut stream, last) as usize);
    }
    list
}

/// A number from 0 to `last`, each as likely as the other: the low bits that can hold `last`, until they do not exceed it.
fn draw(stream: &mut ChaCha20Rng, last: u32) -> u32 {
    let mask = u32::MAX >> last.leading_zeros();
    loop {
        let number = stream.next_u32() & mask;
        if number <= last {
            return number;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn every_list_is_a_bijection(secret: [u8; 32], issuer: [u8; 20], list in 0_u64..1 << 23) {
            let mut permutations = Permutations::new(secret);
            let first = list * StatusIndex::PER_LIST;
            let given: HashSet<_> = (first..first + StatusIndex::PER_LIST)
                .map(|n| permutations.index(Address(issuer), n).expect("below 2^40").get())
                .collect();
            prop_assert_eq!(given.len() as u64, StatusIndex::PER_LIST);
            prop_assert!(given.iter().all(|index| index / StatusIndex::PER_LIST == list));
        }
    }

    #[test]
    fn what_was_given_is_known_and_nothing_else() {
        let (secret, issuer, first) = ([5; 32], Address([6; 20]), first_position(u64::MAX));
        assert_eq!(first, StatusIndex::END / 2 - StatusIndex::PER_LIST);
        let mut permutations = Permutations::new(secret);
        for count in [0, 1, 1000, StatusIndex::PER_LIST - 1, StatusIndex::PER_LIST, StatusIndex::PER_LIST + 7] {
            let given = Given::new(&secret, issuer, Sequence { first, next: first + count });
            for n in (0..2 * StatusIndex::PER_LIST).step_by(97).chain([count.saturating_sub(1), count]) {
                let index = permutations.index(issuer, first + n).expect("below 2^40");
                assert_eq!(given.contains(index), n < count, "{n} of {count}");
            }
            assert!(!given.contains(permutations.index(issuer, first - 1).expect("below 2^40")));
        }
    }

    /// Computed by another implementation, from RFC 8439's ChaCha20 (zero nonce and counter), four bytes a draw,
    /// little-endian.
    #[test]
    fn the_shuffle_is_pinned() {
        assert_eq!(shuffled(&[0; 32], 12), PINNED_SMALL);
        let mut permutations = Permutations::new([1; 32]);
        let first: Vec<_> = (0..4).map(|n| permutations.index(Address([2; 20]), n).map(StatusIndex::get)).collect();
        let second = permutations.index(Address([2; 20]), StatusIndex::PER_LIST).map(StatusIndex::get);
        assert_eq!((first, second), (PINNED_FIRST.map(Some).to_vec(), Some(PINNED_SECOND)));
    }

    const PINNED_SMALL: [u32; 12] = [7, 4, 1, 2, 8, 11, 9, 5, 3, 10, 0, 6];
    const PINNED_FIRST: [u64; 4] = [32_622, 111_648, 127_155, 113_222];
    const PINNED_SECOND: u64 = 201_773;

    #[test]
    fn more_issuers_than_are_cached_get_the_same_indices() {
        let mut permutations = Permutations::new([3; 32]);
        let issuers: Vec<_> = (0..2 * CACHED as u8).map(|i| Address([i; 20])).collect();
        let mut round = |n| issuers.iter().map(|i| permutations.index(*i, n)).collect::<Vec<_>>();
        let first = round(0);
        assert_ne!(round(1), first);
        assert_eq!(round(0), first);
    }

    #[test]
    fn there_are_two_to_the_forty_indices() {
        let mut permutations = Permutations::new([0; 32]);
        assert!(permutations.index(Address([0; 20]), (1 << 40) - 1).is_some());
        assert_eq!(permutations.index(Address([0; 20]), 1 << 40), None);
        assert_eq!(permutations.index(Address([0; 20]), u64::MAX), None);
    }
}
