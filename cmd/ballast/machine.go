package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"ballast/ledger"
	"ballast/miner"
	"ballast/miner/all"
	"ballast/server"
	"ballast/unit"
)

type machineCmd struct {
	List machineList `cmd:"" help:"List the machines of the running site."`
	Get  machineGet  `cmd:"" help:"Show one machine of the running site: all it tells, what it can be set to, its last commands."`
	Set  machineSet  `cmd:"" help:"Command machines of the running site and wait until telemetry shows it."`
	Read machineRead `cmd:"" help:"Read one machine directly by its address, or a saved reply; needs no running site."`
}

type machineList struct {
	Condition string `help:"Only machines in this condition: hashing, degraded, starting, sleeping, down, silent, locked, unknown."`
	Search    string `help:"Part of name, address, model, MAC or serial."`
	Sort      string `default:"id" enum:"id,name,hashrate,power,efficiency,temperature,since" help:"Order: ${enum}."`
	Limit     int    `default:"10000" help:"At most so many."`
}

type listReply struct {
	Total    int          `json:"total"`
	Machines []server.Row `json:"machines"`
}

func (c *machineList) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := common.client()
	if err != nil {
		return err
	}
	q := query("condition", c.Condition, "search", c.Search, "sort", c.Sort, "limit", strconv.Itoa(c.Limit))
	var got listReply
	if err := cl.call(ctx, http.MethodGet, "/api/v1/machines?"+q, nil, &got); err != nil {
		return err
	}
	if common.JSON {
		return s.json(got)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tADDRESS\tMODEL\tFIRMWARE\tCONDITION\tTH/s\tW\tJ/TH\t°C")
	for _, r := range got.Machines {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Name, r.Addr, r.Model, r.Firmware, r.Condition, num(r.Hashrate, 1), num(r.Power, 0), num(r.Efficiency, 1), num(r.Temperature, 0))
	}
	return w.Flush()
}

// num prints a number or a dash for a missing one.
func num(v *float64, places int) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'f', places, 64)
}

// client finds the running server.
func (c *common) client() (*client, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	return connect(cfg.Data)
}

type machineGet struct {
	Machine string `arg:"" help:"Number, address, MAC, serial or name."`
}

func (c *machineGet) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := common.client()
	if err != nil {
		return err
	}
	id, err := cl.find(ctx, c.Machine)
	if err != nil {
		return err
	}
	var m server.Machine
	if err := cl.call(ctx, http.MethodGet, "/api/v1/machines/"+id, nil, &m); err != nil {
		return err
	}
	if common.JSON {
		return s.json(m)
	}
	fmt.Fprintf(s.out, "%d  %s  %s  %s\n%s since %s", m.ID, m.Name, m.Addr, m.Place, m.Condition, time.Unix(m.Since, 0).Format(time.DateTime))
	if m.Trouble != "" {
		fmt.Fprintf(s.out, ": %s", m.Trouble)
	}
	fmt.Fprintln(s.out)
	if m.Reading != nil {
		printReading(s, *m.Reading)
	}
	if m.Envelope != nil {
		printEnvelope(s, *m.Envelope)
	}
	for _, cmd := range m.Commands {
		fmt.Fprintf(s.out, "command  %s  %s  %s  by %s  %s\n", cmd.CreatedAt.Local().Format(time.DateTime), cmd.Kind, cmd.State, cmd.Actor, cmd.Detail)
	}
	return nil
}

// find turns what a person calls a machine into its number.
func (c *client) find(ctx context.Context, text string) (string, error) {
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		return text, nil
	}
	var got listReply
	if err := c.call(ctx, http.MethodGet, "/api/v1/machines?"+query("search", text, "limit", "3"), nil, &got); err != nil {
		return "", err
	}
	for _, m := range got.Machines {
		if m.Addr == text || strings.EqualFold(m.Name, text) {
			return strconv.FormatInt(m.ID, 10), nil
		}
	}
	switch got.Total {
	case 0:
		return "", fmt.Errorf("%w: no machine fits %q; `ballast machine list` shows all", errUsage, text)
	case 1:
		return strconv.FormatInt(got.Machines[0].ID, 10), nil
	}
	return "", fmt.Errorf("%w: %d machines fit %q; say its number", errUsage, got.Total, text)
}

type machineSet struct {
	Setting  string        `arg:"" help:"What to set: sleep, wake, reboot, restart, locate=on|off, power=3.2kW, mode=low|normal|high, profile=NAME, pools=URL,USER[,PASSWORD][;URL,USER...]."`
	Machines []string      `arg:"" help:"Numbers, addresses, MACs, serials or names."`
	Reason   string        `help:"Why; kept in the record." default:"command line"`
	Deadline time.Duration `help:"Until when it must be confirmed. Default: the configuration's."`
	Preview  bool          `help:"Only say what would happen."`
	NoWait   bool          `help:"Do not wait for the confirmation."`
	Key      string        `help:"Idempotency key: the same key and wish are carried out once, however often they are given."`
}

