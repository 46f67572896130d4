package feed

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestTheDeclarationsOfTheDocumentationParse(t *testing.T) {
	page, err := os.ReadFile("../../docs/feeds.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	text, _, _ := strings.Cut(rest, "```")
	if plans, err := Parse([]byte(text), time.Now); err != nil || len(plans) != 5 {
		t.Error(len(plans), err)
	}
}
