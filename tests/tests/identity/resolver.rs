//! DNS records from a real server, over UDP.

use std::{net::SocketAddr, sync::Arc};

use hickory_proto::{
    op::{Message, MessageType, ResponseCode},
    rr::{RData, Record, rdata::TXT},
};
use testamur::identity::{Dns, DnsServer, Library};
use testamur_core::{
    Address, ChainId, UnixSeconds,
    checked::{Missing, TieAnswer, TieSource},
};
use testamur_credentials::{
    Supplied,
    ties::{Anchored, Known, find_ties},
};
use tokio::net::UdpSocket;

const ACCOUNT: Address = Address([7; 20]);

/// Answers for `_testamur.example.edu`, and knows no other name; with `is_ill`, it fails.
async fn serve(is_ill: bool) -> SocketAddr {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a free port"));
    let address = socket.local_addr().expect("bound");
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let mut message = Message::from_vec(&buffer[..length]).expect("a question");
            message.metadata.message_type = MessageType::Response;
            message.metadata.recursion_available = true;
            let name = message.queries[0].name().clone();
            let record = |texts: &[&str]| {
                let texts = texts.iter().map(|text| (*text).to_owned()).collect();
                Record::from_rdata(name.clone(), 60, RData::TXT(TXT::new(texts)))
            };
            let account = format!("eip155:1:{ACCOUNT}");
            match name.to_ascii().to_lowercase().as_str() {
                _ if is_ill => message.metadata.response_code = ResponseCode::ServFail,
                "_testamur.example.edu." => {
                    message.answers.push(record(&["v=spf1 -all"]));
                    // A record may come in pieces.
                    message.answers.push(record(&["testamur=", &account]));
                }
                _ => message.metadata.response_code = ResponseCode::NXDomain,
            }
            let answer = message.to_vec().expect("an answer");
            socket.send_to(&answer, from).await.expect("sent");
        }
    });
    address
}

async fn dns(address: SocketAddr) -> Dns {
    Dns::connect(&DnsServer::At(address)).await.expect("no name to look up")
}

#[tokio::test]
async fn a_domain_names_its_account() {
    let library = Library::offline().with_dns(Ok(dns(serve(false).await).await));
    let silent = br#"{"id":"did:web:example.edu"}"#;
    let url = "https://example.edu/.well-known/did.json";
    library.put(url, Supplied { bytes: silent[..].into(), as_of: UnixSeconds(1) });
    let ask = |chain, account| {
        library.supply(move |supplies| {
            let anchored = Some(Anchored { chain: ChainId(chain), account });
            find_ties("did:web:example.edu", anchored, &Known::default(), supplies, UnixSeconds(2)).pop()
        })
    };
    let tie = ask(1, ACCOUNT).await.expect("asked");
    assert_eq!(tie.source, TieSource::Dns { name: "_testamur.example.edu".to_owned() });
    assert!(matches!(tie.answer, TieAnswer::Theirs { .. }), "{tie:?}");
    let other = ask(1, Address([8; 20])).await.expect("asked");
    assert_eq!(other.answer, TieAnswer::Others { accounts: vec![ACCOUNT] });
    assert_eq!(ask(10, ACCOUNT).await.expect("asked").answer, TieAnswer::Silent);
}

#[tokio::test]
async fn no_record_and_no_answer_are_told_apart() {
    assert_eq!(dns(serve(false).await).await.texts("_testamur.nobody.net").await, Ok(Vec::new()));
    let ill = dns(serve(true).await).await.texts("_testamur.example.edu").await;
    assert!(matches!(ill, Err(Missing::Unreachable { .. })), "{ill:?}");
    let closed = UdpSocket::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("bound");
    let silent = dns(closed).await.texts("_testamur.example.edu").await;
    assert!(matches!(silent, Err(Missing::Unreachable { .. })), "{silent:?}");
}
