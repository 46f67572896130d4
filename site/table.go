package site

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ballast/miner"
)

// A table is the other way to write down which machine stands where: one line a
// machine, in CSV. Ballast writes one (WriteTable), reads it back, reads those
// that people keep in spreadsheets, and reads what Foreman exports.

// Import is what a table would make of a site.
type Import struct {
	Site     *Site             `json:"-"`        // nil when there are problems
	Lines    int               `json:"lines"`    // that name a machine and a slot
	Skipped  int               `json:"skipped"`  // machines without a place
	Columns  map[string]string `json:"columns"`  // what was read, and from which column of the table
	Added    []string          `json:"added"`    // buildings, containers and racks that were not there
	Changes  []ImportChange    `json:"changes"`  // at most mostChanges
	Placed   int               `json:"placed"`   // into a slot that was nobody's
	Moved    int               `json:"moved"`    // from one slot to another
	Replaced int               `json:"replaced"` // into a slot that was another's
	Same     int               `json:"same"`
	Notes    []string          `json:"notes"`    // what was assumed
	Problems []Problem         `json:"problems"` // with the line of the table
}

// ImportChange is one machine's.
type ImportChange struct {
	Machine string `json:"machine"`
	From    string `json:"from,omitempty"`
	To      string `json:"to"`
	Instead string `json:"instead,omitempty"` // of whom
}

const mostChanges = 300

// ImportOptions say how to read what a table does not say itself.
type ImportOptions struct {
	// Base is what rows and columns count from: 0, 1, or -1 to find out (0 when a
	// 0 occurs). Slots always count from 1.
	Base int
	// FromTop says that row numbers count from the top, as Foreman's site map
	// does, and not from the floor.
	FromTop bool
	// Container is for lines that name none.
	Container string
}

// headers are the names that columns go by, in Ballast's own tables, in
// spreadsheets, in Foreman's export of miners (miner_mac, miner_rack_group, ...)
// and in the file of its bulk configuration (mac, static_ip, rack, row, index).
// Compared in lower case, with everything but letters and digits left out.
var headers = map[string][]string{
	"mac":       {"mac", "minermac", "macaddress", "macaddr", "hwaddr", "ethernet"},
	"ip":        {"ip", "minerip", "ipaddress", "ipaddr", "address", "addr", "staticip", "host"},
	"serial":    {"serial", "minerserial", "serialnumber", "serialno", "sn"},
	"building":  {"building", "hall"},
	"container": {"container", "minerrackgroup", "rackgroup", "groupname", "pod", "can"},
	"rack":      {"rack", "minerrack", "rackname", "shelf", "tank"},
	"row":       {"row", "minerrow", "level"},
	"index":     {"index", "minerindex", "idx", "column", "col", "position"},
	"slot":      {"slot", "slotnumber", "place"},
	"location":  {"location", "minerlocation", "sitemap"},
}

// line is one machine of a table.
type tableLine struct {
	line                      int
	addr                      netip.Addr
	mac, serial               string
	building, container, rack string
	row, index, slot          int
	grid                      bool // placed by row and index
}

func (l tableLine) name() string {
	switch {
	case l.mac != "":
		return l.mac
	case l.serial != "":
		return l.serial
	}
	return l.addr.String()
}

// ImportTable reads a table into a copy of base. A table with any problem gives
// no site: all problems are told, each with its line.
func ImportTable(base *Site, text []byte, o ImportOptions) Import {
	im := Import{Columns: map[string]string{}, Added: []string{}, Changes: []ImportChange{}, Notes: []string{}, Problems: []Problem{}}
	lines := im.read(text, o)
	if len(im.Problems) == 0 && len(lines) == 0 {
		im.bad(1, "", "no line names a machine and where it stands")
	}
	if len(im.Problems) > 0 {
		return im
	}
	s, err := base.copied()
	if err != nil {
		im.bad(0, "", "%v", err)
		return im
	}
	before := placesBy(s)
	im.place(s, lines, o)
	if len(im.Problems) == 0 {
		if err := s.Check(); err != nil {
			im.Problems = append(im.Problems, Problems(err)...)
			if len(im.Problems) == 0 {
				im.bad(0, "", "%v", err)
			}
		}
	}
	if len(im.Problems) > 0 {
		return im
	}
	im.Site, im.Lines = s, len(lines)
	im.compare(before, s, lines)
	return im
}

