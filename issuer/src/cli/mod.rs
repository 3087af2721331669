//! The commands, and what their exit codes mean.

mod export;
mod failure;
mod init;
mod invite;
mod issue;
mod key;
mod links;
mod list;
mod making;
mod named;
mod progress;
mod reissue;
mod renew;
mod revoke;
mod serve;
mod suspend;
mod template;
mod user;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};
use testamur::terminal::{Console, Exit, Failure};
use testamur_core::UnixSeconds;
use testamur_issuer::{
    config::{self, Settings},
    store::Store,
};

const AFTER_HELP: &str = "\
Exit codes: 0 done; 1 something was refused or is wrong; 2 could not be done now; 64 wrong usage.

Example: from nothing to credentials
  testamur-issuer init --name 'Example University' --node https://node.example
  testamur-issuer issue --template botany --roster people.csv --out diplomas/";

/// Issues Open Badges 3.0 that are signed, anchored with a Testamur node, and revocable.
#[derive(Parser)]
#[command(name = "testamur-issuer", version, after_help = AFTER_HELP)]
struct Cli {
    /// Print JSON, one object a line, in place of text.
    #[arg(long, global = true, help_heading = "Output")]
    json: bool,
    /// Print errors only; the exit code tells the rest.
    #[arg(long, short, global = true, conflicts_with = "json", help_heading = "Output")]
    quiet: bool,
    /// The configuration.
    #[arg(long, global = true, value_name = "FILE", env = "TESTAMUR_ISSUER_CONFIG", default_value = config::FILE)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Args),
    #[command(subcommand)]
    Key(key::Command),
    /// Check templates, or begin one.
    #[command(subcommand)]
    Template(template::Command),
    Issue(issue::Args),
    List(list::Args),
    Invite(invite::Args),
    Export(export::Args),
    Revoke(revoke::Args),
    /// Say who may sign in to the studio.
    #[command(subcommand)]
    User(user::Command),
    Suspend(suspend::Args),
    Reinstate(suspend::Reinstate),
    Reissue(reissue::Args),
    Renew(renew::Args),
    Serve(serve::Args),
    /// Print completions for a shell
    #[command(
        after_help = "Example:\n  testamur-issuer completions bash > ~/.local/share/bash-completion/completions/testamur-issuer"
    )]
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Reads the command line, does what it says, and tells how it went.
pub async fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let console = Console::new(cli.json, cli.quiet);
    let exit = match execute(cli.command, &cli.config, &console).await {
        Ok(exit) => exit,
        Err(failure) => {
            console.error(&failure.message);
            failure.exit
        }
    };
    ExitCode::from(exit as u8)
}

/// Help and version are what was asked for; anything else is a usage error, which exits with 64 and not clap's 2,
/// because 2 means *could not be done now* here.
fn usage(error: &clap::Error) -> ExitCode {
    // Where even the terminal is gone, there is nobody to tell.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(Exit::Usage as u8),
    }
}

async fn execute(command: Command, config: &std::path::Path, console: &Console) -> Result<Exit, Failure> {
    match command {
        Command::Init(args) => init::run(&args, config, console),
        Command::Key(command) => key::run(command, &settings(config)?, console).await,
        Command::Template(command) => template::run(command, console),
        Command::Issue(args) => issue::run(args, &settings(config)?, console).await,
        Command::Invite(args) => invite::run(args, &settings(config)?, console).await,
        Command::List(args) => list::run(&args, &settings(config)?, console),
        Command::Export(args) => export::run(&args, config, console),
        Command::Revoke(args) => revoke::run(args, &settings(config)?, console).await,
        Command::Serve(args) => serve::run(args, settings(config)?, console).await,
        Command::User(command) => user::run(command, &settings(config)?, console),
        Command::Suspend(args) => suspend::run(&args, true, &settings(config)?, console).await,
        Command::Reinstate(args) => suspend::run(&args.args, false, &settings(config)?, console).await,
        Command::Reissue(args) => reissue::run(&args, &settings(config)?, console).await,
        Command::Renew(args) => renew::run(&args, &settings(config)?, console).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "testamur-issuer", &mut script);
            console.raw(&script);
            Ok(Exit::Done)
        }
    }
}

fn settings(config: &std::path::Path) -> Result<Settings, Failure> {
    Settings::load(config).map_err(failure::of_settings)
}

fn store(settings: &Settings) -> Result<Store, Failure> {
    Store::open(&settings.store().map_err(failure::of_settings)?).map_err(failure::of_store)
}

/// The time of this machine's clock.
fn now() -> UnixSeconds {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixSeconds(since_1970.as_secs())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
