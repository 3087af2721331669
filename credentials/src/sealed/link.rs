//! The link to a share page: where it is, and the key that only those have who have the link.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// What stands before the id in a link's path.
const PAGE: &str = "/c/";

/// Which page: 16 random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SealedId([u8; 16]);

/// What opens a page: 16 random bytes. It is wiped from memory when dropped, and is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey(Zeroizing<[u8; 16]>);

/// A link to a share page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What stands before `/c/`: `https://badges.example.edu`.
    pub base: String,
    /// The page.
    pub id: SealedId,
    /// Its key.
    pub key: SealKey,
}

/// Why a text is no link to a share page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkFault {
    /// It leads elsewhere.
    #[error("this is no link to a shared credential: it has no /c/…")]
    NoPage,
    /// The id is not 22 letters of base64url.
    #[error("the link is damaged before its #")]
    Id,
    /// Whoever passed the link on lost what stands behind `#`.
    #[error("the link is incomplete: the key behind # is missing")]
    NoKey,
    /// The key is not 22 letters of base64url.
    #[error("the link is damaged or cut off behind its #")]
    Key,
}

impl SealedId {
    /// An id of 16 random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// Reads what [`fmt::Display`] writes: 22 letters of base64url.
    pub fn parse(text: &str) -> Option<Self> {
        decode(text).map(|bytes| Self(*bytes))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for SealedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl SealKey {
    /// A key of 16 random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// Reads what [`Self::reveal`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        decode(text).map(Self)
    }

    /// Its 22 letters of base64url, for the link.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.0))
    }

    pub(super) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

impl Link {
    /// Reads a link. What trackers put between id and key (`?…`) is left out.
    pub fn parse(text: &str) -> Result<Self, LinkFault> {
        let text = text.trim();
        let (page, key) = text.split_once('#').map_or((text, None), |(page, key)| (page, Some(key)));
        let page = page.split_once('?').map_or(page, |(page, _)| page).trim_end_matches('/');
        let (base, id) = page.rsplit_once(PAGE).ok_or(LinkFault::NoPage)?;
        let id = SealedId::parse(id).ok_or(LinkFault::Id)?;
        let key = key.filter(|key| !key.is_empty()).ok_or(LinkFault::NoKey)?;
        Ok(Self { base: base.to_owned(), id, key: SealKey::parse(key).ok_or(LinkFault::Key)? })
    }

    /// The link, with its key: for whoever may read the page, and for no log.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}{PAGE}{}#{}", self.base.trim_end_matches('/'), self.id, *self.key.reveal()))
    }
}

/// One spelling only: neither padding nor bits beyond the last byte.
fn decode(text: &str) -> Option<Zeroizing<[u8; 16]>> {
    let mut bytes = Zeroizing::new([0; 16]);
    let read = URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut()).ok()?;
    (read == bytes.len()).then_some(bytes)
}
