-- Version 1. Times are seconds since 1970; chains are EIP-155 ids; hashes and accounts are their bytes.

-- One use of `issue`: where its credentials are anchored, and where their files go.
CREATE TABLE runs (
    id       INTEGER PRIMARY KEY,
    template TEXT    NOT NULL,
    folder   TEXT    NOT NULL,
    account  BLOB    NOT NULL CHECK (length(account) = 20),
    registry BLOB    NOT NULL CHECK (length(registry) = 20),
    chain    INTEGER NOT NULL,
    began    INTEGER NOT NULL,
    ended    INTEGER
) STRICT;

-- Rows of its roster that got no credential.
CREATE TABLE faults (
    run   INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    line  INTEGER NOT NULL,
    fault TEXT    NOT NULL,
    PRIMARY KEY (run, line)
) STRICT, WITHOUT ROWID;

-- What was issued to whom. Narrow, because it is written at each step; what is written once stands beside it.
CREATE TABLE credentials (
    id            INTEGER PRIMARY KEY,
    uri           TEXT    NOT NULL UNIQUE, -- the credential's own `id`
    run           INTEGER NOT NULL REFERENCES runs (id),
    template      TEXT    NOT NULL,
    learner       TEXT    NOT NULL, -- the key of the roster, not the name
    period        TEXT    NOT NULL,
    name          TEXT,
    email         TEXT,
    did           TEXT,
    content       BLOB    NOT NULL CHECK (length(content) = 32), -- what it says, whenever it was said
    valid_from    INTEGER NOT NULL,
    valid_until   INTEGER,
    digest        BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    status_index  INTEGER NOT NULL,
    file          TEXT    NOT NULL, -- its name in the run's folder
    state         TEXT    NOT NULL CHECK (state IN ('drafted', 'submitted', 'anchored', 'written')),
    superseded_by INTEGER REFERENCES credentials (id) DEFERRABLE INITIALLY DEFERRED,
    revoked       INTEGER, -- when the node took it
    suspended     INTEGER
) STRICT;

-- Nobody gets the same twice.
CREATE UNIQUE INDEX current ON credentials (template, learner, period) WHERE superseded_by IS NULL;
CREATE INDEX of_run ON credentials (run);
CREATE INDEX unfinished ON credentials (state) WHERE state <> 'written';
CREATE INDEX ending ON credentials (valid_until) WHERE superseded_by IS NULL AND revoked IS NULL;

-- The signed credential without its anchor (JSON, or a token), the configuration of the anchor (JSON, without `@context`),
-- and what the roster said (JSON), from which a corrected one is made.
CREATE TABLE documents (
    credential INTEGER PRIMARY KEY REFERENCES credentials (id),
    document   BLOB NOT NULL,
    config     BLOB NOT NULL,
    award      BLOB NOT NULL
) STRICT;

-- Revocations that were decided, until the node has them. That of a superseded credential waits until its successor is
-- written: its holder is never without.
CREATE TABLE revocations (
    credential INTEGER PRIMARY KEY REFERENCES credentials (id),
    reason     INTEGER NOT NULL,
    waits_for  INTEGER REFERENCES credentials (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- Where it is anchored (CBOR, as the protocol has it).
CREATE TABLE receipts (
    credential INTEGER PRIMARY KEY REFERENCES credentials (id),
    receipt    BLOB NOT NULL
) STRICT;
