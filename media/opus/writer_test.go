package opus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/thesyncim/gopus"

	"hark/media"
	"hark/media/decode"
	"hark/media/inspect"
	"hark/media/internal/mediatest"
	"hark/media/internal/ogg"
	"hark/media/opus"
)

// tone returns n packets of a tone of 440 Hz.
func tone(t testing.TB, mode gopus.EncoderMode, channels, samples, n int) [][]byte {
	t.Helper()
	e, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: opus.Rate, Channels: channels, Application: gopus.ApplicationAudio})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.SetMode(mode), e.SetFrameSize(samples)); err != nil {
		t.Fatal(err)
	}
	var packets [][]byte
	for i := range n {
		pcm := make([]float32, samples*channels)
		for j := range pcm {
			pcm[j] = float32(0.5 * math.Sin(2*math.Pi*440/opus.Rate*float64(i*samples+j/channels)))
		}
		packet, err := e.EncodeFloat32(pcm)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := opus.Samples(packet); err != nil || got != samples {
			t.Fatalf("the encoder made %d samples, %v; want %d", got, err, samples)
		}
		packets = append(packets, bytes.Clone(packet))
	}
	return packets
}

// record writes packets one after the other, each after a pause of so many
// samples, and returns the file and its length.
func record(t testing.TB, channels int, packets [][]byte, pause ...int64) ([]byte, int64) {
	t.Helper()
	var file bytes.Buffer
	w, err := opus.NewWriter(&file, channels, 7)
	if err != nil {
		t.Fatal(err)
	}
	at := int64(0)
	for i, packet := range packets {
		at += pause[i%len(pause)]
		n, err := opus.Samples(packet)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(opus.Packet{Position: at, Samples: n, Data: packet}); err != nil {
			t.Fatal(err)
		}
		at += int64(n)
	}
	if lag := at - w.Position(); lag < 0 || lag >= 120 {
		t.Errorf("the position is %d samples behind, want less than 2.5 ms", lag)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), w.Position()
}

// pagesOf parses a file strictly and checks what all pages have in common.
func pagesOf(t testing.TB, file []byte) []ogg.Page {
	t.Helper()
	var pages []ogg.Page
	for len(file) > 0 {
		page, n, err := ogg.Parse(file)
		if err != nil {
			t.Fatalf("page %d: %v", len(pages), err)
		}
		if page.Serial != 7 || page.Sequence != uint32(len(pages)) || page.Continued || page.First != (len(pages) == 0) {
			t.Fatalf("page %d: %+v", len(pages), page)
		}
		if page.Last != (n == len(file)) {
			t.Fatalf("page %d: end of stream %v with %d bytes to go", len(pages), page.Last, len(file)-n)
		}
		file = file[n:]
		pages = append(pages, page)
	}
	return pages
}

// packetsOf checks the granule positions and returns the packets after the headers.
func packetsOf(t testing.TB, file []byte) [][]byte {
	t.Helper()
	var all [][]byte
	position := int64(0)
	for i, page := range pagesOf(t, file) {
		before, start := len(all), position
		_ = ogg.NewPackets(64<<10).Add(page, func(packet []byte, complete bool) error {
			if !complete {
				t.Fatalf("page %d: a packet goes over its end", i)
			}
			if i >= 2 {
				n, err := opus.Samples(packet)
				if err != nil {
					t.Fatalf("page %d: %v", i, err)
				}
				position += int64(n)
			}
			all = append(all, bytes.Clone(packet))
			return nil
		})
		if n := len(all) - before; n == 0 || i < 2 && n > 1 {
			t.Fatalf("page %d has %d packets", i, n)
		}
		switch {
		case page.Last:
			if page.Granule != start+312 || page.Granule > position {
				t.Errorf("the last page ends at %d, the one before at %d", page.Granule, start)
			}
		case page.Granule != position:
			t.Errorf("page %d ends at %d, its packets at %d", i, page.Granule, position)
		case position-start > opus.Rate*4/10:
			t.Errorf("page %d lasts %d samples", i, position-start)
		}
	}
	return all[2:]
}

// heard decodes a file with Hark's own decoder.
func heard(t testing.TB, file []byte) []float32 {
	t.Helper()
	f, err := os.Open(save(t, file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var sound []float32
	report, err := decode.New(decode.Config{}).Decode(context.Background(), f, int64(len(file)), media.OggOpus, decode.Mono(func(p []float32) error {
		sound = append(sound, p...)
		return nil
	}))
	if err != nil || report.Truncated {
		t.Fatalf("decode: %+v, %v", report, err)
	}
	return sound
}

func save(t testing.TB, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recording.opus")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ffmpegHears decodes a file with one of ffmpeg's decoders ("opus" is its own,
// "libopus" the reference) and returns one channel at 48 kHz.
func ffmpegHears(t testing.TB, decoder string, file []byte) []float32 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), mediatest.Tool(t, "ffmpeg"), "-nostdin", "-v", "error", "-xerror",
		"-c:a", decoder, "-i", save(t, file), "-ac", "1", "-f", "f32le", "-")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("%s: %v\n%s", decoder, err, complaints.String())
	}
	sound := make([]float32, len(out)/4)
	for i := range sound {
		b := out[4*i:]
		sound[i] = math.Float32frombits(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
	}
	return sound
}

