package pipeline

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hark/media"
	"hark/media/decode"
	"hark/media/decode/confine"
	"hark/media/inspect"
	"hark/media/render"
	"hark/storage/work"
)

func TestMain(m *testing.M) {
	confine.Main()
	goleak.VerifyTestMain(m)
}

// needFFmpeg finds ffmpeg: without it the test fails in CI and is skipped
// elsewhere.
func needFFmpeg(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		missing(t, "ffmpeg is not installed")
	}
	return path
}

func missing(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// speech is a prompt of Debian's asterisk-core-sounds-en-g722, encoded by the
// given options of ffmpeg.
func speech(t *testing.T, name string, options ...string) []byte {
	t.Helper()
	path := "/usr/share/asterisk/sounds/en/demo-abouttotry.g722"
	if _, err := os.Stat(path); err != nil {
		missing(t, "asterisk-core-sounds-en-g722 is not installed")
	}
	out := filepath.Join(t.TempDir(), name)
	args := append([]string{"-v", "error", "-f", "g722", "-i", path}, options...)
	if text, err := exec.CommandContext(t.Context(), needFFmpeg(t), append(args, out)...).CombinedOutput(); err != nil {
		t.Fatalf("encode %s: %v: %s", name, err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// seconds decodes a rendition with ffmpeg and returns its length.
func seconds(t *testing.T, rendition []byte) float64 {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rendition.mp4")
	if err := os.WriteFile(file, rendition, 0o600); err != nil {
		t.Fatal(err)
	}
	pcm, err := exec.CommandContext(t.Context(), needFFmpeg(t), "-v", "error", "-i", file, "-ac", "1", "-ar", "16000", "-f", "s16le", "-").Output()
	if err != nil {
		t.Fatalf("decode rendition: %v", err)
	}
	return float64(len(pcm)) / 2 / media.SampleRate
}

// realBench is a bench whose decoder and renderer are the real ones, for a
// clip.
func realBench(t *testing.T, clip []byte) *bench {
	t.Helper()
	b := newBench(t, 0)
	b.objectStore.objects["original"], b.records.task.Bytes = clip, int64(len(clip))
	b.deps.Decoder = decode.New(decode.Config{FFmpeg: needFFmpeg(t), Limits: media.Limits{MaxDuration: 20 * time.Second}})
	b.deps.Renderer = render.New(render.Config{FFmpeg: needFFmpeg(t), ScratchDir: b.scratch})
	return b
}

func TestRealSpeech(t *testing.T) {
	reference := speech(t, "reference.wav", "-ac", "1", "-ar", "16000")
	length := float64(len(reference)-44) / 2 / media.SampleRate
	for name, clip := range map[string][]byte{
		"stereo.wav": speech(t, "stereo.wav", "-ac", "2", "-ar", "44100"),
		"phone.m4a":  speech(t, "phone.m4a", "-c:a", "aac", "-b:a", "64k"),
	} {
		t.Run(name, func(t *testing.T) {
			b := realBench(t, clip)
			format, err := inspect.Sniff(clip[:min(len(clip), inspect.SniffLen)])
			if err != nil {
				t.Fatal(err)
			}
			b.records.task.Format = format
			if got := b.handle(t.Context(), t); !got.Done || b.last() != work.Done {
				t.Fatalf("got %+v, %v; log: %s", got, b.last(), b.log)
			}
			s := b.records.sound
			if math.Abs(float64(s.DurationMS)/1000-length) > 0.1 || s.LoudnessLUFS < -40 || s.LoudnessLUFS > -10 || len(s.Peaks) != 100 {
				t.Errorf("sound is %+v, clip is %v s", s, length)
			}
			if got := seconds(t, b.objectStore.objects["rendition"]); math.Abs(got-length) > 0.15 {
				t.Errorf("rendition is %v s, clip is %v s", got, length)
			}
			if got := len(b.records.transcript.Words()); got != int(length) {
				t.Errorf("%d words", got)
			}
		})
	}
}

func TestRealRefusals(t *testing.T) {
	long := speech(t, "long.wav", "-ac", "1", "-ar", "8000", "-af", "apad=whole_dur=30")
	for name, tc := range map[string]struct {
		clip   []byte
		format media.Format
	}{
		"text":         {[]byte(strings.Repeat("this is no sound, ", 500)), media.MP3},
		"cut-off m4a":  {speech(t, "cut.m4a", "-c:a", "aac")[:2000], media.MP4},
		"too long":     {long, media.WAV},
		"empty":        {nil, media.WAV},
		"zeroes, webm": {bytes.Repeat([]byte{0}, 5000), media.WebM},
	} {
		t.Run(name, func(t *testing.T) {
			b := realBench(t, tc.clip)
			b.records.task.Format = tc.format
			if got := b.handle(t.Context(), t); !got.Done || b.last() != work.Failed {
				t.Fatalf("got %+v, %v; log: %s", got, b.last(), b.log)
			}
			if b.records.reason == "" || b.records.transcript != nil {
				t.Errorf("failed with %q", b.records.reason)
			}
			t.Log(strconv.Quote(b.records.reason))
		})
	}
}

// Without an encoder the sound and, at last, the transcript are saved.
func TestRealRendererWithoutEncoder(t *testing.T) {
	b := realBench(t, speech(t, "x.wav", "-ac", "1"))
	b.deps.Renderer = render.New(render.Config{FFmpeg: filepath.Join(t.TempDir(), "none"), ScratchDir: b.scratch})
	if got := b.handle(t.Context(), t); got.Done || b.last() != work.Retried || b.records.sound == nil || b.records.transcript != nil {
		t.Errorf("got %+v, %v", got, b.last())
	}
}
