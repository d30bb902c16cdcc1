package cliptest

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"hark/media"
)

// repeated are clips of the same words again and again.
func repeated(v *voices) []Clip {
	say := func(words ...string) []float32 {
		pcm := quiet(200 * time.Millisecond)
		for _, w := range words {
			pcm = slices.Concat(pcm, v.words[w], quiet(120*time.Millisecond))
		}
		return append(pcm, quiet(200*time.Millisecond)...)
	}
	clip := func(file string, errors int, words ...string) Clip {
		return Clip{
			File: file, Kind: "repeated words", Text: strings.Join(words, " "), Errors: errors,
			make: func(m *maker) { m.write(wavBytes(say(words...))) },
		}
	}
	digits := func(s string) []string { return strings.Fields(s) }
	return []Clip{
		clip("call-1800.wav", 1, digits("one eight zero zero two two two two two two two")...),
		clip("call-0800.wav", 1, digits("zero eight zero zero five five five five five five five")...),
		clip("call-650.wav", 1, digits("six five zero two five three zero zero zero zero")...),
		clip("card-4.wav", 2, slices.Repeat([]string{"four"}, 16)...),
		clip("card-7.wav", 2, slices.Repeat([]string{"seven"}, 12)...),
		clip("nine-one-one.wav", 1, slices.Repeat([]string{"nine", "one", "one"}, 3)...),
		clip("hello-world.wav", 0, slices.Repeat([]string{"hello world"}, 5)...),
		clip("thank-you.wav", 0, slices.Repeat([]string{"thank you"}, 4)...),
	}
}

// oneWord are words with nothing around them.
func oneWord(v *voices) []Clip {
	var clips []Clip
	for _, w := range []string{
		"yesterday", "hours", "second", "is", "thank you", "monday", "wednesday", "seventeen", "password", "november", "messages", "thousand",
	} {
		clips = append(clips, Clip{
			File: "word-" + strings.ReplaceAll(w, " ", "-") + ".wav", Kind: "one word", Text: w,
			make: func(m *maker) { m.write(wavBytes(v.words[w])) },
		})
	}
	return clips
}

// conditioning are clips in which something else than the voice is loud.
func conditioning(v *voices) []Clip {
	clip := func(file string, errors int, text string, sound func() []float32) Clip {
		return Clip{File: file, Kind: "conditioning", Text: text, Errors: errors, make: func(m *maker) { m.encode([][]float32{sound()}) }}
	}
	offset := func(pcm []float32, by float32) []float32 {
		out := slices.Clone(pcm)
		for i := range out {
			out[i] += by
		}
		return out
	}
	line, after := v.line, quiet(600*time.Millisecond)
	return []Clip{
		clip("offset-loud.flac", 1, line.text, func() []float32 { return offset(level(line.pcm, -42), 0.1) }),
		clip("offset-30.flac", 1, line.text, func() []float32 { return offset(level(line.pcm, -48), 0.05) }),
		clip("offset-36.flac", 2, line.text, func() []float32 { return offset(level(line.pcm, -54), 0.05) }),
		clip("offset-below.flac", 2, v.number.text, func() []float32 { return offset(level(v.number.pcm, -50), -0.08) }),
		clip("rumble.flac", 1, line.text, func() []float32 { return mixed(level(line.pcm, -42), rumble(line.length(), 0.3)) }),
		clip("engine.flac", 1, v.number.text, func() []float32 { return mixed(level(v.number.pcm, -40), engine(v.number.length())) }),
		clip("knock.flac", 2, line.text, func() []float32 { return slices.Concat(knock(), after, level(line.pcm, -54)) }),
		clip("beep.flac", 1, line.text, func() []float32 {
			return slices.Concat(tone(800*time.Millisecond, 0.5, 1000), after, level(line.pcm, -48))
		}),
		clip("dialled.flac", 2, v.number.text, func() []float32 {
			keys := slices.Concat(tone(200*time.Millisecond, 0.3, 697, 1209), quiet(100*time.Millisecond), tone(200*time.Millisecond, 0.3, 852, 1477))
			return slices.Concat(keys, after, level(v.number.pcm, -52))
		}),
		clip("quiet-second.flac", 2, line.text+" "+v.number.text, func() []float32 {
			return slices.Concat(level(line.pcm, -18), after, level(v.number.pcm, -54))
		}),
	}
}

// rumble is noise below 120 Hz of about that level.
func rumble(d time.Duration, level float64) []float32 {
	rng := rand.New(rand.NewPCG(1, 1))
	var poles [4]float64
	a := 1 - math.Exp(-2*math.Pi*60/media.SampleRate)
	return made(d, func(float64) float64 {
		v := 2*rng.Float64() - 1
		for i := range poles {
			poles[i] += a * (v - poles[i])
			v = poles[i]
		}
		return 25 * level * v
	})
}

// engine is a motor that idles.
func engine(d time.Duration) []float32 {
	return made(d, func(s float64) (v float64) {
		for h := 1.0; h <= 4; h++ {
			v += 0.25 * math.Sin(2*math.Pi*26*h*s+h) / h
		}
		return v
	})
}

func tone(d time.Duration, amplitude float64, hz ...float64) []float32 {
	return made(d, func(s float64) (v float64) {
		for _, f := range hz {
			v += amplitude * math.Sin(2*math.Pi*f*s)
		}
		return v
	})
}

// knock is a hand on a table, twice.
func knock() []float32 {
	one := made(250*time.Millisecond, func(s float64) float64 { return 0.9 * math.Exp(-40*s) * math.Sin(2*math.Pi*220*s) })
	return slices.Concat(one, one)
}

// channels are clips of two channels that the plain average spoils.
func channels(v *voices) []Clip {
	line, number := v.line, v.number
	alike := func(file string, errors int, left, right []float32, args ...string) Clip {
		return Clip{
			File: file, Kind: "channels", Text: line.text, Errors: errors, Length: line.length(),
			make: func(m *maker) { m.encode([][]float32{left, right}, args...) },
		}
	}
	turned := make([]float32, len(line.pcm))
	for i, s := range line.pcm {
		turned[i] = -s
	}
	dead := make([]float32, len(line.pcm))
	hum := tone(line.length(), 0.02, 50, 150)
	both := func(file string, args ...string) Clip {
		other := append(slices.Clone(number.pcm), make([]float32, len(line.pcm)-len(number.pcm))...)
		return Clip{
			File: file, Kind: "channels", Text: line.text + " | " + number.text, Errors: 3,
			make: func(m *maker) { m.encode([][]float32{line.pcm, other}, args...) },
		}
	}
	return []Clip{
		alike("antiphase.wav", 1, line.pcm, turned),
		alike("antiphase.m4a", 1, line.pcm, turned, "-c:a", "aac", "-b:a", "96k"),
		alike("antiphase.mp3", 1, turned, line.pcm, "-c:a", "libmp3lame", "-joint_stereo", "0", "-b:a", "96k"),
		alike("antiphase-weaker.flac", 1, line.pcm, scaled(turned, -1)),
		alike("dead-right.flac", 1, line.pcm, dead),
		alike("dead-left.ogg", 1, scaled(dead, 0), scaled(line.pcm, -12), "-c:a", "libopus", "-b:a", "48k"),
		alike("hum-left.flac", 1, hum, line.pcm),
		both("call.wav"),
		both("call.opus", "-c:a", "libopus", "-b:a", "64k"),
		both("call.m4a", "-c:a", "aac", "-b:a", "128k"),
	}
}
