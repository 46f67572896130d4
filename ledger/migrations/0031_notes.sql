-- +goose Up

INSERT INTO counters (name, value) VALUES ('machine_note', 0), ('saved_filter', 0);

-- What people write down about a machine.
CREATE TABLE machine_notes (
    id      INTEGER PRIMARY KEY,
    machine INTEGER NOT NULL REFERENCES machines (id),
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    text    TEXT    NOT NULL
) STRICT;

CREATE INDEX machine_notes_machine ON machine_notes (machine, id);

-- Choices of machines that are looked at again. Owner 0 is everybody.
CREATE TABLE saved_filters (
    id         INTEGER PRIMARY KEY,
    owner      INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    query      TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX saved_filters_name ON saved_filters (owner, name);
