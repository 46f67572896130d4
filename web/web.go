// Package web holds the dashboard: its source (src), and its build (dist),
// which is committed so that `go build` needs no other tool. `make web` builds
// it anew; the tests fail when it is not what the source gives.
package web

import (
	"embed"
	"io/fs"
)

//go:generate npm ci
//go:generate npm run build

//go:embed all:dist
var files embed.FS

// Dist is the build: index.html and what it needs.
func Dist() fs.FS {
	dist, err := fs.Sub(files, "dist")
	if err != nil {
		panic(err) // dist is embedded above: it is there
	}
	return dist
}