type commandReply struct {
	Commands []ledger.Command `json:"commands"`
	Takes    int              `json:"takes"`
	Refused  []server.Refusal `json:"refused"`
	PowerW   float64          `json:"power_w"`
}

func (c *machineSet) Run(ctx context.Context, common *common, s *streams) error {
	wish, err := parseSetting(c.Setting)
	if err != nil {
		return err
	}
	cl, err := common.client()
	if err != nil {
		return err
	}
	var ids []int64
	for _, m := range c.Machines {
		id, err := cl.find(ctx, m)
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return err
		}
		ids = append(ids, n)
	}
	var got commandReply
	body := map[string]any{"machines": ids, "setting": wish, "reason": c.Reason, "preview": c.Preview, "deadline_s": int(c.Deadline / time.Second)}
	if err := cl.callKeyed(ctx, "/api/v1/commands", c.Key, body, &got); err != nil {
		return err
	}
	for _, r := range got.Refused {
		fmt.Fprintf(s.err, "machine %d cannot: %s\n", r.Machine, r.Why)
	}
	if c.Preview || c.NoWait {
		if common.JSON {
			return s.json(got)
		}
		fmt.Fprintf(s.out, "%d machines can take it; they draw %s now\n", got.Takes, unit.Power(got.PowerW))
		return nil
	}
	final, err := cl.await(ctx, got.Commands, func(cmd ledger.Command) {
		if !common.JSON {
			fmt.Fprintf(s.out, "machine %d: %s  %s\n", cmd.Machine, cmd.State, cmd.Detail)
		}
	})
	if err != nil {
		return err
	}
	if common.JSON {
		if err := s.json(final); err != nil {
			return err
		}
	}
	for _, cmd := range final {
		if cmd.State != ledger.Confirmed {
			return fmt.Errorf("machine %d: %s is %s: %s", cmd.Machine, cmd.Kind, cmd.State, cmd.Detail)
		}
	}
	return nil
}

// await follows commands until each has come to an end.
func (c *client) await(ctx context.Context, cmds []ledger.Command, changed func(ledger.Command)) ([]ledger.Command, error) {
	shown := make([]ledger.CommandState, len(cmds))
	for {
		open := false
		for i, cmd := range cmds {
			if cmd.State.Open() {
				var life struct {
					Command ledger.Command `json:"command"`
				}
				if err := c.call(ctx, http.MethodGet, "/api/v1/commands/"+cmd.ID, nil, &life); err != nil {
					return cmds, err
				}
				cmds[i] = life.Command
			}
			if cmds[i].State != shown[i] {
				shown[i] = cmds[i].State
				changed(cmds[i])
			}
			open = open || cmds[i].State.Open()
		}
		if !open {
			return cmds, nil
		}
		select {
		case <-ctx.Done():
			return cmds, fmt.Errorf("stopped waiting; the command goes on: %w", ctx.Err())
		case <-time.After(time.Second):
		}
	}
}

// parseSetting reads "power=3.2kW" into the API's form.
func parseSetting(text string) (map[string]any, error) {
	kind, value, has := strings.Cut(text, "=")
	wish := map[string]any{"kind": kind}
	wrong := func(want string) error {
		return fmt.Errorf("%w: setting %q: want %s", errUsage, text, want)
	}
	switch miner.Kind(kind) {
	case miner.SetSleep, miner.SetWake, miner.SetReboot, miner.SetRestart:
		if has {
			return nil, wrong(kind + " without a value")
		}
	case miner.SetPower:
		p, err := unit.ParsePower(value)
		if err != nil {
			return nil, wrong("power=3.2kW")
		}
		wish["power_w"] = float64(p)
	case miner.SetMode:
		if value != miner.ModeLow && value != miner.ModeNormal && value != miner.ModeHigh {
			return nil, wrong("mode=low, mode=normal or mode=high")
		}
		wish["mode"] = value
	case miner.SetProfile:
		if value == "" {
			return nil, wrong("profile=NAME; `ballast machine get` lists them")
		}
		wish["profile"] = value
	case miner.SetLocate:
		if value != "on" && value != "off" {
			return nil, wrong("locate=on or locate=off")
		}
		wish["on"] = value == "on"
	case miner.SetPools:
		var pools []map[string]string
		for entry := range strings.SplitSeq(value, ";") {
			part := strings.Split(entry, ",")
			if len(part) < 2 || len(part) > 3 || part[0] == "" {
				return nil, wrong("pools=stratum+tcp://pool:3333,worker,x;stratum+tcp://backup:3333,worker,x")
			}
			p := map[string]string{"url": part[0], "user": part[1]}
			if len(part) == 3 {
				p["password"] = part[2]
			}
			pools = append(pools, p)
		}
		wish["pools"] = pools
	default:
		return nil, wrong("one of sleep, wake, reboot, restart, locate=, power=, mode=, profile=, pools=")
	}
	return wish, nil
}

