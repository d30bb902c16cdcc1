package decode

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"hark/media"
	"hark/media/inspect"
	"hark/media/internal/mediatest"
)

// codecFiles are encodings in the containers that hold them.
var codecFiles = []struct {
	name string
	args []string
}{
	{"g722.wav", []string{"-c:a", "g722"}},
	{"gsm.wav", []string{"-c:a", "libgsm_ms", "-ar", "8000"}},
	{"yamaha.wav", []string{"-c:a", "adpcm_yamaha"}},
	{"g726-16.wav", []string{"-c:a", "g726", "-ar", "8000", "-b:a", "16k"}},
	{"g726-24.wav", []string{"-c:a", "g726", "-ar", "8000", "-b:a", "24k"}},
	{"g726-32.wav", []string{"-c:a", "g726", "-ar", "8000", "-b:a", "32k"}},
	{"g726-40.wav", []string{"-c:a", "g726", "-ar", "8000", "-b:a", "40k"}},
	{"g723.wav", []string{"-c:a", "g723_1", "-ar", "8000", "-b:a", "6300"}},
	{"mp3.wav", []string{"-c:a", "libmp3lame"}},
	{"mp2.wav", []string{"-c:a", "mp2"}},
	{"ac3.wav", []string{"-c:a", "ac3", "-ar", "48000"}},
	{"dts.wav", []string{"-c:a", "dca", "-strict", "-2", "-ar", "48000", "-ac", "2"}},
	{"wma.wav", []string{"-c:a", "wmav2"}},
	{"flac.wav", []string{"-c:a", "flac"}},
	{"s64.wav", []string{"-c:a", "pcm_s64le"}},
	{"alaw.w64", []string{"-c:a", "pcm_alaw"}},
	{"ima.w64", []string{"-c:a", "adpcm_ima_wav"}},
	{"alaw.aiff", []string{"-c:a", "pcm_alaw"}},
	{"ima.aiff", []string{"-c:a", "adpcm_ima_qt"}},
	{"sowt.aiff", []string{"-c:a", "pcm_s16le"}},
	{"f32.aiff", []string{"-c:a", "pcm_f32be"}},
	{"alaw.au", []string{"-c:a", "pcm_alaw"}},
	{"s24.au", []string{"-c:a", "pcm_s24be"}},
	{"f64.au", []string{"-c:a", "pcm_f64be"}},
	{"g722.au", []string{"-c:a", "g722"}},
	{"g721.au", []string{"-c:a", "g726le", "-ar", "8000", "-b:a", "32k"}},
	{"alaw.caf", []string{"-c:a", "pcm_alaw"}},
	{"ima.caf", []string{"-c:a", "adpcm_ima_qt"}},
	{"opus.caf", []string{"-c:a", "libopus", "-ar", "48000"}},
	{"gsm.caf", []string{"-c:a", "libgsm", "-ar", "8000"}},
	{"gsm.mov", []string{"-c:a", "libgsm", "-ar", "8000"}},
	{"alaw.mov", []string{"-c:a", "pcm_alaw"}},
	{"ima.mov", []string{"-c:a", "adpcm_ima_qt"}},
	{"ms.mov", []string{"-c:a", "adpcm_ms"}},
	{"s24.mov", []string{"-c:a", "pcm_s24le"}},
	{"f64.mov", []string{"-c:a", "pcm_f64le"}},
	{"mp3.mp4", []string{"-c:a", "libmp3lame"}},
	{"opus.mp4", []string{"-c:a", "libopus"}},
	{"flac.mp4", []string{"-c:a", "flac", "-strict", "-2"}},
	{"ac3.mp4", []string{"-c:a", "ac3", "-ar", "48000"}},
	{"dts.mp4", []string{"-c:a", "dca", "-strict", "-2", "-ar", "48000", "-ac", "2"}},
	{"s16.mkv", []string{"-c:a", "pcm_s16le"}},
	{"ac3.mkv", []string{"-c:a", "ac3", "-ar", "48000"}},
	{"dts.mkv", []string{"-c:a", "dca", "-strict", "-2", "-ar", "48000", "-ac", "2"}},
	{"truehd.mkv", []string{"-c:a", "truehd", "-strict", "-2", "-ar", "48000", "-ac", "2"}},
	{"wavpack.mkv", []string{"-c:a", "wavpack"}},
	{"tta.mkv", []string{"-c:a", "tta"}},
	{"alac.mkv", []string{"-c:a", "alac"}},
	{"acm.mkv", []string{"-c:a", "adpcm_ms"}},
	{"mp3.mkv", []string{"-c:a", "libmp3lame"}},
	{"mp3.wma", []string{"-c:a", "libmp3lame"}},
	{"wma1.wma", []string{"-c:a", "wmav1"}},
}

