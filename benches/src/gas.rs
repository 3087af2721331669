//! What the contract costs: measured by contracts/script/gas.mjs, which checks it at every change.

use std::{fs, path::Path};

use anyhow::{Context, Error, Result};
use serde_json::Value;

use crate::table::{Goal, Peer, Row, Table, Unit};

/// An entry of contracts/gas.json, and what the same act costs elsewhere. The peers' figures come from receipts of an
/// anvil node too, but are not measured again here: their contracts are not part of this project.
struct Act {
    entry: &'static str,
    /// The entry for the plain way of doing the same, measured on the same chain in the same run.
    plain: Option<&'static str>,
    peers: &'static [(&'static str, f64)],
}

const ACTS: [Act; 6] = [
    Act {
        entry: "anchor",
        plain: None,
        peers: &[("EAS", 45_797.0), ("OpenAttestation", 47_886.0), ("TrustVC", 48_997.0), ("Blockcerts", 22_280.0)],
    },
    Act { entry: "anchorMany, each further batch of the same issuer", plain: None, peers: &[] },
    Act {
        entry: "updateStatus, one index",
        plain: Some("a slot for each revocation: one"),
        peers: &[("EAS", 46_365.0), ("OpenAttestation", 47_980.0), ("TrustVC", 65_947.0)],
    },
    Act {
        entry: "updateStatus, 1,000 indices of one list",
        plain: Some("a slot for each revocation: 1,000"),
        peers: &[("EAS", 25.0e6), ("OpenAttestation", 24.3e6), ("TrustVC", 43.2e6)],
    },
    Act {
        entry: "updateStatus, 1,000 indices of a million",
        plain: Some("a slot for each revocation: 1,000"),
        peers: &[],
    },
    Act { entry: "verifyInclusion, 20 levels, execution", plain: None, peers: &[] },
];

/// Reads the measured values.
pub fn measure(table: &mut Table) -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/gas.json");
    let measured: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
    let gas = |entry: &str| measured[entry]["gas"].as_f64().with_context(|| format!("{}: no {entry}", file.display()));
    for Act { entry, plain, peers } in ACTS {
        let ours = gas(entry)?;
        let plain = plain.map(|entry| Ok::<_, Error>(("a slot for each revocation", gas(entry)?))).transpose()?;
        let peers = plain.iter().chain(peers).map(|&(name, figure)| Peer {
            name: name.to_owned(),
            figure,
            ratio: ours / figure,
        });
        table.push(Row {
            what: format!("gas: {entry}"),
            unit: Unit::Gas,
            ours,
            peers: peers.collect(),
            goal: measured[entry]["limit"].as_f64().map(Goal::AtMost),
        });
    }
    table.note(
        "gas: ours and a slot for each revocation from contracts/gas.json; the others as measured on anvil before"
            .into(),
    );
    Ok(())
}
