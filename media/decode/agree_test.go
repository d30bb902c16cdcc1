package decode

import (
	"bytes"
	"encoding/binary"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/media"
	"hark/media/inspect"
	"hark/media/internal/mediatest"
)

// inspectAndDecode does what happens to a clip that is sent: it is sniffed,
// inspected, and decoded as what it was found to be.
func inspectAndDecode(t *testing.T, clip []byte) (inspect.Info, []float32, error) {
	t.Helper()
	sniffed, err := inspect.Sniff(clip[:min(len(clip), inspect.SniffLen)])
	if err != nil {
		return inspect.Info{}, nil, err
	}
	info, err := inspect.Clip(bytes.NewReader(clip), int64(len(clip)), media.Limits{})
	if err != nil {
		return info, nil, err
	}
	if sniffed != info.Format && sniffed != media.MP3 {
		t.Errorf("sniffed as %s, inspected as %s", sniffed, info.Format)
	}
	sound, _, err := tryDecode(t, clip, info.Format)
	return info, sound, err
}

// second is a second of speech as ffmpeg's input.
func second(t *testing.T) []string {
	return []string{"-ss", "0.3", "-t", "1", "-i", mediatest.Speech(t), "-ar", "16000"}
}

func id3(version, flags byte, body int) []byte {
	tag := []byte{'I', 'D', '3', version, 0, flags, byte(body >> 21 & 127), byte(body >> 14 & 127), byte(body >> 7 & 127), byte(body & 127)}
	tag = append(tag, bytes.Repeat([]byte("\x00\xFFTPE1 cover"), body/11+1)[:body]...)
	if flags&0x10 != 0 {
		tag = append(tag, "3DI\x04\x00\x10\x00\x00\x00\x00"...)
	}
	return tag
}

func apeTag(body int) []byte {
	tag := append([]byte("APETAGEX"), binary.LittleEndian.AppendUint32(nil, 2000)...)
	tag = binary.LittleEndian.AppendUint32(tag, uint32(body))
	tag = append(tag, 1, 0, 0, 0, 0, 0, 0, 0xA0, 0, 0, 0, 0, 0, 0, 0, 0)
	return append(tag, bytes.Repeat([]byte("item"), body/4+1)[:body]...)
}

// randomBytes are bytes that look like nothing.
func randomBytes(n int) []byte {
	b, x := make([]byte, n), uint32(2463534242)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x >> 11)
	}
	return b
}

// prefixes are what taggers, recorders and broken downloads put before a clip.
var prefixes = map[string][]byte{
	"ID3v2.2":                  id3(2, 0, 700),
	"ID3v2.3 of 2 kB":          id3(3, 0, 2000),
	"ID3v2.4 with footer":      id3(4, 0x10, 5000),
	"ID3 with a large picture": id3(3, 0, 300_000),
	"ID3 twice":                append(id3(4, 0, 100), id3(3, 0, 70_000)...),
	"ID3 and padding":          append(id3(3, 0, 3000), make([]byte, 5000)...),
	"ID3 that ends too early":  append(id3(3, 0, 1000), randomBytes(2000)...),
	"APE tag":                  apeTag(1500),
	"APE tag and ID3":          append(apeTag(100), id3(3, 0, 100)...),
	"6 kB of zeros":            make([]byte, 6000),
	"200 kB of zeros":          make([]byte, 200_001),
	"zeros and ID3":            append(make([]byte, 70_000), id3(3, 0, 90_000)...),
	"3 kB of noise":            randomBytes(3000),
	"50 kB of noise":           randomBytes(50_000),
	"head of a form":           []byte("------WebKitFormBoundary\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n"),
	"a header of HTTP":         []byte("HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n"),
}

