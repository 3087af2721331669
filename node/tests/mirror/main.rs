//! The mirror against a real chain: from nothing, across restarts and reorganisations, beside hostile issuers and
//! behind hostile endpoints.

#![allow(clippy::unwrap_used)] // a test may panic

mod following;
mod scene;
mod serving;
