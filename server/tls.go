package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// certEvery is how often certificate files are looked at.
const certEvery = 10 * time.Second

// FileTLS serves with a certificate from files, and with the new one soon after
// they change: renewing takes no restart. Files that do not fit (half written,
// of two renewals) are left alone until they do.
func FileTLS(ctx context.Context, cert, key string, log *slog.Logger) (*tls.Config, error) {
	return fileTLS(ctx, cert, key, certEvery, log)
}

func fileTLS(ctx context.Context, cert, key string, every time.Duration, log *slog.Logger) (*tls.Config, error) {
	var now atomic.Pointer[tls.Certificate]
	load := func() error {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return fmt.Errorf("reading the certificate: %w", err)
		}
		if time.Now().After(pair.Leaf.NotAfter) {
			log.Warn("the certificate has expired", "file", cert, "since", pair.Leaf.NotAfter)
		}
		now.Store(&pair)
		return nil
	}
	seen := stamp(cert, key)
	if err := load(); err != nil {
		return nil, err
	}
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			at := stamp(cert, key)
			if at == seen {
				continue
			}
			if err := load(); err != nil {
				log.Warn("the certificate files changed and cannot be used; the old certificate stays", "error", err)
				continue
			}
			seen = at
			log.Info("the certificate was renewed", "file", cert, "until", now.Load().Leaf.NotAfter)
		}
	}()
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return now.Load(), nil },
	}, nil
}

type fileStamp struct {
	cert, key         time.Time
	certSize, keySize int64
}

func stamp(cert, key string) (s fileStamp) {
	if i, err := os.Stat(cert); err == nil {
		s.cert, s.certSize = i.ModTime(), i.Size()
	}
	if i, err := os.Stat(key); err == nil {
		s.key, s.keySize = i.ModTime(), i.Size()
	}
	return s
}
