package sqldb

import (
	"context"
	"slices"
	"time"

	"hark/storage"
)

// republishAfter is how long a published job is left alone before it is
// published again.
const republishAfter = time.Minute

// DueJobs returns up to limit jobs that somebody should begin and that were
// not published within the last minute: those that wait and are due, and those
// whose lease ran out. Those that were published the longest time ago, or never,
// come first, so that jobs which nobody takes keep none of the others back; of
// these, the longest due.
func (db *DB) DueJobs(ctx context.Context, limit int) ([]storage.JobRef, error) {
	var rows []jobRow
	err := db.read(ctx, "find due jobs", func(ctx context.Context, s session) error {
		now, err := s.Clock(ctx)
		if err != nil {
			return err
		}
		return s.List(ctx, &rows, selectJobs+`WHERE (j.state = 'waiting' AND j.run_at <= ? OR j.state = 'running' AND (j.lease_until <= ? OR j.lease_until > ?))
			AND j.published_at <= ? AND `+subjectThere+` ORDER BY j.published_at, j.run_at, j.id LIMIT ?`,
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
			if _, err := t.Exec(ctx, `UPDATE jobs SET published_at = ? WHERE id = ? AND attempt = ?`, toMS(t.now), r.ID, r.Attempt); err != nil {
				return err
			}
		}
		return nil
	})
}

// QueueStats describes the work that waits, by kind and, within a kind, the most
// urgent first. Every kind and priority is there, with zeros when it has nothing,
// and kinds that this version does not know where there is work of them.
// A job whose lease ran out waits.
func (db *DB) QueueStats(ctx context.Context) (stats []storage.QueueStats, err error) {
	var rows []struct {
		Kind     storage.JobKind
		Priority storage.Priority
		Waiting  int
		Running  int
		Oldest   int64
	}
	var now time.Time
	err = db.read(ctx, "measure queue", func(ctx context.Context, s session) (err error) {
		if now, err = s.Clock(ctx); err != nil {
			return err
		}
		return s.List(ctx, &rows, `SELECT kind, priority,
			COUNT(CASE WHEN state = 'waiting' OR NOT leased THEN 1 END) AS waiting,
			COUNT(CASE WHEN state = 'running' AND leased THEN 1 END) AS running,
			COALESCE(MIN(CASE WHEN state = 'waiting' OR NOT leased THEN waiting_since END), 0) AS oldest
			FROM (SELECT kind, priority, state, waiting_since, lease_until > ? AND lease_until <= ? AS leased
				FROM jobs WHERE state IN ('waiting', 'running')) AS open_jobs GROUP BY kind, priority ORDER BY kind, priority`, toMS(now), toMS(now.Add(farOff)))
	})
	kinds := storage.JobKinds()
	for _, r := range rows {
		if !slices.Contains(kinds, r.Kind) { // of a newer version, or one that is no more: nobody here does it
			kinds = append(kinds, r.Kind)
		}
	}
	for _, kind := range kinds {
		for _, p := range storage.Priorities() {
			s := storage.QueueStats{Kind: kind, Priority: p}
			for _, r := range rows {
				if r.Kind != kind || r.Priority != p {
					continue
				}
				s.Waiting, s.Running = r.Waiting, r.Running
				if r.Oldest != 0 {
					s.OldestAge = max(0, now.Sub(fromMS(r.Oldest)))
				}
			}
			stats = append(stats, s)
		}
	}
	return stats, err
}

const (
	keepJobs   = 30 * 24 * time.Hour // how long a job that has ended is remembered
	jobsAtOnce = 500                 // how many of these are forgotten in one transaction
)

// SweepJobs forgets jobs that ended a month ago, but for those of messages, which
// go with their message.
func (db *DB) SweepJobs(ctx context.Context) error {
	for n := int64(jobsAtOnce); n == jobsAtOnce; {
		err := db.write(ctx, "sweep jobs", func(ctx context.Context, t *tx) (err error) {
			n, err = t.Exec(ctx, `DELETE FROM jobs WHERE id IN
				(SELECT id FROM jobs WHERE state IN ('done', 'failed') AND message_id IS NULL AND ended_at < ? LIMIT ?)`, toMS(t.now.Add(-keepJobs)), jobsAtOnce)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// FailedJobs lists up to limit jobs that failed for good, the last first. Those of
// messages are not among them: the message says why.
func (db *DB) FailedJobs(ctx context.Context, limit int) (failed []storage.FailedJob, err error) {
	var rows []struct {
		jobRow
		Reason  string
		EndedAt int64 `db:"ended_at"`
	}
	err = db.read(ctx, "list failed jobs", func(ctx context.Context, s session) error {
		return s.List(ctx, &rows, `SELECT j.id, w.id AS workspace_id, j.kind, j.subject, j.priority, j.attempt, j.reason, j.ended_at FROM jobs j JOIN workspaces w ON w.no = j.workspace_no
			WHERE j.state = 'failed' AND j.message_id IS NULL ORDER BY j.ended_at DESC, j.id DESC LIMIT ?`, limit)
	})
	for _, r := range rows {
		failed = append(failed, storage.FailedJob{JobRef: r.ref(), WorkspaceID: r.WorkspaceID, Subject: r.Subject, Reason: r.Reason, At: fromMS(r.EndedAt)})
	}
	return failed, err
}

// Work of one kind and priority is fair by author, by start-time fair queueing. A job that
// comes to wait gets a turn: the next after those of its author's that wait, but
// none before the turn at which the work is, so that who was idle does not go
// before all others for long. Of two with the same turn the older goes first. So
// a job waits for as many of another author's as wait of its own author's, and
// not for all that the other sent before.

// turn is the turn of a job that comes to wait now.
func (t *tx) turn(ctx context.Context, job jobRow) (turn int64, err error) {
	var row struct{ Reached, Own int64 }
	err = t.Get(ctx, &row, `SELECT
		COALESCE((SELECT turn FROM jobs WHERE state IN ('waiting', 'running') AND state = 'waiting' AND kind = ? AND priority = ? AND run_at <= ?
			ORDER BY turn, id LIMIT 1), 0) AS reached,
		COALESCE((SELECT turn + 1 FROM jobs WHERE state IN ('waiting', 'running') AND state = 'waiting' AND author_id = ? AND kind = ? AND priority = ?
			ORDER BY turn DESC LIMIT 1), 0) AS own`, job.Kind, int(job.Priority), toMS(t.now), job.AuthorID, job.Kind, int(job.Priority))
	return max(row.Reached, row.Own), err
}

// NextJob names the job of a kind and priority whose turn it is, of those that are
// due and those whose lease ran out; storage.ErrNotFound when there is none.
func (db *DB) NextJob(ctx context.Context, kind storage.JobKind, p storage.Priority) (id string, err error) {
	err = db.read(ctx, "find next job", func(ctx context.Context, s session) error {
		now, err := s.Clock(ctx)
		if err != nil {
			return err
		}
		return s.Get(ctx, &id, `SELECT j.id FROM jobs j WHERE j.state IN ('waiting', 'running') AND j.kind = ? AND j.priority = ?
			AND (j.state = 'waiting' AND j.run_at <= ? OR j.state = 'running' AND (j.lease_until <= ? OR j.lease_until > ?))
			AND `+subjectThere+`
			ORDER BY j.turn, j.id LIMIT 1`, kind, int(p), toMS(now), toMS(now), toMS(now.Add(farOff)))
	})
	return id, err
}
