package moonshine

import "math"

// attention is where the decoder listened while it said each token: for every
// token a row with the weight of every frame of sound, the mean over the heads
// that follow the sound.
//
// Those are all heads of the later half of the layers. Single heads follow it
// better or worse, and which ones differs from model to model; their mean is
// as good as the best few of them, for every size of the model.
type attention struct {
	frames  int
	weights []float32 // [rows][frames]
}

// followsFrom is the first layer whose cross-attention follows the sound.
func followsFrom(layers int) int { return layers / 2 }

// add appends the row of a token, one of several that were said at once, from
// the weights of layers: [heads][tokens][frames] each.
func (a *attention) add(layers [][]float32, token, tokens int) {
	start := len(a.weights)
	for range a.frames {
		a.weights = append(a.weights, 0)
	}
	row := a.weights[start:]
	for _, heads := range layers {
		for at := token * a.frames; at < len(heads); at += tokens * a.frames {
			for f, w := range heads[at : at+a.frames] {
				row[f] += w
			}
		}
	}
}

func (a *attention) rows() int { return len(a.weights) / a.frames }

// cut keeps the first n rows.
func (a *attention) cut(n int) { a.weights = a.weights[:min(n, a.rows())*a.frames] }

// starts returns the frame in which each token begins: of all ways to give
// every token one frame or more in a row, first token to last and first frame
// to last, the one with the most attention on it (dynamic time warping, as
// Whisper's word times are made, in which no two tokens share a frame).
//
// There must be no more rows than frames.
func (a *attention) starts() []int {
	rows, frames := a.rows(), a.frames
	began := make([]bool, rows*frames) // whether the best way to here enters the row here
	best := make([]float64, frames)    // of the row before, up to and with each frame
	here := make([]float64, frames)
	for r := range rows {
		row := a.weights[r*frames : (r+1)*frames]
		for f := range frames {
			enter, stay := math.Inf(-1), math.Inf(-1)
			switch {
			case f > 0:
				stay = here[f-1]
				if r > 0 {
					enter = best[f-1]
				}
			case r == 0:
				enter = 0
			}
			began[r*frames+f] = enter >= stay
			here[f] = max(enter, stay) + float64(row[f])
		}
		best, here = here, best
	}
	starts := make([]int, rows)
	f := frames - 1
	for r := rows - 1; r >= 0; r-- {
		for f > 0 && !began[r*frames+f] {
			f--
		}
		starts[r] = f
		f = max(f-1, 0)
	}
	return starts
}

// span is a stretch of sound, in milliseconds from its start.
type span struct{ start, end int64 }

// align finds when the words were said: between the frames in which their
// tokens begin, and where a pause lies between two words, outside of it.
func align(a *attention, words []wordTokens, samples []float32) []span {
	starts := a.starts()
	total := int64(len(samples)) * 1000 / sampleRate
	at := func(token int) int64 {
		if token >= len(starts) {
			return total
		}
		return min(frameMS(starts[token]), total)
	}
	// Between one word's end and the next one's start its punctuation was
	// said, of which nothing is to be heard: a pause or nothing at all.
	spans := make([]span, len(words))
	for i, w := range words {
		spans[i] = span{at(w.first), at(w.end)}
	}
	spans[len(spans)-1].end = at(words[len(words)-1].last + 1)
	trim(spans, pauses(samples))
	for i := range spans { // the margin at a pause may reach beyond the sound
		spans[i] = span{min(spans[i].start, total), min(spans[i].end, total)}
	}
	return spans
}

// frameMS is where a frame's window begins.
func frameMS(frame int) int64 { return int64(frame) * frameSamples * 1000 / sampleRate }
