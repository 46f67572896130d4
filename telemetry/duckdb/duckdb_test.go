package duckdb

import (
	"path/filepath"
	"testing"

	"ballast/telemetry"
	"ballast/telemetry/telemetrytest"
)

func TestConformance(t *testing.T) {
	dir := t.TempDir()
	telemetrytest.Run(t, func(t testing.TB, place string, opt telemetry.Options) telemetry.Store {
		t.Helper()
		s, err := Open(t.Context(), Options{Options: opt, Dir: filepath.Join(dir, filepath.Base(place))})
		if err != nil {
			t.Fatalf("opening: %v", err)
		}
		return s
	})
}
