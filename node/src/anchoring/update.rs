//! One status update: which toggles fit into a transaction, and what a signed one toggles.

use testamur_chain::{Error, StatusView, registry::update_status_call};
use testamur_core::{StatusIndex, status::delta};

use alloy::{
    consensus::{Transaction as _, TxEnvelope},
    eips::Decodable2718,
};

use super::{
    transaction::{Cargo, Load, estimate_call, too_much},
    view::Eyes,
};
use crate::{mirror::Key, store::Attempt};

/// Bytes of a delta. Pools take no transaction above 128 KiB, whatever gas it has.
pub const MAX_DELTA: usize = 120 << 10;

/// What came of trying.
#[derive(Debug)]
pub enum Fitted {
    /// The contract accepts it.
    Load(Load),
    /// It does not, for this reason.
    Refused(String),
}

/// Tries what the contract would do with an update of these toggles, and takes half of them (the first ones) until it
/// fits into `gas_cap` and `max_delta`. No toggles make an update too: one that changes nothing but the epoch.
pub async fn fit(
    eyes: &Eyes,
    seen: &StatusView,
    mut toggles: &[StatusIndex],
    gas_cap: u64,
    max_delta: usize,
) -> Result<Fitted, Error> {
    loop {
        let mut sorted = toggles.to_vec();
        sorted.sort_unstable();
        let delta = delta::encode(&sorted).expect("no index is missing twice");
        let detail = if delta.len() > max_delta {
            format!("its delta has {} bytes, a transaction may have {max_delta}", delta.len())
        } else {
            let load = load(eyes, seen, &sorted, &delta);
            match estimate_call(eyes, load.to, &load.calldata).await {
                Ok(gas) if gas <= gas_cap => return Ok(Fitted::Load(Load { gas, ..load })),
                Ok(gas) => too_much(gas, gas_cap),
                Err(error) if error.is_transient() => return Err(error),
                // Fewer toggles would be refused as well.
                Err(Error::Reverted { error }) => return Ok(Fitted::Refused(error)),
                Err(error) => error.to_string(),
            }
        };
        if toggles.len() <= 1 {
            return Ok(Fitted::Refused(detail));
        }
        toggles = &toggles[..toggles.len() / 2];
    }
}

/// The update that follows on a view, without gas.
fn load(eyes: &Eyes, seen: &StatusView, toggles: &[StatusIndex], delta: &[u8]) -> Load {
    let (issuer, purpose) = (seen.issuer, seen.purpose);
    let mut tree = seen.head.tree.clone();
    tree.toggle(toggles);
    let (epoch, root, base) = (seen.head.record.epoch + 1, tree.root(), seen.head.tree.root());
    let calldata = update_status_call(issuer, purpose, epoch, root, delta);
    let cargo = Cargo::Status { key: Key { issuer, purpose }, epoch, root, base };
    Load { cargo, to: eyes.registry.address(), calldata, gas: 0 }
}

/// What a signed update toggles. `None` where it is none of ours.
pub fn toggles(attempt: &Attempt) -> Option<Vec<StatusIndex>> {
    /// Selector, four static words, and the offset of the fifth argument.
    const DELTA: usize = 4 + 5 * 32;
    let signed = TxEnvelope::decode_2718_exact(&attempt.raw).ok()?;
    let (length, bytes) = signed.input().get(DELTA..)?.split_at_checked(32)?;
    let length = usize::try_from(u64::from_be_bytes(length[24..].try_into().ok()?)).ok()?;
    delta::decode(bytes.get(..length)?).ok()
}

#[cfg(test)]
mod tests {
    use testamur_core::{Address, Hash, Purpose};

    use super::*;

    #[test]
    fn a_signed_update_tells_what_it_toggles() {
        let indices: Vec<_> = [0, 5, 1 << 39].map(|n| StatusIndex::new(n).unwrap()).into();
        for toggled in [&indices[..], &[]] {
            let delta = delta::encode(toggled).unwrap();
            let calldata = update_status_call(Address([1; 20]), Purpose::SUSPENSION, 7, Hash([2; 32]), &delta);
            let attempt = crate::anchoring::tests::signed(&calldata);
            assert_eq!(toggles(&attempt).unwrap(), toggled);
        }
        assert_eq!(toggles(&crate::anchoring::tests::signed(&[])), None, "a cancelled one");
    }
}
