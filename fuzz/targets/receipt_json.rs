//! A receipt that is read prints as one that reads the same, in JSON and in CBOR.
#![no_main]

use libfuzzer_sys::fuzz_target;
use testamur_core::Receipt;

fuzz_target!(|data: &[u8]| {
    if let Ok(receipt) = serde_json::from_slice::<Receipt>(data) {
        let printed = serde_json::to_vec(&receipt).expect("serialises");
        assert_eq!(serde_json::from_slice::<Receipt>(&printed).ok().as_ref(), Some(&receipt));
        if receipt.check_shape().is_ok() {
            assert_eq!(Receipt::from_cbor(&receipt.to_cbor()), Ok(receipt));
        }
    }
});
