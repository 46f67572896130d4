-- +goose Up

-- Written for SQLite; see migrations.go for what differs in PostgreSQL.
-- Times are microseconds since 1970, 0 is "never". Text that is not told is ''.

CREATE TABLE counters (
    name  TEXT    PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;

-- The row is also the lock under which identities are followed.
INSERT INTO counters (name, value) VALUES ('machine', 0);

CREATE TABLE sites (
    name       TEXT    PRIMARY KEY,
    title      TEXT    NOT NULL,
    layout     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE machines (
    id               INTEGER PRIMARY KEY,
    mac              TEXT    NOT NULL,
    serial           TEXT    NOT NULL,
    addr             TEXT    NOT NULL,
    make             TEXT    NOT NULL,
    model            TEXT    NOT NULL,
    firmware         TEXT    NOT NULL,
    firmware_version TEXT    NOT NULL,
    hostname         TEXT    NOT NULL,
    site             TEXT    NOT NULL,
    building         TEXT    NOT NULL,
    container        TEXT    NOT NULL,
    rack             TEXT    NOT NULL,
    slot             TEXT    NOT NULL,
    group_name       TEXT    NOT NULL,
    name             TEXT    NOT NULL,
    retired_at       INTEGER NOT NULL,
    first_seen       INTEGER NOT NULL,
    last_seen        INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX machines_mac    ON machines (mac)    WHERE mac <> '';
CREATE UNIQUE INDEX machines_serial ON machines (serial) WHERE serial <> '';
CREATE UNIQUE INDEX machines_addr   ON machines (addr, site) WHERE addr <> '' AND retired_at = 0;
CREATE INDEX machines_group ON machines (group_name);
CREATE INDEX machines_rack  ON machines (site, rack, slot);

CREATE TABLE machine_tags (
    machine INTEGER NOT NULL REFERENCES machines (id),
    tag     TEXT    NOT NULL,
    PRIMARY KEY (machine, tag)
) STRICT;

CREATE INDEX machine_tags_tag ON machine_tags (tag);

CREATE TABLE machine_addresses (
    machine INTEGER NOT NULL REFERENCES machines (id),
    site    TEXT    NOT NULL,
    addr    TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    until   INTEGER NOT NULL
) STRICT;

CREATE INDEX machine_addresses_machine ON machine_addresses (machine, since);
-- A machine has one address at a time.
CREATE UNIQUE INDEX machine_addresses_open ON machine_addresses (machine) WHERE until = 0;
CREATE INDEX machine_addresses_addr    ON machine_addresses (addr, since);

CREATE TABLE machine_changes (
    machine INTEGER NOT NULL REFERENCES machines (id),
    at      INTEGER NOT NULL,
    field   TEXT    NOT NULL,
    was     TEXT    NOT NULL,
    now     TEXT    NOT NULL
) STRICT;

CREATE INDEX machine_changes_machine ON machine_changes (machine, at);

CREATE TABLE shared_identities (
    field TEXT    NOT NULL,
    value TEXT    NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (field, value)
) STRICT;
