-- +goose Up

-- What the market was: one number of one series at one time. Values are text,
-- because difficulty fits no integer and engines differ in their floats.
CREATE TABLE market_points (
    series TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    value  TEXT    NOT NULL,
    source TEXT    NOT NULL,
    PRIMARY KEY (series, at)
) STRICT;

-- The newest blocks as they were checked, so that a start does not ask for them
-- again. A reorganisation replaces a height.
CREATE TABLE market_blocks (
    source TEXT    NOT NULL,
    height INTEGER NOT NULL,
    body   TEXT    NOT NULL,
    PRIMARY KEY (source, height)
) STRICT;

-- Every difficulty period that is known: when its first block was found, and
-- its target in compact form.
CREATE TABLE market_epochs (
    number INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    bits   INTEGER NOT NULL,
    source TEXT    NOT NULL
) STRICT;

-- Numbers that somebody entered, and who. They are withdrawn, never changed.
CREATE TABLE market_entries (
    id           INTEGER PRIMARY KEY,
    series       TEXT    NOT NULL,
    value        TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    source       TEXT    NOT NULL,
    actor        TEXT    NOT NULL,
    entered_at   INTEGER NOT NULL,
    withdrawn_by TEXT    NOT NULL,
    withdrawn_at INTEGER NOT NULL
) STRICT;

-- What a TH/s of machine was sold for, by tier of efficiency.
CREATE TABLE rig_prices (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    tier       TEXT    NOT NULL,
    micro      INTEGER NOT NULL,
    currency   TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    entered_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX rig_prices_once ON rig_prices (at, tier, kind, source);

INSERT INTO counters (name, value) VALUES ('market entry', 0), ('rig price', 0);
