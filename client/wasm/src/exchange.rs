//! Questions to the world and their answers, without I/O: whoever runs a verification takes the questions, fetches, and
//! hands in the answers. A verification is a future that waits for them, so that its code reads from top to bottom.

use std::{
    cell::RefCell,
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use serde::Serialize;
use serde_json::Value;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Question {
    /// A JSON-RPC call.
    Rpc {
        /// Which of the endpoints.
        endpoint: usize,
        /// The method.
        method: &'static str,
        /// Its parameters.
        params: Value,
    },
    /// The document at an `https` URL.
    Document {
        /// The URL.
        url: String,
    },
    /// SHA-256 of a JSON-LD document's canonical form.
    Canonical {
        /// The document.
        document: Value,
    },
}

impl Question {
    /// Bytes that an answer may have.
    pub fn limit(&self) -> usize {
        match self {
            // The events of one full block (a delta costs at least 10 gas a byte, and is answered in hex) stay far below.
            Self::Rpc { method: "eth_getLogs", .. } => 64 << 20,
            // Code, or a proof of some slots; blocks list the hashes of their transactions.
            Self::Rpc { .. } => 4 << 20,
            // A status list of some million entries; DID documents are read up to less.
            Self::Document { .. } => 16 << 20,
            Self::Canonical { .. } => 256,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The network's fault, or the host's: another try may help.
    Unreachable(String),
    /// Whoever fetches did not want to: not allowed, too large, a redirect.
    Refused(String),
    /// The host says that there is no such thing.
    NotFound(String),
    /// It was had and cannot be read, or it can be had nowhere.
    Unreadable(String),
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unreachable(detail) | Self::Refused(detail) | Self::NotFound(detail) | Self::Unreadable(detail)) =
            self;
        f.write_str(detail)
    }
}

/// The bytes that answer a question.
pub type Answer = Result<Vec<u8>, NoAnswer>;

/// The number of a question.
pub type Id = u32;

/// Where questions and answers meet. Clones are the same place.
#[derive(Clone, Default)]
pub struct Exchange(Rc<RefCell<Counter>>);

#[derive(Default)]
struct Counter {
    asked: Id,
    open: Vec<(Id, Question)>,
    answers: HashMap<Id, Answer>,
}

impl Exchange {
    /// Asks, and waits for the answer.
    pub async fn ask(&self, question: Question) -> Answer {
        let id = {
            let mut counter = self.0.borrow_mut();
            counter.asked += 1;
            let id = counter.asked;
            counter.open.push((id, question));
            id
        };
        std::future::poll_fn(|_| match self.0.borrow_mut().answers.remove(&id) {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        })
        .await
    }

    /// The questions that nobody has taken yet.
    pub fn take(&self) -> Vec<(Id, Question)> {
        std::mem::take(&mut self.0.borrow_mut().open)
    }

    /// Hands in an answer.
    pub fn answer(&self, id: Id, answer: Answer) {
        self.0.borrow_mut().answers.insert(id, answer);
    }
}

/// A future in a box, so that the code to wait for it is there once.
pub type Waiting<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Waits for all of some futures at the same time; results in their order. Each is polled whenever one of them might go on:
/// they are few, and all wait for answers only.
pub async fn all<'a, F: Future + 'a>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    all_boxed(futures.into_iter().map(|future| Box::pin(future) as Waiting<'a, F::Output>).collect()).await
}

async fn all_boxed<T>(mut waiting: Vec<Waiting<'_, T>>) -> Vec<T> {
    let mut done: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in waiting.iter_mut().zip(&mut done) {
            poll_into(done, future.as_mut(), context);
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// Waits for two futures at the same time.
pub async fn both<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let (mut first, mut second) = (None, None);
    std::future::poll_fn(|context| {
        poll_into(&mut first, a.as_mut(), context);
        poll_into(&mut second, b.as_mut(), context);
        match (first.take(), second.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            (a, b) => {
                (first, second) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}

fn poll_into<F: Future + ?Sized>(done: &mut Option<F::Output>, future: Pin<&mut F>, context: &mut Context<'_>) {
    if done.is_none()
        && let Poll::Ready(output) = future.poll(context)
    {
        *done = Some(output);
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Waker};

    use super::*;

    fn document(url: &str) -> Question {
        Question::Document { url: url.to_owned() }
    }

    #[test]
    fn answers_reach_those_who_asked_in_whatever_order_they_come() {
        let exchange = Exchange::default();
        let twice = async {
            let first = exchange.ask(document("a")).await;
            (first, exchange.ask(document("b")).await)
        };
        let mut work = pin!(both(twice, all(["c", "d"].map(|url| exchange.ask(document(url))))));
        let mut context = Context::from_waker(Waker::noop());
        assert!(work.as_mut().poll(&mut context).is_pending());
        let urls = |open: &[(Id, Question)]| open.iter().map(|(_, question)| question.clone()).collect::<Vec<_>>();
        let open = exchange.take();
        assert_eq!(urls(&open), ["a", "c", "d"].map(document));
        for (id, _) in open.iter().rev() {
            exchange.answer(*id, Ok(vec![*id as u8]));
        }
        assert!(work.as_mut().poll(&mut context).is_pending());
        let open = exchange.take();
        assert_eq!(urls(&open), [document("b")]);
        exchange.answer(open[0].0, Err(NoAnswer::Unreachable("off".to_owned())));
        let Poll::Ready(((a, b), others)) = work.as_mut().poll(&mut context) else { panic!("all is answered") };
        assert_eq!((a, others), (Ok(vec![1]), vec![Ok(vec![2]), Ok(vec![3])]));
        assert_eq!(b, Err(NoAnswer::Unreachable("off".to_owned())));
    }
}
