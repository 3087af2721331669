-- Version 1. Who was invited to which page, and the mails that tell them. Times are seconds since 1970. It holds people's
-- data, and until a mail is sent the link that opens its page: it is the issuer's own, and not for the public server.

CREATE TABLE invitations (
    page       BLOB    PRIMARY KEY CHECK (length(page) = 16),
    credential TEXT    NOT NULL, -- the credential's own `id`
    made       INTEGER NOT NULL,
    replaced   INTEGER           -- since when another one takes its place
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX newest ON invitations (credential) WHERE replaced IS NULL;

CREATE TABLE outbox (
    page        BLOB    PRIMARY KEY REFERENCES invitations (page),
    learner     TEXT    NOT NULL, -- the key of the roster
    name        TEXT,
    email       TEXT    NOT NULL,
    achievement TEXT    NOT NULL,
    language    TEXT    NOT NULL CHECK (language IN ('en', 'es')),
    expires     INTEGER NOT NULL, -- until when the page can be claimed
    link        TEXT,             -- with its key and token; gone once the mail is sent or given up
    state       TEXT    NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'refused', 'withdrawn')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    due         INTEGER NOT NULL, -- when it is tried, or tried again
    why         TEXT,             -- what the mail server said last
    ended       INTEGER,
    CHECK ((link IS NULL) = (state <> 'waiting')),
    CHECK ((ended IS NULL) = (state = 'waiting'))
) STRICT, WITHOUT ROWID;

CREATE INDEX due ON outbox (due) WHERE state = 'waiting';
