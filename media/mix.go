package media

// Mix says how the two channels of a sound are heard as one: each sample is
// Left times that of the first channel and Right times that of the second.
// Apart says that the two hold different speech, to be heard each by itself
// where words matter.
type Mix struct {
	Left, Right float32
	Apart       bool
}

// What decides between the channels. Levels are in decibels, one to a step of
// a pair's table.
const (
	held      = 8  // windows that a level lasts, at least, to count as a channel's loudest: 0.25 s;
	knocks    = 20 // and a part, of which there is one in so many, of those with more than noise
	silence   = 20 // step at and below which a channel is silent: -70 dBFS
	noisy     = 6  // range from quiet to loudest in which a channel has noise and no more
	overFloor = 9  // what is active lies so far over the quiet
	reach     = 35 // and so far below the loudest at most
	clearly   = 25 // the same for what is clearly one channel's
	ahead     = 8  // that channel is so much nearer to its own loudest than the other
	more      = 2  // what is not the same in both is so much nearer in one of them

	own     = 4   // windows that a channel has for itself, at least, if it says something of its own: a short word
	unalike = 0.6 // envelopes that correlate less are those of different sources
	alone   = 4   // of so many active windows one at least belongs to one channel then

	mostDelay  = 94  // windows by which one channel may be late and still be the same: three seconds
	delayProof = 150 // windows that show it, at least: five seconds of speech
	echoed     = 0.6 // levels that correlate so much then are the same,
	risen      = 0.4 // if they also rise and fall so much alike

	inverted  = -0.5 // correlation below which one channel is the other turned round,
	always    = 0.9  // if so many windows at least would be weakened by a sum
	cancelled = 0.25 // share of windows that a sum would weaken at which it is not made
	muchLess  = 12   // a channel that is so much quieter adds nothing, and is raised at most so much
)

// decide chooses the mix, and says for channels that are heard apart where each
// has only the other's speaker in it.
func (p *pair) decide() (Mix, [2][]bool) {
	ranges := [2]levels{p.levelsOf(0), p.levelsOf(1)}
	mix := p.choose(ranges[0], ranges[1])
	if !mix.Apart {
		return mix, [2][]bool{}
	}
	return mix, p.crosstalk(ranges)
}

func (p *pair) choose(left, right levels) Mix {
	onlyLeft, onlyRight := Mix{Left: 1}, Mix{Right: 1}
	louder := onlyLeft
	if right.top > left.top {
		louder = onlyRight
	}
	steady := left.dead() && right.dead()
	switch {
	case steady:
		left.quiet, right.quiet = 0, 0 // without a pause all of it counts
	case right.dead():
		return onlyLeft
	case left.dead():
		return onlyRight
	}
	f := p.compare(left, right)
	switch {
	case f.different() && p.envelopes(left, right) < unalike:
		if p.delayed(left, right) {
			return louder
		}
		return apart(left.top - right.top)
	case f.has(0):
		return onlyLeft
	case f.has(1):
		return onlyRight
	case left.top-right.top > muchLess || right.top-left.top > muchLess:
		return louder
	case f.waves < inverted && f.against >= always && !steady: // a hum may hide what is not inverted
		return Mix{Left: 0.5, Right: -0.5}
	case f.against > cancelled:
		return louder
	}
	return Mix{Left: 0.5, Right: 0.5}
}

// apart is the mix of two speakers of whom the first is louder by so many
// decibels: the other is raised, so that both can be followed.
func apart(louder int) Mix {
	mix := Mix{Left: 0.5, Right: 0.5, Apart: true}
	if louder > 0 {
		mix.Right *= gain(min(louder, muchLess))
	} else {
		mix.Left *= gain(min(-louder, muchLess))
	}
	return mix
}
