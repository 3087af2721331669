//! Why there is no key to sign with.

use std::{io, path::PathBuf};

use testamur_core::UnixSeconds;

/// Why there is no key, or why it does not change as asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// A file of a key: missing, readable by others, or no key.
    #[error(transparent)]
    File(#[from] testamur_chain::Error),
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Randomness(#[source] rand::rand_core::OsError),
    /// The list of keys is not what this program writes.
    #[error("{} is not a list of keys: {reason}", path.display())]
    List {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file holds another key than the list says.
    #[error("{} holds the key {found}, not {listed}", path.display())]
    Mixed {
        /// The file.
        path: PathBuf,
        /// The key in it.
        found: String,
        /// The key that belongs there.
        listed: String,
    },
    /// No key signs.
    #[error("no key signs: make one with `testamur-issuer key new`, or choose one with `testamur-issuer key use`")]
    NoKey,
    /// No key of that name.
    #[error("there is no key {name}: `testamur-issuer key list` tells which there are")]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// It is on the list.
    #[error("the key {name} is there already")]
    Known {
        /// Its name.
        name: String,
    },
    /// It is no public key.
    #[error("{text} is no public key as a Multikey: z6Mk…")]
    NoMultikey {
        /// The text.
        text: String,
    },
    /// A revoked key signs nothing any more, and no later moment is believed.
    #[error("the key {name} is revoked since {since}")]
    Revoked {
        /// Its name.
        name: String,
        /// Since when.
        since: UnixSeconds,
    },
    /// The issuer's DID is a key, and not this one.
    #[error("{issuer} is another key than {key}: an issuer whose name is its key cannot change it")]
    NotItself {
        /// The issuer.
        issuer: String,
        /// The key that signs.
        key: String,
    },
    /// There is no document to be had of it.
    #[error("{issuer} is its own key, which no document lists: its account is named by a statement")]
    NoDocument {
        /// The issuer.
        issuer: String,
    },
    /// Verifiers find no keys under such a name.
    #[error("verifiers find no keys of {issuer}: an issuer's id is a did:web, an https URL or a did:key")]
    NoHome {
        /// The issuer.
        issuer: String,
    },
}
