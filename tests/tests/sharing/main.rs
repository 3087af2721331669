//! Learners are told of their credentials, claim and share them; mail servers and power fail on the way. Real programs, a
//! real chain and node, a real mail server and a wallet of other people's.

mod crashes;
mod learner;
mod mails;
#[allow(dead_code, reason = "of the office that the tests of issuing have, these need less")]
#[path = "../issuing/office.rs"]
mod office;
mod story;
