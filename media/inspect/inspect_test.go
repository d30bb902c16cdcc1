package inspect_test

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
	"hark/media/inspect"
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
	{"a.w64", nil, media.Wave64, true},
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

// look inspects a clip.
func look(b []byte, limits media.Limits) (inspect.Info, error) {
	return inspect.Clip(bytes.NewReader(b), int64(len(b)), limits)
}

func TestInspectKnowsWhatFFmpegWrites(t *testing.T) {
	for _, c := range clips {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := mediatest.Read(t, mediatest.FFmpeg(t, c.name, append(sine, c.args...)...))
			info, err := look(b, media.Limits{MaxDuration: 3 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			if info.Format != c.format {
				t.Errorf("format %q, want %q", info.Format, c.format)
			}
			if c.declared && (info.Duration-2*time.Second).Abs() > 150*time.Millisecond || !c.declared && info.Duration != 0 {
				t.Errorf("duration %v, declared %v", info.Duration, c.declared)
			}
			_, err = look(b, media.Limits{MaxDuration: time.Second})
			if info.Counted {
				wantRefusal(t, err, media.TooLong, "2 s", "1 s")
			} else if err != nil {
				t.Errorf("refused for a length that is only declared: %v", err)
			}
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
			_, err := look(b, media.Limits{})
			wantRefusal(t, err, media.NotAudio, "video without sound")
		})
	}
}

func TestInspectCutOffMP4(t *testing.T) {
	b := mediatest.Read(t, mediatest.FFmpeg(t, "a.m4a", append(sine, "-c:a", "aac")...))
	_, err := look(b[:len(b)/2], media.Limits{})
	wantRefusal(t, err, media.Damaged, "cut off before its index was written")

	fast := mediatest.Read(t, mediatest.FFmpeg(t, "a.m4a", append(sine, "-c:a", "aac", "-movflags", "+faststart")...))
	if _, err := look(fast[:len(fast)/2], media.Limits{}); err != nil {
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
		"promises 4 GB, has a second":   {wav(0xFFFFFFF0, 0xFFFFFF00, 16000), time.Second, ""},
		"a stream by arecord":           {wav(0x80000024, 0x80000000, 16000), time.Second, ""},
		"data promises 4 GB alone":      {wav(16036, 0xFFFFFFFF, 16000), time.Second, ""},
		"promises half a second":        {wav(16036, 16000, 16000), time.Second, ""},
		"half a second, then tags":      {append(wav(16036, 16000, 8000), "LIST\x04\x00\x00\x00abcd"...), 500 * time.Millisecond, ""},
		"cut off in its last third":     {wav(48036, 48000, 16000), time.Second, ""},
		"streamed, has a second":        {wav(0xFFFFFFFF, 0xFFFFFFFF, 16000), time.Second, ""},
		"never finished, has a second":  {wav(0, 0, 16000), time.Second, ""},
		"promises 4 GB, has nothing":    {wav(0xFFFFFFF0, 0xFFFFFF00, 0), 0, media.Damaged},
		"finished and empty":            {wav(36, 0, 0), 0, media.Damaged},
		"finished, empty, and has tags": {append(wav(36+12, 0, 0), "LIST\x04\x00\x00\x00abcd"...), 0, media.Damaged},
		"ends in its headers":           {wav(36, 0, 0)[:30], 0, media.Damaged},
	} {
		t.Run(name, func(t *testing.T) {
			info, err := look(c.clip, media.Limits{})
			if c.kind != "" {
				wantRefusal(t, err, c.kind)
			} else if err != nil || info.Duration != c.want {
				t.Errorf("got %v, %v; want %v", info.Duration, err, c.want)
			}
		})
	}
}

// patched is a copy of b with the bytes behind the last of some marks replaced.
func patched(t *testing.T, b []byte, behind string, skip int, now ...byte) []byte {
	t.Helper()
	at := bytes.LastIndex(b, []byte(behind))
	if at < 0 {
		t.Fatalf("no %q in it", behind)
	}
	b = bytes.Clone(b)
	copy(b[at+len(behind)+skip:], now)
	return b
}

// regranulated gives each page of an Ogg file the granule position that f makes
// of its own.
func regranulated(b []byte, f func(int64) int64) []byte {
	b = bytes.Clone(b)
	for at := 0; ; at += 4 {
		next := bytes.Index(b[at:], []byte("OggS"))
		if next < 0 {
			return b
		}
		at += next
		if g := int64(binary.LittleEndian.Uint64(b[at+6:])); g > 0 {
			binary.LittleEndian.PutUint64(b[at+6:], uint64(f(g)))
		}
	}
}

