package opus

import (
	"fmt"

	"github.com/thesyncim/gopus"

	"hark/media"
)

const (
	// divide is how many samples at [Rate] make one of those that come out.
	divide = Rate / media.SampleRate
	// mostSamples is the longest packet in samples at media.SampleRate.
	mostSamples = MaxSamples / divide
	// mostPacket is the most bytes of a packet; the longest legal one is shorter.
	mostPacket = 64 << 10
	// usualSamples is what is taken for a packet's length before there was one.
	usualSamples = media.SampleRate / 50
	// believed is how many samples in a row are made up from what was heard
	// before: 100 ms. Beyond that invention would be heard as such, and
	// silence follows.
	believed = media.SampleRate / 10
	// celt is the first configuration of packets that cannot carry a copy of
	// the frame before them (RFC 6716, section 3.1).
	celt = 16
)

// codec decodes packets to sound at [media.SampleRate], its channels
// interleaved. Both return the number of samples of a channel. A nil packet
// conceals a lost one that fills pcm; with fec, what comes out is the lost frame
// before the packet, which fills pcm.
type codec interface {
	Decode(packet []byte, pcm []float32) (int, error)
	DecodeWithFEC(packet []byte, pcm []float32, fec bool) (int, error)
}

// newCodec makes a decoder that gives so many channels at 16 kHz whatever the
// packets hold: Opus scales and mixes down by itself, more cheaply than we could
// afterwards.
func newCodec(channels int) (codec, error) {
	return gopus.NewDecoder(gopus.DecoderConfig{
		SampleRate: media.SampleRate, Channels: channels,
		MaxPacketSamples: mostSamples, MaxPacketBytes: mostPacket,
	})
}

// Stream turns the packets of one stream, in order, into sound of one or two
// channels at [media.SampleRate], and makes up what is lost between them. It knows nothing
// of time: [Decoder] and the reader of files do. Bytes that are no packet, and
// those that would bring the codec to panic, count as lost. A Stream is not
// safe for concurrent use.
type Stream struct {
	codec    codec
	start    func(channels int) (codec, error)
	channels int  // 1 or 2; all counts of samples are those of one channel
	last     int  // samples of the last good packet
	made     int  // samples made up since then
	heard    bool // whether there was one
	pcm      []float32
}

// NewStream makes a Stream that has heard nothing and gives one channel, or two
// interleaved ones.
func NewStream(channels int) (*Stream, error) {
	c, err := newCodec(channels)
	if err != nil {
		return nil, fmt.Errorf("start Opus decoder: %w", err)
	}
	return &Stream{codec: c, start: newCodec, channels: channels, last: usualSamples, pcm: make([]float32, channels*mostSamples)}, nil
}

// Length returns how many samples a packet stands for: for one that makes no
// sense, or is lost (nil), as many as the last good one.
func (s *Stream) Length(packet []byte) int {
	if n, err := Samples(packet); err == nil {
		return n / divide
	}
	return s.last
}

// Decode returns the sound of the next packet, [Stream.Length] samples of each
// channel that are the caller's until the next call. When the packet gives none the sound
// is made up, and good is false.
//
// A packet without content stands for one that was lost, or not sent (RFC
// 7845, section 4.1.1): its sound comes from the copy in next, the packet after
// it, if that has one. next may be nil.
func (s *Stream) Decode(packet, next []byte) (pcm []float32, good bool) {
	n := s.Length(packet)
	if len(packet) == 1 && s.heard && copyLength(next) == n {
		s.last = n
		return s.copyBefore(next, n), true
	}
	if packet != nil {
		got, err := s.guard(func() (int, error) { return s.codec.Decode(packet, s.pcm[:n*s.channels]) })
		if err == nil && got == n {
			s.last, s.made, s.heard = n, 0, true
			return s.pcm[:n*s.channels], true
		}
	}
	return s.invent(n), false
}

// Conceal gives n samples of each channel in place of what was lost before the packet next,
// which may be nil, in portions that are give's until it returns. The last
// frame comes from the copy that SILK and hybrid packets may carry of the one
// before them (in-band FEC; RFC 6716, section 2.1.7), the others are made up
// from what was heard before, at most 100 ms of them; the rest is silence.
// It ends with give's first error.
func (s *Stream) Conceal(n int64, next []byte, give func([]float32) error) error {
	copied := int64(copyLength(next))
	if n < copied || !s.heard {
		copied = 0
	}
	for left := n - copied; left > 0; {
		step := int(min(left, int64(s.last)))
		if err := give(s.invent(s.last)[:step*s.channels]); err != nil {
			return err
		}
		left -= int64(step)
	}
	if copied == 0 {
		return nil
	}
	return give(s.copyBefore(next, int(copied)))
}

// copyLength returns how many samples of the sound before a packet it may
// carry a copy of: one frame, or 0.
func copyLength(packet []byte) int {
	if len(packet) < 2 || packet[0]>>3 >= celt {
		return 0
	}
	return frameSamples[packet[0]>>3] / divide
}

// copyBefore returns the n samples that packet has a copy of; where it has
// none the codec makes them up.
func (s *Stream) copyBefore(packet []byte, n int) []float32 {
	pcm := s.pcm[:n*s.channels]
	got, err := s.guard(func() (int, error) { return s.codec.DecodeWithFEC(packet, pcm, true) })
	if err != nil || got != n {
		clear(pcm)
	}
	return pcm
}

// invent makes up n samples, at most one packet.
func (s *Stream) invent(n int) []float32 {
	pcm := s.pcm[:n*s.channels]
	if !s.heard || s.made >= believed {
		clear(pcm)
		return pcm
	}
	s.made += n
	got, err := s.guard(func() (int, error) { return s.codec.Decode(nil, pcm) })
	if err != nil || got != n {
		clear(pcm)
	}
	return pcm
}

// guard calls the codec. The codec is given the bytes of strangers, and is
// young: a panic becomes an error, and a new codec goes on.
func (s *Stream) guard(call func() (int, error)) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			n, err = 0, fmt.Errorf("%w: the decoder gave up on it: %v", ErrPacket, r)
			if fresh, startErr := s.start(s.channels); startErr == nil {
				s.codec, s.heard = fresh, false
			}
		}
	}()
	return call()
}
