package braiins

import (
	"strings"

	"github.com/tidwall/gjson"

	"ballast/miner"
)

// The public API's enumerations, by number.
var (
	minerStatuses  = []string{"UNSPECIFIED", "NOT_STARTED", "NORMAL", "PAUSED", "SUSPENDED", "RESTRICTED"}
	tunerStates    = []string{"UNSPECIFIED", "DISABLED", "STABLE", "TUNING", "ERROR", "CONTINUOUS", "PREHEAT"}
	tunerModes     = []string{"UNSPECIFIED", "POWER_TARGET", "HASHRATE_TARGET"}
	brands         = []string{"UNSPECIFIED", "ANTMINER", "WHATSMINER"}
	bosModes       = []string{"UNSPECIFIED", "UPGRADE", "RECOVERY", "SD", "NAND", "EMMC"}
	platforms      = []string{"UNSPECIFIED", "AM1_S9", "AM2_S17", "AM3_BBB", "AM3_AML", "STM32MP157C_II1_AM2", "CVITEK_BM1_AM2", "ZYNQ_BM3_AM2", "STM32MP157C_II2_BMM1"}
	socFamilies    = []string{"UNSPECIFIED", "CVITEK", "BBB", "AML", "ZYNQ", "BRAIINS"}
	sensorPlaces   = []string{"UNSPECIFIED", "CHIP", "PCB"}
	netProtocols   = []string{"UNSPECIFIED", "DHCP", "STATIC"}
	controlBoards  = []string{"", "CVITEK", "BeagleBone Black", "Amlogic", "Xilinx Zynq", "Braiins"} // in the order of socFamilies
	unspecifiedSet = "unspecified"
)

// Values of MinerStatus.
const (
	statusNotStarted = 1
	statusNormal     = 2
	statusPaused     = 3
	statusSuspended  = 4
	statusRestricted = 5
)

// Values of TunerState.
const (
	tunerTuning  = 3
	tunerError   = 4
	tunerPreheat = 6
)

// details reads miner/details: who the machine is and what it is doing.
func (p *parser) details(v gjson.Result) {
	id := &p.r.Identity
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "uid":
			p.extra("uid", text(v))
		case "miner_identity":
			p.identity(v)
		case "platform":
			p.extra("platform", word(v, "PLATFORM_", platforms))
		case "bos_mode":
			p.extra("bos_mode", word(v, "BOS_MODE_", bosModes))
		case "bos_version":
			v.ForEach(func(key, v gjson.Result) bool {
				if key.Str == "current" {
					id.FirmwareVersion = text(v)
				} else {
					p.extra("bos_version."+key.Str, text(v))
				}
				return true
			})
		case "hostname":
			id.Hostname = text(v)
		case "mac_address":
			p.mac(text(v))
		case "system_uptime_s":
			p.r.Uptime = seconds(v)
		case "system_uptime": // before 23.10.1, and the same since
			p.r.Uptime = p.r.Uptime.OrElse(seconds(v))
		case "bosminer_uptime_s": // 0 means that it does not run
			if s, ok := seconds(v).Get(); ok && s > 0 {
				p.r.MinerUptime = seconds(v)
			} else if ok {
				p.extra("bosminer_uptime_s", "0")
			}
		case "sticker_hashrate":
			if h, ok := p.rate(v, "miner_details.sticker_hashrate").Get(); ok && h > 0 {
				p.extraNumber("sticker_hashrate_ths", h.TH())
			}
		case "status":
			p.minerStatus(v)
		case "kernel_version":
			p.extra("kernel_version", text(v))
		case "psu_info":
			p.psu(v)
		case "control_board_soc_family":
			if i := enum(v, "CONTROL_BOARD_SOC_FAMILY_", socFamilies); i > 0 && i < len(controlBoards) {
				id.ControlBoard = controlBoards[i]
			} else if i != 0 {
				id.ControlBoard = text(v)
			}
		case "serial_number":
			id.Serial = text(v)
		default:
			p.strange("miner_details."+key.Str, v)
		}
		return true
	})
}

