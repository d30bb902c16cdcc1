package decode

// side is one of the two channels that sound is folded into, on its way
// through the pcmSink.
type side struct {
	in        []float32  // at the rate of the source
	resampler *resampler // nil when the source has the rate that is wanted
	out       []float32  // at media.SampleRate; waits for the sink
}

func newSide() *side {
	return &side{in: make([]float32, 0, blockSamples), out: make([]float32, 0, 2*blockSamples)}
}

// start begins sound that a copy of a resampler brings to the rate that is
// wanted; nil where it has that.
func (s *side) start(r *resampler) {
	s.resampler = nil
	if r != nil {
		s.resampler = r.clone(s.add)
	}
}

func (s *side) add(p []float32) { s.out = append(s.out, p...) }

func (s *side) resample() {
	if s.resampler != nil {
		s.resampler.write(s.in)
	} else {
		s.add(s.in)
	}
}

func (s *side) flush() {
	if s.resampler != nil {
		s.resampler.flush()
		s.resampler = nil
	}
}

// become makes s have the past of another side: up to now they were the same.
func (s *side) become(other *side) {
	s.out = append(s.out[:0], other.out...)
	if other.resampler != nil {
		s.resampler = other.resampler.clone(s.add)
	}
}

// drop forgets the first n samples that were waiting.
func (s *side) drop(n int) {
	s.out = s.out[:copy(s.out, s.out[min(n, len(s.out)):])]
}

// fold puts interleaved samples into left and right, and says whether these
// came to be the same. Of more than two channels the odd ones go left and the
// even ones right, and those of a side are averaged.
func fold(p []float32, channels int, left, right *side) (same bool) {
	left.in, right.in = left.in[:0], right.in[:0]
	switch channels {
	case 1:
		for _, x := range p {
			left.in = append(left.in, tame(x))
		}
		right.in = append(right.in, left.in...)
		return true
	case 2:
		same = true
		for ; len(p) >= 2; p = p[2:] {
			l, r := tame(p[0]), tame(p[1])
			same = same && l == r
			left.in, right.in = append(left.in, l), append(right.in, r)
		}
		return same
	}
	odd, even := float32((channels+1)/2), float32(channels/2)
	same = true
	for ; len(p) >= channels; p = p[channels:] {
		var sums [2]float32
		for i, x := range p[:channels] {
			sums[i%2] += x
		}
		l, r := tame(sums[0]/odd), tame(sums[1]/even)
		same = same && l == r
		left.in, right.in = append(left.in, l), append(right.in, r)
	}
	return same
}

// tame clamps, and makes silence of what is not a number.
func tame(x float32) float32 {
	if x >= -loudest && x <= loudest {
		return x
	}
	if x != x {
		return 0
	}
	return max(-loudest, min(loudest, x))
}
