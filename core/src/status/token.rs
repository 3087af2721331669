//! IETF Token Status List (draft-ietf-oauth-status-list-20, section 4): ZLIB, statuses of 1, 2, 4 or 8 bits, least significant bit first.
//!
//! Absent: the JWT or CWT around the list, and the text form of the former (base64url).

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};

use super::{StatusList, inflate};
use crate::Error;

/// The compressed byte array (4.1) of a list with one bit for each status: what a CWT carries as `lst`, and a JWT in base64url.
pub fn encode(list: &StatusList) -> Vec<u8> {
    // The same bits as W3C's, each byte the other way round.
    let bytes = list.as_bytes().map(u8::reverse_bits);
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(&bytes).and_then(|()| encoder.finish());
    written.expect("a Vec takes whatever is written")
}

/// The byte array, at most `max_bytes` long, of statuses of so many `bits`.
///
/// [`Error::StatusSize`], [`Error::ListCompression`], [`Error::ListTooLarge`].
pub fn decode(compressed: &[u8], bits: u32, max_bytes: usize) -> Result<Vec<u8>, Error> {
    check_size(bits)?;
    inflate::zlib(compressed, max_bytes)
}

/// The status at an index of a decoded byte array.
///
/// [`Error::StatusRange`] beyond its end, [`Error::StatusSize`] unless `bits` is 1, 2, 4 or 8.
pub fn status(bytes: &[u8], bits: u32, index: u64) -> Result<u8, Error> {
    check_size(bits)?;
    let in_a_byte = u64::from(8 / bits);
    let length = bytes.len() as u64 * in_a_byte;
    if index >= length {
        return Err(Error::StatusRange { index, length });
    }
    let byte = bytes[(index / in_a_byte) as usize];
    let shift = (index % in_a_byte) as u32 * bits;
    Ok(byte >> shift & (0xff >> (8 - bits)))
}

fn check_size(bits: u32) -> Result<(), Error> {
    if matches!(bits, 1 | 2 | 4 | 8) { Ok(()) } else { Err(Error::StatusSize { bits }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of section 4.1: compressed, bits, and the statuses in their order.
    const EXAMPLES: [(&str, u32, &[u8]); 2] = [
        ("78dadbb918000217015d", 1, &[1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]),
        ("78da3be9f2130003df0207", 2, &[1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]),
    ];

    #[test]
    fn the_examples_of_the_draft() {
        for (compressed, bits, statuses) in EXAMPLES {
            let bytes = decode(&hex::decode(compressed).expect("hex"), bits, 3).expect("a list");
            let length = statuses.len() as u64;
            let found: Vec<_> = (0..length).map(|index| status(&bytes, bits, index).expect("inside")).collect();
            assert_eq!(found, statuses);
            assert_eq!(status(&bytes, bits, length), Err(Error::StatusRange { index: length, length }));
        }
    }

    #[test]
    fn only_four_sizes_exist() {
        for bits in [0, 3, 5, 6, 7, 9, u32::MAX] {
            assert_eq!(status(&[0; 9], bits, 0), Err(Error::StatusSize { bits }));
            assert_eq!(decode(&[], bits, 9), Err(Error::StatusSize { bits }));
        }
        let all =
            |bits, length| (0..length).map(|index| status(&[0xa5, 0x3c], bits, index)).collect::<Result<Vec<_>, _>>();
        assert_eq!((all(4, 4), all(8, 2)), (Ok(vec![5, 10, 12, 3]), Ok(vec![0xa5, 0x3c])));
    }

    #[test]
    fn ours_reads_back_bit_for_bit() {
        let bytes: Vec<u8> = (0..16_384_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let list = StatusList::from_bytes(&bytes).expect("of the right length");
        let decoded = decode(&encode(&list), 1, 16_384).expect("ours");
        for place in 0..StatusList::BITS {
            assert_eq!(status(&decoded, 1, place.into()), Ok(list.bit(place).into()), "{place}");
        }
    }
}
