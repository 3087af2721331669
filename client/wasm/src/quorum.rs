//! Several endpoints of one chain, of which some number must agree: on the blocks at which everything is read, and
//! on answers that nothing proves.

use std::{cell::RefCell, collections::BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};
use testamur_core::{
    BlockNumber, ChainId, Hash, UnixSeconds,
    observation::{BlockRef, Finality, Unseen},
};

use crate::{
    exchange::{Exchange, all},
    hex,
    rpc::{Trouble, call},
};

/// Why the chain could not be seen, with the detail for people.
pub type Blind = (Unseen, String);

/// JSON-RPC code of a server that limits requests: it might have answered otherwise.
const LIMITED: i64 = -32005;

/// The endpoints of one chain.
pub struct Quorum {
    exchange: Exchange,
    needed: usize,
    members: Vec<Member>,
}

/// An endpoint that was asked.
struct Member {
    endpoint: usize,
    name: String,
    /// What was wrong with it: then it agrees to nothing any more.
    trouble: RefCell<Option<Trouble>>,
    /// What it could not do, without being wrong.
    note: RefCell<Option<String>>,
}

/// An endpoint that did not count, or that could not do everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// Scheme and host.
    pub endpoint: String,
    /// Why, for people.
    pub reason: String,
}

/// A block on which the quorum agrees.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// Which one.
    pub block: BlockRef,
    /// The endpoints that gave this hash.
    pub by: Vec<String>,
    /// Its header, as each of them gave it: no more than its hash is agreed.
    pub headers: Vec<Value>,
}

/// Which block is meant.
#[derive(Clone, Copy)]
enum Tag {
    Name(&'static str),
    Number(u64),
}

impl Tag {
    fn text(self) -> String {
        match self {
            Self::Name(name) => name.to_owned(),
            Self::Number(number) => format!("{number:#x}"),
        }
    }
}

impl Quorum {
    /// Asks every endpoint which chain it serves. `needed`: how many must agree; `None`: more than half of those that
    /// serve the chain or do not say which one they serve.
    pub async fn open(
        exchange: &Exchange,
        names: &[String],
        wanted: ChainId,
        needed: Option<usize>,
    ) -> Result<Self, Blind> {
        let ids = all((0..names.len()).map(|endpoint| chain_id(exchange, endpoint))).await;
        let others: Vec<ChainId> = ids.iter().flatten().copied().filter(|id| *id != wanted).collect();
        let member = |(endpoint, (id, name)): (usize, (Result<ChainId, Trouble>, &String))| match id {
            Ok(id) if id != wanted => None,
            id => {
                let (name, trouble) = (name.clone(), RefCell::new(id.err()));
                Some(Member { endpoint, name, trouble, note: RefCell::default() })
            }
        };
        let mut members: Vec<Member> = ids.into_iter().zip(names).enumerate().filter_map(member).collect();
        // Two of one name are one voice: of such, one that answers.
        members.sort_by_key(|member| member.trouble.borrow().is_some());
        let mut heard = BTreeSet::new();
        members.retain(|member| heard.insert(member.name.clone()));
        let needed = needed.unwrap_or(members.len() / 2 + 1).max(1);
        let quorum = Self { exchange: exchange.clone(), needed, members };
        match (quorum.members.is_empty(), others.first()) {
            (true, None) => Err((Unseen::NoEndpoint { wanted }, format!("no endpoint for {wanted} is known here"))),
            (true, Some(&served)) => {
                Err((Unseen::OtherChain { wanted, served }, format!("no endpoint serves {wanted}")))
            }
            (false, _) => quorum.enough().map(|()| quorum),
        }
    }

    /// How many must agree.
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// How many were asked of which it is not known that they serve another chain.
    pub fn given(&self) -> usize {
        self.members.len()
    }

    /// The endpoints that did not count so far, or could not do everything.
    pub fn passed_over(&self) -> Vec<PassedOver> {
        let passed_over = |member: &Member| {
            let trouble = member.trouble.borrow().as_ref().map(Trouble::to_string);
            let reason = trouble.or_else(|| member.note.borrow().clone())?;
            Some(PassedOver { endpoint: member.name.clone(), reason })
        };
        self.members.iter().filter_map(passed_over).collect()
    }

    /// The newest block, and the newest that is settled as `finality` says.
    pub async fn blocks(&self, finality: Finality) -> Result<(Agreed, Agreed), Blind> {
        // The settled block first: it is then never newer than the head, unless different servers answer.
        let settled = match finality {
            Finality::Included => None,
            Finality::Safe => Some(self.agree_on("safe").await?),
            Finality::Finalized => Some(self.agree_on("finalized").await?),
        };
        let head = self.agree_on("latest").await?;
        Ok(match settled {
            None => (head.clone(), head),
            Some(settled) if settled.block.number > head.block.number => (settled.clone(), settled),
            Some(settled) => (head, settled),
        })
    }

