package whiptest

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"hark/media/opus"
)

func TestEncode(t *testing.T) {
	for _, rate := range []int{16000, 48000} {
		pcm := make([]float32, rate/2+1)
		for i := range pcm {
			pcm[i] = float32(0.3 * math.Sin(float64(i)*0.05))
		}
		packets, err := Encode(pcm, rate)
		if err != nil {
			t.Fatal(err)
		}
		if len(packets) != 26 {
			t.Errorf("%d packets of half a second and a sample at %d Hz", len(packets), rate)
		}
		for _, p := range packets {
			if n, err := opus.Samples(p); n != 960 || err != nil {
				t.Fatalf("a packet of %d samples, %v", n, err)
			}
		}
	}
	if _, err := Encode(make([]float32, 100), 44100); err == nil {
		t.Error("44.1 kHz was encoded")
	}
}

func TestReadOgg(t *testing.T) {
	want, err := Encode(make([]float32, 16000), 16000)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := opus.NewWriter(&b, 1, 7)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range want {
		if err := w.Write(opus.Packet{Position: int64(i) * 960, Samples: 960, Data: p}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := ReadOgg(&b)
	// The writer may end with a packet that lets the decoder finish the last.
	if err != nil || len(got) < len(want) || !slices.EqualFunc(got[:len(want)], want, bytes.Equal) {
		t.Errorf("%d packets of %d, %v", len(got), len(want), err)
	}
	if _, err := ReadOgg(bytes.NewReader([]byte("RIFF"))); err == nil {
		t.Error("a WAV was read")
	}
}
