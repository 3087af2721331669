//! An HTTPS server that answers as a test wants it to, also as no honest server would.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use testamur::fetch::{FetchSettings, Fetcher};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivatePkcs8KeyDer},
};

/// What is sent after the reply's bytes.
#[derive(Clone, Copy)]
pub enum Ending {
    Close,
    /// Nothing, for ever.
    Stall,
    /// The same again, for ever.
    Endless,
}

/// A reply, head and body as they go over the wire.
pub struct Reply {
    pub bytes: Vec<u8>,
    pub ending: Ending,
}

impl Reply {
    pub fn new(status: u16, headers: &str, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 {status} .\r\nconnection: close\r\n{headers}\r\n");
        Self { bytes: [head.as_bytes(), body].concat(), ending: Ending::Close }
    }

    pub fn ok(body: &[u8]) -> Self {
        Self::new(200, "content-type: application/x-whatever\r\n", body)
    }

    pub fn redirect(to: &str) -> Self {
        Self::new(302, &format!("location: {to}\r\n"), b"")
    }

    pub fn then(self, ending: Ending) -> Self {
        Self { ending, ..self }
    }
}

/// A server on this machine. It ends with the test's runtime.
pub struct Server {
    pub port: u16,
    /// Its certificate, for those who are to trust it.
    pub certificate: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves over TLS under the name `localhost`. `reply` is given the path.
    pub async fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let names = ["localhost", "127.0.0.1", "example.edu"].map(str::to_owned);
        let own = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![own.cert.der().clone()], key.into()).expect("its own key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (listener, port) = listener().await;
        let (reply, asked) = (Arc::new(reply), Arc::new(Mutex::new(Vec::new())));
        let server = Self { port, certificate: own.cert.pem(), asked: asked.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, reply, asked) = (acceptor.clone(), reply.clone(), asked.clone());
                tokio::spawn(async move {
                    // A client that does not trust the certificate, or goes away, is one of the things tested.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ = answer(stream, &*reply, &asked).await;
                    }
                });
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}/{path}", self.port)
    }

    /// The heads of the requests that came.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("whole").clone()
    }

    /// What trusts this server, and may ask it although it is not public.
    pub fn settings(&self) -> FetchSettings {
        FetchSettings {
            allow_hosts: vec![format!("localhost:{}", self.port).parse().expect("a host")],
            authorities: vec![reqwest::Certificate::from_pem(self.certificate.as_bytes()).expect("a certificate")],
            timeout: Some(Duration::from_secs(20)),
        }
    }

    pub fn fetcher(&self) -> Fetcher {
        Fetcher::new(&self.settings()).expect("a client")
    }
}

/// A listener on a free port of this machine.
pub async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    (listener, port)
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    reply: &(impl Fn(&str) -> Reply + ?Sized),
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    asked.lock().expect("whole").push(head);
    let Reply { bytes, ending } = reply(&path);
    stream.write_all(&bytes).await?;
    match ending {
        Ending::Close => stream.shutdown().await,
        Ending::Stall => std::future::pending().await,
        Ending::Endless => loop {
            stream.write_all(&[b' '; 16 << 10]).await?;
        },
    }
}
