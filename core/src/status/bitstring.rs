//! W3C Bitstring Status List v1.0 (Recommendation, 15 May 2025): GZIP, multibase base64url, left-most bit first.
//!
//! Absent: the credential around the list. How short a list may be is [`crate::policy::Policy`]'s to say.

use std::io::Write;

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig,
        general_purpose::{NO_PAD, URL_SAFE_NO_PAD},
    },
};
use flate2::{Compression, GzBuilder};

use super::inflate;
use crate::Error;

/// Multibase's sign for base64url without padding.
const BASE64URL: char = 'u';

/// The `encodedList` of some bits: `u…`. The same bits give the same text: no time and no name stand in the GZIP header.
pub fn encode(bits: &[u8]) -> String {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    let written = encoder.write_all(bits).and_then(|()| encoder.finish());
    let compressed = written.expect("a Vec takes whatever is written");
    format!("{BASE64URL}{}", URL_SAFE_NO_PAD.encode(compressed))
}

/// The bits of an `encodedList`, at most `max_bytes` of them.
///
/// [`Error::ListText`] without the `u` or for anything but base64url without padding, [`Error::ListCompression`], [`Error::ListTooLarge`].
pub fn decode(text: &str, max_bytes: usize) -> Result<Vec<u8>, Error> {
    let digits = text.strip_prefix(BASE64URL).ok_or(Error::ListText)?;
    let compressed = URL_SAFE_NO_PAD.decode(digits).map_err(|_| Error::ListText)?;
    inflate::gzip(&compressed, max_bytes)
}

/// The bits of an `encodedList` as it was before the Recommendation (StatusList2021, RevocationList2020): no multibase,
/// and base64 in either alphabet, padded or not. Errors as of [`decode`].
pub fn decode_2021(text: &str, max_bytes: usize) -> Result<Vec<u8>, Error> {
    let config: GeneralPurposeConfig = NO_PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['+', '/']) { STANDARD } else { URL_SAFE };
    let compressed = GeneralPurpose::new(&alphabet, config).decode(text).map_err(|_| Error::ListText)?;
    inflate::gzip(&compressed, max_bytes)
}

/// A status of `status_size` bits (1 to 64), the left-most bit first, by its `statusListIndex`.
///
/// [`Error::StatusRange`] where the list does not hold it whole, [`Error::StatusSize`] for other sizes.
pub fn status(bits: &[u8], index: u64, status_size: u32) -> Result<u64, Error> {
    if !(1..=64).contains(&status_size) {
        return Err(Error::StatusSize { bits: status_size });
    }
    let size = u64::from(status_size);
    let length = bits.len() as u64 * 8 / size;
    if index >= length {
        return Err(Error::StatusRange { index, length });
    }
    let places = index * size..(index + 1) * size;
    Ok(places.fold(0, |status, place| {
        let byte = bits[(place / 8) as usize];
        status << 1 | u64::from(byte >> (7 - place % 8) & 1)
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_left_most_bit_is_the_first() {
        // 1000_0001 0110_0000
        let bits = [0x81, 0x60];
        let set: Vec<_> = (0..16).filter(|&index| status(&bits, index, 1) == Ok(1)).collect();
        assert_eq!(set, [0, 7, 9, 10]);
        assert_eq!((status(&bits, 0, 3), status(&bits, 2, 3), status(&bits, 4, 3)), (Ok(4), Ok(2), Ok(0)));
        assert_eq!(status(&bits, 0, 16), Ok(0x8160));
    }

    #[test]
    fn beyond_the_end_nothing_is_said() {
        assert_eq!(status(&[0; 2], 16, 1), Err(Error::StatusRange { index: 16, length: 16 }));
        assert_eq!(status(&[0; 2], 5, 3), Err(Error::StatusRange { index: 5, length: 5 }));
        assert_eq!(status(&[0; 2], u64::MAX, 64), Err(Error::StatusRange { index: u64::MAX, length: 0 }));
        assert_eq!(status(&[0; 8], 0, 64), Ok(0));
        for bits in [0, 65] {
            assert_eq!(status(&[0; 99], 0, bits), Err(Error::StatusSize { bits }));
        }
    }

    #[test]
    fn each_form_is_read_by_its_own_name_only() {
        let text = encode(&[0x81, 0x60, 0xff]);
        assert_eq!(decode(&text, 3), Ok(vec![0x81, 0x60, 0xff]));
        assert_eq!(decode(&text[1..], 3), Err(Error::ListText));
        assert_eq!(decode_2021(&text[1..], 3), Ok(vec![0x81, 0x60, 0xff]));
        assert!(decode_2021(&text, 3).is_err());
        let padded =
            format!("{}{}", text[1..].replace('_', "/").replace('-', "+"), "=".repeat((5 - text.len() % 4) % 4));
        assert_eq!(decode_2021(&padded, 3), Ok(vec![0x81, 0x60, 0xff]));
        for wrong in ["", "u", "u!", "z6Mk", "u=", "uAAAA"] {
            assert!(decode(wrong, 100).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_same_bits_give_the_same_short_text() {
        let empty = encode(&[0; 16_384]);
        assert_eq!(empty, encode(&[0; 16_384]));
        // Ten bytes of header: no flags, no time, no name.
        assert!(empty.starts_with("uH4sIAAAAAAA") && empty.len() < 100, "{empty}");
    }

    proptest! {
        #[test]
        fn decode_inverts_encode(bits in prop::collection::vec(any::<u8>(), 0..3000)) {
            prop_assert_eq!(decode(&encode(&bits), bits.len()), Ok(bits));
        }
    }
}
