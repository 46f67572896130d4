package main

import (
	"context"

	"ballast/alarm/watch"
	"ballast/notify"
	"ballast/report"
)

// mailer sends reports through the mail server that alarms use: there is one
// place to say which.
type mailer struct{ w *watch.Watch }

var _ report.Mailer = mailer{}

func (m mailer) Send(ctx context.Context, to []string, subject, text, html string, attachments []report.Attachment) error {
	files := make([]notify.Attachment, 0, len(attachments))
	for _, a := range attachments {
		files = append(files, notify.Attachment{Name: a.Name, ContentType: a.Type, Data: a.Data})
	}
	return m.w.Send(ctx, to, subject, text, html, files)
}
