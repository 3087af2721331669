//! Archives of evidence as a verifier uses them: in place of a look at the chain.

use std::{
    collections::{BTreeSet, HashMap},
    io,
    path::Path,
};

use testamur_chain::observe::{Origin, Sighting, StatusOrigin};
use testamur_core::{
    ChainId, Hash, Receipt,
    checked::Missing,
    digest::file_hash,
    evidence::{Evidence, EvidenceGap},
    observation::{BlockRef, Finality, Observation, StatusAt},
};
use testamur_credentials::Supplied;

use super::trust::{Pins, Voucher};
use crate::{chains::Chains, files, identity::Library};

/// The longest archive that is read, in bytes.
const LONGEST: usize = 64 << 20;

/// Archives, and the blocks that the verifier trusts.
#[derive(Debug, Default)]
pub struct Archives {
    /// Everything that the archives hold.
    evidence: Evidence,
    /// Which archive a block's proofs are from.
    names: HashMap<(ChainId, Hash), String>,
    hashes: Vec<Hash>,
    /// What is wrong with archives that are not used.
    faults: Vec<String>,
    pins: Pins,
}

impl Archives {
    /// None yet, with the blocks that the verifier trusts.
    pub fn new(pins: Pins) -> Self {
        Self { pins, ..Self::default() }
    }

    /// Adds the archive in a file. One in which anything is wrong is not used at all, and named where evidence is lacking;
    /// an error is the disk's.
    pub fn add(&mut self, path: &Path) -> io::Result<()> {
        let name = path.display();
        let bytes = match files::read_up_to(path, LONGEST)? {
            Ok(bytes) => bytes,
            Err(error) => {
                self.fault(format!("{name} is not used: {error}"));
                return Ok(());
            }
        };
        match Evidence::parse(&bytes) {
            Ok(evidence) => self.take_in(&name.to_string(), file_hash(&bytes), evidence),
            Err(error) => self.fault(format!("{name} does not hold: {error}")),
        }
        Ok(())
    }

    /// Adds an archive that was read.
    pub fn take_in(&mut self, name: &str, hash: Hash, evidence: Evidence) {
        let blocks = evidence.views.iter().map(|view| (view.chain(), view.block().hash));
        self.names.extend(blocks.map(|block| (block, name.to_owned())));
        self.hashes.push(hash);
        self.evidence.views.extend(evidence.views);
        self.evidence.documents.extend(evidence.documents);
    }

    /// Notes why an archive is not used.
    pub fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    /// SHA-256 of each archive that is used.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Puts the documents about issuers into a library: as they are where `accept` says that they count, else as missing,
    /// with what would help. Where a library fetches documents itself, only accepted ones are worth putting in.
    pub fn shelve(&self, library: &Library, accept: bool) {
        for document in &self.evidence.documents {
            let url = document.url.clone();
            if accept {
                let bytes = document.bytes.as_slice().into();
                library.put(url, Supplied { bytes, as_of: document.as_of });
                continue;
            }
            let reason = format!(
                "the evidence has it as of {}, which nothing proves; --accept-documents accepts it, if you trust whoever packed the evidence",
                document.as_of
            );
            library.put_missing(url.clone(), Missing::Refused { what: url, reason });
        }
    }

    /// What the archives show for receipts, in their order.
    pub(crate) async fn observe(&self, chains: &Chains, receipts: &[&Receipt], finality: Finality) -> Vec<Sighting> {
        let of: BTreeSet<ChainId> = receipts.iter().map(|receipt| receipt.chain).collect();
        let mut vouchers = HashMap::new();
        for chain in of {
            vouchers.insert(chain, self.voucher(chains, chain, finality).await);
        }
        receipts.iter().map(|receipt| self.sighting(receipt, &vouchers[&receipt.chain], finality)).collect()
    }

    /// Who vouches for which of the blocks of a chain.
    async fn voucher(&self, chains: &Chains, chain: ChainId, finality: Finality) -> Voucher {
        let of_chain = self.evidence.views.iter().filter(|view| view.chain() == chain);
        let mut blocks: Vec<BlockRef> = of_chain.map(|view| view.block()).collect();
        blocks.sort_by_key(|block| std::cmp::Reverse(block.number));
        blocks.dedup();
        Voucher::of(&self.pins, chains, chain, &blocks, finality).await
    }

    fn sighting(&self, receipt: &Receipt, voucher: &Voucher, finality: Finality) -> Sighting {
        let mut fault = EvidenceGap::NotCovered { chain: receipt.chain };
        // A block that is settled, and else one that is not: that it is not will be told.
        for settled in BTreeSet::from([finality, Finality::Included]).into_iter().rev() {
            let trusted = |_, number, hash| voucher.vouches(number, hash, settled);
            match self.evidence.observe(receipt, &trusted, settled) {
                Ok(seen) => return self.seen(receipt.chain, seen, voucher),
                Err(gap) => fault = gap,
            }
        }
        let told: Vec<&str> = match fault {
            EvidenceGap::NotTrusted { .. } => voucher.doubts().collect(),
            _ => self.faults.iter().map(String::as_str).collect(),
        };
        let told = if told.is_empty() { "none that speaks of it was given".to_owned() } else { told.join("; ") };
        Sighting::unseen(fault.unseen(), told)
    }

    fn seen(&self, chain: ChainId, seen: Observation, voucher: &Voucher) -> Sighting {
        let name = self.names.get(&(chain, seen.head.hash)).cloned().unwrap_or_default();
        let origin = |at: &StatusAt| match at.proof {
            _ if at.record.root == Hash::ZERO => Origin::Root,
            Some(_) => Origin::Supplied(name.clone()),
            None => Origin::Unknown(format!("{name} does not have it")),
        };
        let origins = seen.status.iter().map(|seen| StatusOrigin {
            purpose: seen.purpose,
            head: origin(&seen.head),
            settled: origin(&seen.settled),
        });
        let origins = origins.collect();
        let basis = voucher.basis(seen.head, &name);
        Sighting { look: Ok(seen), origins, basis }
    }
}

#[cfg(test)]
mod tests {
    use testamur_core::{UnixSeconds, evidence::IdentityDocument};

    use super::*;

    #[test]
    fn documents_count_where_the_verifier_says_so() {
        let url = "https://example.edu/.well-known/did.json";
        let document = IdentityDocument { url: url.to_owned(), as_of: UnixSeconds(1), bytes: b"{}".to_vec() };
        let mut archives = Archives::default();
        archives.take_in("a.evidence", Hash::ZERO, Evidence { documents: vec![document], ..Evidence::default() });

        let library = Library::offline();
        archives.shelve(&library, false);
        let missing = library.at_hand(url).unwrap().unwrap_err().to_string();
        assert!(missing.contains("--accept-documents") && missing.contains("nothing proves"), "{missing}");

        let library = Library::offline();
        archives.shelve(&library, true);
        assert_eq!(library.at_hand(url).unwrap().unwrap().as_of, UnixSeconds(1));
    }
}
