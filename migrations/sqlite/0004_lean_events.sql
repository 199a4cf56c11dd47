-- An event was four index entries, each on a page of its own anywhere in the file. Two of them are enough.

-- 1. The same bytes give the same leg, status and timestamp, which are unique together: where all three exist, a unique
-- digest says nothing more. SQLite can't take a column's UNIQUE away, so the table is made anew.
CREATE TABLE events_lean (
    -- Ascending in order of arrival.
    id           INTEGER NOT NULL PRIMARY KEY,
    digest       BLOB    NOT NULL CHECK (length(digest) = 32),
    kind         TEXT    NOT NULL,
    leg          TEXT,
    conversation TEXT,
    status       TEXT,
    timestamp    TEXT,
    was_answered INTEGER NOT NULL CHECK (was_answered IN (0, 1)),
    raw          BLOB    NOT NULL,
    received_at  INTEGER NOT NULL
) STRICT;

INSERT INTO events_lean (id, digest, kind, leg, conversation, status, timestamp, was_answered, raw, received_at)
SELECT id, digest, kind, leg, conversation, status, timestamp, was_answered, raw, received_at FROM events;

DROP TABLE events;
ALTER TABLE events_lean RENAME TO events;

CREATE UNIQUE INDEX events_by_digest ON events (digest) WHERE leg IS NULL OR status IS NULL OR timestamp IS NULL;
CREATE UNIQUE INDEX events_by_leg ON events (leg, status, timestamp);
CREATE INDEX events_by_conversation ON events (conversation) WHERE conversation IS NOT NULL;
CREATE INDEX events_by_age ON events (received_at);

-- 2. A token has one time of issue, which is signed as its `jti` is. With it in front the ids stand in the order of their
-- coming, and are deleted in it. What is noted already has no such time: a token of the last minutes could be used once
-- more, for what is known by identities of its own.
DROP TABLE webhook_ids;
CREATE TABLE webhook_ids (
    issued_at INTEGER NOT NULL,
    jti       TEXT    NOT NULL,
    digest    BLOB    NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (issued_at, jti)
) STRICT, WITHOUT ROWID;
