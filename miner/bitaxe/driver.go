package bitaxe

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/miner/internal/web"
)

// Port is where AxeOS listens.
const Port = 80

const (
	replyInfo = "info"
	replyASIC = "asic"
)

// Driver is the ESP-Miner family.
type Driver struct {
	client web.Client
	now    func() time.Time
}

var (
	_ miner.Driver = (*Driver)(nil)
	_ miner.Hinter = (*Driver)(nil)
)

// New makes the driver.
func New() miner.Driver { return &Driver{now: time.Now} }

// Firmware is miner.Bitaxe.
func (*Driver) Firmware() miner.Firmware { return miner.Bitaxe }

// Hint knows the dashboard by its title.
func (*Driver) Hint(port uint16, reply []byte) bool {
	return port == Port && (bytes.Contains(reply, []byte("AxeOS")) || bytes.Contains(reply, []byte("NerdAxe")) || bytes.Contains(reply, []byte("NerdQAxe")))
}

// Open makes a device without any traffic.
func (d *Driver) Open(t miner.Target) miner.Device {
	return &Device{driver: d, target: t}
}

// Parse reads any subset of the replies that the package comment lists. It
// fails only when nothing in them could be read.
func (d *Driver) Parse(replies miner.Replies) (miner.Reading, error) {
	var p parts
	for name, raw := range replies {
		p.take(name, raw)
	}
	r := p.reading()
	if p.info == nil && p.asic == nil {
		return r, fmt.Errorf("reading %d replies of a Bitaxe: %w", len(replies), miner.ErrGarbage)
	}
	return r, nil
}

// parts are the two replies, read as far as they are there.
type parts struct {
	info     *info
	asic     *asic
	warnings [2][]miner.Warning
}

// take reads one reply into its part; content says which it is.
func (p *parts) take(name string, raw []byte) {
	var warnings []miner.Warning
	warn := func(kind miner.WarningKind, where, detail string) {
		var r miner.Reading
		r.Warn(kind, where, detail)
		warnings = append(warnings, r.Warnings...)
	}
	known := knownName(name)
	reply, ok := cgminer.Read(orElse(known, name), raw, warn)
	if ok {
		root := reply.JSON()
		if told := recognise(root); told != "" {
			known = told
		}
		o := cgminer.NewObject(known, root)
		switch {
		case o.Empty():
			known = ""
		case known == replyInfo:
			p.info = readInfo(o, warn)
		case known == replyASIC:
			p.asic = readASIC(o)
		}
		if known == "" {
			warn(miner.WarnUnknown, name, cgminer.Excerpt(raw))
		}
	}
	slot := 0
	if known == replyASIC {
		slot = 1
	}
	p.warnings[slot] = append(p.warnings[slot], warnings...)
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func knownName(name string) string {
	name = strings.ToLower(strings.Trim(name, "/"))
	name = strings.TrimSuffix(name, path.Ext(name))
	name = strings.NewReplacer("/", "_", "-", "_").Replace(name)
	switch strings.TrimPrefix(strings.TrimPrefix(name, "web_"), "api_") {
	case "info", "system_info", "systeminfo":
		return replyInfo
	case "asic", "system_asic", "asic_info":
		return replyASIC
	}
	return ""
}

// recognise says which reply this is, "" when nothing in it does.
func recognise(root gjson.Result) string {
	has := func(keys ...string) bool {
		for _, k := range keys {
			if root.Get(k).Exists() {
				return true
			}
		}
		return false
	}
	switch {
	case has("frequencyOptions", "voltageOptions"):
		return replyASIC
	case has("hashRate", "coreVoltage", "sharesAccepted", "stratumURL") && has("ASICModel", "uptimeSeconds", "macAddr", "coreVoltageActual", "hashRate"):
		return replyInfo
	}
	return ""
}
