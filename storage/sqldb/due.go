package sqldb

import (
	"context"
	"time"

	"hark/storage"
	"hark/transcribe"
)

// republishAfter is how long a published job is left alone before it is
// published again.
const republishAfter = time.Minute

// DueJobs returns up to limit jobs that somebody should begin and that were
// not published within the last minute: those that wait and are due, and those
// whose lease ran out. The longest due come first.
func (db *DB) DueJobs(ctx context.Context, limit int) ([]storage.JobRef, error) {
	var rows []jobRow
	err := db.read(ctx, "find due jobs", func(ctx context.Context, s session) error {
		now, err := s.clock(ctx)
		if err != nil {
			return err
		}
		return s.list(ctx, &rows, selectJobs+`WHERE (j.state = 'waiting' AND j.run_at <= ? OR j.state = 'running' AND (j.lease_until <= ? OR j.lease_until > ?))
			AND j.published_at <= ? ORDER BY j.run_at, j.id LIMIT ?`,
			toMS(now), toMS(now), toMS(now.Add(farOff)), toMS(now.Add(-republishAfter)), limit)
	})
	refs := make([]storage.JobRef, len(rows))
	for i, r := range rows {
		refs[i] = r.ref()
	}
	return refs, err
}

// MarkPublished notes that jobs were just published.
func (db *DB) MarkPublished(ctx context.Context, refs []storage.JobRef) error {
	if len(refs) == 0 {
		return nil
	}
	return db.write(ctx, "mark published", func(ctx context.Context, t *tx) error {
		for _, r := range refs {
			if _, err := t.exec(ctx, `UPDATE jobs SET published_at = ? WHERE id = ? AND attempt = ?`, toMS(t.now), r.ID, r.Attempt); err != nil {
				return err
			}
		}
		return nil
	})
}

// QueueStats describes the work that waits, the most urgent first. Every
// priority is there, with zeros when it has nothing. A job whose lease ran out
// waits.
func (db *DB) QueueStats(ctx context.Context) ([]storage.QueueStats, error) {
	stats := []storage.QueueStats{{Priority: transcribe.Interactive}, {Priority: transcribe.Bulk}}
	var rows []struct {
		Priority transcribe.Priority
		Waiting  int
		Running  int
		Oldest   int64
	}
	var now time.Time
	err := db.read(ctx, "measure queue", func(ctx context.Context, s session) (err error) {
		if now, err = s.clock(ctx); err != nil {
			return err
		}
		return s.list(ctx, &rows, `SELECT priority,
			COUNT(CASE WHEN state = 'waiting' OR NOT leased THEN 1 END) AS waiting,
			COUNT(CASE WHEN state = 'running' AND leased THEN 1 END) AS running,
			COALESCE(MIN(CASE WHEN state = 'waiting' OR NOT leased THEN waiting_since END), 0) AS oldest
			FROM (SELECT priority, state, waiting_since, lease_until > ? AND lease_until <= ? AS leased
				FROM jobs WHERE state IN ('waiting', 'running')) AS open_jobs GROUP BY priority`, toMS(now), toMS(now.Add(farOff)))
	})
	for _, r := range rows {
		if int(r.Priority) < len(stats) {
			s := &stats[r.Priority]
			s.Waiting, s.Running = r.Waiting, r.Running
			if r.Oldest != 0 {
				s.OldestAge = max(0, now.Sub(fromMS(r.Oldest)))
			}
		}
	}
	return stats, err
}
