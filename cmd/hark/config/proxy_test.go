package config

import (
	"reflect"
	"testing"

	"hark/api/proxy"
)

// TestTrustedProxies: without a setting only a Hark that nobody else can reach
// believes what its caller says of another.
func TestTrustedProxies(t *testing.T) {
	ten, err := proxy.ParseTrusted([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		addr string
		set  []string
		want proxy.Trusted
	}{
		{"127.0.0.1:8080", nil, proxy.Loopback()},
		{"[::1]:8080", nil, proxy.Loopback()},
		{"localhost:8080", nil, proxy.Loopback()},
		{"0.0.0.0:8080", nil, nil},
		{":8080", nil, nil},
		{"192.168.1.5:8080", nil, nil},
		{"127.0.0.1:8080", []string{"none"}, nil},
		{"0.0.0.0:8080", []string{"10.0.0.0/8"}, ten},
		{"127.0.0.1:8080", []string{"10.0.0.0/8"}, ten},
	} {
		got, err := ProxyConfig{TrustedProxies: c.set}.Trusted(c.addr)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s with %v trusts %v, %v; want %v", c.addr, c.set, got, err, c.want)
		}
	}
}
