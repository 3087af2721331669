//! Any status proof is answered for any index.
#![no_main]

use libfuzzer_sys::fuzz_target;
use testamur_core::{StatusIndex, status::StatusProof};

fuzz_target!(|data: (u64, &[u8])| {
    let (Ok(index), Ok(proof)) = (StatusIndex::new(data.0), serde_json::from_slice::<StatusProof>(data.1)) else {
        return;
    };
    let _ = (proof.root(index), proof.bit(index));
});