// TestPrefixesChangeNothing decodes clips of every format behind every prefix:
// each is taken as what it is, and sounds as it does without.
func TestPrefixesChangeNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
	}{
		{"a.mp3", []string{"-ar", "44100", "-b:a", "64k"}},
		{"mpeg2.mp3", []string{"-id3v2_version", "0", "-write_xing", "0"}},
		{"a.mp2", nil},
		{"a.aac", nil},
		{"a.wav", nil},
		{"gsm.wav", []string{"-c:a", "libgsm_ms", "-ar", "8000"}},
		{"a.w64", nil},
		{"a.flac", nil},
		{"a.opus", []string{"-c:a", "libopus"}},
		{"a.ogg", []string{"-c:a", "libvorbis"}},
		{"a.m4a", nil},
		{"fast.m4a", []string{"-movflags", "+faststart"}},
		{"a.webm", []string{"-c:a", "libopus"}},
		{"a.aiff", nil},
		{"a.caf", []string{"-c:a", "pcm_s16le"}},
		{"a.wma", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clip := mediatest.Read(t, mediatest.FFmpeg(t, c.name, append(second(t), c.args...)...))
			bare, want, err := inspectAndDecode(t, clip)
			if err != nil {
				t.Fatal(err)
			}
			for name, prefix := range prefixes {
				prefixed := append(slices.Clone(prefix), clip...)
				if !checkPlace(t, name, prefixed, clip, bare.Format) || natives[bare.Format].decode == nil && !slices.Contains(decodedPrefixes, name) {
					continue
				}
				info, got, err := inspectAndDecode(t, prefixed)
				if err != nil {
					t.Errorf("%s: %v", name, err)
				} else if info.Format != bare.Format || !slices.Equal(got, want) {
					t.Errorf("%s: %s of %v, without it %s of %v", name, info.Format, media.Duration(int64(len(got))), bare.Format, media.Duration(int64(len(want))))
				}
			}
		})
	}
}

// decodedPrefixes are those behind which ffmpeg too, which is slow to start,
// decodes a clip. It is shown nothing of any of them.
var decodedPrefixes = []string{"ID3v2.3 of 2 kB", "zeros and ID3", "3 kB of noise"}

// checkPlace checks that a clip is found where it begins behind a prefix, and
// sniffed as what it is.
func checkPlace(t *testing.T, name string, prefixed, clip []byte, format media.Format) bool {
	t.Helper()
	_, bare, err := inspect.Locate(bytes.NewReader(clip), int64(len(clip)))
	if err != nil {
		t.Fatal(err)
	}
	found, at, err := inspect.Locate(bytes.NewReader(prefixed), int64(len(prefixed)))
	if want := int64(len(prefixed)-len(clip)) + bare; err != nil || found != format || at != want {
		t.Errorf("%s: %q at %d, %v; want %q at %d", name, found, at, err, format, want)
		return false
	}
	return true
}

// TestPrefixBeforeNothing refuses prefixes behind which there is no sound.
func TestPrefixBeforeNothing(t *testing.T) {
	for name, prefix := range prefixes {
		for what, rest := range map[string][]byte{"nothing": nil, "noise": randomBytes(100_000), "zeros": make([]byte, 2<<20), "a picture": []byte("\xFF\xD8\xFF\xE0\x00\x10JFIF\x00")} {
			clip := append(slices.Clone(prefix), rest...)
			if _, err := inspect.Clip(bytes.NewReader(clip), int64(len(clip)), media.Limits{}); err == nil {
				t.Errorf("%s and %s was taken", name, what)
			}
		}
	}
}

// TestTagThatClaimsTooMuch finds the sound in a file whose tag says that it is
// longer than the file.
func TestTagThatClaimsTooMuch(t *testing.T) {
	clip := mediatest.Read(t, mediatest.FFmpeg(t, "a.mp3", append(second(t), "-id3v2_version", "0")...))
	_, want, err := inspectAndDecode(t, clip)
	if err != nil {
		t.Fatal(err)
	}
	for name, tag := range map[string][]byte{
		"ID3": append([]byte("ID3\x03\x00\x00\x7f\x7f\x7f\x7f"), randomBytes(900)...),
		"APE": append(apeTag(1 << 10)[:12], append([]byte{0xFF, 0xFF, 0xFF, 0x7F}, apeTag(900)[16:]...)...),
	} {
		info, got, err := inspectAndDecode(t, append(tag, clip...))
		if err != nil || info.Format != media.MP3 || !slices.Equal(got, want) {
			t.Errorf("%s: %+v, %d samples of %d, %v", name, info, len(got), len(want), err)
		}
	}
}

