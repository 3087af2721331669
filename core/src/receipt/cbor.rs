//! Receipts as deterministic CBOR (RFC 8949, 4.2.1): a map of text keys in bytewise order of their encodings;
//! hashes and addresses as byte strings, numbers as unsigned integers, the chain as text.

use minicbor::{Decoder, Encoder, decode};

use super::Receipt;
use crate::{Address, BlockNumber, Error, Hash, StatusIndex, batch::MAX_PATH};

/// Keys in the order of RFC 8949, 4.2.1: shorter ones first, then by bytes.
const KEYS: [&str; 11] = [
    "path",
    "root",
    "block",
    "chain",
    "issuer",
    "version",
    "registry",
    "treeSize",
    "leafIndex",
    "statusIndex",
    "transaction",
];

impl Receipt {
    /// The receipt's only CBOR encoding.
    pub fn to_cbor(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + 34 * self.path.len());
        self.encode(&mut Encoder::new(&mut out)).expect("writing to a vector does not fail");
        out
    }

    fn encode(&self, e: &mut Encoder<&mut Vec<u8>>) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        let [path, root, block, chain, issuer, version, registry, size, leaf, status, transaction] = KEYS;
        e.map(KEYS.len() as u64)?;
        e.str(path)?.array(self.path.len() as u64)?;
        for sibling in &self.path {
            e.bytes(&sibling.0)?;
        }
        e.str(root)?.bytes(&self.root.0)?;
        e.str(block)?.u64(self.block.0)?;
        e.str(chain)?.str(&self.chain.to_string())?;
        e.str(issuer)?.bytes(&self.issuer.0)?;
        e.str(version)?.u64(self.version)?;
        e.str(registry)?.bytes(&self.registry.0)?;
        e.str(size)?.u64(self.tree_size)?;
        e.str(leaf)?.u64(self.leaf_index)?;
        e.str(status)?.u64(self.status_index.get())?;
        e.str(transaction)?.bytes(&self.transaction.0)?;
        Ok(())
    }

    /// Reads a receipt and accepts its one encoding only: [`Error::Cbor`] for any other bytes.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, Error> {
        let receipt = Self::decode(&mut Decoder::new(bytes)).map_err(|_| Error::Cbor)?;
        if receipt.to_cbor() != bytes {
            return Err(Error::Cbor);
        }
        receipt.check_shape()?;
        Ok(receipt)
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, decode::Error> {
        let other = |_| decode::Error::message("not a value of the protocol");
        if d.map()? != Some(KEYS.len() as u64) {
            return Err(decode::Error::message("not the members of a receipt"));
        }
        let mut keys = KEYS.into_iter();
        let mut key = |d: &mut Decoder<'_>| match (d.str()?, keys.next()) {
            (found, Some(expected)) if found == expected => Ok(()),
            _ => Err(decode::Error::message("not the members of a receipt")),
        };
        let hash = |d: &mut Decoder<'_>| d.bytes().and_then(|bytes| Hash::try_from(bytes).map_err(other));
        let address = |d: &mut Decoder<'_>| d.bytes().and_then(|bytes| Address::try_from(bytes).map_err(other));

        key(d)?;
        let length = d.array()?.filter(|&n| n <= MAX_PATH as u64);
        let length = length.ok_or_else(|| decode::Error::message("the path is longer than any tree is high"))?;
        let path = (0..length).map(|_| hash(d)).collect::<Result<_, _>>()?;
        key(d)?;
        let root = hash(d)?;
        key(d)?;
        let block = BlockNumber(d.u64()?);
        key(d)?;
        let chain = d.str()?.parse().map_err(other)?;
        key(d)?;
        let issuer = address(d)?;
        key(d)?;
        let version = d.u64()?;
        key(d)?;
        let registry = address(d)?;
        key(d)?;
        let tree_size = d.u64()?;
        key(d)?;
        let leaf_index = d.u64()?;
        key(d)?;
        let status_index = StatusIndex::new(d.u64()?).map_err(other)?;
        key(d)?;
        let transaction = hash(d)?;
        Ok(Self {
            version,
            leaf_index,
            tree_size,
            status_index,
            path,
            root,
            issuer,
            chain,
            registry,
            transaction,
            block,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ChainId, batch::path_length};

    prop_compose! {
        pub(crate) fn receipt()(size in 1..=u64::MAX, pick: prop::sample::Index, index in 0..StatusIndex::END, seed: [u8; 32],
                                 issuer: [u8; 20], registry: [u8; 20], chain: u64, block: u64) -> Receipt {
            let leaf_index = pick.index(usize::try_from(size).unwrap_or(usize::MAX)) as u64;
            Receipt {
                version: 1, leaf_index, tree_size: size, status_index: StatusIndex::new(index).expect("in range"),
                path: (0..path_length(leaf_index, size)).map(|k| Hash(seed.map(|b| b ^ k as u8))).collect(),
                root: Hash(seed), issuer: Address(issuer), chain: ChainId(chain), registry: Address(registry),
                transaction: Hash(seed), block: BlockNumber(block),
            }
        }
    }

    #[test]
    fn keys_stand_in_deterministic_order() {
        let encoded = KEYS.map(|key| minicbor::to_vec(key).expect("infallible"));
        assert!(encoded.is_sorted());
    }

    proptest! {
        #[test]
        fn cbor_and_json_parse_as_they_print(receipt in receipt()) {
            prop_assert_eq!(Receipt::from_cbor(&receipt.to_cbor()), Ok(receipt.clone()));
            let json = serde_json::to_string(&receipt).expect("serialises");
            prop_assert_eq!(serde_json::from_str::<Receipt>(&json).ok(), Some(receipt));
        }

        #[test]
        fn a_changed_byte_is_refused_or_another_receipt(receipt in receipt(), at: prop::sample::Index, xor in 1_u8..) {
            let mut bytes = receipt.to_cbor();
            let at = at.index(bytes.len());
            bytes[at] ^= xor;
            if let Ok(other) = Receipt::from_cbor(&bytes) {
                prop_assert_ne!(&other, &receipt);
                prop_assert_eq!(other.to_cbor(), bytes);
            }
        }

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Receipt::from_cbor(&bytes);
        }
    }
}
