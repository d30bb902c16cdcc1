package sqldb

import (
	"context"

	"hark/storage"
)

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
