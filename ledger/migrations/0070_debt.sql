-- +goose Up

-- What a company owes and owns. Amounts are integers: minor units of the
-- currency (cents, satoshi), or what the kind of entry says.

-- Facilities as they stand; body is the contract as JSON.
CREATE TABLE facilities (
    id        TEXT    PRIMARY KEY,
    version   INTEGER NOT NULL,
    principal INTEGER NOT NULL,
    currency  TEXT    NOT NULL,
    body      TEXT    NOT NULL,
    actor     TEXT    NOT NULL,
    at        INTEGER NOT NULL
) STRICT;

-- Every version there was, removals with the body that was removed.
CREATE TABLE facility_versions (
    id        TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    principal INTEGER NOT NULL,
    currency  TEXT    NOT NULL,
    body      TEXT    NOT NULL,
    removed   INTEGER NOT NULL,
    actor     TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (id, version)
) STRICT;

-- Dated lines of the book: balances of accounts, planned flows, payments made,
-- prices of machines, reference rates.
CREATE TABLE money_entries (
    id       INTEGER PRIMARY KEY,
    kind     TEXT    NOT NULL,
    day      TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    part     TEXT    NOT NULL,
    amount   INTEGER NOT NULL,
    currency TEXT    NOT NULL,
    doc      TEXT    NOT NULL,
    actor    TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    UNIQUE (kind, day, name, part)
) STRICT;

-- What a company's figures are reckoned with, version by version.
CREATE TABLE money_terms (
    version INTEGER PRIMARY KEY,
    body    TEXT    NOT NULL,
    actor   TEXT    NOT NULL,
    at      INTEGER NOT NULL
) STRICT;

-- The position as it was at a day's last look.
CREATE TABLE debt_days (
    day  TEXT    PRIMARY KEY,
    body TEXT    NOT NULL,
    at   INTEGER NOT NULL
) STRICT;

INSERT INTO counters (name, value) VALUES ('money', 0), ('money entry', 0);
