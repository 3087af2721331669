//! How often one may try to sign in: for a name and for an address, whoever it is.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::problem::{Kind, Problem};

/// Attempts at once, and afterwards in a minute, for a name.
const OF_NAME: NonZeroU32 = NonZeroU32::new(10).expect("not zero");
/// The same for an address, behind which there may be a whole office.
const OF_ADDRESS: NonZeroU32 = NonZeroU32::new(30).expect("not zero");

/// Passwords that are hashed at the same time: each takes 19 MiB and a processor.
const AT_ONCE: usize = 2;

/// Attempts of late.
pub struct Attempts {
    places: Semaphore,
    names: DefaultKeyedRateLimiter<[u8; 32]>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
}

impl Default for Attempts {
    fn default() -> Self {
        let keyed = |most| Quota::per_minute(most);
        Self {
            places: Semaphore::new(AT_ONCE),
            names: RateLimiter::keyed(keyed(OF_NAME)),
            addresses: RateLimiter::keyed(keyed(OF_ADDRESS)),
        }
    }
}

impl Attempts {
    /// Counts an attempt from an address.
    pub fn count_address(&self, from: Option<IpAddr>) -> Result<(), Problem> {
        let allowed = from.is_none_or(|from| self.addresses.check_key(&network(from)).is_ok());
        if allowed { Ok(()) } else { Err(too_many()) }
    }

    /// Counts an attempt under a name, whether or not there is such a user.
    pub fn count_name(&self, name: &str) -> Result<(), Problem> {
        // The hash, because names may have any length.
        let key = Sha256::digest(name.trim().to_lowercase()).into();
        self.names.check_key(&key).map_err(|_| too_many())
    }

    /// Waits for a place to hash a password in.
    pub async fn place(&self) -> SemaphorePermit<'_> {
        self.places.acquire().await.expect("the semaphore is never closed")
    }

    /// Forgets who has not tried for a while.
    pub fn tidy(&self) {
        self.names.retain_recent();
        self.addresses.retain_recent();
    }
}

fn too_many() -> Problem {
    Problem::new(Kind::TooMany, "wait a minute, then try again")
}

/// One household is one address: with IPv6 it has a whole /64.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V6(v6) => v6
            .to_ipv4_mapped()
            .map_or_else(|| Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(), IpAddr::V4),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_counted_whatever_its_case_and_others_are_not() {
        let attempts = Attempts::default();
        for _ in 0..OF_NAME.get() {
            attempts.count_name("ada").unwrap();
        }
        assert_eq!(attempts.count_name(" ADA").unwrap_err().kind, Kind::TooMany);
        attempts.count_name("bob").unwrap();
    }

    #[test]
    fn a_network_is_one_address() {
        let attempts = Attempts::default();
        for number in 0..OF_ADDRESS.get() {
            attempts.count_address(Some(format!("2001:db8::{number:x}").parse().unwrap())).unwrap();
        }
        assert!(attempts.count_address(Some("2001:db8::ffff".parse().unwrap())).is_err());
        attempts.count_address(Some("2001:db8:0:1::1".parse().unwrap())).unwrap();
        attempts.count_address(None).unwrap();
    }
}
