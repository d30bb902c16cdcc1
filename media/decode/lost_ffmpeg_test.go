package decode

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"hark/media"
	"hark/media/internal/ebml"
	"hark/media/internal/mediatest"
)

// TestCutFilesAreTold: what follows the end of the bytes is lost, where a file
// says how much that was.
func TestCutFilesAreTold(t *testing.T) {
	speech := mediatest.Speech(t)
	whole, _ := mustDecode(t, speech)
	long := media.Duration(int64(len(whole)))
	for name, c := range map[string]struct {
		name string
		args []string
		told bool
	}{
		"MP4":                       {"a.m4a", []string{"-c:a", "aac", "-movflags", "+faststart"}, true},
		"QuickTime":                 {"a.mov", []string{"-c:a", "pcm_s16le", "-movflags", "+faststart"}, true},
		"Matroska":                  {"a.mka", []string{"-c:a", "libopus", "-cluster_time_limit", "100"}, true},
		"FLAC":                      {"a.flac", nil, true},
		"WebM of no known length":   {"a.webm", []string{"-c:a", "libopus", "-live", "1"}, false},
		"AAC, which says no length": {"a.aac", []string{"-c:a", "aac"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clip := mediatest.Read(t, mediatest.FFmpeg(t, c.name, append([]string{"-i", speech}, c.args...)...))
			got, report := mustDecodeBytes(t, clip[:len(clip)*2/3])
			end := media.Duration(int64(len(got)))
			if end < long/3 || end > long*5/6 {
				t.Errorf("%v of %v", end, long)
			}
			if !c.told {
				if report.Lost != nil {
					t.Errorf("lost %v", report.Lost)
				}
				return
			}
			if len(report.Lost) != 1 || report.Lost[0].Start != end || (report.Lost[0].End-long).Abs() > 100*time.Millisecond {
				t.Errorf("lost %v, want %v to %v", report.Lost, end, long)
			}
		})
	}
}

// TestWholeFilesLoseNothing: lengths that lie are no loss.
func TestWholeFilesLoseNothing(t *testing.T) {
	speech := mediatest.Speech(t)
	mp4 := mediatest.Read(t, mediatest.FFmpeg(t, "a.m4a", "-i", speech, "-c:a", "aac", "-movflags", "+faststart"))
	at := bytes.Index(mp4, []byte("mvhd"))
	copy(mp4[at+4+16:], "\x01\x40\x00\x00") // 5.8 h
	mka := mediatest.Read(t, mediatest.FFmpeg(t, "a.mka", "-i", speech, "-c:a", "libopus"))
	at = bytes.Index(mka, []byte("\x44\x89\x88")) // Duration
	copy(mka[at+3:], "\x41\x70\x00\x00\x00\x00\x00\x00")
	for name, clip := range map[string][]byte{"MP4": mp4, "Matroska": mka} {
		if _, report := mustDecodeBytes(t, clip); report.Lost != nil || report.Truncated {
			t.Errorf("%s: %+v", name, report)
		}
	}
}

// TestDamagedPacketsAreTold: packets that cannot be decoded are silence of
// their length, and told.
func TestDamagedPacketsAreTold(t *testing.T) {
	speech := mediatest.Speech(t)
	want, _ := mustDecode(t, speech)
	long := media.Duration(int64(len(want)))
	tail := want[len(want)-media.SampleRate:]
	for name, args := range map[string][]string{
		"a.m4a":  {"-ar", "48000", "-c:a", "aac", "-b:a", "48k", "-movflags", "+faststart"},
		"a.mka":  {"-ar", "48000", "-c:a", "aac", "-b:a", "48k"},
		"a.flac": {"-ar", "16000"},
		"b.mka":  {"-c:a", "flac"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clip := mediatest.Read(t, mediatest.FFmpeg(t, name, append([]string{"-i", speech}, args...)...))
			from, to := len(clip)*2/5, len(clip)*3/5
			if name[2:] == "mka" { // its structure stays
				clip = damagedBlocks(t, clip)
			} else {
				copy(clip[from:to], bytes.Repeat([]byte{0xFF, 0x00, 0xA7}, to))
			}
			got, report := mustDecodeBytes(t, clip)
			t.Logf("%v of %v, %+v", media.Duration(int64(len(got))), long, report)
			near(t, got, tail, long-time.Second)
			lasts(t, got, long)
			var total time.Duration
			for _, s := range report.Lost {
				total += s.End - s.Start
				if s.Start < long/4 || s.End > long*3/4 {
					t.Errorf("lost %v of %v", s, long)
				}
			}
			if total < long/10 || total > long/3 {
				t.Errorf("%v of %v is lost (%v)", total, long, report.Lost)
			}
		})
	}
}

