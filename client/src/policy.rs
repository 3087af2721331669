//! A verifier's policy as people write it: a TOML file, and the flags that add to it.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};
use testamur_core::{
    Address, ChainId,
    observation::Finality,
    policy::{Need, Policy, RecognisedIssuer},
};

use crate::span;

/// The policy file. What is left out is as in [`Policy::default`]; unknown keys are refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    /// Chains whose anchors count, as CAIP-2, in place of the default ones.
    chains: Option<Vec<Text<ChainId>>>,
    /// Registries that count beside the published address.
    #[serde(default)]
    registries: Vec<Text<Address>>,
    /// `included`, `safe` or `final`.
    finality: Option<Text<FinalityName>>,
    /// Whether the account must be tied to the named issuer: `required` or `optional`.
    issuer: Option<Need>,
    /// Whether the status must be known: `required` or `optional`.
    status: Option<Need>,
    /// Whether other signatures must be checked: `required` or `optional`.
    signature: Option<Need>,
    /// The greatest age of the newest block, such as `24h`.
    max_status_age: Option<Text<Seconds>>,
    /// Organisations whose accounts are known.
    #[serde(default)]
    issuers: Vec<IssuerEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerEntry {
    /// What credentials call it: a DID or a URL. Left out: it is known for files only.
    id: Option<String>,
    /// What people call it.
    name: Option<String>,
    /// Its accounts.
    accounts: Vec<Text<Address>>,
}

/// A value that is written as text.
struct Text<T>(T);

impl<'de, T: FromStr<Err: std::fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(de::Error::custom)
    }
}

/// How settled an anchor must be, by the name that people give it.
#[derive(Clone, Copy, Debug)]
pub struct FinalityName(pub Finality);

impl FromStr for FinalityName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "included" => Ok(Self(Finality::Included)),
            "safe" => Ok(Self(Finality::Safe)),
            "final" | "finalized" => Ok(Self(Finality::Finalized)),
            _ => Err("finality is included, safe or final"),
        }
    }
}

struct Seconds(u64);

impl FromStr for Seconds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        span::seconds(text).map(Self).ok_or("a span is written like 15m, 24h or 90d")
    }
}

/// Reads a policy file's text. The error shows the line, and what was expected there.
pub fn parse(toml: &str) -> Result<Policy, toml::de::Error> {
    let file: PolicyFile = toml::from_str(toml)?;
    let plain = |texts: Vec<Text<Address>>| texts.into_iter().map(|text| text.0).collect();
    let default = Policy::default();
    let issuer =
        |entry: IssuerEntry| RecognisedIssuer { id: entry.id, name: entry.name, accounts: plain(entry.accounts) };
    Ok(Policy {
        chains: file.chains.map_or(default.chains, |chains| chains.into_iter().map(|text| text.0).collect()),
        registries: plain(file.registries),
        finality: file.finality.map_or(default.finality, |name| name.0.0),
        issuers: file.issuers.into_iter().map(issuer).collect(),
        issuer: file.issuer.unwrap_or(default.issuer),
        status: file.status.unwrap_or(default.status),
        signature: file.signature.unwrap_or(default.signature),
        max_status_age: file.max_status_age.map(|age| age.0.0).or(default.max_status_age),
        ..default
    })
}

/// A recognised issuer on one line: `did:web:example.edu=0x…`, or for files `0x…` or `0x…=Name`.
#[derive(Clone, Debug)]
pub struct Trust(pub RecognisedIssuer);

impl FromStr for Trust {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (left, right) = text.rsplit_once('=').unwrap_or((text, ""));
        let entry = |id: Option<&str>, name: &str, account| RecognisedIssuer {
            id: id.map(str::to_owned),
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            accounts: vec![account],
        };
        match (left.parse(), right.parse()) {
            (Ok(account), _) => Ok(Self(entry(None, right, account))),
            (_, Ok(account)) => Ok(Self(entry(Some(left), "", account))),
            _ => Err("write it as ID=0x…, 0x… or 0x…=Name, with an account of 40 hex digits".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

    #[test]
    fn a_file_says_what_differs_from_the_default() {
        assert_eq!(parse("").unwrap(), Policy::default());
        let policy = parse(&format!(
            "chains = ['eip155:31337']\nfinality = 'safe'\nstatus = 'optional'\nmax_status_age = '1h'\n\
             [[issuers]]\nid = 'did:web:example.edu'\naccounts = ['{ACCOUNT}']"
        ))
        .unwrap();
        assert_eq!(policy.chains, [ChainId(31337)]);
        assert_eq!(
            (policy.finality, policy.status, policy.max_status_age),
            (Finality::Safe, Need::Optional, Some(3600))
        );
        assert_eq!(policy.issuers[0].accounts[0].to_string(), ACCOUNT.to_lowercase());
    }

    #[test]
    fn what_it_does_not_know_is_refused_with_the_place() {
        for (toml, told) in [
            ("finalty = 'safe'", "unknown field `finalty`"),
            ("[[issuers]]\naccounts = []\nnme = 'x'", "unknown field `nme`"),
            ("chains = ['1']", "eip155:<number>"),
            ("finality = 'soon'", "included, safe or final"),
            ("max_status_age = 'x'", "24h"),
            ("registries = ['0x12']", "40 hex digits"),
        ] {
            let error = parse(toml).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("line"), "{error}");
        }
    }

    #[test]
    fn trust_fits_on_a_line() {
        let read = |text: &str| text.parse::<Trust>().map(|trust| (trust.0.id, trust.0.name));
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(read(&format!("did:web:example.edu={ACCOUNT}")), Ok((text("did:web:example.edu"), None)));
        assert_eq!(read(&format!("https://example.edu/?a=b={ACCOUNT}")), Ok((text("https://example.edu/?a=b"), None)));
        assert_eq!(read(ACCOUNT), Ok((None, None)));
        assert_eq!(read(&format!("{ACCOUNT}=Example University")), Ok((None, text("Example University"))));
        assert!(read("did:web:example.edu").is_err() && read("did:web:example.edu=0x12").is_err());
    }
}
