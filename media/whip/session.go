package whip

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"hark/media/whip/receive"
)

// gatherTimeout is how long a client may have to wait for our own addresses. It
// matters only when STUN servers are asked for them.
const gatherTimeout = time.Second

// Session is one client that speaks. It is safe for concurrent use.
type Session struct {
	id      string
	server  *Server
	sink    Sink
	peer    *webrtc.PeerConnection
	begunAt time.Time
	ssrc    uint32 // of our reports

	pauses  atomic.Uint32 // odd: paused; each Pause and Resume adds one
	channel channel

	mu       sync.Mutex // makes the calls of sink one at a time
	over     bool       // sink.Ended was called
	receiver *receive.Receiver
	alarm    *time.Timer // calls tick; it runs while packets are missing
	asks     []uint16    // reused
	reported time.Duration
	followed uint32        // what the receiver knows of pauses
	second   time.Duration // in which messages are counted
	heard    int           // messages in it

	negotiation sync.Mutex // one at a time; guards what follows
	offer       *offer
	version     uint64
	etag        string
	answer      string
	pace        pace

	life    life
	settled chan struct{} // closed when Open has returned the session, or refused it
	refused bool          // set when settled is closed
	once    sync.Once
	ended   chan struct{} // after sink.Ended
}

// Open takes an offer up. What it refuses, it refuses with an [*OfferError],
// and nothing is left of it; a session that it returns calls sink.Ended when it
// is over. Connecting goes on after Open, for at most Config.ConnectTimeout.
func (s *Server) Open(ctx context.Context, offer string, sink Sink) (*Session, error) {
	o, err := parseOffer(offer)
	if err != nil {
		return nil, err
	}
	if _, err := s.public.addresses(); err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.done()
	session := &Session{
		id: rand.Text(), server: s, sink: sink, begunAt: time.Now(),
		offer: o, pace: newPace(), settled: make(chan struct{}), ended: make(chan struct{}),
	}
	if err := session.open(ctx); err != nil {
		return nil, err
	}
	if !s.begun(session) {
		session.abandon()
		return nil, fmt.Errorf("the recording server: %w", ErrClosed)
	}
	session.life.begin(session)
	close(session.settled)
	return session, nil
}

func (s *Session) open(ctx context.Context) (err error) {
	var seed [4]byte
	_, _ = rand.Read(seed[:]) // it never fails
	s.ssrc = binary.BigEndian.Uint32(seed[:])
	s.receiver = receive.New(s.offer.payloadType, s.server.cfg.MaxBitRate, s.takeOpus)
	s.alarm = time.AfterFunc(time.Hour, s.tick)
	s.alarm.Stop()
	if s.peer, err = s.server.newPeer(s.offer, &intake{session: s}); err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	defer func() {
		if fault := recover(); fault != nil {
			// The offer is of our making, but made of what a stranger sent.
			err = fmt.Errorf("open a session: panic: %v", fault)
		}
		if err != nil {
			s.abandon()
		}
	}()
	s.life.watch(s)
	s.peer.OnDataChannel(s.takeChannel)
	local, err := s.negotiate(ctx, s.offer.ufrag, s.offer.pwd)
	if err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	s.answer = s.offer.answer(s.version, local)
	return nil
}

// abandon takes down a session whose sink is never to know of it.
func (s *Session) abandon() {
	s.refused = true
	close(s.settled)
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.alarm.Stop()
	// There is nobody to tell what went wrong in closing.
	_ = s.peer.GracefulClose()
}

// negotiate gives pion the client's side and returns ours. Again, with other
// credentials, it restarts ICE.
func (s *Session) negotiate(ctx context.Context, ufrag, pwd string) (half, error) {
	s.version++
	if err := s.peer.SetRemoteDescription(webrtc.SessionDescription{
		Type: webrtc.SDPTypeOffer, SDP: s.offer.render(s.version, ufrag, pwd),
	}); err != nil {
		return half{}, fmt.Errorf("apply offer: %w", err)
	}
	answer, err := s.peer.CreateAnswer(nil)
	if err != nil {
		return half{}, fmt.Errorf("answer the offer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(s.peer)
	if err := s.peer.SetLocalDescription(answer); err != nil {
		return half{}, fmt.Errorf("answer the offer: %w", err)
	}
	timeout := time.NewTimer(gatherTimeout)
	defer timeout.Stop()
	select {
	case <-gathered:
	case <-timeout.C: // what was found by now has to do
	case <-ctx.Done():
		return half{}, fmt.Errorf("find our addresses: %w", context.Cause(ctx))
	}
	if err := context.Cause(ctx); err != nil {
		return half{}, fmt.Errorf("find our addresses: %w", err)
	}
	local, err := readLocal(s.peer.LocalDescription().SDP)
	if err != nil {
		return half{}, err
	}
	public, err := s.server.public.addresses()
	if err != nil {
		return half{}, err
	}
	local.candidates = advertised(local.candidates, public)
	if len(public) == 0 {
		local.candidates = append(local.candidates, s.server.reflexive.candidates(ctx, local.candidates)...)
	}
	s.offer.ufrag, s.offer.pwd = ufrag, pwd
	s.etag = `"` + rand.Text() + `"`
	return local, nil
}

// ID is the session's name, which nobody can guess.
func (s *Session) ID() string { return s.id }

// Answer is the SDP for the client.
func (s *Session) Answer() string { return s.answer }

// ETag is the entity tag, quoted, of the current ICE session.
func (s *Session) ETag() string {
	s.negotiation.Lock()
	defer s.negotiation.Unlock()
	return s.etag
}

// Pause leaves out what is said until Resume, and its time.
func (s *Session) Pause() { s.turn(1) }

// Resume ends a pause.
func (s *Session) Resume() { s.turn(0) }

// Paused tells whether the session is paused.
func (s *Session) Paused() bool { return s.pauses.Load()%2 == 1 }

// turn makes pauses odd or even. The receiver, which may be calling the sink
// that calls us, sees it with its next packet.
func (s *Session) turn(odd uint32) {
	for {
		n := s.pauses.Load()
		if n%2 == odd || s.pauses.CompareAndSwap(n, n+1) {
			return
		}
	}
}

// Stats are counts of packets of a session.
type Stats = receive.Stats

// Stats returns what came of the session's packets so far.
func (s *Session) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.receiver.Stats()
}

// Close ends the session: what is held goes to the sink, then its Ended is
// called. It returns when that has returned; a session that has ended already
// is left as it is. From within the sink, use End.
func (s *Session) Close(reason Reason) {
	<-s.settled
	if s.refused {
		return
	}
	s.once.Do(func() {
		s.server.hold() // before forget, after which the server knows of it no more
		defer s.server.done()
		s.life.end()
		s.server.forget(s)
		s.mu.Lock()
		s.alarm.Stop()
		s.followPause()
		s.receiver.Flush()
		s.over = true
		s.sink.Ended(reason)
		s.mu.Unlock()
		close(s.ended)
		s.server.background(func() {
			s.channel.drain()
			// There is nobody to tell what went wrong in closing.
			_ = s.peer.GracefulClose()
		})
	})
	<-s.ended
}

// End is Close, but does not wait.
func (s *Session) End(reason Reason) {
	s.server.background(func() { s.Close(reason) })
}
