package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certificate writes a self-signed certificate with a serial number.
func certificate(t *testing.T, dir string, serial int64) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "ballast"}, DNSNames: []string{"ballast.example.com"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return cert, key, pool
}

// A server over TLS takes a renewed certificate without a restart, and keeps the
// old one while the files are half written.
func TestCertificateFiles(t *testing.T) {
	dir := t.TempDir()
	cert, key, pool := certificate(t, dir, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	secure, err := fileTLS(ctx, cert, key, 20*time.Millisecond, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := bare(t, func(o *Options) { o.URL = "https://ballast.example.com" })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	inside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, tls.NewListener(l, secure), inside) }()
	ask := func(pool *x509.CertPool) (*http.Response, error) {
		c := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "ballast.example.com"}}}
		res, err := c.Get("https://" + l.Addr().String() + "/healthz")
		if err == nil {
			res.Body.Close()
		}
		return res, err
	}
	res, err := ask(pool)
	if err != nil || res.StatusCode != http.StatusOK || res.ProtoMajor != 2 || res.Header.Get("Strict-Transport-Security") == "" || res.TLS.PeerCertificates[0].SerialNumber.Int64() != 1 {
		t.Fatalf("%+v %v", res, err)
	}
	if res, err := http.Get("http://" + inside.Addr().String() + "/healthz"); err != nil || res.StatusCode != http.StatusOK {
		t.Error("the door of this machine's commands:", res, err)
	}
	if c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "ballast.example.com", MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}); err == nil {
		c.Close()
		t.Error("TLS 1.1 is spoken")
	}
	if res, err := http.Get("http://" + l.Addr().String() + "/healthz"); err == nil && res.StatusCode == http.StatusOK {
		t.Error("plain HTTP is answered on the TLS port")
	}
	if err := os.WriteFile(cert, []byte("-----BEGIN CERT"), 0o600); err != nil { // half written
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if res, err := ask(pool); err != nil || res.StatusCode != http.StatusOK {
		t.Error("with half a file:", err)
	}
	_, _, renewed := certificate(t, dir, 2)
	deadline := time.Now().Add(5 * time.Second)
	for {
		res, err := ask(renewed)
		if err == nil && res.TLS.PeerCertificates[0].SerialNumber.Int64() == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the new certificate is not served:", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, bad := range [][2]string{{filepath.Join(dir, "no"), key}, {cert, cert}} {
		if _, err := FileTLS(t.Context(), bad[0], bad[1], slog.New(slog.DiscardHandler)); err == nil {
			t.Error("taken:", bad)
		}
	}
}
