// Package shelf reads the declared maps of device makes that Ballast brings
// along, and those that a user writes: register maps, SNMP maps.
package shelf

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Shelf is the maps of one kind: those in the folder maps of Files.
type Shelf[M any] struct {
	Files   fs.FS
	Invalid error          // that a bad map is
	Check   func(*M) error // what is wrong with a map beyond its YAML
}

// Parse reads a map from YAML and checks it. Unknown keys are errors.
func (s *Shelf[M]) Parse(text []byte) (M, error) {
	var m, none M
	if err := yaml.UnmarshalWithOptions(text, &m, yaml.Strict()); err != nil {
		return none, fmt.Errorf("%w: %s", s.Invalid, yaml.FormatError(err, false, true))
	}
	if err := s.Check(&m); err != nil {
		return none, err
	}
	return m, nil
}

// Named is the built-in map with that name.
func (s *Shelf[M]) Named(name string) (M, error) {
	text, err := fs.ReadFile(s.Files, path.Join("maps", name+".yaml"))
	if err != nil {
		var none M
		return none, fmt.Errorf("%w: there is no built-in map %q; there are %s", s.Invalid, name, strings.Join(s.Names(), ", "))
	}
	return s.Parse(text)
}

// Names are the names of the built-in maps, sorted.
func (s *Shelf[M]) Names() []string {
	files, err := fs.Glob(s.Files, "maps/*.yaml")
	if err != nil {
		return nil
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	slices.Sort(files)
	return files
}
