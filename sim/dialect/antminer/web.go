package antminer

import (
	"crypto/md5" // the firmware's digest knows nothing better
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"ballast/miner"
	"ballast/sim"
)

const realm = "antMiner Configuration"

// web is the CGI interface.
type web struct{ *machine }

// ServeHTTP answers one request, signed in by digest.
func (h *web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	snap := h.rig.Snapshot()
	if !up(&snap) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if !h.signedIn(r) {
		h.challenge(w)
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, "/cgi-bin/")
	name, ok2 := strings.CutSuffix(name, ".cgi")
	p := &printer{machine: h.machine, snap: &snap, json: true}
	if !ok || !ok2 || !h.program(w, r, p, name) {
		http.NotFound(w, r)
	}
}

func (h *web) user() (name, password string) {
	name, password = h.spec.User, h.spec.Password
	if name == "" {
		name = "root"
	}
	if password == "" {
		password = "root"
	}
	return name, password
}

func (h *web) challenge(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Digest realm="`+realm+`", nonce="`+h.nonce()+`", qop="auth"`)
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, "<html><head><title>401 - Unauthorized</title></head><body><h1>401 - Unauthorized</h1></body></html>")
}

// nonceLife is how many requests a nonce is good for; lighttpd's are good for
// ten minutes, which a rig that runs fast would see pass in no time.
const nonceLife = 400

func (h *web) nonce() string {
	s := h.state()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nonce == "" || s.count%nonceLife == 0 {
		s.nonce = hash(strconv.FormatUint(h.spec.Seed, 16) + h.spec.MAC + strconv.FormatInt(s.count, 10))
	}
	s.count++
	return s.nonce
}

func hash(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// signedIn checks a digest response (RFC 2617, MD5, qop=auth).
func (h *web) signedIn(r *http.Request) bool {
	fields, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Digest ")
	if !ok {
		return false
	}
	got := map[string]string{}
	for part := range strings.SplitSeq(fields, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		got[k] = strings.Trim(v, `"`)
	}
	user, password := h.user()
	s := h.state()
	s.mu.Lock()
	nonce := s.nonce
	s.count++
	if s.count%nonceLife == 0 {
		s.nonce = ""
	}
	s.mu.Unlock()
	if got["username"] != user || got["nonce"] != nonce || nonce == "" || got["uri"] != r.URL.RequestURI() {
		return false
	}
	ha1 := hash(user + ":" + realm + ":" + password)
	ha2 := hash(r.Method + ":" + got["uri"])
	want := hash(ha1 + ":" + nonce + ":" + got["nc"] + ":" + got["cnonce"] + ":" + got["qop"] + ":" + ha2)
	return got["response"] == want
}

// program runs one CGI program; false when the generation does not have it.
func (h *web) program(w http.ResponseWriter, r *http.Request, p *printer, name string) bool {
	send := func(contentType string, body []byte) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body)
	}
	switch name {
	case "get_system_info":
		send("application/json", p.systemInfo())
	case "get_network_info":
		send("application/json", p.networkInfo())
	case "get_miner_conf":
		send("application/json", p.conf())
	case "set_miner_conf":
		send("application/json", h.setConf(r, p))
	case "blink":
		return h.blink(w, r, p)
	case "reboot":
		_ = h.rig.Do(sim.Action{Kind: sim.DoReboot})
		send("text/html", nil)
	case "get_kernel_log", "log":
		if (name == "log") != (h.gen == s19) {
			return false
		}
		send("text/plain", p.kernelLog())
	case "summary", "stats", "pools":
		if h.gen != modern {
			return false
		}
		send("application/json", p.newAPI(name))
	case "miner_type":
		if h.gen != modern {
			return false
		}
		send("application/json", fmt.Appendf(nil, `{"miner_type":%q,"subtype":"CVCtrl_BHB","fw_version":%q}`, p.told(), compiled(h.spec)))
	case "get_blink_status":
		if h.gen < s19 {
			return false
		}
		send("application/json", fmt.Appendf(nil, `{"blink":%t}`, p.snap.Locating))
	default:
		return false
	}
	return true
}

func (p *printer) systemInfo() []byte {
	w := &writer{b: []byte{'{'}}
	w.text("minertype", p.told())
	w.text("nettype", "DHCP")
	w.text("netdevice", "eth0")
	w.text("macaddr", strings.ToUpper(p.spec.MAC))
	w.text("hostname", p.spec.Hostname)
	w.text("ipaddress", p.spec.Addr.String())
	w.text("netmask", "255.0.0.0")
	w.text("gateway", "")
	w.text("dnsservers", "")
	w.text("system_mode", "GNU/Linux")
	w.text("system_kernel_version", "Linux 4.6.0-xilinx #1 SMP PREEMPT "+compiled(p.spec))
	if p.gen < s19 {
		w.text("ant_hwv", "1.0.1.3")
		w.text("file_system_version", compiled(p.spec))
	} else {
		w.text("system_filesystem_version", compiled(p.spec))
		w.text("firmware_type", "Release")
	}
	if p.gen == modern {
		w.text("Algorithm", "sha256d")
		w.text("serinum", p.spec.Serial)
	}
	return append(w.b, '}')
}

