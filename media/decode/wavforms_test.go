package decode

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/media"
	"hark/media/internal/mediatest"
)

// chunk makes a RIFF chunk, with a length of its own choosing when it is given.
func chunk(id string, body []byte, length ...uint32) []byte {
	n := uint32(len(body))
	if len(length) > 0 {
		n = length[0]
	}
	b := append(binary.LittleEndian.AppendUint32([]byte(id), n), body...)
	if len(body)%2 != 0 {
		b = append(b, 0)
	}
	return b
}

// riffFile makes a WAV file of chunks.
func riffFile(chunks ...[]byte) []byte {
	body := append([]byte("WAVE"), slices.Concat(chunks...)...)
	return chunk("RIFF", body)
}

// format makes the format chunk of 16-bit samples.
func format(channels, rate int) []byte {
	var b []byte
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(2*channels*rate))
	b = binary.LittleEndian.AppendUint16(b, uint16(2*channels))
	return chunk("fmt ", binary.LittleEndian.AppendUint16(b, 16))
}

// speechPCM returns a few seconds of speech as 16-bit samples.
func speechPCM(t testing.TB, args ...string) []byte {
	t.Helper()
	return mediatest.Read(t, mediatest.FFmpeg(t, "a.raw", append([]string{"-i", mediatest.Speech(t), "-f", "s16le"}, args...)...))
}

