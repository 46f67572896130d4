package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"ballast/miner"
)

// ErrInvalid reports a configuration that cannot be used; the text lists every
// problem with its place.
var ErrInvalid = errors.New("the configuration has problems")

// Problem is one thing wrong, and where.
type Problem struct {
	Place   string `json:"place"` // "ballast.yaml:12:5", "BALLAST_FLEET_INTERVAL", "--set fleet.interval"
	Key     string `json:"key"`   // "fleet.interval"
	Message string `json:"message"`
}

// String is "ballast.yaml:12:5: fleet.interval: at least 1s".
func (p Problem) String() string {
	if p.Key == "" {
		return p.Place + ": " + p.Message
	}
	return p.Place + ": " + p.Key + ": " + p.Message
}

// Source is where a configuration comes from.
type Source struct {
	File string   // path of the YAML file; "" when there is none
	Env  []string // as os.Environ gives it
	Set  []string // "fleet.interval=5s"
}

// Load reads the file, then the environment, then the settings, and checks the
// whole. It returns every problem it can find, not only the first.
func Load(src Source) (Config, []Problem) {
	c, _, problems := LoadPlaces(src)
	return c, problems
}

// Places is where each key was said: "ballast.yaml:12:5", the variable, the
// flag. Keys that are not in it have their default.
type Places map[string]string

// LoadPlaces is Load, and tells where each key was said.
func LoadPlaces(src Source) (Config, Places, []Problem) {
	c := Default()
	var problems []Problem
	places := Places{}
	name := filepath.Base(src.File)
	if src.File != "" {
		text, err := os.ReadFile(src.File)
		if err != nil {
			return c, places, []Problem{{Place: src.File, Message: "cannot be read: " + errors.Unwrap(err).Error()}}
		}
		tree, err := parse(text)
		if err != nil {
			return c, places, []Problem{yamlProblem(name, string(text), err)}
		}
		note(tree, name, places)
		if len(strings.TrimSpace(string(text))) > 0 {
			if err := decode(text, &c); err != nil {
				return c, places, append(problems, yamlProblem(name, string(text), err))
			}
		}
	}
	leaves := scalars()
	for _, kv := range src.Env {
		k, v, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(k, "BALLAST_") {
			continue
		}
		for key := range leaves {
			if k == envName(key) {
				places[key] = k
				if err := set(&c, key, v); err != nil {
					problems = append(problems, Problem{k, key, err.Error()})
				}
			}
		}
	}
	for _, kv := range src.Set {
		k, v, ok := strings.Cut(kv, "=")
		place := "--set " + k
		switch {
		case !ok:
			problems = append(problems, Problem{place, "", "want key=value, such as fleet.interval=5s"})
		case !leaves[k]:
			problems = append(problems, Problem{place, k, "no such key" + nearest(k, leaves)})
		default:
			places[k] = place
			if err := set(&c, k, v); err != nil {
				problems = append(problems, Problem{place, k, err.Error()})
			}
		}
	}
	where := name
	if where == "." || where == "" {
		where = "defaults"
	}
	for _, p := range check(&c) {
		p.Place = where
		// The nearest parent that the file names is the line to look at.
		for k := p.Key; k != ""; k = parent(k) {
			if at, ok := places[k]; ok {
				p.Place = at
				break
			}
		}
		problems = append(problems, p)
	}
	return c, places, problems
}

// parse and decode guard against the parser's own panics, which odd files can
// provoke (our fuzzer found one): a file must never bring the process down.
func parse(text []byte) (f *ast.File, err error) {
	defer guard(&err)
	return parser.ParseBytes(text, 0)
}

func decode(text []byte, c *Config) (err error) {
	defer guard(&err)
	return yaml.UnmarshalWithOptions(text, c, yaml.Strict())
}

func guard(err *error) {
	if p := recover(); p != nil {
		*err = errors.New("the YAML cannot be read; look for an alias or a value of the wrong form (a list where a value belongs, or the other way round)")
	}
}

// Problems joins problems into one error wrapping ErrInvalid, or nil.
func Problems(ps []Problem) error {
	if len(ps) == 0 {
		return nil
	}
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = "  " + p.String()
	}
	return fmt.Errorf("%w:\n%s", ErrInvalid, strings.Join(lines, "\n"))
}

func parent(key string) string {
	if i := strings.LastIndexAny(key, ".["); i >= 0 {
		return key[:i]
	}
	return ""
}

// yamlProblem turns the parser's message ("[12:5] unknown field "x"\n>  12 | ...")
// into a place and a sentence.
func yamlProblem(name, file string, err error) Problem {
	first, _, _ := strings.Cut(err.Error(), "\n")
	if rest, ok := strings.CutPrefix(first, "["); ok {
		if at, msg, ok := strings.Cut(rest, "] "); ok {
			key := ""
			if f, ok := strings.CutPrefix(msg, `unknown field "`); ok {
				key = strings.TrimSuffix(f, `"`)
				msg = "no such key" + nearest(key, names())
			}
			return Problem{name + ":" + at, key, msg}
		}
	}
	// Errors of the value types (durations, ranges) come without a place, but
	// quote the value.
	if _, rest, ok := strings.Cut(first, `"`); ok {
		if value, _, ok := strings.Cut(rest, `"`); ok && value != "" {
			for i, line := range strings.Split(file, "\n") {
				if col := strings.Index(line, value); col >= 0 {
					return Problem{fmt.Sprintf("%s:%d:%d", name, i+1, col+1), "", first}
				}
			}
		}
	}
	return Problem{name, "", first}
}