// kinds are packets of every mode and of many lengths.
var kinds = []struct {
	mode    gopus.EncoderMode
	name    string
	samples []int
}{
	{gopus.EncoderModeSILK, "silk", []int{480, 960, 1920, 2880, 5760}},
	{gopus.EncoderModeHybrid, "hybrid", []int{480, 960}},
	{gopus.EncoderModeCELT, "celt", []int{120, 240, 480, 960, 5760}},
}

// What was said without a pause, and with pauses of every kind, lasts to the
// sample as long as it should for every decoder, which finds nothing wrong.
func TestLengthIsExact(t *testing.T) {
	for _, kind := range kinds {
		for i, samples := range kind.samples {
			channels := 1 + i%2
			packets := tone(t, kind.mode, channels, samples, 24)
			for _, pauses := range [][]int64{{0}, {0, 0, 0, 120, 0, 0, 960, 0, 0, 0, 4800, 77, 0, 0, 13_000, 0}} {
				t.Run(fmt.Sprintf("%s/%d/%d/%d", kind.name, samples, channels, len(pauses)), func(t *testing.T) {
					t.Parallel()
					file, length := record(t, channels, packets, pauses...)
					packetsOf(t, file)
					if n := int64(len(heard(t, file))) * 3; n-length < -3 || n-length > 3 {
						t.Errorf("Hark hears %d samples, want %d", n, length)
					}
					for _, decoder := range []string{"opus", "libopus"} {
						if n := int64(len(ffmpegHears(t, decoder, file))); n != length {
							t.Errorf("%s hears %d samples, want %d", decoder, n, length)
						}
					}
				})
			}
		}
	}
}

// A tone that comes after a pause is heard at its time.
func TestSoundStandsAtItsTime(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			packets := tone(t, kind.mode, 1, 960, 50)
			file, _ := record(t, 1, packets, append(append(make([]int64, 25), 3*opus.Rate), make([]int64, 24)...)...)
			for name, sound := range map[string][]float32{"hark": heard(t, file), "libopus": ffmpegHears(t, "libopus", file)} {
				ms := len(sound) / 4000 // samples in a millisecond of the 4 s
				loud := func(from, to int) float64 {
					sum := 0.0
					for _, v := range sound[from*ms : to*ms] {
						sum += float64(v) * float64(v)
					}
					return math.Sqrt(sum / float64((to-from)*ms))
				}
				if l := loud(100, 490); l < 0.2 {
					t.Errorf("%s: %.3f loud before the pause", name, l)
				}
				if l := loud(700, 3490); l > 0.001 {
					t.Errorf("%s: %.3f loud in the pause", name, l)
				}
				if l := loud(3515, 3600); l < 0.1 {
					t.Errorf("%s: %.3f loud after the pause", name, l)
				}
			}
		})
	}
}

func TestToolsFindNothingWrong(t *testing.T) {
	file, length := record(t, 2, tone(t, gopus.EncoderModeHybrid, 2, 960, 200), 0, 0, 0, 960, 0, 0, 9600)
	path := save(t, file)
	seconds := fmt.Sprintf("%.6f", float64(length)/opus.Rate)
	out, err := exec.CommandContext(t.Context(), mediatest.Tool(t, "ffprobe"), "-v", "warning", "-show_entries",
		"stream=codec_name,channels,sample_rate,duration", "-of", "default=nw=1", path).CombinedOutput()
	want := "codec_name=opus\nsample_rate=48000\nchannels=2\nduration="
	if err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("ffprobe: %v\n%s", err, out)
	}
	// ffprobe counts what is skipped at the start.
	if with := fmt.Sprintf("%.6f", float64(length+312)/opus.Rate); !strings.Contains(string(out), with) && !strings.Contains(string(out), seconds) {
		t.Errorf("ffprobe: want a duration of %s\n%s", seconds, out)
	}
	if info, err := exec.LookPath("opusinfo"); err == nil {
		out, err := exec.CommandContext(t.Context(), info, path).CombinedOutput()
		if err != nil || bytes.Contains(bytes.ToUpper(out), []byte("WARNING")) || !bytes.Contains(out, []byte("Logical stream 1 ended")) {
			t.Errorf("opusinfo: %v\n%s", err, out)
		}
	}
	info, err := inspect.Clip(bytes.NewReader(file), int64(len(file)), media.Limits{})
	if err != nil || info.Format != media.OggOpus || info.Duration.Milliseconds() != length*1000/opus.Rate {
		t.Errorf("inspect: %+v, %v", info, err)
	}
}

