//! JSON-LD contexts that this build carries, and the canonical form of credentials (RDFC-1.0) under them.
