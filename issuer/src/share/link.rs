//! The link with the whole credential behind `#`: no server is needed to keep it, and none learns of it.

use testamur_credentials::link;

use super::{NoWebLink, escape::is_web};

/// The link to a verifying page (`https://verify.example/verify/`) with the credential in its fragment.
pub fn whole(page: &str, credential: &[u8]) -> Result<String, NoWebLink> {
    if !is_web(page) {
        return Err(NoWebLink);
    }
    let page = page.split('#').next().unwrap_or(page);
    Ok(format!("{page}#{}", link::encode(credential)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credential_travels_behind_the_hash() {
        let credential = br#"{"type":["VerifiableCredential"]}"#;
        let link = whole("https://verify.example/verify/?lang=es#old", credential).unwrap();
        assert!(link.starts_with("https://verify.example/verify/?lang=es#c1."));
        assert_eq!(link::decode(&link).unwrap(), credential);
        assert_eq!(whole("javascript:alert(1)", credential), Err(NoWebLink));
    }
}
