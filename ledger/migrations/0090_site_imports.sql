-- +goose Up

-- What a person brings of a site in files: the utility's interval data, and
-- positions awarded in a day-ahead market. Nothing is replaced: of two values of
-- one interval that of the later import counts, and an import that is withdrawn
-- counts no more.
CREATE TABLE site_imports (
    id           INTEGER PRIMARY KEY,
    site         TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    file         TEXT    NOT NULL,
    digest       TEXT    NOT NULL,
    format       TEXT    NOT NULL,
    from_s       INTEGER NOT NULL,
    to_s         INTEGER NOT NULL,
    added        INTEGER NOT NULL,
    changed      INTEGER NOT NULL,
    same         INTEGER NOT NULL,
    actor        TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    withdrawn_by TEXT    NOT NULL,
    withdrawn_at INTEGER NOT NULL
) STRICT;

CREATE INDEX site_imports_site ON site_imports (site, kind, id);

CREATE TABLE site_values (
    import    INTEGER NOT NULL REFERENCES site_imports (id),
    start_s   INTEGER NOT NULL,
    name      TEXT    NOT NULL,
    length_s  INTEGER NOT NULL,
    value     INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    PRIMARY KEY (import, start_s, name)
) STRICT;

-- From when to when each import has each meter.
CREATE TABLE site_import_meters (
    import  INTEGER NOT NULL REFERENCES site_imports (id),
    name    TEXT    NOT NULL,
    first_s INTEGER NOT NULL,
    last_s  INTEGER NOT NULL,
    PRIMARY KEY (import, name)
) STRICT;

-- Meters that were taken out: from then on a site's sum does without them.
CREATE TABLE site_meter_ends (
    site    TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    ended_s INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (site, name)
) STRICT;

INSERT INTO counters (name, value) VALUES ('site import', 0);
