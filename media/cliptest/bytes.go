package cliptest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"hark/media"
	"hark/media/internal/ogg"
)

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }

// lie is a length that files declare here: no file made here is that long.
const lie = 6 * time.Hour

// granules rewrites the granule position of every page of Ogg behind the
// headers, whose pages are the first two.
func (m *maker) granules(b []byte, change func(granule int64) int64) []byte {
	var out []byte
	for n := 0; len(b) > 0 && m.err == nil; n++ {
		page, size, err := ogg.Parse(b)
		if err != nil {
			m.err = err
			return nil
		}
		if n >= 2 && page.Granule != ogg.NoGranule {
			page.Granule = change(page.Granule)
		}
		out, b = page.Append(out), b[size:]
	}
	return out
}

// at changes the bytes at an offset from the first occurrence of a pattern.
func (m *maker) at(b []byte, pattern string, offset int, change func([]byte)) []byte {
	i := bytes.Index(b, []byte(pattern))
	if m.err != nil {
		return nil
	}
	if i < 0 || i+offset >= len(b) {
		m.err = fmt.Errorf("%q: %w", pattern, errPattern)
		return nil
	}
	b = slices.Clone(b)
	change(b[i+offset:])
	return b
}

func put32(v uint32) func([]byte) { return func(b []byte) { binary.BigEndian.PutUint32(b, v) } }
func le32(v uint32) func([]byte)  { return func(b []byte) { binary.LittleEndian.PutUint32(b, v) } }

// declared are files whose headers lie about the length.
func declared(v *voices) []Clip {
	line := v.line
	clip := func(file string, make func(m *maker)) Clip {
		return Clip{File: file, Kind: "declared length", Text: line.text, Errors: 1, Length: line.length(), make: make}
	}
	opus := func(file, frame string, change func(int64) int64) Clip {
		return clip(file, func(m *maker) {
			m.write(m.granules(m.encoded("ogg", line.pcm, "-c:a", "libopus", "-b:a", "32k", "-frame_duration", frame, "-page_duration", "200000"), change))
		})
	}
	// Frames of a Xing header are 1,152 samples at 44.1 kHz.
	xing := func(file, tag string, d time.Duration, args ...string) Clip {
		return clip(file, func(m *maker) {
			b := m.encoded("mp3", line.pcm, append([]string{"-c:a", "libmp3lame", "-ar", "44100"}, args...)...)
			b = m.at(b, tag, 8, put32(uint32(d.Seconds()*44100/1152)))
			m.write(m.at(b, tag, 12, put32(uint32(d.Seconds()*8000))))
		})
	}
	wav := func(file string, riff, data uint32) Clip {
		return clip(file, func(m *maker) {
			m.write(m.at(m.at(wavBytes(line.pcm), "RIFF", 4, le32(riff)), "data", 4, le32(data)))
		})
	}
	edited := func(file string, pattern string, offset int, change func([]byte), args ...string) Clip {
		return clip(file, func(m *maker) {
			m.encode([][]float32{line.pcm}, args...)
			m.write(m.at(m.read(m.out), pattern, offset, change))
		})
	}
	half := uint32(len(line.pcm))
	return []Clip{
		opus("granule-offset.ogg", "20", func(g int64) int64 { return g + 3_173_210_000 }),
		opus("granule-late.ogg", "20", func(g int64) int64 { return g + 48000*7200 }),
		opus("granule-zero.ogg", "20", func(int64) int64 { return 0 }),
		opus("granule-third.ogg", "60", func(g int64) int64 { return g / 3 }),
		opus("granule-never.ogg", "20", func(int64) int64 { return ogg.NoGranule }),
		opus("granule-16000.ogg", "20", func(g int64) int64 { return g / 3 }),
		xing("xing-long.mp3", "Xing", lie, "-q:a", "5"),
		xing("xing-short.mp3", "Xing", time.Second, "-q:a", "5"),
		xing("info-long.mp3", "Info", lie, "-b:a", "64k"),
		wav("size-0.wav", 0, 0),
		wav("size-open.wav", 0xFFFFFFFF, 0xFFFFFFFF),
		wav("size-half.wav", 36+half, half),
		edited("movie-6h.m4a", "mvhd", 20, put32(uint32(lie.Milliseconds())), "-c:a", "aac"),
		edited("media-6h.m4a", "mdhd", 20, put32(uint32(lie.Seconds()*media.SampleRate)), "-c:a", "aac"),
		edited("movie-1s.m4a", "mvhd", 20, put32(1000), "-c:a", "aac"),
		edited("duration-6h.webm", "\x44\x89\x88", 3, func(b []byte) { // a float of milliseconds
			binary.BigEndian.PutUint64(b, math.Float64bits(float64(lie.Milliseconds())))
		}, "-c:a", "libopus"),
		edited("samples-unknown.flac", "fLaC", 8+13, func(b []byte) { b[0] &= 0xf0; clear(b[1:5]) }),
		edited("samples-6h.flac", "fLaC", 8+14, put32(uint32(lie.Seconds()*media.SampleRate))),
	}
}

