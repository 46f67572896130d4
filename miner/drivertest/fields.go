package drivertest

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"ballast/miner"
)

// honestZero are fields whose zero a working machine tells every day.
var honestZero = regexp.MustCompile(`(^|\.)(accepted|rejected|stale|hw_errors|hw_error_ratio|blocks_found|best_share|priority|difficulty|dead|weak|errors|errors_max|[a-z_]*_sd_[a-z]+)$`)

// presentZeros are the paths of present numbers of a reading that are zero
// though a hashing machine's never is.
func presentZeros(r miner.Reading) []string {
	var out []string
	walk(reflect.ValueOf(r), "", func(path string, v reflect.Value) {
		if isNumber(v.Kind()) && v.IsZero() && !honestZero.MatchString(path) {
			out = append(out, path)
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// present are the paths of everything in a reading that may be missing and is
// not.
func present(r miner.Reading) []string {
	var out []string
	walk(reflect.ValueOf(r), "", func(path string, v reflect.Value) { out = append(out, path) })
	slices.Sort(out)
	return slices.Compact(out)
}

// lost are the paths that a has and b has not.
func lost(a, b miner.Reading) []string {
	have := present(b)
	var out []string
	for _, path := range present(a) {
		if _, ok := slices.BinarySearch(have, path); !ok {
			out = append(out, path)
		}
	}
	return out
}

func isNumber(k reflect.Kind) bool {
	return k >= reflect.Int && k <= reflect.Float64
}

// walk calls f for every present Opt below v, with its path as in JSON and
// without indices.
func walk(v reflect.Value, path string, f func(string, reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), path, f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), path, f)
		}
	case reflect.Struct:
		if get := v.MethodByName("Get"); get.IsValid() && get.Type().NumOut() == 2 && strings.HasPrefix(v.Type().Name(), "Opt[") {
			if out := get.Call(nil); out[1].Bool() {
				f(path, out[0])
				walk(out[0], path, f)
			}
			return
		}
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if !field.IsExported() {
				continue
			}
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if path != "" {
				name = path + "." + name
			}
			walk(v.Field(i), name, f)
		}
	}
}
