package cliptest

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"time"
)

var errPattern = errors.New("the bytes to change are not there")

// replaced replaces the first occurrence of old behind where.
func (m *maker) replaced(b []byte, where, old, by string) []byte {
	if m.err != nil {
		return nil
	}
	from := bytes.LastIndex(b, []byte(where))
	if from < 0 || !bytes.Contains(b[from:], []byte(old)) {
		m.err = errPattern
		return nil
	}
	return slices.Concat(b[:from], bytes.Replace(b[from:], []byte(old), []byte(by), 1))
}

// noMP4Codec makes the first track of an MP4 one in Apple's positional audio.
func noMP4Codec(m *maker, b []byte) []byte {
	return m.replaced(m.replaced(b, "moov", "mp4a", "apac"), "moov", "esds", "dapa")
}

// tracks are files of several tracks.
func tracks(v *voices) []Clip {
	line, number := v.line, v.number
	clip := func(file string, s sentence, first, second []float32, change func(*maker, []byte) []byte, args ...string) Clip {
		return Clip{
			File: file, Kind: "tracks", Text: s.text, Errors: 1, Length: s.length(),
			make: func(m *maker) {
				m.ffmpeg(m.out, slices.Concat([]string{"-i", m.wav(first), "-i", m.wav(second), "-map", "0:a", "-map", "1:a"}, args)...)
				if change != nil {
					m.write(change(m, m.read(m.out)))
				}
			},
		}
	}
	silence := make([]float32, len(line.pcm))
	const pause = 700 * time.Millisecond
	inTurn := sentence{slices.Concat(line.pcm, quiet(pause), number.pcm), line.text + " " + number.text}
	before := slices.Concat(line.pcm, quiet(pause), make([]float32, len(number.pcm)))
	after := slices.Concat(make([]float32, len(line.pcm)), quiet(pause), number.pcm)
	noWebMCodec := func(m *maker, b []byte) []byte { return m.replaced(b, "\x16\x54\xae\x6b", "A_OPUS", "A_XYZW") }
	return []Clip{
		clip("silent-first.mp4", line, silence, line.pcm, nil, "-c:a", "aac"),
		clip("silent-first.webm", line, silence, line.pcm, nil, "-c:a", "libopus"),
		clip("silent-second.mov", line, line.pcm, silence, nil, "-c:a", "pcm_s16le"),
		clip("unknown-first.mp4", line, silence, line.pcm, noMP4Codec, "-c:a", "aac"),
		clip("unknown-loud-first.m4a", line, number.pcm, line.pcm, noMP4Codec, "-c:a", "aac"),
		clip("unknown-first.webm", line, number.pcm, line.pcm, noWebMCodec, "-c:a", "libopus"),
		clip("caller-callee.mkv", inTurn, before, after, nil, "-c:a", "libopus"),
		clip("desktop-microphone.mp4", inTurn, after, before, nil, "-c:a", "aac"),
		{
			File: "picture-first.mp4", Kind: "tracks", Text: line.text, Errors: 1, Length: line.length(),
			make: func(m *maker) {
				m.ffmpeg(m.out, "-f", "lavfi", "-i", "color=s=64x64:r=5:d=5.4", "-i", m.wav(silence), "-i", m.wav(line.pcm),
					"-map", "0:v", "-map", "1:a", "-map", "2:a", "-c:v", "mpeg4", "-c:a", "aac")
			},
		},
	}
}

