//! Which digests may have the reserved status index that their issuer wants for them.

use std::collections::{HashMap, HashSet};

use testamur_core::{Digest, Entry, StatusIndex};

/// Why an entry cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Its place in the request.
    pub place: usize,
    /// What is wrong with it.
    pub reason: ConflictReason,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictReason {
    /// The digest has another status index already.
    HasIndex(StatusIndex),
    /// The index is not reserved for this issuer, or another digest has it.
    NotReserved,
}

/// What is wrong with entries: nothing, where each digest has its index already, or has none and the index is free.
pub fn conflicts<E>(
    entries: &[Entry],
    index_of: impl Fn(Digest) -> Result<Option<StatusIndex>, E>,
    is_free: impl Fn(StatusIndex) -> Result<bool, E>,
) -> Result<Vec<Conflict>, E> {
    let (mut indices, mut used) = (HashMap::new(), HashSet::new());
    let mut found = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let wanted = entry.status_index;
        // What the request says before counts like what was taken before.
        let has = match indices.get(&entry.digest) {
            Some(index) => Some(*index),
            None => index_of(entry.digest)?,
        };
        let reason = match has {
            Some(index) if index == wanted => continue,
            Some(index) => ConflictReason::HasIndex(index),
            None if !used.contains(&wanted) && is_free(wanted)? => {
                indices.insert(entry.digest, wanted);
                used.insert(wanted);
                continue;
            }
            // Between the two looks the same entry may have been taken from somebody else.
            None => match index_of(entry.digest)? {
                Some(index) if index == wanted => continue,
                Some(index) => ConflictReason::HasIndex(index),
                None => ConflictReason::NotReserved,
            },
        };
        found.push(Conflict { place, reason });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn entry(digest: u8, index: u64) -> Entry {
        Entry { digest: Digest([digest; 32]), status_index: StatusIndex::new(index).expect("below 2^40") }
    }

    #[test]
    fn each_digest_gets_its_own_index_once() {
        let taken = entry(1, 10);
        let index_of = |digest| Ok::<_, Infallible>((digest == taken.digest).then_some(taken.status_index));
        let is_free = |index: StatusIndex| Ok(index.get() >= 20);
        let look = |entries: &[Entry]| conflicts(entries, index_of, is_free).unwrap_or_default();
        let reasons = |entries: &[Entry]| look(entries).iter().map(|c| (c.place, c.reason)).collect::<Vec<_>>();
        let has = |index| ConflictReason::HasIndex(StatusIndex::new(index).expect("below 2^40"));
        let not_reserved = ConflictReason::NotReserved;
        assert_eq!(reasons(&[entry(2, 20), entry(1, 10), entry(3, 21), entry(2, 20)]), []);
        assert_eq!(reasons(&[entry(1, 20)]), [(0, has(10))]);
        assert_eq!(reasons(&[entry(2, 10), entry(2, 5)]), [(0, not_reserved), (1, not_reserved)]);
        assert_eq!(reasons(&[entry(2, 20), entry(3, 20)]), [(1, not_reserved)], "one index, two digests");
        assert_eq!(reasons(&[entry(2, 20), entry(2, 21)]), [(1, has(20))], "one digest, two indices");
    }

    #[test]
    fn what_is_taken_between_the_looks_is_no_conflict() {
        let taken = std::cell::Cell::new(false);
        let wanted = entry(2, 20);
        let index_of = |_| Ok::<_, Infallible>(taken.get().then_some(wanted.status_index));
        // The writer takes the same entry from somebody else at this moment.
        let is_free = |_| {
            taken.set(true);
            Ok(false)
        };
        assert_eq!(conflicts(&[wanted], index_of, is_free), Ok(vec![]));
    }
}
