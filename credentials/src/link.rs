//! A whole credential in the fragment of a link: `https://any.example/verify#c1.<base64url of raw DEFLATE>`.
//!
//! Browsers do not send the fragment to the server: whoever hosts the page does not learn what is verified.

use std::io::{Read, Write};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};

/// What the fragment begins with: version 1 of this format.
pub const PREFIX: &str = "c1.";

/// Bytes of a credential that a link may carry, inflated. Browsers take links of about 2 MiB at most.
pub const MAX_BYTES: usize = 2 << 20;

/// Why a link carries no credential that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The fragment does not begin with [`PREFIX`].
    #[error("the link carries no credential")]
    NoCredential,
    /// Not base64url without padding, or not one whole DEFLATE stream: cut off, perhaps, when it was copied.
    #[error("the link was cut off, or changed")]
    Broken,
    /// More than [`MAX_BYTES`].
    #[error("the link carries more than {MAX_BYTES} bytes")]
    TooLarge,
}

/// The fragment (without `#`) that carries a credential.
pub fn encode(credential: &[u8]) -> String {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(credential).and_then(|()| encoder.finish());
    let mut fragment = PREFIX.to_owned();
    URL_SAFE_NO_PAD.encode_string(written.expect("writing to a vector does not fail"), &mut fragment);
    fragment
}

/// The credential in a link's fragment, with or without its `#`, or in a whole link.
pub fn decode(link: &str) -> Result<Vec<u8>, LinkError> {
    let fragment = link.rsplit_once('#').map_or(link, |(_, fragment)| fragment);
    let text = fragment.strip_prefix(PREFIX).ok_or(LinkError::NoCredential)?;
    if text.len() > 2 * MAX_BYTES {
        return Err(LinkError::TooLarge);
    }
    let compressed = URL_SAFE_NO_PAD.decode(text).map_err(|_| LinkError::Broken)?;
    let mut decoder = DeflateDecoder::new(&compressed[..]);
    let mut out = Vec::new();
    // One byte more than is taken shows that there is more.
    let read = decoder.by_ref().take(MAX_BYTES as u64 + 1).read_to_end(&mut out);
    if out.len() > MAX_BYTES {
        return Err(LinkError::TooLarge);
    }
    let whole = read.is_ok() && decoder.total_in() == compressed.len() as u64;
    if whole { Ok(out) } else { Err(LinkError::Broken) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_travels_in_a_link() {
        let credential = br#"{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"]}"#;
        let fragment = encode(credential);
        assert!(fragment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{fragment}");
        for link in [fragment.clone(), format!("#{fragment}"), format!("https://any.example/verify?lang=es#{fragment}")]
        {
            assert_eq!(decode(&link).as_deref(), Ok(&credential[..]));
        }
        assert_eq!(decode("https://any.example/verify"), Err(LinkError::NoCredential));
        for cut in PREFIX.len()..fragment.len() {
            assert_eq!(decode(&fragment[..cut]), Err(LinkError::Broken), "{cut}");
        }
        assert_eq!(decode(&format!("{fragment}AAAA")), Err(LinkError::Broken));
        assert_eq!(decode(&format!("{fragment}=")), Err(LinkError::Broken));
    }

    #[test]
    fn a_bomb_is_refused() {
        assert_eq!(decode(&encode(&vec![0; MAX_BYTES])).map(|bytes| bytes.len()), Ok(MAX_BYTES));
        assert_eq!(decode(&encode(&vec![0; MAX_BYTES + 1])), Err(LinkError::TooLarge));
    }
}
