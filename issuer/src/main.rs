//! The `testamur-issuer` command: arguments in, words and exit codes out. All else is in the library.

mod cli;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    cli::run().await
}