// joined are files that were put one behind the other.
func joined(v *voices) []Clip {
	text := v.line.text + " " + v.number.text
	length := v.line.length() + v.number.length()
	type piece struct {
		ending string
		args   []string
	}
	as := func(ending string, args ...string) piece { return piece{ending, args} }
	mp3 := func(args ...string) piece {
		return as("mp3", append([]string{"-c:a", "libmp3lame", "-write_xing", "0", "-id3v2_version", "0"}, args...)...)
	}
	clip := func(file string, first, second piece, between ...byte) Clip {
		return Clip{
			File: file, Kind: "joined", Text: text, Errors: 2, Length: length,
			make: func(m *maker) {
				m.write(m.encoded(first.ending, v.line.pcm, first.args...), between, m.encoded(second.ending, v.number.pcm, second.args...))
			},
		}
	}
	// What was garbage may count as sound that was lost.
	garbage := clip("garbage-between.mp3", mp3("-ar", "44100"), mp3("-ar", "44100"), slices.Repeat([]byte{0x55, 0x13}, 1500)...)
	garbage.Length = 0
	opus := func(args ...string) piece { return as("ogg", append([]string{"-c:a", "libopus"}, args...)...) }
	vorbis := func(args ...string) piece { return as("ogg", append([]string{"-c:a", "libvorbis"}, args...)...) }
	aac := func(args ...string) piece { return as("aac", append([]string{"-c:a", "aac"}, args...)...) }
	return []Clip{
		clip("rates.mp3", mp3("-ar", "44100"), mp3("-ar", "22050")),
		clip("rates-up.mp3", mp3("-ar", "16000"), mp3("-ar", "48000")),
		clip("channels.mp3", mp3("-ar", "44100", "-ac", "1"), mp3("-ar", "44100", "-ac", "2")),
		clip("layers.mp3", mp3("-ar", "44100"), as("mp2", "-c:a", "mp2", "-ar", "44100", "-b:a", "128k")),
		garbage,
		clip("tagged.mp3", as("mp3", "-c:a", "libmp3lame"), as("mp3", "-c:a", "libmp3lame", "-ar", "24000")),
		clip("chained-opus.ogg", opus("-ac", "1"), opus("-ac", "2")),
		clip("chained-vorbis.ogg", vorbis("-ar", "44100"), vorbis("-ar", "16000", "-ac", "2")),
		clip("rates.aac", aac("-ar", "44100"), aac("-ar", "16000")),
		clip("channels.aac", aac("-ar", "32000", "-ac", "2"), aac("-ar", "32000", "-ac", "1")),
	}
}

// times are files whose time is not the sum of their sound.
func times(v *voices) []Clip {
	const gap = 4 * time.Second
	line, number := v.line, v.number
	rest := number.length() + gap
	behind := Clip{Kind: "time", Text: number.text + " " + line.text, Errors: 2, Length: rest + line.length(), Word: "your call", At: rest + line.onset()}
	late := Clip{Kind: "time", Text: line.text, Errors: 1, Length: gap + line.length(), Word: "your call", At: gap + line.onset()}
	with := func(c Clip, file string, make func(*maker)) Clip {
		c.File, c.make = file, make
		return c
	}
	jump := func(ending string, args ...string) func(*maker) {
		return func(m *maker) {
			first, second, list := m.part(ending), m.part(ending), m.part("txt")
			m.ffmpeg(first, slices.Concat([]string{"-i", m.wav(number.pcm)}, args)...)
			m.ffmpeg(second, slices.Concat([]string{"-i", m.wav(line.pcm)}, args)...)
			if m.err == nil {
				text := "file '" + first + "'\nduration " + seconds(rest) + "\nfile '" + second + "'\n"
				m.err = os.WriteFile(list, []byte(text), 0o600)
			}
			m.ffmpeg(m.out, "-f", "concat", "-safe", "0", "-i", list, "-c", "copy")
		}
	}
	later := func(args ...string) func(*maker) {
		return func(m *maker) {
			m.ffmpeg(m.out, slices.Concat([]string{
				"-f", "lavfi", "-i", "color=s=64x64:r=5:d=" + seconds(gap+line.length()), "-itsoffset", seconds(gap),
				"-i", m.wav(line.pcm), "-map", "0:v", "-map", "1:a",
			}, args)...)
		}
	}
	return []Clip{
		with(behind, "gap.webm", jump("webm", "-c:a", "libopus")),
		with(behind, "gap.mkv", jump("mkv", "-c:a", "aac")),
		with(behind, "gap.mp4", jump("mp4", "-c:a", "aac")),
		with(late, "late.mp4", later("-c:v", "mpeg4", "-c:a", "aac")),
		with(late, "late.mov", later("-c:v", "mpeg4", "-c:a", "pcm_s16le")),
		with(late, "late.webm", later("-c:v", "libvpx", "-c:a", "libopus")),
		with(behind, "nothing-sent.amr", amrWithout(gap, number, line)),
	}
}
