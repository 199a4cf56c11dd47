-- An event was four index entries, each on a page of its own anywhere in its index. Two of them are enough.

-- 1. The same bytes give the same leg, status and timestamp, which are unique together: where all three exist, a unique
-- digest says nothing more.
ALTER TABLE events DROP CONSTRAINT events_digest_key;
CREATE UNIQUE INDEX events_by_digest ON events (digest) WHERE leg IS NULL OR status IS NULL OR timestamp IS NULL;

-- 2. A token has one time of issue, which is signed as its `jti` is. With it in front the ids stand in the order of their
-- coming, and are deleted in it. What is noted already has no such time: a token of the last minutes could be used once
-- more, for what is known by identities of its own.
DROP TABLE webhook_ids;
CREATE TABLE webhook_ids (
    issued_at BIGINT NOT NULL,
    jti       TEXT   NOT NULL,
    digest    BYTEA  NOT NULL CHECK (octet_length(digest) = 32),
    PRIMARY KEY (issued_at, jti)
);