// TestWAVLengthsAreHints writes one speech with lengths and orders of chunks as
// writers in the wild have them. Nothing may be cut, shifted or added.
func TestWAVLengthsAreHints(t *testing.T) {
	pcm := speechPCM(t, "-ar", "16000")
	fmt16, data := format(1, 16000), chunk("data", pcm)
	want, _ := mustDecodeBytes(t, riffFile(fmt16, data))
	if len(want) != len(pcm)/2 {
		t.Fatalf("%d samples of %d", len(want), len(pcm)/2)
	}
	list := chunk("LIST", []byte("INFOISFT\x06\x00\x00\x00Hark.\x00"))
	half := len(pcm) / 4 * 2
	ds64 := func(size uint64) []byte {
		b := binary.LittleEndian.AppendUint64(nil, 0)
		return chunk("ds64", append(binary.LittleEndian.AppendUint64(b, size), make([]byte, 12)...))
	}
	rf64 := func(chunks ...[]byte) []byte {
		return append([]byte("RF64\xFF\xFF\xFF\xFFWAVE"), slices.Concat(chunks...)...)
	}
	streamed := append([]byte("RIFF\xFF\xFF\xFF\xFFWAVE"), slices.Concat(fmt16, chunk("data", pcm, 0xFFFFFFFF))...)
	stereo := riffFile(format(2, 44100), chunk("data", speechPCM(t, "-ar", "44100", "-ac", "2")))
	var chunks []byte // as a server sends that answers with one file after the other
	for piece := range slices.Chunk(pcm, 16000) {
		chunks = append(chunks, riffFile(fmt16, chunk("data", piece))...)
	}
	twice := append(slices.Clone(want), want...)
	for name, c := range map[string]struct {
		clip []byte
		want []float32
	}{
		"a length of 0":                     {riffFile(fmt16, chunk("data", pcm, 0)), want},
		"a length of all ones":              {riffFile(fmt16, chunk("data", pcm, 0xFFFFFFFF)), want},
		"a length far too large":            {riffFile(fmt16, chunk("data", pcm, 0x7FFFFFFF)), want},
		"a length 16 bytes too large":       {riffFile(fmt16, chunk("data", pcm, uint32(len(pcm))+16)), want},
		"a length of half":                  {riffFile(fmt16, chunk("data", pcm, uint32(half))), want},
		"an odd length":                     {riffFile(fmt16, chunk("data", pcm, uint32(half)+1)), want},
		"a length of one frame":             {riffFile(fmt16, chunk("data", pcm, 2)), want},
		"a whole length of half":            {chunk("RIFF", append([]byte("WAVE"), slices.Concat(fmt16, data)...), uint32(half)), want},
		"a whole length of 0":               {chunk("RIFF", append([]byte("WAVE"), slices.Concat(fmt16, data)...), 0), want},
		"tags behind the samples":           {riffFile(fmt16, data, list, chunk("id3 ", []byte("ID3\x04 and so on"))), want},
		"tags that no chunk holds":          {append(riffFile(fmt16, data), "TAG"+strings.Repeat("x", 125)...), want},
		"zeros behind the samples":          {append(riffFile(fmt16, data), make([]byte, 1000)...), want},
		"an ID3 tag behind the samples":     {append(riffFile(fmt16, data), "ID3\x04"+strings.Repeat("x", 9000)...), want},
		"samples before their format":       {riffFile(list, data, fmt16, list), want},
		"samples in several chunks":         {riffFile(fmt16, chunk("data", pcm[:half]), list, chunk("data", pcm[half:])), want},
		"samples in a list of waves":        {riffFile(fmt16, chunk("LIST", append([]byte("wavl"), slices.Concat(chunk("data", pcm[:half]), chunk("data", pcm[half:]))...))), want},
		"an empty chunk of samples":         {riffFile(fmt16, chunk("data", nil), list, data), want},
		"a chunk of odd length, not filled": {riffFile(fmt16, chunk("odd ", []byte("12345"))[:13], data), want},
		"a list with a length that lies":    {riffFile(fmt16, chunk("LIST", []byte("INFOabcd"), 0x00FFFFFF), data), want},
		"RF64 that says half":               {rf64(ds64(uint64(half)), fmt16, chunk("data", pcm, 0xFFFFFFFF)), want},
		"RF64 that says 8 GB":               {rf64(ds64(8<<30), fmt16, chunk("data", pcm, 0xFFFFFFFF)), want},
		"RF64 that says nothing":            {rf64(fmt16, chunk("data", pcm, 0xFFFFFFFF)), want},
		"a file joined to it":               {slices.Concat(riffFile(fmt16, data, list), riffFile(fmt16, list, data)), twice},
		"a file joined to a streamed one":   {slices.Concat(streamed, streamed), twice},
		"another rate joined to it":         {slices.Concat(riffFile(fmt16, data), stereo), twice},
		"another rate, streamed":            {slices.Concat(streamed, stereo, streamed), append(slices.Clone(twice), want...)},
		"a file every half second":          {chunks, want},
	} {
		t.Run(name, func(t *testing.T) {
			got, report := mustDecodeBytes(t, c.clip)
			if d := media.Duration(int64(len(got) - len(c.want))); d.Abs() > 40*time.Millisecond {
				t.Errorf("%v longer", d)
			}
			if alike := correlation(c.want, got, 0); alike < 0.97 { // resampling differs a little
				t.Errorf("%.3f alike", alike)
			}
			if report.Decoder != "wav" || report.Truncated || len(report.Lost) > 0 {
				t.Errorf("%+v", report)
			}
		})
	}
}

// TestWAVPartThatIsNotDecoded joins a file in another encoding to one that is
// decoded here: its time stays, and it is told as lost.
func TestWAVPartThatIsNotDecoded(t *testing.T) {
	pcm := speechPCM(t, "-ar", "16000")
	whole := riffFile(format(1, 16000), chunk("data", pcm))
	adpcm := mediatest.Read(t, mediatest.FFmpeg(t, "b.wav", "-i", mediatest.Speech(t), "-c:a", "adpcm_ms"))
	got, report := mustDecodeBytes(t, slices.Concat(whole, adpcm, whole))
	lasts := media.Duration(int64(len(pcm) / 2))
	if d := media.Duration(int64(len(got))) - 3*lasts; d.Abs() > 150*time.Millisecond { // whole blocks
		t.Errorf("%v longer", d)
	}
	if !report.Truncated || len(report.Lost) != 1 || (report.Lost[0].Start-lasts).Abs() > 50*time.Millisecond || (report.Lost[0].End-2*lasts).Abs() > 150*time.Millisecond {
		t.Errorf("%+v", report)
	}
}
