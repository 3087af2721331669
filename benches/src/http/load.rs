//! The load generator: keep-alive connections of HTTP/1.1 on one thread, each sending when it has its answer.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::{Builder, Runtime},
    task::JoinSet,
};

/// Open connections to one server.
pub struct Load {
    runtime: Runtime,
    connections: Vec<Connection>,
}

impl Load {
    /// Connects.
    pub fn connect(server: SocketAddr, connections: usize) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let connect = || runtime.block_on(Connection::open(server));
        let connections = (0..connections).map(|_| connect()).collect::<Result<_>>()?;
        Ok(Self { runtime, connections })
    }

    /// Sends as many requests, numbered from 0, over all connections; how many a second were answered with 200 or 202.
    /// Any other answer is an error.
    pub fn run(&mut self, count: u64, request: impl Fn(u64, &mut Vec<u8>) + Send + Sync + 'static) -> Result<f64> {
        let next = Arc::new(AtomicU64::new(0));
        let request = Arc::new(request);
        let started = Instant::now();
        let connections = std::mem::take(&mut self.connections);
        self.connections = self.runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for connection in connections {
                tasks.spawn(connection.work(count, next.clone(), request.clone()));
            }
            tasks.join_all().await.into_iter().collect::<Result<_>>()
        })?;
        Ok(count as f64 / started.elapsed().as_secs_f64())
    }
}

struct Connection {
    stream: TcpStream,
    /// Of an answer.
    bytes: Vec<u8>,
}

impl Connection {
    async fn open(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, bytes: Vec::with_capacity(1 << 14) })
    }

    async fn work(
        mut self,
        count: u64,
        next: Arc<AtomicU64>,
        request: Arc<impl Fn(u64, &mut Vec<u8>)>,
    ) -> Result<Self> {
        let mut out = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(self);
            }
            out.clear();
            request(number, &mut out);
            self.stream.write_all(&out).await?;
            self.answer().await?;
        }
    }

    /// Reads one answer, whose length its head must tell.
    async fn answer(&mut self) -> Result<()> {
        self.bytes.clear();
        let body = loop {
            self.read().await?;
            if let Some(end) = self.bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = std::str::from_utf8(&self.bytes[..body])?;
        let length = content_length(head).with_context(|| format!("no content-length in {head}"))?;
        let ok = head.starts_with("HTTP/1.1 200 ") || head.starts_with("HTTP/1.1 202 ");
        while self.bytes.len() < body + length {
            self.read().await?;
        }
        if !ok {
            bail!("answered {}", String::from_utf8_lossy(&self.bytes));
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.bytes).await? == 0 {
            bail!("the server closed a connection");
        }
        Ok(())
    }
}

fn content_length(head: &str) -> Option<usize> {
    let headers = head.lines().filter_map(|line| line.split_once(':'));
    let length = headers.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, value)| value).next();
    length?.trim().parse().ok()
}