func (p *printer) networkInfo() []byte {
	w := &writer{b: []byte{'{'}}
	w.text("nettype", "DHCP")
	w.text("netdevice", "eth0")
	w.text("macaddr", strings.ToUpper(p.spec.MAC))
	w.text("ipaddress", p.spec.Addr.String())
	w.text("conf_nettype", "DHCP")
	w.text("conf_hostname", p.spec.Hostname)
	return append(w.b, '}')
}

// conf is the configuration, its passwords included, as the firmware hands it
// to anyone signed in.
func (p *printer) conf() []byte {
	w := &writer{b: []byte{'{'}}
	w.open("pools", "[")
	for i := range 3 {
		l := sim.PoolSnapshot{}
		if i < len(p.snap.Pools) {
			l = p.snap.Pools[i]
		}
		w.open("", "{")
		w.text("url", l.URL)
		w.text("user", l.User)
		w.text("pass", l.Password)
		w.close("}")
	}
	w.close("]")
	w.bool("api-listen", true)
	w.bool("api-network", true)
	w.text("api-groups", "A:stats:pools:devs:summary:version")
	w.text("api-allow", "A:0/0,W:*")
	w.bool("bitmain-fan-ctrl", false)
	w.text("bitmain-fan-pwm", "100")
	w.bool("bitmain-use-vil", true)
	w.text("bitmain-freq", strconv.Itoa(int(meanFrequency(p.snap))))
	w.text("bitmain-voltage", "1360")
	if p.gen >= s19 {
		w.text("bitmain-ccdelay", "0")
		w.text("bitmain-pwth", "0")
	}
	switch p.gen {
	case s9:
	case s17:
		mode := "0"
		if p.snap.Phase == sim.PhaseSleeping {
			mode = "254"
		}
		w.text("bitmain-work-mode", mode)
	default:
		w.text("bitmain-work-mode", strconv.Itoa(p.workMode()))
		w.text("bitmain-freq-level", "100")
	}
	return append(w.b, '}')
}

// setConf takes a whole configuration: what is left out is lost.
func (h *web) setConf(r *http.Request, p *printer) []byte {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return []byte(`{"stats":"error","code":"M001","msg":"Invalid configuration"}`)
	}
	if h.gen < s19 {
		form, err := url.ParseQuery(string(body))
		if err != nil || !form.Has("_ant_pool1url") {
			return []byte("error")
		}
		var pools []sim.PoolSnapshot
		for i := 1; i <= 3; i++ {
			n := "_ant_pool" + strconv.Itoa(i)
			pools = append(pools, sim.PoolSnapshot{URL: form.Get(n + "url"), User: form.Get(n + "user"), Password: form.Get(n + "pw")})
		}
		mode := -1
		if h.gen == s17 {
			mode, _ = strconv.Atoi(form.Get("_ant_work_mode"))
		}
		h.put(p, pools, mode)
		return []byte("ok")
	}
	var in struct {
		Pools []struct{ URL, User, Pass string } `json:"pools"`
		Mode  *json.RawMessage                   `json:"miner-mode"`
		Work  *json.RawMessage                   `json:"bitmain-work-mode"`
		Level any                                `json:"freq-level"`
	}
	if json.Unmarshal(body, &in) != nil || in.Level == nil || in.Mode == nil {
		return []byte(`{"stats":"error","code":"M001","msg":"Invalid configuration"}`)
	}
	mode, err := strconv.Atoi(strings.Trim(string(*in.Mode), `"`))
	if err != nil || mode < 0 || mode > 3 {
		return []byte(`{"stats":"error","code":"M002","msg":"Invalid work mode"}`)
	}
	var pools []sim.PoolSnapshot
	for _, l := range in.Pools {
		pools = append(pools, sim.PoolSnapshot{URL: l.URL, User: l.User, Password: l.Pass})
	}
	h.put(p, pools, mode)
	return []byte(`{"stats":"success","code":"M000","msg":"OK!"}`)
}

