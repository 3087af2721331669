//! `testamur-issuer serve`

use testamur::terminal::{Console, Exit, Failure};
use testamur_issuer::{
    config::Settings,
    sharing::{Sharing, SharingError},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Serve the learners' pages, until SIGINT or SIGTERM
#[derive(clap::Args)]
pub struct Args {}

pub async fn run(_: Args, settings: Settings, console: &Console) -> Result<Exit, Failure> {
    log();
    let shutdown = CancellationToken::new();
    end_on_signal(shutdown.clone())?;
    serve_pages(&settings, shutdown, console).await?;
    Ok(Exit::Done)
}

async fn serve_pages(settings: &Settings, shutdown: CancellationToken, console: &Console) -> Result<(), Failure> {
    let Some(share) = &settings.share else { return Ok(()) };
    let sharing = Sharing::open(settings).map_err(of_sharing)?;
    let listener = bind(share.listen).await?;
    let address = listener.local_addr().map_err(|error| could_not("listen", &error))?;
    console.line(&format!("learners' pages: http://{address}/"));
    console.object(&serde_json::json!({ "share": format!("http://{address}/") }));
    sharing.run(listener, shutdown).await;
    Ok(())
}

async fn bind(address: std::net::SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| could_not(&format!("listen on {address}"), &error))
}

fn end_on_signal(shutdown: CancellationToken) -> Result<(), Failure> {
    let listen = |kind| signal(kind).map_err(|error| could_not("listen for signals", &error));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        shutdown.cancel();
    });
    Ok(())
}

/// To standard error, where service managers look.
fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

fn of_sharing(error: SharingError) -> Failure {
    match error {
        SharingError::NotConfigured | SharingError::Settings(_) => Failure::usage(error.to_string()),
        _ => Failure { message: error.to_string(), exit: Exit::CouldNotTell },
    }
}

fn could_not(what: &str, error: &std::io::Error) -> Failure {
    Failure { message: format!("could not {what}: {error}"), exit: Exit::CouldNotTell }
}
