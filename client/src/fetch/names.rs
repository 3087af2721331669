//! Where hosts are. The address that is looked at is the one that is connected to: nobody looks it up again in between,
//! so an answer that changes from one look-up to the next gains nothing.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures::{FutureExt, future::BoxFuture};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// Somebody who knows the addresses of hosts.
pub trait Names: Send + Sync + 'static {
    /// The addresses of a host.
    fn addresses(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system: its hosts file and its resolver.
#[derive(Clone, Copy, Debug)]
pub struct SystemNames;

impl Names for SystemNames {
    fn addresses(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|socket| socket.ip()).collect()) }.boxed()
    }
}

/// Public addresses only.
pub(super) struct Public(pub Arc<dyn Names>);

/// Every address.
pub(super) struct Unfiltered(pub Arc<dyn Names>);

/// A host without a public address.
#[derive(Debug)]
pub(super) struct NotPublic(pub Vec<IpAddr>);

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.0.addresses(name.as_str().to_owned());
        async move {
            let (public, others): (Vec<_>, Vec<_>) = found.await?.into_iter().partition(|address| is_public(*address));
            if public.is_empty() { Err(NotPublic(others).into()) } else { Ok(sockets(public)) }
        }
        .boxed()
    }
}

impl Resolve for Unfiltered {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.0.addresses(name.as_str().to_owned());
        async move { Ok(sockets(found.await?)) }.boxed()
    }
}

/// The port is the URL's.
fn sockets(addresses: Vec<IpAddr>) -> Addrs {
    Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)))
}

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<_> = self.0.iter().map(IpAddr::to_string).collect();
        write!(
            f,
            "its host has no public address ({}); allow_hosts in the policy makes exceptions",
            addresses.join(", ")
        )
    }
}

impl std::error::Error for NotPublic {}
