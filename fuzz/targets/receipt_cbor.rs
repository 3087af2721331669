//! A receipt has one CBOR encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use testamur_core::Receipt;

fuzz_target!(|data: &[u8]| {
    if let Ok(receipt) = Receipt::from_cbor(data) {
        assert_eq!(receipt.to_cbor(), data);
    }
});
