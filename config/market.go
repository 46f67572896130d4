package config

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"ballast/miner"
)

// Market says where the numbers of the bitcoin market come from.
type Market struct {
	Interval    time.Duration `yaml:"interval" min:"10s" max:"1h" doc:"How often each source is asked."`
	Feeds       []MarketFeed  `yaml:"feeds" doc:"Sources. Of the chain the first that answers counts; of the price the median of all."`
	Checkpoints string        `yaml:"checkpoints" doc:"File with every difficulty since 2009 in the format of Electrum's checkpoints.json, so that no source has to be asked for them. Empty: none."`
	Prices      string        `yaml:"prices" doc:"CSV file with daily closing prices of earlier years (columns date and close), for forecasts that learn from them. Empty: none."`
}

// MarketFeed is one source of the market.
type MarketFeed struct {
	Name         string       `yaml:"name" doc:"Shown beside every number that it tells. Empty: its address."`
	Kind         string       `yaml:"kind" enum:"mempool,node,csv" doc:"mempool: an explorer with mempool.space's API (also your own); node: your own bitcoind or btcd by JSON-RPC; csv: a file of prices."`
	URL          string       `yaml:"url" doc:"Address of the explorer, up to but not including /api, or of the node's RPC."`
	User         string       `yaml:"user" doc:"User of the node's RPC."`
	Password     miner.Secret `yaml:"password" doc:"Password of the node's RPC. Prefer password_env or password_file."`
	PasswordEnv  string       `yaml:"password_env" doc:"Environment variable that holds the password."`
	PasswordFile string       `yaml:"password_file" doc:"File whose first line is the password, or bitcoind's .cookie file, which names the user too."`
	File         string       `yaml:"file" doc:"The CSV file, with the columns date and close. Its last line is the price."`
	Gives        []string     `yaml:"gives" doc:"What to ask this source for: chain, price, history, pools. Empty: all that its kind has."`
}

// feedGives is what each kind has.
var feedGives = map[string][]string{"mempool": {"chain", "price", "history", "pools"}, "node": {"chain"}, "csv": {"price"}}

// Has tells whether the source is to be asked for something.
func (f MarketFeed) Has(what string) bool {
	return slices.Contains(feedGives[f.Kind], what) && (len(f.Gives) == 0 || slices.Contains(f.Gives, what))
}

// Label is the feed's name, or its address without a password.
func (f MarketFeed) Label() string {
	if f.Name != "" {
		return f.Name
	}
	if u, err := url.Parse(f.URL); err == nil && u.Host != "" {
		return u.Host
	}
	return f.File
}

// Access is the user and password of the source, reading environment or file.
func (f MarketFeed) Access() (user string, password miner.Secret, err error) {
	switch {
	case f.PasswordEnv != "":
		v, ok := os.LookupEnv(f.PasswordEnv)
		if !ok {
			return "", "", fmt.Errorf("market source %s: environment variable %s is not set", f.Label(), f.PasswordEnv)
		}
		return f.User, miner.Secret(v), nil
	case f.PasswordFile != "":
		b, err := os.ReadFile(f.PasswordFile)
		if err != nil {
			return "", "", fmt.Errorf("market source %s: %w", f.Label(), err)
		}
		line, _, _ := strings.Cut(string(b), "\n")
		line = strings.TrimRight(line, "\r")
		if rest, ok := strings.CutPrefix(line, "__cookie__:"); ok && f.User == "" {
			return "__cookie__", miner.Secret(rest), nil
		}
		return f.User, miner.Secret(line), nil
	}
	return f.User, f.Password, nil
}

func checkMarket(m Market, add func(key, format string, args ...any)) {
	names := map[string]bool{}
	for i, f := range m.Feeds {
		key := fmt.Sprintf("market.feeds[%d]", i)
		switch f.Kind {
		case "mempool", "node":
			if u, err := url.Parse(f.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				add(key+".url", "%q is no address such as http://127.0.0.1:8332", f.URL)
			}
		case "csv":
			if f.File == "" {
				add(key+".file", "name the CSV file")
			}
		}
		if names[f.Label()] {
			add(key+".name", "%q names two sources; give each a name of its own", f.Label())
		}
		names[f.Label()] = true
		for _, g := range f.Gives {
			if has := feedGives[f.Kind]; len(has) > 0 && !slices.Contains(has, g) {
				add(key+".gives", "a source of kind %s has no %q, only %s", f.Kind, g, strings.Join(has, ", "))
			}
		}
		n := 0
		for _, given := range []bool{f.Password != "", f.PasswordEnv != "", f.PasswordFile != ""} {
			if given {
				n++
			}
		}
		if n > 1 {
			add(key, "give at most one of password, password_env, password_file")
		}
	}
}
