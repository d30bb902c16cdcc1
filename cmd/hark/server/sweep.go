package server

import (
	"context"
	"errors"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/work"
)

// How often maintenance tasks run, and how many things they take at a time.
const (
	jobSweep      = 5 * time.Second
	manifestSweep = 30 * time.Second
	objectSweep   = time.Minute
	orphanSweep   = 6 * time.Hour
	sweepBatch    = 500

	// eventsKept is how long a listener may be away and still resume.
	eventsKept = 7 * 24 * time.Hour
	// sweepMargin is more than the clocks of nodes and database differ.
	sweepMargin = time.Hour
)

// maintenance are the tasks that mend what a crash or a lost dependency left
// undone, and forget what has been kept long enough. One node runs them for
// all, though doing so twice is harmless.
func (p *Program) maintenance() []work.Task {
	return []work.Task{
		{Name: "publish due jobs", Every: jobSweep, AtOnce: true, Run: p.sweepJobs},
		{Name: "purge deleted conversations", Every: jobSweep, AtOnce: true, Run: p.sweepDeleted},
		{Name: "write manifests", Every: manifestSweep, Run: p.sweepManifests},
		{Name: "delete objects of deleted messages", Every: objectSweep, Run: p.sweepObjects},
		{Name: "remove orphans", Every: orphanSweep, Run: p.sweepOrphans},
		{Name: "forget old keys and credentials", Every: objectSweep, Run: p.db.SweepIdentity},
		{Name: "forget old jobs", Every: objectSweep, Run: p.db.SweepJobs},
		{Name: "forget old events", Every: objectSweep, Run: p.sweepEvents},
		{Name: "erase deleted text", Every: objectSweep, Run: p.db.EraseDeleted},
		{Name: "index titles", Every: objectSweep, Run: p.db.IndexTitles},
	}
}

// maintain runs the maintenance tasks whenever no other node does, until ctx
// ends.
func (p *Program) maintain(ctx context.Context) {
	leads := newLeaderMetric(p.metrics)
	work.NewLeader(work.LeaderConfig{
		Name: "maintenance", Holder: p.leaseHolder(), Logger: p.log.With("part", "maintenance"),
		Leads: func(begins bool) {
			leads.set(begins)
			if !begins {
				p.storeMetrics.forget()
			}
		},
	}, p.db, p.maintenance()).Run(ctx)
}

// leaseHolder names this process among those that use the database. SQLite
// serves one process: whoever held the lease before is dead.
func (p *Program) leaseHolder() string {
	if p.cfg.Embedded() {
		return "the only node"
	}
	return storage.NewID()
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

func (p *Program) sweepDeleted(ctx context.Context) error {
	n, err := p.db.PurgeDeleted(ctx)
	if n > 0 {
		p.log.InfoContext(ctx, "purged deleted conversations", "conversations", n)
	}
	return err
}

func (p *Program) sweepObjects(ctx context.Context) error {
	for {
		keys, err := p.db.ObjectsToDelete(ctx, sweepBatch)
		if err != nil || len(keys) == 0 {
			return err
		}
		if err := p.stores.DeleteObjects(ctx, keys); err != nil {
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
		p.log.InfoContext(ctx, "manifests written", "messages", n)
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

// publishJobs has committed jobs put in the queue.
func (p *Program) publishJobs(jobs []storage.JobRef) {
	if p.jobs != nil { // else committed while we start: maintenance finds them
		p.jobs.Add(jobs)
	}
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
		p.log.WarnContext(ctx, "publishing events failed", "workspace", workspaceID, "error", err)
	}
}
