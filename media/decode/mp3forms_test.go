package decode

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"hark/media"
	"hark/media/internal/mediatest"
	"hark/media/internal/mpeg"
)

// speechMP3 returns a few seconds of speech as ffmpeg writes it with args.
func speechMP3(t testing.TB, args ...string) []byte {
	t.Helper()
	args = append([]string{"-i", mediatest.Speech(t), "-f", "mp3"}, args...)
	return mediatest.Read(t, mediatest.FFmpeg(t, "a.mp3", args...))
}

// mp3FramesOf cuts a file without tags into its frames.
func mp3FramesOf(t testing.TB, clip []byte) (frames [][]byte) {
	t.Helper()
	for len(clip) > 0 {
		h, ok := mpeg.Parse(clip)
		if !ok || h.Size > len(clip) {
			t.Fatal("no frame")
		}
		frames = append(frames, clip[:h.Size:h.Size])
		clip = clip[h.Size:]
	}
	return frames
}

func bareMP3(t testing.TB, args ...string) []byte {
	t.Helper()
	return speechMP3(t, append([]string{"-write_xing", "0", "-id3v2_version", "0"}, args...)...)
}

// TestMP3Joined joins files that differ in what may differ. All of their sound
// comes in order, at its time.
func TestMP3Joined(t *testing.T) {
	want, _ := mustDecode(t, mediatest.Speech(t))
	kinds := map[string][]byte{
		"44":        speechMP3(t, "-ar", "44100", "-b:a", "64k"),
		"48":        speechMP3(t, "-ar", "48000", "-b:a", "64k"),
		"32":        speechMP3(t, "-ar", "32000", "-b:a", "64k"),
		"stereo":    speechMP3(t, "-ar", "44100", "-ac", "2", "-b:a", "96k"),
		"bare":      bareMP3(t, "-ar", "44100", "-b:a", "64k"),
		"tagged":    speechMP3(t, "-ar", "44100", "-write_id3v1", "1", "-metadata", "title=x", "-q:a", "5"),
		"22":        speechMP3(t, "-ar", "22050", "-b:a", "32k"),
		"24 stereo": speechMP3(t, "-ar", "24000", "-ac", "2"),
		"8":         speechMP3(t, "-ar", "8000"),
		"mp2":       mediatest.Read(t, mediatest.FFmpeg(t, "a.mp2", "-i", mediatest.Speech(t), "-ar", "48000", "-b:a", "96k")),
	}
	for name, c := range map[string]struct {
		parts   []string
		decoder string
	}{
		"another rate":           {[]string{"44", "48"}, "mp3"},
		"three rates":            {[]string{"32", "44", "48"}, "mp3"},
		"another channel":        {[]string{"44", "stereo", "44"}, "mp3"},
		"the same":               {[]string{"44", "44", "44"}, "mp3"},
		"tags in the middle":     {[]string{"tagged", "tagged", "44"}, "mp3"},
		"without tags":           {[]string{"bare", "stereo", "bare"}, "mp3"},
		"a rate of MPEG-2":       {[]string{"44", "22"}, "ffmpeg"},
		"MPEG-2 first":           {[]string{"22", "44"}, "ffmpeg"},
		"MPEG-2.5 in the middle": {[]string{"44", "8", "48"}, "ffmpeg"},
		"MPEG-2, stereo second":  {[]string{"22", "24 stereo"}, "ffmpeg"},
		"MPEG-2, stereo first":   {[]string{"24 stereo", "22", "44"}, "ffmpeg"},
		"another layer":          {[]string{"44", "mp2"}, "ffmpeg"},
	} {
		t.Run(name, func(t *testing.T) {
			var clip []byte
			for _, part := range c.parts {
				clip = append(clip, kinds[part]...)
			}
			got, report := mustDecodeBytes(t, clip)
			if report.Decoder != c.decoder || len(report.Lost) > 0 || report.Truncated {
				t.Errorf("%+v", report)
			}
			second := want[2*media.SampleRate : 3*media.SampleRate]
			for i, part := range c.parts {
				// The encoder's delay stays at some joins.
				at := i*len(want) + 2*media.SampleRate - media.SampleRate/20
				if c, _ := find(second, got[min(at, len(got)):], time.Duration(i+1)*150*time.Millisecond); c < 0.97 {
					t.Errorf("part %d (%s) is %.3f alike", i, part, c)
				}
			}
			if longer := media.Duration(int64(len(got) - len(c.parts)*len(want))); longer.Abs() > 90*time.Millisecond*time.Duration(len(c.parts)) {
				t.Errorf("%v longer", longer)
			}
		})
	}
}

// find looks for a in the first part of b.
func find(a, b []float32, within time.Duration) (best float64, at time.Duration) {
	for lag := 0; lag < int(media.Samples(within)) && lag < len(b); lag++ {
		if c := correlation(a, b, lag); c > best {
			best, at = c, media.Duration(int64(lag))
		}
	}
	return best, at
}