func (im *Import) bad(line int, at, format string, args ...any) {
	im.Problems = append(im.Problems, Problem{At: at, What: fmt.Sprintf(format, args...), Line: line})
}

func (s *Site) copied() (*Site, error) {
	text, err := s.YAML()
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// plainName is a column's name with everything but letters and digits left out.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}

// read takes the table apart and tells what is wrong line by line.
func (im *Import) read(text []byte, o ImportOptions) []tableLine {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.TrimLeadingSpace = separator(text), -1, true
	head, err := r.Read()
	if err != nil {
		im.bad(1, "", "no table: %v", err)
		return nil
	}
	column := map[string]int{}
	for what, names := range headers {
		for _, name := range names { // the first name that there is, in the order of the list
			if i := slices.IndexFunc(head, func(h string) bool { return plainName(h) == name }); i >= 0 {
				column[what] = i
				im.Columns[what] = strings.TrimSpace(head[i])
				break
			}
		}
	}
	has := func(what string) bool { _, ok := column[what]; return ok }
	if !has("mac") && !has("ip") && !has("serial") {
		im.bad(1, "", "no column says which machine: want one of mac, ip, serial; there are %s", strings.Join(head, ", "))
	}
	if !has("location") && !(has("rack") && (has("slot") || has("index"))) && !has("slot") {
		im.bad(1, "", "no columns say where: want rack and slot, or rack, row and index; there are %s", strings.Join(head, ", "))
	}
	if len(im.Problems) > 0 {
		return nil
	}
	var out []tableLine
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			at := 0
			if pe, ok := errors.AsType[*csv.ParseError](err); ok {
				at, err = pe.Line, pe.Err
			}
			im.bad(at, "", "%v", err)
			if len(im.Problems) > 200 {
				break
			}
			continue
		}
		at, _ := r.FieldPos(0)
		get := func(what string) string {
			i, ok := column[what]
			if !ok || i >= len(cells) {
				return ""
			}
			return strings.TrimSpace(cells[i])
		}
		if strings.Join(cells, "") == "" {
			continue
		}
		if len(cells) < len(head) && len(cells) < 1+slices.Max(slices.Collect(maps.Values(column))) {
			im.bad(at, "", "%d fields where the head has %d: the line ends early", len(cells), len(head))
			continue
		}
		if l, ok := im.line(at, get, o); ok {
			out = append(out, l)
		}
	}
	im.base(out, o)
	return out
}

// separator is the character that the head uses most.
func separator(text []byte) rune {
	head, _, _ := bytes.Cut(text, []byte("\n"))
	best, n := ',', bytes.Count(head, []byte(","))
	for _, c := range []rune{';', '\t'} {
		if k := bytes.Count(head, []byte(string(c))); k > n {
			best, n = c, k
		}
	}
	return best
}

// inContainer finds a container before a rack's number: "C001-R05", "MB08 R5".
var inContainer = regexp.MustCompile(`^(.*[^\s_/-])[\s_/-]+([Rr](?:ack)?\s?\d+)$`)

