package render

import "math"

const (
	lookAhead      = 80 // samples, 5 ms: how long before a peak the gain begins to fall
	smoothA        = 40 // the fall is shaped by two moving averages,
	smoothB        = lookAhead + 1 - smoothA
	releaseSamples = 1280                     // 80 ms: time constant of the way back up
	limiterDelay   = lookAhead - 1 + halfTaps // samples that come out later than they went in
	limiterRun     = 32                       // samples that are passed over together when nothing is to be done
	unity          = 0.9999                   // gain that counts as none
)

// limiter raises sound by a fixed gain and keeps its true peak at or below a
// ceiling, by lowering the gain smoothly before each peak and letting it
// recover slowly after.
//
// For each sample the gain that its true peak (see [interpolator]) allows is
// found; the smallest of the last lookAhead of them, released exponentially,
// is averaged twice over lookAhead samples in all. Every value in that average
// is allowed for the sample that the average applies to, so its peak cannot
// pass. Between samples the changing gain can leave a hundredth of a decibel.
//
// Sound comes out limiterDelay samples late: the caller feeds that many zeros
// at the end and drops as many at the start. Stretches that need no limiting
// cost a multiplication and a comparison a sample.
type limiter struct {
	interp  *interpolator
	gain    float32
	ceiling float32

	buf  []float32 // limiterDelay samples already raised, then the newest
	held slidingMin
	env  float64 // the held gain after release
	a, b movingAverage
	idle int // samples for which env has been 1
}

// newLimiter takes the gain and the ceiling as factors.
func newLimiter(gain, ceiling float64) *limiter {
	return &limiter{
		interp:  newInterpolator(),
		gain:    float32(gain),
		ceiling: float32(ceiling),
		buf:     make([]float32, limiterDelay, limiterDelay+readSamples),
		env:     1,
		a:       newMovingAverage(smoothA),
		b:       newMovingAverage(smoothB),
		idle:    lookAhead,
	}
}

// process replaces p by the sound of limiterDelay samples before it.
func (l *limiter) process(p []float32) {
	l.buf = l.buf[:limiterDelay]
	for _, x := range p {
		l.buf = append(l.buf, x*l.gain)
	}
	for from := 0; from < len(p); from += limiterRun {
		to := min(from+limiterRun, len(p))
		l.run(p[from:to], l.buf[from:to+limiterDelay])
	}
	copy(l.buf, l.buf[len(p):])
}

// run fills out from window, which starts limiterDelay samples before it: out[i]
// is window[i] with its gain. The newest sample whose peak can be known, which
// has the taps samples that end with the newest around it, lies lookAhead-1
// samples later.
func (l *limiter) run(out, window []float32) {
	near := window[limiterDelay-(taps-1):]
	loud := magnitude(near)*l.interp.bound > l.ceiling
	if !loud && l.idle >= lookAhead {
		copy(out, window)
		l.held.skip(len(out))
		return
	}
	for i := range out {
		allowed := float32(1)
		if loud {
			if peak := l.interp.peak((*[taps]float32)(near[i:])); peak > l.ceiling {
				allowed = l.ceiling / peak
			}
		}
		out[i] = window[i] * float32(l.next(float64(l.held.next(allowed))))
	}
}

// next releases and smooths the held gain.
func (l *limiter) next(held float64) float64 {
	l.env += (1 - l.env) * (1.0 / releaseSamples)
	if l.env > unity {
		l.env = 1
	}
	l.env = min(l.env, held)
	if l.env < 1 {
		l.idle = 0
	} else {
		l.idle++
	}
	return l.b.next(l.a.next(l.env))
}

// slidingMin gives the smallest of the last lookAhead values, which start as
// ones. Values that a later, smaller one makes irrelevant are dropped, so it
// costs a constant on average.
type slidingMin struct {
	value [lookAhead]float32
	index [lookAhead]int64 // when each was seen
	head  int              // the oldest kept, which is the smallest
	kept  int
	now   int64
}

func (s *slidingMin) next(v float32) float32 {
	s.skip(1)
	for s.kept > 0 && s.value[s.slot(s.kept-1)] >= v {
		s.kept--
	}
	at := s.slot(s.kept)
	s.value[at], s.index[at] = v, s.now
	s.kept++
	return s.value[s.head]
}

// skip passes n values that are ones, which never need keeping: an empty
// window's minimum is the next value.
func (s *slidingMin) skip(n int) {
	s.now += int64(n)
	for s.kept > 0 && s.index[s.head] <= s.now-lookAhead {
		s.head = s.slot(1)
		s.kept--
	}
}

func (s *slidingMin) slot(i int) int {
	i += s.head
	if i >= lookAhead {
		i -= lookAhead
	}
	return i
}

// movingAverage is the mean of the last values, which start as ones. They are
// kept as fixed-point numbers, so that the running sum never drifts.
type movingAverage struct {
	ring  []int64
	at    int
	sum   int64
	scale float64
}

const fixedOne = 1 << 40

func newMovingAverage(n int) movingAverage {
	m := movingAverage{ring: make([]int64, n), sum: int64(n) * fixedOne, scale: 1 / float64(int64(n)*fixedOne)}
	for i := range m.ring {
		m.ring[i] = fixedOne
	}
	return m
}

func (m *movingAverage) next(v float64) float64 {
	fixed := int64(math.Floor(v * fixedOne))
	m.sum += fixed - m.ring[m.at]
	m.ring[m.at] = fixed
	if m.at++; m.at == len(m.ring) {
		m.at = 0
	}
	return float64(m.sum) * m.scale
}
