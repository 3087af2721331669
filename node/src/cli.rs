//! The command line. What it prints for programs (`--json`) is one JSON value on standard output.

mod mirror;
mod snapshot;
mod token;

use std::{
    io::{self, IsTerminal},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, CommandFactory, Parser, Subcommand, error::ErrorKind};
use clap_complete::Shell;
use serde_json::json;
use testamur_node::{
    check::{self, CheckError},
    config::{Config, ConfigError, FILE_VARIABLE, Log, LogFormat},
    mirror::{snapshot::SnapshotError, transfer::TransferError},
    run::{Node, RunError},
    tokens::TokenError,
};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Exit status of a command that cannot be understood (sysexits' EX_USAGE).
const USAGE: u8 = 64;
/// Exit status of a check that could not be made.
const COULD_NOT_TELL: u8 = 2;

/// The registry server: takes digests, seals batches, anchors their roots, answers receipts.
#[derive(Parser)]
#[command(name = "testamur-node", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server until SIGINT or SIGTERM.
    Serve,
    /// Serve the status of any issuer from the chain alone, until SIGINT or SIGTERM. Needs no key, no token, and no node.
    Mirror(mirror::Arguments),
    /// Bring status snapshots into a mirror, and out of it.
    #[command(subcommand)]
    Snapshot(snapshot::Command),
    /// Verify everything stored, against itself and the chain. The server must not run meanwhile.
    ///
    /// Exit status 0: all is well; 1: something is false; 2: something could not be told.
    Check,
    /// Print the effective configuration, without secrets.
    Config,
    /// Make, list and revoke bearer tokens. Works while the server runs.
    #[command(subcommand)]
    Token(token::Command),
    /// Print a completion script.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// Where the configuration comes from: flags beat TESTAMUR_NODE_… variables beat the file.
#[derive(Args)]
struct Settings {
    /// The configuration file (TOML).
    #[arg(long, global = true, env = FILE_VARIABLE, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the node's data.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where HTTP is served.
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Any other key of the configuration, e.g. seal.max_age_seconds=60. No secrets here: other users can read
    /// command lines.
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = parse_setting)]
    set: Vec<(String, String)>,
    /// Print one JSON value instead of text.
    #[arg(long, global = true)]
    json: bool,
}

/// What went wrong, in the end.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Transfer(#[from] TransferError),
    #[error("{}: {source}", file.display())]
    Snapshot { file: PathBuf, source: SnapshotError },
    #[error("{url}: {detail}")]
    Fetch { url: String, detail: String },
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("log.filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("cannot print the configuration: {0}")]
    Print(#[from] toml::ser::Error),
}

impl Failure {
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// Runs the command of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Where standard error is closed, the exit status has to do.
            let _ = error.print();
            return if asked { ExitCode::SUCCESS } else { USAGE.into() };
        }
    };
    match run(cli) {
        Ok(status) => status,
        Err(failure) => {
            eprintln!("error: {failure}");
            match failure {
                Failure::Config(_) | Failure::Filter(_) => USAGE.into(),
                // Nothing was found false: it could not be checked.
                Failure::Check(_) => COULD_NOT_TELL.into(),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn run(Cli { command, settings }: Cli) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve => serve(settings.load()?, settings.json)?,
        Command::Check => return check(&settings.load()?, settings.json),
        Command::Config => print_config(&settings.load()?, settings.json)?,
        Command::Mirror(arguments) => mirror::run(&arguments, &settings)?,
        Command::Snapshot(command) => snapshot::run(command, &settings)?,
        Command::Token(command) => token::run(command, &settings.data_dir()?, settings.json)?,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "testamur-node", &mut io::stdout());
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Settings {
    fn load(&self) -> Result<Config, ConfigError> {
        Config::load(self.config.as_deref(), std::env::vars(), &self.pairs())
    }

    fn data_dir(&self) -> Result<PathBuf, ConfigError> {
        Config::load_data_dir(self.config.as_deref(), std::env::vars(), &self.pairs())
    }

    fn pairs(&self) -> Vec<(String, String)> {
        let data_dir = self.data_dir.as_ref().map(|dir| dir.display().to_string());
        let flags = [("data_dir", data_dir), ("listen", self.listen.map(|address| address.to_string()))];
        let flags = flags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        self.set.iter().cloned().chain(flags).collect()
    }
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

fn serve(config: Config, as_json: bool) -> Result<(), Failure> {
    start_log(&config.log)?;
    runtime()?.block_on(async {
        let shutdown = CancellationToken::new();
        stop_on_signal(&shutdown)?;
        let node = Node::start(config, shutdown).await?;
        announce(node.address(), as_json);
        node.run().await;
        Ok(())
    })
}

/// Says on standard output where HTTP is served.
fn announce(address: SocketAddr, as_json: bool) {
    let url = format!("http://{address}");
    if as_json {
        println!("{}", json!({ "listening": url }));
    } else {
        println!("listening on {url}");
    }
}

fn check(config: &Config, as_json: bool) -> Result<ExitCode, Failure> {
    start_log(&config.log)?;
    Ok(runtime()?.block_on(check::run(config, as_json))?)
}

fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(Failure::io("cannot start the runtime"))
}

/// The first SIGINT or SIGTERM stops the node gently, a second one at once.
fn stop_on_signal(shutdown: &CancellationToken) -> Result<(), Failure> {
    let failed = || Failure::io("cannot listen for signals");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed())?;
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if shutdown.is_cancelled() {
                std::process::exit(1);
            }
            shutdown.cancel();
        }
    });
    Ok(())
}

fn start_log(log: &Log) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&log.filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let builder = builder.with_ansi(io::stderr().is_terminal());
    match log.format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}

fn print_config(config: &Config, as_json: bool) -> Result<(), Failure> {
    if as_json {
        println!("{}", serde_json::to_string(config).expect("a configuration has only JSON values"));
    } else {
        print!("{}", config.to_toml()?);
    }
    Ok(())
}
