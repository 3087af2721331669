//! The key of a signature, and whose it is.
//!
//! The two are told apart: a signature is checked with whatever key it names or spells, so that a changed document is
//! *false* even where its issuer's host is down; whether the key is the issuer's may remain unknown.

use testamur_core::checked::{KeyOwner, Missing, SignatureFault, SignatureGap, SignatureOutcome};

use super::{Algorithm, Home, KeyDocument, KeyFault, Listed, PublicKey, parse_multikey};
use crate::Supplies;

/// A key that was found, and what follows if the signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The key.
    pub key: PublicKey,
    /// Whose it is, or why nobody may sign for the issuer with it.
    pub standing: Result<KeyOwner, SignatureFault>,
}

/// Why there is no key to check with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// The method is false.
    Fault(SignatureFault),
    /// It could not be told.
    Gap(SignatureGap),
    /// There is a key that cannot be used.
    Key {
        /// Why not.
        fault: KeyFault,
        /// Its name.
        name: String,
    },
}

impl Unresolved {
    /// What follows for a signature made with this algorithm, in a suite of this name.
    pub fn outcome(self, suite: &str, algorithm: Algorithm) -> SignatureOutcome {
        match self {
            Self::Fault(fault) => SignatureOutcome::Fails(fault),
            Self::Gap(gap) => SignatureOutcome::Unknown(gap),
            Self::Key { fault, name } => fault.outcome(suite, algorithm, &name),
        }
    }
}

impl Resolved {
    /// What comes of a signature over a message, by this key.
    pub fn check(self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> SignatureOutcome {
        match self.key.check(algorithm, message, signature).and(self.standing) {
            Ok(owner) => SignatureOutcome::Holds(owner),
            Err(fault) => SignatureOutcome::Fails(fault),
        }
    }
}

/// Finds the key of a verification method (an absolute DID URL, DID or URL), and whether it is the named issuer's.
pub fn resolve(method: &str, named: Option<&str>, supplies: &dyn Supplies) -> Result<Resolved, Unresolved> {
    let (owner, fragment) = match method.split_once('#') {
        Some((owner, fragment)) => (owner, Some(fragment)),
        None => (method, None),
    };
    let asked = Asked { method, owner, named, supplies };
    match Home::of(owner) {
        Home::Itself { fragment: own, .. } if fragment.is_some_and(|fragment| fragment != own) => {
            Err(Unresolved::Fault(asked.not_listed()))
        }
        Home::Itself { key, .. } => {
            let key = key.map_err(|fault| asked.unusable(fault))?;
            let standing = asked.standing(&key, KeyOwner::Issuer { as_of: None, until: None });
            Ok(Resolved { key, standing })
        }
        Home::Document(url) => asked.in_document(&url, fragment.is_some()),
        Home::Account => Err(Unresolved::Gap(SignatureGap::Suite { suite: format!("a signature by {owner}") })),
        Home::Method(name) => Err(Unresolved::Gap(SignatureGap::Missing(method_not_carried(&name)))),
        Home::Nowhere => asked.spelled_or(not_followed(owner)),
        Home::Malformed => Err(Unresolved::Fault(SignatureFault::Malformed { what: owner.to_owned() })),
    }
}

/// A verification method, and for whom it is to speak.
struct Asked<'a> {
    method: &'a str,
    /// The method without its fragment.
    owner: &'a str,
    named: Option<&'a str>,
    supplies: &'a dyn Supplies,
}

impl Asked<'_> {
    fn in_document(&self, url: &str, has_fragment: bool) -> Result<Resolved, Unresolved> {
        let document = match KeyDocument::get(self.owner, url, self.supplies) {
            Ok(document) => document,
            Err(missing) => return self.spelled_or(missing),
        };
        match document.find(self.method) {
            Some(listed) => {
                let key = listed.key().map_err(|fault| self.unusable(fault))?;
                let owned = KeyOwner::Issuer { as_of: Some(document.as_of), until: listed.until() };
                // Where the key says that it is the issuer's, the issuer is asked.
                let standing = match foreign_controller(listed, self.owner, self.named) {
                    Some(fault) if listed.controller() != self.named => Err(fault),
                    _ => self.standing(&key, owned),
                };
                Ok(Resolved { key, standing })
            }
            None if !has_fragment => Err(Unresolved::Gap(SignatureGap::NoKey)),
            None if is_silent(&document, self.owner) => self.spelled_or(no_keys(url)),
            None => match spelled(self.method) {
                Some(key) => Ok(Resolved { key, standing: Err(self.not_listed()) }),
                None => Err(Unresolved::Fault(self.not_listed())),
            },
        }
    }

    /// The key that the method spells, where the document that should list it is missing. It cannot become the issuer's
    /// by that; but an issuer of another name may disown it.
    fn spelled_or(&self, missing: Missing) -> Result<Resolved, Unresolved> {
        let Some(key) = spelled(self.method) else { return Err(Unresolved::Gap(SignatureGap::Missing(missing))) };
        let standing = self.standing(&key, KeyOwner::Unproven(missing));
        Ok(Resolved { key, standing })
    }

    /// Whose a key is: the one's whose document or name it is in, or somebody else's who acknowledges it.
    fn standing(&self, key: &PublicKey, own: KeyOwner) -> Result<KeyOwner, SignatureFault> {
        if self.named == Some(self.owner) {
            return Ok(own);
        }
        let asked = ask_issuer(key, self.method, self.owner, self.named, self.supplies)?;
        Ok(match (asked, own) {
            // A key ends when either document says so.
            (KeyOwner::Issuer { as_of, until }, KeyOwner::Issuer { until: own, .. }) => {
                KeyOwner::Issuer { as_of, until: [until, own].into_iter().flatten().min() }
            }
            (KeyOwner::Untied { .. }, unproven @ KeyOwner::Unproven(_)) => unproven,
            (asked, _) => asked,
        })
    }

    fn not_listed(&self) -> SignatureFault {
        SignatureFault::NotListed { document: self.owner.to_owned(), key: self.method.to_owned() }
    }

    fn unusable(&self, fault: KeyFault) -> Unresolved {
        Unresolved::Key { fault, name: self.method.to_owned() }
    }
}

