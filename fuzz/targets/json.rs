//! A canonical form is read again as the same value, and is its own canonical form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use testamur_core::json::{canonical, parse};

fuzz_target!(|data: &[u8]| {
    if let Ok(value) = parse(data) {
        let once = canonical(&value);
        let again = parse(&once).expect("a canonical form is JSON");
        assert_eq!(canonical(&again), once);
    }
});
