package sherpa

import (
	"context"
	"errors"
	"fmt"

	"hark/transcribe"
)

// Segments cuts a clip as Transcribe does and returns the sound of each piece
// as its recogniser gets it, without recognising any. It is for measuring: it
// holds all the speech of the clip in memory.
func (e *Engine) Segments(ctx context.Context, src transcribe.Source) ([][]float32, error) {
	ctx, _, leave, err := e.begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("cut clip: %w", err)
	}
	defer leave()
	var all [][]float32
	err = e.pieces(ctx, src, func(p piece) error {
		all = append(all, p.raise())
		return nil
	}, func(int64) error { return nil })
	if err != nil {
		return nil, fmt.Errorf("cut clip: %w", err)
	}
	return all, nil
}

// RecogniseAll recognises pieces of sound once each on the same pool that
// Transcribe uses, and throws the words away. The time it takes is that of
// the pure recogniser, against which the whole way of a clip is measured.
func (e *Engine) RecogniseAll(ctx context.Context, segments [][]float32, priority transcribe.Priority) error {
	ctx, cancel, leave, err := e.begin(ctx)
	if err != nil {
		return fmt.Errorf("recognise: %w", err)
	}
	defer leave()
	s := &share{priority: priority}
	jobs := make([]*job, len(segments))
	failed := make([]error, len(segments))
	for i, samples := range segments {
		jobs[i] = e.pool.submit(ctx, s, int64(len(samples)), func(ctx context.Context) {
			if _, failed[i] = e.recogniser.recognise(ctx, samples, "", hints{}); failed[i] != nil {
				cancel(failed[i])
			}
		})
	}
	for i, j := range jobs {
		<-j.done
		failed[i] = errors.Join(failed[i], j.err)
	}
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("recognise: %w", err)
	}
	return nil
}
