//! The peer of served receipts: axum saying hello, in a process of its own.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use axum::{Router, routing::get};
use serde_json::json;
use tokio::net::TcpListener;

use crate::child::{self, Child};

/// What is sent to it.
pub const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Starts one, which ends when dropped.
pub fn start() -> Result<(Child, SocketAddr)> {
    let child = Child::start(&["hello".as_ref()])?;
    let address = child.answer["address"].as_str().context("no address")?.parse()?;
    Ok((child, address))
}

/// The child's side.
pub fn serve() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/", get(async || "Hello, World!"));
    runtime.spawn(async move { axum::serve(listener, router).await });
    child::answer(&json!({"address": address}))
}
