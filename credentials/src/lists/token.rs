//! IETF Token Status List, as a JWT: `status.status_list { idx, uri }` in the token, one to eight bits each in the list.

use std::num::NonZeroU32;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use testamur_core::{
    UnixSeconds,
    checked::ListGap,
    status::token::{decode, status},
};

use super::{Found, MAX_LIST, Reader, mismatch, told};
use crate::{
    jose::{Compact, check_token},
    opened::token::typ,
};

/// The type that a list's JWT must have (section 5.1): a token of another kind is none, whoever signed it.
const TYP: &str = "statuslist+jwt";

/// Status types (section 7.1): good, revoked, suspended.
const VALID: u8 = 0;
const INVALID: u8 = 1;
const SUSPENDED: u8 = 2;

impl Reader<'_> {
    pub(super) fn token(self, claim: &Value) -> Found {
        let mut purpose = "status".to_owned();
        let reference = claim.get("status_list").unwrap_or(&Value::Null);
        let list = reference.get("uri").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut signer = None;
        let outcome = match claim.get("status_list") {
            None => Err(ListGap::Kind { kind: "status without status_list".to_owned() }),
            Some(_) => self.value(reference, &list, &mut signer).and_then(|(value, as_of, length)| match value {
                VALID => told(false, as_of, length),
                INVALID | SUSPENDED => {
                    purpose = if value == INVALID { "revocation" } else { "suspension" }.to_owned();
                    told(true, as_of, length)
                }
                other => Err(ListGap::Kind { kind: format!("0x{other:02x} (application specific)") }),
            }),
        };
        Found { purpose, list, signer, outcome }
    }

    /// The status at the index, when its list was had, and whether that list is long enough.
    fn value(
        self,
        reference: &Value,
        uri: &str,
        signer: &mut Option<String>,
    ) -> Result<(u8, UnixSeconds, Result<(), testamur_core::Error>), ListGap> {
        let index = reference.get("idx").and_then(Value::as_u64).ok_or_else(|| mismatch("its entry names no index"))?;
        let supplied = self.fetch(uri)?;
        let text = std::str::from_utf8(&supplied.bytes).map_err(|_| mismatch("it is no JWT"))?.trim();
        let token = Compact::parse(text).map_err(|fault| mismatch(fault.to_string()))?;
        self.is_for(&token, uri)?;
        let issuer = token.payload.get("iss").and_then(Value::as_str).or(self.issuer);
        self.is_signed(std::iter::once(check_token(text, issuer, self.supplies, self.now)), issuer)?;
        *signer = self.other(issuer);
        let list = token.payload.get("status_list").unwrap_or(&Value::Null);
        let bits = list.get("bits").and_then(Value::as_u64).and_then(|bits| u32::try_from(bits).ok());
        let bits =
            bits.and_then(NonZeroU32::new).ok_or_else(|| mismatch("it does not say how many bits a status has"))?;
        let compressed = list.get("lst").and_then(Value::as_str).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let compressed = compressed.ok_or_else(|| mismatch("it has no lst in base64url"))?;
        let bytes = decode(&compressed, bits.get(), MAX_LIST).map_err(|error| mismatch(error.to_string()))?;
        let value = status(&bytes, bits.get(), index).map_err(|error| mismatch(error.to_string()))?;
        Ok((value, supplied.as_of, self.policy.check_list_length(bytes.len(), bits)))
    }

    /// The JWT is a status list, this one, and lasts.
    fn is_for(self, token: &Compact<'_>, uri: &str) -> Result<(), ListGap> {
        if typ(token) != Some(TYP) {
            return Err(mismatch(format!("its typ is {:?}, not {TYP}", typ(token).unwrap_or_default())));
        }
        if token.payload.get("sub").and_then(Value::as_str) != Some(uri) {
            return Err(mismatch("it is the list of another URL (sub)"));
        }
        let date = |claim| token.claim_time(claim).map_err(|fault| mismatch(fault.to_string()));
        if let Some(from) = date("iat")?.max(date("nbf")?).filter(|from| *from > self.now) {
            return Err(mismatch(format!("it is valid from {from} only")));
        }
        match date("exp")?.filter(|until| *until < self.now) {
            Some(until) => Err(ListGap::Ended { until }),
            None => Ok(()),
        }
    }
}
