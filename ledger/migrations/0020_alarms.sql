-- +goose Up

INSERT INTO counters (name, value) VALUES ('document', 0), ('message', 0);

-- The alarm room's own value stands in doc; the columns are what lists are
-- picked by.
CREATE TABLE alarms (
    id        INTEGER PRIMARY KEY,
    site      TEXT    NOT NULL,
    phase     TEXT    NOT NULL,
    severity  TEXT    NOT NULL,
    class     TEXT    NOT NULL,
    opened_at INTEGER NOT NULL,
    ended_at  INTEGER NOT NULL,
    acked_at  INTEGER NOT NULL,
    doc       TEXT    NOT NULL
) STRICT;

CREATE INDEX alarms_open  ON alarms (phase, id) WHERE phase = 'open';
CREATE INDEX alarms_ended ON alarms (ended_at);

CREATE TABLE alarm_events (
    alarm  INTEGER NOT NULL REFERENCES alarms (id),
    seq    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    kind   TEXT    NOT NULL,
    actor  TEXT    NOT NULL,
    detail TEXT    NOT NULL,
    PRIMARY KEY (alarm, seq)
) STRICT;

-- What people set up, as documents: alarm rules, silences, maintenance windows,
-- receivers, escalations.
CREATE TABLE documents (
    id         INTEGER PRIMARY KEY,
    kind       TEXT    NOT NULL,
    doc        TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX documents_kind ON documents (kind, id);
