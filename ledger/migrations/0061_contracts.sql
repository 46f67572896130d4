-- +goose Up

-- Electricity contracts as their owners wrote them, with every text they had.
CREATE TABLE power_contracts (
    id         INTEGER PRIMARY KEY,
    site       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    revision   INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    removed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE power_contract_texts (
    contract INTEGER NOT NULL REFERENCES power_contracts (id),
    revision INTEGER NOT NULL,
    text     TEXT    NOT NULL,
    actor    TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (contract, revision)
) STRICT;

-- Statements as they were issued. They do not change: what is revised later
-- comes as lines of a later one.
CREATE TABLE power_statements (
    id        INTEGER PRIMARY KEY,
    contract  INTEGER NOT NULL REFERENCES power_contracts (id),
    revision  INTEGER NOT NULL,
    site      TEXT    NOT NULL,
    month     TEXT    NOT NULL,
    body      TEXT    NOT NULL,
    detail    BLOB    NOT NULL,
    issued_by TEXT    NOT NULL,
    issued_at INTEGER NOT NULL,
    UNIQUE (contract, month)
) STRICT;

INSERT INTO counters (name, value) VALUES ('power contract', 0), ('power statement', 0);
