//! `testamur-issuer serve`

use testamur::terminal::{Console, Exit, Failure};
use testamur_issuer::{
    config::Settings,
    server,
    studio::{self, Studio, StudioError},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

const AFTER_HELP: &str = "\
The table [studio] of the configuration says where it listens. Somebody who may sign in is added
with `testamur-issuer user add NAME --role admin`. RUST_LOG=debug logs more.

Example:
  testamur-issuer serve --config /etc/testamur/issuer.toml";

/// Serve the web studio, until SIGINT or SIGTERM
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {}

pub async fn run(_: Args, settings: Settings, console: &Console) -> Result<Exit, Failure> {
    log();
    let shutdown = CancellationToken::new();
    end_on_signal(shutdown.clone())?;
    serve_studio(settings, shutdown, console).await?;
    Ok(Exit::Done)
}

async fn serve_studio(settings: Settings, shutdown: CancellationToken, console: &Console) -> Result<(), Failure> {
    let studio = Studio::open(settings, shutdown.clone()).map_err(of_studio)?;
    let listener = bind(studio.listen()).await?;
    let address = listener.local_addr().map_err(|error| could_not("listen", &error))?;
    let work = studio.work().map_err(|error| could_not("begin a thread for runs", &error))?;
    console.line(&format!("studio: http://{address}/studio/"));
    console.object(&serde_json::json!({ "studio": format!("http://{address}/studio/") }));
    server::serve(listener, studio::router(studio), shutdown).await;
    // It has seen the shutdown, and writes down what it has.
    let ended = tokio::task::spawn_blocking(move || work.join()).await;
    if !matches!(ended, Ok(Ok(()))) {
        tracing::error!("the thread for runs broke down");
    }
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

fn of_studio(error: StudioError) -> Failure {
    match error {
        StudioError::NotConfigured | StudioError::Settings(_) | StudioError::Oidc(_) => {
            Failure::usage(error.to_string())
        }
        _ => Failure { message: error.to_string(), exit: Exit::CouldNotTell },
    }
}

fn could_not(what: &str, error: &std::io::Error) -> Failure {
    Failure { message: format!("could not {what}: {error}"), exit: Exit::CouldNotTell }
}
