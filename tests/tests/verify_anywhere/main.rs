//! What an employer does with the command, as its help says: on a real chain, through endpoints that lie, on links, archives and
//! folders of everything, on other people's test data, and without any network.

mod anchored;
mod bulk;
mod corpora;
mod employer;
mod identity;
mod liar;
mod lying;
#[path = "../identity/server.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod server;
mod signer;
