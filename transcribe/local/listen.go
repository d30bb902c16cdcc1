package local

import (
	"context"
	"errors"
	"fmt"

	"hark/media/transcript"
	"hark/transcribe"
	"hark/transcribe/local/vad"
)

// mostWaiting is how many finished pieces of one recording may wait for the
// recogniser, about half a minute of speech; what is said then is lost.
const mostWaiting = 6

// listener is a [transcribe.LiveSession]: the same pieces are cut
// as in [Engine.Transcribe] and the same is done with what is heard in them.
// Besides, the open piece is recognised again and again (attempt.go),
// and an attempt at the end of which the speaker was silent counts for the
// piece when no more is said in it, so that little or nothing is left to do
// when the recording ends.
type listener struct {
	engine   *Engine
	asking   *asking
	opts     transcribe.LiveOptions
	ctx      context.Context //nolint:containedctx // ends with the listener or the engine, and its work with it
	cancel   context.CancelCauseFunc
	detector *vad.Detector
	cutter   *segmenter
	voice    *conditioner
	window   []float32 // the next one, as far as it is there

	shares   shares
	pending  []*hearing // finished pieces whose words are not out yet, in order
	number   int        // of the open piece, or the next
	ending   bool       // no more will be said; the speaker waits for what was
	attempts attempts   // at it
	captions captions
	behind   bool
	err      error // the first of the recogniser's
}

// shares are what a listener has of the pool.
type shares struct{ finished, attempts share }

// Listen implements [transcribe.LiveEngine].
func (e *Engine) Listen(opts transcribe.LiveOptions) (transcribe.LiveSession, error) {
	l, err := e.listen(opts)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}

func (e *Engine) listen(opts transcribe.LiveOptions) (*listener, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.clips.Done()
	d, err := e.vad.NewDetector()
	if err != nil {
		return nil, err
	}
	l := &listener{
		engine: e, asking: &asking{engine: e, language: opts.Language}, opts: opts, detector: d, cutter: newSegmenter(e.cut), voice: newConditioner(),
		window: make([]float32, 0, vad.WindowSamples),
		shares: shares{
			finished: share{priority: transcribe.Live},
			attempts: share{priority: transcribe.Interactive},
		},
		captions: captions{collector: newCollector(e.model, transcribe.Options{Language: opts.Language}), shown: -1},
	}
	l.ctx, l.cancel = context.WithCancelCause(e.life)
	return l, nil
}

// Write hears more of the recording. It fails only when the engine is closed,
// or the detector of speech fails; the sound is then lost.
func (l *listener) Write(samples []float32) error {
	if err := l.engine.enter(); err != nil {
		return err
	}
	defer l.engine.clips.Done()
	for len(samples) > 0 {
		n := min(vad.WindowSamples-len(l.window), len(samples))
		l.window = append(l.window, samples[:n]...)
		samples = samples[n:]
		if len(l.window) == vad.WindowSamples {
			if err := l.push(); err != nil {
				return err
			}
		}
	}
	l.attempts.paused = false
	l.attempt()
	return nil
}

// push hears the window.
func (l *listener) push() error {
	l.voice.condition(l.window)
	speech, err := l.detector.Probabilities(l.window)
	if err == nil {
		for _, p := range l.cutter.push(l.window, speech[0]) {
			l.finishPiece(p)
		}
	}
	l.window = l.window[:0]
	l.attempts.speaks(l.engine, !l.cutter.idle())
	return err
}

// Pause says that nothing comes at present, which is as good as silence.
func (l *listener) Pause() {
	l.attempts.paused = true
	l.attempt()
}

// finishPiece has the piece that was open recognised, unless an attempt at it
// did, or does, just that.
func (l *listener) finishPiece(p piece) {
	last, draft := l.attempts.newest, l.attempts.draft
	l.attempts.newest, l.attempts.draft = nil, nil
	number := l.number
	l.number++
	switch {
	case last.serves(p) && !l.engine.pool.withdraw(last.job, errOutdated):
		l.pending = append(l.pending, last)
		return
	case last != nil:
		last.cancel(errOutdated)
	}
	if len(l.pending) >= mostWaiting {
		l.behind = true
		return
	}
	l.pending = append(l.pending, l.hear(&hearing{piece: p, number: number, finished: true}, hints{draft: draft, hurry: l.ending}))
}

// Take returns what became known since it was called last.
func (l *listener) Take() []transcribe.Utterance {
	l.collect()
	l.attempt()
	return l.captions.take()
}

// collect takes what has been heard from the recogniser.
func (l *listener) collect() {
	for len(l.pending) > 0 && l.pending[0].isDone() {
		h := l.pending[0]
		l.pending = l.pending[1:]
		if err := h.failed(); err != nil {
			if l.err == nil {
				l.err = err
			}
			continue
		}
		l.captions.final(h)
	}
	if h := l.attempts.newest; h != nil && h.isDone() && !h.used {
		h.used = true
		if h.failed() == nil {
			l.attempts.learn(l.engine, h)
			if l.opts.Partials {
				l.captions.partial(h)
			}
		}
	}
}

// Behind says whether some of what was said is lost because the recogniser
// did not keep up.
func (l *listener) Behind() bool { return l.behind }

// Finish ends the recording and returns its transcript when all of it is
// heard, with what there is when the recogniser failed. It waits until stop is
// closed or the engine is.
func (l *listener) Finish(stop <-chan struct{}) (*transcript.Transcript, error) {
	err := l.flush()
	for _, h := range l.pending {
		select {
		case <-h.job.done:
		case <-stop:
			return nil, context.Canceled
		}
	}
	l.collect()
	return l.captions.collector.transcript(), errors.Join(err, l.err)
}

// flush finishes the piece that is open.
func (l *listener) flush() error {
	if err := l.engine.enter(); err != nil {
		return err
	}
	defer l.engine.clips.Done()
	var err error
	if n := len(l.window); n > 0 {
		l.window = l.window[:vad.WindowSamples]
		clear(l.window[n:])
		err = l.push()
	}
	l.ending = true
	for _, p := range l.cutter.flush() {
		l.finishPiece(p)
	}
	l.attempts.speaks(l.engine, false)
	if l.attempts.newest != nil {
		l.attempts.newest.cancel(errOutdated)
	}
	return err
}

// Close gives up what is still being heard. Closing twice is harmless.
func (l *listener) Close() {
	l.attempts.speaks(l.engine, false)
	l.cancel(context.Canceled)
	for _, s := range []*share{&l.shares.finished, &l.shares.attempts} {
		l.engine.pool.forget(s, context.Canceled)
	}
	l.detector.Close()
}
