package api

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
func (o Operations) isOperator(r *http.Request) bool {
	if o.Own {
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if o.Token != "" && strings.EqualFold(scheme, "Bearer") && sameSecret(strings.TrimSpace(token), o.Token) {
		return true
	}
	return onThisMachine(r)
}

// sameSecret compares in a time that tells nothing.
func sameSecret(a, b string) bool {
	sumA, sumB := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(sumA[:], sumB[:]) == 1
}

func onThisMachine(r *http.Request) bool {
	for _, name := range forwarding {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

// operatorsOnly keeps next from everybody else, and says how to ask.
func (o Operations) operatorsOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.isOperator(r) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="hark operations"`)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("Metrics are for those who run Hark: ask on this machine, send HARK_METRICS_TOKEN as a bearer token, or set HARK_METRICS_ADDR.\n")) // a caller who left needs no answer
	})
}
