//! The `Registry` contract as alloy sees it: bindings, code and errors, from the committed artefact.
//!
//! alloy's types stay in this crate; what leaves it are core's.

use alloy::{
    primitives::{B256, keccak256},
    sol,
    sol_types::{Panic, Revert, SolError, SolInterface},
};
use testamur_core::{Address, Hash};

#[allow(missing_docs, clippy::too_many_arguments)]
mod bindings {
    super::sol!(
        #[sol(extra_derives(Debug))]
        Registry,
        "../contracts/artifacts/Registry.json"
    );
}

pub(crate) use bindings::Registry as abi;

/// alloy's form of an address.
pub(crate) fn to_alloy(address: Address) -> alloy::primitives::Address {
    alloy::primitives::Address(address.0.into())
}

/// Core's form of an address.
pub(crate) fn from_alloy(address: alloy::primitives::Address) -> Address {
    Address(address.0.0)
}

/// keccak-256 of bytes, as core's hash.
pub(crate) fn keccak(bytes: &[u8]) -> Hash {
    Hash(keccak256(bytes).0)
}

/// keccak-256 of the published runtime code: what `eth_getCode` must hash to.
pub(crate) fn code_hash() -> Hash {
    static HASH: std::sync::LazyLock<Hash> = std::sync::LazyLock::new(|| keccak(&abi::DEPLOYED_BYTECODE));
    *HASH
}

/// What a contract meant by the data of a revert.
pub(crate) fn explain(data: &[u8]) -> String {
    if let Ok(error) = abi::RegistryErrors::abi_decode(data) {
        return name(error);
    }
    if let Ok(revert) = Revert::abi_decode(data) {
        return printable(&revert.reason);
    }
    if let Ok(panic) = Panic::abi_decode(data) {
        return panic.to_string();
    }
    match data {
        [] => "without a reason".to_owned(),
        _ => format!("with unknown data {}", B256::right_padding_from(&data[..data.len().min(32)])),
    }
}

/// An error of the contract with its arguments by name.
fn name(error: abi::RegistryErrors) -> String {
    use abi::RegistryErrors as E;
    let address = from_alloy;
    match error {
        E::NotAuthorized(e) => format!(
            "NotAuthorized({} is neither the controller of {} nor an unexpired operator that may {})",
            address(e.who),
            address(e.issuer),
            crate::Roles(e.role)
        ),
        E::BadSignature(e) => {
            format!("BadSignature(not of {}, the controller of {})", address(e.controller), address(e.issuer))
        }
        E::Expired(e) => format!("Expired(deadline {})", e.deadline),
        E::EmptyBatch(e) => format!("EmptyBatch(issuer {}, root {})", address(e.issuer), e.root),
        E::AlreadyAnchored(e) => format!("AlreadyAnchored(issuer {}, root {})", address(e.issuer), e.root),
        E::NotAnchored(e) => format!("NotAnchored(issuer {}, root {})", address(e.issuer), e.root),
        E::AlreadyWithdrawn(e) => format!("AlreadyWithdrawn(issuer {}, root {})", address(e.issuer), e.root),
        E::WrongEpoch(e) => format!("WrongEpoch(expected {}, given {})", e.expected, e.given),
        E::UnknownRoles(e) => format!("UnknownRoles({})", e.roles),
        E::NotProposed(e) => {
            format!("NotProposed({} is not proposed as controller of {})", address(e.who), address(e.issuer))
        }
    }
}

/// A foreign text on one line, without control characters, and not endless.
pub(crate) fn printable(text: &str) -> String {
    const LONGEST: usize = 300;
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn artefact() -> Value {
        serde_json::from_str(include_str!("../../contracts/artifacts/Registry.json")).unwrap()
    }

    #[test]
    fn core_names_the_artefacts_address_and_code() {
        let artefact = artefact();
        assert_eq!(artefact["codeHash"], code_hash().to_string());
        assert_eq!(testamur_core::registry::CODE_HASH, code_hash());
        let address: Address = artefact["create2"]["address"].as_str().unwrap().parse().unwrap();
        assert_eq!(crate::deploy::registry_address(), address);
        assert_eq!(testamur_core::registry::ADDRESS, address);
    }

    #[test]
    fn core_names_the_artefacts_event() {
        use alloy::sol_types::SolEvent;
        let topics = testamur_core::registry::events::status_topics(Address([7; 20]), testamur_core::Purpose(1));
        assert_eq!(topics[0].0, abi::StatusUpdated::SIGNATURE_HASH.0);
        let event = abi::StatusUpdated {
            issuer: to_alloy(Address([7; 20])),
            purpose: 1,
            epoch: 2,
            root: [5; 32].into(),
            delta: vec![1, 2, 3].into(),
            previousBlock: 4,
        };
        let indexed = event.encode_topics_array::<3>();
        assert_eq!(topics.map(|topic| topic.0), indexed.map(|topic| topic.0.0));
        let (update, previous) = testamur_core::registry::events::read_status_update(&event.encode_data()).unwrap();
        assert_eq!((update.epoch, update.root, previous.0), (2, Hash([5; 32]), 4));
        assert_eq!(update.delta, [1, 2, 3]);
    }

    #[test]
    fn reverts_are_told_in_words() {
        let error = abi::WrongEpoch { expected: 4, given: 9 };
        assert_eq!(explain(&error.abi_encode()), "WrongEpoch(expected 4, given 9)");
        assert_eq!(explain(&Revert::from("no\nway").abi_encode()), "no way");
        assert!(explain(&Panic::from(0x11).abi_encode()).contains("overflow"));
        assert_eq!(explain(&[]), "without a reason");
        assert!(explain(&[0xab; 5]).contains("0xababababab"));
    }
}
