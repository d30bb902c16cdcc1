package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"hark/media/render"
	"hark/storage"
	"hark/storage/bus"
	"hark/storage/sqldb"
	"hark/transcribe/pipeline"
)

// work takes jobs from the bus until ctx ends; a job that is under way then
// goes on until workCtx ends.
func (p *Program) work(ctx, workCtx context.Context) error {
	t := p.cfg.Transcriber
	observer := newWorkMetrics(p.metrics)
	name, err := workerName()
	if err != nil {
		return err
	}
	worker, err := pipeline.New(pipeline.Deps{
		Ledger:   p.db,
		Clips:    p.blobs,
		Decoder:  p.decoder,
		Renderer: render.New(render.Config{FFmpeg: t.FFmpeg, ScratchDir: p.cfg.ScratchDir}),
		Engine:   p.engine,
		Agree:    p.stores.Check,
		Errors:   pipeline.Errors{Gone: storage.ErrNotFound, Busy: storage.ErrBusy, Stale: storage.ErrStale},
		Progress: progress{p.db, p.bus, p.log},
		Observer: observer,
		Logger:   p.log.With("part", "work"),
	}, pipeline.Config{Name: name, Scratch: p.cfg.ScratchDir})
	if err != nil {
		return err
	}
	handle := func(ctx context.Context, jobID string) bus.Verdict {
		observer.inWork.Inc()
		defer observer.inWork.Dec()
		out := p.keepManifest(ctx, jobID, func() pipeline.Outcome { return worker.Handle(ctx, jobID) })
		if out.Done {
			return bus.Done()
		}
		return bus.Retry(out.RetryAfter)
	}
	return p.bus.Consume(ctx, workCtx, bus.ConsumeConfig{Interactive: t.Jobs - t.Jobs/2, Bulk: t.Jobs / 2}, handle)
}

// keepManifest has the manifest of a job's message written while the job is
// worked on, and again when it is done. What fails of it costs the job nothing:
// the sweep writes it.
func (p *Program) keepManifest(ctx context.Context, jobID string, work func() pipeline.Outcome) pipeline.Outcome {
	write := func() {
		if err := p.stores.WriteManifest(ctx, jobID); err != nil && ctx.Err() == nil { // a job goes by its message's id
			p.log.WarnContext(ctx, "manifest not written, the sweep will", "message", jobID, "error", err)
		}
	}
	var begun sync.WaitGroup
	begun.Go(write)
	out := work()
	begun.Wait()
	if out.Done {
		write()
	}
	return out
}

// workerName tells one worker process from another in the ledger and the logs.
func workerName() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("name this worker: %w", err)
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid()), nil
}

// progress keeps how far work is, for who asks, and tells who listens.
type progress struct {
	db  *sqldb.DB
	bus *bus.Bus
	log *slog.Logger
}

// Progress never fails the work: it is news, not a result.
func (p progress) Progress(ctx context.Context, task pipeline.Task, fraction float64, stage string) {
	conversation, err := p.db.SaveProgress(ctx, task, fraction)
	if err == nil {
		var data []byte
		if data, err = json.Marshal(map[string]any{"progress": fraction, "stage": stage}); err == nil {
			err = p.bus.PublishEvents(ctx, []storage.Event{{
				WorkspaceID: task.WorkspaceID, Type: storage.MessageProgress,
				ConversationID: conversation, MessageID: task.MessageID, Data: data, At: storage.Now(),
			}})
		}
	}
	if err != nil && ctx.Err() == nil {
		p.log.DebugContext(ctx, "progress not told", "message", task.MessageID, "error", err)
	}
}
