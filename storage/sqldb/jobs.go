package sqldb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"hark/storage"
	"hark/storage/sqldb/conn"
)

const (
	// maxLostOfJob is how many attempts at a job may be lost with the process
	// that made them, before the job is taken for the one that kills them.
	maxLostOfJob = 25

	// lostAlone is after how many lost attempts a job has to wait, longer each
	// time up to maxLostWait: a clip that kills its worker then does so alone,
	// and those that only died with it are done meanwhile.
	lostAlone   = 3
	maxLostWait = 30 * time.Second
)

// A job is waiting, running (under a lease), done, or failed. Each of its
// attempts is numbered; tries counts those that failed or may yet, and lost
// those whose lease ran out because their process died, which says little of
// the job: a machine may be restarted many times. An orderly stop counts as
// neither.
//
//	waiting -> running -> done
//	   ^          |
//	   +- later --+-> failed        done, failed -> waiting by a retry
//	   +-- lease runs out
//
// What a job of the kind transcribe does beside to its message is in
// transcription.go.
type jobRow struct {
	ID          string
	WorkspaceNo int64  `db:"workspace_no"`
	WorkspaceID string `db:"workspace_id"`
	MessageID   string `db:"message_id"` // empty for all kinds but transcribe
	AuthorID    string `db:"author_id"`
	Kind        storage.JobKind
	Subject     string
	Args        string
	Priority    storage.Priority
	State       string
	Attempt     int
	Tries       int
	Lost        int
	LeaseUntil  int64 `db:"lease_until"`
	RunAt       int64 `db:"run_at"`
	Turn        int64

	// HaveTranscript says that the transcript was made while the message was
	// spoken, and is not asked for.
	HaveTranscript bool `db:"have_transcript"`
}

const selectJobs = `SELECT j.id, j.workspace_no, w.id AS workspace_id, COALESCE(j.message_id, '') AS message_id, j.author_id, j.kind, j.subject, j.args,
	j.priority, j.state, j.attempt, j.tries, j.lost, j.lease_until, j.run_at, j.turn, j.have_transcript
	FROM jobs j JOIN workspaces w ON w.no = j.workspace_no `

// subjectThere is the condition under which what a job j is about is there, as
// far as the database knows.
const subjectThere = `(j.message_id IS NULL OR EXISTS (SELECT 1 FROM messages m WHERE m.id = j.message_id AND ` + notDeleted + `))`

func (r jobRow) ref() storage.JobRef {
	return storage.JobRef{ID: r.ID, Kind: r.Kind, Priority: r.Priority, Attempt: r.Attempt}
}

// next is the next attempt of the job.
func (r jobRow) next() storage.Job {
	job := storage.Job{JobRef: r.ref(), WorkspaceID: r.WorkspaceID, Subject: r.Subject, Try: r.Tries + 1}
	job.Attempt++
	if r.Args != "" {
		job.Args = json.RawMessage(r.Args)
	}
	return job
}

// open says whether there is work left to begin or to go on with.
func (r jobRow) open() bool { return r.State == "waiting" || r.State == "running" }

func (s session) jobByID(ctx context.Context, id string) (row jobRow, err error) {
	err = s.Get(ctx, &row, selectJobs+`WHERE j.id = ?`, id)
	return row, err
}

func (s session) jobOf(ctx context.Context, kind storage.JobKind, subject string) (row jobRow, err error) {
	err = s.Get(ctx, &row, selectJobs+`WHERE j.kind = ? AND j.subject = ?`, kind, subject)
	return row, err
}

// AddJob adds a job that goes with no other change, as [storage.NewJob] says. It
// fails with storage.ErrConflict when another workspace has one of the kind and
// subject.
func (db *DB) AddJob(ctx context.Context, workspaceID string, n storage.NewJob) error {
	return db.change(ctx, "add job", workspaceID, func(ctx context.Context, t *tx) error { return t.job(ctx, n) })
}

