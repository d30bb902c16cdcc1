package main

import (
	"net"
	"net/netip"
	"slices"

	"hark/api"
	"hark/api/proxy"
)

// ProxyConfig says who stands in front of Hark, and under which names it is
// asked.
type ProxyConfig struct {
	Hosts          []string `env:"HARK_HOSTS" placeholder:"NAMES" help:"Names under which Hark answers beside that of HARK_PUBLIC_URL, localhost and addresses, comma-separated, such as the name of a service in a cluster; * for all. Other names are refused, as a page elsewhere can have its own name lead here."`
	TrustedProxies []string `env:"HARK_TRUSTED_PROXIES" placeholder:"NETWORKS" help:"Proxies that are believed when they say whom they ask for (X-Forwarded-For, X-Forwarded-Host, Forwarded), comma-separated networks such as 10.0.0.0/8, or none; when empty, this machine's own if HARK_ADDR is a loopback address, where nobody else can ask."`
}

func (c ProxyConfig) checkProxy(addr string, bad func(key, format string, args ...any)) {
	for _, name := range c.Hosts {
		if err := api.CheckHost(name); err != nil {
			bad("HARK_HOSTS", "%s", err)
		}
	}
	if _, err := c.trusted(addr); err != nil {
		bad("HARK_TRUSTED_PROXIES", "%s", err)
	}
}

// trusted are the proxies to believe where addr is listened on. On a loopback
// address all callers are programs of this machine, among them the proxy; on
// any other a container's or a neighbour's address could be meant by nobody but
// the operator.
func (c ProxyConfig) trusted(addr string) (proxy.Trusted, error) {
	if slices.Equal(c.TrustedProxies, []string{"none"}) {
		return nil, nil
	}
	if len(c.TrustedProxies) > 0 {
		return proxy.ParseTrusted(c.TrustedProxies)
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, nil //nolint:nilerr // HARK_ADDR is refused elsewhere
	}
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		return proxy.Loopback(), nil
	}
	return nil, nil
}
