package opus

import (
	"errors"
	"testing"
)

// panicking is a codec that is brought to panic by packets of 3 bytes, and
// fails on those of 2.
type panicking struct{}

func (panicking) Decode(packet []byte, pcm []float32) (int, error) {
	switch len(packet) {
	case 3:
		panic("index out of range")
	case 2:
		return 0, errors.New("no")
	}
	for i := range pcm {
		pcm[i] = 1
	}
	return len(pcm), nil
}

func (c panicking) DecodeWithFEC(packet []byte, pcm []float32, _ bool) (int, error) {
	return c.Decode(packet, pcm)
}

func TestStreamOutlivesItsCodec(t *testing.T) {
	started := 0
	start := func(int) (codec, error) {
		started++
		return panicking{}, nil
	}
	s := &Stream{codec: panicking{}, start: start, channels: 1, last: usualSamples, pcm: make([]float32, mostSamples)}
	for _, c := range []struct {
		packet  []byte
		good    bool
		loud    bool
		started int
	}{
		{[]byte{9 << 3}, true, true, 0},
		{[]byte{9 << 3, 0}, false, true, 0},     // fails: made up
		{[]byte{9 << 3, 0, 0}, false, false, 1}, // panics: nothing to make it up of
		{[]byte{9 << 3}, true, true, 1},
	} {
		pcm, good := s.Decode(c.packet, nil)
		if good != c.good || len(pcm) != 320 || (pcm[0] != 0) != c.loud || started != c.started {
			t.Errorf("%d bytes: good %v, %d samples of %v, %d codecs started", len(c.packet), good, len(pcm), pcm[0], started)
		}
	}
	if err := s.Conceal(640, []byte{9 << 3, 0, 0}, func(pcm []float32) error { return nil }); err != nil || started != 2 {
		t.Errorf("%v, %d codecs started", err, started)
	}
}
