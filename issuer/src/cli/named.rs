//! Credentials by what people call them: an id, a digest, or a file.

use std::path::Path;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use testamur::{
    change::ChangeState,
    files,
    terminal::{Console, Exit, Failure, printable},
};
use testamur_core::json;
use testamur_issuer::store::{Listed, Store};

use super::failure;

/// How settled a change must be.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum WaitFor {
    /// Durable with the node.
    Pending,
    /// In a block, which may still be undone.
    Included,
    /// In a finalized block.
    Final,
}

impl From<WaitFor> for ChangeState {
    fn from(wait: WaitFor) -> Self {
        match wait {
            WaitFor::Pending => Self::Pending,
            WaitFor::Included => Self::Included,
            WaitFor::Final => Self::Final,
        }
    }
}

/// The credentials meant, each once. What means none is told.
pub(super) fn find_all(named: &[String], store: &Store, console: &Console) -> Result<(Vec<Listed>, Exit), Failure> {
    let (mut found, mut exit) = (Vec::<Listed>::new(), Exit::Done);
    for name in named {
        let id = id_in(Path::new(name)).unwrap_or_else(|| name.clone());
        match store.find(&id).map_err(failure::of_store)? {
            Some(credential) if found.iter().any(|other| other.id == credential.id) => {}
            Some(credential) => found.push(credential),
            None => {
                console.error(&format!("{}: nothing of this id, digest or file was issued here", printable(name)));
                exit = Exit::Invalid;
            }
        }
    }
    Ok((found, exit))
}

/// The id of the credential in a file, where it is one: JSON, or a token.
fn id_in(file: &Path) -> Option<String> {
    let bytes = files::read_up_to(file, json::MAX_BYTES).ok()?.ok()?;
    let claims = match bytes.first()? {
        b'{' => bytes,
        _ => BASE64_URL_SAFE_NO_PAD.decode(bytes.split(|byte| *byte == b'.').nth(1)?).ok()?,
    };
    let credential = json::parse(&claims).ok()?;
    credential.get("id").and_then(Value::as_str).map(str::to_owned)
}
