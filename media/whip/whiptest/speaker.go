// Package whiptest is a WHIP client (RFC 9725) for tests and benchmarks: a
// [Speaker] says Opus packets over a real peer connection, as a browser would,
// over a network that can be made as bad as one likes.
//
// A Speaker is light: a thousand of them run in one process. It keeps what it
// sent for a few seconds and sends it again when asked (NACK), as browsers do.
package whiptest

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
	"github.com/pion/webrtc/v4"

	"hark/media/opus"
)

const payloadType = 111

// Config is how a Speaker connects.
type Config struct {
	URL    string       // the WHIP endpoint, with its query
	Token  string       // sent as a bearer token; empty: none
	Client *http.Client // nil: http.DefaultClient

	// Trickle offers no candidates at first and sends them by PATCH.
	Trickle bool
	// Channel opens the data channel "hark"; OnMessage hears what comes over
	// it, one message at a time. Nil drops it.
	Channel   bool
	OnMessage func(text []byte)

	// Video offers video as well, before the audio: to receive it, since pion
	// takes no answer that turns down what it would send.
	Video bool

	// Sequence and Timestamp are what RTP starts at; both 0: anything.
	Sequence  uint16
	Timestamp uint32

	// Net replaces the machine's network; nil means the machine's.
	Net transport.Net
	// Settings, when not nil, may change more of the peer connection.
	Settings func(*webrtc.SettingEngine)
	// Disturb, when not nil, is given every encrypted media packet that leaves,
	// and calls send with it once, twice, later or never. It must be safe for
	// concurrent use; packet is its own.
	Disturb func(packet []byte, send func(packet []byte))
}

// Speaker is a connected client. Its methods that speak are for one goroutine
// at a time; the others are safe for concurrent use.
type Speaker struct {
	cfg     Config
	http    whipHTTP
	peer    *webrtc.PeerConnection
	track   *webrtc.TrackLocalStaticRTP
	gate    *gate
	channel *webrtc.DataChannel // nil: none
	opened  chan struct{}       // when channel is open
	reading sync.WaitGroup

	connected chan struct{}
	failed    chan struct{}

	header  rtp.Header // of the next packet
	sent    atomic.Int64
	again   atomic.Int64 // sent because they were asked for
	behind  atomic.Int64 // the most, in ns
	losses  atomic.Uint32
	reports atomic.Int64 // receiver reports

	mu   sync.Mutex
	kept map[uint16]*rtp.Packet // what was sent last
}

// Dial offers a session and returns when it is connected: when the data
// channel, if it was asked for, is open as well.
func Dial(ctx context.Context, cfg Config) (*Speaker, error) {
	s := &Speaker{
		cfg: cfg, http: whipHTTP{client: cfg.Client, token: cfg.Token},
		connected: make(chan struct{}), failed: make(chan struct{}), opened: make(chan struct{}),
		kept: map[uint16]*rtp.Packet{},
	}
	if s.http.client == nil {
		s.http.client = http.DefaultClient
	}
	if err := s.newPeer(); err != nil {
		return nil, fmt.Errorf("dial %s: %w", cfg.URL, err)
	}
	if err := s.connect(ctx); err != nil {
		s.Vanish()
		return nil, fmt.Errorf("dial %s: %w", cfg.URL, err)
	}
	return s, nil
}

func (s *Speaker) newPeer() error {
	media := &webrtc.MediaEngine{}
	codec := webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: opus.Rate, Channels: 2,
		SDPFmtpLine:  "minptime=10;useinbandfec=1;usedtx=1",
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: webrtc.TypeRTCPFBNACK}},
	}
	if err := media.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: codec, PayloadType: payloadType}, webrtc.RTPCodecTypeAudio); err != nil {
		return err
	}
	if err := media.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, PayloadType: 96,
	}, webrtc.RTPCodecTypeVideo); err != nil {
		return err
	}
	settings, err := s.settings()
	if err != nil {
		return err
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(settings),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	if s.peer, err = api.NewPeerConnection(webrtc.Configuration{}); err != nil {
		return err
	}
	s.peer.OnConnectionStateChange(s.stateChanged())
	if s.cfg.Video {
		receive := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
		if _, err := s.peer.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, receive); err != nil {
			return errors.Join(err, s.peer.Close())
		}
	}
	if s.track, err = webrtc.NewTrackLocalStaticRTP(codec, "audio", "speaker"); err != nil {
		return errors.Join(err, s.peer.Close())
	}
	sender, err := s.peer.AddTransceiverFromTrack(s.track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return errors.Join(err, s.peer.Close())
	}
	s.reading.Go(func() { s.readRTCP(sender.Sender()) })
	if s.cfg.Channel {
		if s.channel, err = s.peer.CreateDataChannel("hark", nil); err != nil {
			return errors.Join(err, s.peer.Close())
		}
		s.channel.OnOpen(func() { close(s.opened) })
		s.channel.OnMessage(func(m webrtc.DataChannelMessage) {
			if s.cfg.OnMessage != nil {
				s.cfg.OnMessage(m.Data)
			}
		})
	} else {
		close(s.opened)
	}
	s.newHeader()
	return nil
}

