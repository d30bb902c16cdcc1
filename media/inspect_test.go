package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"hark/media"
	"hark/media/internal/mediatest"
)

// sine is two seconds of a tone, as ffmpeg's input.
var sine = []string{"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2"}

// clips are the forms in which ffmpeg writes the tone.
var clips = []struct {
	name     string
	args     []string
	format   media.Format
	declared bool
}{
	{"a.mp3", []string{"-b:a", "64k"}, media.MP3, true},
	{"vbr.mp3", []string{"-q:a", "4"}, media.MP3, true},
	{"bare.mp3", []string{"-b:a", "64k", "-write_xing", "0", "-id3v2_version", "0"}, media.MP3, true},
	{"old.mp3", []string{"-ar", "8000"}, media.MP3, true},
	{"a.mp2", nil, media.MP3, true},
	{"a.wav", nil, media.WAV, true},
	{"adpcm.wav", []string{"-c:a", "adpcm_ima_wav"}, media.WAV, true},
	{"rf64.wav", []string{"-rf64", "always"}, media.WAV, true},
	{"a.w64", nil, media.Wave64, false},
	{"a.opus", []string{"-c:a", "libopus"}, media.OggOpus, true},
	{"a.ogg", []string{"-c:a", "libvorbis"}, media.OggVorbis, true},
	{"a.oga", []string{"-c:a", "flac"}, media.OggFLAC, true},
	{"a.spx", []string{"-c:a", "libspeex", "-ar", "16000"}, media.OggSpeex, true},
	{"a.flac", nil, media.FLAC, true},
	{"a.m4a", []string{"-c:a", "aac"}, media.MP4, true},
	{"fast.m4a", []string{"-c:a", "aac", "-movflags", "+faststart"}, media.MP4, true},
	{"alac.m4a", []string{"-c:a", "alac"}, media.MP4, true},
	{"frag.mp4", []string{"-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"}, media.MP4, false},
	{"a.mov", []string{"-c:a", "pcm_s16le"}, media.MP4, true},
	{"a.3gp", []string{"-c:a", "aac"}, media.ThreeGP, true},
	{"a.webm", []string{"-c:a", "libopus"}, media.WebM, true},
	{"live.webm", []string{"-c:a", "libopus", "-f", "webm", "-live", "1"}, media.WebM, false},
	{"a.mka", []string{"-c:a", "flac"}, media.WebM, true},
	{"a.caf", []string{"-c:a", "pcm_s16le"}, media.CAF, true},
	{"alac.caf", []string{"-c:a", "alac"}, media.CAF, true},
	{"a.aiff", nil, media.AIFF, true},
	{"a.wma", nil, media.ASF, true},
	{"a.aac", nil, media.AAC, false},
	{"a.au", nil, media.AU, true},
}

func inspect(b []byte, limits media.Limits) (media.Info, error) {
	return media.Inspect(bytes.NewReader(b), int64(len(b)), limits)
}

func TestInspectKnowsWhatFFmpegWrites(t *testing.T) {
	for _, c := range clips {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := mediatest.Read(t, mediatest.FFmpeg(t, c.name, append(sine, c.args...)...))
			info, err := inspect(b, media.Limits{MaxDuration: 3 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			if info.Format != c.format {
				t.Errorf("format %q, want %q", info.Format, c.format)
			}
			if c.declared && (info.Duration-2*time.Second).Abs() > 150*time.Millisecond || !c.declared && info.Duration != 0 {
				t.Errorf("duration %v, declared %v", info.Duration, c.declared)
			}
			if !c.declared {
				return
			}
			_, err = inspect(b, media.Limits{MaxDuration: time.Second})
			wantRefusal(t, err, media.TooLong, "2 s", "1 s")
		})
	}
}

func wantRefusal(t *testing.T, err error, kind media.Kind, words ...string) {
	t.Helper()
	refusal, ok := media.AsRefusal(err)
	if !ok || refusal.Kind != kind {
		t.Errorf("got %v, want a refusal of kind %s", err, kind)
		return
	}
	for _, w := range words {
		if !strings.Contains(refusal.Reason, w) {
			t.Errorf("the reason %q does not say %q", refusal.Reason, w)
		}
	}
}

