//! `testamur-issuer user …`

use std::{
    fs,
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    path::PathBuf,
};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::json;
use testamur::terminal::{Console, Exit, Failure};
use testamur_issuer::{
    config::Settings,
    studio::{
        books::{self, Books, BooksError, Deed, What, check_name},
        password,
        role::Role,
    },
};
use zeroize::Zeroizing;

use super::{failure, now};

/// Who the log says it was.
const HERE: &str = "command line";

#[derive(clap::Subcommand)]
pub enum Command {
    /// Let somebody sign in
    #[command(after_help = "Example:\n  testamur-issuer user add maria --role admin")]
    Add {
        /// What they sign in as.
        name: String,
        /// What they may do.
        #[arg(long, value_enum)]
        role: Role,
        #[command(flatten)]
        password: PasswordArgs,
        /// Without a password: they sign in through OpenID Connect, where the provider calls them by this name.
        #[arg(long, conflicts_with_all = ["password_file", "draw"])]
        oidc: bool,
    },
    /// List who may sign in
    List,
    /// Give somebody another role; their sessions end
    Role {
        /// Who.
        name: String,
        /// What they may do from now on.
        #[arg(value_enum)]
        role: Role,
    },
    /// Give somebody another password; their sessions end
    Password {
        /// Who.
        name: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Let somebody sign in no more; their sessions end
    Remove {
        /// Who.
        name: String,
    },
}

/// Where a password comes from: never from the command line, where others see it.
#[derive(clap::Args)]
pub struct PasswordArgs {
    /// The file that holds it: its first line. `-`: standard input. Default: it is asked for.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Draw one, and print it once.
    #[arg(long, conflicts_with = "password_file")]
    draw: bool,
}

pub fn run(command: Command, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let file = settings.store().map_err(failure::of_settings)?.with_file_name(books::FILE);
    let books = Books::open(&file).map_err(of_books)?;
    match command {
        Command::Add { name, role, password, oidc } => {
            let name = check_name(&name).map_err(of_books)?;
            let new = if oidc { None } else { Some(password.read(&name)?) };
            let hash = new.as_ref().map(NewPassword::hash).transpose()?;
            logged(&books, What::AddUser, format!("{name}: {}", role.name()), || {
                books.add_user(&name, role, hash.as_deref(), now()).map(drop)
            })?;
            console.line(&format!("{name} may sign in, as {}", role.name()));
            hand_over(&name, new, console);
        }
        Command::List => list(&books, console)?,
        Command::Role { name, role } => {
            let name = check_name(&name).map_err(of_books)?;
            logged(&books, What::ChangeUser, format!("{name}: {}", role.name()), || {
                books.set_role(&name, role).map(drop)
            })?;
            console.line(&format!("{name} is {} now", role.name()));
        }
        Command::Password { name, password } => {
            let name = books.user(&name.to_lowercase()).map_err(of_books)?.name;
            let new = password.read(&name)?;
            let hash = new.hash()?;
            logged(&books, What::ChangeUser, format!("{name}: password"), || {
                books.set_password(&name, &hash).map(drop)
            })?;
            console.line(&format!("{name} has another password; who was signed in as {name} is signed out"));
            hand_over(&name, Some(new), console);
        }
        Command::Remove { name } => {
            let name = check_name(&name).map_err(of_books)?;
            logged(&books, What::RemoveUser, name.clone(), || books.remove_user(&name))?;
            console.line(&format!("{name} may not sign in any more"));
        }
    }
    Ok(Exit::Done)
}

/// Does it, and notes it in the audit log.
fn logged(books: &Books, what: What, on: String, act: impl FnOnce() -> Result<(), BooksError>) -> Result<(), Failure> {
    let deed = Deed { who: HERE.to_owned(), what, on };
    let entry = books.note(&deed, now()).map_err(of_books)?;
    let done = act();
    books.note_outcome(entry, if done.is_ok() { "done" } else { "refused" }).map_err(of_books)?;
    done.map_err(of_books)
}

fn list(books: &Books, console: &Console) -> Result<(), Failure> {
    for user in books.users().map_err(of_books)? {
        let how = match (user.password, user.oidc) {
            (true, _) => "password",
            (false, true) => "OpenID Connect",
            (false, false) => "OpenID Connect, not yet",
        };
        console.line(&format!("{:<8}{}  ({how})", user.role.name(), user.name));
        console.object(&user);
    }
    Ok(())
}

/// A password that somebody gets.
struct NewPassword {
    text: Zeroizing<String>,
    is_drawn: bool,
}

impl NewPassword {
    fn hash(&self) -> Result<String, Failure> {
        password::hash(&self.text).map_err(|fault| Failure::usage(fault.to_string()))
    }
}

impl PasswordArgs {
    fn read(&self, name: &str) -> Result<NewPassword, Failure> {
        let text = match &self.password_file {
            _ if self.draw => Zeroizing::new(password::drawn()),
            Some(file) if file.as_os_str() == "-" => line()?,
            Some(file) => {
                let text = fs::read_to_string(file).map(Zeroizing::new);
                let text = text.map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
                Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
            }
            None if io::stdin().is_terminal() => asked_for(name)?,
            None => return Err(Failure::usage("there is no terminal to ask on: use --password-file or --draw")),
        };
        Ok(NewPassword { text, is_drawn: self.draw })
    }
}

/// Asks twice on the terminal, which does not show it.
fn asked_for(name: &str) -> Result<Zeroizing<String>, Failure> {
    let (first, second) =
        (ask(&format!("Password for {name} (15 characters or more): "))?, ask("The same once more: ")?);
    if first == second { Ok(first) } else { Err(Failure::usage("the two are not the same")) }
}

fn ask(question: &str) -> Result<Zeroizing<String>, Failure> {
    eprint!("{question}");
    let _ = io::stderr().flush();
    let terminal = io::stdin();
    let unreadable = |error: rustix::io::Errno| Failure::usage(format!("the terminal: {error}"));
    let before = tcgetattr(&terminal).map_err(unreadable)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Flush, &silent).map_err(unreadable)?;
    let answer = line();
    tcsetattr(&terminal, OptionalActions::Flush, &before).map_err(unreadable)?;
    eprintln!();
    answer
}

fn line() -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut text).map_err(|error| Failure::usage(format!("standard input: {error}")))?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Printed once, and kept nowhere.
fn hand_over(name: &str, new: Option<NewPassword>, console: &Console) {
    match new {
        Some(NewPassword { text, is_drawn: true }) => {
            console.line(&format!("password: {}", *text));
            console.object(&json!({ "name": name, "password": *text }));
        }
        _ => console.object(&json!({ "name": name })),
    }
}

fn of_books(error: BooksError) -> Failure {
    let exit = match error {
        BooksError::Name => Exit::Usage,
        BooksError::NoUser { .. } | BooksError::UserExists { .. } | BooksError::LastAdmin { .. } => Exit::Invalid,
        _ => Exit::CouldNotTell,
    };
    Failure { message: error.to_string(), exit }
}
