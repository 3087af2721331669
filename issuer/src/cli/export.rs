//! `testamur-issuer export`

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use rayon::prelude::*;
use serde_json::json;
use testamur::{
    files,
    terminal::{Console, Exit, Failure, Tone, printable},
};
use testamur_core::json::MAX_BYTES;
use testamur_issuer::{
    certificate::{self, Fonts, Kind, Language},
    store::Store,
};

use super::{failure, settings, store};

const AFTER_HELP: &str = "\
A PDF shows the credential on one page to print, with a QR code, and has the credential attached: testamur verify takes
it. A picture is the achievement's, with the credential baked in.

Examples:
  testamur-issuer export diplomas/*.json --link https://verify.university.example/verify/ --out certificates
  testamur-issuer export urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed --png";

/// So many are made before they are written.
const CHUNK: usize = 64;

/// Make PDF certificates or baked pictures of credentials
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Files of credentials, or ids or digests of credentials that were issued here.
    #[arg(required = true, value_name = "FILE|ID")]
    credentials: Vec<String>,
    #[command(flatten)]
    form: Form,
    /// The page that a PDF's QR code leads to: one that verifies. Default: that of `[share]` in the configuration.
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// The language of a PDF's own words.
    #[arg(long, value_enum, default_value_t = Words::En)]
    language: Words,
    /// A folder of fonts for scripts that DejaVu lacks (Chinese, Devanagari, …). Default: the system's.
    #[arg(long, value_name = "FOLDER")]
    fonts: Option<PathBuf>,
    /// Where the files are put. It is made if need be; what is there under the same name is replaced.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
}

/// What is made.
#[derive(clap::Args)]
#[group(multiple = false)]
struct Form {
    /// A certificate to print (default).
    #[arg(long)]
    pdf: bool,
    /// The achievement's picture as PNG.
    #[arg(long)]
    png: bool,
    /// The achievement's picture as SVG.
    #[arg(long)]
    svg: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Words {
    /// English.
    En,
    /// Spanish.
    Es,
}

impl Form {
    fn kind(&self) -> Option<Kind> {
        match (self.png, self.svg) {
            (true, _) => Some(Kind::Png),
            (_, true) => Some(Kind::Svg),
            _ => None,
        }
    }

    fn extension(&self) -> &'static str {
        match self.kind() {
            None => "pdf",
            Some(Kind::Png) => "png",
            Some(Kind::Svg) => "svg",
        }
    }
}

/// A credential, and the name of its file without the ending.
struct Source {
    named: String,
    stem: String,
    bytes: Vec<u8>,
    /// What stands beside a token.
    receipt: Option<Vec<u8>>,
}

/// A file that was made, and what it does not show.
struct Made {
    bytes: Vec<u8>,
    notes: Vec<String>,
}

pub fn run(args: &Args, config: &Path, console: &Console) -> Result<Exit, Failure> {
    let (fonts, link) = (fonts(args)?, link(args, config)?);
    fs::create_dir_all(&args.out).map_err(|error| unwritable(&args.out, &error))?;
    let mut library = Library { config, store: None };
    let mut told = Told { console, exit: Exit::Done, count: 0, names: HashSet::new() };
    let bar = console.bar(args.credentials.len(), "exporting");
    for chunk in args.credentials.chunks(CHUNK) {
        let sources: Vec<_> = chunk.iter().map(|named| library.find(named)).collect::<Result<_, _>>()?;
        let made: Vec<_> =
            sources.into_par_iter().map(|source| source.and_then(|source| make(source, args, &link, &fonts))).collect();
        for (named, made) in chunk.iter().zip(made) {
            bar.suspend(|| match made {
                Ok((source, made)) => told.write(&source, &made, args),
                Err(what) => {
                    told.refused(named, &what);
                    Ok(())
                }
            })?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let line = format!("{} {} written to {}", console.tone(Tone::Good, "✓"), told.count, args.out.display());
    if told.count > 0 {
        console.line(&line);
    }
    Ok(told.exit)
}

fn fonts(args: &Args) -> Result<Fonts, Failure> {
    match &args.fonts {
        None => Ok(Fonts::with_system()),
        Some(folder) => {
            Fonts::with_folder(folder).map_err(|error| Failure::usage(format!("--fonts {}: {error}", folder.display())))
        }
    }
}

/// Where a QR code leads to; nothing for pictures, which have none.
fn link(args: &Args, config: &Path) -> Result<String, Failure> {
    match &args.link {
        Some(link) => Ok(link.clone()),
        None if args.form.kind().is_some() => Ok(String::new()),
        None => {
            let share = if config.is_file() { settings(config)?.share } else { None };
            let verify = share.map(|share| format!("{}/verify/", share.public_url.as_str()));
            verify.ok_or_else(|| Failure::usage("--link: which page that verifies is the QR code to lead to?"))
        }
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure { message: format!("{}: {error}", path.display()), exit: Exit::CouldNotTell }
}

fn make(source: Source, args: &Args, link: &str, fonts: &Fonts) -> Result<(Source, Made), String> {
    let language = match args.language {
        Words::En => Language::English,
        Words::Es => Language::Spanish,
    };
    let made = match args.form.kind() {
        Some(kind) => certificate::badge(&source.bytes, kind).map(|bytes| Made { bytes, notes: Vec::new() }),
        None => {
            let receipt = source.receipt.as_deref();
            certificate::pdf_with(&source.bytes, receipt, link, language, fonts).map(|certificate| Made {
                notes: certificate.notes.iter().map(ToString::to_string).collect(),
                bytes: certificate.pdf,
            })
        }
    };
    made.map(|made| (source, made)).map_err(|fault| fault.to_string())
}

/// Where credentials are looked for; the store is opened for the first that is no file.
struct Library<'a> {
    config: &'a Path,
    store: Option<Store>,
}

impl Library<'_> {
    /// A credential; the inner error is about this one only.
    fn find(&mut self, named: &str) -> Result<Result<Source, String>, Failure> {
        let path = Path::new(named);
        if path.is_file() {
            return Ok(from_file(path, named));
        }
        if self.store.is_none() {
            self.store = Some(store(&settings(self.config)?)?);
        }
        let Some(store) = &self.store else { return Ok(Err("no store".to_owned())) };
        let Some(issued) = store.issued(named).map_err(failure::of_store)? else {
            return Ok(Err("there is no such file, and nothing of this id or digest was issued here".to_owned()));
        };
        let Some(anchored) = issued.anchored else {
            return Ok(Err("it is not anchored yet: the same issue command goes on".to_owned()));
        };
        let finished = anchored.finish().map_err(failure::of_store)?;
        Ok(Ok(Source {
            named: named.to_owned(),
            stem: stem(Path::new(&anchored.file)),
            bytes: finished.bytes,
            receipt: finished.receipt,
        }))
    }
}

fn from_file(path: &Path, named: &str) -> Result<Source, String> {
    let read = |path: &Path| {
        let bytes = files::read_up_to(path, MAX_BYTES).map_err(|error| error.to_string())?;
        bytes.map_err(|error| error.to_string())
    };
    let beside = files::receipt_path(path);
    let receipt = beside.is_file().then(|| read(&beside)).transpose()?;
    Ok(Source { named: named.to_owned(), stem: stem(path), bytes: read(path)?, receipt })
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "credential".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// What was told of the files so far.
struct Told<'a> {
    console: &'a Console,
    exit: Exit,
    count: usize,
    names: HashSet<String>,
}

impl Told<'_> {
    fn write(&mut self, source: &Source, made: &Made, args: &Args) -> Result<(), Failure> {
        let name = format!("{}.{}", source.stem, args.form.extension());
        if !self.names.insert(name.clone()) {
            self.refused(&source.named, &format!("{name} was written for another one: export it into another folder"));
            return Ok(());
        }
        let path = args.out.join(name);
        files::replace(&path, &made.bytes).map_err(|error| unwritable(&path, &error))?;
        self.count += 1;
        self.console.object(&json!({ "credential": source.named, "file": path, "notes": made.notes }));
        for note in &made.notes {
            self.console.note(&format!("{}: {}", printable(&source.named), printable(note)));
        }
        Ok(())
    }

    fn refused(&mut self, named: &str, what: &str) {
        self.console.object(&json!({ "credential": named, "error": what }));
        self.console.error(&format!("{}: {}", printable(named), printable(what)));
        self.exit = Exit::Invalid;
    }
}
