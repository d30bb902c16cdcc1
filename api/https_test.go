package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// site is the name of the README's site.
const site = "hark.example.org"

// sites are the servers that the README brings HTTPS with: what is changed in
// its block, so that it listens here and has a certificate of this test
// (CERT, KEY), and what stands around it.
var sites = map[string]struct {
	conf    string
	changes []string // from, to, …
	command []string
}{
	"nginx": {
		nginxConf("%[4]s"),
		[]string{
			"listen 443 ssl;", "listen LISTEN ssl;",
			"/etc/letsencrypt/live/hark.example.org/fullchain.pem", "CERT",
			"/etc/letsencrypt/live/hark.example.org/privkey.pem", "KEY",
		},
		proxies["nginx"].command,
	},
	"caddy": {
		"{\n\tadmin off\n\tauto_https off\n\tstorage file_system %[1]s\n}\n%[4]s",
		[]string{site + " {", "https://" + site + ":" + frontPort + " {\n\tbind " + frontHost + "\n\ttls CERT KEY"},
		proxies["caddy"].command,
	},
	"traefik": {
		"%[4]s",
		[]string{"{certResolver: letsencrypt}", "{}"},
		[]string{"traefik", "--entryPoints.websecure.address=LISTEN", "--providers.file.filename"},
	},
}

// TestHTTPS sends, hears and follows over HTTPS through each server as the
// README sets it up.
func TestHTTPS(t *testing.T) {
	for name, p := range sites {
		t.Run(name, func(t *testing.T) {
			h := newProxied(t, name, p.command[0], "https://"+site)
			block := inReadme(t, "   ", name)
			certificate, roots := certify(t)
			fit := strings.NewReplacer("127.0.0.1:8080", h.http.Listener.Addr().String(), "LISTEN", frontHost+":"+frontPort, "CERT", certificate+".crt", "KEY", certificate+".key")
			shown := fit.Replace(strings.NewReplacer(p.changes...).Replace(block))
			if name == "traefik" {
				shown += "tls: {certificates: [{certFile: " + certificate + ".crt, keyFile: " + certificate + ".key}]}\n"
			}
			command := make([]string, len(p.command))
			for i, arg := range p.command {
				command[i] = fit.Replace(arg)
			}
			front := startFront(t, p.conf, command, shown)
			front.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots, ServerName: site}
			h.owner.through(&http.Client{Transport: httpsTransport{front.Transport}}, site)
			h.owner.useProxy("")
		})
	}
}

// httpsTransport asks over TLS for what is to be asked for without.
type httpsTransport struct{ next http.RoundTripper }

func (t httpsTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme = "https"
	return t.next.RoundTrip(r)
}

// certify makes a certificate for the site: PATH.crt and PATH.key, and who
// trusts it.
func certify(t *testing.T) (path string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: site}, DNSNames: []string{site},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	dir, err := os.MkdirTemp("", "hark-site-*")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path = filepath.Join(dir, "site")
	must(t, os.WriteFile(path+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(path+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return path, roots
}
