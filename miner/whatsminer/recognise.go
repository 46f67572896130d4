package whatsminer

import (
	"strings"

	"github.com/tidwall/gjson"

	"ballast/miner/cgminer"
)

// head are the members of a reply that tell what it is, found in one pass.
type head struct {
	code, msg, desc         gjson.Result // API v3
	status, bigCode, bigMsg gjson.Result // API v2
	errorCode               gjson.Result
	sections                [4]gjson.Result // of API v2
}

// sectionKinds are the kinds of head.sections.
var sectionKinds = [4]kind{kindSummary, kindDevs, kindPools, kindDevDetails}

func readHead(root gjson.Result) (h head) {
	root.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "code":
			h.code = v
		case "msg":
			h.msg = v
		case "desc":
			h.desc = v
		case "STATUS":
			h.status = v
		case "Code":
			h.bigCode = v
		case "Msg":
			h.bigMsg = v
		case "error_code":
			h.errorCode = v
		case "SUMMARY":
			h.sections[0] = v
		case "DEVS":
			h.sections[1] = v
		case "POOLS":
			h.sections[2] = v
		case "DEVDETAILS":
			h.sections[3] = v
		}
		return true
	})
	return h
}

// recognise tells what a reply holds, by its content. refused is the machine's
// words when it declined to answer.
func recognise(r cgminer.Reply) (found []told, refused string) {
	h := readHead(r.JSON())
	if h.code.Exists() && !h.status.Exists() && !h.bigCode.Exists() {
		return h.v3(r.Name)
	}
	return h.v2(r)
}

// v3 reads {"code":0,"when":..,"msg":..,"desc":"get.miner.status"}.
func (h *head) v3(name string) (found []told, refused string) {
	if cgminer.Number(h.code.String()).Or(v3Failed) != v3OK {
		return nil, strings.Trim(h.msg.String()+" ("+h.desc.Str+", code "+h.code.String()+")", " ")
	}
	switch h.desc.Str {
	case "get.system.setting":
		return []told{{kindSystemSetting, name, h.msg}}, ""
	case "get.miner.setting":
		return []told{{kindMinerSetting, name, h.msg}}, ""
	case "get.fan.setting":
		return []told{{kindFanSetting, name, h.msg}}, ""
	}
	if strings.HasPrefix(h.desc.Str, "set.") {
		return []told{{kindNothing, name, h.msg}}, ""
	}
	if h.msg.IsArray() { // one section, without its name
		if k, ok := listKind(h.msg); ok {
			found = append(found, told{k, name, h.msg})
		}
		return found, ""
	}
	var device, setting, summary, system, fan bool
	h.msg.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "summary":
			found = append(found, told{kindSummary3, name, v})
		case "edevs":
			found = append(found, told{kindBoards3, name, v})
		case "pools":
			found = append(found, told{kindPools3, name, v})
		case "network", "miner", "system", "power", "salt", "error-code":
			device = true
		case "upfreq-speed", "power-mode":
			setting = true
		case "hash-realtime", "hash-average", "elapsed", "power-realtime":
			summary = true
		case "timezone", "zonename", "web-pool":
			system = true
		case "fan-poweroff-cool", "fan-zero-speed", "fan-temp-offset":
			fan = true
		}
		return true
	})
	switch {
	case setting:
		found = append(found, told{kindMinerSetting, name, h.msg})
	case device:
		found = append(found, told{kindDeviceInfo, name, h.msg})
	case len(found) > 0:
	case summary:
		found = append(found, told{kindSummary3, name, h.msg})
	case system:
		found = append(found, told{kindSystemSetting, name, h.msg})
	case fan:
		found = append(found, told{kindFanSetting, name, h.msg})
	}
	return found, ""
}

// listKind tells v3's boards from its pools.
func listKind(list gjson.Result) (k kind, ok bool) {
	list.Get("0").ForEach(func(key, _ gjson.Result) bool {
		switch key.Str {
		case "effective-chips", "hash-average", "slot":
			k, ok = kindBoards3, true
		case "url", "account":
			k, ok = kindPools3, true
		}
		return !ok
	})
	return k, ok
}

// v2 reads the cgminer API's sections and MicroBT's {"STATUS":"S","Code":131,
// "Msg":{..}}. Firmware of API 2.0.5 and later may put the sections' content
// into Msg as well.
func (h *head) v2(r cgminer.Reply) (found []told, refused string) {
	for i, v := range h.sections {
		if v.Exists() {
			found = append(found, told{sectionKinds[i], r.Name, v})
		}
	}
	if len(found) > 0 {
		return found, ""
	}
	if !r.Status.OK() {
		if r.Status.Msg == "" {
			return nil, "error"
		}
		return nil, r.Status.Msg
	}
	if h.errorCode.Exists() {
		return []told{{kindErrors, r.Name, h.errorCode}}, ""
	}
	msg := h.bigMsg
	switch {
	case msg.IsArray():
		if k, ok := memberKind(msg.Get("0")); ok {
			found = append(found, told{k, r.Name, msg})
		}
		return found, ""
	case msg.Type == gjson.String && strings.HasPrefix(msg.Str, "whatsminer v"):
		return []told{{kindVersion, r.Name, msg}}, "" // API 1.x
	case !msg.IsObject():
		msg = r.JSON()
	}
	if k, ok := memberKind(msg); ok {
		if k == kindErrors {
			msg = msg.Get("error_code")
		}
		found = append(found, told{k, r.Name, msg})
	}
	return found, ""
}

// memberKind tells what an object of API v2 is by the first of its members that
// only one kind has.
func memberKind(v gjson.Result) (k kind, ok bool) {
	if !v.IsObject() {
		return 0, false
	}
	info := false
	v.ForEach(func(key, _ gjson.Result) bool {
		ok = true
		switch key.Str {
		case "newsalt":
			k = kindNothing
		case "error_code":
			k = kindErrors
		case "api_ver", "fw_ver":
			k = kindVersion
		case "serial_no", "iin", "vin", "fan_speed":
			k = kindPSU
		case "mineroff", "btmineroff", "power_limit_set", "hash_percent":
			k = kindStatus
		case "Driver", "DEVDETAILS":
			k = kindDevDetails
		case "Effective Chips", "Slot", "ASC":
			k = kindDevs
		case "URL", "POOL":
			k = kindPools
		case "MHS av", "Factory GHS", "HS RT":
			k = kindSummary
		case "ledstat", "minersn", "powersn", "netmask", "mac":
			info, ok = true, false // beside others these names are common
		default:
			ok = false
		}
		return !ok
	})
	if !ok && info {
		return kindMinerInfo, true
	}
	return k, ok
}