// minerStatus reads the firmware's own words for what it is doing.
func (p *parser) minerStatus(v gjson.Result) {
	s := enum(v, "MINER_STATUS_", minerStatuses)
	if s <= 0 || s >= len(minerStatuses) {
		if s != 0 {
			p.r.Warn(miner.WarnUnknown, "miner_details.status", text(v))
		}
		return
	}
	p.status = s
	p.r.StateTold = strings.ToLower(minerStatuses[s])
}

// identity reads the machine's model: miner_model since 23.10.1, name always,
// and a number that is no longer kept up.
func (p *parser) identity(v gjson.Result) {
	var name string
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "brand":
			if w := word(v, "MINER_BRAND_", brands); w != unspecifiedSet {
				p.brand = w
			}
		case "miner_model":
			if s := text(v); s != "" {
				p.told = s
			}
		case "name":
			name = text(v)
		case "model":
			if n := text(v); n != "0" && n != "MINER_MODEL_UNSPECIFIED" {
				p.extra("miner_identity.model", n)
			}
		default:
			p.strange("miner_identity."+key.Str, v)
		}
		return true
	})
	switch {
	case p.told == "":
		p.told = name
	case name != "" && name != p.told:
		p.extra("miner_identity.name", name)
	}
}

func (p *parser) mac(s string) {
	if mac := miner.NormalMAC(s); mac != "" {
		p.r.Identity.MAC = mac
	}
}

// psu reads what BOS knows of the power supply: who it is and what it can be set
// to, but nothing measured.
func (p *parser) psu(v gjson.Result) {
	if !v.IsObject() {
		return
	}
	u := miner.PSU{}
	told := false
	v.ForEach(func(key, v gjson.Result) bool {
		if v.Type == gjson.Null {
			return true
		}
		told = true
		switch key.Str {
		case "model_name":
			u.Model = text(v)
		case "serial_number":
			u.Serial = text(v)
		case "fw_version":
			u.Version = text(v)
		case "version":
			p.extra("psu_info.version", text(v))
		case "min_voltage", "max_voltage":
			if volts, ok := plain(p, v, mostVolts, "miner_details.psu_info").Get(); ok {
				p.extraNumber("psu_info."+key.Str+"_v", float64(volts))
			}
		default:
			p.strange("psu_info."+key.Str, v)
		}
		return true
	})
	if told {
		p.r.PSUs = []miner.PSU{u}
	}
}

// network reads the network interface.
func (p *parser) network(v gjson.Result) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "mac_address":
			p.mac(text(v))
		case "hostname":
			if s := text(v); s != "" {
				p.r.Identity.Hostname = s
			}
		case "protocol":
			if v.Type != gjson.Null {
				p.extra("network.protocol", word(v, "NETWORK_PROTOCOL_", netProtocols))
			}
		case "name", "default_gateway", "dns_servers", "networks":
			p.keep("network."+key.Str, v)
		default:
			p.strange("network."+key.Str, v)
		}
		return true
	})
}

// interfaces reads LuCI's iface_status, the only place where BOS before 23
// tells a MAC address.
func (p *parser) interfaces(v gjson.Result) {
	first := v.Get("0")
	p.mac(text(first.Get("macaddr")))
	first.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "proto", "gwaddr", "ipaddrs", "dnsaddrs", "ifname", "uptime", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors":
			p.keep("network."+key.Str, v)
		}
		return true
	})
}

// version reads the public API's version.
func (p *parser) version(v gjson.Result) {
	parts := []string{text(v.Get("major")), text(v.Get("minor")), text(v.Get("patch"))}
	if parts[2] == "" {
		parts[2] = "0"
	}
	s := strings.Join(parts, ".")
	if pre := text(v.Get("pre")); pre != "" {
		s += "-" + pre
	}
	if build := text(v.Get("build")); build != "" {
		s += "+" + build
	}
	p.r.Identity.APIVersion = s
}

// license reads the state of the licence: which contract, and when the firmware
// will begin to work for its vendor.
func (p *parser) license(v gjson.Result) {
	if state := v.Get("state"); state.Exists() {
		v = state
	}
	v.ForEach(func(key, v gjson.Result) bool {
		p.extra("license", strings.ToLower(key.Str))
		p.keep("license."+strings.ToLower(key.Str), v)
		return true
	})
}
