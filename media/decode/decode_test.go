package decode

import (
	"context"
	"io"
	"math"
	"os"
	"testing"
	"time"

	"hark/media"
	"hark/media/inspect"
	"hark/media/internal/mediatest"
)

// sniffFile opens a clip, which the caller closes unless there is an error, and
// says what it is.
func sniffFile(t testing.TB, path string) (f *os.File, size int64, format media.Format, err error) {
	t.Helper()
	f, err = os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	stat, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	head := make([]byte, min(inspect.SniffLen, stat.Size()))
	if _, err := io.ReadFull(f, head); err != nil {
		t.Fatal(err)
	}
	if format, err = inspect.Sniff(head); err != nil {
		f.Close()
	}
	return f, stat.Size(), format, err
}

// decodeFile sniffs and decodes a clip as the pipeline does.
func decodeFile(t testing.TB, d *Decoder, path string) ([]float32, Report, error) {
	t.Helper()
	f, size, format, err := sniffFile(t, path)
	if err != nil {
		return nil, Report{}, err
	}
	defer f.Close()
	var sound []float32
	report, err := d.Decode(context.Background(), f, size, format, Mono(func(p []float32) error {
		if len(p) == 0 || len(p) > blockSamples {
			t.Errorf("the sink got a block of %d samples", len(p))
		}
		sound = append(sound, p...)
		return nil
	}))
	if report.Samples != int64(len(sound)) {
		t.Errorf("the report counts %d samples, the sink %d", report.Samples, len(sound))
	}
	return sound, report, err
}

func mustDecode(t testing.TB, path string) ([]float32, Report) {
	t.Helper()
	sound, report, err := decodeFile(t, plain, path)
	if err != nil {
		t.Fatal(err)
	}
	return sound, report
}

// correlation is the normalised correlation of a with b shifted by lag samples,
// over every fourth sample.
func correlation(a, b []float32, lag int) float64 {
	var ab, aa, bb float64
	for i := max(0, -lag); i < len(a) && i+lag < len(b); i += 4 {
		x, y := float64(a[i]), float64(b[i+lag])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb+1e-30)
}

// likeness finds the lag, within 8 ms of the one expected, at which two sounds
// are most alike.
func likeness(a, b []float32, expected time.Duration) (best float64, at time.Duration) {
	middle := int(media.Samples(expected))
	for lag := middle - 128; lag <= middle+128; lag++ {
		if c := correlation(a, b, lag); c > best {
			best, at = c, time.Duration(lag)*time.Second/media.SampleRate
		}
	}
	return best, at
}

