package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"hark/media"
)

type benchNoSpeechCmd struct {
	benchConfig
	Minutes int    `default:"60" help:"Length of each clip."`
	Seed    uint64 `default:"1" help:"Seed of the noise."`
}

// sound makes the sample at index i; it is called in order.
type sound func(i int64) float64

// Run sends an hour of each kind of sound in which nobody speaks.
func (b *benchNoSpeechCmd) Run(ctx context.Context) error {
	target, end, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer end()
	c, conv := target.client, target.conversation
	dir, err := os.MkdirTemp("", "hark-no-speech-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	invented := 0
	for _, kind := range soundsWithoutSpeech(rand.New(rand.NewPCG(b.Seed, 0))) {
		file := filepath.Join(dir, "clip.wav")
		if err := writeWAV(file, int64(b.Minutes)*60*media.SampleRate, kind.sound); err != nil {
			return err
		}
		msg, err := c.upload(ctx, conv.ID, file)
		if err != nil {
			return err
		}
		if _, err = c.await(ctx, msg.ID); err != nil {
			return err
		}
		heard, err := c.transcript(ctx, msg.ID)
		if err != nil {
			return err
		}
		words := len(heard.Words())
		invented += words
		fmt.Printf("%-14s %d min: %d words %.200s\n", kind.name, b.Minutes, words, heard.Text())
	}
	if invented > 0 {
		return fmt.Errorf("%d words were invented", invented)
	}
	return nil
}

type namedSound struct {
	name  string
	sound sound
}

func soundsWithoutSpeech(rng *rand.Rand) []namedSound {
	var pink, brown float64
	return []namedSound{
		{"silence", func(int64) float64 { return 0 }},
		{"white noise", func(int64) float64 { return 0.3 * (2*rng.Float64() - 1) }},
		{"faint noise", func(int64) float64 { return 0.003 * (2*rng.Float64() - 1) }},
		{"pink noise", func(int64) float64 {
			white := 2*rng.Float64() - 1
			pink = 0.98*pink + 0.1*white
			return pink + 0.02*white
		}},
		{"brown noise", func(int64) float64 {
			brown = 0.998*brown + 0.02*(2*rng.Float64()-1)
			return brown
		}},
		{"mains hum", func(i int64) float64 {
			t := 2 * math.Pi * 50 * float64(i) / media.SampleRate
			return 0.2*math.Sin(t) + 0.1*math.Sin(2*t) + 0.05*math.Sin(3*t)
		}},
		{"melody", melody},
	}
}

// melody plays chords of a major scale, two a second, with harmonics and the
// attack and decay of a plucked string, over a beat.
func melody(i int64) float64 {
	const beat = media.SampleRate / 2
	scale := [...]float64{0, 4, 7, 12, 9, 5, 2, 7, 11, 0}
	step := i / beat
	at := float64(i%beat) / media.SampleRate
	envelope := math.Min(at*100, 1) * math.Exp(-4*at)
	var v float64
	for n, interval := range [...]float64{0, 4, 7} {
		f := 220 * math.Pow(2, (scale[(step*3+int64(n))%10]+interval)/12)
		for h := 1.0; h <= 4; h++ {
			v += math.Sin(2*math.Pi*f*h*at) / (h * h)
		}
	}
	return 0.15 * envelope * v
}

// writeWAV writes n samples as mono 16-bit at 16 kHz.
func writeWAV(path string, n int64, s sound) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	header := wavHeader(n)
	if _, err := w.Write(header[:]); err != nil {
		return err
	}
	for i := range n {
		v := int16(math.Round(32767 * max(-1, min(1, s(i)))))
		if err := w.WriteByte(byte(v)); err != nil {
			return err
		}
		if err := w.WriteByte(byte(v >> 8)); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// wavHeader is the header of n mono 16-bit samples at 16 kHz.
func wavHeader(n int64) [44]byte {
	var h [44]byte
	le := binary.LittleEndian
	copy(h[0:], "RIFF")
	le.PutUint32(h[4:], uint32(36+2*n))
	copy(h[8:], "WAVEfmt ")
	le.PutUint32(h[16:], 16)
	le.PutUint16(h[20:], 1)
	le.PutUint16(h[22:], 1)
	le.PutUint32(h[24:], media.SampleRate)
	le.PutUint32(h[28:], 2*media.SampleRate)
	le.PutUint16(h[32:], 2)
	le.PutUint16(h[34:], 16)
	copy(h[36:], "data")
	le.PutUint32(h[40:], uint32(2*n))
	return h
}
