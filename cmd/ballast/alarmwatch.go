package main

import (
	"fmt"
	"path/filepath"

	"ballast/alarm/watch"
	"ballast/ledger/secretbox"
	"ballast/notify"
)

// keyPath is the key that seals the secrets in the record. It stands beside the
// record and is no part of it: a copy of the database alone tells no secret.
func keyPath(data string) string { return filepath.Join(data, "secret.key") }

// watch makes the watch that raises alarms and tells people.
func (h *house) watch(url string) (*watch.Watch, error) {
	box, err := secretbox.Open(keyPath(h.cfg.Data))
	if err != nil {
		return nil, fmt.Errorf("opening the key of the record's secrets: %w", err)
	}
	return watch.New(watch.Options{
		Fleet: h.fleet, Record: h.record, Plant: h.latest.All, Storing: h.batcher.Stats, Box: box, URL: url, Site: h.cfg.Site.Name, Log: h.log,
		Notify: notify.Options{LinkLocal: h.cfg.Notify.LinkLocal, Version: version},
	}), nil
}
