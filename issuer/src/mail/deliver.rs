//! Rounds of sending: all that is due goes, one after the other, over one connection. Notes to the box are synced where
//! they are made: a mail takes longer than its note.

use std::time::Duration;

use serde::Serialize;
use testamur_core::UnixSeconds;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    message,
    outbox::{Letter, Outbox},
    post::{Line, NotSent, Post},
};
use crate::store::StoreError;

/// Mails that are taken from the box at a time.
const AT_ONCE: usize = 50;
/// Mails over one connection: many servers take no more.
const PER_LINE: usize = 100;
/// After which time a server that could not be used is tried again.
const AFTER_TROUBLE: u64 = 300;
/// How often the box is looked into.
const LOOK: Duration = Duration::from_secs(5);

/// What came of a round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Round {
    /// A mail server took so many.
    pub sent: u64,
    /// So many will never be taken.
    pub refused: u64,
    /// So many are tried later.
    pub put_off: u64,
    /// Why the round ended early, if it did: nothing goes to anybody until that is mended.
    pub trouble: Option<String>,
}

/// Who sends, and as whom.
pub struct Courier {
    post: Post,
    issuer: String,
    clock: Box<dyn Fn() -> UnixSeconds + Send + Sync>,
}

impl Courier {
    /// For this issuer, by its name.
    pub fn new(post: Post, issuer: String, clock: Box<dyn Fn() -> UnixSeconds + Send + Sync>) -> Self {
        Self { post, issuer, clock }
    }

    /// Sends everything that is due. When it is to stop, the mail under way comes to its end, and the others wait.
    pub async fn round(&self, outbox: &mut Outbox, stop: &CancellationToken) -> Result<Round, StoreError> {
        let (mut round, mut line, mut used) = (Round::default(), None, 0);
        while round.trouble.is_none() && !stop.is_cancelled() {
            let letters = outbox.take(AT_ONCE, (self.clock)())?;
            if letters.is_empty() {
                break;
            }
            for letter in letters {
                if used >= PER_LINE {
                    close(line.take()).await;
                    used = 0;
                }
                used += 1;
                match &round.trouble {
                    _ if stop.is_cancelled() => outbox.give_back(&letter, None, (self.clock)())?,
                    None => self.deliver(outbox, &letter, &mut line, &mut round).await?,
                    Some(trouble) => outbox.give_back(&letter, Some(trouble), self.after_trouble())?,
                }
            }
            outbox.wipe()?;
        }
        close(line).await;
        Ok(round)
    }

    async fn deliver(
        &self,
        outbox: &mut Outbox,
        letter: &Letter,
        line: &mut Option<Line>,
        round: &mut Round,
    ) -> Result<(), StoreError> {
        let sent = self.send(letter, line).await;
        let now = (self.clock)();
        match sent {
            Ok(()) => {
                round.sent += 1;
                outbox.note_sent(letter, now)
            }
            Err(NotSent::Refused(why)) => {
                round.refused += 1;
                outbox.note_refused(letter, &why, now)
            }
            Err(NotSent::Later(why)) => {
                round.put_off += 1;
                outbox.put_off(letter, &why, now)
            }
            Err(NotSent::Server(why)) => {
                *line = None;
                outbox.give_back(letter, Some(&why), self.after_trouble())?;
                round.trouble = Some(why);
                Ok(())
            }
        }
    }

    /// A connection that was good before and broke off is made anew, once.
    async fn send(&self, letter: &Letter, line: &mut Option<Line>) -> Result<(), NotSent> {
        if letter.expires <= (self.clock)() {
            return Err(NotSent::Refused("the invitation expired before it could be sent; invite again".to_owned()));
        }
        let message = message::message(letter, self.post.settings(), &self.issuer);
        let (to, mail) = message.ok_or_else(|| NotSent::Refused("this is no e-mail address".to_owned()))?;
        if let Some(open) = line {
            match open.send(&to, &mail).await {
                Err(NotSent::Server(why)) => tracing::debug!(why, "the mail server broke off"),
                sent => return sent,
            }
        }
        let open = line.insert(self.post.connect().await?);
        open.send(&to, &mail).await
    }

    fn after_trouble(&self) -> UnixSeconds {
        UnixSeconds((self.clock)().0 + AFTER_TROUBLE)
    }

    /// Sends what is due, whenever it is, until shutdown. Of a mail its outcome is logged, and not to whom it goes.
    pub async fn run(&self, mut outbox: Outbox, shutdown: &CancellationToken) {
        loop {
            match self.round(&mut outbox, shutdown).await {
                Ok(round) if round != Round::default() => log(&round),
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "mails cannot be sent"),
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(LOOK) => {}
            }
        }
    }
}

async fn close(line: Option<Line>) {
    if let Some(line) = line {
        line.close().await;
    }
}

fn log(round: &Round) {
    let Round { sent, refused, put_off, trouble } = round;
    match trouble {
        Some(why) => tracing::warn!(sent, refused, put_off, why, "the mail server cannot be used; mails wait"),
        None => tracing::info!(sent, refused, put_off, "mails"),
    }
}
