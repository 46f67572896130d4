-- +goose Up

-- What-ifs that somebody saved: assumptions as they were entered.
CREATE TABLE scenarios (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX scenarios_name ON scenarios (name);

-- Runs of them, with the assumptions as they were then and what came out.
CREATE TABLE scenario_runs (
    id         INTEGER PRIMARY KEY,
    scenario   INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    result     TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX scenario_runs_scenario ON scenario_runs (scenario, id);

-- What miners report of a month. Mined in satoshi, installed in TH/s, -1 when
-- not told.
CREATE TABLE peer_reports (
    firm       TEXT    NOT NULL,
    month      TEXT    NOT NULL,
    mined      INTEGER NOT NULL,
    installed  INTEGER NOT NULL,
    luck       INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    entered_at INTEGER NOT NULL,
    PRIMARY KEY (firm, month)
) STRICT;

INSERT INTO counters (name, value) VALUES ('scenario', 0), ('scenario run', 0);
