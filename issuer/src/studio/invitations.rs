//! `/studio/api/credentials/invite`: telling learners where their credentials are.

use std::{collections::BTreeSet, sync::Arc};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use super::{
    Studio,
    access::Issuer,
    blocking,
    books::{Deed, What},
    extract::Object,
    problem::{Kind, Problem},
};
use crate::{
    certificate::{Fonts, Language},
    clock::now,
    config,
    invite::{ClaimLink, Desk, InviteError, Passed, Step, Wish},
    store::Store,
};

/// Credentials whose learners are to be invited.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Inviting {
    /// Their ids, at most 1,000.
    ids: Vec<String>,
    /// Whether those are invited anew who are invited already: a link that nobody used is void then.
    #[serde(default)]
    again: bool,
    /// Whether links are answered in place of mails. Each opens a page: they are to be kept like keys.
    #[serde(default)]
    links: bool,
}

/// Somebody who is not invited.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Uninvited {
    /// The credential.
    id: String,
    /// Why not.
    why: String,
    /// Whether it is because their learner is invited already, or has it.
    pub before: bool,
}

/// A one-time link.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Link {
    /// The credential.
    id: String,
    /// Whose it is: the roster's key.
    learner: String,
    /// The learner's name.
    name: Option<String>,
    /// The learner's e-mail address.
    email: Option<String>,
    /// What the learner is to open.
    link: String,
    /// Until when it is good.
    expires: String,
}

/// Who is invited.
#[derive(Default, Serialize, utoipa::ToSchema)]
pub struct Invited {
    /// The credentials whose learners are. Mails are sent in the background.
    pub invited: Vec<String>,
    /// The others.
    pub passed: Vec<Uninvited>,
    /// Where they were asked for.
    links: Vec<Link>,
}

impl From<&ClaimLink> for Link {
    fn from(claim: &ClaimLink) -> Self {
        Self {
            id: claim.listed.id.clone(),
            learner: claim.listed.learner.clone(),
            name: claim.listed.name.clone(),
            email: claim.listed.email.clone(),
            link: claim.link.to_string(),
            expires: claim.expires.to_string(),
        }
    }
}

impl From<InviteError> for Problem {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::NoPages => Self::new(Kind::NotConfigured, error.to_string()),
            _ => Self::internal(&error),
        }
    }
}

/// Invites learners to claim their credentials. Who is invited already is not invited again unless that is wished.
#[utoipa::path(post, path = "/studio/api/credentials/invite", tag = "issued", request_body = Inviting,
    responses((status = 200, body = Invited), (status = "4XX", body = super::api::Problem)))]
pub async fn invite(
    State(studio): State<Arc<Studio>>,
    Issuer(session): Issuer,
    Object(Inviting { ids, again, links }): Object<Inviting>,
) -> Result<Json<Invited>, Problem> {
    if !links {
        studio.can_invite()?;
    }
    let found = studio.all(ids).await?;
    let ids: Vec<String> = found.into_iter().map(|listed| listed.id).collect();
    let deed = Deed { who: session.name, what: What::Invite, on: ids.join(" ") };
    let acting = studio.clone();
    let inviting = blocking(move || Ok(acting.invite_now(&ids, !links, again)?));
    studio.logged(deed, inviting).await.map(Json)
}

impl Studio {
    /// Refused where the configuration has no learners' pages, or no mail.
    pub(super) fn can_invite(&self) -> Result<(), Problem> {
        match &self.config {
            config::Settings { share: None, .. } => Err(InviteError::NoPages.into()),
            config::Settings { mail: None, .. } => {
                let detail = "the configuration has no table [mail]: ask for links, and hand them out otherwise";
                Err(Problem::new(Kind::NotConfigured, detail))
            }
            _ => Ok(()),
        }
    }

    /// Invites the learners of these credentials. It may be repeated.
    pub(super) fn invite_now(&self, ids: &[String], by_mail: bool, again: bool) -> Result<Invited, InviteError> {
        let store = Store::open(&self.config.store()?)?;
        let mut desk = Desk::open(&self.config, Fonts::built_in())?;
        let wish = Wish { by_mail, again, language: self.language() };
        let (mut told, mut links) = (Invited::default(), Vec::new());
        let mut hand_over = |some: &[ClaimLink]| {
            links.extend(some.iter().map(Link::from));
            Ok(())
        };
        let mut tell = |step: Step<'_>| match step {
            Step::Invited(listed) => told.invited.push(listed.id.clone()),
            Step::Passed(id, passed) => {
                let before = matches!(passed, Passed::Invited | Passed::Claimed | Passed::Deleted);
                told.passed.push(Uninvited { id: id.to_owned(), why: passed.to_string(), before });
            }
            Step::Note(listed, note) => tracing::info!(id = listed.id, %note, "a certificate"),
        };
        // What one is named by twice is one.
        let ids: Vec<String> = ids.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        desk.invite(&store, &ids, wish, now(), &mut hand_over, &mut tell)?;
        Ok(Invited { links, ..told })
    }

    /// Of mails and certificates.
    fn language(&self) -> Language {
        let mailed = self.config.mail.as_ref().and_then(|mail| mail.language);
        let shared = self.config.share.as_ref().map(|share| share.language);
        mailed.or(shared).unwrap_or_default()
    }
}
