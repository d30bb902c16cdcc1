package opus_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/thesyncim/gopus"

	"hark/media"
	"hark/media/opus"
)

// sweep is a tone that glides, so that each moment of it is unlike the others.
func sweep(seconds float64) []float32 {
	pcm := make([]float32, int(seconds*media.SampleRate))
	phase := 0.0
	for i := range pcm {
		at := float64(i) / media.SampleRate
		phase += 2 * math.Pi * (300 + 200*math.Sin(3*at)) / media.SampleRate
		pcm[i] = float32(0.3 * math.Sin(phase) * (0.6 + 0.4*math.Sin(17*at)))
	}
	return pcm
}

// speak encodes sound in packets of 20 ms that carry copies of the one before.
func speak(t testing.TB, pcm []float32, channels int) []opus.Packet {
	t.Helper()
	const frame = media.SampleRate / 50
	e, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: media.SampleRate, Channels: channels, Application: gopus.ApplicationVoIP})
	if err != nil {
		t.Fatal(err)
	}
	e.SetFEC(true)
	for _, err := range []error{e.SetFrameSize(frame), e.SetBitrate(32_000), e.SetPacketLoss(20)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var packets []opus.Packet
	for at := 0; at+frame <= len(pcm); at += frame {
		var interleaved []float32
		for _, s := range pcm[at : at+frame] {
			for range channels {
				interleaved = append(interleaved, s)
			}
		}
		data, err := e.EncodeFloat32(interleaved)
		if err != nil {
			t.Fatal(err)
		}
		n, err := opus.Samples(data)
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, opus.Packet{Position: int64(at) * 3, Samples: n, Data: bytes.Clone(data)})
	}
	return packets
}

