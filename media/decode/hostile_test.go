package decode

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"hark/media"
	"hark/media/inspect"
	"hark/media/internal/mediatest"
)

// wavFile makes a WAV file with the format chunk's fields as given.
func wavFile(encoding, channels, rate, align, bits, size int, data []byte) []byte {
	b := []byte("RIFF\xFF\xFF\xFF\xFFWAVEfmt \x10\x00\x00\x00")
	b = binary.LittleEndian.AppendUint16(b, uint16(encoding))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*align))
	b = binary.LittleEndian.AppendUint16(b, uint16(align))
	b = binary.LittleEndian.AppendUint16(b, uint16(bits))
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	return append(b, data...)
}

func TestWAVHeaders(t *testing.T) {
	second := make([]byte, 32000)
	for name, c := range map[string]struct {
		clip    []byte
		samples int
		kind    media.Kind
	}{
		"promises 4 GB":             {wavFile(1, 1, 16000, 2, 16, 0xFFFFFF00, second), 16000, ""},
		"does not know its length":  {wavFile(1, 1, 16000, 2, 16, 0, second), 16000, ""},
		"ends within a sample":      {wavFile(1, 1, 16000, 2, 16, 32000, second[:31999]), 15999, ""},
		"12 bits in 2 bytes":        {wavFile(1, 1, 16000, 2, 12, 32000, second), 16000, ""},
		"20 bits in 3 bytes":        {wavFile(1, 1, 16000, 3, 20, 30000, second[:30000]), 10000, ""},
		"a wrong block length":      {wavFile(1, 2, 16000, 1, 16, 32000, second), 8000, ""},
		"64 channels":               {wavFile(1, 64, 16000, 128, 16, 32000, second), 250, ""},
		"no samples":                {wavFile(1, 1, 16000, 2, 16, 32000, nil), 0, media.Damaged},
		"no channels":               {wavFile(1, 0, 16000, 2, 16, 32000, second), 0, media.Damaged},
		"no rate":                   {wavFile(1, 1, 0, 2, 16, 32000, second), 0, media.Damaged},
		"an encoding nobody knows":  {wavFile(0x7777, 1, 16000, 2, 16, 32000, second), 0, media.Unsupported},
		"the format chunk cut":      {wavFile(1, 1, 16000, 2, 16, 32000, second)[:30], 0, media.Damaged},
		"a chunk as long as 4 GB":   {append([]byte("RIFF\xFF\xFF\xFF\xFFWAVELIST\xFF\xFF\xFF\xFF"), second...), 0, media.Damaged},
		"infinities and no numbers": {wavFile(3, 1, 16000, 4, 32, 32000, bytes.Repeat([]byte{0, 0, 0x80, 0x7F, 0, 0, 0xC0, 0xFF}, 4000)), 8000, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sound, _, err := decodeBytes(t, c.clip)
			if c.kind != "" {
				if refusal, ok := media.AsRefusal(err); !ok || refusal.Kind != c.kind {
					t.Errorf("got %v, want a refusal that is %s", err, c.kind)
				}
				return
			}
			if err != nil || len(sound) != c.samples {
				t.Errorf("got %d samples, %v; want %d", len(sound), err, c.samples)
			}
			for _, x := range sound {
				if !(x >= -loudest && x <= loudest) {
					t.Fatalf("the sink got %v", x)
				}
			}
		})
	}
}

// TestCutAnywhere cuts short clips at many places. Whatever is left either
// gives sound or is refused.
func TestCutAnywhere(t *testing.T) {
	speech := mediatest.Speech(t)
	for _, c := range []struct {
		name   string
		length string
		step   int
		args   []string
	}{
		{"a.mp3", "0.5", 7, []string{"-ar", "32000"}},
		{"a.wav", "0.5", 11, []string{"-ar", "8000"}},
		{"a.opus", "0.5", 7, []string{"-c:a", "libopus", "-page_duration", "100000"}},
		{"a.m4a", "3", 900, []string{"-c:a", "aac", "-b:a", "24k", "-movflags", "+faststart"}},
		{"a.webm", "3", 700, []string{"-c:a", "libopus", "-b:a", "16k"}},
		{"a.flac", "3", 3000, []string{"-ar", "8000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := mediatest.Read(t, mediatest.FFmpeg(t, c.name, append([]string{"-i", speech, "-t", c.length}, c.args...)...))
			heard := 0
			for n := 1; n < len(b); n += c.step * max(1, n/500) {
				sound, err := decodeCut(t, b[:n])
				if _, ok := media.AsRefusal(err); err != nil && !ok {
					t.Fatalf("cut at %d of %d: %v is no Refusal", n, len(b), err)
				}
				if err == nil {
					heard = max(heard, len(sound))
				}
			}
			if heard < media.SampleRate/4 {
				t.Errorf("the longest cut gave only %d samples", heard)
			}
		})
	}
}

