//! Which letters the bytes of a roster are.
//!
//! A byte order mark says it; without one, the beginning of the file is looked at: UTF-8, unless it has bytes that no
//! UTF-8 has and not one letter that is written as UTF-8 writes it. Then it is taken for Windows-1252, what spreadsheets
//! of Western Europe save, and that is told. All further on is read as text in the one encoding; what is none is a fault
//! of its row. UTF-16 is turned into UTF-8 on the way, with the byte 0xFF, which no UTF-8 has, for what is broken in it.

use std::{
    fmt,
    io::{self, Read, Seek, SeekFrom},
};

use super::fault::RosterFault;

/// Of the beginning of a file, so much is looked at.
pub(super) const SAMPLE: usize = 256 << 10;

/// How letters are written as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// RFC 3629.
    Utf8,
    /// Two bytes, the lower one first.
    Utf16Le,
    /// Two bytes, the higher one first.
    Utf16Be,
    /// One byte: Latin 1 with letters where it has control characters.
    Windows1252,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le | Self::Utf16Be => "UTF-16",
            Self::Windows1252 => "Windows-1252",
        })
    }
}

/// The bytes 0x80 to 0x9F of Windows-1252 (WHATWG Encoding gives the five free ones as controls: no letters).
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

impl Encoding {
    /// The text of bytes that [`Decoded`] has given out; `None` where they are none.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Windows1252 => bytes.iter().map(|&byte| windows_1252(byte)).collect(),
            Self::Utf8 | Self::Utf16Le | Self::Utf16Be => String::from_utf8(bytes.to_vec()).ok(),
        }
    }
}

fn windows_1252(byte: u8) -> Option<char> {
    match byte {
        0x80..=0x9f => Some(WINDOWS_1252[usize::from(byte - 0x80)]).filter(|letter| !letter.is_control()),
        _ => Some(char::from(byte)),
    }
}

/// Letters of any bytes, for people who have to mend them: UTF-8 where it is, else Windows-1252 as far as it goes.
pub(super) fn lossy(bytes: &[u8]) -> String {
    let letters = || bytes.iter().map(|&byte| windows_1252(byte).unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| letters())
}

/// What the beginning of a file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Detected {
    pub encoding: Encoding,
    /// How many bytes the byte order mark has.
    pub mark: u64,
    /// In which line the first letter stands that made it Windows-1252.
    pub guessed: Option<u64>,
}

/// Looks at the first bytes of a file.
pub(super) fn detect(sample: &[u8], said: Option<Encoding>) -> Result<Detected, RosterFault> {
    let certain = |encoding, mark| Detected { encoding: said.unwrap_or(encoding), mark, guessed: None };
    match sample {
        [0xef, 0xbb, 0xbf, ..] => return Ok(certain(Encoding::Utf8, 3)),
        [0xff, 0xfe, ..] => return Ok(certain(Encoding::Utf16Le, 2)),
        [0xfe, 0xff, ..] => return Ok(certain(Encoding::Utf16Be, 2)),
        [b'P', b'K', 3, 4, ..] => return Err(RosterFault::NotText { kind: "a workbook (.xlsx, .ods)" }),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => return Err(RosterFault::NotText { kind: "an old workbook (.xls)" }),
        [b'%', b'P', b'D', b'F', ..] => return Err(RosterFault::NotText { kind: "a PDF" }),
        _ if said.is_some() => return Ok(certain(Encoding::Utf8, 0)),
        [0, letter, 0, _, ..] | [letter, 0, _, 0, ..] if *letter != 0 => return Err(RosterFault::NoByteOrderMark),
        _ => {}
    }
    Ok(match foreign(sample) {
        Some(at) => Detected { encoding: Encoding::Windows1252, mark: 0, guessed: Some(line_of(sample, at)) },
        None => certain(Encoding::Utf8, 0),
    })
}

/// Where the first byte stands that is no UTF-8, if nothing in the sample beyond ASCII is UTF-8.
fn foreign(sample: &[u8]) -> Option<usize> {
    let is_letter_of_utf8 = |chunk: std::str::Utf8Chunk<'_>| !chunk.valid().is_ascii();
    if sample.utf8_chunks().any(is_letter_of_utf8) {
        return None;
    }
    let error = std::str::from_utf8(sample).err()?;
    // A letter that the end of the sample cuts in two says nothing.
    error.error_len().map(|_| error.valid_up_to())
}

