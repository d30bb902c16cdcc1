package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"hark/media"
	"hark/media/render"
	"hark/media/transcript"
	"hark/storage"
	"hark/storage/work"
	"hark/transcribe"
)

// attempt is one run of a job.
type attempt struct {
	*Worker
	task  storage.Task
	last  bool // the job is not tried again when this attempt fails
	log   *slog.Logger
	meter *meter

	samples atomic.Int64 // of the sound; 0 until it is decoded to its end
	lost    []media.Span // of it, what could not be decoded; known when the decoding has ended
}

// stageError says what the work was at when it failed.
type stageError struct {
	stage string
	err   error
}

func (e *stageError) Error() string { return e.stage + ": " + e.err.Error() }
func (e *stageError) Unwrap() error { return e.err }

// at names the stage of an error that is not nil.
func at(stage string, err error) error {
	if err == nil {
		return nil
	}
	return &stageError{stage, err}
}

// failedStage is the stage in which err came up.
func failedStage(err error) string {
	var e *stageError
	if errors.As(err, &e) {
		return e.stage
	}
	return "working"
}

// run makes what is missing of the message and returns when all it started has
// ended. It returns nil when the job is done.
func (a *attempt) run(ctx context.Context) error {
	if a.task.HaveTranscript && a.task.HaveAudio() {
		return at(saving, a.finish(ctx, nil))
	}
	a.meter = a.newMeter(ctx)
	defer a.meter.stop()
	a.meter.move(fetching, 0)
	clip, err := a.fetch(ctx)
	if err != nil {
		return at(fetching, err)
	}
	defer a.discard(clip)
	spool, err := media.NewSpool(a.cfg.Scratch)
	if err != nil {
		return at(decoding, err)
	}
	defer a.discard(spool)

	t, err := a.makeAll(ctx, clip, spool)
	if err != nil {
		return err
	}
	a.meter.stop() // or progress could be reported of a message that is ready
	return at(saving, a.finish(ctx, t))
}

// finish ends the job, with the transcript unless the message has it.
func (a *attempt) finish(ctx context.Context, t *transcript.Transcript) error {
	defer a.timed(saving)()
	return a.persist(ctx, saveTries, func() error {
		if a.task.HaveTranscript {
			return a.Records.FinishJob(ctx, a.task.Job)
		}
		return a.Records.SaveTranscript(ctx, a.task, t)
	})
}

// makeAll decodes clip into spool, makes and saves what is measured and
// rendered of it, and returns its transcript: nil if the message has it.
func (a *attempt) makeAll(ctx context.Context, clip *os.File, spool *media.Spool) (*transcript.Transcript, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var t *transcript.Transcript
	decoded := start(func() error {
		err := at(decoding, a.decode(ctx, clip, spool))
		if err != nil {
			stop(err) // there is nothing left to listen to
		}
		return err
	})
	kept := start(func() error {
		err := a.keepAudio(ctx, spool, decoded)
		if work.Over(err) {
			stop(err) // nobody waits for the transcript
		}
		return err
	})
	heard := start(func() (err error) {
		if a.task.HaveTranscript {
			return nil
		}
		t, err = a.listen(ctx, spool)
		if err == nil && !kept.isDone() {
			a.meter.move(rendering, heardAt)
		}
		return at(listening, err)
	})

	decodeErr, keepErr, hearErr := decoded.wait(), kept.wait(), heard.wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := errors.Join(decodeErr, hearErr); err != nil {
		return nil, errors.Join(err, keepErr)
	}
	if keepErr != nil && (a.task.HaveTranscript || !a.last) {
		return nil, keepErr
	}
	if keepErr != nil {
		a.log.ErrorContext(ctx, "rendition failed; message becomes ready without it", "error", keepErr)
	}
	if t != nil {
		t.AddGaps(notDecoded(a.lost)...)
	}
	return t, nil
}

// decode writes the sound of clip to spool, and ends the spool with what ended
// the decoder.
func (a *attempt) decode(ctx context.Context, clip *os.File, spool *media.Spool) error {
	defer a.timed(decoding)()
	a.meter.move(decoding, fetchedAt)
	err := work.Guard(func() error {
		report, err := a.Decoder.Decode(ctx, clip, a.task.Bytes, a.task.Format, spool.Write)
		a.log.DebugContext(ctx, "decoded", "decoder", report.Decoder, "truncated", report.Truncated, "lost", report.Lost, "source_rate", report.SourceRate)
		a.lost = report.Lost
		return err
	})
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if closeErr := spool.CloseWrite(err); err == nil {
		err = closeErr
	}
	if err == nil && spool.Samples() == 0 {
		err = media.Refuse(media.Damaged, nil, "There is no sound in this recording.")
	}
	if err == nil {
		a.samples.Store(spool.Samples())
		if a.task.HaveTranscript {
			a.meter.move(rendering, fetchedAt)
		} else {
			a.meter.move(listening, fetchedAt)
		}
	}
	return err
}

