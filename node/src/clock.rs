//! The wall clock. What must not depend on it is measured with [`std::time::Instant`].

use std::time::{SystemTime, UNIX_EPOCH};

use testamur_core::UnixSeconds;

/// Seconds since 1970; 0 on a clock that is set before it.
pub fn now() -> UnixSeconds {
    UnixSeconds(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}
