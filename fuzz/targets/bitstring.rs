//! Any W3C status list is answered within the limit, and what is read is written so that it reads the same.
#![no_main]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use testamur_core::status::bitstring::{decode, decode_2021, encode, status};

const LIMIT: usize = 1 << 16;

fuzz_target!(|data: (u64, u32, &[u8])| {
    let (index, size, bytes) = data;
    let text = URL_SAFE_NO_PAD.encode(bytes);
    let raw = String::from_utf8_lossy(bytes);
    for decoded in [decode(&format!("u{text}"), LIMIT), decode(&raw, LIMIT), decode_2021(&raw, LIMIT)] {
        let Ok(bits) = decoded else { continue };
        assert!(bits.len() <= LIMIT);
        assert_eq!(decode(&encode(&bits), LIMIT).as_ref(), Ok(&bits));
        let _ = (status(&bits, index, size), status(&bits, index % (1 << 20), size % 70));
    }
});
