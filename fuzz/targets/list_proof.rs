//! Any proof of a whole list is answered for any list.
#![no_main]

use libfuzzer_sys::fuzz_target;
use testamur_core::{
    ListNumber,
    status::{ListProof, StatusList},
};

fuzz_target!(|data: (u32, u16, &[u8])| {
    let (number, bit, proof) = data;
    let (Ok(number), Ok(proof)) = (ListNumber::new(number), serde_json::from_slice::<ListProof>(proof)) else {
        return;
    };
    let mut bits = vec![0; StatusList::BITS as usize / 8];
    bits[usize::from(bit) / 8] |= 0x80 >> (bit % 8);
    let root = proof.root(number, &StatusList::from_bytes(&bits).expect("of the right length"));
    if root.is_ok() {
        assert_eq!(proof.siblings.len(), proof.bitmap.count_ones() as usize);
        assert!(proof.bitmap < 1 << 23);
    }
});
