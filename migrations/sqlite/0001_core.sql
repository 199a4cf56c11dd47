-- Times are milliseconds since 1970 (UTC). Our own ids are the 16 bytes of a UUID; Vonage's are text as received.

CREATE TABLE secrets (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL CHECK (length(value) = 32)
) STRICT, WITHOUT ROWID;

-- One row, written to prove that writing works.
CREATE TABLE heartbeat (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    beat INTEGER NOT NULL
) STRICT;

CREATE TABLE visitors (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    session_hash    BLOB    NOT NULL UNIQUE CHECK (length(session_hash) = 32),
    user_name       TEXT    NOT NULL,
    user_id         TEXT,
    user_expires_at INTEGER NOT NULL,
    owns_user       INTEGER NOT NULL CHECK (owns_user IN (0, 1)),
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL
) STRICT;

CREATE INDEX visitors_by_end ON visitors (expires_at);

CREATE TABLE calls (
    id                BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    visitor_id        BLOB    REFERENCES visitors (id) ON DELETE SET NULL,
    user_name         TEXT,
    line              TEXT    NOT NULL,
    language          TEXT    NOT NULL,
    context           TEXT,
    created_at        INTEGER NOT NULL,
    ticket_expires_at INTEGER NOT NULL,
    redeemed_at       INTEGER,
    leg               TEXT,
    conversation      TEXT,
    region_url        TEXT,
    voided_at         INTEGER,
    hangup_due_at     INTEGER,
    hangup_attempts   INTEGER NOT NULL DEFAULT 0 CHECK (hangup_attempts >= 0),
    hung_up_at        INTEGER,
    closed_at         INTEGER,
    closing           TEXT,
    CHECK ((closed_at IS NULL) = (closing IS NULL))
) STRICT;

-- A leg belongs to one call, so its events do too. Calls without one are left out: there may be many of them,
-- and a search for due hang-ups without a leg must not go through them all.
CREATE UNIQUE INDEX calls_by_leg ON calls (leg) WHERE leg IS NOT NULL;
CREATE INDEX calls_by_visitor ON calls (visitor_id);
CREATE INDEX calls_by_conversation ON calls (conversation) WHERE conversation IS NOT NULL;
CREATE INDEX calls_by_age ON calls (created_at);
CREATE INDEX calls_to_hang_up ON calls (hangup_due_at) WHERE hangup_due_at IS NOT NULL;
CREATE INDEX calls_open ON calls (redeemed_at) WHERE redeemed_at IS NOT NULL AND closed_at IS NULL;

-- No reference to a call: an event may come before its call is known, and without one.
CREATE TABLE events (
    -- Ascending in order of arrival.
    id           INTEGER NOT NULL PRIMARY KEY,
    digest       BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    kind         TEXT    NOT NULL,
    leg          TEXT,
    conversation TEXT,
    status       TEXT,
    timestamp    TEXT,
    was_answered INTEGER NOT NULL CHECK (was_answered IN (0, 1)),
    raw          BLOB    NOT NULL,
    received_at  INTEGER NOT NULL
) STRICT;

-- The second identity of an event. NULLs are distinct, so it binds only where all three exist.
CREATE UNIQUE INDEX events_by_leg ON events (leg, status, timestamp);
CREATE INDEX events_by_conversation ON events (conversation) WHERE conversation IS NOT NULL;
CREATE INDEX events_by_age ON events (received_at);

-- The `jti` of every signed request, with the digest of what it signed.
CREATE TABLE webhook_ids (
    jti     TEXT    NOT NULL PRIMARY KEY,
    digest  BLOB    NOT NULL CHECK (length(digest) = 32),
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX webhook_ids_by_age ON webhook_ids (seen_at);