func TestInspectRefusesVideoWithoutSound(t *testing.T) {
	for _, name := range []string{"v.mp4", "v.webm", "v.wmv", "v.ogv", "v.mov"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := mediatest.Read(t, mediatest.FFmpeg(t, name, "-f", "lavfi", "-i", "testsrc=duration=0.2:size=64x48"))
			_, err := inspect(b, media.Limits{})
			wantRefusal(t, err, media.NotAudio, "video without sound")
		})
	}
}

func TestInspectCutOffMP4(t *testing.T) {
	b := mediatest.Read(t, mediatest.FFmpeg(t, "a.m4a", append(sine, "-c:a", "aac")...))
	_, err := inspect(b[:len(b)/2], media.Limits{})
	wantRefusal(t, err, media.Damaged, "cut off before its index was written")

	fast := mediatest.Read(t, mediatest.FFmpeg(t, "a.m4a", append(sine, "-c:a", "aac", "-movflags", "+faststart")...))
	if _, err := inspect(fast[:len(fast)/2], media.Limits{}); err != nil {
		t.Errorf("a clip whose index stands first can be heard up to its cut, but was refused: %v", err)
	}
}

// wav makes a WAV file of 16-bit mono at 16 kHz, with the sizes as declared.
func wav(riffSize, dataSize uint32, samples int) []byte {
	b := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, riffSize)...)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, dataSize)
	return append(b, make([]byte, samples*2)...)
}

func TestInspectLyingWAV(t *testing.T) {
	for name, c := range map[string]struct {
		clip []byte
		want time.Duration
		kind media.Kind
	}{
		"promises 4 GB, has a second":   {wav(0xFFFFFFF0, 0xFFFFFF00, 16000), 0, media.Damaged},
		"a stream by arecord":           {wav(0x80000024, 0x80000000, 16000), time.Second, ""},
		"data promises 4 GB alone":      {wav(16036, 0xFFFFFFFF, 16000), 0, media.Damaged},
		"cut off in its last third":     {wav(48036, 48000, 16000), time.Second, ""},
		"streamed, has a second":        {wav(0xFFFFFFFF, 0xFFFFFFFF, 16000), time.Second, ""},
		"never finished, has a second":  {wav(0, 0, 16000), time.Second, ""},
		"promises 4 GB, has nothing":    {wav(0xFFFFFFF0, 0xFFFFFF00, 0), 0, media.Damaged},
		"finished and empty":            {wav(36, 0, 0), 0, media.Damaged},
		"finished, empty, and has tags": {append(wav(36+12, 0, 0), "LIST\x04\x00\x00\x00abcd"...), 0, media.Damaged},
		"ends in its headers":           {wav(36, 0, 0)[:30], 0, media.Damaged},
	} {
		t.Run(name, func(t *testing.T) {
			info, err := inspect(c.clip, media.Limits{})
			if c.kind != "" {
				wantRefusal(t, err, c.kind)
			} else if err != nil || info.Duration != c.want {
				t.Errorf("got %v, %v; want %v", info.Duration, err, c.want)
			}
		})
	}
}

func TestInspectRefusals(t *testing.T) {
	silentMP3 := append([]byte("ID3\x03\x00\x00\x00\x00\x00\x0a"), make([]byte, 100_000)...)
	hugeTag := append([]byte("ID3\x03\x00\x00\x7f\x7f\x7f\x7f"), make([]byte, 1000)...)
	for name, c := range map[string]struct {
		clip  []byte
		kind  media.Kind
		words string
	}{
		"nothing":             {nil, media.Empty, "empty"},
		"text":                {[]byte("Dear friend, this is no recording. — Yours"), media.NotAudio, "text"},
		"text about moov":     {[]byte("the free software"), media.NotAudio, "text"},
		"UTF-16":              {[]byte("\xFF\xFEh\x00i\x00"), media.NotAudio, "text"},
		"HTML":                {[]byte("\n<!DOCTYPE html><title>x</title>"), media.NotAudio, "web page"},
		"JPEG":                {[]byte("\xFF\xD8\xFF\xE0\x00\x10JFIF\x00"), media.NotAudio, "JPEG"},
		"HEIC":                {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), media.NotAudio, "picture"},
		"ZIP":                 {[]byte("PK\x03\x04\x14\x00"), media.NotAudio, "ZIP"},
		"WavPack":             {[]byte("wvpk\x00\x00"), media.Unsupported, "WavPack"},
		"AVI":                 {[]byte("RIFF\x00\x00\x00\x00AVI LIST"), media.Unsupported, "AVI"},
		"zeros":               {make([]byte, 5000), media.NotAudio, ""},
		"an MP3 of no frames": {silentMP3, media.Damaged, "no sound"},
		"only a huge tag":     {hugeTag, media.Damaged, "no sound"},
		"only AMR's magic":    {[]byte("#!AMR\n"), media.Damaged, ""},
		"only FLAC's magic":   {[]byte("fLaC"), media.Damaged, ""},
		"only EBML's magic":   {[]byte("\x1A\x45\xDF\xA3"), media.Damaged, ""},
		"only ftyp":           {[]byte("\x00\x00\x00\x0cftypM4A "), media.Damaged, "index"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := inspect(c.clip, media.Limits{})
			wantRefusal(t, err, c.kind, c.words)
		})
	}
	_, err := inspect(make([]byte, 5000), media.Limits{MaxBytes: 4 << 10})
	wantRefusal(t, err, media.TooLarge, "4 kB")
}

