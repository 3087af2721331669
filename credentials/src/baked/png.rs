//! PNG (ISO/IEC 15948): the chunks, and the texts in them. Every length is checked against what is there.

use flate2::Crc;
use testamur_core::{Error, status::token};

use super::{Baked, Fault, MAX_TEXT, Picture};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Keywords of baked credentials: 3.0 and 2.0.
const KEYWORDS: [&[u8]; 2] = [b"openbadgecredential", b"openbadges"];
/// Between keyword and text of an `iTXt` chunk: the keyword's end, no compression (flag and method), no language and no
/// translated keyword (the ends of both).
const PLAIN: [u8; 5] = [0; 5];

struct Chunk<'a> {
    kind: [u8; 4],
    data: &'a [u8],
    /// With length, kind and checksum.
    whole: &'a [u8],
}

pub(super) fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE)
}

pub(super) fn unbake(bytes: &[u8]) -> Result<Option<Baked>, Fault> {
    let mut rest = &bytes[SIGNATURE.len()..];
    let mut picture = SIGNATURE.to_vec();
    let mut found: Option<(String, String)> = None;
    // What stands behind the last chunk is no part of the image.
    loop {
        let chunk = next(rest)?;
        let place = bytes.len() - rest.len();
        rest = &rest[chunk.whole.len()..];
        match baked_text(&chunk)? {
            None => picture.extend_from_slice(chunk.whole),
            Some(text) => {
                let name = format!("{} at byte {place}", String::from_utf8_lossy(&chunk.kind));
                if let Some((first, _)) = found {
                    return Err(Fault::Two { first, second: name });
                }
                found = Some((name, text));
            }
        }
        if chunk.kind == *b"IEND" {
            return Ok(
                found.map(|(_, text)| Baked { text, picture: Picture { media_type: "image/png", bytes: picture } })
            );
        }
    }
}

/// The image with this text directly behind its header, where readers find it first (Open Badges 3.0, 5.3.2.1). There is
/// no other in it.
pub(super) fn bake(image: &[u8], text: &str) -> Result<Vec<u8>, Fault> {
    let header = next(&image[SIGNATURE.len()..])?;
    let behind = SIGNATURE.len() + header.whole.len();
    let mut rest = &image[behind..];
    let mut kinds = vec![header.kind];
    while kinds.last() != Some(b"IEND") {
        let chunk = next(rest)?;
        rest = &rest[chunk.whole.len()..];
        kinds.push(chunk.kind);
    }
    if header.kind != *b"IHDR" || !kinds.contains(b"IDAT") {
        return Err(Fault::Damaged { what: "it has no header or no pixels" });
    }
    // What stands behind the last chunk is no part of the image.
    let end = image.len() - rest.len();
    Ok([&image[..behind], &credential_chunk(text)?, &image[behind..end]].concat())
}

fn credential_chunk(text: &str) -> Result<Vec<u8>, Fault> {
    let content = [b"iTXt", KEYWORDS[0], &PLAIN, text.as_bytes()].concat();
    let length = u32::try_from(content.len() - 4).map_err(|_| Fault::TooLarge { limit: MAX_TEXT })?;
    let mut crc = Crc::new();
    crc.update(&content);
    Ok([&length.to_be_bytes()[..], &content, &crc.sum().to_be_bytes()].concat())
}

fn next(rest: &[u8]) -> Result<Chunk<'_>, Fault> {
    let cut = Fault::Damaged { what: "a chunk is cut off, or longer than the image" };
    let (length, _) = rest.split_first_chunk::<4>().ok_or(cut.clone())?;
    let length = u32::from_be_bytes(*length) as usize;
    let whole = length.checked_add(12).and_then(|length| rest.get(..length)).ok_or(cut.clone())?;
    let (head, checksum) = whole.split_last_chunk::<4>().ok_or(cut.clone())?;
    let (kind, data) = head[4..].split_first_chunk::<4>().ok_or(cut)?;
    let mut crc = Crc::new();
    crc.update(&head[4..]);
    if crc.sum() != u32::from_be_bytes(*checksum) {
        return Err(Fault::Damaged { what: "a chunk's checksum is wrong" });
    }
    Ok(Chunk { kind: *kind, data, whole })
}

/// The text of a chunk, where its keyword says that a credential is in it.
fn baked_text(chunk: &Chunk<'_>) -> Result<Option<String>, Fault> {
    if !matches!(&chunk.kind, b"iTXt" | b"tEXt" | b"zTXt") {
        return Ok(None);
    }
    let Some((keyword, rest)) = split_zero(chunk.data) else { return Ok(None) };
    if !KEYWORDS.contains(&keyword) {
        return Ok(None);
    }
    let short = Fault::Unreadable { what: "its chunk is too short" };
    let bytes = match (&chunk.kind, rest) {
        (b"tEXt", text) => text.to_vec(),
        (b"zTXt", [0, compressed @ ..]) => inflated(compressed)?,
        (b"iTXt", [is_compressed @ (0 | 1), 0, languages @ ..]) => {
            let (_, translated) = split_zero(languages).ok_or(short.clone())?;
            let (_, text) = split_zero(translated).ok_or(short)?;
            if *is_compressed == 1 { inflated(text)? } else { text.to_vec() }
        }
        (_, rest) if rest.len() < 2 => return Err(short),
        _ => return Err(Fault::Unreadable { what: "its compression is unknown" }),
    };
    String::from_utf8(bytes).map(Some).map_err(|_| Fault::Unreadable { what: "it is not UTF-8" })
}

fn split_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let zero = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..zero], &bytes[zero + 1..]))
}

/// One ZLIB stream: what a token's status list is too, as long as its entries fill bytes.
fn inflated(compressed: &[u8]) -> Result<Vec<u8>, Fault> {
    token::decode(compressed, 8, MAX_TEXT).map_err(|error| match error {
        Error::ListTooLarge { limit } => Fault::TooLarge { limit },
        _ => Fault::Unreadable { what: "its compression is damaged" },
    })
}
