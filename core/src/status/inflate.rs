//! Decompression of what strangers send: never more than was asked for, and nothing but one whole stream.

use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status, bufread::GzDecoder};

use crate::Error;

/// Room that is made in one step, in bytes.
const STEP: usize = 1 << 14;

/// Inflates one GZIP member (RFC 1952).
pub fn gzip(compressed: &[u8], max_bytes: usize) -> Result<Vec<u8>, Error> {
    let mut decoder = GzDecoder::new(compressed);
    let mut out = Vec::new();
    // One byte more than is taken shows that there is more.
    let read = decoder.by_ref().take((max_bytes as u64).saturating_add(1)).read_to_end(&mut out);
    if out.len() > max_bytes {
        return Err(Error::ListTooLarge { limit: max_bytes });
    }
    // A member that is cut off lacks the checksum at its end, which the decoder wants to see.
    let whole = read.is_ok() && decoder.get_ref().is_empty();
    if whole { Ok(out) } else { Err(Error::ListCompression) }
}

/// Inflates one ZLIB stream (RFC 1950). By hand, because flate2's reader takes the end of its input for the end of the stream.
pub fn zlib(compressed: &[u8], max_bytes: usize) -> Result<Vec<u8>, Error> {
    let mut inflater = Decompress::new(true);
    let mut out = Vec::new();
    let mut before = None;
    loop {
        out.reserve(STEP);
        let rest = &compressed[inflater.total_in() as usize..];
        let status = inflater.decompress_vec(rest, &mut out, FlushDecompress::None);
        let status = status.map_err(|_| Error::ListCompression)?;
        let now = Some((inflater.total_in(), inflater.total_out()));
        if out.len() > max_bytes {
            return Err(Error::ListTooLarge { limit: max_bytes });
        }
        if status == Status::StreamEnd {
            let whole = inflater.total_in() == compressed.len() as u64;
            return if whole { Ok(out) } else { Err(Error::ListCompression) };
        }
        // With room to go on and nowhere to go: the input is cut off.
        if now == before {
            return Err(Error::ListCompression);
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{
        Compression,
        write::{GzEncoder, ZlibEncoder},
    };

    use super::*;

    type Inflate = fn(&[u8], usize) -> Result<Vec<u8>, Error>;

    /// Some content, as GZIP and as ZLIB.
    fn both(content: &[u8]) -> [(Inflate, Vec<u8>); 2] {
        let mut gz = GzEncoder::new(Vec::new(), Compression::best());
        let mut zl = ZlibEncoder::new(Vec::new(), Compression::best());
        gz.write_all(content).and(zl.write_all(content)).expect("into memory");
        [(gzip, gz.finish().expect("into memory")), (zlib, zl.finish().expect("into memory"))]
    }

    #[test]
    fn what_was_compressed_comes_back() {
        let random: Vec<u8> = (0..50_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for content in [&[] as &[u8], &[7], &[0; 100_000], &random] {
            for (inflate, compressed) in both(content) {
                let inflated = inflate(&compressed, content.len());
                assert!(inflated.as_deref() == Ok(content), "{} bytes: {:?}", content.len(), inflated.err());
            }
        }
    }

    #[test]
    fn a_bomb_is_refused_at_the_limit() {
        for (inflate, compressed) in both(&[0; 10_000_000]) {
            assert!(compressed.len() < 20_000);
            for limit in [0, 1, 16_384, 9_999_999] {
                assert_eq!(inflate(&compressed, limit).err(), Some(Error::ListTooLarge { limit }));
            }
            assert!(inflate(&compressed, 10_000_000).is_ok());
        }
    }

    #[test]
    fn only_one_whole_stream_is_taken() {
        for (inflate, compressed) in both(&[1, 2, 3, 4, 5, 6, 7, 8, 250]) {
            for end in 0..compressed.len() {
                assert_eq!(inflate(&compressed[..end], 100), Err(Error::ListCompression), "cut at {end}");
            }
            let twice = compressed.repeat(2);
            assert_eq!(inflate(&twice, 100), Err(Error::ListCompression));
            assert_eq!(inflate(&[&compressed[..], &[0]].concat(), 100), Err(Error::ListCompression));
            let mut damaged = compressed.clone();
            *damaged.last_mut().expect("not empty") ^= 1;
            assert_eq!(inflate(&damaged, 100), Err(Error::ListCompression), "checksum");
        }
    }
}
