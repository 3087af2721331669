//! Bearer tokens: who may write for which issuer.
//!
//! They stand in `tokens.json` of the data folder, as SHA-256 of 256 random bits: whoever reads the file can write
//! for nobody. It is replaced as a whole, so the commands work while the node runs, and the node sees each change
//! at the next request.

use std::{
    collections::BTreeSet,
    fmt,
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rand::RngCore;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use testamur_core::{Address, Hash, UnixSeconds};

use crate::clock;

/// What every token starts with, so that scanners recognise a leaked one.
const PREFIX: &str = "testamur_";
/// The only version of the file.
const VERSION: u32 = 1;

/// What a token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Submitting digests.
    Submit,
    /// Revoking, suspending and reinstating.
    Revoke,
    /// Sealing now.
    Admin,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Submit => "submit",
            Self::Revoke => "revoke",
            Self::Admin => "admin",
        })
    }
}

/// A token as it is kept: everything but the token itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenRecord {
    /// What it is listed and revoked by.
    pub id: String,
    /// What its maker called it.
    pub name: String,
    /// The issuer for which it may be used.
    pub issuer: Address,
    /// What for.
    pub scopes: BTreeSet<Scope>,
    /// When it was made.
    pub created_at: UnixSeconds,
    /// SHA-256 of the token's text.
    pub sha256: Hash,
}

/// Why the tokens cannot be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what this code writes.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No such token.
    #[error("there is no token {id}; see testamur-node token list")]
    Unknown {
        /// The id given.
        id: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    tokens: Vec<TokenRecord>,
}

/// The file of tokens.
pub struct TokenFile {
    folder: PathBuf,
}

impl TokenFile {
    /// In a data folder.
    pub fn new(data_dir: &Path) -> Self {
        Self { folder: data_dir.to_owned() }
    }

    /// All tokens; none where there is no file yet.
    pub fn list(&self) -> Result<Vec<TokenRecord>, TokenError> {
        let path = self.path();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(TokenError::File { path, source }),
        };
        let damaged = |reason: String| TokenError::Damaged { path: path.clone(), reason };
        let content: Content = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if content.version == VERSION {
            Ok(content.tokens)
        } else {
            Err(damaged(format!("version {}", content.version)))
        }
    }

    /// Makes a token and returns its text, which is kept nowhere.
    pub fn create(
        &self,
        issuer: Address,
        scopes: BTreeSet<Scope>,
        name: &str,
    ) -> Result<(TokenRecord, String), TokenError> {
        let mut random = [0; 36];
        rand::rng().fill_bytes(&mut random);
        let (id, secret) = random.split_at(4);
        let text = format!("{PREFIX}{}", hex::encode(secret));
        let record = TokenRecord {
            id: hex::encode(id),
            name: name.to_owned(),
            issuer,
            scopes,
            created_at: clock::now(),
            sha256: hash(&text),
        };
        self.change(|tokens| {
            tokens.push(record.clone());
            Ok(())
        })?;
        Ok((record, text))
    }

    /// Revokes a token. It counts from the next request on.
    pub fn revoke(&self, id: &str) -> Result<(), TokenError> {
        self.change(|tokens| {
            let before = tokens.len();
            tokens.retain(|token| token.id != id);
            if tokens.len() < before { Ok(()) } else { Err(TokenError::Unknown { id: id.to_owned() }) }
        })
    }

    fn path(&self) -> PathBuf {
        self.folder.join("tokens.json")
    }

    /// Reads, changes and replaces the file, one process at a time.
    fn change(&self, change: impl FnOnce(&mut Vec<TokenRecord>) -> Result<(), TokenError>) -> Result<(), TokenError> {
        let fault = |source| TokenError::File { path: self.path(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(fault)?;
        let lock = private(self.folder.join("tokens.lock")).map_err(fault)?;
        lock.lock().map_err(fault)?;
        let mut tokens = self.list()?;
        change(&mut tokens)?;
        let mut json = serde_json::to_vec_pretty(&Content { version: VERSION, tokens }).expect("plain values");
        json.push(b'\n');
        self.replace(&json).map_err(fault)
    }

    /// The new file is on disk under another name before it takes the old one's place.
    fn replace(&self, content: &[u8]) -> io::Result<()> {
        let temporary = self.folder.join("tokens.json.new");
        let mut file = private(temporary.clone())?;
        file.set_len(0)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, self.path())?;
        File::open(&self.folder)?.sync_all()
    }
}

