package local

import (
	"slices"

	"hark/transcribe/lang"
)

// padSamples is how much silence stands around a padded piece on each side, in
// samples: 200 ms.
const padSamples = sampleRate / 5

// form is a piece as a recogniser is given it. Times in it are turned back
// into those of the piece.
type form struct {
	samples []float32
	ahead   int     // samples in front of the piece's first
	speed   float64 // how much faster than the piece it goes; 0 means as fast
	length  int     // of the piece, in samples
	times   int     // how often the piece is in it; 0 means once
}

// plain is the piece itself, raised when it is faint.
func (p piece) plain() form { return form{samples: p.raise(), length: len(p.samples)} }

// padded is the piece with so many samples of silence before and after it.
func (p piece) padded(before, after int) form {
	sound := p.raise()
	samples := make([]float32, before+len(sound)+after)
	copy(samples[before:], sound)
	return form{samples: samples, ahead: before, length: len(sound)}
}

// fade is how long the edges of a piece that is put into silence fade, in samples.
const fade = sampleRate / 50

// faded is the sound of the piece, raised when it is faint, with soft edges.
func (p piece) faded() []float32 {
	samples := slices.Clone(p.raise())
	for i := range min(fade, len(samples)/4) {
		g := float32(i) / fade
		samples[i] *= g
		samples[len(samples)-1-i] *= g
	}
	return samples
}

// repeated is the piece said n times, with pauses between.
func (p piece) repeated(n int) form {
	sound := p.faded()
	every := len(sound) + padSamples*3/2
	samples := make([]float32, padSamples+n*every)
	for i := range n {
		copy(samples[padSamples+i*every:], sound)
	}
	return form{samples: samples, ahead: padSamples, length: len(sound), times: n}
}

// stretched is the piece said slower or, with a factor below 1, faster.
func (p piece) stretched(factor float64) form {
	sound := p.faded()
	n := int(float64(len(sound)) * factor)
	samples := make([]float32, padSamples+n+padSamples)
	for i := range n {
		at := float64(i) / factor
		k := int(at)
		if k+1 >= len(sound) {
			break
		}
		t := float32(at - float64(k))
		samples[padSamples+i] = sound[k]*(1-t) + sound[k+1]*t
	}
	return form{samples: samples, ahead: padSamples, length: len(sound), speed: 1 / factor}
}

// undo gives words heard in the form the times that they have in the piece.
func (f form) undo(h heard) heard {
	if f.times > 1 {
		h = once(h, f.times)
	}
	end := int64(f.length) * 1000 / sampleRate
	at := func(ms int64) int64 {
		ms -= int64(f.ahead) * 1000 / sampleRate
		if f.speed != 0 {
			ms = int64(float64(ms) * f.speed)
		}
		return min(max(ms, 0), end)
	}
	for i := range h.words {
		w := &h.words[i]
		w.StartMS, w.EndMS = at(w.StartMS), at(w.EndMS)
	}
	return h
}

// once is what was said each of the times that h was said; nothing, if that
// was not always the same.
func once(h heard, times int) heard {
	n := len(h.words) / times
	if n == 0 || n*times != len(h.words) {
		return heard{language: h.language}
	}
	for i, w := range h.words {
		if lang.Bare(w.Text) != lang.Bare(h.words[i%n].Text) {
			return heard{language: h.language}
		}
	}
	h.words = h.words[:n]
	return h
}
