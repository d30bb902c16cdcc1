package decode

import (
	"slices"
	"time"

	"hark/media"
)

const (
	// leastLost is how much must be lost in all to be reported: a frame or two at a
	// join or a cut are no word.
	leastLost = 100 * time.Millisecond
	// lostApart is how far stretches are apart that are reported one by one.
	lostApart = 100 * time.Millisecond
	// leastBehind is how long bytes behind the end would sound to be reported as lost:
	// a tag is no sound.
	leastBehind = time.Second
	// longestHole is the most silence that stands for bytes which are no sound:
	// they do not tell how long it was.
	longestHole = time.Minute
	// mostLost bounds how many stretches are reported; the last holds the rest.
	mostLost = 1000
)

// losses gathers the stretches of the sound that could not be decoded. Its
// zero value has none.
type losses struct {
	spans []media.Span
	total time.Duration
}

// add tells that a stretch was lost; it begins no earlier than the one before.
func (l *losses) add(start, end time.Duration) {
	if end <= start {
		return
	}
	n := len(l.spans)
	l.total += end - start
	if n > 0 {
		l.total -= max(0, min(end, l.spans[n-1].End)-start) // is counted already
	}
	if n > 0 && (start-l.spans[n-1].End < lostApart || n == mostLost) {
		l.spans[n-1].End = max(l.spans[n-1].End, end)
		return
	}
	l.spans = append(l.spans, media.Span{Start: start, End: end})
}

// report returns the stretches, or none when they are too little to matter.
func (l *losses) report() []media.Span {
	if l.total < leastLost {
		return nil
	}
	return slices.Clone(l.spans)
}

// now is the time, in the sound that is given, of what is written next.
func (f *pcmSink) now() time.Duration {
	resampler := f.sides[0].resampler
	if resampler == nil {
		return media.Duration(f.samples + int64(len(f.sides[0].out)))
	}
	return f.began + time.Duration(resampler.in)*time.Second/time.Duration(f.rate)
}

// lose tells that what was written since a time stands for sound that could
// not be decoded.
func (f *pcmSink) lose(since time.Duration) { f.lost.add(since, f.now()) }

// silence writes silence in place of sound that could not be decoded.
func (f *pcmSink) silence(lasts time.Duration) error {
	since := f.now()
	quiet := make([]float32, blockSamples)
	for left := int64(lasts) * int64(f.rate) / int64(time.Second); left > 0; left -= blockSamples {
		if err := f.write(quiet[:min(left, blockSamples)], 1); err != nil {
			return err
		}
	}
	f.lose(since)
	return nil
}
