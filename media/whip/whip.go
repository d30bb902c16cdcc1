// Package whip receives live recordings over WebRTC: the server's side of WHIP
// (RFC 9725), without its HTTP.
//
// # Data flow
//
// A client offers a session in SDP; [Server.Open] checks and cleans the offer
// and answers it. Its packets come in on the one UDP port of all sessions (or
// over TCP, for networks that let no UDP through), are decrypted by pion, and
// are put in order by a jitter buffer (package receive), which waits for what is
// missing and asks for it again (NACK). Each packet gets its place in the
// recording from the sender's clock, checked against ours; then it goes to the
// [Sink] of the session, in order, one at a time.
//
// # Places
//
// Wall time and audio time agree. Silence that was not sent (DTX), packets that
// never came and outages leave gaps of their real length between packets; what
// was said while the session was paused is left out, and so is its time. A
// sender whose clock jumps is believed no further than our own clock allows.
//
// # Codec
//
// Opus, in mono, or in stereo for a client that offers it; with in-band error
// correction always, and without sending silence (DTX) when the client offers
// that. NACK is answered even where it was not offered: browsers do not offer
// it for audio, but send again what is asked for.
//
// # Ends
//
// A session ends when its client or the server says so, when the client has
// not been heard for [Config.Grace], or when it breaks a limit; the [Reason]
// tells which. Until then a client that changed its network may come back by
// an ICE restart (RFC 9725, section 4.3.3) and goes on in the same recording.
//
// # Whom it sends to
//
// The server is an ICE lite agent (RFC 8445, section 2.5): it makes no checks,
// answers those of clients that know the session's password to where they came
// from, and sends nothing to any address that a client's SDP names. Candidates
// are read over, and names in them never looked up. A full agent would send
// packets to wherever a stranger says, also within the server's own network.
// The price: a server behind NAT must be reachable at its port, as it makes no
// holes from within.
//
// # Limits
//
// One audio stream of Opus a session; video is turned down. 48 KiB of offer are
// plenty, 64 KiB the most; 16 KiB a message on the data channel; a bit rate,
// see [Config]; 10 ICE restarts at once and one in 10 s from then on. A session costs about 0.25 MB, a dozen goroutines of pion's, and
// a thousandth of a core.
package whip

import (
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/pion/transport/v4"

	"hark/media/opus"
)

// Config says where a [Server] listens and what it allows.
type Config struct {
	// UDP is the host:port of the one UDP port of all sessions. An empty host
	// listens on every address, IPv4 and IPv6.
	UDP string
	// TCP is the host:port for clients whose network lets no UDP through.
	// Empty: none.
	TCP string
	// Public are the addresses or names that clients get instead of the
	// machine's own: what a server behind NAT is reached by. Names are looked
	// up in the background; see [Server.Ready]. Empty: the machine's own.
	Public []string
	// Resolver looks names up; nil means the machine's.
	Resolver *net.Resolver
	// LookupEvery is how often names are looked up again; 0 means a minute. One
	// that is not known is tried at least every 5 s.
	LookupEvery time.Duration
	// ICEServers are given to clients ([Server.Links]). When Public is empty the
	// server asks those of scheme stun as well how its UDP port is reached.
	ICEServers []ICEServer
	// TURNSecret is shared with the TURN servers that have no credential here:
	// each client is given one made of it, for TURNLife. Empty: there are none
	// such.
	TURNSecret string
	// TURNLife is how long such a credential is good for; 0 means an hour. A
	// session that lasts longer may lose its relay.
	TURNLife time.Duration
	// Grace is how long a client that is not heard may take to come back;
	// 0 means 30 s.
	Grace time.Duration
	// ConnectTimeout is how long a session may take to connect; 0 means 15 s.
	ConnectTimeout time.Duration
	// MaxBitRate is what a client may send in bit/s, taken over 5 s; 0 means
	// 600,000, which is above what Opus can use.
	MaxBitRate int
	// Net replaces the machine's network in tests; nil means the machine's.
	Net transport.Net
	// Logger must not be nil.
	Logger *slog.Logger
}

