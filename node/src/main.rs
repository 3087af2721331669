//! `testamur-node`.
fn main() {}