func TestCodecsAreHeard(t *testing.T) {
	original, _ := decodeAs(t, mediatest.Read(t, mediatest.FFmpeg(t, "a.wav", second(t)...)), media.WAV)
	for _, c := range codecFiles {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clip := mediatest.Read(t, mediatest.FFmpeg(t, c.name, append(second(t), c.args...)...))
			_, got, err := inspectAndDecode(t, clip)
			if err != nil {
				t.Fatal(err)
			}
			checkSecond(t, got, original)
		})
	}
	adts := mediatest.Read(t, mediatest.FFmpeg(t, "a.aac", second(t)...))
	g722 := mediatest.Read(t, mediatest.FFmpeg(t, "a.wav", append(second(t), "-c:a", "g722")...))
	for name, clip := range map[string][]byte{
		"G.722 by its registered tag": withTag(g722, 0x0065),
		"G.722 in an extensible WAV":  extensible(g722, 0x028F),
		"G.722 in both":               extensible(g722, 0x0065),
		"AAC with headers":            wavFile(0x00FF, 1, 16000, 1, 16, len(adts), adts),
		"AAC by another tag":          wavFile(0x1610, 1, 16000, 1, 16, len(adts), adts),
		"behind a tag":                append(id3(3, 0, 900), withTag(g722, 0x0065)...),
	} {
		t.Run(name, func(t *testing.T) {
			_, got, err := inspectAndDecode(t, clip)
			if err != nil {
				t.Fatal(err)
			}
			checkSecond(t, got, original)
		})
	}
}

// formatAt is where the format tag stands in a WAV file that starts with its
// format chunk.
const formatAt = 20

func withTag(wav []byte, tag uint16) []byte {
	wav = bytes.Clone(wav)
	binary.LittleEndian.PutUint16(wav[formatAt:], tag)
	return wav
}

