package whip

import (
	"encoding/binary"
	"io"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/transport/v4/packetio"

	"hark/media/opus"
)

// maxSources is how many SSRCs a client may use in a session. Each leaves some
// state behind in pion.
const maxSources = 64

// reportEvery is how often a client gets a receiver report; browsers set
// their error correction by it.
const reportEvery = 2 * time.Second

// intake takes a session's packets where pion has decrypted them. Pion's own
// way, a buffer and a reading goroutine for each source, costs a copy and a
// switch of goroutines a packet; a buffer that hands on what is written to it
// spares both.
type intake struct {
	session *Session
	sources atomic.Int32
}

// buffer implements [webrtc.SettingEngine.BufferFactory].
func (in *intake) buffer(kind packetio.BufferPacketType, _ uint32) io.ReadWriteCloser {
	if in.sources.Add(1) > 2*maxSources {
		in.session.End(Failed)
	}
	if kind == packetio.RTPBufferPacket {
		return packetSink(in.session.takeRTP)
	}
	return packetSink(in.session.takeRTCP)
}

// packetSink is a buffer that holds nothing.
type packetSink func(b []byte)

func (f packetSink) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

// Read has nothing to give: pion, which would look for tracks, sees none.
func (f packetSink) Read([]byte) (int, error) { return 0, io.EOF }

// Close implements [io.Closer].
func (f packetSink) Close() error { return nil }

func (s *Session) now() time.Duration { return time.Since(s.begunAt) }

// takeRTP takes a decrypted RTP packet, which is valid during the call.
func (s *Session) takeRTP(b []byte) {
	ok := true
	s.step(func(now time.Duration) { ok = s.receiver.Push(b, now) })
	if !ok {
		s.End(TooFast)
	}
}

// tick is what a missing packet's time calls for.
func (s *Session) tick() {
	s.step(func(now time.Duration) { s.receiver.Advance(now) })
}

// step calls do with the lock held and sends the feedback that is due then,
// unless the session is over.
func (s *Session) step(do func(now time.Duration)) {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return
	}
	now := s.now()
	s.followPause()
	do(now)
	packets := s.feedback(now)
	s.mu.Unlock()
	s.sendRTCP(packets)
}

// feedback returns the RTCP packets that are due now, nil for none, and sets the
// timer for when packets are missing.
func (s *Session) feedback(now time.Duration) []rtcp.Packet {
	r := s.receiver
	s.asks = r.Missing(s.asks[:0], now)
	wake, waiting := r.Wake()
	if waiting {
		s.alarm.Reset(max(wake-now, time.Millisecond))
	}
	if len(s.asks) == 0 && now-s.reported < reportEvery {
		return nil
	}
	s.reported = now
	// A report goes first: not every client reads a NACK that stands alone.
	packets := []rtcp.Packet{&rtcp.ReceiverReport{
		SSRC: s.ssrc, Reports: []rtcp.ReceptionReport{r.Report(now)},
	}}
	if len(s.asks) > 0 {
		packets = append(packets, &rtcp.TransportLayerNack{
			SenderSSRC: s.ssrc, MediaSSRC: r.SSRC(), Nacks: rtcp.NackPairsFromSequenceNumbers(s.asks),
		})
	}
	return packets
}

func (s *Session) sendRTCP(packets []rtcp.Packet) {
	if len(packets) == 0 {
		return
	}
	// What cannot be sent is like what is lost on the way.
	_ = s.peer.WriteRTCP(packets)
}

// takeRTCP notes the time of sender reports, which our reports refer to. A BYE
// is passed over: browsers also send it for what goes on under another source.
func (s *Session) takeRTCP(b []byte) {
	if len(b) < 16 || b[1] != byte(rtcp.TypeSenderReport) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receiver.SenderReport(binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[10:]), s.now())
}

// takeOpus takes what the receiver has put in order and in place.
func (s *Session) takeOpus(p opus.Packet) { s.sink.Opus(p) }

// followPause makes the receiver do what Pause and Resume asked for since the
// last packet.
func (s *Session) followPause() {
	asked := s.pauses.Load()
	if asked == s.followed {
		return
	}
	s.followed = asked
	if asked%2 == 1 {
		s.receiver.Pause()
	} else {
		s.receiver.Resume()
	}
}
