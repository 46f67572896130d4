package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"

	"ballast/config"
	"ballast/ledger"
	"ballast/miner"
	"ballast/telemetry"
)

type cli struct {
	common `embed:""`

	Run        runCmd                    `cmd:"" help:"Run: find the machines, poll them, store what they tell, serve the dashboard."`
	Sim        simCmd                    `cmd:"" help:"Start a site that does not exist, on real sockets, for any client to talk to."`
	Scan       scanCmd                   `cmd:"" help:"Find the machines in address ranges."`
	Top        topCmd                    `cmd:"" help:"Show the running site live in the terminal."`
	Machine    machineCmd                `cmd:"" help:"List, read and command single machines."`
	Alarm      alarmCmd                  `cmd:"" help:"List, take on and silence alarms."`
	Export     exportCmd                 `cmd:"" help:"Write history to a file: CSV, JSON lines or Parquet."`
	Report     reportCmd                 `cmd:"" help:"Print or write a report of the running site."`
	Market     marketCmd                 `cmd:"" help:"Print the bitcoin market now: price, hashprice, difficulty, retarget, halving, each with age and source."`
	Stress     stressCmd                 `cmd:"" help:"Play the company through many futures of the market, with shocks and treasury policies."`
	Outlook    outlookCmd                `cmd:"" help:"The hashrate-debt ratio at a date, chances of default and distress, and what each lever does."`
	Peers      peersCmd                  `cmd:"" help:"Miners of a month by realised hashrate, share and growth, from their production reports."`
	Price      priceCmd                  `cmd:"" help:"What one more MWh costs now and in the hours to come, and why; the utility's meter data; day-ahead awards."`
	Forecast   forecastCmd               `cmd:"" help:"What a market price will be: quantiles hour by hour."`
	Tariff     tariffCmd                 `cmd:"" help:"Electricity contracts in files."`
	Statement  statementCmd              `cmd:"" help:"What a month of electricity costs, line by line; also from files alone."`
	Debt       debtCmd                   `cmd:"" help:"What is owed against what hashes: position, register, covenants, cash, imports, board pack."`
	Config     configCmd                 `cmd:"" help:"Check, print or describe the configuration."`
	Bench      benchCmd                  `cmd:"" help:"Measure Ballast on this machine, against a simulated site."`
	Key        keyCmd                    `cmd:"" help:"Make, list and revoke API keys for programs."`
	Backup     backupCmd                 `cmd:"" help:"Copy the record to a file while Ballast runs."`
	Link       linkCmd                   `cmd:"" help:"Print a one-time link to set up or recover an account."`
	OpenAPI    openAPICmd                `cmd:"" name:"openapi" help:"Print the API's description (OpenAPI 3.1, YAML)."`
	Completion kongcompletion.Completion `cmd:"" help:"Print how to switch on completion in your shell."`
	Version    kong.VersionFlag          `help:"Print the version."`
}

// common are the flags that every command takes.
type common struct {
	ConfigFile string   `name:"config" placeholder:"FILE" help:"Configuration file. Default: ballast.yaml in this folder, when there is one." env:"BALLAST_CONFIG" type:"path"`
	Set        []string `placeholder:"KEY=VALUE" help:"Override one key of the configuration, such as fleet.interval=5s. May be repeated." sep:"none"`
	Data       string   `placeholder:"DIR" help:"Folder of the record and the history (the key data)." type:"path"`
	JSON       bool     `help:"Print JSON instead of text."`
}

type streams struct{ out, err io.Writer }

// file is the output when it goes to a file or a terminal.
func (s *streams) file() (*os.File, bool) {
	w := s.out
	if o, ok := w.(*output); ok {
		w = o.w
	}
	f, ok := w.(*os.File)
	return f, ok
}

// print writes v as indented JSON.
func (s *streams) json(v any) error {
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// errUsage marks what the person who typed the command can mend.
var errUsage = errors.New("wrong usage")

// load reads the configuration with all that overrides it.
func (c *common) load() (config.Config, []config.Problem) {
	cfg, _, problems := c.places()
	return cfg, problems
}

// places is load, and tells where each key was said.
func (c *common) places() (config.Config, config.Places, []config.Problem) {
	src := config.Source{File: c.ConfigFile, Env: os.Environ(), Set: c.Set}
	if src.File == "" {
		if _, err := os.Stat("ballast.yaml"); err == nil {
			src.File = "ballast.yaml"
		}
	}
	if c.Data != "" {
		src.Set = append(src.Set, "data="+c.Data)
	}
	return config.LoadPlaces(src)
}

func (c *common) config() (config.Config, error) {
	cfg, problems := c.load()
	if err := config.Problems(problems); err != nil {
		return cfg, fmt.Errorf("%w: %w", errUsage, err)
	}
	return cfg, nil
}

func logHandler(cfg config.Log, w io.Writer) slog.Handler {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.Level)) // checked with the configuration
	o := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.NewJSONHandler(w, o)
	}
	return slog.NewTextHandler(w, o)
}

func ledgerPath(cfg config.Config) string {
	if cfg.Ledger.Path != "" {
		return cfg.Ledger.Path
	}
	return filepath.Join(cfg.Data, "ledger.db")
}

func telemetryPath(cfg config.Config) string {
	if cfg.Telemetry.Path != "" {
		return cfg.Telemetry.Path
	}
	return filepath.Join(cfg.Data, "telemetry")
}

// hintFor says what to do about an error that people meet.
func hintFor(err error) string {
	var op *net.OpError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "Something else uses this port: stop it, or choose another with --set listen=127.0.0.1:8481."
	case errors.Is(err, telemetry.ErrInUse):
		return "Another `ballast run` uses this data folder: stop it, or choose another folder with --data."
	case errors.Is(err, ledger.ErrNewer):
		return "Use the newer Ballast that wrote this data folder, or another folder with --data."
	case errors.Is(err, miner.ErrDenied):
		return "Give the machine's password in the configuration (key credentials), by range or firmware; see `ballast config print`."
	case errors.Is(err, miner.ErrLocked):
		return "Switch write access on at the machine itself (Whatsminer: WhatsMinerTool); Ballast never forces it."
	case errors.Is(err, errNoServer):
		return "Start it with `ballast run` (and the same --data), then try again."
	case errors.As(err, &op) && op.Op == "listen" && errors.Is(err, syscall.EACCES):
		return "Ports below 1024 need privileges; choose a higher one with --set listen=127.0.0.1:8480."
	case errors.Is(err, os.ErrPermission):
		return "This user may not read or write there: choose another folder with --data."
	}
	return ""
}

// defaults is the configuration without file, environment and flags.
func defaults() (config.Config, error) {
	cfg, problems := config.Load(config.Source{})
	return cfg, config.Problems(problems)
}
