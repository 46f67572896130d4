-- +goose Up

-- What one person or program asked of several machines at once.
CREATE TABLE batches (
    id              TEXT    PRIMARY KEY,
    kind            TEXT    NOT NULL,
    setting         TEXT    NOT NULL,
    actor           TEXT    NOT NULL,
    reason          TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    machines        INTEGER NOT NULL,
    refused         TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    cancelled_at    INTEGER NOT NULL,
    cancelled_by    TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX batches_key ON batches (idempotency_key) WHERE idempotency_key <> '';

ALTER TABLE commands ADD COLUMN batch TEXT NOT NULL DEFAULT '';
ALTER TABLE commands ADD COLUMN confirmed_at INTEGER NOT NULL DEFAULT 0;

CREATE INDEX commands_batch ON commands (batch, id) WHERE batch <> '';

-- When telemetry first showed what a command asked for.
UPDATE commands SET confirmed_at = COALESCE(
    (SELECT min(e.at) FROM command_events e WHERE e.command = commands.id AND e.to_state = 'confirmed'), 0);
