//! Lists of recognised issuers, which a verifier chooses to trust: from a file of its own, or from somebody whose word
//! it takes. Two shapes are read.
//!
//! Ours says whose which account is:
//!
//! ```json
//! { "version": 1, "name": "Universities of Exampleland",
//!   "issuers": [ { "id": "did:web:example.edu", "name": "Example University",
//!                  "accounts": ["eip155:1:0x70997970c51812dc3a010c7d01b50e0d17dc79c8"] } ] }
//! ```
//!
//! An account without its chain (`0x…`) is meant on every chain that the policy accepts. An issuer without accounts is
//! recognised by its name: whose account it is, its own document tells.
//!
//! The other is the registry of the Digital Credentials Consortium, `{ "meta": {}, "registry": { DID: { "name": … } } }`,
//! which knows no accounts.

use std::{collections::BTreeMap, str::FromStr};

use serde::{Deserialize, Deserializer, de};
use testamur_core::{Address, ChainId, json};

/// A list of recognised issuers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Shapes")]
pub struct RecognisedList {
    /// What the list calls itself.
    pub name: Option<String>,
    /// Those whom it recognises.
    pub issuers: Vec<Entry>,
}

/// An issuer on such a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// What credentials call it: a DID or a URL.
    pub id: String,
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
    /// Its accounts.
    #[serde(default)]
    pub accounts: Vec<Account>,
}

/// An account, on one chain or on all: `eip155:1:0x…` (CAIP-10) or `0x…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// `None`: on every chain.
    pub chain: Option<ChainId>,
    /// The account.
    pub address: Address,
}

impl Account {
    /// Whether this is meant where the anchor is.
    pub fn is_on(&self, chain: ChainId) -> bool {
        self.chain.is_none_or(|own| own == chain)
    }
}

impl FromStr for Account {
    type Err = testamur_core::Error;

    /// Also `0x…@eip155:1`, as CAIP-10 was written until 2021, and DID documents still are.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (chain, address) = match text.split_once('@') {
            Some((address, chain)) => (Some(chain), address),
            None => match text.rsplit_once(':') {
                Some((chain, address)) => (Some(chain), address),
                None => (None, text),
            },
        };
        Ok(Self { chain: chain.map(str::parse).transpose()?, address: address.parse()? })
    }
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Shapes {
    Ours {
        #[allow(dead_code)] // only a list of this version is read
        version: One,
        #[serde(default)]
        name: Option<String>,
        issuers: Vec<Entry>,
    },
    Consortium {
        registry: BTreeMap<String, Described>,
    },
}

/// The number 1.
#[derive(Deserialize)]
#[serde(try_from = "u64")]
struct One;

impl TryFrom<u64> for One {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        if number == 1 { Ok(Self) } else { Err("another version") }
    }
}

#[derive(Deserialize)]
struct Described {
    #[serde(default)]
    name: Option<String>,
}

impl From<Shapes> for RecognisedList {
    fn from(shapes: Shapes) -> Self {
        match shapes {
            Shapes::Ours { name, issuers, .. } => Self { name, issuers },
            Shapes::Consortium { registry } => {
                let entry = |(id, described): (_, Described)| Entry { id, name: described.name, accounts: Vec::new() };
                Self { name: None, issuers: registry.into_iter().map(entry).collect() }
            }
        }
    }
}

impl RecognisedList {
    /// Reads a list. The error says what is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value = json::parse(bytes).map_err(|error| error.to_string())?;
        let wrong =
            "it is no list of recognised issuers of version 1: each issuer has an id, and accounts like eip155:1:0x…";
        serde_json::from_value(value).map_err(|_| wrong.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

    #[test]
    fn an_account_is_written_in_three_ways() {
        let read = |text: &str| text.parse::<Account>().map(|account| account.chain.map(|chain| chain.0));
        assert_eq!(read(&format!("eip155:1:{ADDRESS}")), Ok(Some(1)));
        assert_eq!(read(&format!("{ADDRESS}@eip155:10")), Ok(Some(10)));
        assert_eq!(read(ADDRESS), Ok(None));
        for wrong in ["", "eip155:1", "eip155:1:0x12", "eip155:01:", "solana:1:0x", "0x@"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(read(&format!("eip155:x:{ADDRESS}")).is_err());
    }

    #[test]
    fn both_shapes_are_read_and_nothing_else() {
        let ours = format!(
            r#"{{"version":1,"name":"L","issuers":[{{"id":"did:web:a.edu","accounts":["{ADDRESS}"]}}],"x":1}}"#
        );
        let list = RecognisedList::parse(ours.as_bytes()).unwrap();
        assert_eq!((list.name.as_deref(), list.issuers[0].accounts.len()), (Some("L"), 1));
        let theirs =
            RecognisedList::parse(br#"{"meta":{},"registry":{"did:key:z6Mk":{"name":"A College","url":"x"}}}"#)
                .unwrap();
        assert_eq!(
            (theirs.issuers[0].id.as_str(), theirs.issuers[0].name.as_deref()),
            ("did:key:z6Mk", Some("A College"))
        );
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"version":2,"issuers":[]}"#,
            r#"{"version":1,"issuers":[{"name":"x"}]}"#,
            r#"{"issuers":[]}"#,
        ] {
            assert!(RecognisedList::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
