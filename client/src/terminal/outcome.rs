//! How a command ends.

use testamur_chain::Error;

use crate::{anchor::AnchorError, change::ChangeError, newkey::NewKeyError, node::NodeError};

/// Exit codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exit {
    /// All valid, or done.
    #[default]
    Done = 0,
    /// Something is invalid, or was refused.
    Invalid = 1,
    /// Nothing is known to be wrong, but it could not be told, or not be done now.
    CouldNotTell = 2,
    /// The command line, or a file that it names as a setting, is wrong (sysexits' EX_USAGE).
    Usage = 64,
}

impl Exit {
    /// Both together: *invalid* outweighs *could not tell*.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Done, other) => other,
            (Self::CouldNotTell, Self::Invalid) => Self::Invalid,
            (first, _) => first,
        }
    }
}

/// Why a command ended early: what was wrong and what to do, for people.
#[derive(Debug)]
pub struct Failure {
    /// What people read.
    pub message: String,
    /// What programs read.
    pub exit: Exit,
}

impl Failure {
    /// The command line, or a file that it names as a setting, is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit: Exit::Usage }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match &error {
            Error::Url | Error::KeyFile { .. } => Exit::Usage,
            Error::Reverted { .. }
            | Error::WrongChain { .. }
            | Error::NoCode { .. }
            | Error::WrongCode { .. }
            | Error::NoProxy { .. }
            | Error::NotSent(_)
            | Error::Failed { .. } => Exit::Invalid,
            _ => Exit::CouldNotTell,
        };
        let advice = match &error {
            Error::Reverted { error } | Error::Failed { reason: error, .. } => advice(error),
            _ => None,
        };
        let message = advice.map_or_else(|| error.to_string(), |advice| format!("{error}\n{advice}"));
        Self { message, exit }
    }
}

/// What to do about an error of the contract, by the name that it begins with.
fn advice(revert: &str) -> Option<&'static str> {
    const ADVICE: [(&str, &str); 4] = [
        (
            "NotAuthorized",
            "Use the key of the issuer's controller; `testamur issuer show` tells which account that is.",
        ),
        ("NotProposed", "The controller proposes this account first: `testamur issuer controller propose`."),
        ("NotAnchored", "Check the root, the issuer and the chain; `testamur receipt show` tells all three."),
        ("AlreadyWithdrawn", "Nothing is left to do."),
    ];
    ADVICE.iter().find(|(name, _)| revert.contains(name)).map(|(_, advice)| *advice)
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        let exit = if error.is_transient() { Exit::CouldNotTell } else { Exit::Invalid };
        Self { message: error.to_string(), exit }
    }
}

impl From<AnchorError> for Failure {
    fn from(error: AnchorError) -> Self {
        match error {
            AnchorError::Node(error) => error.into(),
            error => Self { message: error.to_string(), exit: Exit::CouldNotTell },
        }
    }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        let message = error.to_string();
        let exit = match error {
            ChangeError::Chain(error) => return error.into(),
            ChangeError::Node { error, .. } | ChangeError::Waiting { error, .. } if error.is_transient() => {
                Exit::CouldNotTell
            }
            ChangeError::Node { .. }
            | ChangeError::Waiting { .. }
            | ChangeError::ManyRefused { .. }
            | ChangeError::TooMuchGas { .. } => Exit::Invalid,
            _ => Exit::CouldNotTell,
        };
        Self { message, exit }
    }
}

impl From<NewKeyError> for Failure {
    fn from(error: NewKeyError) -> Self {
        let exit = match error {
            NewKeyError::Password { .. } | NewKeyError::Key(_) => Exit::Usage,
            _ => Exit::Invalid,
        };
        Self { message: error.to_string(), exit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_outweighs_could_not_tell() {
        assert_eq!(Exit::Done.and(Exit::CouldNotTell).and(Exit::Invalid), Exit::Invalid);
        assert_eq!(Exit::Invalid.and(Exit::CouldNotTell).and(Exit::Done), Exit::Invalid);
        assert_eq!(Exit::CouldNotTell.and(Exit::Done), Exit::CouldNotTell);
    }

    #[test]
    fn a_revert_comes_with_the_next_step() {
        let failure = Failure::from(Error::Reverted { error: "NotProposed(0x…)".to_owned() });
        assert!(failure.message.contains("controller propose") && failure.exit == Exit::Invalid);
    }
}
