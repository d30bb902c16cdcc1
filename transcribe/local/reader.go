package local

import (
	"context"
	"errors"
	"fmt"
	"io"

	"hark/transcribe"
	"hark/transcribe/local/vad"
)

// pending is a piece whose words are being looked for, or a mark without one
// that says how far a silence has been listened to. Pendings stand in a
// channel in the order of the clip.
type pending struct {
	piece piece
	job   *job
	heard heard // valid once job is done
	err   error // likewise
	mark  int64 // samples from the clip's start up to which all is heard when this is done
}

// markEvery is how much silence passes between two marks, in samples.
const markEvery = 4 * sampleRate

// read cuts the clip into pieces and submits them to the pool. It blocks when
// more pieces are in flight than the channel holds, so that a clip has a
// bounded part of itself in memory.
func (e *Engine) read(ctx context.Context, s *share, src transcribe.Source, opts transcribe.Options, out chan<- *pending) error {
	send := func(p *pending) error {
		select {
		case out <- p:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	marked, asking := int64(0), &asking{engine: e, language: opts.Language}
	err := e.pieces(ctx, src, func(p piece) error {
		marked = p.at + int64(len(p.samples))
		pend := &pending{piece: p, mark: marked}
		pend.job = e.pool.submit(ctx, s, int64(len(p.samples)), func(ctx context.Context) {
			pend.heard, pend.err = asking.hear(ctx, p)
		})
		return send(pend)
	}, func(quiet int64) error {
		if quiet < marked+markEvery {
			return nil
		}
		marked = quiet
		return send(&pending{mark: quiet})
	})
	if err != nil {
		e.pool.forget(s, err)
	}
	return err
}

// pieces reads src to its end and calls piece for every piece of speech, and
// quiet, when no piece is open, with the number of samples heard so far.
func (e *Engine) pieces(ctx context.Context, src transcribe.Source, found func(piece) error, quiet func(int64) error) error {
	d, err := e.vad.NewDetector()
	if err != nil {
		return err
	}
	defer d.Close()
	cutter := newSegmenter(e.cut)
	voice := newConditioner()
	w := windows{src: src}
	for ended := false; !ended; {
		var samples []float32
		if samples, ended, err = w.next(ctx); err != nil {
			return fmt.Errorf("read sound: %w", err)
		}
		voice.condition(samples)
		speech, err := d.Probabilities(samples)
		if err != nil {
			return err
		}
		for i, p := range speech {
			for _, finished := range cutter.push(samples[i*vad.WindowSamples:][:vad.WindowSamples], p) {
				if err := found(finished); err != nil {
					return err
				}
			}
			if !ended && cutter.idle() {
				if err := quiet(int64(cutter.now) * vad.WindowSamples); err != nil {
					return err
				}
			}
		}
	}
	for _, finished := range cutter.flush() {
		if err := found(finished); err != nil {
			return err
		}
	}
	return nil
}

// windows reads a clip by as many whole windows as are there, up to
// vad.MostWindows: of a clip that is still coming in, none waits for others.
type windows struct {
	src  transcribe.Source
	buf  [vad.MostWindows * vad.WindowSamples]float32
	from int // samples of buf that were returned
	to   int // samples of buf that were read
}

// next returns the next windows, at least one, valid until the next call. At
// the clip's end there may be none, and the last one is filled up with silence.
func (w *windows) next(ctx context.Context) (samples []float32, ended bool, err error) {
	w.to = copy(w.buf[:], w.buf[w.from:w.to])
	for w.to < vad.WindowSamples {
		if ctx.Err() != nil {
			return nil, false, context.Cause(ctx)
		}
		n, err := w.src.ReadSamples(w.buf[w.to:])
		w.to += n
		if errors.Is(err, io.EOF) {
			w.from = (w.to + vad.WindowSamples - 1) / vad.WindowSamples * vad.WindowSamples
			clear(w.buf[w.to:w.from])
			return w.buf[:w.from], true, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
	w.from = w.to / vad.WindowSamples * vad.WindowSamples
	return w.buf[:w.from], false, nil
}