/// Opens or makes a file that only its owner may read.
fn private(path: PathBuf) -> io::Result<File> {
    File::options().create(true).write(true).truncate(false).mode(0o600).open(path)
}

fn hash(text: &str) -> Hash {
    Hash(Sha256::digest(text).into())
}

/// The tokens as the running node sees them.
pub struct Tokens {
    file: TokenFile,
    seen: Mutex<(Option<Version>, Arc<[TokenRecord]>)>,
}

/// Tells one file from the one that replaced it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Tokens {
    /// In a data folder.
    pub fn new(data_dir: &Path) -> Self {
        Self { file: TokenFile::new(data_dir), seen: Mutex::new((None, Arc::new([]))) }
    }

    /// The record of a token, if it is one. An unreadable file is an error: what was revoked must not count.
    pub fn find(&self, text: &str) -> Result<Option<TokenRecord>, TokenError> {
        let wanted = hash(text);
        let tokens = self.current()?;
        // All are compared, each in constant time: how long it takes says nothing about any of them.
        let mut found = None;
        for token in tokens.iter() {
            if bool::from(token.sha256.0.ct_eq(&wanted.0)) {
                found = Some(token.clone());
            }
        }
        Ok(found)
    }

    fn current(&self) -> Result<Arc<[TokenRecord]>, TokenError> {
        let version = fs::metadata(self.file.path()).ok().map(|data| Version {
            inode: data.ino(),
            size: data.len(),
            changed: (data.mtime(), data.mtime_nsec()),
        });
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if version.is_none() || seen.0 != version {
            let tokens = self.file.list()?.into();
            *seen = (version, tokens);
        }
        Ok(seen.1.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const ISSUER: Address = Address([7; 20]);

    #[test]
    fn a_token_counts_from_its_making_to_its_revocation_while_the_node_runs() {
        let folder = tempfile::tempdir().unwrap();
        let (file, tokens) = (TokenFile::new(folder.path()), Tokens::new(folder.path()));
        assert_eq!(tokens.find("testamur_").unwrap(), None);
        let (record, text) = file.create(ISSUER, [Scope::Submit].into(), "import").unwrap();
        assert_eq!(text.len(), PREFIX.len() + 64);
        assert_eq!(tokens.find(&text).unwrap().as_ref(), Some(&record));
        assert_eq!(tokens.find(&text[..text.len() - 1]).unwrap(), None);
        let (other, _) = file.create(ISSUER, [Scope::Admin].into(), "").unwrap();
        assert_eq!(file.list().unwrap(), [record.clone(), other]);
        file.revoke(&record.id).unwrap();
        assert_eq!(tokens.find(&text).unwrap(), None);
        assert!(matches!(file.revoke(&record.id), Err(TokenError::Unknown { .. })));
    }

    #[test]
    fn the_file_holds_no_token_and_is_the_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (_, text) = TokenFile::new(folder.path()).create(ISSUER, [Scope::Submit].into(), "a").unwrap();
        let path = folder.path().join("tokens.json");
        assert!(!fs::read_to_string(&path).unwrap().contains(&text[PREFIX.len()..]));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let (_, text) = TokenFile::new(folder.path()).create(ISSUER, [Scope::Submit].into(), "a").unwrap();
        let tokens = Tokens::new(folder.path());
        assert!(tokens.find(&text).unwrap().is_some());
        fs::write(folder.path().join("tokens.json"), "{").unwrap();
        assert!(matches!(tokens.find(&text), Err(TokenError::Damaged { .. })));
    }
}