func TestLatePacketsAreDropped(t *testing.T) {
	packets := tone(t, gopus.EncoderModeHybrid, 1, 960, 10)
	var file bytes.Buffer
	w, err := opus.NewWriter(&file, 1, 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 1, 1, 0, 3, 2, 4, 9, 5, 6} {
		if err := w.Write(opus.Packet{Position: int64(i) * 960, Samples: 960, Data: packets[i]}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	kept := packetsOf(t, file.Bytes())
	lost := []byte{packets[1][0] &^ 3}
	want := [][]byte{packets[0], packets[1], lost, packets[3], packets[4], lost, lost, lost, lost, packets[9], lost}
	if !slices.EqualFunc(kept, want, bytes.Equal) {
		t.Errorf("%d packets, want %d:\n%x\n%x", len(kept), len(want), kept, want)
	}
}

// An hour in which nothing comes, before the first packet and after it.
func TestLongGapIsCheap(t *testing.T) {
	packets := tone(t, gopus.EncoderModeSILK, 1, 960, 2)
	const hour = 3600 * opus.Rate
	file, length := record(t, 1, packets, hour)
	if length != 2*hour+2*960 {
		t.Errorf("it lasts %d samples", length)
	}
	if len(file) > 2_000_000 {
		t.Errorf("two hours of nothing take %d bytes", len(file))
	}
	packetsOf(t, file)
}

func TestHostilePackets(t *testing.T) {
	padded := func(n int) []byte { // code 3, one frame of no bytes and padding
		p := []byte{31<<3 | 3, 0x41}
		for left := n - 2; ; {
			if left <= 255 {
				p = append(p, byte(left-1))
				return append(p, make([]byte, n-len(p))...)
			}
			p = append(p, 255)
			left -= 255
		}
	}
	var file bytes.Buffer
	w, err := opus.NewWriter(&file, 1, 7)
	if err != nil {
		t.Fatal(err)
	}
	headers := file.Len()
	for name, packet := range map[string][]byte{
		"nothing":                    {},
		"65,535 bytes of one frame":  make([]byte, 65_535),
		"65,535 bytes of padding":    padded(65_535),
		"a byte more than is good":   padded(opus.MaxBytes + 1),
		"seven frames of 20 ms":      {31<<3 | 3, 7},
		"a frame that is cut short":  {31<<3 | 2, 200, 1},
		"more padding than there is": {31<<3 | 3, 0x41, 255, 255},
	} {
		if err := w.Write(opus.Packet{Data: packet, Samples: 960}); !errors.Is(err, opus.ErrPacket) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.Position() != 0 || file.Len() != headers {
		t.Error("what was refused left something")
	}
	for i := range 3 {
		if err := w.Write(opus.Packet{Position: int64(i) * 960, Samples: 960, Data: padded(opus.MaxBytes)}); err != nil {
			t.Errorf("the longest packet: %v", err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(packetsOf(t, file.Bytes())); n != 4 {
		t.Errorf("%d packets, want 4", n)
	}
}

func TestNothingSaid(t *testing.T) {
	file, length := record(t, 1, nil, 0)
	if length != 0 || len(packetsOf(t, file)) != 1 {
		t.Errorf("%d samples", length)
	}
}

func TestWriterErrors(t *testing.T) {
	if _, err := opus.NewWriter(io.Discard, 3, 7); err == nil {
		t.Error("three channels were taken")
	}
	w, err := opus.NewWriter(io.Discard, 1, 7)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if err := w.Write(opus.Packet{Data: []byte{31 << 3}, Samples: 960}); !errors.Is(err, opus.ErrClosed) {
		t.Errorf("write after the end: %v", err)
	}
	broken := &failing{good: 2}
	if w, err = opus.NewWriter(broken, 1, 7); err != nil {
		t.Fatal(err)
	}
	err = w.Write(opus.Packet{Position: 10 * opus.Rate, Data: []byte{31 << 3}, Samples: 960})
	if !errors.Is(err, io.ErrShortWrite) || !errors.Is(w.Close(), io.ErrShortWrite) {
		t.Errorf("write to what is broken: %v", err)
	}
}

// failing takes some pages.
type failing struct{ good int }

func (f *failing) Write(p []byte) (int, error) {
	if f.good--; f.good < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}
