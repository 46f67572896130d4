// Package config is Ballast's one configuration: a YAML file, overridden by
// environment variables, overridden by flags.
//
// The struct below is the whole truth: its defaults are [Default], its key
// documentation (the doc tags) becomes the JSON schema and the annotated
// example, and an unknown key is an error with the line it stands on. Every
// scalar key can be overridden by BALLAST_<PATH> (fleet.interval is
// BALLAST_FLEET_INTERVAL) or --set fleet.interval=5s.
package config

import (
	"net/netip"
	"time"

	"ballast/miner"
)

// Config is everything that can be configured.
type Config struct {
	Data           string         `yaml:"data" doc:"Folder that holds the record, the history and the keys. Created when missing, readable by its owner only."`
	Listen         string         `yaml:"listen" doc:"Address and port of the dashboard and the API. Loopback by default; an address of a network takes tls, or listen_plain."`
	URL            string         `yaml:"url" doc:"How people reach the dashboard, when a proxy or a name stands in front of it (https://ballast.example.com). Empty: http://<listen>, or https:// and the first of tls.acme.hosts."`
	TLS            TLS            `yaml:"tls" doc:"Serve over TLS."`
	ListenPlain    bool           `yaml:"listen_plain" doc:"Allow listen to be a network's address without tls, because a proxy in front does TLS. Set url to its https address, and trusted_proxies."`
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies" doc:"Addresses of proxies whose X-Forwarded-For says where a request comes from, for limits and the audit log."`
	Limits         Limits         `yaml:"limits" doc:"How often the API may be asked; 429 beyond."`
	SignIn         SignIn         `yaml:"sign_in" doc:"Ways to sign in beside name and password, and passkeys."`
	Log            Log            `yaml:"log" doc:"What Ballast writes about itself, to standard error."`
	Site           Site           `yaml:"site" doc:"The site that this process looks after."`
	Fleet          Fleet          `yaml:"fleet" doc:"How machines are found, polled and commanded."`
	Keys           []Credential   `yaml:"credentials" doc:"Passwords of machines, by address range, firmware or both. The first entry that fits wins. Ballast guesses none."`
	Telemetry      Telemetry      `yaml:"telemetry" doc:"History of readings."`
	Ledger         Ledger         `yaml:"ledger" doc:"The record: inventory, commands, people, audit."`
	Metrics        Metrics        `yaml:"metrics" doc:"Prometheus: the /metrics page and remote write."`
	Plant          Plant          `yaml:"plant" doc:"Meters, cooling controllers, PDUs and MQTT beside the machines."`
	Market         Market         `yaml:"market" doc:"Where the price of a bitcoin, difficulty and fees come from. Without it they can be entered by hand."`
	Power          Power          `yaml:"power" doc:"What electricity costs and will cost: market feeds, contracts, forecasts."`
	Notify         Notify         `yaml:"notify" doc:"How Ballast sends messages to receivers; the receivers themselves are set up in the dashboard."`
}

// Notify bounds what messages may do.
type Notify struct {
	LinkLocal bool `yaml:"link_local" doc:"Let webhooks go to link-local and cloud metadata addresses (169.254.0.0/16). Off: a receiver must not become a way to read this computer's cloud credentials."`
}

// Log says what is written about Ballast itself.
type Log struct {
	Level  string `yaml:"level" enum:"debug,info,warn,error" doc:"Least severity that is written."`
	Format string `yaml:"format" enum:"text,json" doc:"text for people, json for collectors."`
}

// Site names the site.
type Site struct {
	Name string `yaml:"name" doc:"Shown in the dashboard, and the site label of every metric."`
	Zone string `yaml:"zone" doc:"IANA time zone of the site (America/Chicago). Only for display: everything is stored in UTC."`
}