// damagedBlocks damages the packets of the middle fifth of a Matroska file.
func damagedBlocks(t *testing.T, clip []byte) []byte {
	t.Helper()
	clip = slices.Clone(clip)
	for at := len(clip) * 2 / 5; at < len(clip)*3/5; {
		next := bytes.IndexByte(clip[at:], ebml.SimpleBlock)
		if next < 0 {
			t.Fatal("no block")
		}
		at += next + 1
		size, n := sizeOf(clip[at:])
		if body := clip[at+n:]; size > 16 && size < 4096 && len(body) > int(size) && body[0] == 0x81 && body[3] == 0x80 {
			for i := 4; i < int(size); i++ {
				body[i] = 0xFF
			}
			at += n + int(size)
		}
	}
	return clip
}

// TestJoinedFiles: a file that goes on with another rate or number of channels
// is heard to its end.
func TestJoinedFiles(t *testing.T) {
	speech := mediatest.Speech(t)
	want, _ := mustDecode(t, speech)
	long := media.Duration(int64(len(want)))
	tail := want[len(want)-2*media.SampleRate:]
	make := func(name string, args ...string) []byte {
		return mediatest.Read(t, mediatest.FFmpeg(t, name, append([]string{"-i", speech}, args...)...))
	}
	low, high := []string{"-ar", "22050", "-ac", "2"}, []string{"-ar", "44100"}
	for name, parts := range map[string][2][]byte{
		"AAC, up":      {make("a.aac", low...), make("b.aac", high...)},
		"AAC, down":    {make("a.aac", high...), make("b.aac", low...)},
		"FLAC, alike":  {make("a.flac"), make("b.flac")},
		"WebM":         {make("a.webm"), make("b.webm", "-ac", "2")},
		"Vorbis":       {make("a.ogg", low...), make("b.ogg", high...)},
		"MPEG layer 2": {make("a.mp2", low...), make("b.mp2", high...)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, report := mustDecodeBytes(t, slices.Concat(parts[0], parts[1]))
			t.Logf("%v, %+v", media.Duration(int64(len(got))), report)
			if longer := media.Duration(int64(len(got))) - 2*long; longer < -100*time.Millisecond || longer > 250*time.Millisecond {
				t.Errorf("%v longer than both", longer)
			}
			if report.Lost != nil {
				t.Errorf("lost %v", report.Lost)
			}
			best := 0.0
			for lag := len(got) - len(tail); lag > len(got)-len(tail)-media.SampleRate/3; lag -= 4 {
				best = max(best, correlation(tail, got, lag))
			}
			if best < 0.9 {
				t.Errorf("the end of the second is not heard (%.3f)", best)
			}
		})
	}
}

// TestJoinedFLACThatCannotBeDecoded is told: longer frames than the first part
// declares are refused by ffmpeg.
func TestJoinedFLACThatCannotBeDecoded(t *testing.T) {
	speech := mediatest.Speech(t)
	low := mediatest.Read(t, mediatest.FFmpeg(t, "a.flac", "-i", speech, "-ar", "22050"))
	high := mediatest.Read(t, mediatest.FFmpeg(t, "b.flac", "-i", speech, "-ar", "44100"))
	got, report := mustDecodeBytes(t, slices.Concat(low, high))
	if end := media.Duration(int64(len(got))); len(report.Lost) != 1 || report.Lost[0].Start < end-time.Second || report.Lost[0].End < end+3*time.Second {
		t.Errorf("%v, lost %v", end, report.Lost)
	}
}
