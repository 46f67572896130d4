package braiins_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// post sends a body to the machine's web server.
func post(t *testing.T, b *bench, path, body string) string {
	t.Helper()
	resp, err := http.Post("http://"+b.target.Address(80)+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