// job adds a job, as [storage.NewJob] says; it is begun when the change is
// committed.
func (t *tx) job(ctx context.Context, n storage.NewJob) error {
	if n.Kind == "" || n.Subject == "" || len(n.Subject) > storage.MaxSubject || n.Subject != clean(n.Subject) || n.Kind == storage.Transcribe {
		return fmt.Errorf("no job can be of kind %q and subject %.80q", n.Kind, n.Subject)
	}
	args := ""
	if n.Args != nil {
		b, err := json.Marshal(n.Args)
		if err != nil {
			return fmt.Errorf("args of a job of kind %s: %w", n.Kind, err)
		}
		args = clean(string(b))
	}
	job, err := t.jobOf(ctx, n.Kind, n.Subject)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return t.insertJob(ctx, jobRow{
			ID: storage.NewID(), AuthorID: n.AuthorID, Kind: n.Kind, Subject: n.Subject, Args: args, Priority: n.Priority, State: "waiting",
		})
	case err != nil:
		return err
	case job.WorkspaceNo != t.workspaceNo:
		return storage.ErrConflict
	case job.State != "failed":
		return nil
	}
	job.AuthorID, job.Args, job.Priority = n.AuthorID, args, n.Priority
	return t.reopen(ctx, job)
}

// insertJob writes a new job.
func (t *tx) insertJob(ctx context.Context, job jobRow) (err error) {
	if job.State == "waiting" {
		t.jobs = append(t.jobs, job.ref())
		if job.Turn, err = t.turn(ctx, job); err != nil {
			return err
		}
	}
	var message *string // NULL
	if job.MessageID != "" {
		message = &job.MessageID
	}
	now := toMS(t.now)
	_, err = t.Exec(ctx, `INSERT INTO jobs (id, workspace_no, message_id, author_id, kind, subject, args, priority, turn, state, have_transcript,
			run_at, waiting_since, created_at) VALUES `+conn.Tuples(1, 14),
		job.ID, t.workspaceNo, message, job.AuthorID, job.Kind, job.Subject, job.Args, int(job.Priority), job.Turn, job.State, job.HaveTranscript,
		now, now, now)
	return err
}

