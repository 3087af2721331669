//! What is fetched is fetched once in a run, and a credential does not make it without end.

use std::sync::atomic::{AtomicUsize, Ordering};

use testamur::identity::Library;
use testamur_core::checked::Missing;
use testamur_credentials::{Have, Supplies};

use crate::server::{Reply, Server};

#[tokio::test]
async fn a_url_is_asked_once_however_many_want_it() {
    let server = Server::start(|_| Reply::ok(b"{}")).await;
    let library = Library::online(server.fetcher());
    let url = server.url("list");
    let check = |supplies: &dyn Supplies| matches!(supplies.document(&url), Have::Yes(_));
    let all = futures::future::join_all((0..20).map(|_| library.supply(check))).await;
    assert!(all.into_iter().all(|had| had));
    assert_eq!(server.asked().len(), 1);
    assert_eq!(library.documents().len(), 1);
}

#[tokio::test]
async fn a_credential_does_not_make_us_fetch_without_end() {
    let server = Server::start(|_| Reply::ok(b"{}")).await;
    let library = Library::online(server.fetcher());
    let urls: Vec<_> = (0..40).map(|number| server.url(&number.to_string())).collect();
    let refused = library.supply(|supplies| {
        let answers = urls.iter().map(|url| supplies.document(url));
        answers.filter(|answer| matches!(answer, Have::No(Missing::Refused { .. }))).count()
    });
    assert_eq!((refused.await, server.asked().len()), (24, 16));

    // Each answer makes this one want another.
    let library = Library::online(server.fetcher());
    let before = server.asked().len();
    let runs = AtomicUsize::new(0);
    let last = library.supply(|supplies| {
        runs.fetch_add(1, Ordering::SeqCst);
        let chain = (0..).map(|number| supplies.document(&server.url(&format!("chain{number}"))));
        chain.take_while(|answer| matches!(answer, Have::Yes(_))).count()
    });
    assert_eq!(last.await, 4);
    assert_eq!((runs.load(Ordering::SeqCst), server.asked().len() - before), (5, 4));
}

#[tokio::test]
async fn offline_nobody_is_asked() {
    let library = Library::offline();
    for url in ["https://example.edu/did.json", "dns:_testamur.example.edu?type=TXT"] {
        let answer = library.supply(|supplies| supplies.document(url)).await;
        assert_eq!(answer, Have::No(Missing::NotAsked { what: url.to_owned() }));
    }
}
