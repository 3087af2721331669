//! The document in which verifiers find an issuer's keys and accounts: the DID document of a did:web, or the controlled
//! identifier document at an https URL.

use serde::Deserialize;
use serde_json::{Value, json};
use testamur_core::{Address, ChainId, UnixSeconds, proof::parse_account};
use testamur_credentials::keys::Home;

use super::{Key, KeysError};

/// The context that has `blockchainAccountId`.
const ACCOUNTS: &str = "https://w3id.org/security/suites/secp256k1recovery-2020/v2";

/// An account of the issuer's on a chain, now or formerly. In a configuration file
/// `{ id = "eip155:1:0x…", revoked = "2027-01-31T12:00:00Z" }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Account {
    /// The chain.
    pub chain: ChainId,
    /// The account.
    pub address: Address,
    /// Since when somebody else may have it: what it anchored before stays the issuer's.
    pub revoked: Option<UnixSeconds>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    revoked: Option<String>,
}

impl TryFrom<Written> for Account {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let account = parse_account(&written.id).ok_or_else(|| format!("{} is not like eip155:1:0x…", written.id))?;
        let revoked = written.revoked.map(|text| text.parse().map_err(|_| format!("{text} is no time"))).transpose()?;
        Ok(Self { chain: account.0, address: account.1, revoked })
    }
}

impl Account {
    /// As CAIP-10 writes it: `eip155:1:0x…`.
    pub fn caip10(&self) -> String {
        format!("{}:{}", self.chain, self.address)
    }
}

/// The document of an issuer, which is to be served at [`document_url`]: all its keys and accounts, also those that it
/// does not use any more.
///
/// Keys are for assertions; accounts only are the issuer's. What is revoked says since when, and stays.
pub fn did_document(issuer: &str, keys: &[Key], accounts: &[Account]) -> Result<Value, KeysError> {
    document_url(issuer)?;
    let key = |key: &Key| {
        let spelled = json!({ "type": "Multikey", "publicKeyMultibase": key.name });
        method(issuer, &key.name, spelled, key.revoked)
    };
    let account = |account: &Account| {
        let spelled = json!({ "type": "EcdsaSecp256k1RecoveryMethod2020", "blockchainAccountId": account.caip10() });
        method(issuer, &account.caip10(), spelled, account.revoked)
    };
    let assertion_methods: Vec<_> = keys.iter().map(|key| format!("{issuer}#{}", key.name)).collect();
    let first =
        if issuer.starts_with("did:") { "https://www.w3.org/ns/did/v1" } else { "https://www.w3.org/ns/cid/v1" };
    let mut contexts = vec![first, "https://w3id.org/security/multikey/v1"];
    if !accounts.is_empty() {
        contexts.push(ACCOUNTS);
    }
    Ok(json!({
        "@context": contexts,
        "id": issuer,
        "verificationMethod": keys.iter().map(key).chain(accounts.iter().map(account)).collect::<Vec<_>>(),
        "assertionMethod": assertion_methods,
    }))
}

/// Where verifiers look for an issuer's document.
pub fn document_url(issuer: &str) -> Result<String, KeysError> {
    match Home::of(issuer) {
        Home::Document(url) => Ok(url),
        Home::Itself { .. } => Err(KeysError::NoDocument { issuer: issuer.to_owned() }),
        _ => Err(KeysError::NoHome { issuer: issuer.to_owned() }),
    }
}

fn method(issuer: &str, name: &str, spelled: Value, revoked: Option<UnixSeconds>) -> Value {
    let mut method = json!({ "id": format!("{issuer}#{name}"), "controller": issuer });
    let members = method.as_object_mut().expect("the literal above is an object");
    members.extend(spelled.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
    if let Some(since) = revoked {
        members.insert("revoked".to_owned(), json!(since.to_string()));
    }
    method
}
