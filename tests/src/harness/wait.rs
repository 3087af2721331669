//! Waiting on state instead of sleeping.

use std::time::{Duration, Instant};

/// Generous, because machines are shared; reached only by what is broken.
const DEADLINE: Duration = Duration::from_secs(60);

/// Asks until there is an answer; panics with `what` at the deadline.
#[track_caller]
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "waited {DEADLINE:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
