package decode

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hark/media"
	"hark/media/internal/mediatest"
)

// placed fails unless the sound want is in got at a time, to 10 ms, about as
// loud as it was.
func placed(t *testing.T, got, want []float32, at time.Duration) {
	t.Helper()
	best, lag := likeness(want, got, at)
	if best < 0.9 || (lag-at).Abs() > 10*time.Millisecond {
		t.Errorf("correlation %.3f at %v, want 0.9 at %v", best, lag, at)
		return
	}
	begin := int(media.Samples(lag))
	part := got[begin:min(len(got), begin+len(want))]
	if gain := energy(part) / energy(want); gain < 0.7 || gain > 1.4 {
		t.Errorf("the power is %.2f times what was recorded", gain)
	}
}

func energy(p []float32) (sum float64) {
	for _, x := range p {
		sum += float64(x) * float64(x)
	}
	return sum
}

// lasts fails unless a sound has a length, to 60 ms.
func lasts(t *testing.T, got []float32, want time.Duration) {
	t.Helper()
	if long := media.Duration(int64(len(got))); (long - want).Abs() > 60*time.Millisecond {
		t.Errorf("%v long, want %v", long, want)
	}
}

// sine is an input of ffmpeg: a sine.
func sine(hz, seconds string) []string {
	return []string{"-f", "lavfi", "-i", "sine=f=" + hz + ":r=16000:d=" + seconds}
}

var hush = []string{"-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo"}

// inputs makes a file of several tracks, one of each input.
func inputs(t testing.TB, name string, ins [][]string, args ...string) string {
	t.Helper()
	var all []string
	for _, in := range ins {
		all = append(all, in...)
	}
	for i := range ins {
		all = append(all, "-map", strconv.Itoa(i)+":a")
	}
	return mediatest.FFmpeg(t, name, append(all, args...)...)
}