// roundTrips are the forms in which a spoken sentence is sent, how alike it
// must come back (the codecs lose differently much), and who decodes it.
var roundTrips = []struct {
	name    string
	args    []string
	alike   float64
	decoder string
	late    time.Duration // the encoder's own delay, where the form cannot tell it
}{
	{"a.mp3", []string{"-b:a", "64k"}, 0.99, "mp3", 0},
	{"stereo.mp3", []string{"-b:a", "96k", "-ac", "2", "-ar", "44100"}, 0.99, "mp3", 0},
	{"vbr.mp3", []string{"-q:a", "4", "-ar", "44100"}, 0.99, "mp3", 0},
	{"bare.mp3", []string{"-b:a", "64k", "-write_xing", "0", "-id3v2_version", "0"}, 0.99, "mp3", 23 * time.Millisecond},
	{"tagged.mp3", []string{"-b:a", "64k", "-metadata", "title=x", "-write_id3v1", "1"}, 0.99, "mp3", 0},
	{"mpeg2.mp3", []string{"-ar", "22050"}, 0.98, "ffmpeg", 0},
	{"mpeg25.mp3", []string{"-ar", "8000"}, 0.98, "ffmpeg", 0},
	{"a.mp2", nil, 0.98, "ffmpeg", 10 * time.Millisecond},
	{"u8.wav", []string{"-c:a", "pcm_u8"}, 0.98, "wav", 0},
	{"s16.wav", nil, 0.999, "wav", 0},
	{"s24.wav", []string{"-c:a", "pcm_s24le"}, 0.999, "wav", 0},
	{"s32.wav", []string{"-c:a", "pcm_s32le"}, 0.999, "wav", 0},
	{"f32.wav", []string{"-c:a", "pcm_f32le"}, 0.999, "wav", 0},
	{"f64.wav", []string{"-c:a", "pcm_f64le"}, 0.999, "wav", 0},
	{"alaw.wav", []string{"-c:a", "pcm_alaw"}, 0.999, "wav", 0},
	{"mulaw.wav", []string{"-c:a", "pcm_mulaw"}, 0.999, "wav", 0},
	{"extensible.wav", []string{"-ac", "6", "-c:a", "pcm_s24le"}, 0.999, "wav", 0},
	{"rf64.wav", []string{"-rf64", "always"}, 0.999, "wav", 0},
	{"44k.wav", []string{"-ar", "44100", "-ac", "2"}, 0.999, "wav", 0},
	{"96k.wav", []string{"-ar", "96000"}, 0.999, "wav", 0},
	{"odd.wav", []string{"-ar", "44101"}, 0.999, "wav", 0},
	{"adpcm.wav", []string{"-c:a", "adpcm_ms"}, 0.99, "ffmpeg", 0},
	{"ima.wav", []string{"-c:a", "adpcm_ima_wav"}, 0.98, "ffmpeg", 0},
	{"gsm.wav", []string{"-c:a", "libgsm_ms", "-ar", "8000"}, 0.85, "ffmpeg", 0 * time.Millisecond},
	{"a.w64", nil, 0.999, "ffmpeg", 0},
	{"silk.opus", []string{"-c:a", "libopus", "-b:a", "16k", "-application", "voip"}, 0.9, "opus", 0},
	{"hybrid.opus", []string{"-c:a", "libopus", "-b:a", "32k", "-application", "voip"}, 0.95, "opus", 0},
	{"celt.opus", []string{"-c:a", "libopus", "-b:a", "96k", "-application", "lowdelay"}, 0.99, "opus", 0},
	{"stereo.opus", []string{"-c:a", "libopus", "-b:a", "64k", "-ac", "2"}, 0.95, "opus", 0},
	{"60ms.opus", []string{"-c:a", "libopus", "-b:a", "24k", "-frame_duration", "60"}, 0.9, "opus", 0},
	{"surround.opus", []string{"-c:a", "libopus", "-b:a", "256k", "-ac", "6"}, 0.95, "ffmpeg", 0},
	{"a.ogg", []string{"-c:a", "libvorbis"}, 0.98, "ffmpeg", 0},
	{"a.oga", []string{"-c:a", "flac"}, 0.999, "ffmpeg", 0},
	{"a.spx", []string{"-c:a", "libspeex", "-ar", "16000"}, 0.8, "ffmpeg", 14 * time.Millisecond},
	{"a.flac", []string{"-ar", "44100", "-ac", "2"}, 0.999, "ffmpeg", 0},
	{"a.m4a", []string{"-c:a", "aac"}, 0.99, "ffmpeg", 0},
	{"fast.m4a", []string{"-c:a", "aac", "-movflags", "+faststart"}, 0.99, "ffmpeg", 0},
	{"frag.mp4", []string{"-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"}, 0.99, "ffmpeg", 21 * time.Millisecond},
	{"alac.m4a", []string{"-c:a", "alac"}, 0.999, "ffmpeg", 0},
	{"a.mov", []string{"-c:a", "pcm_s16be"}, 0.999, "ffmpeg", 0},
	{"aac.3gp", []string{"-c:a", "aac"}, 0.99, "ffmpeg", 0},
	{"a.webm", []string{"-c:a", "libopus", "-b:a", "32k"}, 0.95, "ffmpeg", 0},
	{"live.webm", []string{"-c:a", "libopus", "-f", "webm", "-live", "1"}, 0.95, "ffmpeg", 0},
	{"a.mka", []string{"-c:a", "libvorbis"}, 0.98, "ffmpeg", 0},
	{"a.caf", []string{"-c:a", "pcm_s16le"}, 0.999, "ffmpeg", 0},
	{"alac.caf", []string{"-c:a", "alac"}, 0.999, "ffmpeg", 0},
	{"a.aiff", nil, 0.999, "ffmpeg", 0},
	{"a.wma", []string{"-c:a", "wmav2"}, 0.98, "ffmpeg", 43 * time.Millisecond},
	{"a.aac", []string{"-c:a", "aac"}, 0.99, "ffmpeg", 21 * time.Millisecond},
	{"a.au", []string{"-c:a", "pcm_mulaw"}, 0.999, "ffmpeg", 0},
}

func TestEveryFormatComesBack(t *testing.T) {
	speech := mediatest.Speech(t)
	want, _ := mustDecode(t, speech)
	for _, c := range roundTrips {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := mediatest.FFmpeg(t, c.name, append([]string{"-i", speech, "-ar", "48000"}, c.args...)...)
			checkRoundTrip(t, path, want, c.alike, c.late, c.decoder)
		})
	}
}

func TestAMRComesBack(t *testing.T) {
	speech := mediatest.Speech(t)
	want, _ := mustDecode(t, speech)
	amr := t.TempDir() + "/a.amr"
	mediatest.Run(t, mediatest.Tool(t, "sox"), speech, "-r", "8000", "-c", "1", "-t", "amr-nb", amr)
	checkRoundTrip(t, amr, want, 0.78, 5*time.Millisecond, "ffmpeg")
	checkRoundTrip(t, mediatest.FFmpeg(t, "a.3gp", "-i", amr, "-c", "copy"), want, 0.78, 5*time.Millisecond, "ffmpeg")
}

func checkRoundTrip(t *testing.T, path string, want []float32, alike float64, delay time.Duration, decoder string) {
	t.Helper()
	got, report := mustDecode(t, path)
	c, lag := likeness(want, got, delay)
	longer := media.Duration(int64(len(got) - len(want)))
	t.Logf("correlation %.4f at %v, %v longer, %+v", c, lag, longer, report)
	if c < alike || (lag-delay).Abs() > 5*time.Millisecond {
		t.Errorf("correlation %.4f at lag %v, want %.3f at %v", c, lag, alike, delay)
	}
	if (longer - delay).Abs() > 30*time.Millisecond {
		t.Errorf("%v longer than the source", longer)
	}
	if report.Decoder != decoder || report.Truncated {
		t.Errorf("decoded by %s (truncated %v), want %s", report.Decoder, report.Truncated, decoder)
	}
}
