//! What a wallet shows: `ID.KEY.SECRET`.

use testamur_credentials::sealed::{SealKey, SealedId};
use zeroize::Zeroizing;

use crate::pages::secret::Secret;

/// A code, or an access token.
#[derive(Debug)]
pub struct Bearer {
    /// The page.
    pub id: SealedId,
    /// What opens it.
    pub key: SealKey,
    /// What the server knows the hash of.
    pub secret: Secret,
}

impl Bearer {
    /// Reads it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (id, key, secret) = (parts.next()?, parts.next()?, parts.next()?);
        let is_all = parts.next().is_none();
        let read = Self { id: SealedId::parse(id)?, key: SealKey::parse(key)?, secret: Secret::parse(secret)? };
        is_all.then_some(read)
    }

    /// What [`Self::parse`] reads.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}.{}.{}", self.id, *self.key.reveal(), *self.secret.reveal()))
    }
}
