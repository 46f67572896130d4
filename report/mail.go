package report

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"
)

// Letter is a report as an e-mail.
type Letter struct {
	Subject, Text, HTML string
}

// Write makes the e-mail of a report: its head, its losses and its worst
// machines in text and in HTML. link leads to the report in the dashboard.
func Write(r *Report, link string) (Letter, error) {
	title := r.Title
	if title == "" {
		title = r.Site
	}
	figures := Figures(r)
	// Line breaks in a site's name would break the mail's head.
	subject := strings.Join(strings.Fields(fmt.Sprintf("%s, %s: %s %s, uptime %s %s", title, r.Day, figures[0].Value, figures[0].Unit, figures[2].Value, figures[2].Unit)), " ")
	var text strings.Builder
	fmt.Fprintf(&text, "Daily report of %s, %s (%s)\n\n", title, r.Day, r.Zone)
	for _, remark := range Remarks(r) {
		fmt.Fprintf(&text, "! %s\n", remark)
	}
	text.WriteString("\n")
	for _, f := range figures {
		fmt.Fprintf(&text, "%-18s %12s %-5s %s\n", f.Name, f.Value, f.Unit, f.Note)
	}
	text.WriteString("\nLost, TH-days:\n")
	for _, l := range r.Losses {
		fmt.Fprintf(&text, "%10.1f  %s (%s)\n", l.Lost, l.Reason.Words(), countOf(l.Machines, "machine"))
	}
	worst := r.Worst[:min(len(r.Worst), 10)]
	if len(worst) > 0 {
		text.WriteString("\nMachines that lost most, TH-days:\n")
	}
	for _, m := range worst {
		fmt.Fprintf(&text, "%10.1f  %s, %s, %s: %s\n", m.Lost, m.Name, m.Model, m.Place, reasonWords(m.Why))
	}
	fmt.Fprintf(&text, "\n%s\n", link)
	var page bytes.Buffer
	err := letter.Execute(&page, map[string]any{"Title": title, "R": r, "Figures": figures, "Remarks": Remarks(r), "Worst": worst, "Link": link})
	if err != nil {
		return Letter{}, fmt.Errorf("writing the e-mail of the report: %w", err)
	}
	return Letter{Subject: subject, Text: text.String(), HTML: page.String()}, nil
}

func reasonWords(ls []Loss) string {
	var words []string
	for _, l := range ls[:min(len(ls), 2)] {
		words = append(words, l.Reason.Words())
	}
	return strings.Join(words, ", ")
}

// Styles stand in the elements: mail programs drop the others.
var letter = template.Must(template.New("letter").Funcs(template.FuncMap{
	"words": func(r Reason) string { return r.Words() },
	"one":   func(v float64) string { return plain(v, 1) },
	"why":   reasonWords,
}).Parse(`<!doctype html>
<html lang="en"><body style="margin:0;background:#ffffff;color:#1c2026;font:14px/1.45 -apple-system,Segoe UI,Helvetica,Arial,sans-serif">
<div style="max-width:640px;margin:0 auto;padding:20px 16px">
<div style="color:#6e7680">Daily report</div>
<h1 style="font-size:22px;margin:0">{{.Title}}</h1>
<div style="margin-bottom:12px">{{.R.Day}} <span style="color:#6e7680">{{.R.Zone}}</span></div>
{{range .Remarks}}<div style="background:#fdf3e0;border-left:4px solid #e69f00;padding:6px 10px;margin:4px 0">{{.}}</div>{{end}}
<table role="presentation" style="width:100%;border-collapse:collapse;margin:12px 0">{{range .Figures}}
<tr><td style="padding:4px 8px 4px 0;color:#6e7680;white-space:nowrap">{{.Name}}</td><td style="padding:4px 8px;text-align:right;font-weight:600;white-space:nowrap">{{.Value}} <span style="font-weight:400;color:#6e7680">{{.Unit}}</span></td><td style="padding:4px 0 4px 8px;color:#6e7680">{{.Note}}</td></tr>{{end}}
</table>
{{if .R.Losses}}<h2 style="font-size:16px;margin:18px 0 4px">What was lost, and why</h2>
<table style="width:100%;border-collapse:collapse"><tr style="color:#6e7680;text-align:left"><th style="font-weight:400">Reason</th><th style="font-weight:400;text-align:right">TH-days</th><th style="font-weight:400;text-align:right">Machines</th></tr>{{range .R.Losses}}
<tr><td style="padding:3px 0;border-top:1px solid #eceff2">{{words .Reason}}</td><td style="text-align:right;border-top:1px solid #eceff2">{{one .Lost}}</td><td style="text-align:right;border-top:1px solid #eceff2">{{.Machines}}</td></tr>{{end}}
</table>{{end}}
{{if .Worst}}<h2 style="font-size:16px;margin:18px 0 4px">Machines that lost most</h2>
<table style="width:100%;border-collapse:collapse"><tr style="color:#6e7680;text-align:left"><th style="font-weight:400">Machine</th><th style="font-weight:400">Place</th><th style="font-weight:400;text-align:right">TH-days</th><th style="font-weight:400;padding-left:12px">Why</th></tr>{{range .Worst}}
<tr><td style="padding:3px 8px 3px 0;border-top:1px solid #eceff2">{{.Name}} <span style="color:#6e7680">{{.Model}}</span></td><td style="border-top:1px solid #eceff2">{{.Place}}</td><td style="text-align:right;border-top:1px solid #eceff2">{{one .Lost}}</td><td style="padding-left:12px;border-top:1px solid #eceff2">{{why .Why}}</td></tr>{{end}}
</table>{{end}}
<p style="margin:20px 0 0"><a href="{{.Link}}" style="color:#0072b2">The whole report in Ballast</a></p>
</div></body></html>
`))
