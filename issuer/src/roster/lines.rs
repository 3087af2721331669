//! The lines of a roster, in bounded memory and numbered as an editor numbers them.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read},
};

use super::encoding::{Decoded, SAMPLE};

/// Longest line, and longest row of several lines, that is kept: a megabyte is more than anybody types.
pub(super) const LONGEST_ROW: usize = 1 << 20;

/// One line, or a piece of one that is longer than [`LONGEST_ROW`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// From 1.
    pub number: u64,
    /// With its line break, where it has one.
    pub bytes: Vec<u8>,
    /// Whether this is where the line begins.
    pub begins: bool,
    /// Whether this is where it ends.
    pub ends: bool,
}

impl Line {
    /// Without its line break.
    pub fn text(&self) -> &[u8] {
        if !self.ends {
            return &self.bytes;
        }
        let text = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        text.strip_suffix(b"\r").unwrap_or(text)
    }

    /// Whether this is all of it.
    pub fn is_whole(&self) -> bool {
        self.begins && self.ends
    }
}

/// Reads line after line.
pub(super) struct Lines {
    reader: BufReader<Decoded>,
    /// Lines that were put back.
    ahead: VecDeque<Line>,
    /// What a line ends with: LF (alone, or behind CR); CR in files of old Macs.
    end: u8,
    number: u64,
    begins: bool,
}

impl Lines {
    /// From the beginning.
    pub fn new(mut decoded: Decoded) -> io::Result<Self> {
        let head = head(&mut decoded)?;
        let end = if head.contains(&b'\r') && !head.contains(&b'\n') { b'\r' } else { b'\n' };
        let reader = BufReader::with_capacity(64 << 10, decoded);
        Ok(Self { reader, ahead: VecDeque::new(), end, number: 1, begins: true })
    }

    /// The next line or piece; `None` at the end.
    pub fn read(&mut self) -> io::Result<Option<Line>> {
        match self.ahead.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.read_on(),
        }
    }

    /// Makes a line the next one again.
    pub fn put_back(&mut self, line: Line) {
        self.ahead.push_front(line);
    }

    fn read_on(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        loop {
            let ready = match self.reader.fill_buf() {
                Ok(ready) => ready,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let at = ready.iter().position(|&byte| byte == self.end);
            let length = at.map_or(ready.len(), |at| at + 1).min(LONGEST_ROW - bytes.len());
            bytes.extend_from_slice(&ready[..length]);
            let is_last = ready.is_empty();
            let ends = is_last || at.is_some_and(|at| at < length);
            self.reader.consume(length);
            if is_last && bytes.is_empty() {
                return Ok(None);
            }
            if ends || bytes.len() == LONGEST_ROW {
                return Ok(Some(self.line(bytes, ends)));
            }
        }
    }

    fn line(&mut self, bytes: Vec<u8>, ends: bool) -> Line {
        let line = Line { number: self.number, bytes, begins: self.begins, ends };
        self.begins = ends;
        self.number += u64::from(ends);
        line
    }

    /// Goes back, so that the next line is the one of this number.
    pub fn go_back_to(&mut self, number: u64) -> io::Result<()> {
        self.reader.get_mut().rewind()?;
        let buffered = self.reader.buffer().len();
        self.reader.consume(buffered);
        self.ahead.clear();
        (self.number, self.begins) = (1, true);
        while self.number < number && self.read()?.is_some() {}
        Ok(())
    }
}

/// The first bytes, which stay to be read.
fn head(decoded: &mut Decoded) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    decoded.take(SAMPLE as u64).read_to_end(&mut head)?;
    decoded.rewind()?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::roster::encoding::detect;

    fn lines(bytes: &[u8]) -> Lines {
        let decoded = Decoded::new(Box::new(Cursor::new(bytes.to_vec())), detect(bytes, None).unwrap()).unwrap();
        Lines::new(decoded).unwrap()
    }

    fn texts(bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let mut lines = lines(bytes);
        std::iter::from_fn(|| lines.read().unwrap()).map(|line| (line.number, line.text().to_vec())).collect()
    }

    #[test]
    fn lines_end_as_three_systems_end_them() {
        let wanted = [(1, b"a".to_vec()), (2, b"".to_vec()), (3, b"b".to_vec())];
        for text in [&b"a\n\nb"[..], b"a\r\n\r\nb\r\n", b"a\r\rb\r", b"\xef\xbb\xbfa\n\nb\n"] {
            assert_eq!(texts(text), wanted, "{text:?}");
        }
        assert_eq!(texts(b""), []);
    }

    #[test]
    fn a_line_without_end_comes_in_pieces() {
        let mut bytes = vec![b'x'; 2 * LONGEST_ROW];
        bytes.extend(b"\r\nnext\n");
        let mut lines = lines(&bytes);
        let mut next = || lines.read().unwrap().map(|line| (line.number, line.text().len(), line.begins, line.ends));
        assert_eq!(next(), Some((1, LONGEST_ROW, true, false)));
        assert_eq!(next(), Some((1, LONGEST_ROW, false, false)));
        assert_eq!(next(), Some((1, 0, false, true)));
        assert_eq!(next(), Some((2, 4, true, true)));
        assert_eq!(next(), None);
        lines.go_back_to(2).unwrap();
        let line = lines.read().unwrap().unwrap();
        assert!(line.is_whole() && line.number == 2 && line.bytes == b"next\n");
    }
}
