-- +goose Up

-- Forecasts as they were made, and how they did once the prices were there.
CREATE TABLE forecasts (
    id        INTEGER PRIMARY KEY,
    series    TEXT    NOT NULL,
    model     TEXT    NOT NULL,
    horizon   TEXT    NOT NULL,
    issued_at INTEGER NOT NULL,
    start_at  INTEGER NOT NULL,
    end_at    INTEGER NOT NULL,
    body      TEXT    NOT NULL,
    score     TEXT    NOT NULL,
    scored_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX forecasts_once ON forecasts (series, horizon, model, start_at);
CREATE INDEX forecasts_time ON forecasts (series, start_at);
CREATE INDEX forecasts_unscored ON forecasts (scored_at, end_at);

-- Which model's forecasts count, since when and why.
CREATE TABLE forecast_champions (
    id      INTEGER PRIMARY KEY,
    series  TEXT    NOT NULL,
    horizon TEXT    NOT NULL,
    model   TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    reason  TEXT    NOT NULL
) STRICT;

-- What is known of a model at a series: the newest card.
CREATE TABLE forecast_cards (
    series  TEXT    NOT NULL,
    horizon TEXT    NOT NULL,
    model   TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    body    TEXT    NOT NULL,
    PRIMARY KEY (series, horizon, model)
) STRICT;

INSERT INTO counters (name, value) VALUES ('forecast', 0), ('forecast champion', 0);
