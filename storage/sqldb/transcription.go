package sqldb

import (
	"context"

	"hark/media"
	"hark/storage"
)

// What a job of the kind transcribe does to its message as it goes on.

// lostTooOften is the reason when workers died over a job time and again.
func lostTooOften(kind storage.JobKind) string {
	if kind == storage.Transcribe {
		return "The work on this message was cut off again and again. Try again, or send the clip in another format."
	}
	return "The worker died in the middle, again and again."
}

// messageJob gives a message of an author its job, which is waiting or done.
func (t *tx) messageJob(ctx context.Context, messageID, authorID string, p storage.Priority, state string, haveTranscript bool) error {
	return t.insertJob(ctx, jobRow{
		ID: messageID, MessageID: messageID, AuthorID: authorID, Kind: storage.Transcribe, Subject: messageID,
		Priority: p, State: state, HaveTranscript: haveTranscript,
	})
}

// setState moves a message on its way and tells of it.
func (t *tx) setState(ctx context.Context, m messageRef, state storage.State, reason string) error {
	t.messageEvent(storage.MessageUpdated, m, map[string]any{"state": state})
	_, err := t.Exec(ctx, `UPDATE messages SET state = ?, failure_reason = ?, progress = 0, updated_at = ? WHERE id = ?`, state, clean(reason), toMS(t.now), m.ID)
	return err
}

// advanceSubject moves the message of a job on its way as the job goes on. One
// that is ready stays so: its job only adds to it. A message that is gone is
// storage.ErrNotFound. Jobs of other kinds move nothing.
func (t *tx) advanceSubject(ctx context.Context, job jobRow, state storage.State, reason string) error {
	if job.Kind != storage.Transcribe {
		return nil
	}
	m, err := t.workedMessage(ctx, job.MessageID)
	if err != nil || m.State == storage.Ready {
		return err
	}
	return t.setState(ctx, m.messageRef, state, reason)
}

// transcribing is attempt with the message of the job; storage.ErrStale when it
// is gone.
func (db *DB) transcribing(ctx context.Context, op string, task storage.Task, fn func(context.Context, *tx, jobRow, workedMessage) error) error {
	return db.attempt(ctx, op, task.Job, func(ctx context.Context, t *tx, job jobRow) error {
		m, err := t.workedMessage(ctx, job.MessageID)
		if err != nil {
			return err
		}
		return fn(ctx, t, job, m)
	})
}

// Task is what an attempt at a job of the kind transcribe has to do;
// storage.ErrStale when the attempt is over or its message gone.
func (db *DB) Task(ctx context.Context, job storage.Job) (task storage.Task, err error) {
	var m struct {
		workedMessage
		HaveTranscript bool `db:"have_transcript"`
	}
	err = db.read(ctx, "read task", func(ctx context.Context, s session) error {
		err := s.Get(ctx, &m, `SELECT `+workedColumns+`, j.have_transcript FROM jobs j JOIN messages m ON m.id = j.message_id
			WHERE j.id = ? AND j.attempt = ? AND j.state = 'running' AND `+notDeleted, job.ID, job.Attempt)
		if err != nil {
			return staleUnless(err)
		}
		return nil
	})
	if err != nil {
		return task, err
	}
	return storage.Task{
		Job: job, MessageID: m.ID,
		Key: m.Key, Format: m.Format, Bytes: m.Bytes,
		RenditionKey: m.RenditionKey, HaveRendition: m.RenditionType != "", HaveSound: m.Measured,
		HaveTranscript: m.HaveTranscript,
	}, nil
}

// workedMessage is what a worker needs to know of a message.
type workedMessage struct {
	messageRef
	State         storage.State
	Key           string       `db:"original_key"`
	Format        media.Format `db:"original_format"`
	Bytes         int64        `db:"original_bytes"`
	RenditionKey  string       `db:"rendition_key"`
	RenditionType string       `db:"rendition_type"`
	Measured      bool
}

const workedColumns = `m.id, m.conversation_id, m.author_id, m.sent_at IS NULL AS draft, COALESCE(m.sent_at, 0) AS sent_at, m.state, m.original_key, m.original_format, m.original_bytes,
	m.rendition_key, m.rendition_type, m.waveform IS NOT NULL AS measured`

func (s session) workedMessage(ctx context.Context, id string) (row workedMessage, err error) {
	err = s.Get(ctx, &row, `SELECT `+workedColumns+` FROM messages m WHERE m.id = ? AND `+notDeleted, id)
	return row, err
}