func (s *Speaker) settings() (webrtc.SettingEngine, error) {
	inner := s.cfg.Net
	if inner == nil {
		machine, err := stdnet.NewNet()
		if err != nil {
			return webrtc.SettingEngine{}, err
		}
		inner = machine
	}
	s.gate = &gate{Net: inner, disturb: s.cfg.Disturb}
	e := webrtc.SettingEngine{LoggerFactory: &logging.DefaultLoggerFactory{
		Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled,
	}}
	e.SetNet(s.gate)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetIncludeLoopbackCandidate(true)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if s.cfg.Settings != nil {
		s.cfg.Settings(&e)
	}
	return e, nil
}

func (s *Speaker) newHeader() {
	s.header = rtp.Header{Version: 2, PayloadType: payloadType, SequenceNumber: s.cfg.Sequence, Timestamp: s.cfg.Timestamp}
	if s.cfg.Sequence == 0 && s.cfg.Timestamp == 0 {
		var b [6]byte
		_, _ = rand.Read(b[:]) // it never fails
		s.header.SequenceNumber, s.header.Timestamp = binary.BigEndian.Uint16(b[:]), binary.BigEndian.Uint32(b[2:])
	}
}

func (s *Speaker) stateChanged() func(webrtc.PeerConnectionState) {
	var connected, failed sync.Once
	return func(state webrtc.PeerConnectionState) {
		switch state {
		case webrtc.PeerConnectionStateConnected:
			connected.Do(func() { close(s.connected) })
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			failed.Do(func() { close(s.failed) })
		}
	}
}

// connect negotiates and waits.
func (s *Speaker) connect(ctx context.Context) error {
	offer, err := s.peer.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(s.peer)
	if err := s.peer.SetLocalDescription(offer); err != nil {
		return err
	}
	if !s.cfg.Trickle {
		<-gathered
		offer = *s.peer.LocalDescription()
	}
	answer, err := s.http.post(ctx, s.cfg.URL, offer.SDP)
	if err != nil {
		return err
	}
	if err := s.peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return err
	}
	if s.cfg.Trickle {
		<-gathered
		if _, err := s.http.patch(ctx, fragmentOf(s.peer.LocalDescription().SDP), s.http.etag()); err != nil {
			return err
		}
	}
	for _, step := range []chan struct{}{s.connected, s.opened} {
		select {
		case <-step:
		case <-s.failed:
			return errors.New("the connection failed")
		case <-ctx.Done():
			return fmt.Errorf("connect: %w", context.Cause(ctx))
		}
	}
	return nil
}

// Sent returns how many packets were said, each counted once.
func (s *Speaker) Sent() int64 { return s.sent.Load() }

// SentAgain returns how many packets were sent because the server asked.
func (s *Speaker) SentAgain() int64 { return s.again.Load() }

// Behind returns by how much packets were said later than they should have
// been, at the most, because the machine had no time for it. A server may take
// that for a pause of the speaker's.
func (s *Speaker) Behind() time.Duration { return time.Duration(s.behind.Load()) }

// Reported returns how many receiver reports came, and the fraction of packets
// lost, of 256, in the last.
func (s *Speaker) Reported() (reports int64, fractionLost int) {
	return s.reports.Load(), int(s.losses.Load())
}

// Closed is closed when the peer connection is, by whichever side.
func (s *Speaker) Closed() <-chan struct{} { return s.failed }

// Message sends text over the data channel.
func (s *Speaker) Message(text string) error {
	if s.channel == nil {
		return errors.New("no data channel")
	}
	return s.channel.SendText(text)
}

// Location is the session's URL.
func (s *Speaker) Location() string { return s.http.location }

// Header is the header of the answer to the offer.
func (s *Speaker) Header() http.Header { return s.http.header }

// Close ends the session as RFC 9725 wants it, by DELETE, and hangs up.
func (s *Speaker) Close(ctx context.Context) error {
	err := s.http.delete(ctx)
	return errors.Join(err, s.HangUp())
}

// HangUp closes the peer connection without a DELETE, as a browser does whose
// tab is closed: DTLS says so to the server.
func (s *Speaker) HangUp() error {
	err := s.peer.GracefulClose()
	s.reading.Wait()
	return err
}

// Vanish closes everything without telling the server.
func (s *Speaker) Vanish() {
	s.gate.cut.Store(true)
	_ = s.HangUp() // nobody is to hear of it
}
