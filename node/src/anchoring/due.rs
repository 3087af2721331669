//! The next update: whose is due, and what it writes.

use std::time::{Duration, Instant};

use testamur_chain::{BlockTag, Roles};
use testamur_core::UnixSeconds;

use super::{
    Fault,
    decide::Suspicion,
    machine::Anchoring,
    problem::Problem,
    reconcile::is_due,
    status::Need,
    transaction::Load,
    update::{self, Fitted},
    view::View,
};
use crate::mirror::Key;

impl Anchoring {
    /// Whose updates are due, and may be written.
    pub(super) async fn due_statuses(&mut self, view: &View) -> Result<Vec<Key>, Fault> {
        let needs = self.memory.status.needs.iter().filter(|(_, need)| need.wants_update() && !need.blind);
        let wanting: Vec<Key> = needs.map(|(key, _)| *key).collect();
        self.learn_rights(wanting.iter().map(|key| key.issuer), Roles::REVOKE, view).await?;
        let now = Instant::now();
        let mut due = Vec::new();
        for key in wanting {
            if !self.memory.may(key.issuer, Roles::REVOKE) {
                let (issuer, operator) = (key.issuer, self.eyes.operator);
                let roles = Roles::ANCHOR.with(Roles::REVOKE);
                self.memory.meet(Problem::NotAppointed { issuer, operator, missing: Roles::REVOKE, roles });
                continue;
            }
            let Suspicion { failures, not_before } = self.memory.status.suspects.get(&key).copied().unwrap_or_default();
            if not_before > view.head.number {
                self.memory.meet(Problem::UpdateFailed { key, failures, not_before });
            } else if self.is_due(key, now) {
                due.push(key);
            }
        }
        Ok(due)
    }

    fn is_due(&mut self, key: Key, now: Instant) -> bool {
        let Need { outcome, heals, inputs, .. } = &self.memory.status.needs[&key];
        if *heals || outcome.contested {
            return true;
        }
        let waiting = inputs.open.iter().filter(|change| outcome.waiting.contains(&change.id));
        let at_once = waiting.clone().any(|change| change.now);
        let policy = &self.config.status;
        let accepted = &mut self.memory.status.accepted;
        let ages = waiting.map(|change| {
            let since = *accepted.entry(change.id).or_insert_with(|| {
                let age = age_at_start(super::now(), change.accepted_at, policy.max_age);
                now.checked_sub(age).unwrap_or(now)
            });
            now.saturating_duration_since(since)
        });
        let age = ages.max().unwrap_or_default();
        is_due(outcome.missing.len(), age, at_once, policy)
    }

    /// The next update of one issuer and purpose.
    pub(super) async fn load_status(&mut self, key: Key) -> Result<Option<Load>, Fault> {
        let Need { view, outcome, .. } = &self.memory.status.needs[&key];
        let (seen, missing) = (view.clone(), outcome.missing.clone());
        let (max_gas, max_delta) = (self.config.max_gas, self.config.max_delta);
        let detail = match update::fit(&self.eyes, &seen, &missing, max_gas, max_delta).await? {
            Fitted::Load(load) => return Ok(Some(load)),
            Fitted::Refused(detail) => detail,
        };
        let newest = self.eyes.registry.status_of(key.issuer, key.purpose, BlockTag::Latest).await?;
        if newest == seen.head.record {
            self.memory.meet(Problem::UpdateRefused { key, detail });
        } else {
            // Somebody else's update came first; the mirror will show it.
            self.config.mirror.refresh();
        }
        Ok(None)
    }
}

/// How old a change is held to be at a start: between nothing and the age at which it is due, whatever the wall clock
/// did in between.
fn age_at_start(now: UnixSeconds, accepted_at: UnixSeconds, max_age: Duration) -> Duration {
    Duration::from_secs(now.0.saturating_sub(accepted_at.0)).min(max_age)
}