// reopen has a job that ended begin anew.
func (t *tx) reopen(ctx context.Context, job jobRow) (err error) {
	if job.Turn, err = t.turn(ctx, job); err != nil {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE jobs SET state = 'waiting', author_id = ?, args = ?, priority = ?, have_transcript = ?, reason = '', ended_at = 0, tries = 0, lost = 0,
			turn = ?, run_at = ?, waiting_since = ?, published_at = 0 WHERE id = ?`,
		job.AuthorID, job.Args, int(job.Priority), job.HaveTranscript, job.Turn, toMS(t.now), toMS(t.now), job.ID)
	t.jobs = append(t.jobs, job.ref())
	return err
}

// BeginJob begins the next attempt of a job of a kind, under a lease. It fails with
// storage.ErrNotFound when there is nothing to do (the job is over, of another
// kind, or its message deleted) and with storage.ErrBusy while another attempt's
// lease lives, or while a job waits whose attempts were lost time and again. A job
// that has lost too many fails here.
func (db *DB) BeginJob(ctx context.Context, kind storage.JobKind, id, worker string, lease time.Duration) (storage.Job, error) {
	var job jobRow
	err := db.read(ctx, "begin job", func(ctx context.Context, s session) (err error) {
		job, err = s.jobByID(ctx, id)
		return err
	})
	if err != nil {
		return storage.Job{}, err
	}
	var begun storage.Job
	var instead error // what was decided about the job instead of beginning it
	err = db.change(ctx, "begin job", job.WorkspaceID, func(ctx context.Context, t *tx) error {
		job, err := t.jobByID(ctx, id)
		switch {
		case err != nil:
			return err
		case !job.open() || job.Kind != kind:
			return storage.ErrNotFound
		case job.State == "running" && pending(job.LeaseUntil, t.now), job.State == "waiting" && job.Lost >= lostAlone && pending(job.RunAt, t.now):
			return storage.ErrBusy
		}
		if job.State == "running" {
			job.Tries--
			job.Lost++
			if instead, err = t.loseAttempt(ctx, job); instead != nil || err != nil {
				return err
			}
		}
		begun = job.next()
		_, err = t.Exec(ctx, `UPDATE jobs SET state = 'running', attempt = ?, tries = ?, worker = ?, lease_until = ? WHERE id = ?`,
			begun.Attempt, begun.Try, clean(worker), toMS(t.now.Add(lease)), id)
		if err != nil {
			return err
		}
		return t.advanceSubject(ctx, job, storage.Processing, "")
	})
	if err == nil && instead != nil {
		return storage.Job{}, fmt.Errorf("begin job: %w", instead)
	}
	return begun, err
}

// farOff is longer than any lease, and than the wait of a job that was lost.
// What ends later than that was timed by a clock that has been set back since,
// and counts as over: otherwise the work of a process that died would wait for
// as long as the clock was wrong. A second attempt at a job that goes on is
// harmless. That of a recording is not, so recordings wait.
const farOff = 10 * time.Minute

// pending says whether a time that stands in a job is still to come.
func pending(ms int64, now time.Time) bool { return ms > toMS(now) && ms <= toMS(now.Add(farOff)) }

// loseAttempt notes that an attempt was lost with its process. It decides
// whether the job may begin again at once (nil), has to wait (storage.ErrBusy)
// or is given up (storage.ErrNotFound).
func (t *tx) loseAttempt(ctx context.Context, job jobRow) (instead, err error) {
	if _, err := t.Exec(ctx, `UPDATE jobs SET lost = ? WHERE id = ?`, job.Lost, job.ID); err != nil {
		return nil, err
	}
	switch {
	case job.Lost >= maxLostOfJob:
		return storage.ErrNotFound, t.endJob(ctx, job, lostTooOften(job.Kind), false)
	case job.Lost >= lostAlone:
		wait := min(time.Second<<job.Lost, maxLostWait)
		return storage.ErrBusy, t.waitAgain(ctx, job, t.now.Add(wait), job.Tries, "")
	}
	return nil, nil
}

// attempt runs fn with a job while no other attempt can begin; storage.ErrStale
// when j is not the job's newest attempt, or what it is about is gone.
func (db *DB) attempt(ctx context.Context, op string, j storage.Job, fn func(context.Context, *tx, jobRow) error) error {
	return db.change(ctx, op, j.WorkspaceID, func(ctx context.Context, t *tx) error {
		job, err := t.jobByID(ctx, j.ID)
		if err != nil || job.Attempt != j.Attempt || job.State == "waiting" {
			return staleUnless(err)
		}
		if err := fn(ctx, t, job); err != nil {
			return staleUnless(err)
		}
		return nil
	})
}

// RenewLease keeps a job for the attempt that has it; storage.ErrStale when it
// has it no more.
func (db *DB) RenewLease(ctx context.Context, job storage.Job, lease time.Duration) error {
	return db.write(ctx, "renew lease", func(ctx context.Context, t *tx) error {
		n, err := t.Exec(ctx, `UPDATE jobs AS j SET lease_until = ? WHERE j.id = ? AND j.attempt = ? AND j.state = 'running' AND `+subjectThere,
			toMS(t.now.Add(lease)), job.ID, job.Attempt)
		if err == nil && n == 0 {
			return storage.ErrStale
		}
		return err
	})
}

// FinishJob ends a job with success. Doing it again in the same attempt changes
// nothing. One of the kind transcribe ends with its transcript, by
// [DB.SaveTranscript], and here only where none was asked for.
func (db *DB) FinishJob(ctx context.Context, job storage.Job) error {
	return db.attempt(ctx, "finish job", job, func(ctx context.Context, t *tx, job jobRow) error {
		if job.State == "failed" || job.Kind == storage.Transcribe && !job.HaveTranscript {
			return storage.ErrStale
		}
		if job.Kind == storage.Transcribe {
			if _, err := t.workedMessage(ctx, job.MessageID); err != nil {
				return err
			}
		}
		return t.jobDone(ctx, job)
	})
}

// FailJob ends an attempt without success. With retryAfter >= 0 the job waits
// that long for another attempt; below 0 (see storage.ForGood and Hopeless) it
// fails. reason tells why: the message, if the job is of the kind transcribe and
// fails (one that is ready stays so), and else the operator.
// What was saved stays.
func (db *DB) FailJob(ctx context.Context, job storage.Job, reason string, retryAfter time.Duration) error {
	return db.attempt(ctx, "fail job", job, func(ctx context.Context, t *tx, job jobRow) (err error) {
		switch {
		case job.State != "running":
			return storage.ErrStale
		case retryAfter < 0:
			return t.endJob(ctx, job, reason, retryAfter == storage.Hopeless)
		}
		// Behind its author's others: a thousand that fail again and again must not
		// go before what somebody else sent.
		if job.Turn, err = t.turn(ctx, job); err != nil {
			return err
		}
		return t.waitAgain(ctx, job, t.now.Add(retryAfter), job.Tries, reason)
	})
}

// ReleaseJob hands a job back that its worker will not finish, as if the
// attempt had not been.
func (db *DB) ReleaseJob(ctx context.Context, job storage.Job) error {
	return db.attempt(ctx, "release job", job, func(ctx context.Context, t *tx, job jobRow) error {
		if job.State != "running" {
			return storage.ErrStale
		}
		return t.waitAgain(ctx, job, t.now, job.Tries-1, "")
	})
}

// waitAgain puts a running job back. The bus redelivers it by itself at runAt,
// so it counts as published then, and maintenance steps in a minute later.
func (t *tx) waitAgain(ctx context.Context, job jobRow, runAt time.Time, tries int, reason string) error {
	_, err := t.Exec(ctx, `UPDATE jobs SET state = 'waiting', worker = '', lease_until = 0, tries = ?, turn = ?, run_at = ?, waiting_since = ?, published_at = ?, reason = ? WHERE id = ?`,
		tries, job.Turn, toMS(runAt), toMS(t.now), toMS(runAt), clean(reason), job.ID)
	if err != nil {
		return err
	}
	return t.advanceSubject(ctx, job, storage.Received, "")
}

// endJob gives a job up.
func (t *tx) endJob(ctx context.Context, job jobRow, reason string, hopeless bool) error {
	_, err := t.Exec(ctx, `UPDATE jobs SET state = 'failed', args = '', reason = ?, worker = '', lease_until = 0, ended_at = ? WHERE id = ?`,
		clean(reason), toMS(t.now), job.ID)
	if err != nil {
		return err
	}
	if hopeless {
		reason = hopelessMark + reason
	}
	return t.advanceSubject(ctx, job, storage.Failed, reason)
}

// callOff has a job that waits not be done any more. One that runs goes on.
func (t *tx) callOff(ctx context.Context, kind storage.JobKind, subject string) error {
	job, err := t.jobOf(ctx, kind, subject)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil
	case err != nil || job.WorkspaceNo != t.workspaceNo || job.State != "waiting":
		return err
	}
	return t.jobDone(ctx, job)
}

func (t *tx) jobDone(ctx context.Context, job jobRow) error {
	_, err := t.Exec(ctx, `UPDATE jobs SET state = 'done', args = '', reason = '', worker = '', lease_until = 0, ended_at = ? WHERE id = ?`, toMS(t.now), job.ID)
	return err
}

// staleUnless is storage.ErrStale for an attempt that is over; err if it is
// another failure than a job that is gone.
func staleUnless(err error) error {
	if err == nil || errors.Is(err, storage.ErrNotFound) {
		return storage.ErrStale
	}
	return err
}
