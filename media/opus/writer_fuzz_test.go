package opus_test

import (
	"bytes"
	"testing"

	"hark/media/opus"
)

// FuzzWriter writes whatever bytes, with whatever places in time within some
// seconds, and asks for a file that is right in every page.
func FuzzWriter(f *testing.F) {
	f.Add([]byte{0, 0, 1, 15 << 3, 10, 0, 1, 15 << 3, 0x40, 1, 4, 31<<3 | 3, 6, 0, 0, 0xFF, 0xFF, 1, 0})
	f.Add(bytes.Repeat([]byte{1, 0, 200}, 500))
	f.Fuzz(func(t *testing.T, input []byte) {
		var file bytes.Buffer
		w, err := opus.NewWriter(&file, 1+len(input)%2, 7)
		if err != nil {
			t.Fatal(err)
		}
		at := int64(0)
		for len(input) >= 3 {
			at += int64(int8(input[0]))<<8 | int64(input[1])
			n := min(int(input[2]), len(input)-3)
			packet := input[3 : 3+n]
			input = input[3+n:]
			before := w.Position()
			err := w.Write(opus.Packet{Position: at, Data: packet})
			samples, bad := opus.Samples(packet)
			switch after := w.Position(); {
			case (err == nil) != (bad == nil):
				t.Fatalf("write: %v; samples: %v", err, bad)
			case err != nil || at < before:
				if after != before {
					t.Fatalf("what was dropped moved %d to %d", before, after)
				}
			case after > at+int64(samples) || after <= at+int64(samples)-120:
				t.Fatalf("a packet from %d to %d ends at %d", at, at+int64(samples), after)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		packetsOf(t, file.Bytes())
		info, err := opus.Scan(&file)
		if err != nil || !info.Ended || info.Samples != w.Position() {
			t.Fatalf("%+v, %v; want %d samples", info, err, w.Position())
		}
	})
}