// decodeCut decodes a clip without asking ffmpeg about what an in-process
// decoder gives up, which would take long for so many.
func decodeCut(t *testing.T, clip []byte) ([]float32, error) {
	t.Helper()
	format, err := inspect.Sniff(clip)
	if err != nil {
		return nil, err
	}
	n, ok := natives[format]
	if !ok {
		sound, _, err := decodeBytes(t, clip)
		return sound, err
	}
	sound, err := decodeNative(t.Context(), n, clip)
	if len(sound) == 0 {
		err = refuseSilent(err)
	}
	return sound, err
}

// decodeNative decodes a clip with one in-process decoder.
func decodeNative(ctx context.Context, n native, clip []byte) (sound []float32, err error) {
	out := newPCMSink(ctx, time.Hour, Mono(func(p []float32) error {
		sound = append(sound, p...)
		return nil
	}))
	err = guard(out, func() error { return n.decode(io.NewSectionReader(bytes.NewReader(clip), 0, int64(len(clip))), out) })
	if out.finish() != nil || len(sound) > 0 {
		err = out.failed
	}
	return sound, err
}

func TestLimitEndsABombOfSilence(t *testing.T) {
	const limit = 5 * time.Minute
	for _, c := range []struct{ name, seconds string }{{"bomb.flac", "7200"}, {"bomb.m4a", "3600"}, {"bomb.mp3", "3600"}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := mediatest.FFmpeg(t, c.name, "-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", c.seconds, "-b:a", "8k")
			d := New(Config{Limits: media.Limits{MaxDuration: limit}})
			sound, _, err := decodeFile(t, d, path)
			wantRefusal(t, err, media.TooLong)
			if len(sound) != int(media.Samples(limit)) {
				t.Errorf("the sink got %d samples, want exactly the limit", len(sound))
			}
		})
	}
}

func TestMP3WithJunk(t *testing.T) {
	speech := mediatest.Speech(t)
	b := mediatest.Read(t, mediatest.FFmpeg(t, "a.mp3", "-i", speech, "-ar", "44100", "-b:a", "64k", "-id3v2_version", "0"))
	want, _ := mustDecodeBytes(t, b)
	tag := append([]byte("ID3\x04\x00\x00\x00\x7f\x7f\x7f"), make([]byte, 0x7f<<14|0x7f<<7|0x7f)...)
	middle := len(b) / 2
	junk := append(append(bytes.Clone(b[:middle]), bytes.Repeat([]byte("\xFF\xFBjunk\x00"), 2000)...), b[middle:]...)
	for name, c := range map[string]struct {
		clip []byte
		late time.Duration // with the encoder's own frame, its delay is lost
		same bool
	}{
		"a tag of 2 MB":                {append(tag, b...), 0, true},
		"tags at the end":              {append(bytes.Clone(b), "TAG"+strings.Repeat("x", 125)...), 0, true},
		"junk in the middle":           {junk, 0, false},
		"zeros before it":              {append(make([]byte, 3000), b...), 0, true},
		"the first 100 bytes are gone": {b[100:], 25 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, report := mustDecodeBytes(t, c.clip)
			if c, _ := likeness(want, got, c.late); c < 0.9 {
				t.Errorf("%.3f alike, %d samples instead of %d, %+v", c, len(got), len(want), report)
			}
			if c.same && (len(got) != len(want) || report.Truncated) {
				t.Errorf("%d samples (%+v), want %d", len(got), report, len(want))
			}
		})
	}
}

// children counts the processes that this one has started and not collected.
func children(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/task/" + strconv.Itoa(os.Getpid()) + "/children")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the kernel does not list children: %v", err)
		}
		t.Skip("the kernel does not list children")
	}
	return len(strings.Fields(string(b)))
}