    /// Whether enough members still have a block.
    pub async fn has(&self, block: BlockRef) -> bool {
        let asked = self.members.iter().map(|member| self.try_block(member, Tag::Number(block.number.0)));
        let now = all(asked).await;
        let same = now.iter().flatten().flatten().filter(|now| now.block.hash == block.hash);
        same.count() >= self.needed
    }

    /// The first answer of a member that `read` takes, with that member's name. What it does not take is that member's fault; that it does not
    /// answer is none.
    pub async fn any<T>(
        &self,
        method: &'static str,
        params: Value,
        mut read: impl FnMut(Value) -> Result<T, String>,
    ) -> Result<(T, &str), Blind> {
        let mut last = None;
        for member in self.good().collect::<Vec<_>>() {
            let trouble = match call(&self.exchange, member.endpoint, method, params.clone()).await {
                Ok(answer) => match read(answer) {
                    Ok(answer) => return Ok((answer, &member.name)),
                    Err(fault) => member.blame(Trouble::Unusable(fault)),
                },
                Err(trouble) => member.note(trouble),
            };
            last = Some((trouble.unseen(), format!("{} {trouble}", member.name)));
        }
        Err(last.unwrap_or_else(|| self.blind()))
    }

    /// An answer that as many members give as are needed, in the form that `read` finds.
    pub async fn same<T: PartialEq>(
        &self,
        method: &'static str,
        params: &Value,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Blind> {
        let good: Vec<&Member> = self.good().collect();
        let calls = good.iter().map(|member| call(&self.exchange, member.endpoint, method, params.clone()));
        let mut said: Vec<(T, Vec<&Member>)> = Vec::new();
        for (member, answer) in good.iter().zip(all(calls).await) {
            let unread = || Trouble::unusable(format!("its answer to {method} is none"));
            match answer.and_then(|answer| answer.as_str().and_then(&read).ok_or_else(unread)) {
                Err(trouble) => _ = member.blame(trouble),
                Ok(answer) => match said.iter_mut().find(|(same, _)| *same == answer) {
                    Some((_, by)) => by.push(member),
                    None => said.push((answer, vec![member])),
                },
            }
        }
        self.settle(said, |_| format!("another answer to {method} than the others give"))
    }

    /// A block that as many members have as are needed: the newest such one under this name.
    async fn agree_on(&self, name: &'static str) -> Result<Agreed, Blind> {
        let good: Vec<&Member> = self.good().collect();
        let newest = all(good.iter().map(|member| self.named(member, name))).await;
        let mut heights: Vec<BlockNumber> = newest.iter().flatten().map(|agreed| agreed.block.number).collect();
        heights.sort_unstable_by(|a, b| b.cmp(a));
        // They differ by a block or two: what `needed` of them have reached is asked of all that have it.
        let Some(&height) = heights.get(self.needed - 1) else { return Err(self.blind()) };
        let there = all(good.iter().zip(newest).map(async |(member, newest)| match newest {
            Some(newest) if newest.block.number == height => Some(newest),
            Some(newest) if newest.block.number > height => self.block(member, Tag::Number(height.0)).await,
            _ => None,
        }))
        .await;
        let mut said: Vec<(Agreed, Vec<&Member>)> = Vec::new();
        for (member, block) in good.into_iter().zip(there).filter_map(|(member, block)| Some((member, block?))) {
            match said.iter_mut().find(|(said, _)| said.block == block.block) {
                None => said.push((block, vec![member])),
                Some((said, by)) => {
                    said.by.extend(block.by);
                    said.headers.extend(block.headers);
                    by.push(member);
                }
            }
        }
        self.settle(said, |said| format!("it says that block {height} is {}", said.block.hash))
    }

    /// The newest block of this name that a member has. A young chain has none yet, which clients say in different ways:
    /// only its first one is settled.
    async fn named(&self, member: &Member, name: &'static str) -> Option<Agreed> {
        match self.try_block(member, Tag::Name(name)).await {
            Ok(Some(block)) => Some(block),
            Ok(None) => self.block(member, Tag::Number(0)).await,
            Err(Trouble::Error { code, .. }) if code != LIMITED => self.block(member, Tag::Number(0)).await,
            Err(trouble) => {
                member.blame(trouble);
                None
            }
        }
    }

    async fn block(&self, member: &Member, tag: Tag) -> Option<Agreed> {
        match self.try_block(member, tag).await {
            Ok(block) => block,
            Err(trouble) => {
                member.blame(trouble);
                None
            }
        }
    }

    async fn try_block(&self, member: &Member, tag: Tag) -> Result<Option<Agreed>, Trouble> {
        let params = json!([tag.text(), false]);
        let header = call(&self.exchange, member.endpoint, "eth_getBlockByNumber", params).await?;
        if header.is_null() {
            return Ok(None);
        }
        let block = read_block(&header).ok_or_else(|| Trouble::unusable("it answers with a block that is none"))?;
        match tag {
            Tag::Number(wanted) if block.number.0 != wanted => {
                Err(Trouble::unusable(format!("it answers with block {} where {wanted} was asked for", block.number)))
            }
            _ => Ok(Some(Agreed { block, by: vec![member.name.clone()], headers: vec![header] })),
        }
    }

    /// The one thing that enough members said; whoever said another is named with it.
    fn settle<T>(&self, said: Vec<(T, Vec<&Member>)>, other: impl Fn(&T) -> String) -> Result<T, Blind> {
        let most = said.iter().map(|(_, by)| by.len()).max().unwrap_or(0);
        // Two camps of the same size, both large enough (a quorum of half or less was asked for), agree on nothing.
        let mut winners = said.iter().filter(|(_, by)| by.len() == most);
        let won = (most >= self.needed && winners.next().is_some() && winners.next().is_none()).then_some(most);
        let mut agreed = None;
        for (what, by) in said {
            if won == Some(by.len()) {
                agreed = Some(what);
            } else {
                by.iter().for_each(|member| _ = member.blame(Trouble::Unusable(other(&what))));
            }
        }
        agreed.ok_or_else(|| self.blind())
    }

    /// The members that have agreed so far.
    fn good(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.trouble.borrow().is_none())
    }

