package live

import (
	"context"
	"errors"
	"sync"
	"time"

	"hark/media/opus"
	"hark/media/render"
	"hark/media/transcript"
	"hark/transcribe"
)

const (
	// mostQueued is how much sound may wait to be heard, in samples at
	// opus.Rate: a minute, half a megabyte of packets.
	mostQueued = 60 * opus.Rate
	// mostBytes bounds the same for packets that are larger than speech is.
	mostBytes = 2 << 20
	// silent is how long no packet comes until the speaker counts as silent:
	// a microphone that sends nothing in pauses (DTX) is one.
	silent = 300 * time.Millisecond
)

// Listener listens to one recording. Its methods are safe for concurrent use.
type Listener struct {
	engine   *Engine
	captions func(Caption)
	ended    chan struct{} // closed when the goroutine has ended
	signal   chan struct{} // something happened; holds one

	mu       sync.Mutex
	queue    []opus.Packet
	queued   int64 // samples at opus.Rate that were written and not heard yet
	bytes    int   // of the same
	finished bool  // nothing more is written
	stopped  bool  // Cancel was called
	stop     chan struct{}
	poor     bool

	// Of the goroutine, until ended is closed.
	recogniser transcribe.LiveSession
	decoder    *opus.Decoder
	waveform   render.Waveform
	meter      *render.Meter
	end        int64 // of the recording so far, in samples at opus.Rate
	result     *Result
}

func newListener(e *Engine, opts Options, decoder *opus.Decoder) *Listener {
	return &Listener{
		engine: e, captions: opts.Captions, decoder: decoder, meter: render.NewMeter(),
		ended: make(chan struct{}), signal: make(chan struct{}, 1), stop: make(chan struct{}),
	}
}

// Write hears the next packet. It copies p.Data, never blocks, and may be
// called after Finish and Cancel, with no effect.
func (l *Listener) Write(p opus.Packet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.finished {
		return
	}
	if l.queued > mostQueued || l.bytes > mostBytes {
		l.poor = true
		return
	}
	p.Data = append([]byte(nil), p.Data...)
	l.queue = append(l.queue, p)
	l.queued += int64(p.Samples)
	l.bytes += len(p.Data)
	l.wake()
}

// wake makes the goroutine look at what happened.
func (l *Listener) wake() {
	select {
	case l.signal <- struct{}{}:
	default:
	}
}

// Finish waits until all that was written is heard and returns what is known
// of the recording. When ctx ends first, it cancels the listener and returns
// ctx's cause. Called again it returns the same; after Cancel, ErrCancelled.
func (l *Listener) Finish(ctx context.Context) (*Result, error) {
	l.mu.Lock()
	l.finished = true
	l.mu.Unlock()
	l.wake()
	select {
	case <-l.ended:
	case <-ctx.Done():
		l.Cancel()
		<-l.ended
		return nil, context.Cause(ctx)
	}
	if l.result == nil {
		return nil, ErrCancelled
	}
	return l.result, nil
}

// ErrCancelled is what Finish answers when the listener was cancelled.
var ErrCancelled = errors.New("listening was cancelled")

// Cancel gives up. It does not wait; calling it again, or after Finish, is
// harmless.
func (l *Listener) Cancel() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finished = true
	if !l.stopped {
		l.stopped = true
		close(l.stop)
	}
}

// run is the listener's goroutine.
func (l *Listener) run() {
	defer close(l.ended)
	defer l.engine.left(l)
	defer l.recogniser.Close()
	quiet := time.NewTimer(silent)
	defer quiet.Stop()
	for {
		packets, finished := l.take()
		if len(packets) > 0 {
			quiet.Reset(silent)
		}
		for _, p := range packets {
			if l.isStopped() {
				return
			}
			l.hear(p)
			l.done(p)
			l.deliver()
		}
		l.deliver()
		if finished {
			l.finish()
			return
		}
		select {
		case <-l.signal:
		case <-quiet.C:
			l.recogniser.Pause()
		case <-l.stop:
			return
		}
	}
}

// take returns what was written since it was called last, and whether that is all.
func (l *Listener) take() ([]opus.Packet, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	packets := l.queue
	l.queue = nil
	return packets, l.finished
}

// done makes room for more.
func (l *Listener) done(p opus.Packet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queued -= int64(p.Samples)
	l.bytes -= len(p.Data)
}

func (l *Listener) isStopped() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

// hear decodes a packet, with the gap before it, and measures and recognises
// it. A gap may be an hour, which takes seconds: Cancel cuts it short.
func (l *Listener) hear(p opus.Packet) {
	l.end = max(l.end, p.End())
	err := l.decoder.Decode(p, func(pcm []float32) error {
		if l.isStopped() {
			return ErrCancelled
		}
		l.waveform.Write(pcm)
		l.meter.Write(pcm)
		l.note(l.recogniser.Write(pcm))
		return nil
	})
	if err != nil && !errors.Is(err, opus.ErrPacket) && !errors.Is(err, ErrCancelled) {
		l.note(err)
	}
}

// note marks the result poor, once, for an error.
func (l *Listener) note(err error) {
	if err == nil {
		return
	}
	l.mu.Lock()
	first := !l.poor
	l.poor = true
	l.mu.Unlock()
	if first && !errors.Is(err, transcribe.ErrClosed) {
		l.engine.log.Error("live transcription failed", "error", err) //nolint:sloglint // no context: a recording outlives its request
	}
}

// deliver calls back with the captions that are new.
func (l *Listener) deliver() {
	for _, u := range l.recogniser.Take() {
		if l.captions != nil {
			l.captions(caption(u))
		}
	}
}

func caption(u transcribe.Utterance) Caption {
	c := Caption{Segment: u.Number, Final: u.Final, StartMS: u.StartMS, EndMS: u.StartMS, Words: u.Words}
	if len(u.Words) > 0 {
		s := transcript.NewSegment(u.Words)
		c.StartMS, c.EndMS, c.Text = s.StartMS, s.EndMS, s.Text
	} else {
		c.Words = []transcript.Word{}
	}
	return c
}

// finish makes the result.
func (l *Listener) finish() {
	t, err := l.recogniser.Finish(l.stop)
	l.deliver()
	if l.isStopped() {
		return
	}
	l.note(err)
	if l.recogniser.Behind() {
		l.note(errBehind)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.result = &Result{
		Transcript: t, Poor: l.poor,
		DurationMS: (l.end*1000 + opus.Rate/2) / opus.Rate,
		Peaks:      l.waveform.Peaks(), LoudnessLUFS: l.meter.Integrated(),
	}
}

var errBehind = errors.New("the recogniser could not keep up")