type machineRead struct {
	Address  string         `arg:"" optional:"" help:"Address of the machine."`
	Firmware miner.Firmware `help:"Its firmware: antminer, whatsminer, avalon, braiins, luxos, vnish, epic, bitaxe, cgminer. Found out when left out."`
	From     string         `placeholder:"FILE" help:"Read a saved reply (or a folder of replies, one file each) instead of a machine." type:"path"`
	Timeout  time.Duration  `default:"15s" help:"How long it may take."`
	Port     []string       `placeholder:"80=8080" help:"Use another port for a well-known one. May be repeated."`
	Envelope bool           `help:"Ask what it can be set to as well."`
}

func (c *machineRead) Run(ctx context.Context, common *common, s *streams) error {
	var r miner.Reading
	var err error
	switch {
	case c.From != "" && c.Address != "":
		return fmt.Errorf("%w: give an address or --from, not both", errUsage)
	case c.From != "":
		r, err = c.saved()
	case c.Address == "":
		return fmt.Errorf("%w: give the machine's address, or a saved reply with --from FILE --firmware NAME", errUsage)
	default:
		r, err = c.live(ctx, common)
	}
	if err != nil {
		return err
	}
	if common.JSON {
		return s.json(r)
	}
	printReading(s, r)
	if r.Envelope != nil {
		printEnvelope(s, *r.Envelope)
	}
	return nil
}

func (c *machineRead) saved() (miner.Reading, error) {
	if c.Firmware == "" {
		return miner.Reading{}, fmt.Errorf("%w: a saved reply needs --firmware, one of %s", errUsage, firmwareNames())
	}
	d, ok := all.ByName(c.Firmware)
	if !ok {
		return miner.Reading{}, fmt.Errorf("%w: no driver %q; there are %s", errUsage, c.Firmware, firmwareNames())
	}
	replies, err := savedReplies(c.From)
	if err != nil {
		return miner.Reading{}, err
	}
	r, err := d.Parse(replies)
	if err != nil {
		return r, fmt.Errorf("%s as %s: %w", c.From, c.Firmware, err)
	}
	return r, nil
}

// savedReplies reads one file, or every file of a folder, named as the driver
// names its replies.
func savedReplies(path string) (miner.Replies, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the saved reply: %w", err)
	}
	files := []string{path}
	if info.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, fmt.Errorf("reading the saved replies: %w", err)
		}
		files = nil
		for _, e := range entries {
			if e.Type().IsRegular() {
				files = append(files, filepath.Join(path, e.Name()))
			}
		}
	}
	out := miner.Replies{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("reading the saved reply: %w", err)
		}
		out[strings.TrimSuffix(filepath.Base(f), filepath.Ext(f))] = b
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: %s holds no file", errUsage, path)
	}
	return out, nil
}

func firmwareNames() string {
	var names []string
	for _, d := range all.Drivers() {
		names = append(names, string(d.Firmware()))
	}
	return strings.Join(names, ", ")
}

func (c *machineRead) live(ctx context.Context, common *common) (miner.Reading, error) {
	var r miner.Reading
	cfg, err := common.config()
	if err != nil {
		return r, err
	}
	ports, err := reach(cfg, c.Port)
	if err != nil {
		return r, err
	}
	addr, port, err := parseAddr(c.Address)
	if err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	if port != 0 { // one port for all that this firmware may want
		for _, well := range []uint16{4028, 80, 4433, 50051} {
			ports.Ports[well] = port
		}
	}
	fw := c.Firmware
	if fw == "" {
		id, err := ports.Recognise(ctx, addr, nil)
		if err != nil && (!errors.Is(err, miner.ErrDenied) || id.Firmware == "") {
			return r, fmt.Errorf("finding out who is at %v: %w", addr, err)
		}
		fw = id.Firmware
	}
	d, ok := all.ByName(fw)
	if !ok {
		return r, fmt.Errorf("%w: no driver %q; there are %s", errUsage, fw, firmwareNames())
	}
	dev := d.Open(miner.Target{Addr: addr, Ports: ports.Ports, Credentials: ports.Keys.Credentials(addr, fw)})
	defer dev.Close()
	r, err = dev.Read(ctx)
	if err != nil {
		return r, fmt.Errorf("reading %v as %s: %w", addr, fw, err)
	}
	r.Identity.Addr = addr
	if c.Envelope && r.Envelope == nil {
		e, err := dev.Envelope(ctx)
		if err != nil {
			return r, fmt.Errorf("asking what %v can be set to: %w", addr, err)
		}
		r.Envelope = &e
	}
	return r, nil
}
