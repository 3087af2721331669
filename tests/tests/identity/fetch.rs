//! Nobody who names a URL makes a verifier ask where it must not, nor take more than it can bear.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use testamur::fetch::{Fetcher, Names};
use testamur_core::checked::Missing;

use crate::server::{Ending, Reply, Server, listener};

/// Says where a host is, and counts how often it was asked.
struct Told {
    addresses: Vec<IpAddr>,
    asked: Arc<AtomicUsize>,
}

impl Names for Told {
    fn addresses(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let addresses = self.addresses.clone();
        async move { Ok(addresses) }.boxed()
    }
}

fn told(addresses: &[&str]) -> (Arc<Told>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let addresses = addresses.iter().map(|address| address.parse().expect("an address")).collect();
    (Arc::new(Told { addresses, asked: asked.clone() }), asked)
}

#[track_caller]
fn is_refused(answer: Result<testamur_credentials::Supplied, Missing>, told: &str) {
    match answer {
        Err(Missing::Refused { reason, .. }) => assert!(reason.contains(told), "{reason}"),
        other => panic!("{other:?} where {told}"),
    }
}

#[tokio::test]
async fn a_document_is_had_and_nothing_else_is_told() {
    let server = Server::start(|_| Reply::ok(b"{\"id\":1}")).await;
    let document = server.fetcher().get(&server.url("a?b=c#secret")).await.expect("served");
    assert_eq!(&*document.bytes, b"{\"id\":1}");
    let head = server.asked().remove(0).to_lowercase();
    let mut lines: Vec<_> = head.trim().lines().map(|line| line.split(':').next().unwrap_or_default()).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["accept", "accept-encoding", "get /a?b=c http/1.1", "host", "user-agent"], "{head}");
    assert!(head.contains("user-agent: testamur\r") && head.contains("accept-encoding: identity"), "{head}");
}

#[tokio::test]
async fn what_the_host_says_is_told_apart() {
    let server = Server::start(|path| match path {
        "compressed" => Reply::new(200, "content-encoding: gzip\r\n", &[0x1f, 0x8b]),
        status => Reply::new(status.parse().expect("a number"), "", b"x"),
    })
    .await;
    let fetcher = server.fetcher();
    for (path, is_as_told) in [
        ("404", (|missing| matches!(missing, Missing::NotFound { .. })) as fn(&Missing) -> bool),
        ("410", |missing| matches!(missing, Missing::NotFound { .. })),
        ("403", |missing| matches!(missing, Missing::Unreachable { .. })),
        ("429", |missing| matches!(missing, Missing::Unreachable { .. })),
        ("500", |missing| matches!(missing, Missing::Unreachable { .. })),
        ("206", |missing| matches!(missing, Missing::Unreachable { .. })),
        ("304", |missing| matches!(missing, Missing::Unreachable { .. })),
        ("compressed", |missing| matches!(missing, Missing::Unreadable { .. })),
    ] {
        let missing = fetcher.get(&server.url(path)).await.expect_err("no success");
        assert!(is_as_told(&missing), "{path}: {missing:?}");
    }
    let (silent, port) = listener().await;
    drop(silent);
    let mut settings = server.settings();
    settings.allow_hosts = vec!["localhost".parse().expect("a host")];
    let fetcher = Fetcher::new(&settings).expect("a client");
    let missing = fetcher.get(&format!("https://localhost:{port}/")).await.expect_err("nobody");
    assert!(matches!(missing, Missing::Unreachable { .. }), "{missing:?}");
}