// counted is a clip behind a network: it counts what is asked of it.
type counted struct {
	*bytes.Reader
	reads int
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	c.reads++
	return c.Reader.ReadAt(p, at)
}

func TestInspectReadsLittle(t *testing.T) {
	tag := append([]byte("ID3\x03\x00\x00\x00\x7f\x7f\x7f"), make([]byte, 0x7f<<14|0x7f<<7|0x7f)...)
	mp3 := mediatest.Read(t, mediatest.FFmpeg(t, "a.mp3", append(sine, "-id3v2_version", "0")...))
	deep := bytes.Repeat([]byte("\x00\x00\x00\x08free"), 1<<20) // a box after a box
	for name, c := range map[string]struct {
		clip []byte
		most int
	}{
		"MP3 after a tag with a picture": {append(tag, mp3...), 4},
		"a million boxes":                {append([]byte("\x00\x00\x00\x0cftypM4A "), deep...), 8},
		"a million elements":             {append([]byte("\x1A\x45\xDF\xA3\x80"), bytes.Repeat([]byte("\xEC\x80"), 1<<20)...), 8},
	} {
		t.Run(name, func(t *testing.T) {
			r := &counted{Reader: bytes.NewReader(c.clip)}
			_, _ = media.Inspect(r, int64(len(c.clip)), media.Limits{})
			if r.reads > c.most {
				t.Errorf("took %d reads, want at most %d", r.reads, c.most)
			}
		})
	}
}

type brokenReader struct{ err error }

func (b brokenReader) ReadAt([]byte, int64) (int, error) { return 0, b.err }

func TestInspectTellsABrokenStoreFromABrokenClip(t *testing.T) {
	away := errors.New("store is away")
	_, err := media.Inspect(brokenReader{away}, 1000, media.Limits{})
	if _, ok := media.AsRefusal(err); ok || !errors.Is(err, away) {
		t.Errorf("got %v, want the store's error", err)
	}
	if _, err = media.Inspect(brokenReader{io.EOF}, 1000, media.Limits{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v for a clip shorter than its size, want io.ErrUnexpectedEOF", err)
	}
}

// TestInspectCutAnywhere cuts clips at every place of their headers and at
// many after: whatever is left, the answer is an Info or a Refusal.
func TestInspectCutAnywhere(t *testing.T) {
	for _, c := range clips {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := mediatest.Read(t, mediatest.FFmpeg(t, c.name, append(sine, c.args...)...))
			for n := 0; n < len(b); n += 1 + n/200 {
				if _, err := inspect(b[:n], media.Limits{}); err != nil {
					if _, ok := media.AsRefusal(err); !ok {
						t.Fatalf("cut at %d: %v is no Refusal", n, err)
					}
				}
			}
		})
	}
}

func TestFormatNames(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range clips {
		key := fmt.Sprint(c.format.MediaType(), c.format.Extension())
		if strings.Contains(key, "octet-stream") || strings.HasSuffix(key, ".bin") {
			t.Errorf("%q has no name", c.format)
		}
		seen[key] = true
	}
	if got := media.Format("x").MediaType(); got != "application/octet-stream" {
		t.Errorf("an unknown format is %q", got)
	}
}
