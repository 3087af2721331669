//! The toggled indices of one status update, as its event publishes them.
//!
//! Strictly ascending, as LEB128 gaps: the first index, then each gap minus one.

use crate::{Error, StatusIndex};

/// LEB128 of 40 bits never takes more bytes.
const MAX_NUMBER_BYTES: u32 = 6;

/// Encodes indices; `None` unless they ascend strictly.
pub fn encode(indices: &[StatusIndex]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(indices.len() * 2);
    let mut next = 0;
    for index in indices {
        let mut gap = index.get().checked_sub(next)?;
        next = index.get() + 1;
        while gap > 0x7f {
            out.push(gap as u8 | 0x80);
            gap >>= 7;
        }
        out.push(gap as u8);
    }
    Some(out)
}

/// Decodes a delta strictly: nothing cut off, overlong, or at or above 2^40.
pub fn decode(bytes: &[u8]) -> Result<Vec<StatusIndex>, Error> {
    let mut out = Vec::new();
    let (mut next, mut gap, mut length) = (0_u64, 0_u64, 0);
    for &byte in bytes {
        gap |= u64::from(byte & 0x7f) << (7 * length);
        length += 1;
        if byte & 0x80 != 0 {
            if length == MAX_NUMBER_BYTES {
                return Err(Error::DeltaRange);
            }
            continue;
        }
        if byte == 0 && length > 1 {
            return Err(Error::DeltaOverlong);
        }
        let index = StatusIndex::new(next + gap).map_err(|_| Error::DeltaRange)?;
        out.push(index);
        next = index.get() + 1;
        (gap, length) = (0, 0);
    }
    if length > 0 { Err(Error::DeltaCutOff) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn indices(numbers: &[u64]) -> Vec<StatusIndex> {
        numbers.iter().map(|&n| StatusIndex::new(n).expect("in range")).collect()
    }

    #[test]
    fn only_ascending_indices_are_encoded() {
        assert_eq!(encode(&indices(&[5, 5])), None);
        assert_eq!(encode(&indices(&[5, 4])), None);
        assert_eq!(encode(&indices(&[0, 1, 129, 300])), Some(vec![0, 0, 127, 0xaa, 1]));
    }

    #[test]
    fn each_fault_has_its_name() {
        assert_eq!(decode(&[0x80]), Err(Error::DeltaCutOff));
        assert_eq!(decode(&[0x80, 0]), Err(Error::DeltaOverlong));
        assert_eq!(decode(&[0xff; 12]), Err(Error::DeltaRange));
        assert_eq!(decode(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x20]), Err(Error::DeltaRange));
        let mut past_the_end = encode(&indices(&[(1 << 40) - 1])).expect("ascending");
        past_the_end.push(0);
        assert_eq!(decode(&past_the_end), Err(Error::DeltaRange));
    }

    proptest! {
        #[test]
        fn decode_inverts_encode(set in prop::collection::btree_set(0..StatusIndex::END, 0..300)) {
            let indices = indices(&set.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(decode(&encode(&indices).expect("ascending")), Ok(indices));
        }

        #[test]
        fn what_decodes_has_no_other_encoding(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(decoded) = decode(&bytes) {
                prop_assert_eq!(decoded.iter().collect::<BTreeSet<_>>().len(), decoded.len());
                prop_assert_eq!(encode(&decoded), Some(bytes));
            }
        }
    }
}
