package sherpa

import (
	"context"
	"errors"
	"fmt"
	"io"

	"hark/transcribe"
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
func (e *Engine) read(ctx context.Context, src transcribe.Source, opts transcribe.Options, out chan<- *pending) error {
	s := &share{priority: opts.Priority}
	send := func(p *pending) error {
		select {
		case out <- p:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	marked := int64(0)
	err := e.pieces(ctx, src, func(p piece) error {
		marked = p.at + int64(len(p.samples))
		pend := &pending{piece: p, mark: marked}
		pend.job = e.pool.submit(ctx, s, int64(len(p.samples)), func(ctx context.Context) {
			pend.heard, pend.err = e.hear(ctx, p, opts.Language)
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
// quiet, when no piece is open, with the number of samples read so far.
func (e *Engine) pieces(ctx context.Context, src transcribe.Source, found func(piece) error, quiet func(int64) error) error {
	d, err := e.vad.newDetector()
	if err != nil {
		return err
	}
	defer d.close()
	cutter := newSegmenter(e.cut)
	var volume volume
	window := make([]float32, windowSamples)
	for {
		n, err := readFull(ctx, src, window)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read sound: %w", err)
		}
		ended := err != nil
		if n > 0 {
			clear(window[n:])
			p, err := d.speech(window, volume.follow(window))
			if err != nil {
				return err
			}
			for _, finished := range cutter.push(window, p) {
				if err := found(finished); err != nil {
					return err
				}
			}
		}
		if ended {
			break
		}
		if cutter.idle() {
			if err := quiet(int64(cutter.now) * windowSamples); err != nil {
				return err
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

// readFull fills p, or returns io.EOF with what was left.
func readFull(ctx context.Context, src transcribe.Source, p []float32) (int, error) {
	total := 0
	for total < len(p) {
		if ctx.Err() != nil {
			return total, context.Cause(ctx)
		}
		n, err := src.ReadSamples(p[total:])
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}