// put brings a configuration into force and restarts the mining process.
func (h *web) put(p *printer, pools []sim.PoolSnapshot, mode int) {
	var given []sim.PoolSnapshot
	for _, l := range pools {
		if l.URL != "" {
			given = append(given, l)
		}
	}
	if !samePools(given, p.snap.Pools) {
		_ = h.rig.Do(sim.Action{Kind: sim.DoPools, Pools: given})
	}
	asleep := p.snap.Phase == sim.PhaseSleeping
	switch mode {
	case 1, 254:
		if !asleep {
			_ = h.rig.Do(sim.Action{Kind: sim.DoSleep})
		}
		return
	case 0, 2, 3:
		_ = h.rig.Do(sim.Action{Kind: sim.DoMode, Text: []string{miner.ModeNormal, "", miner.ModeHigh, miner.ModeLow}[mode]})
	}
	if asleep {
		_ = h.rig.Do(sim.Action{Kind: sim.DoWake})
	} else {
		_ = h.rig.Do(sim.Action{Kind: sim.DoRestart})
	}
}

func samePools(a, b []sim.PoolSnapshot) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].URL != b[i].URL || a[i].User != b[i].User || a[i].Password != b[i].Password {
			return false
		}
	}
	return true
}

// blink switches the light: by JSON on newer machines, by an action in a form
// on older ones.
func (h *web) blink(w http.ResponseWriter, r *http.Request, p *printer) bool {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	if h.gen < s19 {
		form, _ := url.ParseQuery(string(body))
		on := p.snap.Locating
		switch form.Get("action") {
		case "startBlink":
			on = true
		case "stopBlink":
			on = false
		}
		_ = h.rig.Do(sim.Action{Kind: sim.DoLocate, On: on})
		_, _ = fmt.Fprintf(w, `{"isBlinking":%t}`, on)
		return true
	}
	var in struct {
		Blink any `json:"blink"`
	}
	if json.Unmarshal(body, &in) != nil {
		_, _ = io.WriteString(w, `{"stats":"error","code":"B002","msg":"FAIL!"}`)
		return true
	}
	on := fmt.Sprint(in.Blink) == "true"
	_ = h.rig.Do(sim.Action{Kind: sim.DoLocate, On: on})
	code := "B100"
	if on {
		code = "B000"
	}
	_, _ = fmt.Fprintf(w, `{"stats":"success","code":"%s","msg":"OK!"}`, code)
	return true
}

// kernelLog is the part of the log that matters: the start of the mining
// process, and the errors since.
func (p *printer) kernelLog() []byte {
	var b strings.Builder
	b.WriteString("[    0.000000] Booting Linux on physical CPU 0x0\n[    0.000000] Linux version 4.6.0-xilinx (jenkins@fwc) #1 SMP PREEMPT\n")
	at := p.snap.Now.Format("2006-01-02 15:04:05")
	line := func(format string, args ...any) { fmt.Fprintf(&b, at+" "+format+"\n", args...) }
	line("driver-btm-api.c:631:init_freq_mode: This is scan-user version")
	line("api.c:1460:get_miner_id: miner ID : 81aa8114234044")
	for i := range p.snap.Boards {
		line("driver-btm-api.c:1306:check_asic_number_with_power_on: Chain[%d]: find %d asic, times 0", i, answering(&p.snap.Boards[i]))
	}
	names := map[miner.Code]string{
		miner.FanMissing: "ERROR_FAN_LOST: fan lost", miner.ThermalChip: "ERROR_TEMP_TOO_HIGH: over max temp", miner.PSUMissing: "ERROR_POWER_LOST: get power type version failed!",
		miner.BoardEEPROM: "ERROR_EEPROM_INFO: eeprom error", miner.SensorTemperature: "read temp sensor failed: chain = 0", miner.BoardInit: "ERROR_SOC_INIT: soc init failed!",
	}
	for _, f := range p.snap.Faults {
		if name, ok := names[f.Code]; ok {
			line("driver-btm-api.c:1900:bitmain_soc_init: %s", name)
		}
		line("driver-btm-api.c:272:set_miner_status: STATUS_ERROR: Sweep error string = %s.", vendorCode(f))
	}
	return []byte(b.String())
}

// info is port 6060.
type info struct{ *machine }

// ServeHTTP tells wall power and the current error.
func (h *info) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	snap := h.rig.Snapshot()
	if !up(&snap) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	switch r.URL.Path {
	case "/miner_power":
		_, _ = fmt.Fprintf(w, "power:%d\n", int(snap.Power+0.5))
	case "/warning":
		msg := "None"
		if len(snap.Faults) > 0 && snap.Phase != sim.PhaseSleeping {
			msg = vendorCode(snap.Faults[0])
		}
		_, _ = fmt.Fprintf(w, `{"error_message":%q}`, msg)
	default:
		_, _ = io.WriteString(w, "error 6060 cmd")
	}
}