// notDecoded are the gaps that lost sound leaves in a transcript.
func notDecoded(lost []media.Span) []transcript.Gap {
	gaps := make([]transcript.Gap, len(lost))
	for i, s := range lost {
		gaps[i] = transcript.Gap{StartMS: s.Start.Milliseconds(), EndMS: s.End.Milliseconds(), Reason: transcript.NotDecoded}
	}
	return gaps
}

// among is a job's priority among those who want the recogniser.
func among(p storage.Priority) transcribe.Priority {
	if p == storage.Bulk {
		return transcribe.Bulk
	}
	return transcribe.Interactive
}

// listen has the engine transcribe the sound while it is decoded.
func (a *attempt) listen(ctx context.Context, spool *media.Spool) (*transcript.Transcript, error) {
	defer a.timed(listening)()
	t, err := a.Engine.Transcribe(ctx, spool.NewReader(ctx), transcribe.Options{
		Language: a.task.Language,
		Priority: among(a.task.Priority),
		Progress: func(doneMS int64) {
			if total := a.audio(); total > 0 {
				done := min(1, float64(doneMS)/float64(total.Milliseconds()+1))
				a.meter.move(listening, fetchedAt+(heardAt-fetchedAt)*done)
			}
		},
	})
	if err == nil && t == nil {
		err = errors.New("the engine returned no transcript")
	}
	return t, err
}

// keepAudio measures the sound and makes its rendition, and saves both, unless
// an earlier attempt did.
func (a *attempt) keepAudio(ctx context.Context, spool *media.Spool, decoded *routine) error {
	if a.task.HaveAudio() {
		return nil
	}
	analysis, err := a.analyse(ctx, spool)
	if err := errors.Join(decoded.wait(), err); err != nil {
		return at(analysing, err)
	}
	if !a.task.HaveSound {
		sound := storage.Sound{DurationMS: analysis.DurationMS, Peaks: analysis.Peaks, LoudnessLUFS: analysis.LoudnessLUFS}
		save := func() error { return a.Records.SaveSound(ctx, a.task, sound) }
		if err := a.persist(ctx, saveTries, save); err != nil {
			return at(saving, fmt.Errorf("save sound: %w", err))
		}
	}
	if a.task.HaveRendition {
		return nil
	}
	return at(rendering, a.keepRendition(ctx, spool, analysis))
}

// analyse measures the sound while it is decoded.
func (a *attempt) analyse(ctx context.Context, spool *media.Spool) (render.Analysis, error) {
	defer a.timed(analysing)()
	return render.Analyse(spool.NewReader(ctx))
}

// keepRendition makes the rendition, stores it and records it.
func (a *attempt) keepRendition(ctx context.Context, spool *media.Spool, analysis render.Analysis) error {
	defer a.timed(rendering)()
	var made *render.Rendition
	err := a.persist(ctx, renderTries, func() (err error) {
		made, err = a.Renderer.Render(ctx, spool, analysis)
		return err
	})
	if err != nil {
		return fmt.Errorf("render: %w", err)
	}
	defer a.discard(made)
	return a.persist(ctx, saveTries, func() error { return a.storeRendition(ctx, made) })
}

// storeRendition puts the rendition into the store and then into the database.
func (a *attempt) storeRendition(ctx context.Context, made *render.Rendition) error {
	if _, err := made.File.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewind rendition: %w", err)
	}
	if _, err := a.Clips.Put(ctx, a.task.RenditionKey, made.MediaType, made.File, made.Bytes); err != nil {
		return fmt.Errorf("store rendition: %w", err)
	}
	saved := storage.Rendition{Key: a.task.RenditionKey, MediaType: made.MediaType, Bytes: made.Bytes}
	if err := a.Records.SaveRendition(ctx, a.task, saved); err != nil {
		return fmt.Errorf("save rendition: %w", err)
	}
	return nil
}

// discard closes a scratch file, after which nothing is left of it.
func (a *attempt) discard(file io.Closer) {
	if err := file.Close(); err != nil {
		a.log.Warn("closing scratch file failed", "error", err)
	}
}

// audio is the length of the sound; 0 until it is decoded.
func (a *attempt) audio() time.Duration { return media.Duration(a.samples.Load()) }

// timed tells the observer how long a stage takes: from now to the call of
// what it returns.
func (a *attempt) timed(stage string) func() {
	begun := time.Now()
	return func() { a.Observer.Stage(stage, time.Since(begun)) }
}
