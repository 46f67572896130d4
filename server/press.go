package server

import (
	"bytes"
	"compress/flate"
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
)

// The live stream is compressed once for all who get the same bytes, not once
// for each: with two hundred listeners that is most of its cost, and a
// compressor for each of them most of its memory.
//
// That works because of how deflate is made: what a fresh compressor puts out
// up to a flush ends at a whole byte, refers to nothing before it, and is not
// the last of the stream. Such pieces can follow each other in any order behind
// one gzip header (RFC 1951, 3.2.4 and RFC 1952). Several gzip members would be
// simpler, but browsers read the first one only. The trailer never comes: the
// stream has no end, it is cut.

// gzipHead begins a gzip stream without name, time and extras.
var gzipHead = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}

var flates = sync.Pool{New: func() any { w, _ := flate.NewWriter(nil, 4); return w }}

// deflate is one piece that stands for itself.
func deflate(plain []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(plain)/8 + 64)
	w := flates.Get().(*flate.Writer)
	defer flates.Put(w)
	w.Reset(&out)
	_, _ = w.Write(plain)
	_ = w.Flush()
	return out.Bytes()
}

// press keeps what was compressed since the last beat, by the very bytes: the
// key is where they begin, and keeps them from being used for something else.
type press struct {
	mu   sync.Mutex
	done map[*byte]*pressed
}

type pressed struct {
	once sync.Once
	out  []byte
}

// of is b compressed; who asks second gets what the first one made.
func (p *press) of(b []byte) []byte {
	p.mu.Lock()
	if p.done == nil {
		p.done = map[*byte]*pressed{}
	}
	d, ok := p.done[&b[0]]
	if !ok {
		d = &pressed{}
		p.done[&b[0]] = d
	}
	p.mu.Unlock()
	d.once.Do(func() { d.out = deflate(b) })
	return d.out
}

// forget begins a new beat.
func (p *press) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = nil
}

// pressing tells whether a listener takes compressed pieces, and says so in the
// head of the answer.
func pressing(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Add("Vary", "Accept-Encoding")
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		return false
	}
	w.Header().Set("Content-Encoding", "gzip")
	return true
}

// sendBuffer is what the kernel may hold for one listener. Left alone it takes
// megabytes for each who stopped reading, and minutes to tell.
const sendBuffer = 128 << 10

type connKey struct{}

// withConn puts a connection where its requests find it.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// boundBuffer bounds what the kernel holds for the connection of a request.
func boundBuffer(r *http.Request) {
	c, _ := r.Context().Value(connKey{}).(net.Conn)
	if t, ok := c.(interface{ NetConn() net.Conn }); ok { // TLS
		c = t.NetConn()
	}
	if b, ok := c.(interface{ SetWriteBuffer(int) error }); ok {
		_ = b.SetWriteBuffer(sendBuffer) // a wish: without it the kernel's own bound holds
	}
}
