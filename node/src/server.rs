//! Connections: accepting them, limiting them, and ending them when the node stops.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::{config::Limits, http::access::Peer};

/// Bytes of the head of a request.
const MAX_HEAD: usize = 32 << 10;
/// After a failed accept (usually no file descriptors left) others may have closed theirs.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);
/// How long requests under way may take when the node stops.
const DRAIN: Duration = Duration::from_secs(20);

/// Serves HTTP/1.1 until shutdown; then takes no more connections and finishes the requests under way.
pub async fn serve(listener: TcpListener, router: Router, limits: &Limits, shutdown: CancellationToken) {
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = next => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = connection(stream, peer, router.clone(), limits.head_seconds, shutdown.clone());
                tokio::spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(AFTER_FAILED_ACCEPT).await;
            }
        }
    }
    drop(listener);
    // All places are free when all connections have ended.
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    if timeout(DRAIN, places.acquire_many(all)).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, head: Duration, shutdown: CancellationToken) {
    // Small answers must not wait for more. Where it cannot be set, they do.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        router.clone().call(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
