//! How errors of the library end a command.

use testamur::terminal::{Exit, Failure};
use testamur_issuer::{config::SettingsError, issue::IssueError, keys::KeysError, store::StoreError};

/// The configuration, or a file that it names, is wrong.
pub fn of_settings(error: SettingsError) -> Failure {
    Failure::usage(error.to_string())
}

/// There is no key, or it does not change as asked.
pub fn of_keys(error: KeysError) -> Failure {
    let exit = match &error {
        KeysError::Disk { .. } | KeysError::Randomness(_) => Exit::CouldNotTell,
        KeysError::File(_) | KeysError::List { .. } | KeysError::Mixed { .. } => Exit::Usage,
        _ => Exit::Invalid,
    };
    Failure { message: error.to_string(), exit }
}

/// The store cannot be used now.
pub fn of_store(error: StoreError) -> Failure {
    Failure { message: error.to_string(), exit: Exit::CouldNotTell }
}

/// A run ended early.
pub fn of_issue(error: IssueError) -> Failure {
    let exit = match &error {
        IssueError::Receipt { .. } => Exit::Invalid,
        IssueError::Node(node) if !node.is_transient() => Exit::Invalid,
        _ => Exit::CouldNotTell,
    };
    let message = format!("{error}\nNothing is lost: the same command goes on from here.");
    Failure { message, exit }
}
