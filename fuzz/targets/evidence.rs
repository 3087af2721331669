//! Any bytes are answered as evidence, and evidence that is read prints as the same bytes again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use testamur_core::evidence::{Checkpoints, Evidence};

fuzz_target!(|data: &[u8]| {
    if let Ok(evidence) = Evidence::parse(data) {
        let printed = evidence.to_bytes();
        let again = Evidence::parse(&printed).expect("what was printed is read");
        assert_eq!(again.to_bytes(), printed);
    }
    if let Some(checkpoints) = std::str::from_utf8(data).ok().and_then(|text| text.parse::<Checkpoints>().ok()) {
        assert_eq!(checkpoints.to_string().parse(), Ok(checkpoints));
    }
});
