-- +goose Up

INSERT INTO counters (name, value) VALUES ('scan', 0);

CREATE TABLE scans (
    id         INTEGER PRIMARY KEY,
    site       TEXT    NOT NULL,
    ranges     TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    ended      TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    report     TEXT    NOT NULL
) STRICT;

CREATE INDEX scans_site ON scans (site, id);
