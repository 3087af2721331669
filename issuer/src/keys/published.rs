//! Do verifiers find the key? Asked before it signs: a signature by a key that the issuer's document does not list is
//! *false* to everybody, and credentials are hard to take back.

use testamur_core::{
    UnixSeconds,
    checked::{KeyOwner, Missing, SignatureFault},
};
use testamur_credentials::{
    Shelf, Supplied,
    keys::{Unresolved, resolve},
};

use super::{IssuerKey, document::document_url};

/// Why verifiers would not take the key for the issuer's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotPublished {
    /// The document could not be had, or read.
    #[error("the issuer's document could not be had: {0}")]
    Unseen(Missing),
    /// It does not list the key.
    #[error("verifiers would say: {0}; publish the newest document (`testamur-issuer key document`)")]
    Refused(SignatureFault),
    /// It lists another key under this name, or one that nobody can read.
    #[error("the document lists another key under {method}")]
    OtherKey {
        /// The name.
        method: String,
    },
    /// It says that the key ended.
    #[error("the document says that {method} ended {until}")]
    Ended {
        /// The name.
        method: String,
        /// When.
        until: UnixSeconds,
    },
}

/// Checks, as verifiers do, that the issuer's document as it was served lists the key. For an issuer whose DID is its
/// key nothing needs to be served.
pub fn check_published(key: &IssuerKey, served: Result<Supplied, Missing>) -> Result<(), NotPublished> {
    let mut shelf = Shelf::default();
    if let Ok(url) = document_url(key.issuer()) {
        shelf.put_document(url, served);
    }
    let signer = key.signer();
    let method = signer.method.to_owned();
    let resolved = match resolve(&method, Some(key.issuer()), &shelf) {
        Ok(resolved) if resolved.key == signer.key.public() => resolved,
        Ok(_) | Err(Unresolved::Key { .. } | Unresolved::Gap(_)) => return Err(NotPublished::OtherKey { method }),
        Err(Unresolved::Fault(fault)) => return Err(NotPublished::Refused(fault)),
    };
    match resolved.standing.map_err(NotPublished::Refused)? {
        KeyOwner::Issuer { until: None, .. } => Ok(()),
        KeyOwner::Issuer { until: Some(until), .. } => Err(NotPublished::Ended { method, until }),
        KeyOwner::Unproven(missing) => Err(NotPublished::Unseen(missing)),
        KeyOwner::Untied { .. } => Err(NotPublished::OtherKey { method }),
    }
}
