package config

import (
	"net"
	"net/netip"
	"slices"

	"hark/api/front"
	"hark/api/proxy"
)

// ProxyConfig says who stands in front of Hark, and under which names it is
// asked.
type ProxyConfig struct {
	Hosts          []string `env:"HARK_HOSTS" placeholder:"NAMES" help:"Host names that Hark answers to besides HARK_PUBLIC_URL, localhost and IP addresses, comma-separated, such as a service's name in a cluster; * for all. Others are refused, which stops DNS rebinding."`
	TrustedProxies []string `env:"HARK_TRUSTED_PROXIES" placeholder:"NETWORKS" help:"Reverse proxies whose X-Forwarded-For, X-Forwarded-Host and Forwarded are trusted: comma-separated networks such as 10.0.0.0/8, or none; when empty, this machine if HARK_ADDR is a loopback address."`
}

func (c ProxyConfig) checkProxy(addr string, bad func(key, format string, args ...any)) {
	for _, name := range c.Hosts {
		if err := front.CheckHost(name); err != nil {
			bad("HARK_HOSTS", "%s", err)
		}
	}
	if _, err := c.Trusted(addr); err != nil {
		bad("HARK_TRUSTED_PROXIES", "%s", err)
	}
}

// Trusted are the proxies to believe where addr is listened on. On a loopback
// address all callers are programs of this machine, among them the proxy; on
// any other a container's or a neighbour's address could be meant by nobody but
// the operator.
func (c ProxyConfig) Trusted(addr string) (proxy.Trusted, error) {
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
