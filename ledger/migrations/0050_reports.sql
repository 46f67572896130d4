-- +goose Up

-- Daily reports as they were when the day was over: what they were made of is
-- forgotten step by step.
CREATE TABLE reports (
    site    TEXT    NOT NULL,
    day     TEXT    NOT NULL,
    body    TEXT    NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (site, day)
) STRICT;

-- Energy through power meters, by quarter of an hour. Joules and microseconds.
CREATE TABLE meter_energy (
    site    TEXT    NOT NULL,
    meter   TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    energy  INTEGER NOT NULL,
    covered INTEGER NOT NULL,
    PRIMARY KEY (site, at, meter)
) STRICT;
