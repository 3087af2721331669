//! The statement by which an issuer whose DID is its key names its accounts: verifiers keep it, because there is no
//! document in which they could look.

use serde_json::json;
use testamur_core::UnixSeconds;
use testamur_credentials::ties::STATEMENT_TYPE;

use super::{Account, IssuerKey};

/// A statement that this account is the issuer's: a compact token. All statements of an issuer count together; that of
/// an account which somebody else may have says until when it was the issuer's alone.
pub fn account_statement(key: &IssuerKey, account: &Account, now: UnixSeconds) -> String {
    let mut claims = json!({ "iss": key.issuer(), "account": account.caip10(), "iat": now.0 });
    if let Some(until) = account.revoked {
        claims["exp"] = json!(until.0);
    }
    key.signer().token(STATEMENT_TYPE, &claims)
}
