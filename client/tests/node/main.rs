//! What the command line does about a node that is slow, gone, or lies. The honest node is tested with the real one, in
//! the workspace's `tests`.

#![allow(clippy::unwrap_used)]

mod anchor;
mod changes;
#[path = "../support/http.rs"]
mod http;
mod reserved;
