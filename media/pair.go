package media

import (
	"math"

	"hark/media/filter"
)

const (
	pairWindow = SampleRate * 32 / 1000 // samples that are compared at a time
	pairSteps  = 91                     // of level: 0 is -90 dBFS or less, 90 is full scale
	turned     = -0.3                   // correlation below which a sum weakens a window
	equal      = 0.7                    // and above which both channels have the same in it
)

// pair learns how two channels are related: of windows of 32 ms, without what
// lies below the voice, how often the one had this level while the other had
// that, and how they were correlated then. It keeps 220 kB for an hour.
type pair struct {
	voice      [2]filter.HighPass
	n          int // samples of the present window
	ll, rr, lr float64

	windows [][2]uint8                     // the levels of each
	seen    [pairSteps][pairSteps]pairCell // by the level of the left and of the right
}

type pairCell struct {
	windows uint32
	against uint32  // of them, those in which a sum weakens
	alike   uint32  // and those in which both have the same
	waves   float32 // sum of the correlations
}

// voiceFrom is the frequency in Hz below which there is hum and rumble, which
// may be in both channels or turned round while the voice is not; a telephone
// takes it away too.
const voiceFrom = 300

func newPair() *pair {
	voice := filter.NewHighPass(SampleRate, voiceFrom, math.Sqrt2/2)
	return &pair{voice: [2]filter.HighPass{voice, voice}}
}

// write takes more of both channels.
func (p *pair) write(left, right []float32) {
	for i := range left {
		l, r := p.voice[0].Next(float64(toS16(left[i]))/32768), p.voice[1].Next(float64(toS16(right[i]))/32768)
		p.ll += l * l
		p.rr += r * r
		p.lr += l * r
		if p.n++; p.n == pairWindow {
			p.close()
		}
	}
}

// close ends a window.
func (p *pair) close() {
	waves := p.lr / math.Sqrt(p.ll*p.rr+1e-20)
	left, right := step(p.ll), step(p.rr)
	p.windows = append(p.windows, [2]uint8{uint8(left), uint8(right)})
	cell := &p.seen[left][right]
	cell.windows++
	cell.waves += float32(waves)
	switch {
	case waves < turned:
		cell.against++
	case waves > equal:
		cell.alike++
	}
	p.n, p.ll, p.rr, p.lr = 0, 0, 0, 0
}

// step is the level of a window with so much energy.
func step(energy float64) int {
	db := 10 * math.Log10(energy/pairWindow+1e-12)
	return max(0, min(pairSteps-1, int(math.Round(db))+pairSteps-1))
}

func gain(db int) float32 { return float32(math.Pow(10, float64(db)/20)) }

// levels is how loud a channel is, in steps.
type levels struct {
	quiet int // a tenth of the windows is no louder
	top   int // the loudest that it is for a while, which knocks are not
}

// dead says that a channel has no more than noise.
func (l levels) dead() bool { return l.top <= silence || l.top-l.quiet <= noisy }

// active is the level from which on the channel has more than noise.
func (l levels) active() int { return max(l.quiet+overFloor, l.top-reach, silence) }

func (p *pair) levelsOf(channel int) levels {
	var windows [pairSteps]int
	for _, w := range p.windows {
		windows[w[channel]]++
	}
	var found levels
	for below := 0; found.quiet < pairSteps-1; found.quiet++ {
		if below += windows[found.quiet]; below*10 >= len(p.windows) {
			break
		}
	}
	loud := 0 // windows with more than noise
	for _, n := range windows[min(found.quiet+overFloor, pairSteps-1):] {
		loud += n
	}
	found.top = pairSteps - 1
	for above := 0; found.top > 0; found.top-- {
		if above += windows[found.top]; above >= min(max(held, loud/knocks), len(p.windows)) {
			break
		}
	}
	return found
}

// findings is how two channels are related where one of them is active.
type findings struct {
	active  int64    // windows
	more    [2]int64 // windows in which there is more in a channel than in the other
	own     [2]int64 // of them, those that are clearly the channel's own
	lone    [2]int64 // of these, those in which the other has no more than noise
	common  int64    // windows that are the same in both, and equally loud
	waves   float64  // mean correlation where both are active
	against float64  // share of these windows that a sum weakens
}

