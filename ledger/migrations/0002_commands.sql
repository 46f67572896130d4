-- +goose Up

CREATE TABLE commands (
    id              TEXT    PRIMARY KEY,
    machine         INTEGER NOT NULL REFERENCES machines (id),
    kind            TEXT    NOT NULL,
    setting         TEXT    NOT NULL,
    actor           TEXT    NOT NULL,
    reason          TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    deadline        INTEGER NOT NULL,
    state           TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    events          INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    detail          TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX commands_key ON commands (idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX commands_machine ON commands (machine, id);
CREATE INDEX commands_created ON commands (created_at);
-- Open and standing commands stay few while the ledger grows.
CREATE INDEX commands_live ON commands (state, machine)
    WHERE state IN ('pending', 'dispatched', 'acknowledged', 'confirmed', 'drifted');

CREATE TABLE command_events (
    command    TEXT    NOT NULL REFERENCES commands (id),
    seq        INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    from_state TEXT    NOT NULL,
    to_state   TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    PRIMARY KEY (command, seq)
) STRICT;
