package config

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"

	"hark/media/whip"
)

// LiveConfig says how people speak into Hark over WebRTC.
type LiveConfig struct {
	UDP          string   `name:"webrtc-udp" env:"HARK_WEBRTC_UDP" placeholder:"ADDR" help:"UDP address for live recordings, which clients must reach; port 8189 of HARK_ADDR's host when empty; off turns live recording off."`
	TCP          string   `name:"webrtc-tcp" env:"HARK_WEBRTC_TCP" placeholder:"ADDR" help:"TCP address for clients whose network blocks UDP, or off; same as HARK_WEBRTC_UDP when empty."`
	Public       []string `name:"webrtc-public" env:"HARK_WEBRTC_PUBLIC" placeholder:"HOSTS" help:"Public addresses or names of these ports, comma-separated, for a server behind NAT; its own when empty."`
	ICEServers   []string `name:"ice-servers" env:"HARK_ICE_SERVERS" placeholder:"URLS" credentials:"" help:"STUN and TURN servers for clients, comma-separated: stun:HOST:PORT, turn:USER:SECRET@HOST:PORT?transport=udp, or turn:HOST:PORT with HARK_TURN_SECRET."`
	TURNSecret   Secret   `name:"turn-secret" env:"HARK_TURN_SECRET" placeholder:"SECRET" help:"Secret shared with the TURN servers (coturn's static-auth-secret); each speaker gets a credential that expires."`
	Sessions     int      `name:"webrtc-sessions" env:"HARK_WEBRTC_SESSIONS" default:"1000" help:"Maximum simultaneous live recordings on this node."`
	UserSessions int      `name:"webrtc-user-sessions" env:"HARK_WEBRTC_USER_SESSIONS" default:"4" help:"Maximum simultaneous live recordings of one user on this node."`
	Captions     string   `env:"HARK_CAPTIONS" enum:"auto,on,off" default:"auto" help:"Live captions (${enum}): auto where this process transcribes in process, on loads the model in role api too."`
}

// Off is what turns a port off.
const Off = "off"

// Enabled reports whether people can speak here at all.
func (c LiveConfig) Enabled() bool { return c.UDP != Off }

// livePort is where live recordings come in.
const livePort = "8189"

// listenBeside has live recordings come in where HTTP does, unless it was said
// where: who keeps HTTP on this machine means all of it.
func (c *LiveConfig) listenBeside(httpAddr string) {
	host, _, err := net.SplitHostPort(httpAddr)
	if err != nil {
		return // it is refused
	}
	c.UDP = cmp.Or(c.UDP, net.JoinHostPort(host, livePort))
	c.TCP = cmp.Or(c.TCP, c.UDP)
}

func (c LiveConfig) check(bad func(key, format string, args ...any)) {
	for _, port := range []struct{ key, value string }{{"HARK_WEBRTC_UDP", c.UDP}, {"HARK_WEBRTC_TCP", c.TCP}} {
		if port.value == Off {
			continue
		}
		if _, _, err := net.SplitHostPort(port.value); err != nil {
			bad(port.key, "%q is not host:port, such as :8189, or off", port.value)
		}
	}
	for _, host := range c.Public {
		if net.ParseIP(host) == nil && !hostName.MatchString(host) {
			bad("HARK_WEBRTC_PUBLIC", "%q is not an address or a name, such as 203.0.113.7 or voice.example.org, without a port", host)
		}
	}
	if _, err := ParseICEServers(c.ICEServers, c.TURNSecret != ""); err != nil {
		bad("HARK_ICE_SERVERS", "%s", err)
	}
	if c.Sessions < 1 {
		bad("HARK_WEBRTC_SESSIONS", "%d is too few; expected 1 or more, or HARK_WEBRTC_UDP=off", c.Sessions)
	}
	if c.UserSessions < 1 {
		bad("HARK_WEBRTC_USER_SESSIONS", "%d is too few; expected 1 or more", c.UserSessions)
	}
}

var (
	hostName  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
	iceServer = regexp.MustCompile(`^(stuns?|turns?):(?:([^:@]+):([^@]+)@)?([^@/?]+)(\?transport=(?:udp|tcp))?$`)

	errICEServer = errors.New("an entry is not such as stun:stun.example.org:3478 or turn:USER:SECRET@turn.example.org:3478?transport=udp (special characters in USER and SECRET percent-encoded; without USER and SECRET only with HARK_TURN_SECRET)")
)

// ParseICEServers reads addresses as RFC 7064 and RFC 7065 write them, with the
// credential of a TURN server before its host, unless a secret is shared with
// it. Errors do not repeat what may hold a password.
func ParseICEServers(entries []string, shared bool) ([]whip.ICEServer, error) {
	servers := make([]whip.ICEServer, 0, len(entries))
	for _, entry := range entries {
		parts := iceServer.FindStringSubmatch(strings.TrimSpace(entry))
		if parts == nil {
			return nil, errICEServer
		}
		scheme, host, transport := parts[1], parts[4], parts[5]
		user, err := url.PathUnescape(parts[2])
		secret, err2 := url.PathUnescape(parts[3])
		isTURN := strings.HasPrefix(scheme, "turn")
		if err != nil || err2 != nil || user != "" && !isTURN || user == "" && isTURN && !shared {
			return nil, errICEServer
		}
		servers = append(servers, whip.ICEServer{
			URLs: []string{scheme + ":" + host + transport}, Username: user, Credential: secret,
		})
	}
	return servers, nil
}

// Hears reports whether this process needs the model to caption people who
// speak, though it does no work.
func (c *Config) Hears() bool {
	return c.Role != "worker" && c.Live.Enabled() && c.Live.Captions == "on"
}