fn line_of(sample: &[u8], at: usize) -> u64 {
    1 + sample[..at].iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// What a roster is read from.
pub trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// The bytes of a roster, without its mark; those of UTF-16 as UTF-8.
pub(super) struct Decoded {
    source: Box<dyn Source>,
    detected: Detected,
    /// UTF-8 that was not yet asked for.
    ready: Vec<u8>,
    given: usize,
    /// The bytes of UTF-16 that are not yet a letter.
    rest: Vec<u8>,
}

impl Decoded {
    /// From the beginning of the source.
    pub fn new(source: Box<dyn Source>, detected: Detected) -> io::Result<Self> {
        let mut decoded = Self { source, detected, ready: Vec::new(), given: 0, rest: Vec::new() };
        decoded.rewind()?;
        Ok(decoded)
    }

    /// Back to the first byte behind the mark.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.source.seek(SeekFrom::Start(self.detected.mark))?;
        (self.given, self.ready, self.rest) = (0, Vec::new(), Vec::new());
        Ok(())
    }

    /// Reads on and makes letters of it; nothing more is ready at the end.
    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 8192];
        let (length, is_end) = loop {
            match self.source.read(&mut chunk) {
                Ok(length) => break (length, length == 0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        self.rest.extend_from_slice(&chunk[..length]);
        (self.given, self.ready) = (0, Vec::with_capacity(2 * length));
        let taken = transcode(&self.rest, self.detected.encoding == Encoding::Utf16Be, is_end, &mut self.ready);
        self.rest.drain(..taken);
        Ok(())
    }
}

impl Read for Decoded {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if !matches!(self.detected.encoding, Encoding::Utf16Le | Encoding::Utf16Be) {
            return self.source.read(out);
        }
        while self.given == self.ready.len() {
            let before = self.rest.len();
            self.fill()?;
            if self.ready.is_empty() && self.rest.len() <= before {
                return Ok(0);
            }
        }
        let length = out.len().min(self.ready.len() - self.given);
        out[..length].copy_from_slice(&self.ready[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

/// Turns UTF-16 into UTF-8 and says how many bytes it took: half a letter is left for later, unless this is the end.
fn transcode(bytes: &[u8], is_big_endian: bool, is_end: bool, out: &mut Vec<u8>) -> usize {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut units: Vec<_> = pairs
        .iter()
        .map(|&pair| if is_big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
        .collect();
    let is_half = |unit: &u16| (0xd800..0xdc00).contains(unit);
    if !is_end && units.last().is_some_and(is_half) {
        units.pop();
    }
    for letter in char::decode_utf16(units.iter().copied()) {
        match letter {
            Ok(letter) => out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(_) => out.push(0xff),
        }
    }
    if is_end && !odd.is_empty() {
        out.push(0xff);
        return bytes.len();
    }
    2 * units.len()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn decoded(bytes: &[u8]) -> Vec<u8> {
        let detected = detect(bytes, None).unwrap();
        let mut reader = Decoded::new(Box::new(Cursor::new(bytes.to_vec())), detected).unwrap();
        let mut out = Vec::new();
        reader.read_to_end(&mut out).unwrap();
        out
    }

    fn utf16(text: &str, is_big_endian: bool) -> Vec<u8> {
        let unit = |unit: u16| if is_big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect()
    }

    #[test]
    fn utf_16_becomes_utf_8_whatever_the_chunks_cut() {
        // One letter of four bytes at every possible cut of the chunks.
        for padding in 4090..4100 {
            let text = format!("{}𝓐ñ;", "x".repeat(padding));
            assert_eq!(decoded(&utf16(&text, false)), text.as_bytes(), "{padding}");
            assert_eq!(decoded(&utf16(&text, true)), text.as_bytes(), "{padding}");
        }
    }

    #[test]
    fn broken_utf_16_is_no_text() {
        for broken in [&[0xff, 0xfe, b'a', 0, b'b'][..], &[0xff, 0xfe, 0, 0xd8], &[0xff, 0xfe, 0, 0xd8, b'a', 0]] {
            assert_eq!(Encoding::Utf16Le.decode(&decoded(broken)), None, "{broken:?}");
        }
        assert_eq!(decoded(&[0xff, 0xfe]), b"");
    }

    #[test]
    fn windows_1252_is_the_last_resort() {
        let guess = |bytes: &[u8]| detect(bytes, None).map(|detected| (detected.encoding, detected.guessed)).unwrap();
        assert_eq!(guess(b"name\nMu\xf1oz"), (Encoding::Windows1252, Some(2)));
        assert_eq!(guess("name\nMuñoz".as_bytes()), (Encoding::Utf8, None));
        assert_eq!(guess(b"name\nMu\xf1oz\nN\xc3\xba\xc3\xb1ez"), (Encoding::Utf8, None), "mixed: a fault of the row");
        assert_eq!(guess("name\nMuñ".as_bytes().split_last().unwrap().1), (Encoding::Utf8, None), "cut, not foreign");
        assert_eq!(Encoding::Windows1252.decode(b"\x80 \x9c \xe9").as_deref(), Some("€ œ é"));
        assert_eq!(Encoding::Windows1252.decode(b"\x81"), None);
    }

    #[test]
    fn what_is_no_text_is_named() {
        for (bytes, told) in [
            (&b"PK\x03\x04rest"[..], "workbook"),
            (b"\xd0\xcf\x11\xe0", "old workbook"),
            (b"%PDF-1.7", "PDF"),
            (b"n\0a\0m\0e\0", "byte order mark"),
            (b"\0n\0a\0m\0e", "byte order mark"),
        ] {
            assert!(detect(bytes, None).unwrap_err().to_string().contains(told), "{told}");
        }
    }
}
