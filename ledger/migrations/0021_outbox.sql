-- +goose Up

-- Messages to people and programs, kept until they were delivered or given up.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    receiver   INTEGER NOT NULL,
    alarm      INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    attempts   INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    detail     TEXT    NOT NULL,
    doc        TEXT    NOT NULL
) STRICT;

CREATE INDEX outbox_due   ON outbox (next_at) WHERE state = 'waiting';
CREATE INDEX outbox_alarm ON outbox (alarm, id);
