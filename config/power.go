package config

import (
	"fmt"
	"os"
	"strings"
	"time"

	"ballast/miner"
)

// Power says where prices of electricity come from, what was signed, and how
// prices are forecast.
type Power struct {
	Feeds     []PowerFeed    `yaml:"feeds" doc:"What market operators publish, polled. docs/power.md has examples of each kind."`
	Contracts []ContractFile `yaml:"contracts" doc:"Electricity contracts kept as files. Contracts may be kept in the dashboard instead, or beside."`
	Forecast  PriceForecast  `yaml:"forecast" doc:"Forecasts of electricity prices."`
}

// PowerFeed is one source of prices, load or forecasts. Which keys it takes
// depends on its kind.
type PowerFeed struct {
	Kind    string        `yaml:"kind" enum:"ercot-api,ercot-mis,caiso,entsoe,csv,json" doc:"Which operator's format."`
	URL     string        `yaml:"url" doc:"Where to ask, when it is not the operator's own address: a mirror, a proxy, a test server. csv and json need one; {from} and {to} in it become times."`
	Every   time.Duration `yaml:"every" min:"0s" doc:"How often it is polled. 0 is 5m."`
	Behind  time.Duration `yaml:"behind" min:"0s" doc:"How much of the past a poll asks for. 0 is 6h."`
	Ahead   time.Duration `yaml:"ahead" min:"0s" doc:"How much of the future a poll asks for. 0 is 48h."`
	Revisit time.Duration `yaml:"revisit" min:"0s" doc:"How often the past is read again for corrections. 0 is 6h."`
	Past    time.Duration `yaml:"past" min:"0s" doc:"How far back values are read at first and gaps are repaired. 0 is 168h, at most 9600h."`

	Report string   `yaml:"report" doc:"ERCOT: dam, rtm, as, load_forecast, load, sced. CAISO: dam, fmm, rtm, load_forecast. ENTSO-E: dam, load_forecast."`
	Points []string `yaml:"points" doc:"ERCOT and CAISO: settlement points, services, zones or nodes (HB_NORTH)."`

	User        string       `yaml:"user" doc:"ercot-api: user name."`
	Password    miner.Secret `yaml:"password" doc:"ercot-api: password. Prefer password_env."`
	PasswordEnv string       `yaml:"password_env" doc:"Environment variable that holds the password."`
	Key         miner.Secret `yaml:"key" doc:"ercot-api: subscription key. Prefer key_env."`
	KeyEnv      string       `yaml:"key_env" doc:"Environment variable that holds the subscription key."`
	Token       miner.Secret `yaml:"token" doc:"entsoe: security token. Prefer token_env."`
	TokenEnv    string       `yaml:"token_env" doc:"Environment variable that holds the token."`

	Area     string        `yaml:"area" doc:"entsoe: EIC code of the bidding zone (10Y1001A1001A82H)."`
	Label    string        `yaml:"label" doc:"entsoe: name in the series (DE_LU). csv and json: what the feed is called."`
	Currency string        `yaml:"currency" doc:"Of the prices, ISO 4217. entsoe: EUR when empty."`
	Interval time.Duration `yaml:"interval" min:"0s" doc:"csv and json: length of one value. entsoe: 0 is 15m."`

	Series   string        `yaml:"series" doc:"csv and json: what the series is called in contracts."`
	Quantity string        `yaml:"quantity" doc:"csv and json: price (when empty), capacity price or load."`
	Lag      time.Duration `yaml:"lag" min:"0s" doc:"csv and json: a value is published so long after its interval."`
	DayAhead time.Duration `yaml:"day_ahead" min:"0s" doc:"csv and json, instead of lag: all of a day is published at this time of the day before (13h30m), on the clock of shape.zone."`
	Horizon  time.Duration `yaml:"horizon" min:"0s" doc:"csv and json: values that begin later than this from now are left out. 0 is 72h."`
	Final    time.Duration `yaml:"final" min:"0s" doc:"csv and json: so long after its interval a value counts as settled. 0 is 240h."`
	Shape    FeedShape     `yaml:"shape" doc:"csv and json: where times and values stand."`
	Headers  []FeedHeader  `yaml:"headers" doc:"csv and json: headers of the request."`
}

