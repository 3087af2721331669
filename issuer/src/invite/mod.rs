//! Invitations: a credential becomes a sealed page that its learner claims with a one-time link. For the studio and the
//! command alike.
//!
//! The order in which things come on disk is what makes it safe to be killed: first the pages (a page that nobody was told
//! of is claimed by nobody, and goes when its time is over), then whatever tells of them, a file of links or the mails.
//! The key and the token of a page are on disk in the latter only.

mod make;

use rayon::prelude::*;
use serde::Serialize;
use testamur_core::UnixSeconds;
use zeroize::Zeroizing;

use crate::{
    certificate::{self, Fonts, Language},
    config::{self, SettingsError},
    mail::{
        self, Outbox,
        outbox::{Invitation, Letter},
    },
    pages::{
        self, Origin,
        store::{Claimed, ShareError, ShareStore},
    },
    store::{Issued, Listed, State, Store, StoreError},
};
use make::{Made, Sealer};

/// Credentials that are sealed at a time, on all processors.
const AT_ONCE: usize = 64;
const DAY: u64 = 86_400;

/// What is needed for inviting.
pub struct Desk {
    share: ShareStore,
    outbox: Outbox,
    public_url: Origin,
    claim_seconds: u64,
    fonts: &'static Fonts,
}

/// How learners are to be told, and in which language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// By mail; otherwise each link is handed to whoever invites.
    pub by_mail: bool,
    /// Whether those are invited anew who are invited already. Their open invitations are void then; what was claimed
    /// stays its learner's.
    pub again: bool,
    /// Of mails and certificates.
    pub language: Language,
}

/// A link for a learner, who is to be told it by whoever invites.
pub struct ClaimLink {
    /// The credential.
    pub listed: Listed,
    /// The link.
    pub link: Zeroizing<String>,
    /// Until when it is good.
    pub expires: UnixSeconds,
}

/// Why somebody is not invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "reason")]
#[non_exhaustive]
pub enum Passed {
    /// The store has no such credential.
    #[error("nothing of this id or digest was issued here")]
    Unknown,
    /// It is not anchored and on disk yet.
    #[error("it is not finished yet: run `issue` again")]
    Unfinished,
    /// It was revoked.
    #[error("it was revoked")]
    Revoked,
    /// Another one takes its place.
    #[error("another credential takes its place")]
    Superseded,
    /// An invitation is open.
    #[error("its learner is invited already (--again: anew)")]
    Invited,
    /// The learner has it.
    #[error("its learner has claimed it already (--again: a further page)")]
    Claimed,
    /// The learner had it, and wanted it no more.
    #[error("its learner deleted the page (--again: a new one)")]
    Deleted,
    /// There is no address.
    #[error("the roster had no e-mail address: give the links otherwise (--links FILE)")]
    NoEmail,
    /// The address is none.
    #[error("{email} is no e-mail address: mend the roster, and reissue")]
    BadEmail {
        /// What is there.
        email: String,
    },
    /// It cannot be put on a page.
    #[error("{why}")]
    Unfit {
        /// Why not.
        why: String,
    },
}

/// What is told while people are invited.
pub enum Step<'a> {
    /// This one is invited.
    Invited(&'a Listed),
    /// This one is not: what it was named by, and why.
    Passed(&'a str, &'a Passed),
    /// The certificate does not show everything.
    Note(&'a Listed, &'a certificate::Note),
}

/// Why inviting ended early. What was told to be done is done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InviteError {
    /// There are no learners' pages.
    #[error("the configuration has no table [share]: say there where learners' pages are")]
    NoPages,
    /// The configuration.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The pages' store.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// The system gives no random bytes.
    #[error("no randomness: {0}")]
    Randomness(rand::rand_core::OsError),
    /// The links cannot be handed over.
    #[error("the links cannot be written: {0}")]
    Links(#[from] std::io::Error),
}

impl Desk {
    /// Opens the stores of a configuration that has learners' pages.
    pub fn open(config: &config::Settings, fonts: &'static Fonts) -> Result<Self, InviteError> {
        let settings = config.share.as_ref().ok_or(InviteError::NoPages)?;
        let folder = config.data()?;
        Ok(Self {
            share: ShareStore::open(&folder.join(pages::STORE))?,
            outbox: Outbox::open(&folder)?,
            public_url: settings.public_url.clone(),
            claim_seconds: u64::from(settings.claim_days) * DAY,
            fonts,
        })
    }

