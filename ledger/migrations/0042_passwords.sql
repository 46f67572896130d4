-- +goose Up

INSERT INTO counters (name, value) VALUES ('firmware_password', 0), ('pool_profile', 0);

-- secret is sealed with the key file in the data folder; see ledger/secretbox.
CREATE TABLE firmware_passwords (
    id         INTEGER PRIMARY KEY,
    site       TEXT    NOT NULL,
    addrs      TEXT    NOT NULL,
    firmware   TEXT    NOT NULL,
    group_name TEXT    NOT NULL,
    user_name  TEXT    NOT NULL,
    secret     TEXT    NOT NULL,
    note       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT    NOT NULL
) STRICT;

CREATE TABLE pool_profiles (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    site       TEXT    NOT NULL,
    group_name TEXT    NOT NULL,
    pools      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT    NOT NULL
) STRICT;
