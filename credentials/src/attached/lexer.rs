//! The objects of a PDF one after the other (ISO 32000-1, 7.2 and 7.3): of each, the outermost dictionary and the
//! stream. Each step goes forward, and nesting is counted, not recursed into.

/// A stream, with what its dictionary says of it.
pub(super) struct Stream<'a> {
    /// Where its data begin.
    pub place: usize,
    /// As they are in the file.
    pub data: &'a [u8],
    /// Whether it is an embedded file (7.11.4).
    pub is_file: bool,
    /// Whether it is one ZLIB stream, without a predictor. Where it is neither that nor plain, it is no [`Self::is_file`].
    pub is_deflated: bool,
}

/// The streams of a file.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether a dictionary that was passed says how the file is encrypted (7.6).
    pub is_encrypted: bool,
}

/// A piece of a file that has a meaning (7.2).
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    DictBegin,
    DictEnd,
    ArrayBegin,
    ArrayEnd,
    Name(&'a [u8]),
    /// A number, or a keyword.
    Word(&'a [u8]),
    /// A text, of which nobody needs the content here.
    Text,
}

/// What a dictionary says of its stream.
#[derive(Default)]
struct Dict<'a> {
    kind: Option<&'a [u8]>,
    filters: Vec<&'a [u8]>,
    has_parameters: bool,
    length: Option<usize>,
    is_encrypted: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, is_encrypted: false }
    }

    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    fn token(&mut self) -> Option<Token<'a>> {
        self.blank();
        let rest = self.rest();
        let (token, length) = match rest {
            [] => return None,
            [b'<', b'<', ..] => (Token::DictBegin, 2),
            [b'>', b'>', ..] => (Token::DictEnd, 2),
            [b'<', ..] => (Token::Text, until(rest, b'>')),
            [b'(', ..] => (Token::Text, text_length(rest)),
            [b'[', ..] => (Token::ArrayBegin, 1),
            [b']', ..] => (Token::ArrayEnd, 1),
            [b'/', name @ ..] => {
                let length = regular(name);
                (Token::Name(&name[..length]), length + 1)
            }
            _ => {
                let length = regular(rest).max(1);
                (Token::Word(&rest[..length]), length)
            }
        };
        self.at += length;
        Some(token)
    }

    /// White space and comments.
    fn blank(&mut self) {
        loop {
            let rest = self.rest();
            let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
            self.at += blanks;
            if self.rest().first() != Some(&b'%') {
                return;
            }
            self.at += self.rest().iter().take_while(|byte| !matches!(byte, b'\r' | b'\n')).count();
        }
    }

    /// What a dictionary says, whose `<<` was read; `None` where it does not end.
    fn dict(&mut self) -> Option<Dict<'a>> {
        let mut dict = Dict::default();
        let mut depth = 1_usize;
        let (mut key, mut has_value) = (None, false);
        loop {
            let before = self.at;
            let token = self.token()?;
            match token {
                Token::DictEnd if depth == 1 => return Some(dict),
                Token::DictEnd | Token::ArrayEnd => depth = (depth - 1).max(1),
                Token::Word(b"stream" | b"endobj") => {
                    // Its end is missing: what follows is not read by its word.
                    self.at = before;
                    return None;
                }
                Token::Name(name) if depth == 1 && (key.is_none() || has_value) => {
                    (key, has_value) = (Some(name), false)
                }
                token => {
                    dict.note(key, token, depth);
                    has_value = true;
                    depth += usize::from(matches!(token, Token::DictBegin | Token::ArrayBegin));
                }
            }
        }
    }

    /// The data of a stream whose keyword was read: as long as the dictionary says, if the end is there; else up to the
    /// first end.
    fn data(&mut self, dict: &Dict<'a>) -> Option<(usize, &'a [u8])> {
        const END: &[u8] = b"endstream";
        // No more than these: what is looked at here is looked at once.
        const LINE_ENDS: [&[u8]; 4] = [b"", b"\r\n", b"\n", b"\r"];
        self.at += match self.rest() {
            [b'\r', b'\n', ..] => 2,
            [b'\n' | b'\r', ..] => 1,
            _ => 0,
        };
        let (place, rest) = (self.at, self.rest());
        let is_end =
            |behind: &[u8]| LINE_ENDS.iter().any(|end| behind.strip_prefix(*end).is_some_and(|b| b.starts_with(END)));
        let stated = dict.length.filter(|&length| rest.get(length..).is_some_and(is_end));
        let length = match stated {
            Some(length) => length,
            None => rest.windows(END.len()).position(|window| window == END)?,
        };
        self.at += length;
        Some((place, &rest[..length]))
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Stream<'a>;

    fn next(&mut self) -> Option<Stream<'a>> {
        let mut last = Dict::default();
        loop {
            match self.token()? {
                Token::DictBegin => {
                    last = self.dict().unwrap_or_default();
                    self.is_encrypted |= last.is_encrypted;
                }
                Token::Word(b"stream") => {
                    let (place, data) = self.data(&last)?;
                    return Some(last.stream(place, data));
                }
                _ => last = Dict::default(),
            }
        }
    }
}

impl<'a> Dict<'a> {
    /// Takes up a value. Of nested values, only the names in an array of filters matter.
    fn note(&mut self, key: Option<&'a [u8]>, token: Token<'a>, depth: usize) {
        match (key, token) {
            (Some(b"Type"), Token::Name(kind)) if depth == 1 => self.kind = Some(kind),
            (Some(b"Filter"), Token::Name(filter)) if depth <= 2 => self.filters.push(filter),
            // `F`: what counts is in a file elsewhere.
            (Some(b"DecodeParms" | b"F"), token) if token != Token::Word(b"null") => self.has_parameters = true,
            (Some(b"Length"), Token::Word(number)) if depth == 1 && self.length.is_none() => {
                // Of a reference, it is the first number: then the end is not there, and is looked for.
                self.length = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
            }
            (Some(b"Encrypt"), token) if token != Token::Word(b"null") => self.is_encrypted = true,
            _ => {}
        }
    }

    fn stream(&self, place: usize, data: &'a [u8]) -> Stream<'a> {
        let is_deflated = matches!(self.filters[..], [b"FlateDecode"]);
        let is_read = !self.has_parameters && (is_deflated || self.filters.is_empty());
        Stream { place, data, is_deflated, is_file: is_read && self.kind == Some(b"EmbeddedFile") }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

/// How many bytes belong to a name, a number or a keyword.
fn regular(bytes: &[u8]) -> usize {
    const DELIMITERS: &[u8] = b"()<>[]{}/%";
    bytes.iter().take_while(|byte| !is_blank(**byte) && !DELIMITERS.contains(byte)).count()
}

/// Up to the next such byte, and with it.
fn until(bytes: &[u8], end: u8) -> usize {
    bytes.iter().position(|&byte| byte == end).map_or(bytes.len(), |place| place + 1)
}

/// How long a text in parentheses is (7.3.4.2): they may be nested, or escaped.
fn text_length(bytes: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut is_escaped = false;
    for (place, byte) in bytes.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'(' => depth += 1,
            b')' if depth == 1 => return place + 1,
            b')' => depth -= 1,
            _ => {}
        }
    }
    bytes.len()
}
