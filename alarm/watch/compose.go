package watch

import (
	"bytes"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"ballast/alarm"
	"ballast/notify"
)

// compose writes what a receiver is told of an alarm.
func (w *Watch) compose(n alarm.Notice, now time.Time) notify.Message {
	a := n.Alarm
	m := notify.Message{Severity: string(a.Severity), Dedup: "ballast-" + w.dedup(a), State: notify.State(n.Verb), Source: a.Site, At: now,
		Details: map[string]string{"alarm": strconv.FormatInt(a.ID, 10), "cause": a.Cause.String(), "affected": strconv.Itoa(a.Active()), "class": string(a.Class), "site": a.Site}}
	if w.URL != "" {
		m.Link = strings.TrimSuffix(w.URL, "/") + "/alarms/" + strconv.FormatInt(a.ID, 10)
	}
	switch n.Verb {
	case alarm.Trigger:
		m.Subject = fmt.Sprintf("[%s] %s", strings.ToUpper(string(a.Severity)), a.Title)
	case alarm.Acknowledge:
		m.Subject = fmt.Sprintf("[taken on by %s] %s", a.AckedBy, a.Title)
	case alarm.Resolve:
		m.Subject = "[over] " + a.Title
		if a.Phase == alarm.Merged {
			m.Subject = fmt.Sprintf("[part of alarm %d] %s", a.Into, a.Title)
		}
	}
	p := letterOf(a, n, now)
	m.Text = p.text()
	m.HTML = p.html(m.Subject, m.Link)
	return m
}

// dedup names an alarm in other people's systems: several Ballasts may report to
// one of them.
func (w *Watch) dedup(a *alarm.Alarm) string {
	return strings.NewReplacer("https://", "", "http://", "", "/", "-", ":", "-").Replace(w.URL) + "-alarm-" + strconv.FormatInt(a.ID, 10)
}

// letter is a message in parts.
type letter struct {
	Facts [][2]string
	Lines []string
	More  int
	Why   string
}

const letterMembers = 12

func letterOf(a *alarm.Alarm, n alarm.Notice, now time.Time) letter {
	var p letter
	fact := func(name, text string) {
		if text != "" {
			p.Facts = append(p.Facts, [2]string{name, text})
		}
	}
	fact("Site", a.Site)
	fact("Since", a.Since.UTC().Format("2006-01-02 15:04 UTC")+" ("+span(now.Sub(a.Since))+")")
	switch n.Verb {
	case alarm.Trigger:
		fact("It means", a.Means)
		fact("Is it safe", a.Safe)
		fact("What to do", a.Press)
		fact("Instruments", a.Hint)
	case alarm.Acknowledge:
		fact("Taken on by", a.AckedBy)
		fact("Note", a.AckNote)
	case alarm.Resolve:
		fact("Over since", a.Ended.UTC().Format("2006-01-02 15:04 UTC"))
		fact("At worst", fmt.Sprintf("%d at once", a.Peak))
	}
	if n.Verb == alarm.Trigger {
		for i := range a.Members {
			x := &a.Members[i]
			if !x.Left.IsZero() {
				continue
			}
			if len(p.Lines) == letterMembers {
				p.More++
				continue
			}
			at := x.Name
			if x.Place != "" && x.Place != x.Name {
				at += " (" + x.Place + ")"
			}
			p.Lines = append(p.Lines, at+": "+x.Detail)
		}
	}
	p.Why = n.Why
	return p
}

func (p letter) text() string {
	var b strings.Builder
	for _, f := range p.Facts {
		fmt.Fprintf(&b, "%s: %s\n", f[0], f[1])
	}
	if len(p.Lines) > 0 {
		b.WriteByte('\n')
	}
	for _, l := range p.Lines {
		b.WriteString("- " + l + "\n")
	}
	if p.More > 0 {
		fmt.Fprintf(&b, "and %d more\n", p.More)
	}
	if p.Why != "" {
		b.WriteString("\nYou are told by " + p.Why + ".\n")
	}
	return strings.TrimSpace(b.String())
}

var page = template.Must(template.New("letter").Parse(`<!doctype html><html><body style="font-family:sans-serif;font-size:15px;line-height:1.45">
<h2 style="font-size:18px;margin:0 0 12px">{{.Subject}}</h2>
<table cellpadding="3" style="border-collapse:collapse">{{range .P.Facts}}<tr><td style="color:#666;vertical-align:top;white-space:nowrap">{{index . 0}}</td><td>{{index . 1}}</td></tr>{{end}}</table>
{{if .P.Lines}}<ul>{{range .P.Lines}}<li>{{.}}</li>{{end}}{{if .P.More}}<li>and {{.P.More}} more</li>{{end}}</ul>{{end}}
{{if .Link}}<p><a href="{{.Link}}">Open in Ballast</a></p>{{end}}
{{if .P.Why}}<p style="color:#666;font-size:13px">You are told by {{.P.Why}}.</p>{{end}}
</body></html>`))

func (p letter) html(subject, link string) string {
	var b bytes.Buffer
	if err := page.Execute(&b, map[string]any{"Subject": subject, "P": p, "Link": link}); err != nil {
		return ""
	}
	return b.String()
}

// span is a duration as people say it.
func span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}
