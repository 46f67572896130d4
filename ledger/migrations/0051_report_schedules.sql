-- +goose Up

CREATE TABLE report_schedules (
    id         INTEGER PRIMARY KEY,
    site       TEXT    NOT NULL,
    recipients TEXT    NOT NULL,
    minute     INTEGER NOT NULL,
    attach     TEXT    NOT NULL,
    enabled    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE report_sends (
    id       INTEGER PRIMARY KEY,
    schedule INTEGER NOT NULL REFERENCES report_schedules (id) ON DELETE CASCADE,
    site     TEXT    NOT NULL,
    day      TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    sent_to  TEXT    NOT NULL,
    by_hand  INTEGER NOT NULL,
    error    TEXT    NOT NULL
) STRICT;

CREATE INDEX report_sends_schedule ON report_sends (schedule, day);

INSERT INTO counters (name, value) VALUES ('report schedule', 0), ('report send', 0);
