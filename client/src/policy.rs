//! A verifier's policy as people write it: a TOML file, and the flags that add to it. What counts goes to
//! [`Policy`], which decides; whom to ask, and how, to [`Sources`].

use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, de};
use testamur_chain::quorum::Reading;
use testamur_core::{
    Address, ChainId,
    observation::Finality,
    policy::{Need, Policy, RecognisedIssuer},
};

use crate::{fetch::AllowedHost, identity::DnsServer, span};

/// A policy file as it is used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// What counts.
    pub policy: Policy,
    /// Whom to ask, and how.
    pub sources: Sources,
}

/// Whom to ask for what stands elsewhere. The default asks the public web, and no resolver for DNS records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sources {
    /// How many endpoints of a chain must agree. `None`: most of those given.
    pub quorum: Option<NonZeroUsize>,
    /// How the contract is read.
    pub reading: Reading,
    /// The resolver for DNS records.
    pub dns: Option<DnsServer>,
    /// Hosts that may be private, or asked without TLS.
    pub allow_hosts: Vec<AllowedHost>,
    /// Authorities for TLS beside the system's: a PEM file.
    pub authorities: Option<PathBuf>,
    /// Lists of recognised issuers: files or https URLs.
    pub lists: Vec<String>,
    /// Statements of issuers about their accounts: files, each with one token.
    pub statements: Vec<PathBuf>,
    /// Whether documents about issuers count that an archive of evidence brings along. Nothing proves them: they are
    /// worth as much as whoever packed it.
    pub accept_evidence: bool,
    /// JSON-LD contexts beside those that are carried, by URL.
    pub contexts: BTreeMap<String, PathBuf>,
}

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
    /// The same in other words: what an unknown status means, `unverifiable` or `accept`.
    unknown_status: Option<UnknownStatus>,
    /// Whether the issuer must be among those recognised: `required` or `optional`.
    recognised: Option<Need>,
    /// Whether an anchor must be there: `required` or `optional`.
    anchor: Option<Need>,
    /// Whether a signature of the issuer's must hold beside the anchor: `required` or `optional`.
    signature: Option<Need>,
    /// The greatest age of the newest block, such as `24h`.
    max_status_age: Option<Text<Seconds>>,
    /// The fewest statuses that a status list may hold.
    min_list_length: Option<u64>,
    /// How many endpoints of a chain must agree.
    quorum: Option<NonZeroUsize>,
    /// `auto`, `proof` or `agreement`.
    reading: Option<Text<Reading>>,
    /// The resolver for DNS records: `system`, an address, or a URL for DNS over HTTPS.
    dns: Option<Text<DnsServer>>,
    /// How issuers' documents are fetched, and how old they may be.
    #[serde(default)]
    identity: IdentityTable,
    /// Lists of recognised issuers: files or https URLs.
    #[serde(default)]
    lists: Vec<String>,
    /// Files with statements of issuers about their accounts.
    #[serde(default)]
    statements: Vec<PathBuf>,
    /// JSON-LD contexts beside those that are carried: URL = file.
    #[serde(default)]
    contexts: BTreeMap<String, PathBuf>,
    /// Organisations whose accounts are known.
    #[serde(default)]
    issuers: Vec<IssuerEntry>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct IdentityTable {
    /// The greatest age of what was seen of an issuer's identity, such as `30d`.
    max_age: Option<Text<Seconds>>,
    /// Hosts that may be private, or with `http://` before them, asked without TLS.
    allow_hosts: Vec<Text<AllowedHost>>,
    /// Authorities for TLS beside the system's: a PEM file.
    ca: Option<PathBuf>,
    /// Whether documents about issuers count that an archive of evidence brings along.
    accept_evidence: bool,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum UnknownStatus {
    Unverifiable,
    Accept,
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

/// Reads the part of a policy file's text that decides. The error shows the line, and what was expected there.
pub fn parse(toml: &str) -> Result<Policy, toml::de::Error> {
    Settings::parse(toml).map(|settings| settings.policy)
}

impl Settings {
    /// Reads a policy file. The files that it names stand beside it, unless it says otherwise.
    pub fn read(path: &Path) -> Result<Self, String> {
        let wrong = |error: String| format!("the policy {}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let settings = Self::parse(&text).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { sources: settings.sources.beside(path.parent().unwrap_or(Path::new(""))), ..settings })
    }

    /// Reads a policy file's text. The error shows the line, and what was expected there.
    pub fn parse(toml: &str) -> Result<Self, toml::de::Error> {
        let file: PolicyFile = toml::from_str(toml)?;
        Ok(Self { sources: file.sources(), policy: file.policy()? })
    }
}

impl PolicyFile {
    fn sources(&self) -> Sources {
        Sources {
            quorum: self.quorum,
            reading: self.reading.as_ref().map(|reading| reading.0).unwrap_or_default(),
            dns: self.dns.as_ref().map(|dns| dns.0.clone()),
            allow_hosts: self.identity.allow_hosts.iter().map(|host| host.0.clone()).collect(),
            authorities: self.identity.ca.clone(),
            lists: self.lists.clone(),
            statements: self.statements.clone(),
            accept_evidence: self.identity.accept_evidence,
            contexts: self.contexts.clone(),
        }
    }

    fn policy(self) -> Result<Policy, toml::de::Error> {
        let plain = |texts: Vec<Text<Address>>| texts.into_iter().map(|text| text.0).collect();
        let default = Policy::default();
        let issuer =
            |entry: IssuerEntry| RecognisedIssuer { id: entry.id, name: entry.name, accounts: plain(entry.accounts) };
        let status = match (self.status, self.unknown_status) {
            (Some(_), Some(_)) => {
                return Err(de::Error::custom("status and unknown_status say the same: write one of them"));
            }
            (need, None) => need,
            (None, Some(UnknownStatus::Unverifiable)) => Some(Need::Required),
            (None, Some(UnknownStatus::Accept)) => Some(Need::Optional),
        };
        Ok(Policy {
            chains: self.chains.map_or(default.chains, |chains| chains.into_iter().map(|text| text.0).collect()),
            registries: plain(self.registries),
            finality: self.finality.map_or(default.finality, |name| name.0.0),
            issuers: self.issuers.into_iter().map(issuer).collect(),
            issuer: self.issuer.unwrap_or(default.issuer),
            status: status.unwrap_or(default.status),
            recognised: self.recognised.unwrap_or(default.recognised),
            anchor: self.anchor.unwrap_or(default.anchor),
            signature: self.signature.unwrap_or(default.signature),
            max_status_age: self.max_status_age.map(|age| age.0.0).or(default.max_status_age),
            max_identity_age: self.identity.max_age.map(|age| age.0.0).or(default.max_identity_age),
            min_list_length: self.min_list_length.unwrap_or(default.min_list_length),
        })
    }
}

impl Sources {
    /// The same with its relative paths in this folder.
    fn beside(mut self, folder: &Path) -> Self {
        let lists = self.lists.iter_mut().filter(|list| !list.contains("://"));
        lists.for_each(|list| *list = folder.join(&*list).to_string_lossy().into_owned());
        let paths = self.statements.iter_mut().chain(self.contexts.values_mut()).chain(&mut self.authorities);
        paths.for_each(|path| *path = folder.join(&*path));
        self
    }
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
    fn whom_to_ask_stands_apart_from_what_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        let toml = "quorum = 2\nreading = 'proof'\ndns = '9.9.9.9'\nlists = ['mine.json', 'https://a.example/l.json']\n\
             unknown_status = 'accept'\nanchor = 'required'\nmin_list_length = 8\nstatements = ['s.jwt']\n\
             [identity]\nmax_age = '30d'\nallow_hosts = ['localhost:8443']\nca = 'ca.pem'\naccept_evidence = true\n\
             [contexts]\n'https://a.example/v1' = 'v1.json'";
        fs::write(&path, toml).unwrap();
        let Settings { policy, sources } = Settings::read(&path).unwrap();
        assert_eq!((policy.status, policy.anchor, policy.min_list_length), (Need::Optional, Need::Required, 8));
        assert_eq!(policy.max_identity_age, Some(30 * 86_400));
        assert_eq!((sources.quorum, sources.reading), (NonZeroUsize::new(2), Reading::Proof));
        assert_eq!(sources.dns, "9.9.9.9:53".parse().ok());
        assert_eq!(sources.lists[1], "https://a.example/l.json");
        assert_eq!(Path::new(&sources.lists[0]), folder.path().join("mine.json"));
        assert_eq!(sources.statements, [folder.path().join("s.jwt")]);
        assert!(sources.accept_evidence && !Sources::default().accept_evidence);
        assert_eq!(sources.authorities, Some(folder.path().join("ca.pem")));
        assert_eq!(sources.contexts["https://a.example/v1"], folder.path().join("v1.json"));
        assert_eq!(sources.allow_hosts, ["localhost:8443".parse().unwrap()]);
        assert_eq!(Settings::parse("").unwrap(), Settings::default());
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
            ("quorum = 0", "nonzero"),
            ("reading = 'guess'", "proof"),
            ("dns = 'dns.example'", "9.9.9.9"),
            ("identity = { allow_hosts = ['a/b'] }", "intranet.example"),
            ("identity = { alow_hosts = [] }", "unknown field `alow_hosts`"),
            ("unknown_status = 'valid'", "unverifiable"),
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
