-- +goose Up

-- What market operators published: every value with every revision, in the
-- order in which it came. Millionths of the series' unit; seconds, and
-- microseconds since 1970.
CREATE TABLE market_series (
    id   INTEGER PRIMARY KEY,
    name TEXT    NOT NULL UNIQUE
) STRICT;

CREATE TABLE market_values (
    id        INTEGER PRIMARY KEY,
    series    INTEGER NOT NULL REFERENCES market_series (id),
    start_s   INTEGER NOT NULL,
    length_s  INTEGER NOT NULL,
    micro     INTEGER NOT NULL,
    published INTEGER NOT NULL,
    received  INTEGER NOT NULL
) STRICT;

INSERT INTO counters (name, value) VALUES ('market_series', 0), ('market value', 0);
