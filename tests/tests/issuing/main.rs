//! An institution issues with `testamur-issuer`: a roster in, credentials out that anybody verifies; whatever fails on
//! the way. Real programs, a real chain, a real node.

mod corrections;
mod faults;
mod keys;
mod office;
mod rosters;
#[path = "../identity/server.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod server;
mod story;
