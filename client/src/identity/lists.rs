//! The lists of recognised issuers that a verifier trusts: files of its own, or at URLs.

use std::path::Path;

use testamur_core::checked::Missing;
use testamur_credentials::{Supplied, recognised::RecognisedList, ties::Listed};

use super::Library;
use crate::{clock, files};

/// The longest list: 50,000 issuers with their names and accounts.
const LONGEST: usize = 16 << 20;

/// Reads the lists, in their order. One at a URL that cannot be had is kept as missing; an error is a file that cannot be
/// read, or that is no list: that is for the user to mend.
pub async fn load(names: &[String], library: &Library) -> Result<Vec<Listed>, String> {
    let mut lists = Vec::with_capacity(names.len());
    for name in names {
        let supplied = if name.contains("://") { library.document(name).await } else { Ok(local(name)?) };
        let list = supplied.and_then(|supplied| read(name, &supplied));
        if let (Err(missing), false) = (&list, name.contains("://")) {
            return Err(missing.to_string());
        }
        lists.push(Listed { name: name.clone(), list });
    }
    Ok(lists)
}

fn read(name: &str, supplied: &Supplied) -> Result<(RecognisedList, testamur_core::UnixSeconds), Missing> {
    let list = RecognisedList::parse(&supplied.bytes);
    let list = list.map_err(|reason| Missing::Unreadable { what: name.to_owned(), reason })?;
    Ok((list, supplied.as_of))
}

fn local(name: &str) -> Result<Supplied, String> {
    let bytes = files::read_up_to(Path::new(name), LONGEST).map_err(|error| format!("{name}: {error}"))?;
    let bytes = bytes.map_err(|error| format!("{name}: {error}"))?;
    Ok(Supplied { bytes: bytes.into(), as_of: clock::now() })
}
