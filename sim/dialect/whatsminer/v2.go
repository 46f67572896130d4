package whatsminer

import (
	"bytes"
	"net"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/sim"
)

const (
	// silence is how long the firmware waits for a request.
	silence = 10 * time.Second
	// mostRequest bounds a request.
	mostRequest = 64 << 10
)

// serveV2 answers one request and closes.
func (m *machine) serveV2(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(silence))
	request := make([]byte, 0, 1024)
	for {
		if len(request) == cap(request) {
			if len(request) >= mostRequest {
				return
			}
			request = append(request, 0)[:len(request)]
		}
		n, err := conn.Read(request[len(request):cap(request)])
		request = request[:len(request)+n]
		whole := bytes.TrimRight(request, "\x00\r\n ")
		if len(whole) > 0 && (gjson.ValidBytes(whole) || len(whole) < len(request) || err != nil) {
			if reply := m.answerV2(whole, addrOf(conn)); reply != nil {
				_ = conn.SetWriteDeadline(time.Now().Add(silence))
				_, _ = conn.Write(reply)
			}
			return
		}
		if err != nil {
			return
		}
	}
}

func addrOf(conn net.Conn) string {
	host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
	if err != nil {
		return conn.RemoteAddr().String()
	}
	return host
}

// answerV2 is the reply to a request; nil closes without one.
func (m *machine) answerV2(request []byte, addr string) []byte {
	reply := m.replyV2(request, addr)
	if reply != nil && m.old {
		reply = append(reply, 0)
	}
	return reply
}

func (m *machine) replyV2(request []byte, addr string) []byte {
	if !gjson.ValidBytes(request) {
		return m.status("E", codeBadJSON, "invalid JSON message")
	}
	root := gjson.ParseBytes(request)
	if root.Get("enc").Exists() {
		return m.sealed(root.Get("data").String())
	}
	name := root.Get("cmd").String()
	if name == "" {
		name = root.Get("command").String()
	}
	if strings.Contains(name, "+") {
		return m.joined(name)
	}
	if name == "get_token" {
		return m.getToken(addr)
	}
	s := m.rig.Snapshot()
	w := &writer{b: make([]byte, 0, 4096)}
	if m.read(w, name, &s) {
		return w.b
	}
	if writes[name] {
		return m.status("E", codePermission, "permission denied") // in the clear
	}
	return m.status("E", codeBadCommand, "invalid cmd")
}

// joined answers "summary+pools". MicroBT's own commands cannot be joined.
func (m *machine) joined(names string) []byte {
	s := m.rig.Snapshot()
	w := &writer{b: make([]byte, 0, 8192)}
	w.open('{')
	for name := range strings.SplitSeq(names, "+") {
		switch name {
		case "summary", "pools", "devs", "edevs", "devdetails":
		default:
			return m.status("E", codeBadCommand, "invalid cmd")
		}
		w.key(name)
		w.open('[')
		if !m.read(w, name, &s) {
			return m.status("E", codeBadCommand, "invalid cmd")
		}
		w.close(']')
	}
	w.int("id", 1)
	w.close('}')
	return w.b
}

// Codes of replies.
const (
	codeBadCommand   = 14
	codeBadJSON      = 23
	codePermission   = 45
	codeOK           = 131
	codeFailed       = 132
	codeTokenOK      = 134
	codeTokenInvalid = 135
	codeTokenLimit   = 136
	codeBadBase64    = 137
)

// status is a reply without content.
func (m *machine) status(kind string, code int64, msg string) []byte {
	w := &writer{b: make([]byte, 0, 128)}
	m.head(w, kind, code)
	w.text("Msg", msg)
	w.text("Description", "")
	w.close('}')
	return w.b
}

// head opens a reply in MicroBT's form, where STATUS is a text.
func (m *machine) head(w *writer, kind string, code int64) {
	w.open('{')
	w.text("STATUS", kind)
	w.int("When", m.rig.Now().Unix())
	w.int("Code", code)
}

// read writes the reply to a reading command; false when it is none.
func (m *machine) read(w *writer, name string, s *sim.Snapshot) bool {
	switch name {
	case "summary", "pools", "devs", "edevs", "devdetails":
		if m.old && off(s) {
			w.comma()
			w.b = append(w.b, m.status("E", codeFailed, "API command ERROR")...)
			return true
		}
	}
	switch name {
	case "summary":
		m.summary(w, s)
	case "pools":
		m.pools(w, s)
	case "devs", "edevs":
		m.devs(w, s, name == "edevs")
	case "devdetails":
		m.devDetails(w, s)
	case "status":
		m.message(w, func() { m.minerStatus(w, s) })
	case "get_version":
		m.message(w, func() {
			w.text("api_ver", m.api)
			w.text("fw_ver", m.firmware)
			w.text("platform", m.platform())
			w.text("chip", m.chipData(0))
		})
	case "get_miner_info":
		m.message(w, func() { m.minerInfo(w, s) })
	case "get_error_code":
		m.message(w, func() { m.errorCodes(w, s) })
	case "get_psu":
		m.message(w, func() { m.psu(w, s) })
	default:
		return false
	}
	return true
}

func (m *machine) message(w *writer, fill func()) {
	m.head(w, "S", codeOK)
	w.key("Msg")
	w.open('{')
	fill()
	w.close('}')
	w.text("Description", "")
	w.close('}')
}
