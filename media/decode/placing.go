package decode

import (
	"time"

	"hark/media"
)

const (
	// foresight is how much sound is looked at before a gap is believed.
	// Recorders stamp packets when they arrive, so after a late one others
	// follow that make up for it; a gap stays.
	foresight = media.SampleRate / 2
	// A gap shorter than quietGap is no gap. One shorter than anyGap, which a
	// clock that runs slowly makes too, waits for a quiet place, so that no
	// word is cut for it.
	quietGap   = media.SampleRate * 15 / 1000
	anyGap     = media.SampleRate * 60 / 1000
	quiet      = 0.02                   // of full scale
	stillMoves = media.SampleRate / 500 // of stamps, which are rounded to 1 ms
	// A step back of stepBack is a new beginning, as of a file that was joined
	// to another, and the sound goes on without one. Less is a clock that runs
	// fast, or sound that overlaps: its time is made up for by the next gap.
	stepBack = media.SampleRate
)

// stamps says what the time stamps of a format are worth.
type stamps int

const (
	// noStamps are made up from bytes or counted by writers who err: sound
	// follows sound.
	noStamps stamps = iota
	// frameNumbers count samples without a gap, so a gap is sound that was not
	// decoded. In a file joined to another they begin anew, and tell nothing.
	frameNumbers
	// fileTime is the time of the recording.
	fileTime
)

// placer gives the blocks of one track their places: where their time stamps
// say, but never before the end of the block before, and without the jitter of
// those stamps.
type placer struct {
	next  func() (timedBlock, bool)
	worth stamps
	holes []span       // silences that another reading found, in the time of the sound
	queue []timedBlock // in the order of the file
	held  int64        // samples in queue
	ended bool

	end     int64 // of what was placed
	shift   int64 // added to time stamps
	stamp   int64 // of the latest block
	started bool
}

// place returns the next block with its place in samples, and false after the
// last.
func (p *placer) place() (timedBlock, bool) {
	for !p.ended && p.held < foresight {
		b, ok := p.next()
		if !ok {
			p.ended = true
			break
		}
		p.queue = append(p.queue, b)
		p.held += b.frames()
	}
	if len(p.queue) == 0 {
		return timedBlock{}, false
	}
	b := p.queue[0]
	for len(p.holes) > 0 && p.end >= p.holes[0].start {
		p.end += p.holes[0].end - p.holes[0].start
		p.holes = p.holes[1:]
	}
	if p.started && b.at+p.shift < p.end-stepBack {
		p.shift = p.end - b.at
		if p.worth == frameNumbers {
			p.worth = noStamps
		}
	}
	if gap := p.gap(); gap >= anyGap || gap >= quietGap && (!p.started || peak(b.sound) < quiet) {
		p.end += gap
	}
	p.started, p.stamp = true, b.at
	p.queue = p.queue[1:]
	p.held -= b.frames()
	b.at = p.end
	p.end += b.frames()
	return b, true
}

// gap is the silence before the first block in the queue that the others
// confirm. Too few at the end confirm nothing, and neither do stamps that
// stand still from the first on: ffmpeg makes these of stamps that are lower
// than one before, so it was that one that was wrong.
func (p *placer) gap() int64 {
	if p.worth == noStamps {
		return 0
	}
	first := p.queue[0]
	end, least, last, still := p.end, first.at+p.shift-p.end, first.at, true
	for _, b := range p.queue {
		if b.at < last-stepBack {
			break // another beginning
		}
		least = min(least, b.at+p.shift-end)
		still = still && b.at <= first.at+stillMoves
		end += b.frames()
		last = b.at
	}
	if p.started && (first.at <= p.stamp+stillMoves || still && len(p.queue) > 1 || p.held < foresight/2 && least < foresight) {
		return 0
	}
	return least
}

func peak(sound []float32) (most float32) {
	for _, x := range sound {
		most = max(most, x, -x)
	}
	return most
}

// The longest silence that time stamps alone can make of a file's sound. What
// is longer is taken for a wrong stamp, and the sound goes on without it.
const (
	longestGap  = 10 * time.Minute
	declaredGap = 2 * time.Hour // where the length that the file declares confirms it
)