// note records the line and column of every key of the file.
func note(f *ast.File, name string, places map[string]string) {
	for _, doc := range f.Docs {
		if doc.Body != nil {
			walk(doc.Body, "", name, places)
		}
	}
}

func walk(n ast.Node, path, name string, places map[string]string) {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			walk(v, path, name, places)
		}
	case *ast.MappingValueNode:
		key := n.Key.String()
		if path != "" {
			key = path + "." + key
		}
		at := n.Key.GetToken().Position
		places[key] = fmt.Sprintf("%s:%d:%d", name, at.Line, at.Column)
		walk(n.Value, key, name, places)
	case *ast.SequenceNode:
		for i, v := range n.Values {
			key := fmt.Sprintf("%s[%d]", path, i)
			at := v.GetToken().Position
			places[key] = fmt.Sprintf("%s:%d:%d", name, at.Line, at.Column)
			walk(v, key, name, places)
		}
	}
}

func envName(key string) string {
	return "BALLAST_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// scalars lists the keys that environment and flags can set.
func scalars() map[string]bool {
	out := map[string]bool{}
	var visit func(t reflect.Type, path string)
	visit = func(t reflect.Type, path string) {
		for f := range t.Fields() {
			key := strings.TrimPrefix(path+"."+f.Tag.Get("yaml"), ".")
			switch {
			case f.Type.Kind() == reflect.Struct:
				visit(f.Type, key)
			case f.Type.Kind() == reflect.Map || f.Type.Kind() == reflect.Slice && f.Type.Elem() != reflect.TypeFor[netip.Prefix]():
			default:
				out[key] = true
			}
		}
	}
	visit(reflect.TypeFor[Config](), "")
	return out
}

// names lists the bare names of all keys, for suggestions.
func names() map[string]bool {
	out := map[string]bool{}
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		for t.Kind() == reflect.Slice || t.Kind() == reflect.Map || t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return
		}
		for f := range t.Fields() {
			if name := f.Tag.Get("yaml"); name != "" {
				out[name] = true
				visit(f.Type)
			}
		}
	}
	visit(reflect.TypeFor[Config]())
	return out
}

// set assigns one scalar key from text.
func set(c *Config, key, text string) error {
	v := reflect.ValueOf(c).Elem()
	for part := range strings.SplitSeq(key, ".") {
		found := false
		for f, fv := range v.Fields() {
			if f.Tag.Get("yaml") == part {
				v, found = fv, true
				break
			}
		}
		if !found {
			return errors.New("no such key")
		}
	}
	if v.Type() == reflect.TypeFor[[]netip.Prefix]() {
		var out []netip.Prefix
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			p, err := netip.ParsePrefix(part)
			if err != nil {
				return fmt.Errorf("%q is no address range such as 10.20.0.0/16", part)
			}
			out = append(out, p)
		}
		v.Set(reflect.ValueOf(out))
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		v.SetBool(b)
	default:
		if v.Type() == reflect.TypeFor[time.Duration]() {
			d, err := time.ParseDuration(text)
			if err != nil {
				return fmt.Errorf("%q is no duration such as 10s or 15m", text)
			}
			v.SetInt(int64(d))
			return nil
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is no whole number", text)
		}
		v.SetInt(n)
	}
	return nil
}

