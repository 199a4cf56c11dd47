-- Vonage users that were made ahead. Each waits for the visitor who will be it.
CREATE TABLE ready_users (
    name       TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT,
    expires_at BIGINT NOT NULL
);

CREATE INDEX ready_users_by_end ON ready_users (expires_at);
