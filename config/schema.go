package config

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"ballast/miner"
)

// Schema is the JSON schema (draft 2020-12) of the configuration file, for
// editors. It is made from the struct, so it cannot fall behind it.
func Schema() []byte {
	root := object(reflect.TypeFor[Config](), reflect.ValueOf(Default()))
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Ballast configuration"
	b, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // maps of strings, numbers and maps always marshal
	}
	return append(b, '\n')
}

func object(t reflect.Type, def reflect.Value) map[string]any {
	props := map[string]any{}
	for f := range t.Fields() {
		var d reflect.Value
		if def.IsValid() {
			d = def.FieldByIndex(f.Index)
		}
		s := typeSchema(f.Type, d)
		s["description"] = f.Tag.Get("doc")
		if e := f.Tag.Get("enum"); e != "" {
			s["enum"] = strings.Split(e, ",")
		}
		if d.IsValid() && !d.IsZero() && s["type"] != "object" {
			s["default"] = plain(d)
		}
		props[f.Tag.Get("yaml")] = s
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": props}
}

func typeSchema(t reflect.Type, def reflect.Value) map[string]any {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return map[string]any{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^0$`, "examples": []string{"10s", "15m"}}
	case reflect.TypeFor[netip.Prefix]():
		return map[string]any{"type": "string", "examples": []string{"10.20.0.0/16"}}
	case reflect.TypeFor[miner.Secret]():
		return map[string]any{"type": "string", "writeOnly": true}
	}
	switch t.Kind() {
	case reflect.Struct:
		return object(t, def)
	case reflect.Slice:
		return map[string]any{"type": "array", "items": typeSchema(t.Elem(), reflect.Value{})}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": typeSchema(t.Elem(), reflect.Value{})}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.String:
		return map[string]any{"type": "string"}
	default:
		return map[string]any{"type": "integer"}
	}
}

func plain(v reflect.Value) any {
	if s, ok := reflect.TypeAssert[fmt.Stringer](v); ok {
		return s.String()
	}
	return v.Interface()
}

// Annotated is the whole configuration as YAML, each key under its description:
// what `ballast config print` shows. Secrets are left out.
func Annotated(c Config) string {
	var b strings.Builder
	annotate(&b, reflect.ValueOf(c), "")
	return b.String()
}

func annotate(b *strings.Builder, v reflect.Value, indent string) {
	for f, fv := range v.Fields() {
		fmt.Fprintf(b, "%s# %s", indent, f.Tag.Get("doc"))
		if e := f.Tag.Get("enum"); e != "" {
			fmt.Fprintf(b, " One of %s.", strings.ReplaceAll(e, ",", ", "))
		}
		fmt.Fprintf(b, "\n%s%s:", indent, f.Tag.Get("yaml"))
		switch {
		case f.Type == reflect.TypeFor[miner.Secret]():
			b.WriteString(` "" # ` + map[bool]string{true: "not set", false: "set; hidden here"}[fv.IsZero()] + "\n")
		case fv.Kind() == reflect.Struct && f.Type != reflect.TypeFor[netip.Prefix]():
			b.WriteByte('\n')
			annotate(b, fv, indent+"  ")
		case fv.Kind() == reflect.Slice && fv.Len() == 0:
			b.WriteString(" []\n")
		case fv.Kind() == reflect.Slice && fv.Type().Elem().Kind() == reflect.Struct && fv.Type().Elem() != reflect.TypeFor[netip.Prefix]():
			b.WriteByte('\n')
			for i := range fv.Len() {
				var item strings.Builder
				annotate(&item, fv.Index(i), indent+"    ")
				text := item.String()
				b.WriteString(indent + "  -\n" + text)
			}
		case fv.Kind() == reflect.Slice:
			b.WriteByte('\n')
			for i := range fv.Len() {
				item := fmt.Sprint(fv.Index(i).Interface())
				if fv.Type().Elem().Kind() == reflect.String {
					q, _ := json.Marshal(item) // "*.example.com" would be an alias
					item = string(q)
				}
				fmt.Fprintf(b, "%s  - %s\n", indent, item)
			}
		case fv.Kind() == reflect.Map && fv.Len() == 0:
			b.WriteString(" {}\n")
		case fv.Kind() == reflect.Map:
			b.WriteByte('\n')
			for it := fv.MapRange(); it.Next(); {
				fmt.Fprintf(b, "%s  %v: %v\n", indent, it.Key(), it.Value())
			}
		case fv.Kind() == reflect.String, f.Type == reflect.TypeFor[netip.Prefix]():
			text := fmt.Sprint(fv.Interface())
			if text == "invalid Prefix" {
				text = ""
			}
			q, _ := json.Marshal(text)
			fmt.Fprintf(b, " %s\n", q)
		default:
			fmt.Fprintf(b, " %v\n", fv.Interface())
		}
	}
}