#[tokio::test]
async fn a_stranger_with_a_certificate_of_his_own_is_nobody() {
    let server = Server::start(|_| Reply::ok(b"{}")).await;
    let mut settings = server.settings();
    settings.authorities.clear();
    let missing = Fetcher::new(&settings).expect("a client").get(&server.url("")).await.expect_err("no trust");
    assert!(matches!(missing, Missing::Unreachable { .. }), "{missing:?}");
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn answers_are_bounded_in_size_and_time() {
    let server = Server::start(|path| match path {
        "long/did.json" => Reply::new(200, &format!("content-length: {}\r\n", 10 << 20), b"{").then(Ending::Endless),
        "endless/did.json" => Reply::ok(b"{").then(Ending::Endless),
        "slow" => Reply::ok(b"{").then(Ending::Stall),
        _ => Reply { bytes: Vec::new(), ending: Ending::Stall },
    })
    .await;
    let fetcher = server.fetcher();
    is_refused(fetcher.get(&server.url("long/did.json")).await, "longer than 1048576 bytes");
    is_refused(fetcher.get(&server.url("endless/did.json")).await, "longer than 1048576 bytes");
    let mut settings = server.settings();
    settings.timeout = Some(Duration::from_millis(500));
    let fetcher = Fetcher::new(&settings).expect("a client");
    for path in ["slow", "silent"] {
        let missing = fetcher.get(&server.url(path)).await.expect_err("late");
        assert!(missing.to_string().contains("no whole answer within 0.5 s"), "{missing}");
    }
}

#[tokio::test]
async fn redirects_are_followed_as_strictly_as_the_first() {
    let server = Server::start(|path| match path.split_once('=') {
        Some(("to", url)) => Reply::redirect(url),
        Some(("hops", "0")) => Reply::ok(b"here"),
        Some(("hops", left)) => Reply::redirect(&format!("/hops={}", left.parse::<u8>().expect("a number") - 1)),
        _ => Reply::redirect("/hops=0"),
    })
    .await;
    let fetcher = server.fetcher();
    let to = |url: &str| server.url(&format!("to={url}"));
    assert_eq!(&*fetcher.get(&server.url("hops=3")).await.expect("three").bytes, b"here");
    is_refused(fetcher.get(&server.url("hops=4")).await, "leads on to");
    is_refused(fetcher.get(&server.url("did.json")).await, "leads on to");
    is_refused(fetcher.get(&to(&format!("http://localhost:{}/hops=0", server.port))).await, "only https");
    is_refused(fetcher.get(&to("https://10.0.0.1/")).await, "no public address");
    is_refused(fetcher.get(&to("https://169.254.169.254/latest/meta-data")).await, "no public address");
    is_refused(fetcher.get(&to(&format!("https://127.0.0.1:{}/hops=0", server.port))).await, "no public address");
    is_refused(fetcher.get(&to("file:///etc/passwd")).await, "only https");
    is_refused(fetcher.get(&to("https://u:p@localhost/")).await, "password");
}

#[tokio::test]
async fn no_spelling_of_a_private_host_is_asked() {
    let server = Server::start(|_| Reply::ok(b"{}")).await;
    let mut settings = server.settings();
    settings.allow_hosts.clear();
    let fetcher = Fetcher::new(&settings).expect("a client");
    for host in [
        "localhost",
        "LOCALHOST",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00::1]",
        "192.168.1.1",
        "100.64.0.1",
    ] {
        is_refused(fetcher.get(&format!("https://{host}:{}/", server.port)).await, "no public address");
    }
    for (url, reason) in [
        ("http://example.edu/", "only https"),
        ("ftp://example.edu/", "only https"),
        ("file:///etc/passwd", "only https"),
        ("data:,x", "only https"),
        ("https://user@example.edu/", "user"),
        ("example.edu", "no URL"),
        ("https://", "no URL"),
        ("", "no URL"),
    ] {
        is_refused(fetcher.get(url).await, reason);
    }
    is_refused(fetcher.get(&format!("https://example.edu/{}", "x".repeat(5000))).await, "no URL");
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn the_address_that_is_looked_at_is_the_one_that_is_connected_to() {
    let server = Server::start(|_| Reply::ok(b"{}")).await;
    let mut settings = server.settings();
    let url = format!("https://example.edu:{}/", server.port);

    // A name on the public web that leads inside, alone or among others.
    for addresses in [&["127.0.0.1"][..], &["10.0.0.1", "::1", "127.0.0.1"], &[]] {
        let (names, _) = told(addresses);
        let fetcher = Fetcher::with_names(&settings, names).expect("a client");
        is_refused(fetcher.get(&url).await, &format!("no public address ({}", addresses.join(", ")));
    }
    assert!(server.asked().is_empty());

    // One look-up makes one connection: there is no second one that could be answered otherwise.
    settings.allow_hosts = vec![format!("example.edu:{}", server.port).parse().expect("a host")];
    let (names, count) = told(&["127.0.0.1"]);
    let fetcher = Fetcher::with_names(&settings, names).expect("a client");
    fetcher.get(&url).await.expect("allowed");
    assert_eq!((count.load(Ordering::SeqCst), server.asked().len()), (1, 1));
}
