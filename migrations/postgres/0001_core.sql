-- Times are milliseconds since 1970 (UTC). Our own ids are UUIDs; Vonage's are text as received.
-- The columns are those of SQLite's 0001_core.sql; claims are added, because here many servers share the work.

CREATE TABLE secrets (
    name  TEXT  NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL CHECK (octet_length(value) = 32)
);

-- One row, written to prove that writing works.
CREATE TABLE heartbeat (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    beat BIGINT  NOT NULL
);

CREATE TABLE visitors (
    id              UUID    NOT NULL PRIMARY KEY,
    session_hash    BYTEA   NOT NULL UNIQUE CHECK (octet_length(session_hash) = 32),
    user_name       TEXT    NOT NULL,
    user_id         TEXT,
    user_expires_at BIGINT  NOT NULL,
    owns_user       BOOLEAN NOT NULL,
    created_at      BIGINT  NOT NULL,
    expires_at      BIGINT  NOT NULL,
    -- The server that is forgetting this visitor, and until when no other one does.
    claimed_by      UUID,
    claimed_until   BIGINT  NOT NULL DEFAULT 0
);

CREATE INDEX visitors_by_end ON visitors (expires_at);

CREATE TABLE calls (
    id                   UUID    NOT NULL PRIMARY KEY,
    visitor_id           UUID    REFERENCES visitors (id) ON DELETE SET NULL,
    user_name            TEXT,
    line                 TEXT    NOT NULL,
    language             TEXT    NOT NULL,
    context              TEXT,
    created_at           BIGINT  NOT NULL,
    ticket_expires_at    BIGINT  NOT NULL,
    redeemed_at          BIGINT,
    leg                  TEXT,
    conversation         TEXT,
    region_url           TEXT,
    voided_at            BIGINT,
    hangup_due_at        BIGINT,
    hangup_attempts      INTEGER NOT NULL DEFAULT 0 CHECK (hangup_attempts >= 0),
    hung_up_at           BIGINT,
    closed_at            BIGINT,
    closing              TEXT,
    -- The server that is hanging this call up, and until when no other one does; the same for closing it.
    hangup_claimed_by    UUID,
    hangup_claimed_until BIGINT  NOT NULL DEFAULT 0,
    close_claimed_by     UUID,
    close_claimed_until  BIGINT  NOT NULL DEFAULT 0,
    CHECK ((closed_at IS NULL) = (closing IS NULL))
);

-- A leg belongs to one call, so its events do too.
CREATE UNIQUE INDEX calls_by_leg ON calls (leg) WHERE leg IS NOT NULL;
CREATE INDEX calls_by_visitor ON calls (visitor_id);
CREATE INDEX calls_by_conversation ON calls (conversation) WHERE conversation IS NOT NULL;
CREATE INDEX calls_by_age ON calls (created_at);
CREATE INDEX calls_to_hang_up ON calls (hangup_due_at) WHERE hangup_due_at IS NOT NULL;
CREATE INDEX calls_open ON calls (redeemed_at) WHERE redeemed_at IS NOT NULL AND closed_at IS NULL;

-- No reference to a call: an event may come before its call is known, and without one.
CREATE TABLE events (
    -- Ascending in order of arrival, within what one server writes.
    id           BIGINT  NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    digest       BYTEA   NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    kind         TEXT    NOT NULL,
    leg          TEXT,
    conversation TEXT,
    status       TEXT,
    timestamp    TEXT,
    was_answered BOOLEAN NOT NULL,
    raw          BYTEA   NOT NULL,
    received_at  BIGINT  NOT NULL
);

-- The second identity of an event. NULLs are distinct, so it binds only where all three exist.
CREATE UNIQUE INDEX events_by_leg ON events (leg, status, timestamp);
CREATE INDEX events_by_conversation ON events (conversation) WHERE conversation IS NOT NULL;
CREATE INDEX events_by_age ON events (received_at);

-- The `jti` of every signed request, with the digest of what it signed.
CREATE TABLE webhook_ids (
    jti     TEXT   NOT NULL PRIMARY KEY,
    digest  BYTEA  NOT NULL CHECK (octet_length(digest) = 32),
    seen_at BIGINT NOT NULL
);

CREATE INDEX webhook_ids_by_age ON webhook_ids (seen_at);
