package opus

import (
	"bytes"
	"errors"
	"testing"

	"github.com/thesyncim/gopus"
)

func TestSamples(t *testing.T) {
	for _, c := range []struct {
		name   string
		packet []byte
		want   int // 0: refused
	}{
		{"nothing", nil, 0},
		{"SILK 10 ms", []byte{0 << 3}, 480},
		{"SILK 60 ms", []byte{3 << 3, 1}, 2880},
		{"two hybrid of 20 ms", []byte{15<<3 | 1, 1, 2}, 1920},
		{"two of one size, odd", []byte{15<<3 | 1, 1}, 0},
		{"two with a length", []byte{3<<3 | 2, 1, 2}, 5760},
		{"two, the first of two-byte length", append([]byte{3<<3 | 2, 252, 1}, make([]byte, 256)...), 5760},
		{"two, the first cut short", []byte{3<<3 | 2, 9, 2}, 0},
		{"two without a length", []byte{3<<3 | 2}, 0},
		{"half a length", []byte{3<<3 | 2, 253}, 0},
		{"five CELT of 2.5 ms", []byte{16<<3 | 3, 5}, 600},
		{"six of 20 ms", []byte{31<<3 | 3, 6}, 5760},
		{"longer than 120 ms", []byte{31<<3 | 3, 7}, 0},
		{"without its count", []byte{31<<3 | 3}, 0},
		{"of no frames", []byte{31<<3 | 3, 0x80}, 0},
		{"three of own lengths", []byte{31<<3 | 3, 0x83, 1, 2, 7, 7, 7, 7}, 2880},
		{"three, one cut short", []byte{31<<3 | 3, 0x83, 1, 9, 7, 7, 7, 7}, 0},
		{"padded", []byte{31<<3 | 3, 0x41, 2, 7, 0, 0}, 960},
		{"padded by more than there is", []byte{31<<3 | 3, 0x41, 9, 7, 0, 0}, 0},
		{"endless padding", []byte{31<<3 | 3, 0x41, 255, 255}, 0},
		{"the largest frame", append([]byte{31 << 3}, make([]byte, 1275)...), 960},
		{"a larger one", append([]byte{31 << 3}, make([]byte, 1276)...), 0},
		{"65,535 bytes", append([]byte{31 << 3}, make([]byte, 65534)...), 0},
	} {
		got, err := Samples(c.packet)
		if got != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("%s: %d samples, %v; want %d", c.name, got, err, c.want)
		}
		if err != nil && !errors.Is(err, ErrPacket) {
			t.Errorf("%s: %v is no ErrPacket", c.name, err)
		}
	}
}

// FuzzSamples holds Samples against the decoder: what decodes has that length.
func FuzzSamples(f *testing.F) {
	f.Add([]byte{15<<3 | 1, 1, 2})
	f.Add([]byte{3<<3 | 2, 1, 2})
	f.Add([]byte{31<<3 | 3, 0x83, 1, 2, 7, 7, 7, 7})
	f.Add([]byte{31<<3 | 3, 0x41, 2, 7, 0, 0})
	f.Add(bytes.Repeat([]byte{0xff}, 300))
	decoder, err := gopus.NewDecoder(gopus.DefaultDecoderConfig(Rate, 1))
	if err != nil {
		f.Fatal(err)
	}
	out := make([]float32, MaxSamples)
	f.Fuzz(func(t *testing.T, packet []byte) {
		n, err := Samples(packet)
		if err != nil {
			if n != 0 {
				t.Fatalf("%d samples and %v", n, err)
			}
			return
		}
		if n < 1 || n > MaxSamples {
			t.Fatalf("%d samples", n)
		}
		decoder.Reset()
		if got, err := decoder.Decode(packet, out); err == nil && got != n {
			t.Fatalf("%d samples, the decoder makes %d", n, got)
		}
	})
}
