-- Version 1. Times are seconds since 1970.

-- Who signs in. One with a password signs in with it, one with a subject through OpenID Connect.
CREATE TABLE users (
    name     TEXT    PRIMARY KEY, -- in lower case
    role     TEXT    NOT NULL CHECK (role IN ('viewer', 'issuer', 'admin')),
    password TEXT,                -- argon2id, as a PHC string
    subject  TEXT    UNIQUE,      -- the provider's issuer URL, a blank, and its `sub`
    added    INTEGER NOT NULL
) STRICT;

-- Who is signed in.
CREATE TABLE sessions (
    token BLOB    PRIMARY KEY CHECK (length(token) = 32), -- SHA-256 of the cookie
    user  TEXT    NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    began INTEGER NOT NULL,
    used  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who did what. An entry is made before the deed; its outcome is added once, after it.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    who     TEXT    NOT NULL,
    what    TEXT    NOT NULL,
    subject TEXT    NOT NULL, -- on what
    outcome TEXT              -- NULL: not known, because the program ended first
) STRICT;

CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN
    SELECT raise(ABORT, 'entries of the audit log are kept');
END;
CREATE TRIGGER audit_is_as_it_was BEFORE UPDATE ON audit
WHEN old.outcome IS NOT NULL OR new.outcome IS NULL OR (old.id, old.at, old.who, old.what, old.subject)
    IS NOT (new.id, new.at, new.who, new.what, new.subject) BEGIN
    SELECT raise(ABORT, 'entries of the audit log stay as they are');
END;

-- Rosters that were handed in, and wait for their run: each a file of this name.
CREATE TABLE rosters (
    id    TEXT    PRIMARY KEY,
    rows  INTEGER NOT NULL,
    added INTEGER NOT NULL
) STRICT;

-- Runs that were asked for, one after the other.
CREATE TABLE runs (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    who       TEXT    NOT NULL,
    template  TEXT    NOT NULL, -- its name
    text      TEXT    NOT NULL, -- as it was when the run was asked for
    roster    TEXT    NOT NULL, -- its id
    options   TEXT    NOT NULL, -- JSON
    state     TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'held', 'done', 'failed')),
    rows      INTEGER NOT NULL,
    drafted   INTEGER NOT NULL DEFAULT 0,
    submitted INTEGER NOT NULL DEFAULT 0,
    anchored  INTEGER NOT NULL DEFAULT 0,
    written   INTEGER NOT NULL DEFAULT 0,
    summary   TEXT,             -- JSON
    error     TEXT,
    asked     INTEGER NOT NULL,
    began     INTEGER,
    ended     INTEGER
) STRICT;

-- The runs of issuer.sqlite that a run was worked on as: one more for each time that it was taken up again.
CREATE TABLE turns (
    run  INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    turn INTEGER NOT NULL,
    PRIMARY KEY (run, turn)
) STRICT, WITHOUT ROWID;

-- Rows that got no new credential: their lines, and why.
CREATE TABLE passed (
    run  INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    line INTEGER NOT NULL,
    kind TEXT    NOT NULL,
    why  TEXT    NOT NULL,
    PRIMARY KEY (run, line)
) STRICT, WITHOUT ROWID;