// extensible makes the format chunk of a WAV file an extensible one.
func extensible(wav []byte, tag uint16) []byte {
	length := int(binary.LittleEndian.Uint32(wav[formatAt-4:]))
	format := bytes.Clone(wav[formatAt : formatAt+16])
	binary.LittleEndian.PutUint16(format, 0xFFFE)
	format = append(format, 22, 0, 0, 0, 4, 0, 0, 0, byte(tag), byte(tag>>8))
	format = append(format, "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71"...)
	b := append(bytes.Clone(wav[:formatAt-4]), binary.LittleEndian.AppendUint32(nil, uint32(len(format)))...)
	b = append(append(b, format...), wav[formatAt+length:]...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// TestTakenTagsHaveDecoders asks for every format tag of WAV that is taken
// whether there is a decoder, and for every one that is refused by name whether
// nothing comes of it.
func TestTakenTagsHaveDecoders(t *testing.T) {
	plainWAV := wavFile(1, 1, 8000, 2, 16, 4000, randomBytes(4000))
	taken := 0
	for tag := range 1 << 16 {
		clip := withTag(plainWAV, uint16(tag))
		_, err := inspect.Clip(bytes.NewReader(clip), int64(len(clip)), media.Limits{})
		refusal, refused := media.AsRefusal(err)
		switch {
		case refused && refusal.Kind != media.Unsupported:
			continue // such as floats of 16 bits, or an extension that is not there
		case refused && strings.Contains(refusal.Reason, "0x"):
			continue // known to nobody here
		case !refused && err != nil:
			t.Fatal(err)
		case !refused:
			taken++
		}
		t.Run(fmt.Sprintf("%#04x", tag), func(t *testing.T) {
			t.Parallel()
			_, _, err := tryDecode(t, clip, media.WAV)
			r, _ := media.AsRefusal(err)
			if refused && err == nil || !refused && r != nil && r.Kind == media.Unsupported {
				t.Errorf("decoding says %v, inspecting said %v", err, refusal)
			}
		})
	}
	if taken < 35 {
		t.Errorf("only %d tags are taken", taken)
	}
}

// TestUndecodedCodecsAreNamed refuses sound that can never be heard by the name
// of its encoding, unless another track can be.
func TestUndecodedCodecsAreNamed(t *testing.T) {
	mov := mediatest.Read(t, mediatest.FFmpeg(t, "a.mov", append(second(t), "-c:a", "alac")...))
	two := mediatest.Read(t, mediatest.FFmpeg(t, "b.mov", append(second(t), "-map", "0:a", "-map", "0:a", "-c:a:0", "alac", "-c:a:1", "aac")...))
	m4a := mediatest.Read(t, mediatest.FFmpeg(t, "a.m4a", append(second(t), "-c:a", "aac")...))
	config := m4a[bytes.Index(m4a, []byte("esds"))+8:]
	config = config[bytes.Index(config, []byte("\x05\x80\x80\x80"))+5:][:2]
	mka := mediatest.Read(t, mediatest.FFmpeg(t, "a.mka", append(second(t), "-c:a", "flac")...))
	ogg := mediatest.Read(t, mediatest.FFmpeg(t, "a.spx", append(second(t), "-c:a", "libspeex")...))
	caf := mediatest.Read(t, mediatest.FFmpeg(t, "a.caf", append(second(t), "-c:a", "pcm_alaw")...))
	aifc := mediatest.Read(t, mediatest.FFmpeg(t, "a.aiff", append(second(t), "-c:a", "pcm_alaw")...))
	replace := func(clip []byte, old, now string) []byte {
		if !bytes.Contains(clip, []byte(old)) {
			t.Fatalf("no %q in it", old)
		}
		return bytes.ReplaceAll(clip, []byte(old), []byte(now))
	}
	for name, c := range map[string]struct {
		clip []byte
		says string
	}{
		"APAC in MP4":                 {replace(mov, "alac", "apac"), "Apple Positional Audio"},
		"AC-4 in MP4":                 {replace(mov, "alac", "ac-4"), "AC-4"},
		"xHE-AAC in MP4":              {replace(m4a, "\x80"+string([]byte{5})+string(config), "\x80\x05\xF9\x40"), "xHE-AAC"},
		"nobody knows what in MP4":    {replace(mov, "alac", "zzz1"), `"zzz1"`},
		"RealAudio in Matroska":       {replace(mka, "A_FLAC", "A_REAL"), "A_REAL"},
		"CELT in Ogg":                 {replace(ogg, "Speex   ", "CELT    "), "CELT"},
		"CAF":                         {replace(caf, "alaw", "celp"), "CELP"},
		"AIFF-C":                      {replace(aifc, "alaw", "SDX2"), "SDX2"},
		"DTS in an old WAV":           {wavFile(8, 2, 44100, 4, 16, 4000, randomBytes(4000)), "DTS"},
		"Sonarc in WAV":               {wavFile(0x21, 1, 8000, 1, 8, 4000, randomBytes(4000)), "Sonarc"},
		"an unknown number in WAV":    {wavFile(0x4242, 1, 8000, 1, 8, 4000, randomBytes(4000)), "0x4242"},
		"Speex in WAV":                {wavFile(0xA109, 1, 8000, 1, 8, 4000, randomBytes(4000)), "Speex"},
		"AAC without headers in WAV":  {wavFile(0x00FF, 1, 8000, 1, 8, 4000, randomBytes(4000)), "AAC without headers"},
		"floats of 16 bits":           {wavFile(3, 1, 8000, 2, 16, 4000, randomBytes(4000)), "16 bits"},
		"AU":                          {append([]byte(".snd\x00\x00\x00\x18\xFF\xFF\xFF\xFF\x00\x00\x00\x63\x00\x00\x1F\x40\x00\x00\x00\x01"), randomBytes(500)...), "AU"},
		"one track that can be heard": {replace(two, "alac", "apac"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			info, sound, err := inspectAndDecode(t, c.clip)
			if c.says == "" {
				if err != nil || len(sound) < media.SampleRate*9/10 {
					t.Errorf("%+v: %d samples, %v", info, len(sound), err)
				}
				return
			}
			refusal, ok := media.AsRefusal(err)
			if !ok || refusal.Kind != media.Unsupported || !strings.Contains(refusal.Reason, c.says) {
				t.Errorf("%+v, %v: want a refusal that says %q", info, err, c.says)
			}
		})
	}
}
