package register

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed maps/*.yaml
var builtin embed.FS

// ParseMap reads a map from YAML and checks it. Unknown keys are errors.
func ParseMap(text []byte) (Map, error) {
	var m Map
	if err := yaml.UnmarshalWithOptions(text, &m, yaml.Strict()); err != nil {
		return Map{}, fmt.Errorf("%w: %s", ErrMap, yaml.FormatError(err, false, true))
	}
	if _, err := m.prepare(); err != nil {
		return Map{}, err
	}
	return m, nil
}

// Builtin is the built-in map with that name.
func Builtin(name string) (Map, error) {
	text, err := builtin.ReadFile(path.Join("maps", name+".yaml"))
	if err != nil {
		return Map{}, fmt.Errorf("%w: there is no built-in map %q; there are %s", ErrMap, name, strings.Join(BuiltinNames(), ", "))
	}
	return ParseMap(text)
}

// BuiltinNames are the names of the built-in maps, sorted.
func BuiltinNames() []string {
	files, err := fs.Glob(builtin, "maps/*.yaml")
	if err != nil {
		return nil
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	slices.Sort(files)
	return files
}
