package decode

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hark/media"
	"hark/media/internal/mediatest"
	"hark/media/internal/ogg"
)

// speechPages returns the pages of a few seconds of speech as ffmpeg writes
// them in Opus, about five pages a second.
func speechPages(t testing.TB) [][]byte {
	t.Helper()
	b := mediatest.Read(t, mediatest.FFmpeg(t, "a.opus", "-i", mediatest.Speech(t), "-c:a", "libopus", "-b:a", "24k", "-page_duration", "200000"))
	var pages [][]byte
	for len(b) > 0 {
		_, n, err := ogg.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, b[:n:n])
		b = b[n:]
	}
	return pages
}

// sign puts the checksum on a page that was changed, bit by bit as RFC 3533
// describes it.
func sign(page []byte) []byte {
	page = bytes.Clone(page)
	clear(page[22:26])
	crc := uint32(0)
	for _, b := range page {
		crc ^= uint32(b) << 24
		for range 8 {
			crc = crc<<1 ^ 0x04C11DB7*(crc>>31)
		}
	}
	binary.LittleEndian.PutUint32(page[22:], crc)
	return page
}

// decodeBytes decodes a clip that is no file yet.
func decodeBytes(t testing.TB, clip []byte) ([]float32, Report, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip")
	if err := os.WriteFile(path, clip, 0o600); err != nil {
		t.Fatal(err)
	}
	return decodeFile(t, plain, path)
}

func mustDecodeBytes(t testing.TB, clip []byte) ([]float32, Report) {
	t.Helper()
	sound, report, err := decodeBytes(t, clip)
	if err != nil {
		t.Fatal(err)
	}
	return sound, report
}

func TestOpusSurvivesDamage(t *testing.T) {
	pages := speechPages(t)
	whole, report := mustDecodeBytes(t, bytes.Join(pages, nil))
	if report.Truncated {
		t.Fatal("a whole file was called damaged")
	}
	for name, damage := range map[string]func(pages [][]byte) [][]byte{
		"a page is missing": func(p [][]byte) [][]byte { return append(p[:10], p[11:]...) },
		"a page is damaged": func(p [][]byte) [][]byte {
			p[10] = bytes.Clone(p[10])
			p[10][100] ^= 0x55
			return p
		},
		"there is rubbish between pages": func(p [][]byte) [][]byte {
			p[10] = append(bytes.Repeat([]byte("OggS rubbish"), 1000), p[10]...)
			return p
		},
		"packets are rubbish": func(p [][]byte) [][]byte {
			page := bytes.Clone(p[10])
			for i := 27 + int(page[26]) + 1; i < len(page); i++ {
				page[i] ^= 0xA7
			}
			p[10] = sign(page)
			return p
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, report := mustDecodeBytes(t, bytes.Join(damage(append([][]byte{}, pages...)), nil))
			if d := media.Duration(int64(len(got) - len(whole))); d.Abs() > 10*time.Millisecond {
				t.Errorf("%v longer: what follows the damage is not at its time", d)
			}
			tail := len(whole) - 3*media.SampleRate
			if c := correlation(whole[tail:], got[tail:], 0); c < 0.98 {
				t.Errorf("after the damage the sound is %.3f alike", c)
			}
			if name != "packets are rubbish" && !report.Truncated {
				t.Error("the damage was not reported")
			}
		})
	}
}

func TestOpusChained(t *testing.T) {
	link := bytes.Join(speechPages(t), nil)
	one, _ := mustDecodeBytes(t, link)
	two, report := mustDecodeBytes(t, append(bytes.Clone(link), link...))
	if len(two) != 2*len(one) || report.Truncated {
		t.Errorf("two links give %d samples (%+v), want %d", len(two), report, 2*len(one))
	}
}

func TestOpusGain(t *testing.T) {
	pages := speechPages(t)
	plain, _ := mustDecodeBytes(t, bytes.Join(pages, nil))
	head := bytes.Clone(pages[0])
	binary.LittleEndian.PutUint16(head[28+16:], 0xFA00) // -6 dB in 1/256 dB
	pages[0] = sign(head)
	quiet, _ := mustDecodeBytes(t, bytes.Join(pages, nil))
	for i := range quiet {
		if d := float64(quiet[i]) - float64(plain[i])*math.Pow(10, -6.0/20); math.Abs(d) > 1e-6 {
			t.Fatalf("sample %d is off by %g", i, d)
		}
	}
}

// TestOpusStopsAtTheLimit feeds silence that takes a few bytes a second: an
// hour of it in less than 200 kB.
func TestOpusStopsAtTheLimit(t *testing.T) {
	pages := speechPages(t)
	file := bytes.Join(pages[:2], nil)
	body := bytes.Repeat([]byte{0xFF, 0xFE}, 255) // 255 packets of 20 ms in CELT, with 1 byte: DTX
	for i := range 40 * 3600 / 5 / 10 {
		page := append([]byte("OggS\x00\x00"), make([]byte, 20)...)
		binary.LittleEndian.PutUint64(page[6:], uint64((i+1)*255*960))
		copy(page[14:18], pages[0][14:18])
		binary.LittleEndian.PutUint32(page[18:], uint32(i+2))
		page = append(page, 255)
		page = append(page, bytes.Repeat([]byte{2}, 255)...)
		file = append(file, sign(append(page, body...))...)
	}
	path := filepath.Join(t.TempDir(), "bomb.opus")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := New(Config{Limits: media.Limits{MaxDuration: 10 * time.Minute}})
	heard := 0
	_, err = d.Decode(context.Background(), f, int64(len(file)), media.OggOpus, Mono(func(p []float32) error {
		heard += len(p)
		return nil
	}))
	wantRefusal(t, err, media.TooLong)
	if heard != int(media.Samples(10*time.Minute)) {
		t.Errorf("the sink got %d samples, want exactly the limit", heard)
	}
}

func wantRefusal(t testing.TB, err error, kind media.Kind) {
	t.Helper()
	if refusal, ok := media.AsRefusal(err); !ok || refusal.Kind != kind {
		t.Errorf("got %v, want a refusal of kind %s", err, kind)
	}
}

// decodeAs decodes a clip without looking at what it is.
func decodeAs(t testing.TB, clip []byte, format media.Format) ([]float32, Report) {
	t.Helper()
	sound, report, err := tryDecode(t, clip, format)
	if err != nil {
		t.Fatal(err)
	}
	return sound, report
}

func tryDecode(t testing.TB, clip []byte, format media.Format) ([]float32, Report, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip")
	if err := os.WriteFile(path, clip, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var sound []float32
	report, err := plain.Decode(t.Context(), f, int64(len(clip)), format, Mono(func(p []float32) error {
		sound = append(sound, p...)
		return nil
	}))
	return sound, report, err
}
