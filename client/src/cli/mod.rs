//! The commands, and what their exit codes mean.

mod acts;
mod anchor;
mod audit;
mod change;
mod evidence;
mod issuer;
mod key;
mod node;
mod receipt;
mod registry;
mod replay;
mod reserve;
mod status;
mod verify;
mod view;

use std::{
    collections::HashSet,
    fs,
    path::PathBuf,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};
use testamur::{
    change::Action,
    files,
    terminal::{Console, Exit, Failure},
};
use testamur_core::UnixSeconds;

const AFTER_HELP: &str = "\
Exit codes: 0 valid, or done; 1 invalid, or refused; 2 could not tell; 64 wrong usage.

Example: verify a diploma against the chain itself
  testamur verify diploma.json --rpc https://rpc.example";

/// Anchors credentials with a Testamur node, and verifies them against the chain itself.
#[derive(Parser)]
#[command(name = "testamur", version, after_help = AFTER_HELP)]
struct Cli {
    /// Print JSON, one object a line, in place of text.
    #[arg(long, global = true, help_heading = "Output")]
    json: bool,
    /// Print errors only; the exit code tells the rest.
    #[arg(long, short, global = true, conflicts_with = "json", help_heading = "Output")]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Anchor(anchor::Args),
    Reserve(reserve::Args),
    Verify(verify::Args),
    Evidence(evidence::Args),
    Replay(replay::Args),
    Status(status::Args),
    /// Revoke credentials, for good
    #[command(after_help = change::AFTER_HELP)]
    Revoke(change::Args),
    /// Suspend credentials, until they are reinstated
    #[command(after_help = change::AFTER_HELP)]
    Suspend(change::Args),
    /// Lift the suspension of credentials
    #[command(after_help = change::AFTER_HELP)]
    Reinstate(change::Args),
    Audit(audit::Args),
    /// Look at an issuer on the chain, or act for it there.
    #[command(subcommand)]
    Issuer(issuer::Command),
    /// Look at the registry contract, or deploy it.
    #[command(subcommand)]
    Registry(registry::Command),
    /// Make keys, and tell the accounts they control.
    #[command(subcommand)]
    Key(key::Command),
    /// Look at the receipts of anchored files.
    #[command(subcommand)]
    Receipt(receipt::Command),
    /// Print completions for a shell
    #[command(
        after_help = "Example:\n  testamur completions bash > ~/.local/share/bash-completion/completions/testamur"
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
    let exit = match execute(cli.command, &console).await {
        Ok(exit) => exit,
        Err(failure) => {
            console.error(&failure.message);
            failure.exit
        }
    };
    ExitCode::from(exit as u8)
}

/// Help and version are what was asked for; anything else is a usage error, which exits with 64 and not clap's 2,
/// because 2 means *could not tell* here.
fn usage(error: &clap::Error) -> ExitCode {
    // Where even the terminal is gone, there is nobody to tell.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(Exit::Usage as u8),
    }
}

async fn execute(command: Command, console: &Console) -> Result<Exit, Failure> {
    match command {
        Command::Anchor(args) => anchor::run(args, console).await,
        Command::Reserve(args) => reserve::run(args, console).await,
        Command::Verify(args) => verify::run(args, console).await,
        Command::Evidence(args) => evidence::run(args, console).await,
        Command::Replay(args) => replay::run(args, console).await,
        Command::Status(args) => status::run(args, console).await,
        Command::Revoke(args) => change::run(Action::Revoke, args, console).await,
        Command::Suspend(args) => change::run(Action::Suspend, args, console).await,
        Command::Reinstate(args) => change::run(Action::Reinstate, args, console).await,
        Command::Audit(args) => audit::run(args, console).await,
        Command::Issuer(command) => issuer::run(command, console).await,
        Command::Registry(command) => registry::run(command, console).await,
        Command::Key(command) => key::run(command, console),
        Command::Receipt(receipt::Command::Show { files }) => receipt::show(&files, console),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "testamur", &mut script);
            console.raw(&script);
            Ok(Exit::Done)
        }
    }
}

/// The files that the arguments mean, each once; a receipt, or an anchoring under way, means the file that it stands beside.
fn paths(arguments: &[PathBuf], console: &Console) -> (Vec<PathBuf>, Exit) {
    let (mut paths, mut known, mut exit) = (Vec::new(), HashSet::new(), Exit::Done);
    for argument in arguments {
        let argument = files::accompanied_file(argument).unwrap_or_else(|| argument.clone());
        match files::expand(&argument) {
            Ok(files) => paths.extend(files),
            Err(error) => {
                console.error(&format!("{}: {error}", argument.display()));
                exit = Exit::CouldNotTell;
            }
        }
    }
    paths.retain(|path| known.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    (paths, exit)
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
