package sqldb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hark/media"
	"hark/storage"
	"hark/transcribe"
	"hark/transcribe/pipeline"
)

const (
	// maxTriesOfJob is how often a job may fail before its message does.
	maxTriesOfJob = 5

	// maxLostOfJob is how many attempts at a job may be lost with the process
	// that made them, before the job is taken for the one that kills them.
	maxLostOfJob = 25

	// lostAlone is after how many lost attempts a job has to wait, longer each
	// time up to maxLostWait: a clip that kills its worker then does so alone,
	// and those that only died with it are done meanwhile.
	lostAlone   = 3
	maxLostWait = 30 * time.Second
)

// lostTooOften is the reason when workers died over a message time and again.
const lostTooOften = "The work on this message was cut off again and again. Try again, or send the clip in another format."

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
type jobRow struct {
	ID          string
	WorkspaceNo int64  `db:"workspace_no"`
	WorkspaceID string `db:"workspace_id"`
	MessageID   string `db:"message_id"`
	Priority    transcribe.Priority
	State       string
	Attempt     int
	Tries       int
	Lost        int
	LeaseUntil  int64 `db:"lease_until"`
	RunAt       int64 `db:"run_at"`

	// HaveTranscript says that the transcript was made while the message was
	// spoken, and is not asked for.
	HaveTranscript bool `db:"have_transcript"`
}

const selectJobs = `SELECT j.id, j.workspace_no, w.id AS workspace_id, j.message_id, j.priority, j.state, j.attempt, j.tries, j.lost, j.lease_until, j.run_at, j.have_transcript
	FROM jobs j JOIN workspaces w ON w.no = j.workspace_no `

func (r jobRow) ref() storage.JobRef {
	return storage.JobRef{ID: r.ID, Priority: r.Priority, Attempt: r.Attempt}
}

// open says whether there is work left to begin or to go on with.
func (r jobRow) open() bool { return r.State == "waiting" || r.State == "running" }

func (s session) job(ctx context.Context, id string) (row jobRow, err error) {
	err = s.get(ctx, &row, selectJobs+`WHERE j.id = ?`, id)
	return row, err
}

func (s session) jobOf(ctx context.Context, messageID string) (row jobRow, err error) {
	err = s.get(ctx, &row, selectJobs+`WHERE j.message_id = ?`, messageID)
	return row, err
}

func (t *tx) insertJob(ctx context.Context, ref storage.JobRef, state string, haveTranscript bool) error {
	_, err := t.exec(ctx, `INSERT INTO jobs (id, workspace_no, message_id, priority, state, have_transcript, run_at, waiting_since, created_at)
		VALUES `+tuples(1, 9), ref.ID, t.workspaceNo, ref.ID, int(ref.Priority), state, haveTranscript, toMS(t.now), toMS(t.now), toMS(t.now))
	return err
}

// setState moves a message on its way and tells of it.
func (t *tx) setState(ctx context.Context, messageID, conversationID string, state storage.State, reason string) error {
	t.event(storage.MessageUpdated, conversationID, messageID, map[string]any{"state": state})
	_, err := t.exec(ctx, `UPDATE messages SET state = ?, failure_reason = ?, progress = 0, updated_at = ? WHERE id = ?`, state, clean(reason), toMS(t.now), messageID)
	return err
}

// advance moves a message on its way as its job goes on. One that is ready
// stays so: its job only adds to it.
func (t *tx) advance(ctx context.Context, m workedMessage, state storage.State, reason string) error {
	if m.State == storage.Ready {
		return nil
	}
	return t.setState(ctx, m.ID, m.ConversationID, state, reason)
}

