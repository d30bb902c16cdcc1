package local

import (
	"math"
	"slices"

	"hark/transcribe/local/vad"
)

// cutting says how sound is cut into pieces for a recogniser. All lengths are
// in windows of vad.WindowSamples samples (32 ms).
type cutting struct {
	on, off    float32 // probability at which speech begins and, lower, ends
	minSpeech  int     // shorter bursts are not speech
	minSilence int     // shorter dips are not pauses
	pad        int     // true sound kept around speech
	merge      int     // a pause this long ends a piece whatever its length
	enough     int     // a piece this long ends at the next good pause
	good       int     // length of a good pause
	most       int     // no piece has more speech and pauses than this
	least      int     // a piece cut for its length has at least this much
}

var pausesOfSpeech = cutting{
	on: 0.35, off: 0.2,
	minSpeech: 4, minSilence: 3,
	pad:   12,
	merge: 40, enough: 190, good: 10,
	most: 312, least: 60,
}

// segmenter cuts a clip into pieces as it comes in. It holds only the sound
// since the open piece began. Not safe for concurrent use.
type segmenter struct {
	cut cutting

	base    int       // window at which the buffers begin
	now     int       // windows pushed so far
	samples []float32 // from base on
	prob    []float32 // from base on, by window
	level   []float32 // from base on, RMS by window

	runs    []span // speech in the open piece; the last one is open while talking
	talking bool
	quiet   int // windows below off since the last above it
	edge    int // no piece begins before this window
	lastEnd int // end of the last speech that was emitted; -1 before any
	ready   []piece
}

func newSegmenter(c cutting) *segmenter { return &segmenter{cut: c, lastEnd: -1} }

// push takes the next window and the probability that it is speech, and
// returns the pieces that are finished by it.
func (s *segmenter) push(window []float32, p float32) []piece {
	s.samples = append(s.samples, window...)
	s.prob = append(s.prob, p)
	s.level = append(s.level, rms(window))
	s.now++
	s.track(p)
	s.close()
	s.forget()
	return s.take()
}

// flush ends the clip and returns the pieces that were open.
func (s *segmenter) flush() []piece {
	if s.talking {
		s.endRun(s.now - s.quiet)
	}
	if len(s.runs) > 0 {
		s.emit(len(s.runs))
	}
	return s.take()
}

// peek returns the piece that is open as it would be if the clip ended here;
// false when none is.
func (s *segmenter) peek() (piece, bool) {
	runs := slices.Clone(s.runs)
	if s.talking {
		last := len(runs) - 1
		if runs[last].to = s.spoken(); runs[last].length() < s.cut.minSpeech {
			runs = runs[:last]
		}
	}
	if len(runs) == 0 {
		return piece{}, false
	}
	return s.cutOut(runs, s.now), true
}

// spoken is the window at which the last speech of the open piece ended: for
// speech that lasts, the next one.
func (s *segmenter) spoken() int {
	switch {
	case len(s.runs) == 0:
		return s.lastEnd
	case s.talking:
		return s.now - s.quiet
	default:
		return s.runs[len(s.runs)-1].to
	}
}

// silence is how many windows it has been since then.
func (s *segmenter) silence() int { return s.now - s.spoken() }

// idle says that no piece is open.
func (s *segmenter) idle() bool { return len(s.runs) == 0 }

func (s *segmenter) take() []piece {
	ready := s.ready
	s.ready = nil
	return ready
}

// track follows where speech begins and ends.
func (s *segmenter) track(p float32) {
	switch {
	case !s.talking && p >= s.cut.on:
		s.talking, s.quiet = true, 0
		s.runs = append(s.runs, span{s.now - 1, s.now})
	case s.talking && p >= s.cut.off:
		s.quiet = 0
	case s.talking:
		if s.quiet++; s.quiet >= s.cut.minSilence {
			s.endRun(s.now - s.quiet)
		}
	}
}

