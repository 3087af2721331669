//! Who may do what: bearer tokens, and how often.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
};

use axum::http::{HeaderMap, header};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use testamur_core::Address;

use super::{
    AppState,
    problem::{Kind, Problem},
};
use crate::tokens::{Scope, TokenRecord};

/// Where a request comes from. Put into its extensions by the server.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// How often one token and one peer may ask.
pub struct Rates {
    tokens: Option<DefaultKeyedRateLimiter<String>>,
    peers: Option<DefaultKeyedRateLimiter<IpAddr>>,
}

impl Rates {
    /// Requests a second; 0: no limit. A burst of as many is allowed.
    pub fn new(per_token: u32, per_peer: u32) -> Self {
        let quota = |per_second| NonZeroU32::new(per_second).map(Quota::per_second);
        Self { tokens: quota(per_token).map(RateLimiter::keyed), peers: quota(per_peer).map(RateLimiter::keyed) }
    }

    /// Counts a request of a peer, unless it is on this machine.
    pub fn count_peer(&self, peer: Peer) -> Result<(), Problem> {
        match &self.peers {
            Some(peers) if !peer.0.is_loopback() => count(peers, &network(peer.0), "one peer"),
            _ => Ok(()),
        }
    }

    /// Forgets who has not asked for a while.
    pub fn tidy(&self) {
        self.tokens.iter().for_each(RateLimiter::retain_recent);
        self.peers.iter().for_each(RateLimiter::retain_recent);
    }

    fn count_token(&self, token: &TokenRecord) -> Result<(), Problem> {
        self.tokens.as_ref().map_or(Ok(()), |tokens| count(tokens, &token.id, "one token"))
    }
}

fn count<K: Clone + Eq + std::hash::Hash>(
    rates: &DefaultKeyedRateLimiter<K>,
    key: &K,
    whose: &str,
) -> Result<(), Problem> {
    let refused =
        |_| Problem::new(Kind::TooMany, format!("{whose} asks too often; submit more digests with one request"));
    rates.check_key(key).map_err(refused)
}

/// One household is one peer: with IPv6 it has a whole /64.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V6(v6) => v6
            .to_ipv4_mapped()
            .map_or_else(|| Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(), IpAddr::V4),
        v4 => v4,
    }
}

/// The account in a path.
pub fn parse_issuer(text: &str) -> Result<Address, Problem> {
    let wrong = |error| Problem::new(Kind::BadRequest, format!("the issuer in the path: {error}"));
    text.parse().map_err(wrong)
}

/// The account in a path, if the node serves it.
pub fn served_issuer(state: &AppState, text: &str) -> Result<Address, Problem> {
    let issuer = parse_issuer(text)?;
    if state.issuers.contains(&issuer) { Ok(issuer) } else { Err(unknown_issuer()) }
}

/// The refusal of an account that the node does not serve.
pub fn unknown_issuer() -> Problem {
    Problem::new(Kind::UnknownIssuer, "see /v1/node for those it serves; its operator adds others to `issuers`")
}

/// The issuer in a path, for whoever has a token of that issuer with that scope.
pub fn authorize(state: &AppState, headers: &HeaderMap, issuer: &str, scope: Scope) -> Result<Address, Problem> {
    let issuer = served_issuer(state, issuer)?;
    let token = token(state, headers)?;
    if token.issuer != issuer {
        let detail = format!("it is a token of {}; use one of {issuer}", token.issuer);
        return Err(Problem::new(Kind::OtherIssuersToken, detail));
    }
    if !token.scopes.contains(&scope) {
        return Err(Problem::new(
            Kind::MissingScope,
            format!("make one with: testamur-node token create --scope {scope}"),
        ));
    }
    Ok(issuer)
}

/// The token of a request.
pub fn token(state: &AppState, headers: &HeaderMap) -> Result<TokenRecord, Problem> {
    let refused = |detail| Problem::new(Kind::NoToken, detail);
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, text) = value.and_then(|value| value.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refused("send the header: Authorization: Bearer <token>"));
    }
    let token = state.tokens.find(text.trim())?.ok_or_else(|| refused("the token is unknown, or was revoked"))?;
    state.rates.count_token(&token)?;
    Ok(token)
}
