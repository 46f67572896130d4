package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"golang.org/x/term"

	"ballast/server"
	"ballast/unit"
)

type topCmd struct {
	Sort string `default:"condition" enum:"condition,hashrate,power,temperature,efficiency,name" help:"Order at start: ${enum}."`
	Once bool   `help:"Print one picture and stop. Also when the output is no terminal."`
}

func (c *topCmd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := common.client()
	if err != nil {
		return err
	}
	f, ok := s.file()
	if common.JSON || c.Once || !ok || !term.IsTerminal(int(f.Fd())) {
		var site server.Site
		if err := cl.call(ctx, http.MethodGet, "/api/v1/site", nil, &site); err != nil {
			return err
		}
		if common.JSON {
			return s.json(site)
		}
		var list listReply
		if err := cl.call(ctx, http.MethodGet, "/api/v1/machines?limit=10000", nil, &list); err != nil {
			return err
		}
		m := topModel{sort: c.Sort, site: site, rows: map[int64]server.Row{}, width: 110, height: 40}
		for _, r := range list.Machines {
			m.rows[r.ID] = r
		}
		_, err := fmt.Fprintln(s.out, m.text())
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := tea.NewProgram(topModel{sort: c.Sort, rows: map[int64]server.Row{}}, tea.WithContext(ctx))
	go func() {
		for ctx.Err() == nil {
			err := cl.stream(ctx, func(event string, data []byte) {
				switch event {
				case "site":
					var v server.Site
					if json.Unmarshal(data, &v) == nil {
						p.Send(v)
					}
				case "machines":
					var v server.MachinesEvent
					if json.Unmarshal(data, &v) == nil {
						p.Send(v)
					}
				}
			})
			p.Send(lost{err})
			select {
			case <-ctx.Done():
			case <-time.After(2 * time.Second):
			}
		}
	}()
	_, err = p.Run()
	return err
}

type lost struct{ err error }

type topModel struct {
	site          server.Site
	rows          map[int64]server.Row
	sort          string
	lost          error
	offset        int
	width, height int
}

func (m topModel) Init() tea.Cmd { return nil }

var sorts = []string{"condition", "hashrate", "power", "temperature", "efficiency", "name"}

func (m topModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch v := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = v.Width, v.Height
	case server.Site:
		m.site, m.lost = v, nil
	case server.MachinesEvent:
		if v.All {
			m.rows = make(map[int64]server.Row, len(v.Rows))
		}
		for _, r := range v.Rows {
			m.rows[r.ID] = r
		}
		for _, id := range v.Gone {
			delete(m.rows, id)
		}
	case lost:
		m.lost = v.err
	case tea.KeyPressMsg:
		page := max(m.height-8, 1)
		switch v.String() {
		case "q", "ctrl+c", "esc":
			return m, tea.Quit
		case "s":
			m.sort = sorts[(slices.Index(sorts, m.sort)+1)%len(sorts)]
		case "down", "j":
			m.offset++
		case "up", "k":
			m.offset--
		case "pgdown", "space":
			m.offset += page
		case "pgup":
			m.offset -= page
		case "home", "g":
			m.offset = 0
		}
		m.offset = min(max(m.offset, 0), max(len(m.rows)-page, 0))
	}
	return m, nil
}

func (m topModel) View() tea.View {
	v := tea.NewView(m.text())
	v.AltScreen = true
	return v
}

// Colours of conditions; the word stands beside each, so none carries meaning
// alone.
var condStyle = map[string]lipgloss.Style{
	"hashing": lipgloss.NewStyle().Foreground(lipgloss.Color("2")), "degraded": lipgloss.NewStyle().Foreground(lipgloss.Color("3")),
	"starting": lipgloss.NewStyle().Foreground(lipgloss.Color("6")), "sleeping": lipgloss.NewStyle().Foreground(lipgloss.Color("4")),
	"down": lipgloss.NewStyle().Foreground(lipgloss.Color("1")).Bold(true), "silent": lipgloss.NewStyle().Foreground(lipgloss.Color("5")),
}

func (m topModel) text() string {
	var b strings.Builder
	st := m.site
	if st.Now.IsZero() {
		if m.lost != nil {
			return "waiting for the server: " + m.lost.Error() + "\n"
		}
		return "waiting for the first picture…\n"
	}
	sim := ""
	if st.Simulated {
		sim = "  SIMULATED"
	}
	fmt.Fprintf(&b, "%s%s  %s", st.Name, sim, st.Now.Local().Format(time.DateTime))
	if m.lost != nil {
		b.WriteString("  — the server does not answer; this picture is old")
	}
	fmt.Fprintf(&b, "\n%.4g PH/s of %.4g expected   %s   %s J/TH   hottest %s °C\n", st.Hashrate/1e3, st.Nominal/1e3, unit.Power(float64(int(st.Power/100)*100)), num(st.Efficiency, 1), num(st.HottestC, 0))
	fmt.Fprintf(&b, "%d machines:", st.Machines)
	for _, c := range []string{"hashing", "degraded", "starting", "sleeping", "down", "silent", "locked", "unknown"} {
		if n := st.Conditions[c]; n > 0 {
			fmt.Fprintf(&b, "  %s", condStyle[c].Render(fmt.Sprintf("%d %s", n, c)))
		}
	}
	fmt.Fprintf(&b, "\n\n%6s  %-22s %-15s %-22s %-10s %-9s %8s %6s %6s %5s\n", "ID", "NAME", "ADDRESS", "MODEL", "FIRMWARE", "CONDITION", "TH/s", "W", "J/TH", "°C")
	rows := make([]server.Row, 0, len(m.rows))
	for _, r := range m.rows {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, topOrder(m.sort))
	shown := rows[min(m.offset, len(rows)):]
	shown = shown[:min(len(shown), max(m.height-7, 1))]
	for _, r := range shown {
		fmt.Fprintf(&b, "%6d  %-22.22s %-15s %-22.22s %-10s %s %8s %6s %6s %5s\n", r.ID, r.Name, r.Addr, r.Model, r.Firmware,
			condStyle[r.Condition].Render(fmt.Sprintf("%-9s", r.Condition)), num(r.Hashrate, 1), num(r.Power, 0), num(r.Efficiency, 1), num(r.Temperature, 0))
	}
	fmt.Fprintf(&b, "\n%d of %d by %s   s order   ↑↓ move   q leave", len(shown), len(rows), m.sort)
	return b.String()
}

// topOrder puts what needs a person first.
func topOrder(by string) func(a, b server.Row) int {
	rank := map[string]int{"down": 0, "locked": 1, "degraded": 2, "unknown": 3, "silent": 4, "starting": 5, "sleeping": 6, "hashing": 7}
	value := func(r server.Row) float64 {
		pick := map[string]*float64{"hashrate": r.Hashrate, "power": r.Power, "temperature": r.Temperature, "efficiency": r.Efficiency}[by]
		if pick == nil {
			return -1
		}
		return *pick
	}
	return func(a, b server.Row) int {
		switch by {
		case "condition":
			if d := rank[a.Condition] - rank[b.Condition]; d != 0 {
				return d
			}
		case "name":
			if d := strings.Compare(a.Name, b.Name); d != 0 {
				return d
			}
		default:
			if x, y := value(a), value(b); x != y {
				if x > y {
					return -1
				}
				return 1
			}
		}
		return int(a.ID - b.ID)
	}
}
