//! Who is it? What answers that stands elsewhere, and is fetched here: documents of DIDs, DNS records, lists of
//! recognised issuers. What follows from it is told by `testamur_credentials`, which does no I/O.

mod desk;
pub mod dns;
mod library;
pub mod lists;

use std::{fs, path::Path};

use reqwest::Certificate;
use testamur_core::{checked::Missing, policy::Policy};
use testamur_credentials::ties::Known;
use testamur_linked_data::{Canonicalizer, Contexts};

pub use desk::Desk;
pub use dns::{Dns, DnsServer};
pub use library::{Library, ROUNDS};

use crate::{
    fetch::{FetchSettings, Fetcher},
    policy::Sources,
};

/// A library that fetches as the configuration says. An error is in the configuration; a resolver that cannot be reached
/// is none.
pub async fn open(sources: &Sources) -> Result<Library, String> {
    let authorities = sources.authorities.as_deref().map(certificates).transpose()?.unwrap_or_default();
    let settings = FetchSettings { allow_hosts: sources.allow_hosts.clone(), authorities, timeout: None };
    let fetcher = Fetcher::new(&settings).map_err(|error| error.to_string())?;
    let library = with_canonical(Library::online(fetcher), sources)?;
    Ok(match &sources.dns {
        Some(server) => library.with_dns(Dns::connect(server).await),
        None => library,
    })
}

/// A library that fetches nothing. An error is in the configuration.
pub fn offline(sources: &Sources) -> Result<Library, String> {
    with_canonical(Library::offline(), sources)
}

/// What the verifier brings along: the lists and statements that its configuration names, and the issuers of its policy.
pub async fn known(sources: &Sources, policy: &Policy, library: &Library) -> Result<Known, String> {
    let read =
        |path: &std::path::PathBuf| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let statements = sources.statements.iter().map(read).collect::<Result<_, _>>()?;
    let lists = lists::load(&sources.lists, library).await?;
    Ok(Known::new(lists, statements, policy))
}

fn with_canonical(library: Library, sources: &Sources) -> Result<Library, String> {
    let canonicalizer = Canonicalizer::new(contexts(sources)?);
    Ok(library.with_canonical(move |document| canonicalizer.hash(document).map_err(Missing::from)))
}

/// The contexts that are carried, and those that the configuration adds.
fn contexts(sources: &Sources) -> Result<Contexts, String> {
    let add = |contexts: Contexts, (url, path): (&String, &std::path::PathBuf)| {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        contexts.with(url, &bytes).map_err(|error| format!("{}: {error}", path.display()))
    };
    sources.contexts.iter().try_fold(Contexts::carried(), add)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let pem = fs::read(path).map_err(|error| wrong(&error))?;
    Certificate::from_pem_bundle(&pem).map_err(|error| wrong(&error))
}