// BeginJob begins the next attempt of a job, under a lease. It fails with
// storage.ErrNotFound when there is nothing to do (the message is deleted or
// the job over) and with storage.ErrBusy while another attempt's lease lives,
// or while a job waits whose attempts were lost time and again. A job that has
// lost too many fails here.
func (db *DB) BeginJob(ctx context.Context, jobID, worker string, lease time.Duration) (pipeline.Task, error) {
	job, err := db.findJob(ctx, "begin job", jobID)
	if err != nil {
		return pipeline.Task{}, err
	}
	var task pipeline.Task
	var instead error // what was decided about the job instead of beginning it
	err = db.change(ctx, "begin job", job.WorkspaceID, func(ctx context.Context, t *tx) error {
		job, err := t.job(ctx, jobID)
		switch {
		case err != nil:
			return err
		case !job.open():
			return storage.ErrNotFound
		case job.State == "running" && pending(job.LeaseUntil, t.now), job.State == "waiting" && job.Lost >= lostAlone && pending(job.RunAt, t.now):
			return storage.ErrBusy
		}
		m, err := t.workedMessage(ctx, job.MessageID)
		if err != nil {
			return err
		}
		if job.State == "running" {
			job.Tries--
			job.Lost++
			if instead, err = t.loseAttempt(ctx, job, m); instead != nil || err != nil {
				return err
			}
		}
		_, err = t.exec(ctx, `UPDATE jobs SET state = 'running', attempt = ?, tries = ?, worker = ?, lease_until = ? WHERE id = ?`,
			job.Attempt+1, job.Tries+1, clean(worker), toMS(t.now.Add(lease)), jobID)
		if err != nil {
			return err
		}
		task = m.task(job)
		return t.advance(ctx, m, storage.Processing, "")
	})
	if err == nil && instead != nil {
		return pipeline.Task{}, fmt.Errorf("begin job: %w", instead)
	}
	return task, err
}

// farOff is longer than any job's lease, and than a wait of one that was lost.
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
func (t *tx) loseAttempt(ctx context.Context, job jobRow, m workedMessage) (instead, err error) {
	if _, err := t.exec(ctx, `UPDATE jobs SET lost = ? WHERE id = ?`, job.Lost, job.ID); err != nil {
		return nil, err
	}
	switch {
	case job.Lost >= maxLostOfJob:
		return storage.ErrNotFound, t.endJob(ctx, job, m, lostTooOften)
	case job.Lost >= lostAlone:
		wait := min(time.Second<<job.Lost, maxLostWait)
		return storage.ErrBusy, t.waitAgain(ctx, job, m, t.now.Add(wait), job.Tries)
	}
	return nil, nil
}

func (db *DB) findJob(ctx context.Context, op, id string) (job jobRow, err error) {
	err = db.read(ctx, op, func(ctx context.Context, s session) error {
		job, err = s.job(ctx, id)
		return err
	})
	return job, err
}

// workedMessage is what a worker needs to know of a message.
type workedMessage struct {
	ID             string
	ConversationID string `db:"conversation_id"`
	State          storage.State
	Key            string       `db:"original_key"`
	Format         media.Format `db:"original_format"`
	Bytes          int64        `db:"original_bytes"`
	RenditionKey   string       `db:"rendition_key"`
	RenditionType  string       `db:"rendition_type"`
	Measured       bool
	Version        int `db:"transcript_version"`
}

func (s session) workedMessage(ctx context.Context, id string) (row workedMessage, err error) {
	err = s.get(ctx, &row, `SELECT id, conversation_id, state, original_key, original_format, original_bytes, rendition_key,
		rendition_type, waveform IS NOT NULL AS measured, transcript_version FROM messages WHERE id = ?`, id)
	return row, err
}

// task is the next attempt of the job. Attempts that did not count are added
// to MaxAttempts, so that the attempt numbered MaxAttempts is the last try.
func (m workedMessage) task(job jobRow) pipeline.Task {
	return pipeline.Task{
		JobID: job.ID, MessageID: m.ID, WorkspaceID: job.WorkspaceID,
		Attempt: job.Attempt + 1, MaxAttempts: job.Attempt - job.Tries + maxTriesOfJob, Try: job.Tries + 1, Priority: job.Priority,
		Key: m.Key, Format: m.Format, Bytes: m.Bytes,
		RenditionKey: m.RenditionKey, HaveRendition: m.RenditionType != "", HaveSound: m.Measured,
		HaveTranscript: job.HaveTranscript,
	}
}

