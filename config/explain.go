package config

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"strings"
	"time"

	"ballast/miner"
)

// Entry is one key of the configuration in force: what it is, where that comes
// from, and how it can be changed.
type Entry struct {
	Key     string   `json:"key"` // "fleet.interval", "plant.meters[0].name"
	Value   string   `json:"value" doc:"As the file would say it; of a secret, only whether it is set."`
	Default string   `json:"default" doc:"What it would be if nobody said anything."`
	From    string   `json:"from" enum:"default,file,environment,flag" doc:"Who said it last."`
	Where   string   `json:"where,omitempty" doc:"Line of the file, variable or flag."`
	Doc     string   `json:"doc"`
	Enum    []string `json:"enum,omitempty" doc:"The values that it can have."`
	Secret  bool     `json:"secret,omitempty"`
	Env     string   `json:"env,omitempty" doc:"Variable that overrides the file; empty: only the file can say it."`
}

// Hidden is shown for a secret that is set.
const Hidden = "set; not shown"

// Explain lists every key in the order of the documentation, with secrets
// hidden. places is what LoadPlaces returned.
func Explain(c Config, places Places) []Entry {
	var out []Entry
	scalar := scalars()
	var visit func(v, def reflect.Value, path string)
	visit = func(v, def reflect.Value, path string) {
		for f, fv := range v.Fields() {
			key := strings.TrimPrefix(path+"."+f.Tag.Get("yaml"), ".")
			d := reflect.Zero(f.Type)
			if def.IsValid() {
				d = def.FieldByIndex(f.Index)
			}
			if fv.Kind() == reflect.Struct && f.Type != reflect.TypeFor[netip.Prefix]() {
				visit(fv, d, key)
				continue
			}
			e := Entry{Key: key, Value: shown(fv), Default: shown(d), Doc: f.Tag.Get("doc"), Secret: f.Type == reflect.TypeFor[miner.Secret]()}
			if enum := f.Tag.Get("enum"); enum != "" {
				e.Enum = strings.Split(enum, ",")
			}
			if scalar[key] {
				e.Env = envName(key)
			}
			e.From, e.Where = places.of(key)
			many := fv.Kind() == reflect.Slice && fv.Type().Elem().Kind() == reflect.Struct && fv.Type().Elem() != reflect.TypeFor[netip.Prefix]()
			if many && fv.Len() > 0 {
				e.Value = fmt.Sprintf("%d entries", fv.Len())
				if fv.Len() == 1 {
					e.Value = "1 entry"
				}
			}
			out = append(out, e)
			if many {
				for i := range fv.Len() {
					visit(fv.Index(i), reflect.Value{}, fmt.Sprintf("%s[%d]", key, i))
				}
			}
		}
	}
	visit(reflect.ValueOf(c), reflect.ValueOf(Default()), "")
	return out
}

// of says who set a key, or a parent of it.
func (p Places) of(key string) (from, where string) {
	for k := key; k != ""; k = parent(k) {
		at, ok := p[k]
		switch {
		case !ok:
			continue
		case strings.HasPrefix(at, "--"):
			return "flag", at
		case strings.HasPrefix(at, "BALLAST_"):
			return "environment", at
		case k != key && !strings.Contains(key[len(k):], "["):
			return "default", "" // the file has the section, and not this key
		}
		return "file", at
	}
	return "default", ""
}

// userinfo is a password inside a URL, which belongs into a key of its own and
// stands here all the same in many files.
var userinfo = regexp.MustCompile(`://([^/@:\s]*):[^/@\s]*@`)

// shown is a value as the file would say it.
func shown(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case miner.Secret:
		if x != "" {
			return Hidden
		}
		return ""
	case time.Duration:
		return x.String()
	case netip.Prefix:
		if !x.IsValid() {
			return ""
		}
		return x.String()
	}
	switch v.Kind() {
	case reflect.Slice:
		if v.Len() == 0 {
			return "[]"
		}
		var parts []string
		for i := range v.Len() {
			if v.Index(i).Kind() == reflect.Struct && v.Type().Elem() != reflect.TypeFor[netip.Prefix]() {
				return fmt.Sprintf("%d", v.Len())
			}
			parts = append(parts, shown(v.Index(i)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.String:
		return userinfo.ReplaceAllString(v.String(), "://$1:…@")
	case reflect.Map:
		if v.Len() == 0 {
			return "{}"
		}
		b, _ := json.Marshal(v.Interface()) // of numbers: sorted, and always marshals
		return string(b)
	}
	return fmt.Sprint(v.Interface())
}
