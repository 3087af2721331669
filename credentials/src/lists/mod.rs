//! Other people's status lists: every entry of `credentialStatus`, and a token's `status`.
//!
//! A list that cannot be believed (its signature, its kind, its dates) says nothing: neither *clear* nor *set*. A list
//! may be signed by another than the credential's issuer, because the issuer chose its URL; then the entry says by whom.
//!
//! `ttl` is advice to caches and decides nothing here: how old is too old, the policy says (`max_status_age`).

mod belief;
mod bitstring;
mod names;
mod token;

use serde_json::{Map, Value};
use testamur_core::{
    Address, StatusIndex, UnixSeconds,
    checked::{ListEntry, ListGap, ListOutcome, Missing},
    policy::Policy,
    status::{entries, own_index},
};

use crate::{Have, Supplied, Supplies};

/// The longest list that is inflated, in bytes: 134 million one-bit statuses.
const MAX_LIST: usize = 16 << 20;

/// What a list is read with.
#[derive(Clone, Copy)]
struct Reader<'a> {
    supplies: &'a dyn Supplies,
    policy: &'a Policy,
    now: UnixSeconds,
    /// The issuer that the credential names.
    issuer: Option<&'a str>,
}

/// What an entry says, and who vouches for it.
struct Found {
    purpose: String,
    list: String,
    signer: Option<String>,
    outcome: Result<ListOutcome, ListGap>,
}

/// Looks up every status entry of a credential, in their order.
///
/// Entries that `own` (the account and index of the anchor) answers from the chain are left out.
pub fn check_entries(
    credential: &Map<String, Value>,
    token_status: Option<&Value>,
    own: Option<(Address, StatusIndex)>,
    supplies: &dyn Supplies,
    policy: &Policy,
    now: UnixSeconds,
) -> Vec<ListEntry> {
    let reader = Reader { supplies, policy, now, issuer: issuer_of(credential) };
    let is_own = |entry: &&Value| own.is_some_and(|(account, index)| own_index(entry, account) == Some(index));
    let others = entries(credential).iter().filter(|entry| !is_own(entry));
    let found =
        others.map(|entry| reader.look_up(entry, credential)).chain(token_status.map(|status| reader.token(status)));
    found.map(Found::into_entry).collect()
}

impl Reader<'_> {
    fn look_up(self, entry: &Value, credential: &Map<String, Value>) -> Found {
        let kind = entry.get("type").map(|kind| kind.as_str().map_or_else(|| kind.to_string(), str::to_owned));
        match kind.as_deref() {
            Some("BitstringStatusListEntry") => self.bitstring(entry, &bitstring::BITSTRING),
            Some("StatusList2021Entry") => self.bitstring(entry, &bitstring::LIST_2021),
            Some("RevocationList2020Status") => self.bitstring(entry, &bitstring::LIST_2020),
            Some("1EdTechRevocationList") => self.names(entry, credential),
            other => {
                let kind = other.unwrap_or("none").to_owned();
                let list = entry.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
                Found { purpose: "status".to_owned(), list, signer: None, outcome: Err(ListGap::Kind { kind }) }
            }
        }
    }

    /// The signer of a list, where it is worth telling.
    fn other(self, signer: Option<&str>) -> Option<String> {
        signer.filter(|signer| self.issuer != Some(signer)).map(str::to_owned)
    }

    /// The list at a URL, if the policy lets its age pass.
    fn fetch(self, url: &str) -> Result<Supplied, ListGap> {
        let supplied = ask(self.supplies, url).map_err(ListGap::Missing)?;
        fresh(supplied.as_of, self.policy, self.now).map(|()| supplied)
    }
}

impl Found {
    fn into_entry(self) -> ListEntry {
        let Self { purpose, list, signer, outcome } = self;
        ListEntry { purpose, list, signer, outcome: outcome.unwrap_or_else(ListOutcome::Unknown) }
    }
}

/// The issuer that a credential names.
fn issuer_of(credential: &Map<String, Value>) -> Option<&str> {
    let issuer = credential.get("issuer")?;
    issuer.as_str().or_else(|| issuer.get("id")?.as_str())
}

/// A document, or why there is none.
pub(crate) fn ask(supplies: &dyn Supplies, url: &str) -> Result<Supplied, Missing> {
    match supplies.document(url) {
        Have::Yes(document) => Ok(document),
        Have::No(missing) => Err(missing),
        Have::NotYet => Err(Missing::NotAsked { what: url.to_owned() }),
    }
}

/// Whether what was seen then still counts.
pub(crate) fn fresh(as_of: UnixSeconds, policy: &Policy, now: UnixSeconds) -> Result<(), ListGap> {
    let age = now.0.saturating_sub(as_of.0);
    match policy.max_status_age {
        Some(allowed) if age > allowed => Err(ListGap::TooOld { age, allowed }),
        _ => Ok(()),
    }
}

fn mismatch(reason: impl Into<String>) -> ListGap {
    ListGap::Mismatch { reason: reason.into() }
}

/// What a list holds at an index, as an outcome. A set status counts in a list that is too short to hide anybody in;
/// a clear one does not.
fn told(is_set: bool, as_of: UnixSeconds, length: Result<(), testamur_core::Error>) -> Result<ListOutcome, ListGap> {
    match length {
        _ if is_set => Ok(ListOutcome::Set { as_of }),
        Ok(()) => Ok(ListOutcome::Clear { as_of }),
        Err(testamur_core::Error::ListTooShort { found, needed }) => Err(ListGap::TooShort { found, needed }),
        Err(error) => Err(mismatch(error.to_string())),
    }
}
