//! Accepting changes of status: what is asked is checked as a whole, kept on disk, and then the chain is written to.

use std::{collections::HashSet, sync::Arc};

use testamur_core::{Address, Digest, Purpose, StatusIndex, status::StatusTree};
use tokio::{sync::Notify, task::spawn_blocking};

use crate::{
    clock,
    ledger::{Ledger, LedgerError},
    mirror::Mirror,
    permutation::Given,
    store::{Action, ChangeRecord, IdempotencyKey, NewChange, Sequence, Store, StoreError},
};

/// The bits of an issuer that are revoked on chain at the newest block; none while that is not known.
pub type RevokedOnChain = Arc<dyn Fn(Address) -> Option<StatusTree> + Send + Sync>;

/// The bits as a mirror shows them.
pub fn revoked_on_chain(mirror: Mirror) -> RevokedOnChain {
    Arc::new(move |issuer| mirror.view(issuer, Purpose::REVOCATION)?.head.bits().ok().cloned())
}

/// A change that an issuer asks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub issuer: Address,
    /// What is wanted.
    pub action: Action,
    /// Why, in the issuer's own code.
    pub reason: u8,
    /// Whether it waits for no others.
    pub now: bool,
    /// Whose status.
    pub credentials: Credentials,
    /// By which the same request is recognised.
    pub key: Option<IdempotencyKey>,
}

/// The credentials whose status is to change.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// By digests that were submitted here.
    Digests(Vec<Digest>),
    /// By status indices that were given here.
    Indices(Vec<StatusIndex>),
    /// By status indices that another node gave, or this one before its data was lost.
    IndicesFromElsewhere(Vec<StatusIndex>),
}

/// Why one of a request's credentials is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The issuer never submitted the digest here.
    UnknownDigest,
    /// This node gave the index to nothing.
    NeverAssigned,
    /// It is revoked, and that is for good.
    Revoked,
}

/// Why nothing of a request was taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// Some of its credentials are refused: their places in the request.
    #[error("{} credentials are refused", .0.len())]
    Refused(Vec<(usize, Fault)>),
    /// It could not be kept.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What is kept could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes requests for changes of status. Cheap to clone.
#[derive(Clone)]
pub struct Changes {
    store: Arc<Store>,
    ledger: Ledger,
    revoked: RevokedOnChain,
    wake: Arc<Notify>,
}

impl Changes {
    /// Keeps changes through the ledger, and wakes who writes to the chain.
    pub fn new(store: Arc<Store>, ledger: Ledger, revoked: RevokedOnChain, wake: Arc<Notify>) -> Self {
        Self { store, ledger, revoked, wake }
    }

    /// Accepts a change: all of it, or nothing. It is on disk when this returns.
    ///
    /// Changing what is already so is fine. Under an idempotency key that was used before, the change of then is told.
    pub async fn accept(&self, request: Request) -> Result<ChangeRecord, ChangeError> {
        let this = self.clone();
        let prepared = spawn_blocking(move || this.prepare(request)).await;
        let new = match prepared.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))? {
            Prepared::Known(change) => return Ok(change),
            Prepared::New(new) => new,
        };
        let change = self.ledger.accept_change(new).await?;
        self.wake.notify_one();
        Ok(change)
    }

    fn prepare(&self, request: Request) -> Result<Prepared, ChangeError> {
        let Request { issuer, action, reason, now, credentials, key } = request;
        // Whoever asks again wants the answer, whatever is true by now.
        if let Some(key) = &key {
            match self.store.change_by_key(issuer, key.key)? {
                Some((body, change)) if body == key.body => return Ok(Prepared::Known(change)),
                Some(_) => return Err(LedgerError::KeyUsed.into()),
                None => {}
            }
        }
        let mut indices = self.indices(issuer, credentials)?;
        if action == Action::Reinstate {
            let revoked = self.revoked(issuer)?;
            refuse(&indices, Fault::Revoked, |index| revoked.contains(index))?;
        }
        indices.sort_unstable();
        indices.dedup();
        Ok(Prepared::New(NewChange { issuer, action, reason, accepted_at: clock::now(), now, indices, key }))
    }

    /// The status index of each credential.
    fn indices(&self, issuer: Address, credentials: Credentials) -> Result<Vec<StatusIndex>, ChangeError> {
        match credentials {
            Credentials::IndicesFromElsewhere(indices) => Ok(indices),
            Credentials::Indices(indices) => {
                let sequence = self.store.sequence(issuer)?.unwrap_or(Sequence { first: 0, next: 0 });
                let given = Given::new(self.store.secret(), issuer, sequence);
                refuse(&indices, Fault::NeverAssigned, |index| !given.contains(index))?;
                Ok(indices)
            }
            Credentials::Digests(digests) => {
                let find = |digest: &Digest| self.ledger.status_index(issuer, *digest);
                let found = digests.iter().map(find).collect::<Result<Vec<_>, _>>()?;
                refuse(&found, Fault::UnknownDigest, |index| index.is_none())?;
                Ok(found.into_iter().flatten().collect())
            }
        }
    }

    /// What of an issuer is revoked: on chain, and by changes that are on their way there.
    fn revoked(&self, issuer: Address) -> Result<Revoked, StoreError> {
        let on_chain = (self.revoked)(issuer);
        let changes = match on_chain {
            Some(_) => self.store.open_changes()?,
            // Then only what was asked here can be told; the chain refuses nothing and takes nothing back.
            None => self.store.changes_of(issuer, None).collect::<Result<_, _>>()?,
        };
        let mut asked = HashSet::new();
        for change in changes.iter().filter(|change| change.issuer == issuer && change.action == Action::Revoke) {
            asked.extend(self.store.change_indices(change.id)?);
        }
        Ok(Revoked { on_chain: on_chain.unwrap_or_default(), asked })
    }
}

/// A request that was looked at.
enum Prepared {
    /// It was accepted before.
    Known(ChangeRecord),
    /// It is to be kept.
    New(NewChange),
}

/// Status indices that are revoked, or will be.
struct Revoked {
    on_chain: StatusTree,
    asked: HashSet<StatusIndex>,
}

impl Revoked {
    fn contains(&self, index: StatusIndex) -> bool {
        self.on_chain.bit(index) || self.asked.contains(&index)
    }
}

/// All or nothing: refuses where one is at fault, and tells which.
fn refuse<T: Copy>(all: &[T], fault: Fault, is_at_fault: impl Fn(T) -> bool) -> Result<(), ChangeError> {
    let at_fault: Vec<_> = all.iter().enumerate().filter(|(_, one)| is_at_fault(**one)).collect();
    if at_fault.is_empty() {
        return Ok(());
    }
    Err(ChangeError::Refused(at_fault.into_iter().map(|(place, _)| (place, fault)).collect()))
}
