-- Version 1. Times are seconds since 1970. Nothing here opens anything: contents are ciphertext (`sealed`), and of every
-- secret there is its SHA-256 only. Plain are only the lines that a learner put on a preview for social sites.

CREATE TABLE pages (
    id        BLOB    PRIMARY KEY CHECK (length(id) = 16),
    kind      TEXT    NOT NULL CHECK (kind IN ('credential', 'portfolio')),
    parent    BLOB    CHECK (length(parent) = 16),       -- the claimed page whose learner made this one
    token     BLOB    CHECK (length(token) = 32),        -- SHA-256 of the invitation's TOKEN; a learner's own has none
    owner     BLOB    CHECK (length(owner) = 32),        -- SHA-256 of OWNER; nobody's until it is claimed
    created   INTEGER NOT NULL,
    expires   INTEGER,                                   -- until when it can be claimed
    claimed   INTEGER,
    published INTEGER NOT NULL DEFAULT 0 CHECK (published IN (0, 1)),
    views     INTEGER NOT NULL DEFAULT 0,
    CHECK ((token IS NULL) = (expires IS NULL)),
    CHECK ((token IS NULL) = (parent IS NOT NULL)),
    CHECK ((owner IS NULL) = (claimed IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX children ON pages (parent) WHERE parent IS NOT NULL;
CREATE INDEX unclaimed ON pages (expires) WHERE owner IS NULL;

CREATE TABLE parts (
    page   BLOB NOT NULL REFERENCES pages (id) ON DELETE CASCADE,
    part   TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (page, part)
) STRICT;

-- What the learner lets social sites show: lines (JSON), and the picture that is made of them.
CREATE TABLE previews (
    page  BLOB PRIMARY KEY REFERENCES pages (id) ON DELETE CASCADE,
    lines TEXT NOT NULL,
    png   BLOB NOT NULL
) STRICT;

-- The one offer to a wallet that a page may have: SHA-256 of its code, then of the access token that the code was given for.
CREATE TABLE offers (
    page    BLOB    PRIMARY KEY REFERENCES pages (id) ON DELETE CASCADE,
    code    BLOB    CHECK (length(code) = 32),
    token   BLOB    CHECK (length(token) = 32),
    expires INTEGER NOT NULL,
    CHECK ((code IS NULL) <> (token IS NULL))
) STRICT, WITHOUT ROWID;

-- Ids that are never used again.
CREATE TABLE gone (
    id  BLOB PRIMARY KEY CHECK (length(id) = 16),
    why TEXT NOT NULL CHECK (why IN ('deleted', 'expired', 'replaced'))
) STRICT, WITHOUT ROWID;
