//! A delta has one encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use testamur_core::status::delta::{decode, encode};

fuzz_target!(|data: &[u8]| {
    if let Ok(indices) = decode(data) {
        assert_eq!(encode(&indices).as_deref(), Some(data));
    }
});