    /// [`Unseen`] where too few members have agreed so far.
    pub fn enough(&self) -> Result<(), Blind> {
        if self.good().count() < self.needed { Err(self.blind()) } else { Ok(()) }
    }

    /// What is said where too few agree: who said what.
    fn blind(&self) -> Blind {
        let troubles = self.members.iter().filter_map(|member| Some((member, member.trouble.borrow().clone()?)));
        let told: Vec<String> =
            troubles.clone().map(|(member, trouble)| format!("{}: {trouble}", member.name)).collect();
        // Where a member's answer was bad, that is the reason, and not that another one is silent.
        let unseen = troubles.map(|(_, trouble)| trouble.unseen()).find(|unseen| *unseen == Unseen::Unusable);
        let detail = format!("{} of {} endpoints must agree; {}", self.needed, self.members.len(), told.join("; "));
        (unseen.unwrap_or(Unseen::Unreachable), detail)
    }
}

impl Member {
    /// Keeps the first thing that was wrong: the others follow from it.
    fn blame(&self, trouble: Trouble) -> Trouble {
        self.trouble.borrow_mut().get_or_insert(trouble).clone()
    }

    fn note(&self, trouble: Trouble) -> Trouble {
        self.note.borrow_mut().get_or_insert(trouble.to_string());
        trouble
    }
}

async fn chain_id(exchange: &Exchange, endpoint: usize) -> Result<ChainId, Trouble> {
    let id = call(exchange, endpoint, "eth_chainId", json!([])).await?;
    number(&id).map(ChainId).ok_or_else(|| Trouble::unusable("it does not say which chain it serves"))
}

fn read_block(header: &Value) -> Option<BlockRef> {
    let member = |name| header.get(name);
    let hash = Hash::try_from(&hex::bytes(member("hash")?.as_str()?)?[..]).ok()?;
    let time = UnixSeconds(number(member("timestamp")?)?);
    Some(BlockRef { number: BlockNumber(number(member("number")?)?), hash, time })
}

/// A number as JSON-RPC writes it: `0x…`.
fn number(value: &Value) -> Option<u64> {
    let word = hex::word(value.as_str()?)?;
    let (high, low) = word.0.split_last_chunk()?;
    high.iter().all(|byte| *byte == 0).then(|| u64::from_be_bytes(*low))
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;

    #[test]
    fn two_endpoints_of_one_name_are_one_voice() {
        let exchange = Exchange::default();
        let names = ["https://a.example", "https://b.example", "https://a.example"].map(str::to_owned);
        let mut opening = pin!(Quorum::open(&exchange, &names, ChainId(1), None));
        let mut context = Context::from_waker(Waker::noop());
        assert!(opening.as_mut().poll(&mut context).is_pending());
        for (id, _) in exchange.take() {
            exchange.answer(id, Ok(br#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#.to_vec()));
        }
        let Poll::Ready(Ok(quorum)) = opening.as_mut().poll(&mut context) else { panic!("all is answered") };
        assert_eq!((quorum.given(), quorum.needed()), (2, 2));
    }
}
