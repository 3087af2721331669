//! Any IETF status list is answered within the limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use testamur_core::status::{
    StatusList,
    token::{decode, encode, status},
};

const LIMIT: usize = 1 << 16;

fuzz_target!(|data: (u64, u8, &[u8])| {
    let (index, bits, compressed) = data;
    let Ok(bytes) = decode(compressed, bits.into(), LIMIT) else { return };
    assert!(bytes.len() <= LIMIT);
    let found = status(&bytes, bits.into(), index);
    assert_eq!(found.is_ok(), index < bytes.len() as u64 * 8 / u64::from(bits));
    let mut list = bytes;
    list.resize(StatusList::BITS as usize / 8, 0);
    let ours = StatusList::from_bytes(&list).expect("of the right length");
    assert!(decode(&encode(&ours), 1, list.len()).is_ok());
});
