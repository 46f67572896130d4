package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"strconv"
	"strings"
	"time"
)

// RPCRequest is one request in the manner of the cgminer API: JSON
// ({"command":"summary+pools","parameter":"0"}) or text ("ascset|0,reboot,0").
type RPCRequest struct {
	Commands  []string // more than one when joined by '+'
	Parameter string
	JSON      bool
	Broken    bool // JSON that could not be read
	NewAPI    bool // Bitmain's extension: "new_api":true beside the command
}

// ServeRPC reads one request from an accepted connection, sends what answer
// makes of it and closes. An empty answer closes without a word, as firmwares
// do that die of a command.
func ServeRPC(ctx context.Context, conn net.Conn, answer func(RPCRequest) []byte) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	const most = 64 << 10
	buf := make([]byte, 0, 512)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := conn.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if n > 0 && requestEnds(buf) || len(buf) >= most {
			break
		}
		if err != nil {
			if len(buf) == 0 {
				return
			}
			break
		}
	}
	if reply := answer(ParseRPC(buf)); len(reply) > 0 {
		_, _ = conn.Write(reply)
	}
}

// requestEnds tells whether a request is whole: firmwares take what one packet
// brings, so only JSON may come in pieces.
func requestEnds(b []byte) bool {
	b = bytes.TrimSpace(b)
	return len(b) > 0 && (b[0] != '{' || b[len(b)-1] == '}' || b[len(b)-1] == 0)
}

// ParseRPC reads a request.
func ParseRPC(b []byte) RPCRequest {
	b = bytes.Trim(b, " \t\r\n\x00")
	if len(b) == 0 || b[0] != '{' {
		command, parameter, _ := strings.Cut(string(b), "|")
		return RPCRequest{Commands: strings.Split(command, "+"), Parameter: parameter}
	}
	var in struct {
		Command   string `json:"command"`
		Cmd       string `json:"cmd"`
		Parameter any    `json:"parameter"`
		NewAPI    bool   `json:"new_api"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return RPCRequest{JSON: true, Broken: true}
	}
	out := RPCRequest{Commands: strings.Split(in.Command+in.Cmd, "+"), JSON: true, NewAPI: in.NewAPI}
	switch p := in.Parameter.(type) {
	case string:
		out.Parameter = p
	case float64:
		out.Parameter = strconv.FormatFloat(p, 'f', -1, 64)
	}
	return out
}

// RPCWriter prints a reply of the cgminer API in JSON or in text. Sections are
// lists of objects; keys and values are the firmware's.
type RPCWriter struct {
	b       []byte
	json    bool
	section bool // one is open
	objects int  // in the open section
	fields  int  // in the open object
}

// NewRPCWriter starts a reply. With into, the reply is appended to that.
func NewRPCWriter(asJSON bool, into []byte) *RPCWriter {
	w := &RPCWriter{b: into, json: asJSON}
	if asJSON {
		w.b = append(w.b, '{')
	}
	return w
}

// Status writes the STATUS section that heads every reply.
func (w *RPCWriter) Status(kind string, when int64, code int, msg, description string) {
	w.Section("STATUS")
	if w.json {
		w.Object("")
		w.Text("STATUS", kind)
	} else {
		w.b = append(append(w.b, "STATUS="...), kind...)
		w.objects, w.fields = 1, 1
	}
	w.Int("When", when)
	w.Int("Code", int64(code))
	w.Text("Msg", msg)
	w.Text("Description", description)
}

// Section opens a list of objects under its JSON name.
func (w *RPCWriter) Section(name string) {
	w.closeSection()
	if w.json {
		if w.b[len(w.b)-1] != '{' {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, '"')
		w.b = append(w.b, name...)
		w.b = append(w.b, `":[`...)
	}
	w.section, w.objects = true, 0
}

// Object opens the next object of the section; head is what it begins with in
// the text form ("SUMMARY", "POOL=0").
func (w *RPCWriter) Object(head string) {
	w.closeObject()
	if w.json {
		if w.objects > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, '{')
		w.fields = 0
	} else {
		w.b = append(w.b, head...)
		w.fields = 1
	}
	w.objects++
}

func (w *RPCWriter) key(k string) {
	if w.fields > 0 {
		w.b = append(w.b, ',')
	}
	w.fields++
	if !w.json {
		w.b = append(w.b, k...)
		w.b = append(w.b, '=')
		return
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, k...)
	w.b = append(w.b, `":`...)
}

// Text writes a text.
func (w *RPCWriter) Text(k, v string) {
	w.key(k)
	if !w.json {
		for i := range len(v) {
			if strings.IndexByte(`\|=,`, v[i]) >= 0 {
				w.b = append(w.b, '\\')
			}
			w.b = append(w.b, v[i])
		}
		return
	}
	w.b = append(w.b, '"')
	for i := range len(v) {
		switch c := v[i]; c {
		case '"', '\\':
			w.b = append(w.b, '\\', c)
		case '\n':
			w.b = append(w.b, `\n`...)
		default:
			w.b = append(w.b, c)
		}
	}
	w.b = append(w.b, '"')
}

// Bare writes a value as it is: a literal of JSON, or what a firmware takes for
// one.
func (w *RPCWriter) Bare(k, v string) { w.key(k); w.b = append(w.b, v...) }

// Int writes a whole number.
func (w *RPCWriter) Int(k string, v int64) { w.key(k); w.b = strconv.AppendInt(w.b, v, 10) }

// Float writes a number with so many decimals.
func (w *RPCWriter) Float(k string, v float64, decimals int) {
	w.key(k)
	w.b = strconv.AppendFloat(w.b, v, 'f', decimals, 64)
}

// Bool writes a truth.
func (w *RPCWriter) Bool(k string, v bool) { w.key(k); w.b = strconv.AppendBool(w.b, v) }

func (w *RPCWriter) closeObject() {
	if w.objects == 0 {
		return
	}
	if w.json {
		w.b = append(w.b, '}')
	} else {
		w.b = append(w.b, '|')
	}
}

func (w *RPCWriter) closeSection() {
	if !w.section {
		return
	}
	w.closeObject()
	if w.json {
		w.b = append(w.b, ']')
	}
	w.section, w.objects = false, 0
}

// End closes the reply and returns it, without the NUL that follows it on the
// wire.
func (w *RPCWriter) End() []byte {
	w.closeSection()
	if w.json {
		w.b = append(w.b, `,"id":1}`...)
	}
	return w.b
}

// JoinRPC answers a request of one or several commands: one is printed as it
// is, several as {"summary":[{..}],"pools":[{..}],"id":1}, or one after the
// other under CMD=.. in text. The reply ends with the API's NUL.
func JoinRPC(q RPCRequest, print func(command string, into []byte) []byte) []byte {
	if len(q.Commands) == 1 {
		return append(print(q.Commands[0], make([]byte, 0, 4096)), 0)
	}
	out := make([]byte, 0, 16384)
	if q.JSON {
		out = append(out, '{')
	}
	for i, c := range q.Commands {
		if !q.JSON {
			out = print(c, append(append(append(out, "CMD="...), c...), '|'))
			continue
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, '"'), c...), `":[`...)
		out = append(print(c, out), ']')
	}
	if q.JSON {
		out = append(out, `,"id":1}`...)
	}
	return append(out, 0)
}
