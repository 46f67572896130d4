-- +goose Up

-- Sessions were an opaque value of a session library. They are rows now that
-- can be listed and ended; everybody signs in once more.
DROP TABLE sessions;

CREATE TABLE sessions (
    sum        TEXT    PRIMARY KEY,
    id         INTEGER NOT NULL UNIQUE,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    method     TEXT    NOT NULL,
    device     TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_user    ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- Each edit of a user counts, so that of two people who edit at once the second
-- is told.
ALTER TABLE users ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- Links that wait to be used can be listed and taken back.
ALTER TABLE setup_tokens ADD COLUMN id   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE setup_tokens ADD COLUMN note TEXT    NOT NULL DEFAULT '';

INSERT INTO counters (name, value) VALUES ('session', 0), ('setup_token', 0);
