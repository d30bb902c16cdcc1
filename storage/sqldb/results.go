package sqldb

import (
	"context"
	"fmt"
	"math"

	"hark/storage"
	"hark/transcribe"
	"hark/transcribe/pipeline"
)

// silence is how loudness that has no number is kept, in LUFS: the gate of
// EBU R128, below which nothing is measured.
const silence = -70

// measurable is loudness as it is kept.
func measurable(lufs float64) float64 {
	if math.IsNaN(lufs) || lufs < silence {
		return silence
	}
	return lufs
}

// SaveSound saves what was measured of a message's sound. Like the other
// saves it fails with storage.ErrStale for an attempt that is over, and
// changes nothing when done again.
func (db *DB) SaveSound(ctx context.Context, task pipeline.Task, sound pipeline.Sound) error {
	return db.save(ctx, "save sound", task, `duration_ms = ?, loudness = ?, waveform = ?`,
		sound.DurationMS, measurable(sound.LoudnessLUFS), packPeaks(sound.Peaks))
}

// SaveRendition saves that a message's rendition is in the object store.
func (db *DB) SaveRendition(ctx context.Context, task pipeline.Task, r pipeline.Rendition) error {
	if r.Key != task.RenditionKey {
		return fmt.Errorf("save rendition: key %q is not the task's", r.Key)
	}
	return db.save(ctx, "save rendition", task, `rendition_type = ?, rendition_bytes = ?`, r.MediaType, r.Bytes)
}

// save sets columns of the task's message.
func (db *DB) save(ctx context.Context, op string, task pipeline.Task, set string, args ...any) error {
	return db.attempt(ctx, op, task, func(ctx context.Context, t *tx, job jobRow, m workedMessage) error {
		if job.State != "running" {
			return storage.ErrStale
		}
		t.event(storage.MessageUpdated, m.ConversationID, m.ID, map[string]any{"state": m.State})
		_, err := t.exec(ctx, `UPDATE messages SET `+set+`, revision = revision + 1, updated_at = ? WHERE id = ?`, append(args, toMS(t.now), m.ID)...)
		return err
	})
}

// SaveTranscript saves what was said as the message's next version, makes it
// searchable in place of the one before, and ends the job: the message is
// ready. Doing it again in the same attempt changes nothing.
func (db *DB) SaveTranscript(ctx context.Context, task pipeline.Task, transcript *transcribe.Transcript) error {
	return db.attempt(ctx, "save transcript", task, func(ctx context.Context, t *tx, job jobRow, m workedMessage) error {
		switch job.State {
		case "done":
			return nil
		case "failed":
			return storage.ErrStale
		}
		row, err := t.indexedMessage(ctx, m.ID)
		if err != nil {
			return err
		}
		if err := t.unindex(ctx, row); err != nil {
			return err
		}
		if err := t.putTranscript(ctx, row, transcript); err != nil {
			return err
		}
		if err := t.jobDone(ctx, job); err != nil {
			return err
		}
		if err := t.revise(ctx, `id = ?`, m.ID); err != nil {
			return err
		}
		return t.setState(ctx, m.ID, m.ConversationID, storage.Ready, "")
	})
}

// FinishJob ends a job that was not asked for a transcript: all else is saved.
// Doing it again in the same attempt changes nothing.
func (db *DB) FinishJob(ctx context.Context, task pipeline.Task) error {
	return db.attempt(ctx, "finish job", task, func(ctx context.Context, t *tx, job jobRow, _ workedMessage) error {
		if job.State == "failed" || !job.HaveTranscript {
			return storage.ErrStale
		}
		return t.jobDone(ctx, job)
	})
}

func (t *tx) jobDone(ctx context.Context, job jobRow) error {
	_, err := t.exec(ctx, `UPDATE jobs SET state = 'done', worker = '', lease_until = 0 WHERE id = ?`, job.ID)
	return err
}

// indexedMessage is what the index needs to know of a message.
type indexedMessage struct {
	ID             string
	Doc            int64
	ConversationNo int64 `db:"conversation_no"`
	AuthorNo       int64 `db:"author_no"`
	RecordedAt     int64 `db:"recorded_at"`
	Version        int   `db:"transcript_version"`
}

func (s session) indexedMessage(ctx context.Context, id string) (row indexedMessage, err error) {
	err = s.get(ctx, &row, `SELECT m.id, m.doc, c.no AS conversation_no, u.no AS author_no, m.recorded_at, m.transcript_version
		FROM messages m JOIN conversations c ON c.id = m.conversation_id JOIN users u ON u.id = m.author_id WHERE m.id = ?`, id)
	return row, err
}

// putTranscript writes the next version and indexes it. No version may be
// indexed when it is called.
func (t *tx) putTranscript(ctx context.Context, row indexedMessage, transcript *transcribe.Transcript) error {
	body, err := packSegments(transcript.Segments)
	if err != nil {
		return err
	}
	version := row.Version + 1
	_, err = t.exec(ctx, `INSERT INTO transcripts (message_id, version, language, engine, model, created_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		row.ID, version, clean(transcript.Language), clean(transcript.Engine), clean(transcript.Model), toMS(t.now), body)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `UPDATE messages SET transcript_version = ?, language = ? WHERE id = ?`, version, clean(transcript.Language), row.ID)
	if err != nil {
		return err
	}
	doc := newDocument(t.workspaceNo, row, body)
	t.words.add(row.ConversationNo, doc.units, 1)
	return t.dialect.index(ctx, t.session, doc)
}

// unindex takes the indexed version of a message, if there is one, out of the
// index and the lexicon.
func (t *tx) unindex(ctx context.Context, row indexedMessage) error {
	if row.Version == 0 {
		return nil
	}
	var body []byte
	if err := t.get(ctx, &body, `SELECT body FROM transcripts WHERE message_id = ? AND version = ?`, row.ID, row.Version); err != nil {
		return err
	}
	t.words.add(row.ConversationNo, newDocument(t.workspaceNo, row, body).units, -1)
	return t.dialect.unindex(ctx, t.session, `workspace_no = ? AND doc = ?`, t.workspaceNo, row.Doc)
}
