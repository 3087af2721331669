//! Offers to wallets: a code that is good once, then an access token, both for a short time.

use rusqlite::{OptionalExtension as _, TransactionBehavior::Immediate, params};
use testamur_core::UnixSeconds;
use testamur_credentials::sealed::SealedId;

use super::{Hashed, Kind, ShareError, ShareStore, owned::check_owner, public::sealed};

impl ShareStore {
    /// The owner offers the page's credential to a wallet that shows this code. An offer before it is void.
    pub fn offer(
        &mut self,
        id: &SealedId,
        owner: &Hashed,
        code: &Hashed,
        expires: UnixSeconds,
    ) -> Result<(), ShareError> {
        let offering = self.connection.transaction_with_behavior(Immediate)?;
        check_owner(&offering, id, owner)?;
        let kind: Kind =
            offering.query_row("SELECT kind FROM pages WHERE id = ?", [id.as_bytes()], |row| row.get(0))?;
        if kind != Kind::Credential {
            return Err(ShareError::NoPart("credential for a wallet"));
        }
        let offer = "INSERT OR REPLACE INTO offers (page, code, token, expires) VALUES (?, ?, NULL, ?)";
        offering.execute(offer, params![id.as_bytes(), code, expires.0 as i64])?;
        Ok(offering.commit()?)
    }

    /// The code becomes an access token, and is used up.
    pub fn redeem(
        &mut self,
        id: &SealedId,
        code: &Hashed,
        token: &Hashed,
        now: UnixSeconds,
        expires: UnixSeconds,
    ) -> Result<(), ShareError> {
        // Found by its hash: where that differs from others tells nothing about the code.
        let redeem =
            "UPDATE offers SET code = NULL, token = ?, expires = ? WHERE page = ? AND code = ? AND expires > ?";
        let redeemed =
            self.connection.execute(redeem, params![token, expires.0 as i64, id.as_bytes(), code, now.0 as i64])?;
        if redeemed == 1 { Ok(()) } else { Err(ShareError::NoOffer) }
    }

    /// The sealed credential, for a wallet with an access token. It may ask again while the token is good: its reply may
    /// have been lost.
    pub fn offered(&self, id: &SealedId, token: &Hashed, now: UnixSeconds) -> Result<Vec<u8>, ShareError> {
        let select = "SELECT 1 FROM offers WHERE page = ? AND token = ? AND expires > ?";
        let is_good =
            self.connection.query_row(select, params![id.as_bytes(), token, now.0 as i64], |_| Ok(())).optional()?;
        is_good.ok_or(ShareError::NoOffer)?;
        sealed(&self.connection, id)
    }
}
