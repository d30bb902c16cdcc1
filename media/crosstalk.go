package media

import "slices"

const (
	leastLeak = 8    // attenuation below which levels do not tell what is own and what is leak
	mostLeak  = 60   // attenuation from which on nobody hears it
	leakShare = 0.9  // of the windows in which the other speaks, so many are no fainter than the leak
	leakProof = 60   // windows that show a leak, at least
	leakAlike = 0.35 // and how much alike its level and the other's rise and fall there
	mostLate  = 31   // windows by which a leak may be late: a second, as in calls over mobile networks
	holdOwn   = 10   // windows around a channel's own speech that are left as they are: 0.3 s
)

// crosstalk says for each window of two channels that are heard apart whether a
// channel has nothing in it but the other speaker, who may be faintly in both:
// across a room, out of an earpiece, or as an echo of the network.
//
// How much fainter, the windows tell in which the other speaks: in most of them
// this channel's own speaker does not. What is less than half as far below the
// other is own. Levels count from the loudest of each channel, since microphones
// differ.
func (p *pair) crosstalk(ranges [2]levels) (leak [2][]bool) {
	for channel := range leak {
		l := p.leakInto(channel, ranges)
		if l.attenuation < leastLeak || l.attenuation >= mostLeak {
			continue
		}
		own, others := make([]bool, len(p.windows)), make([]bool, len(p.windows))
		for w := range p.windows {
			under, below := p.under(w, channel, ranges), l.below(w)
			own[w] = under <= clearly && under-below <= l.attenuation/2
			others[w] = below <= clearly
		}
		spread(own, holdOwn)
		spread(others, holdOwn)
		for w := range others {
			others[w] = others[w] && !own[w]
		}
		leak[channel] = others
	}
	return leak
}

// under is how far a channel is below its loudest in a window.
func (p *pair) under(w, channel int, ranges [2]levels) int {
	return ranges[channel].top - int(p.windows[w][channel])
}

// leakage is what comes into one channel of the other's speaker.
type leakage struct {
	pair        *pair
	channel     int
	ranges      [2]levels
	late        int // windows
	attenuation int // decibels
}

func (p *pair) leakInto(channel int, ranges [2]levels) leakage {
	l := leakage{pair: p, channel: channel, ranges: ranges}
	l.late = l.latest()
	l.attenuation = l.measure()
	return l
}

// below is how far the other speaker is below their loudest in what comes into
// the channel in a window, or in one beside it.
func (l leakage) below(w int) int {
	least := pairSteps
	for i := max(0, w-l.late-1); i <= min(w-l.late+1, len(l.pair.windows)-1); i++ {
		least = min(least, l.pair.under(i, 1-l.channel, l.ranges))
	}
	return least
}

// latest finds by how much the leak is late: where the channel is fainter than
// the other, its level then rises and falls with the other's.
func (l leakage) latest() (late int) {
	best := leakAlike
	for try := range mostLate + 1 {
		var c correlation
		for w := try + 1; w < len(l.pair.windows); w++ {
			below, under := l.pair.under(w-try, 1-l.channel, l.ranges), l.pair.under(w, l.channel, l.ranges)
			if below <= clearly && under-below >= leastLeak/2 {
				c.add(l.pair.rise(w-try, 1-l.channel), l.pair.rise(w, l.channel))
			}
		}
		if c.n >= leakProof && c.value() > best {
			best, late = c.value(), try
		}
	}
	return late
}

// measure finds by how much the other speaker is fainter in the channel than in
// the one that is theirs.
func (l leakage) measure() int {
	var seen [2 * pairSteps]int
	total := 0
	for w := l.late; w < len(l.pair.windows); w++ {
		if below := l.pair.under(w-l.late, 1-l.channel, l.ranges); below <= clearly {
			seen[l.pair.under(w, l.channel, l.ranges)-below+pairSteps]++
			total++
		}
	}
	sum, i := 0, 0
	for ; i < len(seen)-1; i++ {
		if sum += seen[i]; float64(sum) >= leakShare*float64(total) {
			break
		}
	}
	return i - pairSteps
}

// spread makes the n windows before and after each one that is set set too.
func spread(set []bool, n int) {
	last := -n - 1
	for w, is := range slices.Clone(set) {
		if !is {
			continue
		}
		for i := max(last+n+1, w-n, 0); i <= min(w+n, len(set)-1); i++ {
			set[i] = true
		}
		last = w
	}
}
