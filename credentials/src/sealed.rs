//! Sealed content: what a share page's server keeps and cannot read. The key is in the link behind `#`, where browsers
//! send it to nobody.
//!
//! ```text
//! link      https://HOST/c/ID#KEY        ID and KEY: 16 random bytes each, base64url without padding (22 letters)
//!
//! sealed    1 byte     0x01, the version
//!           12 bytes   nonce, random each time that something is sealed
//!           n bytes    AES-256-GCM of `padded`, no associated data
//!           16 bytes   its tag
//!
//! padded    4 bytes    length of `deflated`, big-endian
//!           4 bytes    length of the text, big-endian
//!           …          deflated: the text (JSON, or a compact JWS; UTF-8), raw DEFLATE (RFC 1951)
//!           …          zero bytes, up to n = 4,096 · 2^k for the smallest k that fits, at most 2^22
//!
//! key       HKDF-SHA-256 (RFC 5869), 32 bytes: salt = the 16 bytes of ID, input = the 16 bytes of KEY,
//!           info = "testamur sealed 1"
//! ```
//!
//! All of it is WebCrypto's (`HKDF`, `AES-GCM`) and `DecompressionStream("deflate-raw")`, which takes nothing behind the
//! end of its stream: hence the first length. The second one bounds what is inflated before a byte of it is.
//!
//! **128 bits of key** make a link of 48 letters behind the host's name instead of 69: with `https://badges.example.edu/c/`
//! it fits a line of an e-mail, and a QR code of version 5 instead of 6 (level M; version 10 holds 213 bytes). They are
//! as many as AES-128 has. The id, random itself and no function of the key, is the salt: so whoever tries keys tries
//! them on one page alone, and content under another id does not open. A new nonce each time lets a page be changed
//! under the same link. Of the content its length tells the class alone: badges without a large picture all are in the
//! first.

mod link;

use std::io::Write as _;

use aes_gcm::{Aes256Gcm, KeyInit as _, aead::Aead as _};
use flate2::{Compression, Decompress, FlushDecompress, Status, write::DeflateEncoder};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

pub use self::link::{Link, LinkFault, SealKey, SealedId};

/// The largest text that is sealed or opened, in bytes: 8 MiB, as in images.
pub const MAX_TEXT: usize = 8 << 20;
/// The largest sealed content, in bytes.
pub const MAX_SEALED: usize = AROUND + LARGEST;

const VERSION: u8 = 1;
const CONTEXT: &[u8] = b"testamur sealed 1";
const NONCE: usize = 12;
/// Version, nonce and tag.
const AROUND: usize = 1 + NONCE + 16;
/// The two lengths.
const LENGTHS: usize = 8;
const SMALLEST: usize = 1 << 12;
const LARGEST: usize = 1 << 22;

/// Why sealed content does not open, or a text is not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes are not as many as any sealed content has: most likely cut off.
    #[error("the sealed content is cut off or no sealed content: it has {found} bytes")]
    Length {
        /// Bytes that are there.
        found: usize,
    },
    /// Sealed by a later version of this format.
    #[error("the content is sealed in a later format ({version})")]
    Version {
        /// Its version.
        version: u8,
    },
    /// The key is another page's, or the content is not what was sealed. Nobody can tell which.
    #[error("the key does not open the content: the link is incomplete, or the content was altered")]
    NotOpened,
    /// Whoever holds the key sealed something else than this format says.
    #[error("the sealed content is damaged: {what}")]
    Damaged {
        /// Which part.
        what: &'static str,
    },
    /// The text is too long, or says that it is.
    #[error("the content has more than {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
}

/// Seals a text for a page. `nonce`: fresh random bytes each time, also under the same id and key.
pub fn seal(text: &str, id: &SealedId, key: &SealKey, nonce: [u8; NONCE]) -> Result<Vec<u8>, Fault> {
    let padded = pad(text)?;
    let content = cipher(id, key).encrypt(&nonce.into(), &padded[..]).expect("AES-GCM takes 64 GiB");
    Ok([&[VERSION], &nonce[..], &content].concat())
}

