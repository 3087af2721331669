//! The mail server (SMTP, RFC 5321), through lettre's connection and not its transport: whether it was the address that
//! was refused, or all that comes from here, only the step tells at which it was.

use std::{fs, time::Duration};

use lettre::{
    Address,
    transport::smtp::{
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt, Rset},
        extension::{ClientId, Extension, MailParameter},
    },
};
use testamur::terminal::printable;
use testamur_chain::keys::read_secret;
use zeroize::Zeroizing;

use super::{Security, Settings};
use crate::config::{self, SettingsError};

/// How long the server may take for an answer (RFC 5321, 4.5.3.2, has five minutes for most; ten for the last one).
const PATIENCE: Duration = Duration::from_secs(120);

/// The way to the mail server.
pub struct Post {
    settings: Settings,
    password: Option<Zeroizing<String>>,
    authority: Option<Certificate>,
}

/// A connection that takes mails.
pub struct Line {
    connection: AsyncSmtpConnection,
    from: Address,
}

/// Why a mail was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// Not for this address or this text, and never will be.
    #[error("refused: {0}")]
    Refused(String),
    /// Not for this address now.
    #[error("put off: {0}")]
    Later(String),
    /// Not from here, or not at all: the server is out of reach, does not let us in, or broke off.
    #[error("the mail server: {0}")]
    Server(String),
}

impl Post {
    /// Reads the files that the settings name.
    pub fn new(settings: &Settings, config: &config::Settings) -> Result<Self, SettingsError> {
        let refuse = |key, reason: String| SettingsError::Key { key, reason };
        if let Some(fault) = settings.fault() {
            return Err(refuse("mail", fault.to_owned()));
        }
        let password = settings.password_file.as_ref().map(|file| {
            let secret = read_secret(&config.path(file));
            secret.map_err(|error| refuse("mail.password_file", error.to_string()))
        });
        let authority = settings.ca_file.as_ref().map(|file| {
            let path = config.path(file);
            let pem = fs::read(&path).map_err(|error| SettingsError::File { path, error })?;
            Certificate::from_pem(&pem).map_err(|_| refuse("mail.ca_file", "it holds no certificate (PEM)".to_owned()))
        });
        let password = password.transpose()?.map(|text| Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()));
        Ok(Self { settings: settings.clone(), password, authority: authority.transpose()? })
    }

    /// As configured.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Connects, encrypts and signs in.
    pub async fn connect(&self) -> Result<Line, NotSent> {
        let Settings { host, security, from, user, .. } = &self.settings;
        let server = |error: lettre::transport::smtp::Error| NotSent::Server(said(&error));
        let hello = ClientId::default();
        let tls = || self.tls().map_err(server);
        let at_once = if *security == Security::Tls { Some(tls()?) } else { None };
        let place = (host.as_str(), self.settings.port());
        let connecting = AsyncSmtpConnection::connect_tokio1(place, Some(PATIENCE), &hello, at_once, None);
        let mut connection = in_time(connecting).await?.map_err(server)?;
        if *security == Security::StartTls {
            in_time(connection.starttls(tls()?, &hello)).await?.map_err(server)?;
        }
        if let (Some(user), Some(password)) = (user, &self.password) {
            let credentials = Credentials::new(user.clone(), password.to_string());
            in_time(connection.auth(DEFAULT_MECHANISMS, &credentials)).await?.map_err(server)?;
        }
        Ok(Line { connection, from: from.email.clone() })
    }

    fn tls(&self) -> Result<TlsParameters, lettre::transport::smtp::Error> {
        let parameters = TlsParameters::builder(self.settings.host.clone());
        match &self.authority {
            Some(authority) => parameters.add_root_certificate(authority.clone()).build(),
            None => parameters.build(),
        }
    }
}

impl Line {
    /// Sends a mail. After anything but [`NotSent::Server`] the next one can follow.
    pub async fn send(&mut self, to: &Address, mail: &[u8]) -> Result<(), NotSent> {
        let mut options = Vec::new();
        if !to.to_string().is_ascii() {
            if !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(NotSent::Refused("the mail server takes addresses of ASCII letters only".to_owned()));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        let from = Mail::new(Some(self.from.clone()), options);
        // Whoever refuses the sender refuses all mails alike.
        in_time(self.connection.command(from)).await?.map_err(|error| NotSent::Server(said(&error)))?;
        let sent = self.deliver(to, mail).await;
        if matches!(sent, Err(NotSent::Refused(_) | NotSent::Later(_))) {
            in_time(self.connection.command(Rset)).await?.map_err(|error| NotSent::Server(said(&error)))?;
        }
        sent
    }

    async fn deliver(&mut self, to: &Address, mail: &[u8]) -> Result<(), NotSent> {
        in_time(self.connection.command(Rcpt::new(to.clone(), Vec::new()))).await?.map_err(of_address)?;
        in_time(self.connection.command(Data)).await?.map_err(of_address)?;
        in_time(self.connection.message(mail)).await?.map_err(of_address)?;
        Ok(())
    }

    /// Says good-bye.
    pub async fn close(mut self) {
        // Whatever the answer is, all is said.
        let _ = in_time(self.connection.quit()).await;
    }
}

/// The answer to a receiver or a text. *421* is the server's leave-taking (RFC 5321, 3.8), whatever it was asked.
fn of_address(error: lettre::transport::smtp::Error) -> NotSent {
    let code = error.status().map(u16::from);
    match code {
        Some(421) => NotSent::Server(said(&error)),
        Some(500..600) => NotSent::Refused(said(&error)),
        Some(400..500) => NotSent::Later(said(&error)),
        _ => NotSent::Server(said(&error)),
    }
}

async fn in_time<T>(asking: impl Future<Output = T>) -> Result<T, NotSent> {
    let answered = tokio::time::timeout(PATIENCE, asking).await;
    answered.map_err(|_| NotSent::Server(format!("no answer within {} seconds", PATIENCE.as_secs())))
}

/// What the server said, as one line that does nothing to a terminal or a file.
fn said(error: &lettre::transport::smtp::Error) -> String {
    const MOST: usize = 300;
    let text: String = error.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect();
    printable(&text)
}