// Fleet says how machines are found, polled and commanded.
type Fleet struct {
	Ranges   []netip.Prefix    `yaml:"ranges" doc:"Address ranges that hold machines (10.20.0.0/16). Scanned at start and every rescan."`
	Rescan   time.Duration     `yaml:"rescan" min:"0s" doc:"How often the ranges are scanned for new and moved machines. 0 never."`
	Interval time.Duration     `yaml:"interval" min:"1s" max:"1h" doc:"How often each machine is polled."`
	Deadline time.Duration     `yaml:"deadline" min:"0s" doc:"How long one poll may take. 0 is half the interval, at most 5 s."`
	Slowest  time.Duration     `yaml:"slowest" min:"0s" doc:"How often a machine that does not answer is tried. 0 is the larger of one minute and six intervals."`
	InFlight int               `yaml:"in_flight" min:"0" doc:"Most polls at once. 0 is what the open-file limit bears, at most 4096."`
	Ports    map[uint16]uint16 `yaml:"ports" doc:"Well-known port to the port to use instead (80: 8080), for machines behind a port forward."`
	Commands Commands          `yaml:"commands" doc:"How commands are carried out."`
}

// Commands says how commands are carried out.
type Commands struct {
	Deadline time.Duration `yaml:"deadline" min:"10s" doc:"How long a command may take from its creation to its confirmation by telemetry, when it does not say itself."`
	Parallel int           `yaml:"parallel" min:"1" max:"4096" doc:"Most machines that are being commanded at once."`
}

// Credential is one password and where it fits.
type Credential struct {
	Range        netip.Prefix   `yaml:"range" doc:"Addresses it fits. Empty: all."`
	Firmware     miner.Firmware `yaml:"firmware" enum:"antminer,whatsminer,avalon,braiins,luxos,vnish,epic,bitaxe,cgminer" doc:"Firmware it fits. Empty: all."`
	User         string         `yaml:"user" doc:"User name, where the firmware has one."`
	Password     miner.Secret   `yaml:"password" doc:"The password itself. Prefer password_env or password_file."`
	PasswordEnv  string         `yaml:"password_env" doc:"Environment variable that holds the password."`
	PasswordFile string         `yaml:"password_file" doc:"File whose first line is the password."`
}

// Telemetry says where history lives and for how long.
type Telemetry struct {
	Engine  string        `yaml:"engine" enum:"duckdb" doc:"Storage engine."`
	Path    string        `yaml:"path" doc:"Folder of the day files. Empty: telemetry inside data."`
	Flush   time.Duration `yaml:"flush" min:"50ms" max:"10s" doc:"Longest time a reading waits to be stored. It bounds what a power cut can lose."`
	Raw     time.Duration `yaml:"raw" min:"24h" doc:"How long raw readings are kept. Whole days."`
	Minute  time.Duration `yaml:"minute" min:"24h" doc:"How long one-minute roll-ups are kept."`
	Quarter time.Duration `yaml:"quarter" min:"24h" doc:"How long 15-minute roll-ups are kept."`
	Hour    time.Duration `yaml:"hour" min:"24h" doc:"How long hourly roll-ups are kept."`
	Memory  string        `yaml:"memory" doc:"Memory limit of the engine (192MB)."`
}

// Ledger says where the record lives.
type Ledger struct {
	Engine string       `yaml:"engine" enum:"sqlite,postgres" doc:"sqlite is embedded; postgres for those who run one."`
	Path   string       `yaml:"path" doc:"File of the sqlite engine. Empty: ledger.db inside data."`
	URL    miner.Secret `yaml:"url" doc:"Connection URL of the postgres engine (postgres://user:password@host/db). Prefer BALLAST_LEDGER_URL."`
}

// Metrics is the Prometheus face.
type Metrics struct {
	Enabled     bool          `yaml:"enabled" doc:"Serve /metrics."`
	Detail      string        `yaml:"detail" enum:"fleet,machine,board" doc:"How fine the series are: a fleet's totals, each machine, each board."`
	RemoteWrite []RemoteWrite `yaml:"remote_write" doc:"Prometheus-compatible receivers that get the newest readings."`
}

