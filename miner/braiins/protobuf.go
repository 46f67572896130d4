package braiins

import (
	"errors"
	"math"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// The public API's messages over gRPC, as far as we speak it: which field has
// which number, what it is called in REST's JSON, and how it is encoded. These
// are our own tables of an interface's facts; see the package's comment on
// sources.

type shape int

const (
	textField shape = iota
	boolField
	uintField   // also enumerations
	doubleField // fixed 64 bits
	messageField
	wrappedField // google.protobuf.UInt32Value: a number that may be missing
	timeField    // google.protobuf.Timestamp
)

// field is one field of a message.
type field struct {
	number   protowire.Number
	name     string
	shape    shape
	of       message // of a messageField
	repeated bool
	optional bool // without it, a missing scalar is zero, as proto3 has it
}

// message lists the fields of a message.
type message []field

func one(n protowire.Number, name string, s shape) field {
	return field{number: n, name: name, shape: s}
}

func maybe(n protowire.Number, name string, s shape) field {
	return field{number: n, name: name, shape: s, optional: true}
}

func sub(n protowire.Number, name string, of message) field {
	return field{number: n, name: name, shape: messageField, of: of}
}

func list(n protowire.Number, name string, of message) field {
	return field{number: n, name: name, shape: messageField, of: of, repeated: true}
}

func textList(n protowire.Number, name string) field {
	return field{number: n, name: name, shape: textField, repeated: true}
}

// Quantities.
var (
	msgMega       = message{one(1, "megahash_per_second", doubleField)}
	msgGiga       = message{one(1, "gigahash_per_second", doubleField)}
	msgTera       = message{one(1, "terahash_per_second", doubleField)}
	msgHertz      = message{one(1, "hertz", doubleField)}
	msgVolt       = message{one(1, "volt", doubleField)}
	msgWatt       = message{one(1, "watt", uintField)}
	msgEfficiency = message{one(1, "joule_per_terahash", doubleField)}
	msgCelsius    = message{one(1, "degree_c", doubleField)}
	msgHours      = message{one(1, "hours", uintField)}
	msgBasis      = message{one(1, "bsp", uintField)}
)

var (
	msgVersion = message{one(1, "major", uintField), one(2, "minor", uintField), one(3, "patch", uintField), one(4, "pre", textField), one(5, "build", textField)}
	msgLogin   = message{one(1, "token", textField), one(2, "timeout_s", uintField)}
	msgStatus  = message{one(1, "status", uintField)}
	msgLocate  = message{one(1, "enabled", boolField)}

	msgDetails = message{
		one(1, "uid", textField),
		sub(2, "miner_identity", message{one(1, "brand", uintField), one(2, "model", uintField), one(3, "name", textField), one(4, "miner_model", textField)}),
		one(3, "platform", uintField),
		one(4, "bos_mode", uintField),
		sub(5, "bos_version", message{one(1, "current", textField), one(2, "major", textField), one(3, "bos_plus", boolField)}),
		one(6, "hostname", textField),
		one(7, "mac_address", textField),
		maybe(8, "system_uptime", uintField),
		sub(9, "sticker_hashrate", msgGiga),
		maybe(10, "bosminer_uptime_s", uintField),
		maybe(11, "system_uptime_s", uintField),
		one(12, "status", uintField),
		one(13, "kernel_version", textField),
		sub(14, "psu_info", message{
			maybe(1, "version", wrappedField), maybe(2, "fw_version", wrappedField), maybe(3, "serial_number", textField),
			maybe(4, "model_name", textField), sub(5, "min_voltage", msgVolt), sub(6, "max_voltage", msgVolt),
		}),
		one(15, "control_board_soc_family", uintField),
		maybe(16, "serial_number", textField),
	}

	msgRealHashrate = message{
		sub(1, "last_5s", msgGiga), sub(2, "last_15s", msgGiga), sub(3, "last_30s", msgGiga), sub(4, "last_1m", msgGiga), sub(5, "last_5m", msgGiga),
		sub(6, "last_15m", msgGiga), sub(7, "last_30m", msgGiga), sub(8, "last_1h", msgGiga), sub(9, "last_24h", msgGiga), sub(10, "since_restart", msgGiga),
	}
	msgSolver = message{
		sub(1, "real_hashrate", msgRealHashrate), sub(2, "nominal_hashrate", msgGiga), sub(3, "error_hashrate", msgMega),
		one(4, "found_blocks", uintField), one(5, "best_share", uintField), maybe(6, "best_share_str", textField),
	}
	msgPoolStats = message{
		one(1, "accepted_shares", uintField), one(2, "rejected_shares", uintField), one(3, "stale_shares", uintField), one(4, "last_difficulty", uintField),
		one(5, "best_share", uintField), one(6, "generated_work", uintField), maybe(7, "last_share_time", timeField), maybe(8, "best_share_str", textField),
	}
	msgStats = message{
		sub(1, "pool_stats", msgPoolStats), sub(2, "miner_stats", msgSolver),
		sub(3, "power_stats", message{sub(1, "approximated_consumption", msgWatt), sub(2, "efficiency", msgEfficiency)}),
	}
	msgSensor     = message{maybe(1, "id", uintField), one(2, "location", uintField), sub(3, "temperature", msgCelsius)}
	msgHashboards = message{list(1, "hashboards", message{
		one(1, "id", textField), one(2, "enabled", boolField), maybe(3, "chips_count", wrappedField), sub(4, "current_voltage", msgVolt),
		sub(5, "current_frequency", msgHertz), sub(6, "highest_chip_temp", msgSensor), sub(7, "board_temp", msgCelsius), sub(8, "stats", msgSolver),
		maybe(9, "model", textField), sub(10, "lowest_inlet_temp", msgCelsius), sub(11, "highest_outlet_temp", msgCelsius),
		maybe(12, "serial_number", textField), maybe(13, "board_name", textField), maybe(14, "chip_type", textField),
		sub(15, "lowest_water_inlet_temp", msgCelsius), sub(16, "highest_water_outlet_temp", msgCelsius),
	})}
	msgCooling = message{
		list(1, "fans", message{maybe(1, "position", uintField), one(2, "rpm", uintField), maybe(3, "target_speed_ratio", doubleField)}),
		sub(2, "highest_temperature", msgSensor),
	}
	msgErrors = message{list(1, "errors", message{
		one(1, "timestamp", textField), one(2, "message", textField),
		list(3, "error_codes", message{one(1, "code", textField), one(2, "reason", textField), one(3, "hint", textField)}),
		list(4, "components", message{one(1, "name", textField), one(2, "index", uintField)}),
	})}

	msgPowerProfile = message{maybe(1, "created", timeField), sub(2, "target", msgWatt), sub(3, "measured_hashrate", msgGiga), sub(4, "estimated_power_consumption", msgWatt)}
	msgRateProfile  = message{maybe(1, "created", timeField), sub(2, "target", msgTera), sub(3, "measured_hashrate", msgGiga), sub(4, "estimated_power_consumption", msgWatt)}
	msgTunerState   = message{
		one(1, "overall_tuner_state", uintField),
		sub(2, "power_target_mode_state", message{sub(1, "profile", msgPowerProfile), sub(2, "current_target", msgWatt)}),
		sub(3, "hashrate_target_mode_state", message{sub(1, "profile", msgRateProfile), sub(2, "current_target", msgTera)}),
	}
	msgProfiles       = message{list(1, "power_target_profiles", msgPowerProfile), list(2, "hashrate_target_profiles", msgRateProfile)}
	msgPowerTarget    = message{sub(1, "power_target", msgWatt)}
	msgHashrateTarget = message{sub(1, "hashrate_target", msgTera)}

	msgQuota = message{one(1, "value", uintField)}
	msgRatio = message{one(1, "value", doubleField)}
	msgPools = message{list(1, "pool_groups", message{
		one(1, "name", textField), sub(2, "quota", msgQuota), sub(3, "fixed_share_ratio", msgRatio),
		list(4, "pools", message{
			one(1, "uid", textField), one(2, "url", textField), one(3, "user", textField), one(4, "enabled", boolField),
			one(5, "alive", boolField), one(6, "active", boolField), sub(7, "stats", msgPoolStats),
		}),
		maybe(5, "uid", textField),
	})}
	// The configured pools' passwords (field 4) are left alone.
	msgPoolConfiguration = message{
		maybe(1, "uid", textField), one(2, "name", textField), sub(3, "quota", msgQuota), sub(4, "fixed_share_ratio", msgRatio),
		list(5, "pools", message{maybe(1, "uid", textField), one(2, "url", textField), one(3, "user", textField), maybe(5, "enabled", boolField)}),
	}

	msgCoolingAuto = message{
		sub(1, "target_temperature", msgCelsius), sub(2, "hot_temperature", msgCelsius), sub(3, "dangerous_temperature", msgCelsius),
		maybe(4, "min_fan_speed", uintField), maybe(5, "max_fan_speed", uintField), maybe(6, "minimum_required_fans", uintField),
	}
	msgCoolingManual = message{
		maybe(1, "fan_speed_ratio", doubleField), sub(2, "hot_temperature", msgCelsius), sub(3, "dangerous_temperature", msgCelsius),
		sub(4, "target_temperature", msgCelsius), maybe(5, "minimum_required_fans", uintField),
	}
	msgCoolingLiquid = message{sub(1, "hot_temperature", msgCelsius), sub(2, "dangerous_temperature", msgCelsius), sub(3, "target_temperature", msgCelsius)}
	msgConfiguration = message{
		list(1, "pool_groups", msgPoolConfiguration),
		sub(2, "temperature", message{
			maybe(1, "minimum_required_fans", uintField), sub(2, "auto", msgCoolingAuto), sub(3, "manual", msgCoolingManual),
			sub(4, "disabled", message{maybe(1, "fan_speed_ratio", doubleField)}), sub(5, "immersion", msgCoolingLiquid), sub(6, "hydro", msgCoolingLiquid),
		}),
		sub(3, "tuner", message{maybe(1, "enabled", boolField), maybe(2, "tuner_mode", uintField), sub(3, "power_target", msgWatt), sub(4, "hashrate_target", msgTera)}),
		sub(4, "dps", message{
			maybe(1, "enabled", boolField), sub(2, "power_step", msgWatt), sub(3, "hashrate_step", msgTera), sub(4, "min_power_target", msgWatt),
			sub(5, "min_hashrate_target", msgTera), maybe(6, "shutdown_enabled", boolField), sub(7, "shutdown_duration", msgHours), maybe(8, "mode", uintField),
			maybe(9, "on_start_target_percent", uintField),
		}),
		sub(5, "hashboard_config", message{
			sub(1, "global_frequency", msgHertz), sub(2, "global_voltage", msgVolt),
			list(3, "hashboards", message{one(1, "id", textField), maybe(2, "enabled", boolField), sub(3, "frequency", msgHertz), sub(4, "voltage", msgVolt)}),
			maybe(4, "quick_ramping_time_up_s", uintField), maybe(5, "quick_ramping_time_down_s", uintField),
		}),
	}

	msgConstraints = message{
		sub(1, "tuner_constraints", message{
			sub(1, "power_target", bounds(msgWatt)), sub(2, "hashrate_target", bounds(msgTera)),
			sub(3, "enabled", message{one(1, "default", boolField)}), one(4, "default_mode", uintField),
		}),
		sub(2, "cooling_constraints", message{
			one(1, "default_cooling_mode", uintField), sub(2, "target_temperature", bounds(msgCelsius)), sub(3, "hot_temperature", bounds(msgCelsius)),
			sub(4, "dangerous_temperature", bounds(msgCelsius)),
		}),
		sub(3, "dps_constraints", message{
			sub(1, "power_step", bounds(msgWatt)), sub(3, "min_power_target", bounds(msgWatt)), one(8, "mode", uintField),
		}),
		sub(4, "hashboards_constraints", message{
			textList(1, "hashboard_ids"), sub(3, "frequency", bounds(msgHertz)), sub(4, "voltage", bounds(msgVolt)),
			sub(5, "quick_ramping_time_s", message{one(1, "default", uintField), one(2, "min", uintField), one(3, "max", uintField)}),
		}),
	}

	msgNetwork = message{
		one(1, "name", textField), maybe(2, "mac_address", textField), maybe(3, "hostname", textField), maybe(4, "protocol", uintField),
		textList(5, "dns_servers"), list(6, "networks", message{one(1, "address", textField), one(2, "netmask", textField)}), maybe(7, "default_gateway", textField),
	}
	msgLicense = message{
		sub(1, "none", message{one(1, "time_to_restricted", uintField)}), sub(2, "limited", message{}),
		sub(3, "valid", message{one(1, "type", uintField), one(2, "contract_name", textField), one(3, "time_to_restricted", uintField), sub(4, "dev_fee", msgBasis)}),
		sub(4, "expired", message{one(1, "type", uintField), one(2, "contract_name", textField), sub(3, "dev_fee", msgBasis)}),
	}
)

// bounds is a constraint: default, min and max of one quantity.
func bounds(of message) message {
	return message{sub(1, "default", of), sub(2, "min", of), sub(3, "max", of)}
}

// errWire reports bytes that are no protobuf message.
var errWire = errors.New("not a valid message")

// deepestMessage bounds nesting; the API nests to six.
const deepestMessage = 16

// toJSON gives the message in b as the JSON that REST would have sent. Fields
// that the table does not have are passed over.
func (m message) toJSON(b []byte) ([]byte, error) { return m.write(nil, b, 0) }

// part is one occurrence of a field.
type part struct {
	number protowire.Number
	n      uint64 // of a varint or a fixed
	bytes  []byte
}

func (m message) write(out, b []byte, depth int) ([]byte, error) {
	if depth > deepestMessage {
		return nil, errWire
	}
	parts, err := split(b)
	if err != nil {
		return nil, err
	}
	out = append(out, '{')
	comma := false
	key := func(name string) {
		if comma {
			out = append(out, ',')
		}
		comma = true
		out = append(append(append(out, '"'), name...), '"', ':')
	}
	for i := range m {
		f := &m[i]
		if f.repeated {
			key(f.name)
			out = append(out, '[')
			first := true
			for _, p := range parts {
				if p.number != f.number {
					continue
				}
				if !first {
					out = append(out, ',')
				}
				first = false
				if out, err = f.value(out, p, depth); err != nil {
					return nil, err
				}
			}
			out = append(out, ']')
			continue
		}
		last := -1 // the last one counts
		for j := range parts {
			if parts[j].number == f.number {
				last = j
			}
		}
		switch {
		case last >= 0:
			key(f.name)
			out, err = f.value(out, parts[last], depth)
		case !f.optional && f.shape != messageField:
			key(f.name)
			out, err = f.value(out, part{}, depth)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

func (f *field) value(out []byte, p part, depth int) ([]byte, error) {
	switch f.shape {
	case textField:
		return appendQuoted(out, p.bytes), nil
	case boolField:
		return strconv.AppendBool(out, p.n != 0), nil
	case uintField:
		return strconv.AppendUint(out, p.n, 10), nil
	case doubleField:
		x := math.Float64frombits(p.n)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return append(out, "null"...), nil
		}
		return strconv.AppendFloat(out, x, 'g', -1, 64), nil
	case wrappedField:
		inner, err := split(p.bytes)
		if err != nil {
			return nil, err
		}
		n := uint64(0)
		for _, q := range inner {
			if q.number == 1 {
				n = q.n
			}
		}
		return strconv.AppendUint(out, n, 10), nil
	case timeField:
		return message{one(1, "seconds", uintField), one(2, "nanos", uintField)}.write(out, p.bytes, depth+1)
	}
	return f.of.write(out, p.bytes, depth+1)
}

// split takes a message apart.
func split(b []byte) ([]part, error) {
	parts := make([]part, 0, 16)
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, errWire
		}
		b = b[n:]
		p := part{number: number}
		switch kind {
		case protowire.VarintType:
			p.n, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			p.n, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			p.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return nil, errWire
		}
		b = b[n:]
		parts = append(parts, p)
	}
	return parts, nil
}

// appendQuoted writes text as JSON.
func appendQuoted(out, s []byte) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	for len(s) > 0 {
		c := s[0]
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < ' ':
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(s)
			out = utf8.AppendRune(out, r)
			s = s[n:]
			continue
		default:
			out = append(out, c)
		}
		s = s[1:]
	}
	return append(out, '"')
}

func appendText(b []byte, n protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), s)
}

func appendVarint(b []byte, n protowire.Number, x uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), x)
}

// quantity is a message whose field 1 is a number, as rates are sent.
func quantity(x float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(x))
}

func appendMessage(b []byte, n protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), m)
}