    /// The box of mails.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// Invites the learners of these credentials, which are named by their ids or digests. Who is invited already, or has
    /// claimed, is not invited again unless that is wished, so it may be repeated.
    ///
    /// Links that are not mailed are handed to `links`, which must have them on disk when it returns.
    pub fn invite(
        &mut self,
        store: &Store,
        names: &[String],
        wish: Wish,
        now: UnixSeconds,
        links: &mut dyn FnMut(&[ClaimLink]) -> std::io::Result<()>,
        tell: &mut dyn FnMut(Step<'_>),
    ) -> Result<u64, InviteError> {
        let mut invited = 0;
        for names in names.chunks(AT_ONCE) {
            let mut fit = Vec::new();
            for name in names {
                match self.fit(store, name, wish, now)? {
                    Ok(issued) => fit.push(issued),
                    Err(passed) => tell(Step::Passed(name, &passed)),
                }
            }
            invited += self.invite_some(fit, wish, now, links, tell)?;
        }
        Ok(invited)
    }

    /// The credential, if its learner is to be invited.
    fn fit(
        &self,
        store: &Store,
        name: &str,
        wish: Wish,
        now: UnixSeconds,
    ) -> Result<Result<Issued, Passed>, InviteError> {
        let Some(issued) = store.issued(name)? else { return Ok(Err(Passed::Unknown)) };
        let listed = &issued.listed;
        let email = listed.email.as_deref().map(str::trim).filter(|email| !email.is_empty());
        let passed = match listed {
            Listed { revoked: Some(_), .. } => Some(Passed::Revoked),
            Listed { superseded_by: Some(_), .. } => Some(Passed::Superseded),
            Listed { state: State::Drafted | State::Submitted, .. } => Some(Passed::Unfinished),
            _ if !wish.by_mail => None,
            _ => match email {
                None => Some(Passed::NoEmail),
                Some(email) if mail::address(email).is_none() => Some(Passed::BadEmail { email: email.to_owned() }),
                Some(_) => None,
            },
        };
        let passed = match passed {
            None if !wish.again => self.known(&listed.id, now)?,
            passed => passed,
        };
        Ok(passed.map_or(Ok(issued), Err))
    }

    fn known(&self, credential: &str, now: UnixSeconds) -> Result<Option<Passed>, InviteError> {
        let Some(page) = self.outbox.invited(credential)? else { return Ok(None) };
        Ok(match self.share.claimed(&page, now)? {
            Claimed::Open => Some(Passed::Invited),
            Claimed::Claimed => Some(Passed::Claimed),
            Claimed::Deleted => Some(Passed::Deleted),
            Claimed::Over => None,
        })
    }

    fn invite_some(
        &mut self,
        issued: Vec<Issued>,
        wish: Wish,
        now: UnixSeconds,
        links: &mut dyn FnMut(&[ClaimLink]) -> std::io::Result<()>,
        tell: &mut dyn FnMut(Step<'_>),
    ) -> Result<u64, InviteError> {
        let expires = UnixSeconds(now.0 + self.claim_seconds);
        let Self { public_url, fonts, .. } = self;
        let sealer = Sealer { base: public_url.as_str(), fonts, language: wish.language, expires };
        let sealing = issued.into_par_iter().map(|issued| (issued.listed.id.clone(), sealer.make(issued)));
        let mut made = Vec::new();
        for (id, one) in sealing.collect::<Vec<_>>() {
            match one? {
                Ok(one) => made.push(one),
                Err(passed) => tell(Step::Passed(&id, &passed)),
            }
        }
        let old: Vec<_> = made.iter().map(|made| self.outbox.invited(&made.listed.id)).collect::<Result<_, _>>()?;
        let pages: Vec<_> = made.iter().map(|made| made.page.clone()).collect();
        // COMMIT: the pages are there, and nobody knows of them.
        self.share.invite(&pages, now)?;
        if !wish.by_mail {
            let links_of = |made: &Made| ClaimLink { listed: made.listed.clone(), link: made.link.clone(), expires };
            links(&made.iter().map(links_of).collect::<Vec<_>>())?;
        }
        let invitations: Vec<_> = made.iter().map(|made| invitation(made, wish, expires)).collect();
        // COMMIT: the learners are told, or will be.
        self.outbox.put(&invitations, now)?;
        let mut replaced = false;
        for page in old.into_iter().flatten() {
            replaced |= self.share.replace(&page)?;
        }
        if replaced {
            self.share.tidy(now)?;
        }
        for made in &made {
            tell(Step::Invited(&made.listed));
            made.notes.iter().for_each(|note| tell(Step::Note(&made.listed, note)));
        }
        Ok(made.len() as u64)
    }
}

fn invitation(made: &Made, wish: Wish, expires: UnixSeconds) -> Invitation {
    let Listed { id, learner, name, email, .. } = &made.listed;
    let letter = |email: &String| Letter {
        page: made.page.id,
        learner: learner.clone(),
        name: name.clone(),
        email: email.trim().to_owned(),
        achievement: made.achievement.clone(),
        language: wish.language,
        expires,
        link: made.link.clone(),
    };
    let letter = email.as_ref().filter(|_| wish.by_mail).map(letter);
    Invitation { page: made.page.id, credential: id.clone(), letter }
}
