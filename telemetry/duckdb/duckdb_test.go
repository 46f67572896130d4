package duckdb

import (
	"os"
	"os/exec"
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

// runSelf runs one test of this binary in a process of its own.
func runSelf(t *testing.T, test, env string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), env)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s in another process: %v\n%s", test, err, out)
	}
}