func (s *segmenter) endRun(at int) {
	last := len(s.runs) - 1
	s.talking = false
	s.runs[last].to = at
	if s.runs[last].length() < s.cut.minSpeech {
		s.runs = s.runs[:last]
	}
}

// close emits the open piece, or its beginning, once it should be.
func (s *segmenter) close() {
	if len(s.runs) == 0 {
		return
	}
	begin := s.runs[0].from
	if !s.talking {
		silence := s.now - s.runs[len(s.runs)-1].to
		length := s.now - silence - begin
		if silence >= s.cut.merge || length >= s.cut.enough && silence >= s.cut.good {
			s.emit(len(s.runs))
			return
		}
	}
	if s.now-begin >= s.cut.most {
		s.cutAtPause()
	}
}

// cutAtPause ends the open piece at its best pause, or inside speech when
// there is none.
func (s *segmenter) cutAtPause() {
	begin := s.runs[0].from
	best, bestScore := 0, 0.0
	for i := 1; i < len(s.runs); i++ {
		at := s.runs[i-1].to
		if at-begin < s.cut.least {
			continue
		}
		score := math.Min(float64(s.runs[i].from-at), 20) + 8*float64(at-begin)/float64(s.cut.most)
		if score > bestScore {
			best, bestScore = i, score
		}
	}
	switch {
	case best > 0:
		s.emit(best)
	case !s.talking:
		s.emit(len(s.runs))
	default:
		s.cutSpeech()
	}
}

// cutSpeech splits the open run of speech where it is faintest.
func (s *segmenter) cutSpeech() {
	last := len(s.runs) - 1
	from := max(s.runs[last].from+s.cut.minSpeech, s.runs[0].from+s.cut.least)
	at, faintest := s.now-1, float32(math.Inf(1))
	for w := from; w < s.now-1; w++ {
		i := w - s.base
		l := s.level[i-1] + 2*s.level[i] + s.level[i+1]
		l *= 0.3 + s.prob[i]
		if l < faintest {
			at, faintest = w, l
		}
	}
	s.runs[last].to = at
	s.runs = append(s.runs, span{at, at + 1})
	s.emit(last + 1)
}

// emit makes a piece of the first n runs.
func (s *segmenter) emit(n int) {
	last, limit := s.runs[n-1], s.now
	if n < len(s.runs) {
		limit = min(limit, (last.to+s.runs[n].from+1)/2)
	}
	p := s.cutOut(s.runs[:n], limit)
	s.ready = append(s.ready, p)
	s.runs = append(s.runs[:0], s.runs[n:]...)
	s.edge, s.lastEnd = int(p.at/vad.WindowSamples)+len(p.prob), last.to
}

// cutOut copies the piece with the speech of runs, which ends before the
// window limit.
func (s *segmenter) cutOut(runs []span, limit int) piece {
	first, last := runs[0], runs[len(runs)-1]
	from := max(first.from-s.cut.pad, s.edge, s.base)
	to := min(last.to+s.cut.pad, limit)
	p := piece{at: int64(from) * vad.WindowSamples, pause: first.from}
	if s.lastEnd >= 0 {
		p.pause = first.from - s.lastEnd
	}
	p.samples = append(p.samples, s.samples[(from-s.base)*vad.WindowSamples:(to-s.base)*vad.WindowSamples]...)
	p.prob = append(p.prob, s.prob[from-s.base:to-s.base]...)
	for _, r := range runs {
		p.speech = append(p.speech, span{r.from - from, r.to - from})
	}
	return p
}

// forget drops sound that no piece can want any more.
func (s *segmenter) forget() {
	keep := s.now - s.cut.pad
	if len(s.runs) > 0 {
		keep = s.runs[0].from - s.cut.pad
	}
	n := max(keep, s.edge-1) - s.base
	if n < 64 {
		return
	}
	n = min(n, s.now-s.base)
	s.samples = append(s.samples[:0], s.samples[n*vad.WindowSamples:]...)
	s.prob = append(s.prob[:0], s.prob[n:]...)
	s.level = append(s.level[:0], s.level[n:]...)
	s.base += n
}
