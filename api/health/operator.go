package health

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"
)

// forwarding are the headers of a request that came through a proxy, which may
// be on this machine while who asks is not.
var forwarding = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"}

// isOperator reports whether a request is from those who run Hark: on the
// listener of their own, with their token, or made on this machine.
func (e Endpoints) isOperator(r *http.Request) bool {
	if e.Own {
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if e.Token != "" && strings.EqualFold(scheme, "Bearer") && sameSecret(strings.TrimSpace(token), e.Token) {
		return true
	}
	return OnThisMachine(r)
}

// sameSecret compares in a time that does not depend on where two secrets differ.
func sameSecret(a, b string) bool {
	sumA, sumB := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(sumA[:], sumB[:]) == 1
}

// OnThisMachine reports whether a request was made on this machine, and not
// through a proxy.
func OnThisMachine(r *http.Request) bool {
	for _, name := range forwarding {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

// operatorsOnly keeps next from everybody else, and says how to ask.
func (e Endpoints) operatorsOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.isOperator(r) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="hark operations"`)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("Metrics are for those who run Hark: ask on this machine, send HARK_METRICS_TOKEN as a bearer token, or set HARK_METRICS_ADDR.\n")) // a caller who left needs no answer
	})
}
