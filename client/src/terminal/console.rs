//! What people and programs see: results on the standard output, notes, errors and progress on the other.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::printable;

/// How a line is meant.
#[derive(Clone, Copy)]
pub enum Tone {
    /// It is well.
    Good,
    /// It is not.
    Bad,
    /// Nobody can tell.
    Unsure,
    /// It matters less.
    Faint,
}

/// The terminal, or whatever stands in its place.
pub struct Console {
    json: bool,
    quiet: bool,
    colour: bool,
    bars: bool,
}

impl Console {
    /// As the command line says: JSON, or nothing but errors, or text for people.
    pub fn new(json: bool, quiet: bool) -> Self {
        // https://no-color.org
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = io::stdout().is_terminal() && !refused && !dumb;
        Self { json, quiet, colour, bars: io::stderr().is_terminal() && !json && !quiet }
    }

    /// Whether results go to programs.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A result for people.
    pub fn line(&self, text: &str) {
        if !self.json && !self.quiet {
            self.raw(format!("{text}\n").as_bytes());
        }
    }

    /// A result for programs: one line.
    pub fn object(&self, value: &impl Serialize) {
        if self.json {
            let mut line = serde_json::to_vec(value).expect("our results serialise");
            line.push(b'\n');
            self.raw(&line);
        }
    }

    /// A remark that is no result.
    pub fn note(&self, text: &str) {
        if !self.json && !self.quiet {
            tell(text);
        }
    }

    /// What went wrong. Always told.
    pub fn error(&self, text: &str) {
        tell(&format!("error: {}", text.split('\n').map(printable).collect::<Vec<_>>().join("\n       ")));
    }

    /// Bytes as they are. A reader that is gone (`| head`) wants no more.
    pub fn raw(&self, bytes: &[u8]) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(bytes).and_then(|()| out.flush());
    }

    /// The text in the colour of its tone, where there are colours.
    pub fn tone(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => 32,
            Tone::Bad => 31,
            Tone::Unsure => 33,
            Tone::Faint => 2,
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A bar for work on many files. Hidden for one, and where nobody looks.
    pub fn bar(&self, length: usize, what: &'static str) -> ProgressBar {
        if !self.bars || length < 2 {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}").expect("the template is valid");
        ProgressBar::new(length as u64).with_style(style).with_message(what)
    }
}

fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
