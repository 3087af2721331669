//! What reads as a digest, hash, address, chain, time or account prints as a text that reads the same.
#![no_main]

use std::{fmt::Display, str::FromStr};

use libfuzzer_sys::fuzz_target;
use testamur_core::{Address, ChainId, Digest, Hash, UnixSeconds, proof};

fn check<T: FromStr + Display + PartialEq + std::fmt::Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string().parse().ok(), Some(value));
    }
}

fuzz_target!(|text: &str| {
    check::<Digest>(text);
    check::<Hash>(text);
    check::<Address>(text);
    check::<ChainId>(text);
    check::<UnixSeconds>(text);
    if let Some((chain, account)) = proof::parse_account_did(text) {
        assert_eq!(proof::parse_account_did(&proof::account_did(chain, account)), Some((chain, account)));
    }
});