/// Opens what was sealed for a page.
pub fn open(sealed: &[u8], id: &SealedId, key: &SealKey) -> Result<String, Fault> {
    check_shape(sealed)?;
    let length = Fault::Length { found: sealed.len() };
    let (nonce, content) = sealed[1..].split_first_chunk::<NONCE>().ok_or(length)?;
    let padded = cipher(id, key).decrypt(&(*nonce).into(), content).map_err(|_| Fault::NotOpened)?;
    unpad(&padded)
}

/// Whether bytes look like sealed content, for whoever keeps it without the key: its version, and a length that it may
/// have.
pub fn check_shape(sealed: &[u8]) -> Result<(), Fault> {
    let length = Fault::Length { found: sealed.len() };
    match sealed.first() {
        Some(&VERSION) if sealed.len().checked_sub(AROUND).is_some_and(is_class) => Ok(()),
        Some(&VERSION) | None => Err(length),
        Some(&version) => Err(Fault::Version { version }),
    }
}

fn cipher(id: &SealedId, key: &SealKey) -> Aes256Gcm {
    let mut derived = Zeroizing::new([0; 32]);
    let hkdf = Hkdf::<Sha256>::new(Some(id.as_bytes()), key.as_bytes());
    hkdf.expand(CONTEXT, derived.as_mut()).expect("HKDF gives 32 bytes");
    Aes256Gcm::new(&(*derived).into())
}

fn is_class(length: usize) -> bool {
    length.is_power_of_two() && (SMALLEST..=LARGEST).contains(&length)
}

fn pad(text: &str) -> Result<Vec<u8>, Fault> {
    if text.len() > MAX_TEXT {
        return Err(Fault::TooLarge { limit: MAX_TEXT });
    }
    let mut encoder = DeflateEncoder::new(vec![0; LENGTHS], Compression::best());
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    let mut padded = written.expect("a vector takes all bytes");
    let length = |bytes: usize| u32::try_from(bytes).expect("neither has 4 GiB").to_be_bytes();
    let deflated = padded.len() - LENGTHS;
    padded[..4].copy_from_slice(&length(deflated));
    padded[4..LENGTHS].copy_from_slice(&length(text.len()));
    let class = padded.len().next_power_of_two().max(SMALLEST);
    if class > LARGEST {
        return Err(Fault::TooLarge { limit: LARGEST - LENGTHS });
    }
    padded.resize(class, 0);
    Ok(padded)
}

fn unpad(padded: &[u8]) -> Result<String, Fault> {
    let damaged = |what| Fault::Damaged { what };
    let (lengths, rest) = padded.split_first_chunk::<LENGTHS>().ok_or(damaged("it has no lengths"))?;
    let [deflated, length] =
        [&lengths[..4], &lengths[4..]].map(|bytes| bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b)));
    if length > MAX_TEXT {
        return Err(Fault::TooLarge { limit: MAX_TEXT });
    }
    let deflated = rest.get(..deflated).ok_or(damaged("it is longer than its place"))?;
    let inflated = inflate(deflated, length).ok_or(damaged("its compression"))?;
    String::from_utf8(inflated).map_err(|_| damaged("it is not UTF-8"))
}

/// Exactly one DEFLATE stream of exactly this many bytes.
fn inflate(deflated: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut inflater = Decompress::new(false);
    // Room for one byte more shows that there is more; beyond its room nothing is inflated.
    let mut text = Vec::with_capacity(length + 1);
    let status = inflater.decompress_vec(deflated, &mut text, FlushDecompress::Finish).ok()?;
    let is_whole = status == Status::StreamEnd && inflater.total_in() == deflated.len() as u64;
    (is_whole && text.len() == length).then_some(text)
}

#[cfg(test)]
mod tests;