// TestDeclaredLengthsRefuseNothing lets headers lie in every format that has a
// length: the clips are taken, and no length is shown that they cannot have.
func TestDeclaredLengthsRefuseNothing(t *testing.T) {
	made := func(name string, args ...string) []byte {
		return mediatest.Read(t, mediatest.FFmpeg(t, name, append(sine, args...)...))
	}
	opus := made("a.opus", "-c:a", "libopus")
	days := []byte{0x7F, 0xFF, 0xFF, 0xF0}
	for name, c := range map[string]struct {
		clip  []byte
		shown bool // the right length is known all the same
	}{
		"Xing":                   {patched(t, made("a.mp3", "-b:a", "64k"), "Info", 4, days...), true},
		"Xing of no frames":      {patched(t, made("a.mp3", "-b:a", "64k"), "Info", 4, 0, 0, 0, 0), true},
		"granules from anywhere": {regranulated(opus, func(g int64) int64 { return g + 3_000_000_000 }), true},
		"granules never counted": {regranulated(opus, func(int64) int64 { return 0 }), false},
		"granules all ones":      {regranulated(opus, func(int64) int64 { return -1 }), false},
		"a last granule of days": {regranulated(opus, func(g int64) int64 { return g * g * g }), false},
		"MP4":                    {patched(t, patched(t, made("a.m4a"), "mvhd", 16, days...), "mdhd", 16, days...), false},
		"FLAC":                   {patched(t, made("a.flac"), "fLaC", 4+14, days...), false},
		"WebM":                   {patched(t, made("a.webm", "-c:a", "libopus"), "\x44\x89\x88", 0, 0x42, 0x80, 0, 0), false},
		"WAV":                    {wav(0x7FFFFF00, 0x7FFFFE00, 32000), true},
		"WAV in compression":     {patched(t, made("b.wav", "-c:a", "adpcm_ms"), "fact\x04\x00\x00\x00", 0, 0xFF, 0xFF, 0xFF, 0x7F), false},
		"AIFF":                   {patched(t, made("a.aiff"), "COMM\x00\x00\x00\x12", 2, days...), true},
		"CAF":                    {patched(t, made("a.caf", "-c:a", "pcm_s16le"), "data", 0, days...), true},
		"AU":                     {patched(t, made("a.au"), ".snd", 4, days...), true},
		"WMA":                    {patched(t, made("a.wma"), "\x8E\xE4\x00\xC0\x0C\x20\x53\x65", 48, 0, 0, 0, 0, 0, 0x40), false},
	} {
		t.Run(name, func(t *testing.T) {
			info, err := look(c.clip, media.Limits{MaxDuration: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			if off := (info.Duration - 2*time.Second).Abs(); off > 200*time.Millisecond && (c.shown || info.Duration != 0) {
				t.Errorf("%v of a clip of 2 s", info.Duration)
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
			_, err := look(c.clip, media.Limits{})
			wantRefusal(t, err, c.kind, c.words)
		})
	}
	_, err := look(make([]byte, 5000), media.Limits{MaxBytes: 4 << 10})
	wantRefusal(t, err, media.TooLarge, "4 KiB")
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
		"a small MP3 after padding":      {append(make([]byte, 6000), mp3[:min(len(mp3), 60_000)]...), 1},
		"a million boxes":                {append([]byte("\x00\x00\x00\x0cftypM4A "), deep...), 8},
		"a million elements":             {append([]byte("\x1A\x45\xDF\xA3\x80"), bytes.Repeat([]byte("\xEC\x80"), 1<<20)...), 8},
	} {
		t.Run(name, func(t *testing.T) {
			r := &counted{Reader: bytes.NewReader(c.clip)}
			_, _ = inspect.Clip(r, int64(len(c.clip)), media.Limits{})
			if r.reads > c.most {
				t.Errorf("took %d reads, want at most %d", r.reads, c.most)
			}
		})
	}
}

// TestLocateSoon gives Locate what makes it look closely at every place.
func TestLocateSoon(t *testing.T) {
	page := append([]byte("OggS\x00\x02"), make([]byte, 20)...)
	page = append(page, 1, 255)
	for name, piece := range map[string][]byte{
		"pages": page, "capture patterns": []byte("OggS"), "tags": []byte("ID3\x03\x00\x00\x00\x00\x00\x01x"), "tags after a byte": []byte("xID3\x03\x00\x00\x00\x00\x00\x00"),
		"frames of MP3": {0xFF, 0xFB, 0x50}, "frames of AAC": {0xFF, 0xF1, 0x50, 0x80, 0, 0xFF, 0xFF}, "boxes": []byte("\x00\x00\x00\x10ftyp"), "files in files": []byte("RIFF\x00\x00\x00\x00WAV"),
	} {
		clip := append([]byte("\x01\x02"), bytes.Repeat(piece, 1+(4<<20)/len(piece))...)
		r := &counted{Reader: bytes.NewReader(clip)}
		start := time.Now()
		_, _, _ = inspect.Locate(r, int64(len(clip)))
		if spent := time.Since(start); spent > 10*time.Second || r.reads > 48 {
			t.Errorf("%s: %v and %d reads", name, spent, r.reads)
		} else {
			t.Log(name, spent, r.reads)
		}
	}
}

type brokenReader struct{ err error }

func (b brokenReader) ReadAt([]byte, int64) (int, error) { return 0, b.err }

func TestInspectTellsABrokenStoreFromABrokenClip(t *testing.T) {
	away := errors.New("store is away")
	_, err := inspect.Clip(brokenReader{away}, 1000, media.Limits{})
	if _, ok := media.AsRefusal(err); ok || !errors.Is(err, away) {
		t.Errorf("got %v, want the store's error", err)
	}
	if _, err = inspect.Clip(brokenReader{io.EOF}, 1000, media.Limits{}); !errors.Is(err, io.ErrUnexpectedEOF) {
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
				if _, err := look(b[:n], media.Limits{}); err != nil {
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