// written makes a clip of bytes.
func written(t testing.TB, name string, clip []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, clip, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// foreignCodec changes the first mp4a sample description into one of a codec
// that ffmpeg does not know.
func foreignCodec(t testing.TB, path string) string {
	t.Helper()
	clip := bytes.Replace(mediatest.Read(t, path), []byte("mp4a\x00"), []byte("apac\x00"), 1)
	clip = bytes.Replace(clip, []byte("esds\x00"), []byte("dapa\x00"), 1)
	return written(t, filepath.Base(path), clip)
}

// mustHear decodes a clip and adds its two channels up, on which its tracks are.
func mustHear(t testing.TB, path string) ([]float32, Report) {
	t.Helper()
	got, report := mustDecode(t, path)
	for i := range got {
		got[i] *= 2 // it is the average
	}
	return got, report
}

func TestEveryTrackIsHeard(t *testing.T) {
	speech := mediatest.Speech(t)
	want, _ := mustDecode(t, speech)
	mic, long := []string{"-i", speech}, media.Duration(int64(len(want)))
	seconds := strconv.FormatFloat(long.Seconds(), 'f', 3, 64)
	silence := append(slices.Clone([]string{"-t", seconds}), hush...)
	for name, path := range map[string]string{
		"silent desktop and microphone": inputs(t, "a.mp4", [][]string{silence, mic}),
		"microphone and silent desktop": inputs(t, "b.mov", [][]string{mic, silence}),
		"of Matroska":                   inputs(t, "c.mkv", [][]string{silence, mic}, "-c:a:0", "libopus", "-c:a:1", "libvorbis", "-ar", "48000"),
		"of ASF":                        inputs(t, "d.wma", [][]string{silence, mic}, "-c:a", "pcm_s16le"),
		"a codec nobody knows":          foreignCodec(t, inputs(t, "e.mp4", [][]string{silence, mic})),
		"a codec nobody knows, after":   foreignCodec(t, inputs(t, "f.mp4", [][]string{mic, mic}, "-c:a:0", "alac", "-c:a:1", "aac")),
		"a codec that may not run":      inputs(t, "g.mkv", [][]string{silence, mic}, "-c:a:0", "adpcm_swf", "-ar:a:0", "44100", "-c:a:1", "libopus"),
		"a track that ends early":       inputs(t, "h.mkv", [][]string{sine("7", "0.1"), mic}, "-c:a", "flac"),
		"a track without packets":       inputs(t, "i.mkv", [][]string{silence, mic}, "-c:a", "libopus", "-filter:a:0", "atrim=end_sample=0"),
		"sixteen tracks":                inputs(t, "j.mov", append(slices.Repeat([][]string{silence}, 15), mic), "-c:a", "pcm_s16le", "-ar", "8000"),
	} {
		t.Run(name, func(t *testing.T) {
			got, report := mustHear(t, path)
			if strings.Contains(name, "nobody knows") { // one track is left
				got, report = mustDecode(t, path)
			}
			placed(t, got, want, 0)
			lasts(t, got, long)
			if report.Truncated || report.Lost != nil {
				t.Errorf("got %+v", report)
			}
		})
	}
}

// TestTracksAreAddedUp hears two people, each as loud as alone.
func TestTracksAreAddedUp(t *testing.T) {
	low, _ := mustDecode(t, mediatest.FFmpeg(t, "a.wav", sine("300", "2")...))
	high, _ := mustDecode(t, mediatest.FFmpeg(t, "a.wav", sine("1100", "2")...))
	got, _ := mustHear(t, inputs(t, "a.mka", [][]string{sine("300", "2"), sine("1100", "2")}, "-c:a", "flac"))
	lasts(t, got, 2*time.Second)
	for _, want := range [][]float32{low, high} {
		var of, with float64
		for i, x := range want[:2*media.SampleRate-100] {
			of, with = of+float64(x)*float64(x), with+float64(x)*float64(got[i])
		}
		if gain := with / of; gain < 0.95 || gain > 1.05 {
			t.Errorf("a tone is %.2f times as loud as alone", gain)
		}
	}
}

// TestCallerAndCalleeAreApart keeps two people on two tracks on two channels.
func TestCallerAndCalleeAreApart(t *testing.T) {
	one, other := voices(t)
	path := inputs(t, "a.mka", [][]string{{"-i", one}, {"-i", other}, {"-t", "5", "-f", "lavfi", "-i", "anullsrc"}}, "-c:a", "libopus")
	if got := heardAs(spoolFile(t, path)); got != "apart" {
		t.Errorf("heard as %q, want apart", got)
	}
}

func TestLoudTracksAreLimited(t *testing.T) {
	loud := []string{"-f", "lavfi", "-i", "aevalsrc=0.9*sin(2*PI*300*t):d=1:s=16000"}
	got, _ := mustDecode(t, inputs(t, "a.mka", [][]string{loud, loud, loud}, "-c:a", "flac"))
	if most := peak(got); most > 1 || most < 0.9 {
		t.Errorf("three loud tracks peak at %.2f", most)
	}
}

// TestSilenceHidesATrackThatCannotBeHeard: all that can be decoded is silent,
// so what was said must be in the other track.
func TestSilenceHidesATrackThatCannotBeHeard(t *testing.T) {
	two := [][]string{{"-i", mediatest.Speech(t)}, append([]string{"-t", "3"}, hush...)}
	got, report := mustDecode(t, foreignCodec(t, inputs(t, "a.mp4", two, "-t", "3")))
	if want := []media.Span{{End: media.Duration(int64(len(got)))}}; !reflect.DeepEqual(report.Lost, want) {
		t.Errorf("lost %v, want %v", report.Lost, want)
	}
}

func TestNoTrackCanBeHeard(t *testing.T) {
	path := foreignCodec(t, mediatest.FFmpeg(t, "a.mp4", "-i", mediatest.Speech(t), "-t", "2"))
	_, _, err := decodeFile(t, plain, path)
	wantRefusal(t, err, media.Unsupported)
}

func TestChoiceOfTracks(t *testing.T) {
	for name, c := range map[string]struct {
		listed string
		want   []int
	}{
		"desktop and microphone": {"(und): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, stereo, fltp, 2 kb/s (default)|[0x2](und): Audio: aac (LC), 16000 Hz, mono", []int{0, 1}},
		"all of one language":    {"(eng): Audio: aac, 48000 Hz (default)|(eng): Audio: aac, 48000 Hz|: Audio: opus", []int{0, 1, 2}},
		"dubs":                   {"(jpn): Audio: flac, 48000 Hz|(eng): Audio: aac, 48000 Hz (default)|(ger): Audio: aac|: Audio: opus", []int{1, 3}},
		"dubs, none by default":  {"(jpn): Audio: flac, 48000 Hz|(eng): Audio: aac, 48000 Hz", []int{0}},
		"a commentary":           {"(eng): Audio: aac, 48000 Hz (default)|(eng): Audio: aac, 48000 Hz (default) (comment)", []int{0}},
		"nothing but commentary": {"(eng): Audio: aac, 48000 Hz (comment)", []int{0}},
		"spatial sound":          {"(und): Audio: none (apac / 0x63617061), 48000 Hz, 5 channels (default)|(und): Audio: aac (LC), 48000 Hz", []int{1}},
		"nothing known":          {"(und): Audio: none (apac / 0x63617061), 48000 Hz, 5 channels (default)", []int{}},
		"too many":               {strings.Repeat(": Audio: opus|", 40), []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
	} {
		told := newFFmpegLog()
		said := "[info] Input #0, matroska,webm, from 'x':\n[info]   Duration: 00:01:02.50, start: 0.000000, bitrate: 17 kb/s\n"
		for i, rest := range strings.Split(c.listed, "|") {
			said += "[info]   Stream #0:" + strconv.Itoa(i) + rest + "\n[info]     Metadata:\n[info]       title           : x\n"
		}
		_, _ = told.Write([]byte(said + "[info] Stream mapping:\n[info]   Stream #0:1(eng): Audio: aac\n"))
		if got := audible(told.list()); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v of %+v, want %v", name, got, told.tracks, c.want)
		}
		if got := told.length(); got != 62500*time.Millisecond {
			t.Errorf("%s: length %v", name, got)
		}
	}
}