// TestMP3TagsAreHints has the encoder's tag lie.
func TestMP3TagsAreHints(t *testing.T) {
	clip := speechMP3(t, "-ar", "44100", "-b:a", "64k", "-id3v2_version", "0")
	want, _ := mustDecodeBytes(t, clip)
	at := bytes.Index(clip, []byte("Info"))
	frames := clip[at+8 : at+12]
	delays := clip[at+120+21:][:3]
	count := binary.BigEndian.Uint32(frames)
	half := len(clip) / 2
	h, _ := mpeg.Parse(clip)
	for half--; ; half-- {
		if o, ok := mpeg.Parse(clip[half:]); ok && o.Follows(h) && mpeg.Confirmed(clip[half:], o, 4, false) {
			break
		}
	}
	for name, lie := range map[string]func(b []byte) ([]byte, []float32){
		"six hours of frames":     func(b []byte) ([]byte, []float32) { binary.BigEndian.PutUint32(b[at+8:], 825_000); return b, want },
		"one frame":               func(b []byte) ([]byte, []float32) { binary.BigEndian.PutUint32(b[at+8:], 1); return b, want },
		"no frames":               func(b []byte) ([]byte, []float32) { binary.BigEndian.PutUint32(b[at+8:], 0); return b, want },
		"no bytes":                func(b []byte) ([]byte, []float32) { binary.BigEndian.PutUint32(b[at+12:], 0); return b, want },
		"the most delay and fill": func(b []byte) ([]byte, []float32) { copy(b[at+141:], "\xFF\xFF\xFF"); return b, want },
		"cut in two":              func(b []byte) ([]byte, []float32) { return b[:half], want[:len(want)*half/len(b)] },
	} {
		t.Run(name, func(t *testing.T) {
			got, report := mustDecodeBytes(t, first(lie(bytes.Clone(clip))))
			_, expected := lie(bytes.Clone(clip))
			if d := media.Duration(int64(len(got) - len(expected))); d.Abs() > 150*time.Millisecond {
				t.Errorf("%v longer", d)
			}
			if report.Truncated || len(report.Lost) > 0 {
				t.Errorf("%+v", report)
			}
		})
	}
	if count < 200 || delays[0] == 0 {
		t.Fatalf("the tag is not where the test changes it: %d frames, delays %x", count, delays)
	}
}

func first[A, B any](a A, _ B) A { return a }

// TestMP3Damage asks that sound behind damage is at its time, and that what is
// lost is told.
func TestMP3Damage(t *testing.T) {
	t.Run("mp3", func(t *testing.T) { testMP3Damage(t, bareMP3(t, "-ar", "44100", "-b:a", "64k")) })
	t.Run("ffmpeg", func(t *testing.T) { testMP3Damage(t, bareMP3(t, "-ar", "22050", "-b:a", "32k")) })
}

// testMP3Damage damages a clip of frames that last 26 ms.
func testMP3Damage(t *testing.T, clip []byte) {
	whole, _ := mustDecodeBytes(t, clip)
	frames := mp3FramesOf(t, clip)
	join := func(f ...[][]byte) []byte { return bytes.Join(slices.Concat(f...), nil) }
	a, b := frames[:77], frames[115:] // 2 s, then a second is missing
	missing := len(join(frames[77:115]))
	noise := bytes.Repeat([]byte("no sound at all, "), missing/17+1)[:missing]
	id3 := append([]byte("ID3\x04\x00\x00\x7F\x7F\x7F\x7F"), "a tag that claims 256 MB"...)
	tag := append([]byte("ID3\x04\x00\x00\x00\x00\x00\x10"), make([]byte, 16)...)
	for name, c := range map[string]struct {
		clip   []byte
		longer time.Duration
		lost   bool
	}{
		"a second of rubbish":            {join(a, [][]byte{noise}, b), 0, true},
		"a second of zeros":              {join(a, [][]byte{make([]byte, missing)}, b), 0, true},
		"rubbish of 200 bytes":           {join(a, [][]byte{noise[:200]}, frames[77:]), 0, false},
		"a tag and rubbish of 200 bytes": {join(a, [][]byte{noise[:200], tag}, frames[77:]), 0, false},
		"a tag and a second of rubbish":  {join(a, [][]byte{tag, noise, noise[:missing/4]}, b), 250 * time.Millisecond, true},
		"rubbish at the end":             {join(frames, [][]byte{noise, noise}), 0, true},
		"zeros at the end":               {join(frames, [][]byte{make([]byte, missing)}), 0, false},
		"zeros at the start":             {join([][]byte{make([]byte, 6000)}, frames), 0, false},
		"a frame missing":                {join(a, frames[78:]), -26 * time.Millisecond, false},
		"a tag longer than the file":     {append(id3, clip...), 0, false},
		"the last frame cut":             {clip[:len(clip)-100], -26 * time.Millisecond, false},
		"cut anywhere at the start":      {clip[len(clip)/50:], -145 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, report := decodeAs(t, c.clip, media.MP3)
			if d := media.Duration(int64(len(got)-len(whole))) - c.longer; d.Abs() > 60*time.Millisecond {
				t.Errorf("%v longer than it should be", d)
			}
			tail := 3 * media.SampleRate
			if len(got) < tail {
				t.Fatalf("%d samples", len(got))
			}
			if c, lag := likeness(whole[len(whole)-tail:], got[max(0, len(got)-tail):], 0); c < 0.97 && name != "the last frame cut" {
				t.Errorf("at the end the sound is %.3f alike at %v", c, lag)
			}
			if (len(report.Lost) == 1) != c.lost || c.lost != report.Truncated {
				t.Errorf("%+v", report)
			}
		})
	}
}
