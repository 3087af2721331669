//! Who may sign in.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;
use testamur_core::UnixSeconds;

use super::{Books, BooksError, number, seconds};
use crate::studio::role::Role;

/// Letters of a name.
const LONGEST: usize = 128;
const COLUMNS: &str = "name, role, password IS NOT NULL, subject IS NOT NULL, added";

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// What they sign in as, in lower case.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they have a password here.
    pub password: bool,
    /// Whether they have signed in through OpenID Connect.
    pub oidc: bool,
    /// When they were added.
    #[serde(serialize_with = "super::as_text")]
    #[schema(value_type = String)]
    pub added: UnixSeconds,
}

/// A name as it is kept: in lower case, and nothing in it that could be taken for something else.
pub fn check_name(name: &str) -> Result<String, BooksError> {
    let name = name.trim().to_lowercase();
    let allowed = |c: char| c.is_alphanumeric() || "._@+-".contains(c);
    let is_name = name.starts_with(char::is_alphanumeric) && name.chars().all(allowed);
    if is_name && name.chars().count() <= LONGEST { Ok(name) } else { Err(BooksError::Name) }
}

impl Books {
    /// Adds somebody; without a password they sign in through OpenID Connect.
    pub fn add_user(
        &self,
        name: &str,
        role: Role,
        password: Option<&str>,
        now: UnixSeconds,
    ) -> Result<User, BooksError> {
        let name = check_name(name)?;
        let books = self.lock();
        let insert = "INSERT INTO users (name, role, password, added) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
        match books.execute(insert, params![name, role, password, number(now)])? {
            0 => Err(BooksError::UserExists { name }),
            _ => user(&books, &name),
        }
    }

    /// All of them, by their names.
    pub fn users(&self) -> Result<Vec<User>, BooksError> {
        let books = self.lock();
        let mut select = books.prepare_cached(&format!("SELECT {COLUMNS} FROM users ORDER BY name"))?;
        let users = select.query_map([], read)?.collect::<Result<_, _>>()?;
        Ok(users)
    }

    /// One of them.
    pub fn user(&self, name: &str) -> Result<User, BooksError> {
        user(&self.lock(), name)
    }

    /// The hash of somebody's password, if there is somebody who has one.
    pub fn password(&self, name: &str) -> Result<Option<String>, BooksError> {
        let select = "SELECT password FROM users WHERE name = ?";
        let found: Option<Option<String>> = self.lock().query_row(select, [name], |row| row.get(0)).optional()?;
        Ok(found.flatten())
    }

    /// Gives somebody another role. Their sessions end: what was open was opened under the former one.
    pub fn set_role(&self, name: &str, role: Role) -> Result<User, BooksError> {
        let mut books = self.lock();
        let changing = books.transaction()?;
        let before = user(&changing, name)?;
        if before.role != role {
            changing.execute("UPDATE users SET role = ? WHERE name = ?", params![role, name])?;
            changing.execute("DELETE FROM sessions WHERE user = ?", [name])?;
            somebody_manages(&changing, name)?;
        }
        let after = user(&changing, name)?;
        changing.commit()?;
        Ok(after)
    }

    /// Gives somebody another password. Their sessions end: whoever knew the former one may have opened them.
    pub fn set_password(&self, name: &str, hash: &str) -> Result<User, BooksError> {
        let mut books = self.lock();
        let changing = books.transaction()?;
        user(&changing, name)?;
        changing.execute("UPDATE users SET password = ? WHERE name = ?", params![hash, name])?;
        changing.execute("DELETE FROM sessions WHERE user = ?", [name])?;
        let after = user(&changing, name)?;
        changing.commit()?;
        Ok(after)
    }

    /// Takes somebody out, and ends their sessions. What they did stays in the log.
    pub fn remove_user(&self, name: &str) -> Result<(), BooksError> {
        let mut books = self.lock();
        let changing = books.transaction()?;
        user(&changing, name)?;
        changing.execute("DELETE FROM users WHERE name = ?", [name])?;
        somebody_manages(&changing, name)?;
        Ok(changing.commit()?)
    }

    /// Who signs in as this subject of a provider: somebody who did before, or who was added under this name, has no
    /// password, and never did; or somebody new, where `role` allows it. A role that the provider tells becomes theirs.
    ///
    /// `None`: nobody. A name is never taken over from somebody who has a password or is another subject.
    pub fn user_of_subject(
        &self,
        subject: &str,
        name: &str,
        role: Option<Role>,
        now: UnixSeconds,
    ) -> Result<Option<User>, BooksError> {
        let name = check_name(name)?;
        let mut books = self.lock();
        let changing = books.transaction()?;
        let find = "SELECT name FROM users WHERE subject = ?";
        let known: Option<String> = changing.query_row(find, [subject], |row| row.get(0)).optional()?;
        let known = match known {
            Some(known) => known,
            None => {
                let join = "UPDATE users SET subject = ? WHERE name = ? AND subject IS NULL AND password IS NULL";
                let add = "INSERT INTO users (name, role, subject, added) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
                let joined = changing.execute(join, params![subject, name])? > 0;
                let is_there = match role {
                    _ if joined => true,
                    Some(role) => changing.execute(add, params![name, role, subject, number(now)])? > 0,
                    None => false,
                };
                if !is_there {
                    return Ok(None);
                }
                name
            }
        };
        let before = user(&changing, &known)?;
        if let Some(role) = role.filter(|role| *role != before.role) {
            changing.execute("UPDATE users SET role = ? WHERE name = ?", params![role, known])?;
            changing.execute("DELETE FROM sessions WHERE user = ?", [&known])?;
        }
        let after = user(&changing, &known)?;
        changing.commit()?;
        Ok(Some(after))
    }
}

fn user(books: &Connection, name: &str) -> Result<User, BooksError> {
    let mut select = books.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE name = ?"))?;
    let found = select.query_row([name], read).optional()?;
    found.ok_or_else(|| BooksError::NoUser { name: name.to_owned() })
}

/// Within a change to this user.
fn somebody_manages(books: &Connection, name: &str) -> Result<(), BooksError> {
    let count = "SELECT count(*) FROM users WHERE role = 'admin'";
    match books.query_row(count, [], |row| row.get::<_, i64>(0))? {
        0 => {
            let others = "SELECT count(*) FROM users WHERE name <> ?";
            let others: i64 = books.query_row(others, [name], |row| row.get(0))?;
            // The last one of all may go: a command adds the next one.
            if others == 0 { Ok(()) } else { Err(BooksError::LastAdmin { name: name.to_owned() }) }
        }
        _ => Ok(()),
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User { name: row.get(0)?, role: row.get(1)?, password: row.get(2)?, oidc: row.get(3)?, added: seconds(row, 4)? })
}
