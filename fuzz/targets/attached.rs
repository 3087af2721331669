//! Any PDF is answered, and what is found in it stands in it or is inflated out of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use testamur_credentials::{attached::credential, baked::MAX_TEXT};

fuzz_target!(|data: &[u8]| {
    let pdf = [b"%PDF-1.7\n", data].concat();
    if let Ok(Some(text)) = credential(&pdf) {
        assert!(text.len() <= MAX_TEXT);
        // Alone in a file, it is found again.
        let alone = [b"%PDF-1.7\n1 0 obj <</Type/EmbeddedFile>> stream\n", &text[..], b"endstream"].concat();
        assert!(text.windows(9).any(|end| end == b"endstream") || credential(&alone) == Ok(Some(text)));
    }
});