// add counts windows in which a channel is clearly active and nearer to its
// loudest than the other by so many decibels.
func (f *findings) add(channel int, cell pairCell, nearer int, lone bool) {
	if nearer >= ahead {
		f.own[channel] += int64(cell.windows)
		if lone {
			f.lone[channel] += int64(cell.windows)
		}
	}
	if nearer >= more {
		f.more[channel] += int64(cell.windows)
	}
}

// has says that a channel has all that the other has, and more.
func (f findings) has(channel int) bool {
	other := 1 - channel
	return f.lone[channel] >= own && f.lone[channel]*10 >= f.active && f.lone[other] < own && f.more[other]*20 <= f.active
}

// different says that each channel has something of its own, and that this is
// not little beside what they have in common.
func (f findings) different() bool {
	return f.own[0] >= own && f.own[1] >= own && (f.own[0]+f.own[1])*alone >= f.active && f.common*2 <= f.active
}

func (p *pair) compare(left, right levels) findings {
	var f findings
	var both, against, waves float64
	for l := range p.seen {
		for r, cell := range p.seen[l] {
			if cell.windows == 0 || l < left.active() && r < right.active() {
				continue
			}
			w := float64(cell.windows)
			f.active += int64(cell.windows)
			if l >= left.active() && r >= right.active() {
				both += w
				against += float64(cell.against)
				waves += float64(cell.waves)
			}
			under, below := left.top-l, right.top-r // how far each is from its loudest
			if under-below < ahead/2 && below-under < ahead/2 {
				f.common += int64(cell.alike)
			}
			if l >= left.active() && under <= clearly {
				f.add(0, cell, below-under, r < right.active())
			}
			if r >= right.active() && below <= clearly {
				f.add(1, cell, under-below, l < left.active())
			}
		}
	}
	if both > 0 {
		f.waves, f.against = waves/both, against/both
	}
	return f
}

// envelopes is how much the levels of the channels correlate where one of them
// is active.
func (p *pair) envelopes(left, right levels) float64 {
	var c correlation
	for _, w := range p.windows {
		x, y := max(int(w[0])-left.active(), 0), max(int(w[1])-right.active(), 0)
		if x > 0 || y > 0 {
			c.add(float64(x), float64(y))
		}
	}
	return c.value()
}

// delayed says whether one channel has what the other has, within three seconds:
// both are active at the same time then, with the same levels, which rise and
// fall alike from window to window. (The one alone is no proof: people take
// turns, and may be heard in each other's channel.)
func (p *pair) delayed(left, right levels) bool {
	for late := -mostDelay; late <= mostDelay; late++ {
		var same, rise correlation
		one := 0
		for i := max(1, 1-late); i < len(p.windows) && i+late < len(p.windows); i++ {
			x, y := int(p.windows[i][0])-left.active(), int(p.windows[i+late][1])-right.active()
			switch {
			case x >= 0 && y >= 0:
				same.add(float64(x), float64(y))
				rise.add(p.rise(i, 0), p.rise(i+late, 1))
			case x >= 0 || y >= 0:
				one++
			}
		}
		if same.n >= delayProof && same.n >= 2*float64(one) && same.value() >= echoed && rise.value() >= risen {
			return true
		}
	}
	return false
}

// rise is by how much a channel is louder than in the window before.
func (p *pair) rise(w, channel int) float64 {
	return float64(p.windows[w][channel]) - float64(p.windows[w-1][channel])
}

// correlation is that of pairs of numbers.
type correlation struct{ n, x, y, xx, yy, xy float64 }

func (c *correlation) add(x, y float64) {
	c.n, c.x, c.y, c.xx, c.yy, c.xy = c.n+1, c.x+x, c.y+y, c.xx+x*x, c.yy+y*y, c.xy+x*y
}

func (c *correlation) value() float64 {
	return (c.n*c.xy - c.x*c.y) / math.Sqrt((c.n*c.xx-c.x*c.x)*(c.n*c.yy-c.y*c.y)+1e-9)
}
