package sim

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// ServeHTTP answers HTTP/1.1 requests on one accepted connection until the peer
// leaves. It is a small server of its own because a site has tens of thousands
// of listeners that share nothing but a process: replies are buffered and sent
// with their length, and connections stay open as the firmware's would.
func ServeHTTP(ctx context.Context, conn net.Conn, h http.Handler) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	in := bufio.NewReaderSize(conn, 2048)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(75 * time.Second))
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		req = req.WithContext(ctx)
		req.RemoteAddr = conn.RemoteAddr().String()
		req.Body = http.MaxBytesReader(nil, req.Body, 1<<20)
		w := &reply{header: http.Header{}}
		h.ServeHTTP(w, req)
		_, _ = io.Copy(io.Discard, req.Body)
		closing := req.Close || w.header.Get("Connection") == "close"
		if w.write(conn, closing) != nil || closing {
			return
		}
	}
}

type reply struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *reply) Header() http.Header { return r.header }

func (r *reply) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *reply) Write(b []byte) (int, error) { r.WriteHeader(http.StatusOK); return r.body.Write(b) }

func (r *reply) write(conn net.Conn, closing bool) error {
	r.WriteHeader(http.StatusOK)
	var out bytes.Buffer
	out.WriteString("HTTP/1.1 " + strconv.Itoa(r.status) + " " + http.StatusText(r.status) + "\r\n")
	r.header.Set("Content-Length", strconv.Itoa(r.body.Len()))
	if closing {
		r.header.Set("Connection", "close")
	}
	_ = r.header.Write(&out)
	out.WriteString("\r\n")
	out.Write(r.body.Bytes())
	_ = conn.SetWriteDeadline(time.Now().Add(30 * time.Second))
	_, err := conn.Write(out.Bytes())
	return err
}
