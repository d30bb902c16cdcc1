package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"hark/storage"
	"hark/storage/blob"
)

// How often the sweepers look, and how many things they take at a time.
const (
	jobSweep    = 5 * time.Second
	objectSweep = time.Minute
	orphanSweep = 6 * time.Hour
	sweepBatch  = 500

	// orphanAge is how old an object must be before the lack of a record makes
	// it an orphan. It is longer than any upload may take.
	orphanAge = 48 * time.Hour

	// eventsKept is how long a listener may be away and still resume.
	eventsKept = 7 * 24 * time.Hour
)

// sweep mends, until ctx ends, what a crash or a lost dependency left undone:
// it publishes jobs that were recorded but never reached the bus, or whose
// worker died; deletes the objects of deleted messages; removes objects that
// no record ever came to know; and forgets what has been kept long enough.
// Every node sweeps; doing so twice is harmless.
func (p *Program) sweep(ctx context.Context) {
	jobs := time.NewTicker(jobSweep)
	defer jobs.Stop()
	objects := time.NewTicker(objectSweep)
	defer objects.Stop()
	orphans := time.NewTicker(orphanSweep)
	defer orphans.Stop()

	p.try(ctx, "publish due jobs", p.sweepJobs)
	for {
		select {
		case <-ctx.Done():
			return
		case <-jobs.C:
			p.try(ctx, "publish due jobs", p.sweepJobs)
		case <-objects.C:
			p.try(ctx, "delete doomed objects", p.sweepDoomed)
			p.try(ctx, "forget old keys and credentials", p.db.SweepIdentity)
			p.try(ctx, "forget old events", p.sweepEvents)
		case <-orphans.C:
			p.try(ctx, "remove orphans", p.sweepOrphans)
		}
	}
}

func (p *Program) try(ctx context.Context, what string, do func(context.Context) error) {
	if err := do(ctx); err != nil && ctx.Err() == nil {
		p.log.WarnContext(ctx, "sweep failed; it will be tried again", "what", what, "error", err)
	}
}

func (p *Program) sweepJobs(ctx context.Context) error {
	due, err := p.db.DueJobs(ctx, sweepBatch)
	if err != nil || len(due) == 0 {
		return err
	}
	published := make([]storage.JobRef, 0, len(due))
	for _, job := range due {
		if err = p.bus.PublishJob(ctx, job); err != nil {
			break
		}
		published = append(published, job)
	}
	p.log.InfoContext(ctx, "published jobs that were due", "jobs", len(published))
	return errors.Join(err, p.db.MarkPublished(ctx, published))
}

func (p *Program) sweepDoomed(ctx context.Context) error {
	for {
		keys, err := p.db.DoomedObjects(ctx, sweepBatch)
		if err != nil || len(keys) == 0 {
			return err
		}
		if err := p.deleteDoomed(ctx, keys); err != nil {
			return err
		}
		if err := p.db.ForgetObjects(ctx, keys); err != nil {
			return err
		}
	}
}

// deleteDoomed deletes objects; a key that ends in a slash stands for all
// below it.
func (p *Program) deleteDoomed(ctx context.Context, keys []string) error {
	var objects []string
	for _, key := range keys {
		if !strings.HasSuffix(key, "/") {
			objects = append(objects, key)
			continue
		}
		err := p.blobs.List(ctx, key, func(o blob.Object) error {
			objects = append(objects, o.Key)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return p.blobs.Delete(ctx, objects...)
}

func (p *Program) sweepEvents(ctx context.Context) error {
	_, err := p.db.SweepEvents(ctx, eventsKept)
	return err
}

func (p *Program) sweepOrphans(ctx context.Context) error {
	if n, err := p.blobs.AbortStale(ctx, "", time.Now().Add(-orphanAge)); err != nil {
		return err
	} else if n > 0 {
		p.log.InfoContext(ctx, "threw away unfinished uploads", "uploads", n)
	}
	return p.blobs.List(ctx, "", func(o blob.Object) error {
		if time.Since(o.ModTime) < orphanAge {
			return nil
		}
		known, err := p.db.KnownObject(ctx, o.Key)
		if err != nil || known {
			return err
		}
		p.log.InfoContext(ctx, "removing an object without a record", "key", o.Key, "bytes", o.Size)
		return p.blobs.Delete(ctx, o.Key)
	})
}

// publishEvents fans committed events out to listeners on every node. A
// listener that misses one reads it from the database.
func (p *Program) publishEvents(workspaceID string, events []storage.Event) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := p.bus.PublishEvents(ctx, events); err != nil {
		p.log.WarnContext(ctx, "events not fanned out", "workspace", workspaceID, "error", err)
	}
}
