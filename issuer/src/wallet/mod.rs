//! Offers to wallets: OpenID for Verifiable Credential Issuance 1.0, the pre-authorized code flow (sections 3.5, 4 to 8,
//! 12), for credentials of the format `ldp_vc` (A.1.2).
//!
//! The credential was signed long before; what a wallet takes is the same document that the learner has. So nothing is
//! bound to a key of the wallet's (14.2 of the specification: no binding): there are no proofs, hence no nonce endpoint.
//! Neither is anything deferred or notified.
//!
//! Codes and access tokens are `ID.KEY.SECRET`: the server keeps SHA-256(SECRET) only, and opens the sealed credential in
//! memory with the KEY that the wallet brings. A code is good once and for ten minutes, an access token for five.

mod bearer;
mod credential;
mod metadata;
mod refusal;
#[cfg(test)]
mod tests;
mod token;

use axum::{
    Router,
    routing::{get, post},
};

use crate::pages::Shared;

/// The name of what is offered, in offers and metadata.
pub const CONFIGURATION: &str = "OpenBadgeCredential";

/// The routes, which wallets in browsers may use as well.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/.well-known/openid-credential-issuer", get(metadata::issuer))
        .route("/.well-known/oauth-authorization-server", get(metadata::server))
        .route("/oid4vci/token", post(token::token))
        .route("/oid4vci/credential", post(credential::credential))
}
