//! Verification where there is no I/O: which questions to ask, of whom, and what their answers mean.
//!
//! Reading order: [`exchange`] (how questions and answers meet) → [`rpc`] and [`quorum`] (what endpoints say, and how many
//! must agree) → [`look`] and [`bits`] (the chain, proven) → [`supply`] (what
//! else stands elsewhere) → [`verification`] (from the file to the verdict) →
//! [`bindings`] (what JavaScript sees).
//!
//! Absent on purpose: fetching, time and randomness. `ts/` performs the requests and hands in what comes back.

pub mod bindings;
pub mod bits;
pub mod exchange;
pub mod hex;
pub mod look;
pub mod plain;
pub mod quorum;
pub mod rpc;
pub mod settings;
pub mod supply;
pub mod verification;
