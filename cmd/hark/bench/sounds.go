package bench

import (
	"math"
	"math/rand/v2"

	"hark/media"
)

type namedSound struct {
	name  string
	sound sound
}

// soundsWithoutSpeech are kinds of sound in which nobody speaks, the same ones
// for the same seed.
func soundsWithoutSpeech(seed uint64) []namedSound {
	rng := rand.New(rand.NewPCG(seed, 0))
	white := func() float64 { return 2*rng.Float64() - 1 }
	var pink, brown float64
	return []namedSound{
		{"silence", func(int64) float64 { return 0 }},
		{"white noise", func(int64) float64 { return 0.3 * white() }},
		{"faint noise", func(int64) float64 { return 0.003 * white() }},
		{"pink noise", func(int64) float64 {
			w := white()
			pink = 0.98*pink + 0.1*w
			return pink + 0.02*w
		}},
		{"brown noise", func(int64) float64 {
			brown = 0.998*brown + 0.02*white()
			return brown
		}},
		{"mains hum", func(i int64) float64 { return tones(i, 0.2, 50) + tones(i, 0.1, 100) + tones(i, 0.05, 150) }},
		{"melody", melody},
		{"rumble", atLevels(rumble(white))},
		{"wind", atLevels(wind(rng))},
		{"engine", atLevels(engine(rng))},
		{"beeps", atLevels(beeps)},
		{"call tones", atLevels(callTones)},
		{"dtmf", atLevels(dtmf(rng))},
		{"knocks", atLevels(knocks(rng))},
	}
}

// atLevels plays a sound at four levels in turn, a minute each: what is faint
// is raised before it is heard.
func atLevels(s sound) sound {
	gains := [...]float64{1, 0.3, 0.1, 0.02}
	return func(i int64) float64 { return s(i) * gains[i/(60*media.SampleRate)%int64(len(gains))] }
}

// tones is a sum of sines of that amplitude each.
func tones(i int64, amplitude float64, hz ...float64) (v float64) {
	for _, f := range hz {
		v += amplitude * math.Sin(2*math.Pi*f*float64(i)/media.SampleRate)
	}
	return v
}

// lowPass weakens what is above hz by 24 dB an octave.
func lowPass(hz float64) func(float64) float64 {
	a := 1 - math.Exp(-2*math.Pi*hz/media.SampleRate)
	var poles [4]float64
	return func(v float64) float64 {
		for i := range poles {
			poles[i] += a * (v - poles[i])
			v = poles[i]
		}
		return v
	}
}

// rumble is noise below 120 Hz, as of a lorry or of a hand on the microphone.
func rumble(white func() float64) sound {
	low := lowPass(120)
	return func(int64) float64 { return 6 * low(white()) }
}

// wind is low noise in gusts of some seconds, each of another strength and a
// little brighter the stronger it is.
func wind(rng *rand.Rand) sound {
	low, bright := lowPass(150), lowPass(500)
	var strength, target float64
	return func(i int64) float64 {
		if i%media.SampleRate == 0 {
			target = rng.Float64() * rng.Float64()
		}
		strength += (target - strength) / (media.SampleRate / 2)
		w := 2*rng.Float64() - 1
		return 9*strength*low(w) + 3*strength*strength*bright(w)
	}
}

// engine is a motor whose speed wanders between idling and a motorway.
func engine(rng *rand.Rand) sound {
	low := lowPass(200)
	hz, target, phase := 25.0, 25.0, 0.0
	return func(i int64) float64 {
		if i%(3*media.SampleRate) == 0 {
			target = 20 + 80*rng.Float64()
		}
		hz += (target - hz) / (2 * media.SampleRate)
		phase += hz / media.SampleRate
		var v float64
		for h := 1.0; h <= 8; h++ {
			v += math.Sin(2*math.Pi*h*phase+h) / h
		}
		return 0.15*v + 2*low(2*rng.Float64()-1)
	}
}

// beeps are those after which one is asked to speak: of several pitches and
// lengths, with silence between.
func beeps(i int64) float64 {
	const every = 5 * media.SampleRate
	n, at := i/every, i%every
	length := [...]int64{2, 4, 7, 10}[n%4] * media.SampleRate / 10
	if at >= length {
		return 0
	}
	return tones(at, 0.5, [...]float64{1000, 440, 1400, 800, 2000}[n%5])
}

// callTones are what one hears of a telephone line: dial tone, ringing, busy,
// special information, ten seconds each.
func callTones(i int64) float64 {
	const turn = 10 * media.SampleRate
	at := i % turn
	on := func(on, off float64) bool { return math.Mod(float64(at)/media.SampleRate, on+off) < on }
	switch i / turn % 4 {
	case 0:
		return tones(i, 0.2, 350, 440)
	case 1:
		if on(2, 4) {
			return tones(i, 0.2, 440, 480)
		}
	case 2:
		if on(0.5, 0.5) {
			return tones(i, 0.2, 480, 620)
		}
	default:
		if third := at % (2 * media.SampleRate) * 3 / media.SampleRate; third < 3 {
			return tones(i, 0.4, [...]float64{913.8, 1370.6, 1776.7}[third])
		}
	}
	return 0
}

// dtmf is somebody who dials: tones of 80 to 300 ms with pauses between.
func dtmf(rng *rand.Rand) sound {
	rows, columns := [...]float64{697, 770, 852, 941}, [...]float64{1209, 1336, 1477, 1633}
	var begin, end, next int64
	var row, column float64
	return func(i int64) float64 {
		if i >= next {
			begin, end = i, i+int64(1280+rng.IntN(3520))
			next = end + int64(800+rng.IntN(8000))
			row, column = rows[rng.IntN(4)], columns[rng.IntN(4)]
		}
		if i >= end {
			return 0
		}
		return tones(i-begin, 0.3, row, column)
	}
}

// knocks are blows on wood, alone or several in a row, and doors that fall shut.
func knocks(rng *rand.Rand) sound {
	var begin, next int64
	var pitch, decay float64
	left := 0
	return func(i int64) float64 {
		if i >= next {
			begin = i
			if left == 0 { // another hand at another door
				left, pitch, decay = 1+rng.IntN(4), 90+300*rng.Float64(), 15+60*rng.Float64()
			}
			if left--; left > 0 {
				next = i + int64(2400+rng.IntN(4000))
			} else {
				next = i + int64(media.SampleRate*(1+4*rng.Float64()))
			}
		}
		at := float64(i-begin) / media.SampleRate
		ring := tones(i-begin, 0.5, pitch) + tones(i-begin, 0.2, 2.3*pitch)
		return math.Exp(-decay*at)*ring + 0.4*math.Exp(-6*decay*at)*(2*rng.Float64()-1)
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
