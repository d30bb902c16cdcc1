package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
)

// How often the sweepers look, and how many things they take at a time.
const (
	jobSweep      = 5 * time.Second
	manifestSweep = 30 * time.Second
	objectSweep   = time.Minute
	orphanSweep   = 6 * time.Hour
	sweepBatch    = 500

	// eventsKept is how long a listener may be away and still resume.
	eventsKept = 7 * 24 * time.Hour
)

// sweep mends, until ctx ends, what a crash or a lost dependency left undone:
// it publishes jobs that were recorded but never reached the bus, or whose
// worker died; writes manifests that are missing; deletes the objects of
// deleted messages and the bytes of their text; removes objects that no record
// ever came to know; and forgets what has been kept long enough. Every node sweeps; doing so twice is
// harmless.
func (p *Program) sweep(ctx context.Context) {
	p.try(ctx, "publish due jobs", p.sweepJobs)
	var group sync.WaitGroup
	group.Go(func() { p.every(ctx, jobSweep, "publish due jobs", p.sweepJobs) })
	group.Go(func() { p.every(ctx, manifestSweep, "write manifests", p.sweepManifests) })
	group.Go(func() { p.every(ctx, orphanSweep, "remove orphans", p.sweepOrphans) })
	group.Go(func() { p.every(ctx, objectSweep, "delete doomed objects", p.sweepDoomed) })
	group.Go(func() { p.every(ctx, objectSweep, "forget old keys and credentials", p.db.SweepIdentity) })
	group.Go(func() { p.every(ctx, objectSweep, "forget old events", p.sweepEvents) })
	group.Go(func() { p.every(ctx, objectSweep, "erase deleted text", p.db.EraseDeleted) })
	group.Wait()
}

// every does something at intervals, until ctx ends.
func (p *Program) every(ctx context.Context, interval time.Duration, what string, do func(context.Context) error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.try(ctx, what, do)
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
		if err := p.stores.DeleteDoomed(ctx, keys); err != nil {
			return err
		}
		if err := p.db.ForgetObjects(ctx, keys); err != nil {
			return err
		}
	}
}

func (p *Program) sweepEvents(ctx context.Context) error {
	_, err := p.db.SweepEvents(ctx, eventsKept)
	return err
}

func (p *Program) sweepManifests(ctx context.Context) error {
	n, err := p.stores.WriteManifests(ctx)
	if n > 0 {
		p.log.InfoContext(ctx, "wrote manifests", "messages", n)
	}
	return err
}

func (p *Program) sweepOrphans(ctx context.Context) error {
	now, err := earlierClock(ctx, p.db)
	if err != nil {
		return err
	}
	done, err := p.stores.Sweep(ctx, now)
	p.storeMetrics.swept(done, err)
	if done.Aborted+done.Removed+done.Purged > 0 {
		p.log.InfoContext(ctx, "swept the object store", "objects", done.Objects, "removed", done.Removed, "purged", done.Purged, "uploads_aborted", done.Aborted)
	}
	return err
}

// earlierClock is the time by which objects grow old: this machine's, or the
// database's if that is earlier. By a clock that is ahead, a clip that is being
// sent would look like an orphan.
func earlierClock(ctx context.Context, db *sqldb.DB) (time.Time, error) {
	now, err := db.Now(ctx)
	if here := time.Now(); here.Before(now) {
		now = here
	}
	return now, err
}

// publishEvents fans committed events out to listeners on every node. A
// listener that misses one reads it from the database.
func (p *Program) publishEvents(workspaceID string, events []storage.Event) {
	if p.bus == nil {
		return // committed while we start: nobody listens yet
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := p.bus.PublishEvents(ctx, events); err != nil {
		p.log.WarnContext(ctx, "events not fanned out", "workspace", workspaceID, "error", err)
	}
}
