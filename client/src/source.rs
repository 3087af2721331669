//! Where a document to verify stands: a file, a member of a zip archive, a link.

mod archive;
mod links;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use testamur_core::{Error, Hash, digest::file_hash, json::MAX_BYTES};
use testamur_credentials::link::{self, LinkError};

use crate::files;
pub use archive::{Archive, ArchiveError};
pub use links::{Link, read_links};

/// What a document behind a link is taken for, in bytes: few are longer.
const LENGTH_OF_A_LINK: u64 = 1 << 20;

/// Where a document stands.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file on disk, with its receipt beside it.
    File(PathBuf),
    /// A member of a zip archive, with its receipt beside it in the archive.
    Member(Arc<Archive>, usize),
    /// A link out of a table.
    Link(Link),
}

/// A document as it was had.
pub struct Loaded {
    /// Its bytes; `None` where it is too large for memory, and only its hash is known.
    pub bytes: Option<Vec<u8>>,
    /// SHA-256 of its bytes.
    pub hash: Hash,
    /// The receipt that stands beside it.
    pub receipt: Option<Vec<u8>>,
}

/// Why a document could not be had: nothing is known of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The disk does not give it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The archive does not give it.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The link was cut off.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The receipt beside it is beyond the limits.
    #[error("the receipt beside it: {0}")]
    Receipt(Error),
    /// The link leads to a document that could not be had.
    #[error("{0}")]
    Fetch(testamur_core::checked::Missing),
    /// It is a row of a table that says nothing usable.
    #[error("{0}")]
    Row(String),
}

impl Source {
    /// A link that stands alone.
    pub fn link(url: &str) -> Self {
        Self::Link(Link::alone(url))
    }

    /// Reads it. A link without a credential inside is not fetched here: [`Source::url`] says what to fetch.
    pub fn load(&self) -> Result<Loaded, LoadError> {
        match self {
            Self::File(path) => load_file(path),
            Self::Member(archive, index) => archive.load(*index),
            Self::Link(Link { target: Err(reason), .. }) => Err(LoadError::Row(reason.clone())),
            Self::Link(Link { target: Ok(target), .. }) => Ok(Loaded::of(link::decode(target)?, None)),
        }
    }

    /// Bytes that it takes at most when it is read. Nobody has asked for a link's yet: that is a guess.
    pub(crate) fn length(&self) -> u64 {
        let length = match self {
            Self::File(path) => fs::metadata(path).map_or(0, |metadata| metadata.len()),
            Self::Member(archive, index) => archive.length(*index),
            Self::Link(_) => LENGTH_OF_A_LINK,
        };
        length.min(MAX_BYTES as u64)
    }

    /// The URL to fetch, where it is a link without a credential inside.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Link(Link { target: Ok(target), .. }) if !links::carries_credential(target) => Some(target),
            _ => None,
        }
    }

    /// Its file name, as a hint what it is.
    pub fn file_name(&self) -> Option<String> {
        match self {
            Self::File(path) => Some(path.file_name()?.to_string_lossy().into_owned()),
            Self::Member(archive, index) => archive.name(*index).rsplit('/').next().map(str::to_owned),
            Self::Link(_) => None,
        }
    }
}

impl Loaded {
    /// A document that is in memory.
    pub fn of(bytes: Vec<u8>, receipt: Option<Vec<u8>>) -> Self {
        Self { hash: file_hash(&bytes), bytes: Some(bytes), receipt }
    }
}

impl fmt::Display for Source {
    /// A link prints without its fragment, which may be a whole credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Member(archive, index) => write!(f, "{}:{}", archive.path().display(), archive.name(*index)),
            Self::Link(link) => link.fmt(f),
        }
    }
}

fn load_file(path: &Path) -> Result<Loaded, LoadError> {
    let receipt = match files::read_up_to(&files::receipt_path(path), MAX_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        receipt => Some(receipt?.map_err(LoadError::Receipt)?),
    };
    match files::read_up_to(path, MAX_BYTES)? {
        Ok(bytes) => Ok(Loaded::of(bytes, receipt)),
        Err(_) => Ok(Loaded { bytes: None, hash: files::hash(files::open(path)?.0)?, receipt }),
    }
}
