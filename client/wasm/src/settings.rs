//! What a verification is to do, as the caller of the package says it.

use serde::{Deserialize, Deserializer, de};
use testamur_core::{UnixSeconds, evidence::Checkpoints, policy::Policy};
use testamur_credentials::{
    recognised::RecognisedList,
    ties::{Known, Listed},
};

use crate::look::Reading;

/// The options that decide something; URLs and everything else of the network stay with whoever fetches.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// The endpoints, as scheme and host.
    pub endpoints: Vec<String>,
    /// How many must agree; `None`: more than half.
    #[serde(default)]
    pub quorum: Option<usize>,
    /// How the contract may be read.
    #[serde(default)]
    pub reading: Reading,
    /// What is trusted and asked for.
    #[serde(default)]
    pub policy: Policy,
    /// The file's name.
    #[serde(default)]
    pub name: Option<String>,
    /// Trusted block hashes.
    #[serde(default, deserialize_with = "checkpoints")]
    pub checkpoints: Checkpoints,
    /// Lists of recognised issuers.
    #[serde(default)]
    lists: Vec<NamedList>,
    /// Statements of issuers about their accounts: compact tokens.
    #[serde(default)]
    statements: Vec<String>,
    /// How documents that the credential names are had.
    #[serde(default)]
    pub documents: Documents,
    /// Whether the documents about issuers that evidence holds count. Nothing proves them: whoever packed them may have
    /// written them.
    #[serde(default)]
    pub accept_documents: bool,
    /// The time.
    pub now: UnixSeconds,
}

/// How documents are had that stand elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Documents {
    /// Not at all.
    #[default]
    None,
    /// Whoever fetches asks their hosts.
    Fetched,
    /// The caller has a function that gets them, from wherever, DNS records as well.
    Given,
}

#[derive(Clone, Debug, Deserialize)]
struct NamedList {
    name: String,
    list: RecognisedList,
}

impl Settings {
    /// What the caller brings along about issuers.
    pub fn known(&self) -> Known {
        let listed = |named: &NamedList| Listed { name: named.name.clone(), list: Ok((named.list.clone(), self.now)) };
        Known::new(self.lists.iter().map(listed).collect(), self.statements.clone(), &self.policy)
    }
}

fn checkpoints<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Checkpoints, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}