// check finds everything that the types let through and Ballast cannot use.
func check(c *Config) (out []Problem) {
	add := func(key, format string, args ...any) {
		out = append(out, Problem{Key: key, Message: fmt.Sprintf(format, args...)})
	}
	checkTags(reflect.ValueOf(c).Elem(), "", add)
	if c.Data == "" {
		add("data", "must name a folder")
	}
	if host, port, err := net.SplitHostPort(c.Listen); err != nil {
		add("listen", "%q is no address such as 127.0.0.1:8480", c.Listen)
	} else if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		add("listen", "port %q is not a number from 0 to 65535", port)
	} else if _, err := netip.ParseAddr(host); err != nil && host != "localhost" && host != "" {
		add("listen", "host %q is no IP address", host)
	}
	if c.URL != "" {
		if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			add("url", "%q is no URL such as https://ballast.example.com", c.URL)
		}
	}
	checkAccess(c, add)
	if _, err := time.LoadLocation(c.Site.Zone); err != nil {
		add("site.zone", "%q is no IANA time zone such as America/Chicago", c.Site.Zone)
	}
	for i, p := range c.Fleet.Ranges {
		key := fmt.Sprintf("fleet.ranges[%d]", i)
		switch bits := p.Addr().BitLen() - p.Bits(); {
		case p != p.Masked():
			add(key, "%v has bits set behind its mask; did you mean %v?", p, p.Masked())
		case bits > 20:
			add(key, "%v has more addresses than a scan takes (a /12); name the subnets that hold machines", p)
		}
	}
	if c.Fleet.Deadline > c.Fleet.Interval {
		add("fleet.deadline", "%v is longer than the interval %v: a machine would be asked while it still answers", c.Fleet.Deadline, c.Fleet.Interval)
	}
	for i, k := range c.Keys {
		n := 0
		for _, given := range []bool{k.Password != "", k.PasswordEnv != "", k.PasswordFile != ""} {
			if given {
				n++
			}
		}
		if n != 1 {
			add(fmt.Sprintf("credentials[%d]", i), "give exactly one of password, password_env, password_file")
		}
	}
	for i, m := range c.Plant.Meters {
		if m.Behind != "" && (m.Behind == m.Name || !slices.ContainsFunc(c.Plant.Meters, func(o ModbusDevice) bool { return o.Name == m.Behind })) {
			add(fmt.Sprintf("plant.meters[%d].behind", i), "%q is no other meter of this list", m.Behind)
		}
	}
	if c.Ledger.Engine == "postgres" && c.Ledger.URL == "" {
		add("ledger.url", "the postgres engine needs a connection URL")
	}
	checkMarket(c.Market, add)
	for i, r := range c.Metrics.RemoteWrite {
		if u, err := url.Parse(r.URL); err != nil || u.Host == "" {
			add(fmt.Sprintf("metrics.remote_write[%d].url", i), "%q is no URL", r.URL)
		}
	}
	return out
}

// checkTags enforces the enum, min and max tags.
func checkTags(v reflect.Value, path string, add func(key, format string, args ...any)) {
	for f, fv := range v.Fields() {
		key := strings.TrimPrefix(path+"."+f.Tag.Get("yaml"), ".")
		switch {
		case fv.Kind() == reflect.Struct && f.Type != reflect.TypeFor[netip.Prefix]():
			checkTags(fv, key, add)
			continue
		case fv.Kind() == reflect.Slice && fv.Type().Elem().Kind() == reflect.Struct && fv.Type().Elem() != reflect.TypeFor[netip.Prefix]():
			for i := range fv.Len() {
				checkTags(fv.Index(i), fmt.Sprintf("%s[%d]", key, i), add)
			}
			continue
		}
		if enum := f.Tag.Get("enum"); enum != "" {
			if s := fv.String(); !slices.Contains(strings.Split(enum, ","), s) && (s != "" || !optional(key)) {
				add(key, "%q is none of %s", s, strings.ReplaceAll(enum, ",", ", "))
			}
		}
		bound(f, fv, key, add)
	}
}

func optional(key string) bool { return strings.HasPrefix(key, "credentials[") }

func bound(f reflect.StructField, v reflect.Value, key string, add func(key, format string, args ...any)) {
	read := func(text string) (int64, bool) {
		if text == "" {
			return 0, false
		}
		if f.Type == reflect.TypeFor[time.Duration]() {
			d, err := time.ParseDuration(text)
			return int64(d), err == nil
		}
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil
	}
	if !v.CanInt() {
		return
	}
	if least, ok := read(f.Tag.Get("min")); ok && v.Int() < least {
		add(key, "%v is too small: at least %s", v.Interface(), f.Tag.Get("min"))
	}
	if most, ok := read(f.Tag.Get("max")); ok && v.Int() > most {
		add(key, "%v is too large: at most %s", v.Interface(), f.Tag.Get("max"))
	}
}

// nearest suggests a key that differs by little.
func nearest(key string, among map[string]bool) string {
	best, at := "", 3
	for k := range among {
		if d := distance(key, k); d < at || d == at && k < best {
			best, at = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diag, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diag+cost)
		}
	}
	return row[len(b)]
}

// Keyring resolves the credentials, reading environment and files once.
func (c Config) Keyring() (*Keyring, error) {
	k := &Keyring{}
	for i, e := range c.Keys {
		switch {
		case e.PasswordEnv != "":
			v, ok := os.LookupEnv(e.PasswordEnv)
			if !ok {
				return nil, fmt.Errorf("credentials[%d]: environment variable %s is not set", i, e.PasswordEnv)
			}
			e.Password = miner.Secret(v)
		case e.PasswordFile != "":
			b, err := os.ReadFile(e.PasswordFile)
			if err != nil {
				return nil, fmt.Errorf("credentials[%d]: %w", i, err)
			}
			line, _, _ := strings.Cut(string(b), "\n")
			e.Password = miner.Secret(strings.TrimRight(line, "\r"))
		}
		k.entries = append(k.entries, e)
	}
	return k, nil
}

// Keyring answers which credentials fit a machine.
type Keyring struct{ entries []Credential }

// Credentials are the first entry's that fits.
func (k *Keyring) Credentials(addr netip.Addr, fw miner.Firmware) miner.Credentials {
	for _, e := range k.entries {
		if e.Range.IsValid() && !e.Range.Contains(addr) {
			continue
		}
		if e.Firmware != "" && e.Firmware != fw {
			continue
		}
		return miner.Credentials{User: e.User, Password: e.Password}
	}
	return miner.Credentials{}
}
