//! `testamur-issuer template …`

use std::path::{Path, PathBuf};

use serde_json::json;
use testamur::{
    files,
    terminal::{Console, Exit, Failure, Tone, printable},
};
use testamur_issuer::{
    config::Settings,
    template::{EXAMPLE, Template, folder},
};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Check templates against the data model of Open Badges 3.0, and tell everything that is wrong with them
    #[command(after_help = "Example:\n  testamur-issuer template check templates/*.toml")]
    Check {
        /// The files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Begin a template: one with every field, explained
    #[command(after_help = "Example:\n  testamur-issuer template new templates/botany.toml")]
    New {
        /// The file to make. An existing one is never replaced. Default: it is printed.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

pub fn run(command: Command, console: &Console) -> Result<Exit, Failure> {
    match command {
        Command::Check { files } => Ok(files.iter().fold(Exit::Done, |exit, file| exit.and(check(file, console)))),
        Command::New { file: None } => {
            console.raw(EXAMPLE.as_bytes());
            Ok(Exit::Done)
        }
        Command::New { file: Some(file) } => {
            begin(&file, EXAMPLE)?;
            console.line(&format!("{} is made; take out what you do not need", file.display()));
            console.object(&json!({ "file": file }));
            Ok(Exit::Done)
        }
    }
}

/// Writes a file that must not be there yet.
pub(super) fn begin(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let message = match error.kind() {
            std::io::ErrorKind::AlreadyExists => format!("{} exists already: it is left as it is", file.display()),
            _ => format!("{}: {error}", file.display()),
        };
        Failure { message, exit: Exit::Invalid }
    };
    if file.exists() {
        return Err(failed(std::io::ErrorKind::AlreadyExists.into()));
    }
    files::replace(file, text.as_bytes()).map_err(failed)
}

fn check(file: &Path, console: &Console) -> Exit {
    let name = file.display().to_string();
    match Template::read(file) {
        Ok(template) => {
            let achievement = printable(template.achievement.name());
            console.object(&json!({ "file": name, "template": template.id, "name": achievement, "faults": [] }));
            console.line(&format!("{} {name}: {achievement}", console.tone(Tone::Good, "✓")));
            Exit::Done
        }
        Err(faults) => {
            let each =
                faults.0.iter().map(|fault| json!({ "path": fault.path, "what": fault.what, "help": fault.help }));
            console.object(&json!({ "file": name, "faults": each.collect::<Vec<_>>() }));
            faults.0.iter().for_each(|fault| console.error(&format!("{name}: {fault}")));
            Exit::Invalid
        }
    }
}

/// The template in this file, or of this name or `id` in the folder of templates.
pub(super) fn find(named: &Path, settings: &Settings) -> Result<Template, Failure> {
    let templates = settings.path(&settings.templates);
    let of_name = || named.to_str().and_then(|name| folder::find(&templates, name));
    let Some(file) = Some(named.to_owned()).filter(|file| file.is_file()).or_else(of_name) else {
        let message = format!("there is no template {} here, or in {}", named.display(), templates.display());
        return Err(Failure::usage(message));
    };
    Template::read(&file).map_err(|faults| {
        let told: Vec<_> = faults.0.iter().map(|fault| format!("{}: {fault}", file.display())).collect();
        Failure::usage(told.join("\n"))
    })
}