// attempt runs fn with the job and the message of the task while no other
// attempt can begin; storage.ErrStale when the task is not the job's newest
// attempt, or the message is gone.
func (db *DB) attempt(ctx context.Context, op string, task pipeline.Task, fn func(context.Context, *tx, jobRow, workedMessage) error) error {
	return db.change(ctx, op, task.WorkspaceID, func(ctx context.Context, t *tx) error {
		job, err := t.job(ctx, task.JobID)
		if err != nil || job.Attempt != task.Attempt || job.State == "waiting" {
			return staleUnless(err)
		}
		m, err := t.workedMessage(ctx, job.MessageID)
		if err != nil {
			return err
		}
		return fn(ctx, t, job, m)
	})
}

// RenewLease keeps a job for the attempt that has it; storage.ErrStale when it
// has it no more.
func (db *DB) RenewLease(ctx context.Context, task pipeline.Task, lease time.Duration) error {
	return db.write(ctx, "renew lease", func(ctx context.Context, t *tx) error {
		n, err := t.exec(ctx, `UPDATE jobs SET lease_until = ? WHERE id = ? AND attempt = ? AND state = 'running'`,
			toMS(t.now.Add(lease)), task.JobID, task.Attempt)
		if err == nil && n == 0 {
			return storage.ErrStale
		}
		return err
	})
}

// FailJob ends an attempt without success. With retryAfter >= 0 the job waits
// that long for another attempt, and reason is only for the log; below 0 the
// message fails, and reason tells a person why; one that is ready stays so.
// What was saved stays.
func (db *DB) FailJob(ctx context.Context, task pipeline.Task, reason string, retryAfter time.Duration) error {
	return db.attempt(ctx, "fail job", task, func(ctx context.Context, t *tx, job jobRow, m workedMessage) error {
		switch {
		case job.State != "running":
			return storage.ErrStale
		case retryAfter < 0:
			return t.endJob(ctx, job, m, reason)
		}
		return t.waitAgain(ctx, job, m, t.now.Add(retryAfter), job.Tries)
	})
}

// ReleaseJob hands a job back that its worker will not finish, as if the
// attempt had not been.
func (db *DB) ReleaseJob(ctx context.Context, task pipeline.Task) error {
	return db.attempt(ctx, "release job", task, func(ctx context.Context, t *tx, job jobRow, m workedMessage) error {
		if job.State != "running" {
			return storage.ErrStale
		}
		return t.waitAgain(ctx, job, m, t.now, job.Tries-1)
	})
}

// waitAgain puts a running job back. The bus redelivers it by itself at runAt,
// so it counts as published then, and the sweeper steps in a minute later.
func (t *tx) waitAgain(ctx context.Context, job jobRow, m workedMessage, runAt time.Time, tries int) error {
	_, err := t.exec(ctx, `UPDATE jobs SET state = 'waiting', worker = '', lease_until = 0, tries = ?, run_at = ?, waiting_since = ?, published_at = ? WHERE id = ?`,
		tries, toMS(runAt), toMS(t.now), toMS(runAt), job.ID)
	if err != nil {
		return err
	}
	return t.advance(ctx, m, storage.Received, "")
}

// endJob gives a job up: its message failed, unless it was ready without it.
func (t *tx) endJob(ctx context.Context, job jobRow, m workedMessage, reason string) error {
	if _, err := t.exec(ctx, `UPDATE jobs SET state = 'failed', worker = '', lease_until = 0 WHERE id = ?`, job.ID); err != nil {
		return err
	}
	return t.advance(ctx, m, storage.Failed, reason)
}

// staleUnless is storage.ErrStale for an attempt that is over; err if it is
// another failure than a job that is gone.
func staleUnless(err error) error {
	if err == nil || errors.Is(err, storage.ErrNotFound) {
		return storage.ErrStale
	}
	return err
}
