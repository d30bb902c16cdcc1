package cliptest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"hark/media"
)

// Sounds is where Debian puts the prompts.
const Sounds = "/usr/share/asterisk/sounds/en"

// voices are prompts as mono sound at [media.SampleRate]: sentences as they
// were recorded, words without the silence around them.
type voices struct {
	line, number, look sentence
	words              map[string][]float32 // by what is said
}

// sentence is some seconds of speech.
type sentence struct {
	pcm  []float32
	text string
}

func (s sentence) length() time.Duration { return media.Duration(int64(len(s.pcm))) }

// onset is when the first word begins.
func (s sentence) onset() time.Duration {
	first, _ := bounds(s.pcm)
	return media.Duration(int64(first))
}

// wordFiles are the prompts of a word or two.
var wordFiles = map[string]string{
	"zero": "digits/0", "one": "digits/1", "two": "digits/2", "three": "digits/3", "four": "digits/4",
	"five": "digits/5", "six": "digits/6", "seven": "digits/7", "eight": "digits/8", "nine": "digits/9",
	"yesterday": "digits/yesterday", "second": "second", "hours": "hours", "is": "is", "thank you": "auth-thankyou",
	"monday": "digits/day-1", "wednesday": "digits/day-3", "seventeen": "digits/17", "password": "vm-password",
	"hello world": "hello-world", "november": "digits/mon-10", "messages": "vm-messages", "thousand": "digits/thousand",
}

func loadVoices(ctx context.Context) (*voices, error) {
	v := &voices{words: map[string][]float32{}}
	for name, s := range map[string]struct {
		to   *sentence
		text string
	}{
		"queue-youarenext": {&v.line, "your call is now first in line and will be answered by the next available representative"},
		"ss-noservice":     {&v.number, "the number you have dialed is not in service please check the number and try again"},
		"vm-instructions":  {&v.look, "to look into your messages press one now you may quit voicemail at any time by pressing the pound key"},
	} {
		pcm, err := prompt(ctx, name)
		if err != nil {
			return nil, err
		}
		*s.to = sentence{pcm, s.text}
	}
	for word, name := range wordFiles {
		pcm, err := prompt(ctx, name)
		if err != nil {
			return nil, err
		}
		first, end := bounds(pcm)
		v.words[word] = pcm[first:end]
	}
	return v, nil
}

// prompt decodes an installed prompt.
func prompt(ctx context.Context, name string) ([]float32, error) {
	cmd := exec.CommandContext(ctx, "ffmpeg", "-nostdin", "-v", "error", "-f", "g722", "-i", filepath.Join(Sounds, name+".g722"), "-f", "f32le", "pipe:1")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("decode prompt %s: %w: %s", name, err, problems.Bytes())
	}
	pcm := make([]float32, out.Len()/4)
	if err := binary.Read(&out, binary.LittleEndian, pcm); err != nil {
		return nil, fmt.Errorf("decode prompt %s: %w", name, err)
	}
	return pcm, nil
}

// bounds are where sound begins and ends: less than 35 dB below the loudest.
func bounds(pcm []float32) (first, end int) {
	const frame = media.SampleRate / 100
	loudest, levels := 0.0, []float64{}
	for f := range slices.Chunk(pcm, frame) {
		sum := 0.0
		for _, s := range f {
			sum += float64(s) * float64(s)
		}
		levels = append(levels, sum)
		loudest = max(loudest, sum)
	}
	isSound := func(level float64) bool { return level > loudest/3_000 }
	first = slices.IndexFunc(levels, isSound)
	last := len(levels) - 1
	for last > first && !isSound(levels[last]) {
		last--
	}
	return first * frame, min((last+1)*frame, len(pcm))
}

// scaled is sound that much louder or, below 0, quieter.
func scaled(pcm []float32, dB float64) []float32 {
	gain := float32(math.Pow(10, dB/20))
	out := make([]float32, len(pcm))
	for i, s := range pcm {
		out[i] = gain * s
	}
	return out
}

// level brings speech to that level in dBFS, of its louder parts' mean square.
func level(pcm []float32, dBFS float64) []float32 {
	sum, n := 0.0, 0
	for f := range slices.Chunk(pcm, media.SampleRate/50) {
		s := 0.0
		for _, v := range f {
			s += float64(v) * float64(v)
		}
		if s/float64(len(f)) > 1e-5 {
			sum, n = sum+s, n+len(f)
		}
	}
	return scaled(pcm, dBFS-10*math.Log10(sum/float64(n)))
}

// mixed is the sum of sounds that begin together.
func mixed(all ...[]float32) []float32 {
	var out []float32
	for _, pcm := range all {
		if missing := len(pcm) - len(out); missing > 0 {
			out = append(out, make([]float32, missing)...)
		}
		for i, s := range pcm {
			out[i] += s
		}
	}
	return out
}

// quiet is silence.
func quiet(d time.Duration) []float32 { return make([]float32, media.Samples(d)) }

// made is sound of that length by a function of the time in seconds.
func made(d time.Duration, at func(s float64) float64) []float32 {
	pcm := quiet(d)
	for i := range pcm {
		pcm[i] = float32(at(float64(i) / media.SampleRate))
	}
	return pcm
}

// wavBytes is a WAV of 16 bits with a channel for each sound, of one length.
func wavBytes(channels ...[]float32) []byte {
	le := binary.LittleEndian
	b := media.WAVHeader(media.SampleRate, len(channels), 2*len(channels)*len(channels[0]))
	for i := range channels[0] {
		for _, c := range channels {
			b = le.AppendUint16(b, uint16(int16(math.Round(32767*float64(max(-1, min(1, c[i])))))))
		}
	}
	return b
}