// ICEServer is a STUN or TURN server.
type ICEServer struct {
	URLs       []string // such as stun:host:port or turn:host:port?transport=udp
	Username   string   // for TURN; empty where Config.TURNSecret makes it
	Credential string   // for TURN: the password; likewise
}

const (
	defaultGrace          = 30 * time.Second
	defaultConnectTimeout = 15 * time.Second
	defaultMaxBitRate     = 600_000
)

// withDefaults gives fields that are zero their meaning.
func (c Config) withDefaults() Config {
	if c.Grace <= 0 {
		c.Grace = defaultGrace
	}
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = defaultConnectTimeout
	}
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	if c.LookupEvery <= 0 {
		c.LookupEvery = defaultLookupEvery
	}
	if c.TURNLife <= 0 {
		c.TURNLife = defaultTURNLife
	}
	if c.MaxBitRate <= 0 {
		c.MaxBitRate = defaultMaxBitRate
	}
	return c
}

// Sink takes what a session says. Its methods are called one at a time and
// never again after Ended. They may call the session's Pause, Resume, Paused,
// Send and End, but not Close, which waits for them.
type Sink interface {
	// Opus takes a packet. Positions never go back, and packets never overlap.
	// p.Data is valid during the call only. It must not block.
	Opus(p opus.Packet)
	// Message takes a message of the client's data channel "hark", of at most
	// [MaxMessage] bytes, valid during the call only.
	Message(data []byte)
	// Ended is the last call of every session that Open returned, and comes
	// once. The data channel still sends what Send is given during it.
	Ended(reason Reason)
}

// MaxMessage is the most bytes of a message on the data channel.
const MaxMessage = 16 << 10

// ChannelName is the label of the data channel that a client may open.
const ChannelName = "hark"

// Reason is why a session ended. Callers of [Session.Close] may give their own.
type Reason string

// The reasons that the package itself knows.
const (
	Stopped        Reason = "stopped"         // the client ended it
	Disconnected   Reason = "disconnected"    // it was not heard for Config.Grace
	NeverConnected Reason = "never_connected" // not within Config.ConnectTimeout
	TooFast        Reason = "too_fast"        // it sent more than Config.MaxBitRate
	ServerStopped  Reason = "server_stopped"  // Server.Close
	Failed         Reason = "failed"          // the transport broke for good
)

// OfferKind tells apart why an offer is refused.
type OfferKind int

// The kinds, with the status that RFC 9725, section 4.2, asks for.
const (
	Malformed    OfferKind = iota // no SDP that can be understood: 400
	Unacceptable                  // understood, but nothing we can record: 406
)

// OfferError is an offer that is refused. Message is a sentence for people.
type OfferError struct {
	Kind    OfferKind
	Message string
}

func (e *OfferError) Error() string { return e.Message }

// FragmentError is a fragment that is refused. Message is a sentence for
// people.
type FragmentError struct {
	Malformed bool // true: it cannot be understood (400); false: it does not fit the session (422)
	Message   string
}

func (e *FragmentError) Error() string { return e.Message }

var (
	// ErrClosed means that the server or the session has ended.
	ErrClosed = errors.New("closed")
	// ErrPrecondition means that If-Match names another ICE session than the
	// current one (412).
	ErrPrecondition = errors.New("the entity tag is not the session's current one")
	// ErrPreconditionMissing means that a fragment came without If-Match (428).
	ErrPreconditionMissing = errors.New("If-Match is missing")
	// ErrTooMany means that a session was patched, or restarted, more often than
	// any network makes necessary (429).
	ErrTooMany = errors.New("too many patches of the session")
	// ErrNoChannel means that a message was dropped because the client has
	// opened no data channel.
	ErrNoChannel = errors.New("the client has no data channel")
	// ErrBehind means that a message was dropped because the client does not
	// keep up.
	ErrBehind = errors.New("the client does not keep up with messages")
)

// Patched is the answer to a fragment.
type Patched struct {
	// Fragment is empty after trickled candidates (204); after an ICE restart
	// it is our side of it, of type application/trickle-ice-sdpfrag (200).
	Fragment string
	ETag     string // the entity tag that holds from now on
}
