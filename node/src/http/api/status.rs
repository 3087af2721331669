//! Shapes of status answers, which are written by hand.

use utoipa::ToSchema;

/// A block.
#[derive(ToSchema)]
pub struct Block {
    /// Its height.
    pub number: u64,
    /// Its hash.
    pub hash: String,
    /// Its time, in seconds since 1970.
    pub time: u64,
}

/// One bit and its proof, at one block.
#[derive(ToSchema)]
pub struct Status {
    /// Root and block that it speaks of.
    #[schema(inline)]
    #[serde(flatten)]
    pub seen: Seen,
    /// The bit.
    #[schema(inline)]
    #[serde(flatten)]
    pub bit: Bit,
}

/// Many bits at one block.
#[derive(ToSchema)]
pub struct Statuses {
    /// Root and block that they speak of.
    #[schema(inline)]
    #[serde(flatten)]
    pub seen: Seen,
    /// The bits, in the order of the request.
    pub statuses: Vec<Bit>,
}

/// What the registry contract says at one block.
#[derive(ToSchema)]
pub struct Seen {
    /// The issuer's account.
    pub issuer: String,
    /// The chain (CAIP-2).
    pub chain: String,
    /// The registry contract.
    pub registry: String,
    /// 0: revocation, 1: suspension.
    pub purpose: u8,
    /// Updates so far.
    pub epoch: u64,
    /// The root of the status tree.
    pub root: String,
    /// The block at which this was read.
    pub block: Block,
}

/// A status bit.
#[derive(ToSchema)]
pub struct Bit {
    /// Its index.
    pub index: u64,
    /// Whether it is set.
    pub set: bool,
    /// From its chunk to the root.
    pub proof: Proof,
}

/// From 256 bits to the root: see the protocol.
#[derive(ToSchema)]
pub struct Proof {
    /// The 256 bits around the index.
    pub chunk: String,
    /// Bit k is set where the sibling at level k is not zero.
    pub bitmap: u32,
    /// Those siblings, lowest first.
    pub siblings: Vec<String>,
}

/// Status indices to ask for.
#[derive(ToSchema)]
pub struct Indices {
    /// At most 10,000, each below 2^40.
    pub indices: Vec<u64>,
}

/// Revocation and suspension of an issuer.
#[derive(ToSchema)]
pub struct Overview {
    /// The issuer's account.
    pub issuer: String,
    /// The chain (CAIP-2).
    pub chain: String,
    /// The registry contract.
    pub registry: String,
    /// For each purpose.
    pub purposes: Vec<PurposeOverview>,
}

/// One purpose of an issuer.
#[derive(ToSchema)]
pub struct PurposeOverview {
    /// Its number.
    pub purpose: u8,
    /// Its name.
    pub name: String,
    /// At the newest block.
    pub head: RootOverview,
    /// At the newest block that is final.
    pub settled: RootOverview,
    /// What is wrong with the issuer's newest updates.
    pub findings: Vec<String>,
}

/// A root at a block.
#[derive(ToSchema)]
pub struct RootOverview {
    /// The block.
    pub block: Block,
    /// Updates so far.
    pub epoch: u64,
    /// The root.
    pub root: String,
    /// The block of the last update.
    pub updated: u64,
    /// How many lists have a set bit.
    pub lists: Option<u64>,
    /// Why the bits are not known.
    pub fault: Option<String>,
}

/// The lists that have a set bit, at one block.
#[derive(ToSchema)]
pub struct ListNumbers {
    /// Root and block that they speak of.
    #[schema(inline)]
    #[serde(flatten)]
    pub seen: Seen,
    /// Their numbers, ascending.
    pub lists: Vec<u32>,
    /// What to pass as `after` for the next page.
    pub next: Option<u32>,
}

/// A list and its path to the root on chain.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct StatusList {
    /// Root and block that it speaks of.
    #[schema(inline)]
    #[serde(flatten)]
    pub seen: Seen,
    /// Which list.
    pub list: u32,
    /// Where the last update stands.
    pub updated: Updated,
    /// From the list's own root to the root.
    pub path: ListPath,
    /// 131,072 bits, compressed as W3C's Bitstring Status List has them.
    pub encoded_list: String,
}

/// The place of an update.
#[derive(ToSchema)]
pub struct Updated {
    /// Its block.
    pub block: u64,
    /// The time of that block, in seconds since 1970.
    pub time: u64,
}

/// From a list's own root to the root.
#[derive(ToSchema)]
pub struct ListPath {
    /// Bit k is set where the sibling at level 9 + k is not zero.
    pub bitmap: u32,
    /// Those siblings, lowest first.
    pub siblings: Vec<String>,
}

/// W3C's credential of a list, with a Data Integrity proof.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct StatusListCredential {
    /// The contexts.
    #[serde(rename = "@context")]
    pub context: Vec<serde_json::Value>,
    /// The list's URL.
    pub id: String,
    /// `VerifiableCredential`, `BitstringStatusListCredential`.
    pub r#type: Vec<String>,
    /// The `did:key` of this server.
    pub issuer: String,
    /// The time of the last update.
    pub valid_from: Option<String>,
    /// Until when it counts.
    pub valid_until: String,
    /// The list.
    pub credential_subject: serde_json::Value,
    /// Its path to the root on chain, as a JSON literal of JSON-LD.
    #[serde(rename = "urn:testamur:anchored")]
    pub anchored: serde_json::Value,
    /// The proof.
    pub proof: serde_json::Value,
}

/// A JSON Web Key Set.
#[derive(ToSchema)]
pub struct Keys {
    /// The key that signs lists.
    pub keys: Vec<serde_json::Value>,
}
