package register

import (
	"embed"

	"ballast/plant/shelf"
)

//go:embed maps/*.yaml
var files embed.FS

var builtin = shelf.Shelf[Map]{Files: files, Invalid: ErrMap, Check: func(m *Map) error {
	_, err := m.prepare()
	return err
}}

// ParseMap reads a map from YAML and checks it. Unknown keys are errors.
func ParseMap(text []byte) (Map, error) { return builtin.Parse(text) }

// Builtin is the built-in map with that name.
func Builtin(name string) (Map, error) { return builtin.Named(name) }

// BuiltinNames are the names of the built-in maps, sorted.
func BuiltinNames() []string { return builtin.Names() }
