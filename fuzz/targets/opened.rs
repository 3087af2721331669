//! Any file is answered, tokens above all; a badge of 2.0 is always somebody's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use testamur_credentials::{Shelf, opened::open};

fuzz_target!(|data: &[u8]| {
    if let Ok(mut opened) = open(None, data, None) {
        opened.settle(&Shelf::default());
        assert!(opened.badge2.is_none() || opened.document.named_issuer().is_some());
    }
    _ = open(Some("file"), data, Some(data));
});
