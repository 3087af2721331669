//! Any detached receipt is answered, and one that is read prints as one that reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use testamur_core::proof::AnchorProof;

fuzz_target!(|data: &[u8]| {
    if let Ok(proof) = AnchorProof::from_detached(data) {
        let printed = proof.to_detached().to_string();
        assert_eq!(AnchorProof::from_detached(printed.as_bytes()), Ok(proof));
    }
});