// listened decodes packets.
func listened(t testing.TB, packets []opus.Packet) []float32 {
	t.Helper()
	d, err := opus.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	var all []float32
	for _, p := range packets {
		if err := d.Decode(p, func(pcm []float32) error {
			all = append(all, pcm...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// lose takes packets out.
func lose(packets []opus.Packet, lost func(i int) bool) []opus.Packet {
	var kept []opus.Packet
	for i, p := range packets {
		if !lost(i) {
			kept = append(kept, p)
		}
	}
	return kept
}

// noise is the energy of the difference of two sounds to that of the first.
func noise(a, b []float32) float64 {
	var sum, all float64
	for i := range min(len(a), len(b)) {
		all += float64(a[i]) * float64(a[i])
		sum += float64(a[i]-b[i]) * float64(a[i]-b[i])
	}
	return sum / all
}

// TestDecoderAgreesWithTheFile decodes packets, and the file that the writer
// makes of them.
func TestDecoderAgreesWithTheFile(t *testing.T) {
	for name, lost := range map[string]func(i int) bool{
		"whole":     func(int) bool { return false },
		"lossy":     func(i int) bool { return i%9 == 5 },
		"an outage": func(i int) bool { return 50 <= i && i < 110 },
		"late":      func(i int) bool { return i < 20 },
	} {
		for channels := 1; channels <= 2; channels++ {
			packets := lose(speak(t, sweep(4), channels), lost)
			var file bytes.Buffer
			w, err := opus.NewWriter(&file, channels, 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range packets {
				if err := w.Write(p); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			filed, live := heard(t, file.Bytes()), listened(t, packets)
			if d := len(filed) - len(live); d < -160 || d > 160 {
				t.Errorf("%s: %d samples live, %d in the file", name, len(live), len(filed))
			}
			// At the end of a page of the file a copy is not found.
			if n := noise(filed, live); n > 0.02 {
				t.Errorf("%s: live sound is %.4f unlike the file's", name, n)
			}
		}
	}
}

func TestDecoderRecoversWhatWasLost(t *testing.T) {
	packets := speak(t, sweep(4), 1)
	whole := listened(t, packets)
	alone := func(i int) bool { return i%10 == 5 && i+1 < len(packets) && gopus.PacketHasLBRR(packets[i+1].Data) }
	recovered := listened(t, lose(packets, alone))
	if len(recovered) != len(whole) {
		t.Fatalf("%d samples, want %d", len(recovered), len(whole))
	}
	silenced := append([]float32(nil), whole...)
	for i := range packets {
		if alone(i) {
			clear(silenced[i*320-104 : (i+1)*320-104])
		}
	}
	if got, worst := noise(whole, recovered), noise(whole, silenced); got > worst/50 {
		t.Errorf("what was lost is %.4f off, nothing at all %.4f", got, worst)
	}
}

func TestDecoderEndsInventionWithSilence(t *testing.T) {
	packets := speak(t, sweep(4), 1)
	sound := listened(t, lose(packets, func(i int) bool { return 50 <= i && i < 100 }))
	energy := func(from, to int) (sum float64) { // in packets
		for _, s := range sound[from*320-104 : to*320-104] {
			sum += float64(s) * float64(s)
		}
		return sum
	}
	if energy(50, 53) == 0 {
		t.Error("nothing was made up for the first of what was lost")
	}
	if e := energy(56, 98); e != 0 {
		t.Errorf("silence of energy %.4f", e)
	}
}

func TestDecoderDropsWhatIsLate(t *testing.T) {
	packets := speak(t, sweep(1), 1)
	twice := append(append(append([]opus.Packet(nil), packets[:20]...), packets[10:20]...), packets[20:]...)
	if got, want := listened(t, twice), listened(t, packets); noise(want, got) != 0 || len(got) != len(want) {
		t.Error("packets that came twice changed the sound")
	}
}

func TestDecoderErrors(t *testing.T) {
	d, err := opus.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	never := func([]float32) error { t.Error("sound of nothing"); return nil }
	for _, data := range [][]byte{nil, {31<<3 | 3}, make([]byte, 65_535)} {
		if err := d.Decode(opus.Packet{Samples: 960, Data: data}, never); !errors.Is(err, opus.ErrPacket) {
			t.Errorf("%d bytes: %v", len(data), err)
		}
	}
	full := errors.New("full")
	p := speak(t, sweep(0.1), 1)[0]
	for _, position := range []int64{0, 48_000} { // its sound, and the gap before it
		p.Position += position
		if err := d.Decode(p, func([]float32) error { return full }); !errors.Is(err, full) {
			t.Errorf("sink's error came back as %v", err)
		}
	}
}

// FuzzDecoder gives the decoder three packets of a stranger, with gaps.
func FuzzDecoder(f *testing.F) {
	good := speak(f, sweep(0.2), 1)
	f.Add(good[0].Data, good[1].Data, good[2].Data, uint16(0), uint16(960))
	f.Add(good[0].Data, good[4].Data, []byte{31<<3 | 3, 0x83, 1, 2, 7, 7, 7, 7}, uint16(2880), uint16(100))
	f.Add([]byte{3<<3 | 2, 1, 2}, []byte{15<<3 | 1, 1, 2}, []byte{}, uint16(1), uint16(9999))
	f.Fuzz(func(t *testing.T, a, b, c []byte, gap, next uint16) {
		d, err := opus.NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		var end, given int64
		for i, data := range [][]byte{a, b, c} {
			p := opus.Packet{Position: end + []int64{0, int64(gap), int64(next)}[i], Data: data}
			err := d.Decode(p, func(pcm []float32) error {
				given += int64(len(pcm))
				for _, s := range pcm {
					if s != s || s > 100 || s < -100 {
						t.Fatalf("a sample is %v", s)
					}
				}
				return nil
			})
			n, bad := opus.Samples(data)
			if (err == nil) != (bad == nil) {
				t.Fatalf("%v, but %v", err, bad)
			}
			if bad == nil {
				end = p.Position + int64(n)
			}
			if want := max(end/3-104, 0); given > want+1 || given < want-1 {
				t.Fatalf("%d samples up to %d", given, end)
			}
		}
	})
}
