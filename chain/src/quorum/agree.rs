//! One question to several endpoints, and the answer that enough of them give.

use std::time::Duration;

use futures::{StreamExt, stream::FuturesUnordered};
use testamur_core::{
    Hash,
    observation::{BlockRef, Unseen},
};

use super::{PassedOver, Quorum};
use crate::{Endpoint, Error};

/// How long the others are waited for when enough have answered. Long enough for an ocean and a slow server.
const GRACE: Duration = Duration::from_secs(2);

/// An answer that enough endpoints gave.
#[derive(Clone, Debug)]
pub(crate) struct Agreed<T> {
    pub(crate) value: T,
    /// Who gave it, in the order of the quorum.
    pub(crate) by: Vec<Endpoint>,
    /// Those who were asked and did not, with the reason.
    pub(crate) others: Vec<PassedOver>,
}

/// What one endpoint said.
pub(super) type Said<T> = (Endpoint, Result<T, Error>);

impl Quorum {
    /// The answer that enough of `members` give. Asks no more of them than it takes: first as many as must agree, in
    /// their order, and the others where those differ.
    pub(crate) async fn agree<T: Answer, F: Future<Output = Result<T, Error>>>(
        &self,
        what: &str,
        members: &[Endpoint],
        question: impl Fn(Endpoint) -> F,
    ) -> Result<Agreed<T>, Error> {
        let (first, rest) = members.split_at(self.needed.min(members.len()));
        let mut said = self.ask(first, &question).await;
        if votes(&said) < self.needed {
            said.extend(self.ask(rest, &question).await);
        }
        self.count(what, said)
    }

    /// Asks all of them at once; answers in their order. When enough have said the same, the others are not waited
    /// for much longer.
    pub(super) async fn ask<T: PartialEq, F: Future<Output = Result<T, Error>>>(
        &self,
        members: &[Endpoint],
        question: impl Fn(Endpoint) -> F,
    ) -> Vec<Said<T>> {
        let late =
            |endpoint: &Endpoint| Error::Transport { endpoint: endpoint.to_string(), detail: "not in time".to_owned() };
        let mut said: Vec<Said<T>> = members.iter().map(|member| (member.clone(), Err(late(member)))).collect();
        let ask = |(place, member): (usize, &Endpoint)| {
            let answer = question(member.clone());
            async move { (place, answer.await) }
        };
        let mut asked: FuturesUnordered<_> = members.iter().enumerate().map(ask).collect();
        loop {
            let patience = if votes(&said) < self.needed { Duration::MAX } else { GRACE };
            match tokio::time::timeout(patience, asked.next()).await {
                Ok(Some((place, answer))) => said[place].1 = answer,
                Ok(None) | Err(_) => return said,
            }
        }
    }

    /// The answer that enough gave. Where none is, [`Error::NoQuorum`] tells who said what; where only one endpoint was
    /// asked and needed, its own error stays as it is.
    pub(super) fn count<T: Answer>(&self, what: &str, said: Vec<Said<T>>) -> Result<Agreed<T>, Error> {
        let Some((value, _)) = most(&said).filter(|(_, votes)| *votes >= self.needed) else {
            return Err(self.no_quorum(what, said));
        };
        let value = value.clone();
        let (alike, others): (Vec<_>, Vec<_>) = said.into_iter().partition(|(_, said)| said.as_ref() == Ok(&value));
        let by = alike.into_iter().map(|(endpoint, _)| endpoint).collect();
        let others = others.iter().map(|(endpoint, said)| PassedOver::new(endpoint, &told(said))).collect();
        Ok(Agreed { value, by, others })
    }

    pub(super) fn no_quorum<T: Answer>(&self, what: &str, said: Vec<Said<T>>) -> Error {
        if let ([(_, Err(error))], 1) = (&said[..], self.needed) {
            return error.clone();
        }
        let silent =
            said.iter().filter(|(_, said)| matches!(said, Err(error) if error.unseen() == Unseen::Unreachable));
        let unreached = said.len() >= self.needed && said.len() - silent.count() < self.needed;
        let each: Vec<_> = said.iter().map(|(endpoint, said)| format!("{endpoint}: {}", told(said))).collect();
        Error::NoQuorum { needed: self.needed, what: what.to_owned(), said: each.join("; "), unreached }
    }
}

/// The answer that most gave, and how many; of several, that of the endpoint that comes first.
fn most<T: PartialEq>(said: &[Said<T>]) -> Option<(&T, usize)> {
    let answers = || said.iter().filter_map(|(_, answer)| answer.as_ref().ok());
    let votes = |answer: &T| answers().filter(|other| *other == answer).count();
    // Of equals, the last is the greatest.
    answers().rev().map(|answer| (answer, votes(answer))).max_by_key(|(_, votes)| *votes)
}

fn votes<T: PartialEq>(said: &[Said<T>]) -> usize {
    most(said).map_or(0, |(_, votes)| votes)
}

fn told<T: Answer>(said: &Result<T, Error>) -> String {
    said.as_ref().map_or_else(Error::to_string, Answer::told)
}

/// What can be agreed on, and told to people.
pub(crate) trait Answer: Clone + PartialEq {
    fn told(&self) -> String;
}

impl Answer for BlockRef {
    fn told(&self) -> String {
        format!("says {} for block {} ({})", self.hash, self.number, self.time)
    }
}

impl Answer for bool {
    fn told(&self) -> String {
        if *self { "says yes" } else { "says no" }.to_owned()
    }
}

/// The hash of a code.
impl Answer for Option<Hash> {
    fn told(&self) -> String {
        self.map_or_else(|| "says that there is no code".to_owned(), |hash| format!("says code {hash}"))
    }
}