/// The one key of the named issuer that goes with an algorithm: for tokens that name no key.
pub fn only_key(named: &str, algorithm: Algorithm, supplies: &dyn Supplies) -> Result<Resolved, Unresolved> {
    let gap = |missing| Err(Unresolved::Gap(SignatureGap::Missing(missing)));
    let url = match Home::of(named) {
        Home::Document(url) => url,
        Home::Method(name) => return gap(method_not_carried(&name)),
        Home::Nowhere | Home::Malformed => return Err(Unresolved::Gap(SignatureGap::NoKey)),
        Home::Itself { .. } | Home::Account => return resolve(named, Some(named), supplies),
    };
    let document = match KeyDocument::get(named, &url, supplies) {
        Err(missing) => return gap(missing),
        Ok(document) if is_silent(&document, named) => return gap(no_keys(&url)),
        Ok(document) => document,
    };
    let is_own = |listed: &&Listed| foreign_controller(listed, named, None).is_none();
    let keys = document.listed.iter().filter(is_own).filter_map(|listed| Some((listed, listed.key().ok()?)));
    let mut fitting = keys.filter(|(_, key)| key.algorithm() == algorithm);
    match (fitting.next(), fitting.next()) {
        (Some((listed, key)), None) => {
            let standing = Ok(KeyOwner::Issuer { as_of: Some(document.as_of), until: listed.until() });
            Ok(Resolved { key, standing })
        }
        (Some(_), Some(_)) => Err(Unresolved::Gap(SignatureGap::NoKey)),
        (None, _) => {
            let key = format!("for {}", algorithm.name());
            Err(Unresolved::Fault(SignatureFault::NotListed { document: named.to_owned(), key }))
        }
    }
}

/// A key that a signature spells itself: whose it is, only the issuer can say.
pub fn spelled_in_full(key: PublicKey, named: Option<&str>, supplies: &dyn Supplies) -> Resolved {
    let standing = ask_issuer(&key, "", "the key that it carries", named, supplies);
    Resolved { key, standing }
}

/// The key that the end of a method spells (`…#z6Mk…`), as issuers with a Multikey do.
pub fn spelled(method: &str) -> Option<PublicKey> {
    let (_, fragment) = method.split_once('#')?;
    parse_multikey(fragment).ok().filter(|_| fragment.starts_with('z'))
}

/// Whether the issuer acknowledges a key that belongs to somebody of another name.
fn ask_issuer(
    key: &PublicKey,
    method: &str,
    owner: &str,
    named: Option<&str>,
    supplies: &dyn Supplies,
) -> Result<KeyOwner, SignatureFault> {
    let Some(named) = named else { return Ok(KeyOwner::Untied { owner: owner.to_owned() }) };
    let other = || SignatureFault::OtherOwner { owner: owner.to_owned(), named: named.to_owned() };
    let url = match Home::of(named) {
        Home::Itself { key: Ok(own), .. } if own == *key => return Ok(KeyOwner::Issuer { as_of: None, until: None }),
        Home::Itself { .. } | Home::Account | Home::Malformed => return Err(other()),
        Home::Nowhere => return Ok(KeyOwner::Untied { owner: owner.to_owned() }),
        Home::Method(name) => return Ok(KeyOwner::Unproven(method_not_carried(&name))),
        Home::Document(url) => url,
    };
    match KeyDocument::get(named, &url, supplies) {
        Err(missing) => Ok(KeyOwner::Unproven(missing)),
        Ok(document) => match document.lists(method, key) {
            Some(listed) if listed.controller().is_none_or(|controller| [named, owner].contains(&controller)) => {
                Ok(KeyOwner::Issuer { as_of: Some(document.as_of), until: listed.until() })
            }
            None if is_silent(&document, named) => Ok(KeyOwner::Unproven(no_keys(&url))),
            _ => Err(other()),
        },
    }
}

/// A method that stands in a document and is controlled by somebody else says nothing for the document's subject.
fn foreign_controller(listed: &Listed, owner: &str, named: Option<&str>) -> Option<SignatureFault> {
    let controller = listed.controller().filter(|controller| *controller != owner)?;
    let named = named.unwrap_or(owner).to_owned();
    Some(SignatureFault::OtherOwner { owner: controller.to_owned(), named })
}

/// The page of an issuer at its URL may say nothing of keys. A DID's document that lists none has none.
fn is_silent(document: &KeyDocument, name: &str) -> bool {
    !document.names_keys && !name.starts_with("did:")
}

fn no_keys(url: &str) -> Missing {
    Missing::NotFound { what: format!("a list of keys in {url}"), detail: "the document names none".to_owned() }
}

fn not_followed(name: &str) -> Missing {
    Missing::Refused { what: name.to_owned(), reason: "keys are looked for at https URLs and in DIDs only".to_owned() }
}

fn method_not_carried(name: &str) -> Missing {
    let help = Some("did:key, did:web, did:jwk and https URLs are followed".to_owned());
    Missing::NotCarried { what: format!("the DID method {name}"), help }
}

#[cfg(test)]
mod tests;