func (im *Import) line(at int, get func(string) string, o ImportOptions) (l tableLine, ok bool) {
	l = tableLine{line: at, serial: get("serial"), building: get("building"), container: get("container"), rack: get("rack")}
	problems := len(im.Problems)
	if text := get("ip"); text != "" {
		a, err := netip.ParseAddr(text)
		if err != nil {
			im.bad(at, "ip", "%q is no address", text)
		}
		l.addr = a.Unmap()
	}
	if text := get("mac"); text != "" {
		if l.mac = miner.NormalMAC(text); l.mac == "" {
			im.bad(at, "mac", "%q is no MAC address", text)
		}
	}
	where := get("slot")
	if where == "" || strings.Contains(where, "/") {
		if path := strings.Split(cmpOr(get("location"), where), "/"); len(path) >= 2 && l.rack == "" {
			n := len(path)
			l.rack, where = strings.TrimSpace(path[n-2]), strings.TrimSpace(path[n-1])
			if n > 2 {
				l.container = strings.TrimSpace(path[n-3])
			}
			if n > 3 {
				l.building = strings.TrimSpace(path[n-4])
			}
		}
	}
	if l.rack == "" && where == "" && get("index") == "" {
		im.Skipped++ // a machine that the table has nowhere
		return l, false
	}
	number := func(what, text string, to *int) {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > maxSlots {
			im.bad(at, what, "%q: want a whole number", text)
		}
		*to = n
	}
	switch row, index := get("row"), get("index"); {
	case where != "":
		number("slot", where, &l.slot)
		if l.slot == 0 && len(im.Problems) == problems {
			im.bad(at, "slot", "slots count from 1")
		}
	case index != "":
		l.grid = true
		number("index", index, &l.index)
		if row != "" {
			number("row", row, &l.row)
		}
	default:
		im.bad(at, "slot", "it has a rack and no slot")
	}
	if l.rack == "" {
		im.bad(at, "rack", "it has a slot and no rack")
	}
	if l.mac == "" && l.serial == "" && !l.addr.IsValid() && len(im.Problems) == problems {
		im.bad(at, "", "nothing says which machine: mac, ip and serial are empty")
	}
	if l.container == "" && l.building == "" {
		if m := inContainer.FindStringSubmatch(l.rack); m != nil {
			l.container, l.rack = m[1], m[2]
		} else if l.container = o.Container; l.container == "" {
			l.container = "Floor"
		}
	}
	return l, len(im.Problems) == problems
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// base makes rows and indexes count from 1.
func (im *Import) base(lines []tableLine, o ImportOptions) {
	from, any := o.Base, false
	for _, l := range lines {
		any = any || l.grid
	}
	if !any {
		return
	}
	if from < 0 {
		from = 1
		for _, l := range lines {
			if l.grid && (l.row == 0 || l.index == 0) {
				from = 0
			}
		}
		im.Notes = append(im.Notes, fmt.Sprintf("Rows and indexes are taken to count from %d.", from))
	}
	for i := range lines {
		l := &lines[i]
		if !l.grid {
			continue
		}
		l.row, l.index = l.row+1-from, l.index+1-from
		if l.row < 1 {
			l.row = 1
		}
		if l.index < 1 {
			im.bad(l.line, "index", "counts from %d", from)
		}
	}
}

// rackKey names a rack.
type rackKey struct{ building, container, rack string }

func (k rackKey) String() string {
	return strings.Trim(k.building+"/"+k.container+"/"+k.rack, "/")
}

// place writes the lines into s.
func (im *Import) place(s *Site, lines []tableLine, o ImportOptions) {
	by := map[rackKey][]*tableLine{}
	var order []rackKey
	for i := range lines {
		k := rackKey{lines[i].building, lines[i].container, lines[i].rack}
		if len(by[k]) == 0 {
			order = append(order, k)
		}
		by[k] = append(by[k], &lines[i])
	}
	// Who is named is described where the table says and nowhere else.
	named := map[string]int{}
	for i := range lines {
		l := &lines[i]
		for _, id := range []string{l.mac, l.serial, addrName(l.addr)} {
			if first, twice := named[id]; id != "" && twice {
				im.bad(l.line, "", "%s is in line %d already", id, first)
			}
			named[id] = l.line
		}
	}
	delete(named, "")
	if len(im.Problems) > 0 {
		return
	}
	s.eachRack(func(_ rackKey, r *Rack) { r.release(named) })
	for _, k := range order {
		r := s.rackAt(k, &im.Added)
		im.fill(r, k, by[k], o)
	}
}

func addrName(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// fill puts machines into one rack.
func (im *Import) fill(r *Rack, k rackKey, lines []*tableLine, o ImportOptions) {
	columns, rows := r.Columns, 0
	for _, l := range lines {
		if l.grid {
			if r.Slots == 0 {
				columns = max(columns, l.index)
			}
			rows = max(rows, l.row)
		}
	}
	if columns == 0 {
		columns = max(r.Slots, 1)
	}
	if r.Slots > 0 {
		rows = max(rows, (r.Slots+columns-1)/columns)
	}
	taken := map[int]int{}
	for _, l := range lines {
		if l.grid {
			row := l.row
			if o.FromTop {
				row = rows - row + 1
			}
			if l.index > columns {
				im.bad(l.line, "index", "%d: rack %s has %d slots side by side", l.index, k, columns)
				continue
			}
			l.slot = (row-1)*columns + l.index
		}
		if first, twice := taken[l.slot]; twice {
			im.bad(l.line, "slot", "slot %d of %s is taken by line %d", l.slot, k, first)
			continue
		}
		taken[l.slot] = l.line
	}
	most := 0
	for slot := range taken {
		most = max(most, slot)
	}
	if most > maxSlots {
		im.bad(lines[0].line, "slot", "rack %s would have %d slots, and may have %d", k, most, maxSlots)
		return
	}
	if r.Slots == 0 { // a new one
		r.Slots = most
		if lines[0].grid {
			r.Columns, r.Slots = columns, rows*columns
		}
	} else if most > r.Slots {
		im.Notes = append(im.Notes, fmt.Sprintf("Rack %s grows from %d to %d slots.", k, r.Slots, most))
		r.Slots = most
	}
	for _, l := range lines {
		if a, ok := r.Addresses.at(l.slot - 1); ok && a == l.addr && l.mac == "" && l.serial == "" {
			r.Machines = slices.DeleteFunc(r.Machines, func(m Slot) bool { return m.Slot == l.slot })
			continue // the rack's own addresses say it already
		}
		m := Slot{Slot: l.slot, Addr: Addr{l.addr}, MAC: l.mac, Serial: l.serial}
		if i := slices.IndexFunc(r.Machines, func(m Slot) bool { return m.Slot == l.slot }); i >= 0 {
			m.Outlet = r.Machines[i].Outlet
			r.Machines[i] = m
		} else {
			r.Machines = append(r.Machines, m)
		}
	}
	slices.SortFunc(r.Machines, func(a, b Slot) int { return a.Slot - b.Slot })
}

// release takes machines out of a rack, by any of their names. A run of
// addresses that has one of them is written out without it.
func (r *Rack) release(named map[string]int) {
	run := false
	for i := range r.Slots {
		if a, ok := r.Addresses.at(i); ok && named[a.String()] != 0 {
			run = true
			break
		}
	}
	if run {
		has := map[int]bool{}
		for _, m := range r.Machines {
			has[m.Slot] = true
		}
		for i := range r.Slots {
			if a, ok := r.Addresses.at(i); ok && !has[i+1] {
				r.Machines = append(r.Machines, Slot{Slot: i + 1, Addr: Addr{a}})
			}
		}
		r.Addresses = Range{}
	}
	r.Machines = slices.DeleteFunc(r.Machines, func(m Slot) bool {
		if m.Outlet != 0 && m.MAC == "" && m.Serial == "" && !m.Addr.IsValid() {
			return false
		}
		return named[miner.NormalMAC(m.MAC)] != 0 || named[m.Serial] != 0 || named[addrName(m.Addr.Addr)] != 0
	})
	slices.SortFunc(r.Machines, func(a, b Slot) int { return a.Slot - b.Slot })
}

func (s *Site) eachRack(do func(rackKey, *Rack)) {
	racks := func(b, c string, rs []Rack) {
		for i := range rs {
			do(rackKey{b, c, rs[i].Name}, &rs[i])
		}
	}
	for i := range s.Buildings {
		b := &s.Buildings[i]
		racks(b.Name, "", b.Racks)
		for j := range b.Containers {
			racks(b.Name, b.Containers[j].Name, b.Containers[j].Racks)
		}
	}
	for i := range s.Containers {
		racks("", s.Containers[i].Name, s.Containers[i].Racks)
	}
}

// rackAt is the rack that k names; what is not there is added. A container that
// stands in some building is found without the building's name.
func (s *Site) rackAt(k rackKey, added *[]string) *Rack {
	containers := &s.Containers
	var racks *[]Rack
	at := k.container
	if k.building == "" {
		for i := range s.Buildings {
			if slices.ContainsFunc(s.Buildings[i].Containers, func(c Container) bool { return c.Name == k.container }) {
				containers = &s.Buildings[i].Containers
			}
		}
	} else {
		i := slices.IndexFunc(s.Buildings, func(b Building) bool { return b.Name == k.building })
		if i < 0 {
			s.Buildings = append(s.Buildings, Building{Name: k.building})
			*added = append(*added, "building "+k.building)
			i = len(s.Buildings) - 1
		}
		containers, racks = &s.Buildings[i].Containers, &s.Buildings[i].Racks
	}
	if at != "" {
		i := slices.IndexFunc(*containers, func(c Container) bool { return c.Name == at })
		if i < 0 {
			*containers = append(*containers, Container{Name: at})
			*added = append(*added, "container "+at)
			i = len(*containers) - 1
		}
		racks = &(*containers)[i].Racks
	}
	i := slices.IndexFunc(*racks, func(r Rack) bool { return r.Name == k.rack })
	if i < 0 {
		*racks = append(*racks, Rack{Name: k.rack})
		*added = append(*added, "rack "+k.String())
		i = len(*racks) - 1
	}
	return &(*racks)[i]
}

// placesBy lists where everybody is described, by each of their names.
func placesBy(s *Site) map[string]string {
	out := map[string]string{}
	for p := range s.Places() {
		for _, id := range []string{p.MAC, p.Serial, addrName(p.Addr)} {
			if id != "" {
				out[id] = p.String()
			}
		}
	}
	return out
}

// compare says what changes for whom.
func (im *Import) compare(before map[string]string, s *Site, lines []tableLine) {
	who := map[string]string{}
	for id, at := range before {
		if _, ok := who[at]; !ok || strings.Contains(id, ":") {
			who[at] = id
		}
	}
	for _, l := range lines {
		p, _ := s.Find(l.addr, l.mac, l.serial)
		from := cmpOr(before[l.mac], cmpOr(before[l.serial], before[addrName(l.addr)]))
		c := ImportChange{Machine: l.name(), From: from, To: p.String()}
		switch other := who[c.To]; {
		case from == c.To:
			im.Same++
			continue
		case other != "":
			c.Instead = other
			im.Replaced++
		case from != "":
			im.Moved++
		default:
			im.Placed++
		}
		if len(im.Changes) < mostChanges {
			im.Changes = append(im.Changes, c)
		}
	}
}

// WriteTable writes which machine stands where as ImportTable reads it, one line
// for each slot that knows its machine.
func (s *Site) WriteTable(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"building", "container", "rack", "slot", "ip", "mac", "serial"}}
	for p := range s.Places() {
		if p.MAC != "" || p.Serial != "" || p.Addr.IsValid() {
			rows = append(rows, []string{p.Building, p.Container, p.Rack, strconv.Itoa(p.Slot), addrName(p.Addr), p.MAC, p.Serial})
		}
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}