// FeedShape says how times and values stand in CSV or JSON.
type FeedShape struct {
	Rows      string      `yaml:"rows" doc:"JSON: path of the list of rows. Empty: the document itself."`
	Delimiter string      `yaml:"delimiter" doc:"CSV: what separates columns. Empty: a comma."`
	Skip      int         `yaml:"skip" min:"0" doc:"CSV: lines before the header."`
	Time      string      `yaml:"time" doc:"Column, or path within a row, of the interval's time."`
	Date      string      `yaml:"date" doc:"Of the day, when time is the time of day only."`
	Layout    string      `yaml:"layout" doc:"rfc3339 (when empty), unix, unix-ms, or as Go writes it: 2006-01-02 15:04."`
	Zone      string      `yaml:"zone" doc:"IANA zone of times without an offset. Empty: UTC."`
	Ends      bool        `yaml:"ends" doc:"The time is the interval's end."`
	Value     string      `yaml:"value" doc:"Column or path of the value."`
	Scale     string      `yaml:"scale" doc:"Values times this are per MWh: 1000 for prices per kWh. Empty: 1."`
	Comma     bool        `yaml:"comma" doc:"Decimals are written 42,10."`
	Where     []FeedMatch `yaml:"where" doc:"What a row must have to count."`
}

// FeedMatch is a column or path that must have a value.
type FeedMatch struct {
	Name string `yaml:"name" doc:"Column or path."`
	Is   string `yaml:"is" doc:"Its value."`
}

// FeedHeader is a header of a request.
type FeedHeader struct {
	Name     string       `yaml:"name" doc:"Such as Authorization."`
	Value    miner.Secret `yaml:"value" doc:"Its value. Prefer value_env."`
	ValueEnv string       `yaml:"value_env" doc:"Environment variable that holds the value."`
}

// ContractFile is an electricity contract kept as a file.
type ContractFile struct {
	Site string `yaml:"site" doc:"Site that pays by it. Empty: site.name."`
	File string `yaml:"file" doc:"The contract, YAML; docs/tariff.md has the format. Read at start; each text that it had is kept."`
}

// PriceForecast says how electricity prices are forecast.
type PriceForecast struct {
	Enabled bool     `yaml:"enabled" doc:"Forecast prices, every day and without a person."`
	Series  []string `yaml:"series" doc:"Series to forecast. Empty: every series of prices that a feed gives."`
	SpikeAt int      `yaml:"spike_at" doc:"A price above this, in currency units per MWh, is a spike."`
	History int      `yaml:"history" min:"28" max:"400" doc:"Days from whose errors a model learns how sure it is. More is steadier, and slower at the first start."`
	Trial   int      `yaml:"trial" min:"7" max:"365" doc:"Settled days that a challenger and the champion must share before the better of them is made champion."`
	Threads int      `yaml:"threads" min:"1" max:"64" doc:"Processor cores that a recalibration may use."`
}

// env resolves a secret that may stand in a variable.
func env(value miner.Secret, variable string) (miner.Secret, error) {
	if variable == "" {
		return value, nil
	}
	v, ok := os.LookupEnv(variable)
	if !ok {
		return "", fmt.Errorf("environment variable %s is not set", variable)
	}
	return miner.Secret(strings.TrimSpace(v)), nil
}

// Resolved is the feed with its secrets read from the environment.
func (f PowerFeed) Resolved() (PowerFeed, error) {
	var err error
	for _, s := range []struct {
		to       *miner.Secret
		variable string
	}{{&f.Password, f.PasswordEnv}, {&f.Key, f.KeyEnv}, {&f.Token, f.TokenEnv}} {
		if *s.to, err = env(*s.to, s.variable); err != nil {
			return f, err
		}
	}
	headers := make([]FeedHeader, len(f.Headers))
	for i, h := range f.Headers {
		if h.Value, err = env(h.Value, h.ValueEnv); err != nil {
			return f, err
		}
		headers[i] = h
	}
	f.Headers = headers
	return f, nil
}
