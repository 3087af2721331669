//! Any header, proof or log that an endpoint answers with is answered in turn, and none is believed that does not hold.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use testamur_core::{
    BlockNumber, Purpose,
    evidence::{AccountProof, Header},
    keccak::keccak256,
    registry::{ADDRESS, events},
};

fuzz_target!(|data: &[u8]| {
    if let Ok(header) = Header::from_rlp(data) {
        assert_eq!((header.rlp(), header.block().hash), (data, keccak256(data)));
    }
    let _ = events::read_status_update(data);
    let Ok(answer) = serde_json::from_slice::<Value>(data) else { return };
    let header = Header::from_rpc(&answer);
    if let (Ok(proof), Ok(header)) = (AccountProof::from_rpc(&answer), header) {
        let _ = proof.check(&header, ADDRESS, &[]);
    }
    let _ = events::read_status_link(ADDRESS, ADDRESS, Purpose::REVOCATION, BlockNumber(1), &answer);
});