// sniffing are files with something before what tells their format.
func sniffing(v *voices) []Clip {
	line := v.line
	clip := func(file string, before []byte, args ...string) Clip {
		ending := file[len(file)-3:]
		if ending == "lac" {
			ending = "flac"
		}
		return Clip{
			File: file, Kind: "sniffing", Text: line.text, Errors: 1, Length: line.length(),
			make: func(m *maker) { m.write(before, m.encoded(ending, line.pcm, args...)) },
		}
	}
	noise := make([]byte, 700)
	for i := range noise {
		noise[i] = byte(i*i>>3) & 0x7f // never a frame's sync
	}
	return []Clip{
		clip("id3.wav", id3(2000)),
		clip("id3-long.wav", id3(90_000)),
		clip("id3.flac", id3(2000)),
		clip("zeros.mp3", make([]byte, 6000), "-id3v2_version", "0"),
		clip("zeros-few.mp3", make([]byte, 17), "-id3v2_version", "0"),
		clip("garbage.mp3", noise, "-id3v2_version", "0"),
		clip("id3-zeros.mp3", append(id3(500), make([]byte, 3000)...), "-id3v2_version", "0"),
		clip("zeros.aac", make([]byte, 2000), "-c:a", "aac"),
		clip("id3.aac", id3(1000), "-c:a", "aac"),
	}
}

// id3 is an ID3v2.3 tag of that many bytes behind its head: a comment of blanks.
func id3(size int) []byte {
	tag := []byte{'I', 'D', '3', 3, 0, 0, byte(size >> 21 & 0x7f), byte(size >> 14 & 0x7f), byte(size >> 7 & 0x7f), byte(size & 0x7f)}
	frame := binary.BigEndian.AppendUint32([]byte("TXXX"), uint32(size-10))
	frame = append(frame, 0, 0, 0)
	return slices.Concat(tag, frame, bytes.Repeat([]byte{' '}, size-len(frame)))
}

// codecs are those that telephone systems put into WAV.
func codecs(v *voices) []Clip {
	line := v.line
	clip := func(file string, errors int, args ...string) Clip {
		return Clip{
			File: file, Kind: "codec", Text: line.text, Errors: errors, Length: line.length(),
			make: func(m *maker) { m.encode([][]float32{line.pcm}, args...) },
		}
	}
	// What nobody decodes is refused at once, and named.
	refused := func(file, with string, make func(*maker)) Clip {
		return Clip{File: file, Kind: "codec", Refused: with, make: make}
	}
	return []Clip{
		refused("celp.wav", "Lernout & Hauspie CELP", func(m *maker) {
			m.write(m.at(wavBytes(line.pcm), "fmt ", 8, func(b []byte) { binary.LittleEndian.PutUint16(b, 0x0070) }))
		}),
		refused("apac.m4a", "APAC", func(m *maker) {
			m.encode([][]float32{line.pcm}, "-c:a", "aac")
			m.write(noMP4Codec(m, m.read(m.out)))
		}),
		clip("g722.wav", 1, "-c:a", "g722"),
		clip("gsm.wav", 2, "-c:a", "gsm_ms", "-ar", "8000"),
		clip("mulaw.wav", 2, "-c:a", "pcm_mulaw", "-ar", "8000"),
		clip("alaw.wav", 2, "-c:a", "pcm_alaw", "-ar", "8000"),
		clip("ima.wav", 2, "-c:a", "adpcm_ima_wav"),
		clip("adpcm.wav", 2, "-c:a", "adpcm_ms"),
		clip("g726.wav", 2, "-c:a", "g726", "-ar", "8000"),
		clip("mp3.wav", 1, "-c:a", "libmp3lame"),
		{File: "narrow.amr", Kind: "codec", Text: line.text, Errors: 2, Length: line.length(), make: func(m *maker) {
			m.run("sox", m.wav(line.pcm), "-r", "8000", "-C", "7", "-t", "amr-nb", m.out)
		}},
	}
}

const amrMagic = "#!AMR\n"

// amrSizes are the bytes of AMR frames behind their first, by type (RFC 4867,
// 5.3): speech, then comfort noise.
var amrSizes = [...]int{12, 13, 15, 17, 19, 20, 26, 31, 5}

// amrNothing is the type of frames without bytes: nothing was sent.
const amrNothing = 15

// amrWithout is AMR of two sentences between which nothing was sent for that
// long.
func amrWithout(gap time.Duration, first, second sentence) func(*maker) {
	return func(m *maker) {
		nothing := bytes.Repeat([]byte{amrNothing<<3 | 4}, int(gap/(20*time.Millisecond)))
		m.write([]byte(amrMagic), m.amrFrames(first), nothing, m.amrFrames(second))
	}
}

// amrFrames is speech as AMR without its head.
func (m *maker) amrFrames(s sentence) []byte {
	file := m.part("amr")
	m.run("sox", m.wav(s.pcm), "-r", "8000", "-t", "amr-nb", file)
	b := bytes.TrimPrefix(m.read(file), []byte(amrMagic))
	for at := 0; at < len(b); { // else what comes behind is none
		kind := int(b[at] >> 3 & 15)
		if kind >= len(amrSizes) && kind != amrNothing {
			m.err = fmt.Errorf("an AMR frame of type %d", kind)
			return nil
		}
		if at++; kind != amrNothing {
			at += amrSizes[kind]
		}
	}
	return b
}
