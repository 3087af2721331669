//! A header and proofs of Ethereum itself: block 21,925,176 and the deposit contract in it.

#![allow(clippy::unwrap_used)]

use std::fs;

use serde_json::{Value, json};
use testamur_core::{
    Address, Hash,
    evidence::{AccountProof, Header, ProofError, Proven},
};
use testamur_tests::corpora;

struct Case {
    block: Value,
    proof: Value,
}

impl Case {
    fn load(test: &str) -> Option<Self> {
        let folder = corpora::folder("ethereum", test)?.join("helios");
        let read = |name: &str| serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap();
        Some(Self { block: read("block.json"), proof: read("proof.json") })
    }

    fn header(&self) -> Header {
        Header::from_rpc(&self.block).unwrap()
    }

    fn address(&self) -> Address {
        self.proof["address"].as_str().unwrap().parse().unwrap()
    }

    fn slots(&self) -> Vec<Hash> {
        let keys = self.proof["storageProof"].as_array().unwrap().iter().map(|proof| proof["key"].as_str().unwrap());
        keys.map(|key| format!("{:0>64}", key.trim_start_matches("0x")).parse().unwrap()).collect()
    }

    fn check(&self, proof: &Value) -> Result<Proven, ProofError> {
        AccountProof::from_rpc(proof)?.check(&self.header(), self.address(), &self.slots())
    }
}

#[test]
fn a_header_and_proofs_of_ethereum_hold() {
    let Some(case) = Case::load("a_header_and_proofs_of_ethereum_hold") else { return };
    let header = case.header();
    assert_eq!(header.block().hash.to_string(), case.block["hash"].as_str().unwrap());
    assert_eq!(header.state_root().to_string(), case.block["stateRoot"].as_str().unwrap());
    assert_eq!(Header::from_rlp(header.rlp()), Ok(header.clone()));
    let proven = case.check(&case.proof).unwrap();
    assert_eq!(proven.block(), header.block());
    assert_eq!(proven.code_hash().unwrap().to_string(), case.proof["codeHash"].as_str().unwrap());
    for (slot, proof) in case.slots().into_iter().zip(case.proof["storageProof"].as_array().unwrap()) {
        assert_eq!(proven.slot(slot).unwrap().to_string(), proof["value"].as_str().unwrap());
    }
}

/// Every byte of a text of hex, with its lowest bit flipped.
fn flipped(text: &str) -> impl Iterator<Item = String> {
    (2..text.len()).step_by(2).map(|at| {
        let byte = u8::from_str_radix(&text[at..at + 2], 16).unwrap() ^ 1;
        format!("{}{byte:02x}{}", &text[..at], &text[at + 2..])
    })
}

#[test]
fn any_byte_of_a_header_that_is_another_gives_another_block() {
    let Some(case) = Case::load("any_byte_of_a_header_that_is_another_gives_another_block") else { return };
    let header = case.header();
    for text in flipped(&format!("0x{}", hex::encode(header.rlp()))) {
        let changed = Header::from_rlp(&hex::decode(&text[2..]).unwrap());
        assert!(changed.is_err() || changed.unwrap().block().hash != header.block().hash, "{text}");
    }
    for (name, value) in case.block.as_object().unwrap() {
        if ["size", "totalDifficulty"].contains(&name.as_str()) || !value.is_string() {
            continue; // no part of a header
        }
        let mut text = value.as_str().unwrap().to_owned();
        let last = if text.pop() == Some('0') { '1' } else { '0' };
        let mut block = case.block.clone();
        block[name] = json!(format!("{text}{last}"));
        assert!(Header::from_rpc(&block).is_err(), "{name}");
    }
}

#[test]
fn any_byte_of_a_proof_that_is_another_breaks_it() {
    let Some(case) = Case::load("any_byte_of_a_proof_that_is_another_breaks_it") else { return };
    let mut paths = vec!["/codeHash".to_owned(), "/storageProof/0/value".to_owned(), "/storageProof/0/key".to_owned()];
    for list in ["/accountProof", "/storageProof/0/proof"] {
        let count = case.proof.pointer(list).unwrap().as_array().unwrap().len();
        paths.extend((0..count).map(|at| format!("{list}/{at}")));
    }
    let mut flips = 0;
    for path in paths {
        for changed in flipped(case.proof.pointer(&path).unwrap().as_str().unwrap()) {
            let mut proof = case.proof.clone();
            *proof.pointer_mut(&path).unwrap() = json!(changed);
            assert!(case.check(&proof).is_err(), "{path}: {changed}");
            flips += 1;
        }
    }
    assert!(flips > 4000, "{flips}");
}
