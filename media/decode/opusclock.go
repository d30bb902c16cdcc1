package decode

import "hark/media/opus"

const (
	// opusLeastGap is how far a granule position must be ahead of the packets
	// before it is a gap, and opusRoughGap where positions are taken from a
	// clock that jitters. In samples at opus.Rate, as all positions are.
	opusLeastGap = opus.Rate / 100
	opusRoughGap = opus.Rate / 2
	// opusLongestGap is the longest gap that is believed: a position further
	// ahead is a new beginning, such as a random RTP time stamp.
	opusLongestGap = 10 * 60 * opus.Rate
	// opusMostTrim is the most that an end is cut short: an encoder fills up
	// the last of its packets, and adds what it lags behind.
	opusMostTrim = 2 * opus.MaxSamples
)

// counting tells how a link counts its granule positions (RFC 7845, section
// 4). Only a first reading of the whole link can tell: writers that count
// wrongly do so on every page, and gaps are rare.
type counting int

const (
	countsPackets counting = iota // positions agree with the packets, but for gaps
	countsClock                   // they are ahead and behind in turns, and agree in all
	countsWrong                   // they say nothing: only the packets' own lengths count
)

// opusCount compares granule positions with the packets' lengths.
type opusCount struct {
	counted   bool  // there was a page with a position
	granule   int64 // of it
	waiting   int64 // samples since
	uncertain bool  // pages were lost since

	exact, short, long int // pages
	regular            int // long ones that are as many times too long as the first
	ratio              float64
	advanced, samples  int64 // in all
}

// page takes the next page: its position, the samples of its packets, and
// whether pages before it are missing.
func (c *opusCount) page(granule, samples int64, counted, lost bool) {
	c.waiting += samples
	c.uncertain = c.uncertain || lost
	if !counted || samples == 0 {
		return
	}
	advance := ahead(c.granule, granule)
	switch {
	case !c.counted && granule == c.waiting:
		c.exact++ // the positions begin at 0, as those of a whole file do
	case !c.counted || c.uncertain || advance > c.waiting+opusLongestGap || advance < -opusLongestGap:
		// the first position may be any; behind a hole or a jump it says nothing
	default:
		c.compare(advance, c.waiting)
	}
	c.counted, c.granule, c.waiting, c.uncertain = true, granule, 0, false
}

func (c *opusCount) compare(advance, samples int64) {
	c.advanced += advance
	c.samples += samples
	switch off := advance - samples; {
	case off > opus.Rate/400: // shorter than any packet
		c.long++
		ratio := float64(advance) / float64(samples)
		if c.ratio == 0 {
			c.ratio = ratio
		}
		if ratio > 0.95*c.ratio && ratio < 1.05*c.ratio {
			c.regular++
		}
	case off < -opus.Rate/400:
		c.short++
	default:
		c.exact++
	}
}

// verdict tells how the pages were counted.
func (c *opusCount) verdict() counting {
	pages := c.exact + c.short + c.long
	switch {
	case c.short*10 > pages:
		if c.advanced*10 < c.samples*9 {
			return countsWrong
		}
		return countsClock
	case c.exact*50 < pages && c.regular*2 > pages: // but for a long silence in DTX
		return countsWrong
	}
	return countsPackets
}

// ahead returns how far granule position b is ahead of a. Positions wrap where
// 64 bits end, and where a writer copies RTP time stamps, at 32.
func ahead(a, b int64) int64 {
	d := b - a
	if back := d + 1<<32; d < 0 && back >= 0 && back <= opusLongestGap {
		return back
	}
	return d
}

// opusClock follows the granule positions of a link while it is decoded.
type opusClock struct {
	kind     counting
	started  bool
	expected int64 // position after all packets so far; what they count from is the writer's affair
}

// gap returns how many samples are missing before the packets of a page, which
// last for a number of samples, and moves on behind them.
func (c *opusClock) gap(granule, samples int64, counted bool) int64 {
	c.expected += samples
	if !counted {
		return 0
	}
	off := ahead(c.expected, granule)
	started, least := c.started, int64(opusLeastGap)
	c.started = true
	if c.kind == countsClock {
		least = opusRoughGap
	}
	switch {
	case started && c.kind == countsWrong:
		return 0
	case started && off >= 0 && off < least, started && c.kind == countsClock && off < 0 && off > -least:
		return 0 // it may add up
	}
	c.expected = granule
	if !started || off < least || off > opusLongestGap {
		return 0
	}
	return off
}

// surplus returns by how many samples the position of the last page cuts short
// its packets, which last for a number of samples behind a position: what the
// encoder added to fill them up. What no encoder adds is not believed.
func (c *opusClock) surplus(before, granule, samples int64) int64 {
	over := -ahead(before+samples, granule)
	if c.kind == countsWrong || over < 0 || over > min(samples, opusMostTrim) {
		return 0
	}
	return over
}
