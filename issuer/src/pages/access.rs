//! Who may do what, and how often. Addresses are counted in memory for a minute, and stand in no log and no file.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
};

use axum::http::{Extensions, HeaderMap, header};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use testamur_credentials::sealed::SealedId;

use super::{
    problem::{Kind, Problem},
    secret::{Hashed, Secret},
    settings::{Limits, Settings},
};
use crate::server::Peer;

type Limiter = Option<DefaultKeyedRateLimiter<IpAddr>>;

/// How often one address may ask.
pub struct Rates {
    behind_proxy: bool,
    requests: Limiter,
    claims: Limiter,
    changes: Limiter,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Any request.
    Request,
    /// An attempt to claim, and anything else that could be guessed at.
    Claim,
    /// What is kept.
    Change,
}

impl Rates {
    /// As configured.
    pub fn new(settings: &Settings) -> Self {
        let Limits { requests_per_second, claims_per_minute, changes_per_minute, .. } = settings.limits;
        let limiter = |most, quota: fn(NonZeroU32) -> Quota| NonZeroU32::new(most).map(quota).map(RateLimiter::keyed);
        Self {
            behind_proxy: settings.behind_proxy,
            requests: limiter(requests_per_second, Quota::per_second),
            claims: limiter(claims_per_minute, Quota::per_minute),
            changes: limiter(changes_per_minute, Quota::per_minute),
        }
    }

    /// Counts it for the address that asks, if that is known.
    pub fn count(&self, counted: Counted, extensions: &Extensions, headers: &HeaderMap) -> Result<(), Problem> {
        let limiter = match counted {
            Counted::Request => &self.requests,
            Counted::Claim => &self.claims,
            Counted::Change => &self.changes,
        };
        let (Some(limiter), Some(address)) = (limiter, self.address(extensions, headers)) else { return Ok(()) };
        let refused = |_| Problem::new(Kind::TooMany, "too many from your address; wait a moment");
        limiter.check_key(&network(address)).map_err(refused)
    }

    /// Forgets who has not asked for a while.
    pub fn tidy(&self) {
        [&self.requests, &self.claims, &self.changes].into_iter().flatten().for_each(RateLimiter::retain_recent);
    }

    /// The last one that the proxy names is the one that it saw itself; those before are whatever was sent to it.
    fn address(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = extensions.get::<Peer>()?.0;
        if !(self.behind_proxy && peer.is_loopback()) {
            return Some(peer);
        }
        let named = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        named.rsplit(',').next()?.trim().parse().ok()
    }
}

/// One household is one address: with IPv6 it has a whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6
            .to_ipv4_mapped()
            .map_or_else(|| Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(), IpAddr::V4),
        v4 => v4,
    }
}

/// The page in a path.
pub fn page_id(text: &str) -> Result<SealedId, Problem> {
    SealedId::parse(text).ok_or_else(|| Problem::new(Kind::UnknownPage, "look whether the link is complete"))
}

/// Who asks: `Authorization: Owner <22 letters>`.
pub fn owner(headers: &HeaderMap) -> Result<Hashed, Problem> {
    let refused = || Problem::new(Kind::NoOwner, "send the header: Authorization: Owner <22 letters>");
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
    let (scheme, secret) = value.split_once(' ').ok_or_else(refused)?;
    if !scheme.eq_ignore_ascii_case("owner") {
        return Err(refused());
    }
    Ok(Secret::parse(secret.trim()).ok_or_else(refused)?.hash())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(limits: &str) -> Rates {
        Rates::new(&toml::from_str(&format!("public_url = 'https://badges.example'\n{limits}")).unwrap())
    }

    fn from(address: &str) -> Extensions {
        let mut extensions = Extensions::new();
        extensions.insert(Peer(address.parse().unwrap()));
        extensions
    }

    #[test]
    fn one_household_is_one_address_and_others_are_not_held_up() {
        let rates = rates("[limits]\nclaims_per_minute = 1");
        let claim = |address| rates.count(Counted::Claim, &from(address), &HeaderMap::new()).map_err(|p| p.kind);
        assert_eq!(claim("2001:db8::1"), Ok(()));
        assert_eq!(claim("2001:db8::2"), Err(Kind::TooMany));
        assert_eq!(claim("2001:db8:0:1::1"), Ok(()));
        assert_eq!(rates.count(Counted::Change, &from("2001:db8::1"), &HeaderMap::new()), Ok(()));
    }

    #[test]
    fn behind_a_proxy_its_last_word_counts_and_from_elsewhere_nobody_s() {
        let rates = rates("behind_proxy = true\n[limits]\nclaims_per_minute = 1");
        let claim = |peer, forwarded: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            rates.count(Counted::Claim, &from(peer), &headers).map_err(|problem| problem.kind)
        };
        assert_eq!(claim("127.0.0.1", "10.0.0.1, 192.0.2.1"), Ok(()));
        assert_eq!(claim("127.0.0.1", "10.0.0.2, 192.0.2.1"), Err(Kind::TooMany));
        assert_eq!(claim("127.0.0.1", "192.0.2.2"), Ok(()));
        assert_eq!(claim("192.0.2.3", "192.0.2.4"), Ok(()));
        assert_eq!(claim("192.0.2.3", "192.0.2.5"), Err(Kind::TooMany));
    }

    #[test]
    fn an_owner_is_known_by_one_header_only() {
        let asked = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            owner(&headers).map_err(|problem| problem.kind)
        };
        let secret = Secret::random();
        assert_eq!(asked(&format!("owner {}", *secret.reveal())), Ok(secret.hash()));
        for bad in ["", "Owner", "Owner x", "Bearer AAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(asked(bad), Err(Kind::NoOwner), "{bad}");
        }
    }
}
