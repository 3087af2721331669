//! Speed, each figure beside its peer or its limit from the same run.
//!
//! Reading order: [`table`] (what a row says) → [`rounds`] (how things are compared on a noisy machine) →
//! one module for each item. What must not share memory runs in a [`child`] process.

mod badge;
mod bulk;
mod child;
mod gas;
mod http;
mod issue;
mod linked_data;
mod machine;
mod rebuild;
mod rounds;
mod status;
mod store;
mod table;
mod tree;

use std::ffi::OsString;

use anyhow::Result;
use clap::{Parser, ValueEnum};

use crate::{machine::Machine, table::Table};

/// Prints one table: ours beside the peer or the limit of the same run, the goal, and whether it is met.
#[derive(Parser)]
struct Arguments {
    /// What to measure; everything where nothing is named.
    items: Vec<Item>,
    /// How often each measurement is repeated; the median is printed.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Item {
    /// Batch trees and their proofs, beside the bare hash loop, rs_merkle and ct-merkle.
    Tree,
    /// The status tree of a large issuer, beside the bare hash loop.
    Status,
    /// The embedded engine, beside a plain file, redb, LMDB and sled.
    Store,
    /// Digests submitted over HTTP, beside a plain file.
    Submit,
    /// Receipts served, beside axum saying hello.
    Receipts,
    /// Single status proofs served, beside axum saying hello, and many changes at once.
    StatusProofs,
    /// An issuer's status rebuilt from the chain.
    Rebuild,
    /// One million digests, from the first byte to all receipts, on a real chain.
    Million,
    /// What the contract costs, beside other registries.
    Gas,
    /// Ten thousand signed and anchored credentials verified by the command, beside what no verifier can leave out.
    Bulk,
    /// A hundred thousand credentials issued by the command, beside signatures and files alone.
    Issue,
    /// Credentials signed as JSON-LD, beside the crate that expands them, as it comes.
    LinkedData,
}

impl Item {
    fn measure(self, rounds: usize, table: &mut Table) -> Result<()> {
        match self {
            Self::Tree => tree::measure(rounds, table),
            Self::Status => status::measure(rounds, table),
            Self::Store => store::measure(rounds, table),
            Self::Submit => http::submit(rounds, table),
            Self::Receipts => http::receipts(rounds, table),
            Self::StatusProofs => http::status(rounds, table),
            Self::Rebuild => rebuild::measure(rounds, table),
            Self::Million => http::million(rounds, table),
            Self::Gas => gas::measure(table),
            Self::Bulk => bulk::measure(rounds, table),
            Self::Issue => issue::measure(rounds, table),
            Self::LinkedData => linked_data::measure(rounds, table),
        }
    }
}

fn main() -> Result<()> {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if words.first().is_some_and(|word| word == child::WORD) {
        return child::run(&words[1..]);
    }
    let arguments = Arguments::parse();
    let items = if arguments.items.is_empty() { Item::value_variants() } else { &arguments.items };
    let mut table = Table::default();
    for item in items {
        let before = Machine::now()?;
        item.measure(arguments.rounds.into(), &mut table)?;
        let name = item.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned());
        table.note(format!("{name}: {}", Machine::now()?.since(&before)));
    }
    table.print(arguments.json)
}
