package local

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"sync"

	"hark/media/transcript"
	"hark/transcribe"
)

// errApart ends the hearing of channels together.
var errApart = errors.New("channels must be transcribed separately")

// hearStereo transcribes two channels: together, until they turn out to hold
// different speech, and then each by itself from the start.
func (e *Engine) hearStereo(ctx context.Context, s *share, src transcribe.Stereo, opts transcribe.Options) (*transcript.Transcript, error) {
	done := &advance{report: opts.Progress}
	opts.Progress = done.say
	t, err := e.hearSource(ctx, s, together{src}, opts)
	if !errors.Is(err, errApart) {
		return t, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	channels := &channels{src: src}
	var heard [2]*transcript.Transcript
	var both sync.WaitGroup
	for i := range heard {
		opts := opts
		opts.Progress = func(ms int64) { done.channel(i, ms) }
		both.Go(func() {
			t, err := e.hearSource(ctx, s, &channel{from: channels, number: i}, opts)
			if err != nil {
				cancel(err)
				return
			}
			done.channel(i, math.MaxInt64)
			heard[i] = t
		})
	}
	both.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if err := dropEchoes(channels, heard); err != nil {
		return nil, err
	}
	return mergeChannels(heard), nil
}

// mergeChannels puts what was heard in two channels in order of time.
func mergeChannels(heard [2]*transcript.Transcript) *transcript.Transcript {
	t := *heard[0]
	t.Segments = nil
	for i, h := range heard {
		for _, s := range h.Segments {
			s.Channel = i + 1
			t.Segments = append(t.Segments, s)
		}
	}
	slices.SortStableFunc(t.Segments, func(a, b transcript.Segment) int { return cmp.Compare(a.StartMS, b.StartMS) })
	t.AddGaps(heard[1].Gaps...)
	switch {
	case len(heard[0].Segments) == 0:
		t.Language, t.LanguageDoubt = heard[1].Language, heard[1].LanguageDoubt
	case len(heard[1].Segments) > 0:
		t.LanguageDoubt = heard[0].LanguageDoubt && heard[1].LanguageDoubt
	}
	return &t
}

// together hears channels as one, and ends when they turn out to be apart.
type together struct{ src transcribe.Stereo }

// ReadSamples implements [transcribe.Source].
func (t together) ReadSamples(p []float32) (int, error) {
	n, err := t.src.ReadSamples(p)
	if t.src.Apart() {
		return 0, errApart
	}
	return n, err
}

// channels lets several goroutines read the channels of a source.
type channels struct {
	mu  sync.Mutex
	src transcribe.Stereo
}

func (c *channels) read(number int, at int64, p []float32) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.src.ReadChannel(number, at, p)
}

// channel is one channel, from its start.
type channel struct {
	from   *channels
	number int
	at     int64
}

// ReadSamples implements [transcribe.Source].
func (c *channel) ReadSamples(p []float32) (int, error) {
	n, err := c.from.read(c.number, c.at, p)
	c.at += int64(n)
	return n, err
}

// advance reports the progress of two channels, which begin again at the start
// when they turn out to be apart: never less than was reported before.
type advance struct {
	report func(doneMS int64) // may be nil

	mu       sync.Mutex
	done     [2]int64
	reported int64
}

func (a *advance) say(ms int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.move(ms)
}

func (a *advance) channel(i int, ms int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done[i] = ms
	if both := min(a.done[0], a.done[1]); both < math.MaxInt64 {
		a.move(both)
	}
}

func (a *advance) move(ms int64) {
	if ms > a.reported && a.report != nil {
		a.reported = ms
		a.report(ms)
	}
}