// RemoteWrite is one receiver.
type RemoteWrite struct {
	URL      string        `yaml:"url" doc:"Where to push (http://prometheus:9090/api/v1/write)."`
	Interval time.Duration `yaml:"interval" min:"0s" doc:"How often the newest readings are sent. 0 is 15 s."`
	User     string        `yaml:"user" doc:"Basic authentication: user."`
	Password miner.Secret  `yaml:"password" doc:"Basic authentication: password."`
	Bearer   miner.Secret  `yaml:"bearer" doc:"Bearer token, instead of basic authentication."`
}

// Plant lists what stands beside the machines.
type Plant struct {
	Meters  []ModbusDevice `yaml:"meters" doc:"Power meters on Modbus TCP."`
	Cooling []ModbusDevice `yaml:"cooling" doc:"Cooling controllers on Modbus TCP."`
	PDUs    []SNMPDevice   `yaml:"pdus" doc:"Power distribution units on SNMP."`
	MQTT    []MQTTSource   `yaml:"mqtt" doc:"Brokers whose topics carry readings."`
}

// ModbusDevice is one device on Modbus TCP.
type ModbusDevice struct {
	Name     string        `yaml:"name" doc:"Shown in the dashboard."`
	Address  string        `yaml:"address" doc:"host:port; the port is 502 when left out."`
	Unit     uint8         `yaml:"unit" doc:"Modbus unit identifier."`
	Map      string        `yaml:"map" doc:"Register map: the name of a built-in one, or a file."`
	Interval time.Duration `yaml:"interval" min:"0s" doc:"How often it is read. 0 is 5 s."`
	Behind   string        `yaml:"behind" doc:"For a meter: the name of the meter that it stands behind, so that its energy is not counted twice in reports. Empty: it is fed directly."`
}

// SNMPDevice is one device on SNMP.
type SNMPDevice struct {
	Name      string        `yaml:"name" doc:"Shown in the dashboard."`
	Address   string        `yaml:"address" doc:"host:port; the port is 161 when left out."`
	Community miner.Secret  `yaml:"community" doc:"Community of SNMP v2c."`
	Map       string        `yaml:"map" doc:"OID map: the name of a built-in one."`
	Interval  time.Duration `yaml:"interval" min:"0s" doc:"How often it is read. 0 is 30 s."`
}

// MQTTSource is one broker.
type MQTTSource struct {
	Name     string       `yaml:"name" doc:"Shown in the dashboard."`
	Broker   string       `yaml:"broker" doc:"tcp://host:1883 or ssl://host:8883."`
	User     string       `yaml:"user" doc:"User name."`
	Password miner.Secret `yaml:"password" doc:"Password."`
	Mapping  string       `yaml:"mapping" doc:"File that says which topics carry which values; docs/plant.md has the format."`
}

// Default is the configuration of an empty file.
func Default() Config {
	const day = 24 * time.Hour
	return Config{
		Data:   "data",
		Listen: "127.0.0.1:8480",
		Limits: Limits{Address: 300, Principal: 100},
		Log:    Log{Level: "info", Format: "text"},
		Site:   Site{Name: "site", Zone: "UTC"},
		Fleet: Fleet{
			Rescan: 15 * time.Minute, Interval: 10 * time.Second,
			Commands: Commands{Deadline: 15 * time.Minute, Parallel: 256},
		},
		Telemetry: Telemetry{Engine: "duckdb", Flush: 400 * time.Millisecond, Raw: 14 * day, Minute: 30 * day, Quarter: 400 * day, Hour: 3650 * day, Memory: "192MB"},
		Ledger:    Ledger{Engine: "sqlite"},
		Metrics:   Metrics{Enabled: true, Detail: "machine"},
		Market:    Market{Interval: time.Minute},
		Power:     Power{Forecast: PriceForecast{Enabled: true, SpikeAt: 200, History: 91, Trial: 28, Threads: 1}},
	}
}
