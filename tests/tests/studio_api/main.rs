//! The studio's API, as its pages use it: a real server, node and chain; and a real provider of accounts.

mod accounts;
mod browser;
mod people;
mod resumed;
mod story;
