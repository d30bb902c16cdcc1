package server

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
	"hark/storage/work"
	"hark/transcribe/pipeline"
)

// work takes jobs from the bus until ctx ends; a job that is under way then
// goes on until workCtx ends.
func (p *Program) work(ctx, workCtx context.Context) error {
	name, err := workerName()
	if err != nil {
		return err
	}
	observer := newWorkMetrics(p.metrics)
	transcriber, err := p.transcriber(observer)
	if err != nil {
		return err
	}
	cfg := work.Config{Name: name, Observer: observer, Logger: p.log.With("part", "work")}
	kinds := []work.Kind{transcriber}
	if p.mail.Possible() {
		kinds = append(kinds, p.mail.Kind())
	}
	worker, err := work.NewWorker(p.db, p.bus, cfg, kinds...)
	if err != nil {
		return err
	}
	return worker.Run(ctx, workCtx)
}

// transcriber is how messages are made ready.
func (p *Program) transcriber(observer pipeline.Observer) (work.Kind, error) {
	t := p.cfg.Transcriber
	worker, err := pipeline.New(pipeline.Deps{
		Records:  p.db,
		Clips:    p.blobs,
		Decoder:  p.decoder,
		Renderer: render.New(render.Config{FFmpeg: t.FFmpeg, ScratchDir: p.cfg.ScratchDir}),
		Engine:   p.engine,
		Agree:    p.stores.Check,
		Progress: progress{p.db, p.bus, p.log},
		Observer: observer,
		Logger:   p.log.With("part", "work"),
	}, pipeline.Config{Scratch: p.cfg.ScratchDir})
	if err != nil {
		return work.Kind{}, err
	}
	kind := worker.Kind(t.Jobs-t.Jobs/2, t.Jobs/2, p.writeManifest)
	kind.Handler = manifestKeeper{p, kind.Handler}
	return kind, nil
}

// manifestKeeper has the manifest of a job's message written while the job is
// worked on, as writeManifest does again when it has ended.
type manifestKeeper struct {
	*Program
	handler work.Handler
}

// Handle implements work.Handler.
func (p manifestKeeper) Handle(ctx context.Context, a *work.Attempt) error {
	var begun sync.WaitGroup
	begun.Go(func() { p.writeManifest(ctx, a.Job) })
	err := p.handler.Handle(ctx, a)
	begun.Wait()
	return err
}

// writeManifest writes the manifest of a job's message. What fails of it costs the
// job nothing: maintenance writes it.
func (p *Program) writeManifest(ctx context.Context, job storage.Job) {
	if err := p.stores.WriteManifest(ctx, job.Subject); err != nil && ctx.Err() == nil {
		p.log.WarnContext(ctx, "writing manifest failed; maintenance will retry", "message", job.Subject, "error", err)
	}
}

// workerName tells one worker process from another in the database and the logs.
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
func (p progress) Progress(ctx context.Context, task storage.Task, fraction float64, stage string) {
	event, err := p.db.SaveProgress(ctx, task, fraction)
	if err == nil {
		if event.Data, err = json.Marshal(map[string]any{"progress": fraction, "stage": stage}); err == nil {
			err = p.bus.PublishEvents(ctx, []storage.Event{event})
		}
	}
	if err != nil && ctx.Err() == nil {
		p.log.DebugContext(ctx, "progress not told", "message", task.MessageID, "error", err)
	}
}
