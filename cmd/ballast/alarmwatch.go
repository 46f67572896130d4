package main

import (
	"ballast/alarm/watch"
	"ballast/notify"
)

// watch makes the watch that raises alarms and tells people.
func (h *house) watch(url string) *watch.Watch {
	return watch.New(watch.Options{
		Fleet: h.fleet, Record: h.record, Plant: h.latest.All, Storing: h.batcher.Stats, Box: h.box, URL: url, Site: h.cfg.Site.Name, Log: h.log,
		Notify: notify.Options{LinkLocal: h.cfg.Notify.LinkLocal, Version: version},
	})
}
