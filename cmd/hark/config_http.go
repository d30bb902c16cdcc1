package main

// HTTPConfig bounds who may hold connections.
type HTTPConfig struct {
	MaxConnections           int `env:"HARK_MAX_CONNECTIONS" default:"4096" help:"Connections open at once on this node; those over it are closed at once."`
	MaxConnectionsPerAddress int `env:"HARK_MAX_CONNECTIONS_PER_ADDRESS" default:"1024" help:"Those of one IPv4 address or IPv6 /64; loopback is not bounded."`
}

func (c HTTPConfig) checkHTTP(bad func(key, format string, args ...any)) {
	if c.MaxConnections < 1 {
		bad("HARK_MAX_CONNECTIONS", "%d is too few; expected 1 or more", c.MaxConnections)
	}
	if c.MaxConnectionsPerAddress < 1 {
		bad("HARK_MAX_CONNECTIONS_PER_ADDRESS", "%d is too few; expected 1 or more", c.MaxConnectionsPerAddress)
	}
}
