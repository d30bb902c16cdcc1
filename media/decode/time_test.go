package decode

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"hark/media"
	"hark/media/internal/ebml"
	"hark/media/internal/mediatest"
)

// stamped makes a WebM of speech, as browsers record it, with a time stamp for
// each of its packets, in ms, that is made from the right one.
func stamped(t testing.TB, name string, stamp func(ms int64) int64, args ...string) string {
	t.Helper()
	args = append([]string{"-i", mediatest.Speech(t), "-c:a", "libopus", "-b:a", "32k", "-live", "1", "-cluster_time_limit", "1"}, args...)
	clip := mediatest.Read(t, mediatest.FFmpeg(t, name, args...))
	mark := []byte("\x1F\x43\xB6\x75") // a cluster, in which one packet lies
	parts := bytes.Split(clip, mark)
	clip = parts[0]
	for _, part := range parts[1:] {
		_, sizeLen := sizeOf(part)
		content := part[sizeLen:]
		if content[0] != ebml.Timestamp {
			t.Fatalf("a cluster begins with % x", content[:8])
		}
		n := int(content[1] &^ 0x80)
		ms := int64(ebml.Uint(content[2 : 2+n]))
		clip = append(append(clip, mark...), "\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xE7\x88"...)
		clip = binary.BigEndian.AppendUint64(clip, uint64(max(0, stamp(ms))))
		clip = append(clip, content[2+n:]...)
	}
	return written(t, name, clip)
}

// sizeOf reads the size of an element, which stands behind its ID.
func sizeOf(b []byte) (size int64, length int) {
	_, size, length = ebml.Head(append([]byte{ebml.SimpleBlock}, b[:min(len(b), ebml.MaxHead)]...))
	return size, max(length-1, 0)
}

// after makes a jump of time stamps, in ms, at 3 s.
func after(jump int64) func(int64) int64 {
	return func(ms int64) int64 {
		if ms >= 3000 {
			return ms + jump
		}
		return ms
	}
}

// oneAt3s moves one time stamp, by ms.
func oneAt3s(by int64) func(int64) int64 {
	return func(ms int64) int64 {
		if ms >= 3000 && ms < 3020 {
			return ms + by
		}
		return ms
	}
}

// TestTimeStamps plays the first and the last two seconds of a sentence where
// its time stamps put them.
func TestTimeStamps(t *testing.T) {
	speech := mediatest.Speech(t)
	want, _ := mustDecode(t, speech)
	long := media.Duration(int64(len(want)))
	const two = 2 * media.SampleRate
	head, tail := want[:two], want[len(want)-two:]
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same jitter each time
	hour := []string{"-output_ts_offset", "3600"}
	video := []string{"-f", "lavfi", "-i", "testsrc=d=9:s=64x48:r=5"}
	late := append(append([]string{}, video...), "-itsoffset", "4", "-i", speech)
	last := int64(0)
	for name, c := range map[string]struct {
		path  string
		first time.Duration // where the sentence begins
		jump  time.Duration // between its beginning and its end
	}{
		"a gap of 5 s":                 {stamped(t, "a.webm", after(5000)), 0, 5 * time.Second},
		"a gap of a lost packet":       {stamped(t, "a.webm", after(60)), 0, 60 * time.Millisecond},
		"a gap of 9 min":               {stamped(t, "a.webm", after(9*60_000)), 0, 9 * time.Minute},
		"a gap of a day":               {stamped(t, "a.webm", after(24*3600_000)), 0, 0},
		"a gap of a month":             {stamped(t, "a.webm", after(30*24*3600_000)), 0, 0},
		"a gap that a file declares":   {mediatest.FFmpeg(t, "a.m4a", "-i", speech, "-c:a", "aac", "-bsf:a", `setts=ts=PTS+if(gt(PTS*TB\,3)\,1800/TB\,0)`), 0, 30 * time.Minute},
		"a gap in MP4":                 {mediatest.FFmpeg(t, "a.mp4", "-i", speech, "-c:a", "aac", "-bsf:a", `setts=ts=PTS+if(gt(PTS*TB\,3)\,5/TB\,0)`), 0, 5 * time.Second},
		"a step back":                  {stamped(t, "a.webm", after(-3000)), 0, 0},
		"one wrong stamp":              {stamped(t, "a.webm", oneAt3s(7000)), 0, 0},
		"stamps that count from 1970":  {stamped(t, "a.webm", func(ms int64) int64 { return ms + 1_700_000_000_000 }), 0, 0},
		"jitter":                       {stamped(t, "a.webm", func(ms int64) int64 { return ms + random.Int64N(40) - 20 }), 0, 0},
		"packets in bursts":            {stamped(t, "a.webm", func(ms int64) int64 { return (ms + 199) / 200 * 200 }), 0, 0},
		"a clock that is slow":         {stamped(t, "a.webm", func(ms int64) int64 { return ms * 1005 / 1000 }), 0, 30 * time.Millisecond},
		"all stamps alike":             {stamped(t, "a.webm", func(int64) int64 { return 0 }), 0, 0},
		"stamps that never go on":      {stamped(t, "a.webm", func(ms int64) int64 { last = max(last, min(ms, 1000)); return last }), 0, 0},
		"sound after the picture, MP4": {mediatest.FFmpeg(t, "a.mp4", append(late, "-c:a", "aac", "-c:v", "mpeg4")...), 4 * time.Second, 0},
		"sound after the picture, MOV": {mediatest.FFmpeg(t, "a.mov", append(late, "-c:a", "pcm_s16le", "-c:v", "mpeg4")...), 4 * time.Second, 0},
		"sound after the picture, MKV": {mediatest.FFmpeg(t, "a.mkv", append(late, "-c:a", "libopus", "-c:v", "mpeg4")...), 4 * time.Second, 0},
		"sound after the picture, ASF": {mediatest.FFmpeg(t, "a.wmv", append(late, "-c:a", "pcm_s16le", "-c:v", "wmv2")...), 4 * time.Second, 0},
		"both an hour late":            {mediatest.FFmpeg(t, "a.mkv", append(append(late, hour...), "-c:a", "libopus", "-c:v", "mpeg4")...), 4 * time.Second, 0},
		"cut from a live stream":       {mediatest.FFmpeg(t, "a.mp4", append([]string{"-i", speech, "-ar", "48000", "-c:a", "aac", "-movflags", "empty_moov+default_base_moof+frag_keyframe"}, hour...)...), 21 * time.Millisecond, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, report := mustDecode(t, c.path)
			t.Logf("%v, %+v", media.Duration(int64(len(got))), report)
			near(t, got, head, c.first)
			near(t, got, tail, c.first+c.jump+long-2*time.Second)
			lasts(t, got, c.first+long+c.jump)
			if report.Lost != nil {
				t.Errorf("lost %v", report.Lost)
			}
		})
	}
}

// near fails unless the sound want is in got within 45 ms of a time.
func near(t *testing.T, got, want []float32, at time.Duration) {
	t.Helper()
	best := 0.0
	for lag := int(media.Samples(at - 45*time.Millisecond)); lag <= int(media.Samples(at+45*time.Millisecond)); lag += 4 {
		best = max(best, correlation(want, got, lag))
	}
	if best < 0.7 {
		t.Errorf("correlation %.3f near %v", best, at)
	}
}
