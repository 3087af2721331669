//! `testamur-issuer serve`

use testamur::terminal::{Console, Exit, Failure};
use testamur_issuer::{
    config::Settings,
    server,
    sharing::{Sharing, SharingError},
    studio::{self, Studio, StudioError},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

const AFTER_HELP: &str = "\
The tables [studio] and [share] of the configuration say what is served, and where it listens. Somebody who
may sign in to the studio is added with `testamur-issuer user add NAME --role admin`. With a table [mail],
the mails that wait are sent. RUST_LOG=debug logs more.

Example:
  testamur-issuer serve --config /etc/testamur/issuer.toml";

/// Serve the web studio and the learners' pages, until SIGINT or SIGTERM
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {}

pub async fn run(_: Args, settings: Settings, console: &Console) -> Result<Exit, Failure> {
    if settings.studio.is_none() && settings.share.is_none() {
        return Err(Failure::usage("there is nothing to serve: the configuration has neither [studio] nor [share]"));
    }
    log();
    let shutdown = CancellationToken::new();
    end_on_signal(shutdown.clone())?;
    let pages = end_with(serve_pages(&settings, shutdown.clone(), console), &shutdown);
    let studio = end_with(serve_studio(settings.clone(), shutdown.clone(), console), &shutdown);
    let (pages, studio) = tokio::join!(pages, studio);
    pages.and(studio)?;
    Ok(Exit::Done)
}

/// Where one cannot be served, the other ends as well, in order.
async fn end_with<T>(
    serving: impl Future<Output = Result<T, Failure>>,
    shutdown: &CancellationToken,
) -> Result<T, Failure> {
    let served = serving.await;
    if served.is_err() {
        shutdown.cancel();
    }
    served
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

async fn serve_studio(settings: Settings, shutdown: CancellationToken, console: &Console) -> Result<(), Failure> {
    if settings.studio.is_none() {
        return Ok(());
    }
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

fn of_sharing(error: SharingError) -> Failure {
    match error {
        SharingError::NotConfigured | SharingError::Settings(_) => Failure::usage(error.to_string()),
        _ => Failure { message: error.to_string(), exit: Exit::CouldNotTell },
    }
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
