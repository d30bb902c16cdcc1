package render

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hark/media"
)

// rendered analyses and renders p.
func rendered(t testing.TB, p []float32) (*Rendition, Analysis) {
	t.Helper()
	spool := spoolOf(t, p)
	a, err := Analyse(spool.NewReader(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	scratch := t.TempDir()
	r, err := New(Config{FFmpeg: needTool(t, "ffmpeg"), ScratchDir: scratch}).Render(t.Context(), spool, a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("scratch folder holds %v, %v", left, err)
	}
	return r, a
}

// saved writes a rendition where other programs can read it.
func saved(t testing.TB, r *Rendition) (path string, data []byte) {
	t.Helper()
	data, err := io.ReadAll(r.File)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(data)) != r.Bytes {
		t.Fatalf("%d bytes, said to be %d", len(data), r.Bytes)
	}
	path = filepath.Join(t.TempDir(), "rendition.m4a")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, data
}

// decoded is the sound of a rendition, which its last frame pads.
func decoded(t testing.TB, r *Rendition) []float32 {
	t.Helper()
	path, _ := saved(t, r)
	return fromF32(output(t, nil, needTool(t, "ffmpeg"), "-v", "error", "-i", path, "-f", "f32le", "-"))
}

func TestSpeechComesToTheTarget(t *testing.T) {
	voices := map[string][]float32{
		"prompt":      prompt(t, "demo-nogo"),
		"synthesizer": spoken(t, "Say it once. It is never lost, and anyone who may hear it can find it by a word."),
		"noisy":       mixed(prompt(t, "dir-intro"), noise(0.01, 60)),
	}
	for name, voice := range voices {
		top := decibels(float64(magnitude(voice)))
		for _, peak := range []float64{-40, -20, 0, 12} {
			t.Run(fmt.Sprintf("%s at %v dBFS", name, peak), func(t *testing.T) {
				r, a := rendered(t, scaled(voice, factor(peak-top)))
				sound := decoded(t, r)
				loudness, truePeak := reference(t, sound)
				t.Logf("from %.1f LUFS by %.1f dB to %.2f LUFS (ffmpeg says %.1f), %.1f dBTP", a.LoudnessLUFS, r.GainDB, r.LoudnessLUFS, loudness, truePeak)
				if math.Abs(loudness-TargetLUFS) > 0.7 {
					t.Errorf("loudness %.1f LUFS", loudness)
				}
				if math.Abs(loudness-r.LoudnessLUFS) > 0.3 {
					t.Errorf("loudness said to be %.2f LUFS, ffmpeg says %.1f", r.LoudnessLUFS, loudness)
				}
				if m := magnitude(sound); m >= 1 {
					t.Errorf("decoded peak %v", m)
				}
			})
		}
	}
}

// A bump that is 30 dB louder than the speech must not keep it quiet.
func TestHighCrestFactor(t *testing.T) {
	voice := scaled(prompt(t, "demo-congrats"), 0.03)
	copy(voice[len(voice)/2:], square(80, 1, 0.005))
	r, a := rendered(t, voice)
	if a.TruePeakDBTP < -1 || a.LoudnessLUFS > -40 {
		t.Fatalf("not the signal that was meant: %+v", a)
	}
	if got := loudnessOf(decoded(t, r)); math.Abs(got-TargetLUFS) > 0.7 {
		t.Errorf("loudness %.2f LUFS", got)
	}
}

func TestRenditionsDoNotClip(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for name, p := range map[string][]float32{
		"white noise":      noise(1, 3),
		"square wave":      square(300, 1, 3),
		"quiet square":     square(1000, 0.01, 3),
		"impulses":         impulses(rng, 3),
		"quiet impulses":   scaled(impulses(rng, 3), 0.02),
		"bursts":           bursts(rng, 3),
		"quiet bursts":     scaled(bursts(rng, 5), 0.05),
		"clapping":         clapping(rng),
		"sine":             sine(1000, 1, 3),
		"low sine":         sine(50, 1, 3),
		"sine at 7 kHz":    sine(7000, 1, 3),
		"a loud syllable":  joined(make([]float32, 48000), square(150, 0.9, 0.2), make([]float32, 48000)),
		"one loud sample":  joined(make([]float32, 4000), []float32{1}, make([]float32, 4000)),
		"overdriven voice": scaled(prompt(t, "demo-nogo"), 100),
	} {
		t.Run(name, func(t *testing.T) {
			r, a := rendered(t, p)
			m := magnitude(decoded(t, r))
			t.Logf("from %.1f LUFS, %.1f dBTP by %.1f dB to %.1f LUFS, decoded peak %.3f", a.LoudnessLUFS, a.TruePeakDBTP, r.GainDB, r.LoudnessLUFS, m)
			if m >= 1 {
				t.Errorf("decoded peak %v", m)
			}
		})
	}
}

// clapping is short decaying noise with long pauses: sharp peaks, low loudness.
func clapping(rng *rand.Rand) (p []float32) {
	for range 8 {
		clap := noise(0.9, 0.3+0.3*rng.Float64())
		for i := range clap {
			clap[i] *= float32(math.Exp(-float64(i) / 150))
		}
		p = append(p, clap...)
	}
	return p
}

func TestRenditionPlays(t *testing.T) {
	speech := prompt(t, "demo-nogo")
	r, a := rendered(t, speech)
	path, data := saved(t, r)
	if r.MediaType != MediaType || r.DurationMS != a.DurationMS {
		t.Errorf("media type %q, duration %d of %d ms", r.MediaType, r.DurationMS, a.DurationMS)
	}
	if boxes := topBoxes(t, data); !slices.Equal(boxes[:2], []string{"ftyp", "moov"}) {
		t.Errorf("boxes %v, want the index first", boxes)
	}
	if brand := string(data[8:12]); brand != "M4A " {
		t.Errorf("brand %q", brand)
	}
	var said struct {
		Streams []struct {
			Codec    string            `json:"codec_name"`
			Profile  string            `json:"profile"`
			Channels int               `json:"channels"`
			Rate     string            `json:"sample_rate"`
			Duration float64           `json:"duration,string"`
			BitRate  float64           `json:"bit_rate,string"`
			Tags     map[string]string `json:"tags"`
		} `json:"streams"`
		Format struct {
			Duration float64           `json:"duration,string"`
			Start    float64           `json:"start_time,string"`
			Tags     map[string]string `json:"tags"`
		} `json:"format"`
	}
	probe := output(t, nil, needTool(t, "ffprobe"), "-v", "error", "-of", "json", "-show_format", "-show_streams", path)
	if err := json.Unmarshal(probe, &said); err != nil {
		t.Fatal(err)
	}
	if len(said.Streams) != 1 {
		t.Fatalf("streams: %s", probe)
	}
	s := said.Streams[0]
	if s.Codec != "aac" || s.Profile != "LC" || s.Channels != 1 || s.Rate != "16000" || s.BitRate < 44_000 || s.BitRate > 66_000 {
		t.Errorf("stream %+v", s)
	}
	seconds := float64(len(speech)) / media.SampleRate
	if math.Abs(s.Duration-seconds) > 0.03 || math.Abs(said.Format.Duration-seconds) > 0.03 || said.Format.Start != 0 {
		t.Errorf("stream %v s, file %v s from %v, want %v s from 0", s.Duration, said.Format.Duration, said.Format.Start, seconds)
	}
	for _, tags := range []map[string]string{s.Tags, said.Format.Tags} {
		for tag := range tags {
			if !slices.Contains([]string{"major_brand", "minor_version", "compatible_brands", "language", "handler_name", "vendor_id"}, tag) {
				t.Errorf("metadata %s: %q", tag, tags[tag])
			}
		}
	}
	again, _ := rendered(t, speech)
	if _, same := saved(t, again); !bytes.Equal(same, data) {
		t.Error("the same sound gives another file")
	}
}

// topBoxes lists an MP4 file's outermost boxes.
func topBoxes(t testing.TB, data []byte) (boxes []string) {
	t.Helper()
	for len(data) >= 8 {
		boxes = append(boxes, string(data[4:8]))
		size := int(binary.BigEndian.Uint32(data))
		if size < 8 || size > len(data) {
			t.Fatalf("box %q of %d bytes, %d left", data[4:8], size, len(data))
		}
		data = data[size:]
	}
	return boxes
}

// What is heard at a moment of the clip is heard at that moment of the rendition.
func TestRenditionKeepsTime(t *testing.T) {
	p := make([]float32, 3*media.SampleRate)
	const at = 24_680
	copy(p[at:], sine(1000, 0.5, 0.05))
	r, _ := rendered(t, p)
	sound := decoded(t, r)
	loud := magnitude(sound) / 2
	if got := slices.IndexFunc(sound, func(x float32) bool { return abs(x) > loud }); got < at-16 || got > at+16 {
		t.Errorf("tone at sample %d, want %d", got, at)
	}
	if extra := len(sound) - len(p); extra < 0 || extra > 1024 {
		t.Errorf("%d samples of %d", len(sound), len(p))
	}
}

func TestRenditionsOfAnyLength(t *testing.T) {
	for _, samples := range []int{1, 2, 90, 91, 92, 1023, 1024, 1025, 6399, 8192, 8193, 16000} {
		r, a := rendered(t, sine(300, 0.1, float64(samples)/media.SampleRate))
		if sound := decoded(t, r); len(sound) < samples {
			t.Errorf("%d samples: %d came out", samples, len(sound))
		}
		if want := int64(math.Round(float64(samples) / 16)); a.DurationMS != want || r.DurationMS != want {
			t.Errorf("%d samples: %d and %d ms", samples, a.DurationMS, r.DurationMS)
		}
	}
}

func TestSilenceStaysSilent(t *testing.T) {
	r, a := rendered(t, make([]float32, 5*media.SampleRate))
	if a.LoudnessLUFS != SilenceLUFS || a.TruePeakDBTP != SilenceDBTP || r.LoudnessLUFS != SilenceLUFS || r.GainDB != 0 {
		t.Errorf("%+v, %+v", a, r)
	}
	if m := magnitude(decoded(t, r)); m > 1e-4 {
		t.Errorf("decoded peak %v", m)
	}
	r, a = rendered(t, scaled(noise(1, 5), 0.0007))
	if a.LoudnessLUFS > -64 || r.LoudnessLUFS > -60 {
		t.Errorf("an empty room at %.1f LUFS was raised to %.1f", a.LoudnessLUFS, r.LoudnessLUFS)
	}
}

func TestAnalyseAnything(t *testing.T) {
	a, err := Analyse(inPieces(nil))
	if err != nil || a.DurationMS != 0 || len(a.Peaks) != bins || a.LoudnessLUFS != SilenceLUFS || a.TruePeakDBTP != SilenceDBTP {
		t.Errorf("no sound: %+v, %v", a, err)
	}
	for name, p := range map[string][]float32{
		"nothing": nil, "one": {1}, "silence": make([]float32, 9999), "noise": noise(1, 3),
	} {
		a, err := Analyse(inPieces(p))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := json.Marshal(a); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := errors.New("the disk is on fire")
	if _, err := Analyse(failing{broken}); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

// failing is a source that gives a few samples with its error.
type failing struct{ err error }

func (f failing) ReadSamples(p []float32) (int, error) { return min(10, len(p)), f.err }

func TestNoSoundIsRefused(t *testing.T) {
	if _, err := New(Config{}).Render(t.Context(), spoolOf(t, nil), Analysis{}); !errors.Is(err, ErrNoSound) {
		t.Errorf("error %v", err)
	}
}

// TestRenderingOfAnInvertedChannel: a plain average of such channels is silence.
func TestRenderingOfAnInvertedChannel(t *testing.T) {
	left := sine(440, 0.1, 3)
	right := make([]float32, len(left))
	for i, x := range left {
		if i/4000%3 == 0 {
			left[i], x = 0, 0 // as speech has pauses
		}
		right[i] = -x
	}
	spool := stereoSpoolOf(t, left, right)
	a, err := Analyse(spool.NewReader(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if alone, err := Analyse(spoolOf(t, left).NewReader(t.Context())); err != nil || math.Abs(a.LoudnessLUFS-alone.LoudnessLUFS) > 0.1 {
		t.Errorf("as loud as %.1f LUFS, a channel alone as %.1f (%v)", a.LoudnessLUFS, alone.LoudnessLUFS, err)
	}
}
