//! The time of this machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use testamur_core::UnixSeconds;

/// Now.
pub fn now() -> UnixSeconds {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixSeconds(since_1970.as_secs())
}
