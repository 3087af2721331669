//! Starts what a story needs: a chain, a faulty line to it, a node, and the client as a user calls it.
//!
//! Everything is a real process on loopback, on ports of its own, and ends with the value that started it.

mod chain;
mod cli;
mod mails;
mod mirror;
mod node;
mod pages;
mod proxy;
mod sharing;
mod studio;
mod wait;
mod world;

pub use chain::{Account, Chain};
pub use cli::{Ran, binary, run};
pub use mails::{MailServer, javascript};
pub use mirror::Mirror;
pub use node::{Node, NodeOptions};
pub use pages::pages;
pub use proxy::{Fault, Proxy};
pub use sharing::ShareServer;
pub use studio::Studio;
pub use wait::until;
pub use world::World;