// TestReportedFiles takes files of the kinds that other programs were reported
// to stumble over.
func TestReportedFiles(t *testing.T) {
	want, _ := decodeAs(t, mediatest.Read(t, mediatest.FFmpeg(t, "a.wav", second(t)...)), media.WAV)
	made := func(name string, args ...string) []byte {
		return mediatest.Read(t, mediatest.FFmpeg(t, name, append(second(t), args...)...))
	}
	flac, aac, wav := made("a.flac"), made("a.aac"), made("a.wav")
	samples := func(n uint32) []byte { // of a FLAC file, as it declares them
		b := slices.Clone(flac)
		binary.BigEndian.PutUint32(b[22:], n)
		return b
	}
	mp4 := made("a.m4a", "-movflags", "+faststart")
	lying := slices.Clone(mp4)
	for _, box := range []string{"mvhd", "mdhd"} {
		at := bytes.Index(lying, []byte(box))
		binary.BigEndian.PutUint32(lying[at+20:], 1<<30)
	}
	rifx := filepath.Join(t.TempDir(), "rifx.wav")
	mediatest.Run(t, mediatest.Tool(t, "sox"), mediatest.FFmpeg(t, "a.wav", second(t)...), "-B", rifx)
	for name, clip := range map[string][]byte{
		"MPEG-2.5 at 11 kHz":                  made("a.mp3", "-ar", "11025", "-b:a", "64k", "-id3v2_version", "0", "-write_xing", "0"),
		"MP3 behind the rest of a frame":      append(randomBytes(417), made("b.mp3", "-id3v2_version", "0")...),
		"AAC from within a frame":             aac[40:],
		"AAC with two tags":                   append(append(id3(4, 0, 63), id3(4, 0, 2000)...), aac...),
		"FLAC that declares nothing":          samples(0),
		"FLAC that declares less":             samples(1000),
		"FLAC that declares days":             samples(1 << 31),
		"MP4 that declares days":              lying,
		"an extensible WAV without extension": withTag(wav, 0xFFFE),
	} {
		t.Run(name, func(t *testing.T) {
			info, got, err := inspectAndDecode(t, clip)
			if err != nil {
				t.Fatal(err)
			}
			checkSecond(t, got, want)
			if info.Duration > time.Hour {
				t.Errorf("%v is shown for %d bytes", info.Duration, len(clip))
			}
		})
	}
	for says, clip := range map[string][]byte{
		"big-endian":       mediatest.Read(t, rifx),
		"GSM":              made("a.gsm", "-c:a", "libgsm", "-ar", "8000"),
		"transport stream": made("a.ts"),
		"AC-3":             made("a.ac3", "-ar", "48000"),
		"DTS":              made("a.dts", "-c:a", "dca", "-strict", "-2", "-ar", "48000", "-ac", "2"),
		"AVI":              made("a.avi", "-c:a", "libmp3lame"),
	} {
		_, err := inspect.Sniff(clip[:min(len(clip), inspect.SniffLen)])
		if r, ok := media.AsRefusal(err); !ok || r.Kind != media.Unsupported || !strings.Contains(r.Reason, says) {
			t.Errorf("%v does not name %s", err, says)
		}
	}
}

// checkSecond checks that sound is about the second of speech.
func checkSecond(t *testing.T, sound, want []float32) {
	t.Helper()
	if d := media.Duration(int64(len(sound) - len(want))).Abs(); d > 250*time.Millisecond {
		t.Errorf("%v longer or shorter", d)
	}
	if r := loudness(sound) / loudness(want); !(r > 0.5 && r < 2) {
		t.Errorf("%.2f times as loud", r)
	}
}

func loudness(sound []float32) float64 {
	sum := 0.0
	for _, x := range sound {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum / float64(max(1, len(sound))))
}
