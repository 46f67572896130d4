package server

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"ballast/debt/play"
	"ballast/plant"
	"ballast/report"
	"ballast/site"
)

// schemas names the API's types so that two packages may use one word: types of
// this room keep their name, others carry their room's ("LedgerMachine").
func schemas() huma.Registry {
	r := huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		name := huma.DefaultSchemaNamer(t, hint)
		// An unnamed body is called after its operation, whose id has dashes.
		for head, tail, ok := strings.Cut(name, "-"); ok; head, tail, ok = strings.Cut(name, "-") {
			name = head + strings.ToUpper(tail[:min(1, len(tail))]) + tail[min(1, len(tail)):]
		}
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if room, ok := strings.CutPrefix(t.PkgPath(), "ballast/"); ok && room != "server" {
			room = room[strings.LastIndexByte(room, '/')+1:]
			return strings.ToUpper(room[:1]) + room[1:] + name
		}
		return name
	})
	r.RegisterTypeAlias(reflect.TypeFor[json.RawMessage](), reflect.TypeFor[any]())
	r.RegisterTypeAlias(reflect.TypeFor[netip.Addr](), reflect.TypeFor[string]())
	r.RegisterTypeAlias(reflect.TypeFor[site.Addr](), reflect.TypeFor[string]())
	r.RegisterTypeAlias(reflect.TypeFor[site.Range](), reflect.TypeFor[string]())
	seen := map[reflect.Type]bool{}
	optionals(r, reflect.TypeFor[Machine](), seen)
	optionals(r, reflect.TypeFor[plant.Reading](), seen)
	optionals(r, reflect.TypeFor[report.Report](), seen)
	optionals(r, reflect.TypeFor[reportDaysBody](), seen)
	optionals(r, reflect.TypeFor[System](), seen)
	optionals(r, reflect.TypeFor[site.Site](), seen)
	for _, t := range []reflect.Type{reflect.TypeFor[DebtPosition](), reflect.TypeFor[DebtWeeks](), reflect.TypeFor[DebtHashcost](), reflect.TypeFor[FacilityPage](), reflect.TypeFor[DebtTerms]()} {
		optionals(r, t, seen)
	}
	optionals(r, reflect.TypeFor[play.Outcome](), seen)
	optionals(r, reflect.TypeFor[NetworkOdds](), seen)
	return r
}

// optionals tells the registry that a unit.Opt[T] is a T that may be null: its
// Go fields are private, and its JSON is the value's.
func optionals(r huma.Registry, t reflect.Type, seen map[reflect.Type]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map || t.Kind() == reflect.Array {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return
	}
	seen[t] = true
	if t.PkgPath() == "ballast/unit" && strings.HasPrefix(t.Name(), "Opt[") {
		value := t.Field(0).Type
		if value.Kind() == reflect.Float64 {
			value = reflect.TypeFor[float64]() // quantities read text too, but are written as numbers
		}
		r.RegisterTypeAlias(t, reflect.PointerTo(value))
		optionals(r, value, seen)
		return
	}
	for f := range t.Fields() {
		if f.Type.PkgPath() == "ballast/unit" && f.Type.Kind() == reflect.Float64 {
			r.RegisterTypeAlias(f.Type, reflect.TypeFor[float64]())
		}
		optionals(r, f.Type, seen)
	}
}