func TestCancelKillsTheChild(t *testing.T) {
	path := mediatest.FFmpeg(t, "long.flac", "-f", "lavfi", "-i", "anoisesrc=r=16000:d=120")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stat, _ := f.Stat()
	stop, refused := errors.New("told to stop"), errors.New("disk is full")
	for name, c := range map[string]struct {
		sink func(cancel context.CancelCauseFunc) error
		want error
	}{
		"by the context": {func(cancel context.CancelCauseFunc) error { cancel(stop); return nil }, stop},
		"by the sink":    {func(context.CancelCauseFunc) error { return refused }, refused},
	} {
		t.Run(name, func(t *testing.T) {
			before := children(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			calls := 0
			_, err := plain.Decode(ctx, f, stat.Size(), media.FLAC, Mono(func([]float32) error {
				calls++
				return c.sink(cancel)
			}))
			if !errors.Is(err, c.want) || calls != 1 {
				t.Errorf("ended with %v after %d blocks, want %v after 1", err, calls, c.want)
			}
			if after := children(t); after != before {
				t.Errorf("%d children, there were %d", after, before)
			}
		})
	}
}

func TestTimeIsBounded(t *testing.T) {
	path := mediatest.FFmpeg(t, "a.flac", "-f", "lavfi", "-i", "anoisesrc=r=16000:d=30")
	for name, path := range map[string]string{"ffmpeg": path, "wav": mediatest.FFmpeg(t, "a.wav", "-i", path)} {
		_, _, err := decodeFile(t, New(Config{Timeout: time.Nanosecond}), path)
		if refusal, ok := media.AsRefusal(err); !ok || refusal.Kind != media.OverBudget {
			t.Errorf("%s: got %v, want a refusal of kind %s", name, err, media.OverBudget)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	path := mediatest.FFmpeg(t, "a.flac", "-f", "lavfi", "-i", "anoisesrc=r=16000:d=1")
	_, _, err := decodeFile(t, New(Config{MemoryBytes: 64 << 20}), path)
	if err == nil {
		t.Error("ffmpeg ran in 64 MB of address space, which is less than its libraries take")
	}
}

func TestWithoutFFmpeg(t *testing.T) {
	flac := mediatest.FFmpeg(t, "a.flac", "-f", "lavfi", "-i", "anoisesrc=r=16000:d=1")
	_, _, err := decodeFile(t, New(Config{FFmpeg: "no-such-program"}), flac)
	if _, refused := media.AsRefusal(err); refused || !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %v: a machine without ffmpeg is not the clip's fault", err)
	}
}

func TestPanicOfADecoderIsContained(t *testing.T) {
	out := newPCMSink(t.Context(), 0, func(_, _ []float32) error { return nil })
	err := guard(out, func() error { panic("index out of range") })
	if err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("got %v", err)
	}
}

func TestPanicOfTheSinkGoesOn(t *testing.T) {
	out := newPCMSink(t.Context(), 0, func(_, _ []float32) error { panic("a bug of ours") })
	out.start(media.SampleRate)
	defer func() {
		if recover() == nil {
			t.Error("the sink's panic was swallowed")
		}
	}()
	_ = guard(out, func() error { return out.write(make([]float32, 2*blockSamples), 1) })
}

func TestFileWithoutSound(t *testing.T) {
	video := mediatest.FFmpeg(t, "v.mp4", "-f", "lavfi", "-i", "testsrc=duration=0.2:size=64x48")
	_, _, err := decodeFile(t, plain, video)
	wantRefusal(t, err, media.NotAudio)
}

func BenchmarkDecode(b *testing.B) {
	const seconds = 120
	for _, c := range []struct {
		name string
		args []string
	}{
		{"a.wav", []string{"-ar", "48000", "-ac", "2"}},
		{"a.mp3", []string{"-ar", "44100", "-ac", "2", "-b:a", "128k"}},
		{"a.opus", []string{"-c:a", "libopus", "-b:a", "32k"}},
		{"a.m4a", []string{"-ar", "44100", "-c:a", "aac"}},
		{"a.flac", []string{"-ar", "44100"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			path := mediatest.FFmpeg(b, c.name, append([]string{"-stream_loop", "30", "-i", mediatest.Speech(b), "-t", strconv.Itoa(seconds)}, c.args...)...)
			f, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			stat, _ := f.Stat()
			head := make([]byte, inspect.SniffLen)
			_, _ = io.ReadFull(f, head)
			format, _ := inspect.Sniff(head)
			d := plain
			for b.Loop() {
				if _, err := d.Decode(context.Background(), f, stat.Size(), format, func(_, _ []float32) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(seconds*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
		})
	}
}
