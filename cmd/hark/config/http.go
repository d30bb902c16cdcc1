package config

import "net"

// HTTPConfig bounds who may hold connections, and says who may see how Hark
// does.
type HTTPConfig struct {
	MaxConnections           int `env:"HARK_MAX_CONNECTIONS" default:"4096" help:"Maximum open connections on this node; more are closed at once."`
	MaxConnectionsPerAddress int `env:"HARK_MAX_CONNECTIONS_PER_ADDRESS" default:"1024" help:"Maximum open connections from one IPv4 address or IPv6 /64; loopback and HARK_TRUSTED_PROXIES are not limited."`

	MetricsAddr  string `env:"HARK_METRICS_ADDR" placeholder:"HOST:PORT" help:"Separate address for operators, with /metrics, full /readyz and /healthz; none when empty."`
	MetricsToken Secret `env:"HARK_METRICS_TOKEN" placeholder:"SECRET" help:"Bearer token for /metrics and full /readyz on the listening address, 16 characters or more; not needed from this machine."`
}

// minSecret is how long a secret that people choose must be, in bytes.
const minSecret = 16

func (c HTTPConfig) checkHTTP(bad func(key, format string, args ...any)) {
	if c.MaxConnections < 1 {
		bad("HARK_MAX_CONNECTIONS", "%d is too few; expected 1 or more", c.MaxConnections)
	}
	if c.MaxConnectionsPerAddress < 1 {
		bad("HARK_MAX_CONNECTIONS_PER_ADDRESS", "%d is too few; expected 1 or more", c.MaxConnectionsPerAddress)
	}
	if _, _, err := net.SplitHostPort(c.MetricsAddr); c.MetricsAddr != "" && err != nil {
		bad("HARK_METRICS_ADDR", "%q is not host:port, such as 127.0.0.1:9090", c.MetricsAddr)
	}
	if c.MetricsToken != "" && len(c.MetricsToken) < minSecret {
		bad("HARK_METRICS_TOKEN", "has %d characters; expected %d or more", len(c.MetricsToken), minSecret)
	}
}
