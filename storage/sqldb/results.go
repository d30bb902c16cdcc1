package sqldb

import (
	"context"
	"fmt"
	"math"

	"hark/media/transcript"
	"hark/storage"
	"hark/storage/sqldb/codec"
	"hark/storage/sqldb/search"
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
func (db *DB) SaveSound(ctx context.Context, task storage.Task, sound storage.Sound) error {
	return db.save(ctx, "save sound", task, `duration_ms = ?, loudness = ?, waveform = ?`,
		sound.DurationMS, measurable(sound.LoudnessLUFS), codec.EncodePeaks(sound.Peaks))
}

// SaveRendition saves that a message's rendition is in the object store.
func (db *DB) SaveRendition(ctx context.Context, task storage.Task, r storage.Rendition) error {
	if r.Key != task.RenditionKey {
		return fmt.Errorf("save rendition: key %q is not the task's", r.Key)
	}
	return db.save(ctx, "save rendition", task, `rendition_type = ?, rendition_bytes = ?`, r.MediaType, r.Bytes)
}

// save sets columns of the task's message.
func (db *DB) save(ctx context.Context, op string, task storage.Task, set string, args ...any) error {
	return db.transcribing(ctx, op, task, func(ctx context.Context, t *tx, job jobRow, m workedMessage) error {
		if job.State != "running" {
			return storage.ErrStale
		}
		t.messageEvent(storage.MessageUpdated, m.messageRef, map[string]any{"state": m.State})
		_, err := t.Exec(ctx, `UPDATE messages SET `+set+`, revision = revision + 1, updated_at = ? WHERE id = ?`, append(args, toMS(t.now), m.ID)...)
		return err
	})
}

// SaveTranscript saves what was said as the message's next version, makes it
// searchable in place of the one before, and ends the job: the message is
// ready. Doing it again in the same attempt changes nothing.
func (db *DB) SaveTranscript(ctx context.Context, task storage.Task, transcript *transcript.Transcript) error {
	return db.transcribing(ctx, "save transcript", task, func(ctx context.Context, t *tx, job jobRow, m workedMessage) error {
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
		return t.setState(ctx, m.messageRef, storage.Ready, "")
	})
}

// indexedMessage is what the index needs to know of a message.
type indexedMessage struct {
	ID             string
	Doc            int64
	ConversationNo int64 `db:"conversation_no"`
	AuthorNo       int64 `db:"author_no"`
	RecordedAt     int64 `db:"recorded_at"`
	Version        int   `db:"transcript_version"`
	Draft          bool  // not in the index, nor in the lexicon
	Title          string
	IndexedTitle   string `db:"indexed_title"` // the title by which it is found; empty for a draft
}

func (m indexedMessage) place(workspaceNo int64) search.Message {
	return search.Message{Doc: m.Doc, WorkspaceNo: workspaceNo, ConversationNo: m.ConversationNo, AuthorNo: m.AuthorNo, RecordedAt: m.RecordedAt}
}

func (s session) indexedMessage(ctx context.Context, id string) (row indexedMessage, err error) {
	err = s.Get(ctx, &row, `SELECT m.id, m.doc, c.no AS conversation_no, u.no AS author_no, m.recorded_at, m.transcript_version, m.sent_at IS NULL AS draft,
		m.title, m.indexed_title FROM messages m JOIN conversations c ON c.id = m.conversation_id JOIN users u ON u.id = m.author_id WHERE m.id = ?`, id)
	return row, err
}

// putTranscript writes the next version and indexes it, unless it is a draft's.
// No version may be indexed when it is called.
func (t *tx) putTranscript(ctx context.Context, row indexedMessage, transcript *transcript.Transcript) error {
	body, err := codec.Encode(transcript)
	if err != nil {
		return err
	}
	version := row.Version + 1
	_, err = t.Exec(ctx, `INSERT INTO transcripts (message_id, version, language, engine, model, created_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		row.ID, version, clean(transcript.Language), clean(transcript.Engine), clean(transcript.Model), toMS(t.now), body)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE messages SET transcript_version = ?, language = ? WHERE id = ?`, version, clean(transcript.Language), row.ID)
	if err != nil {
		return err
	}
	if row.Draft {
		return nil
	}
	return t.index(ctx, row, body)
}

// index makes a message, which is not in the index, findable by its title and
// what is said in it: body is its newest transcript, nil for none.
func (t *tx) index(ctx context.Context, row indexedMessage, body []byte) error {
	err := search.Add(ctx, t.Session, &t.words, row.place(t.workspaceNo), row.Title, body)
	if err != nil || row.Title == row.IndexedTitle {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE messages SET indexed_title = title WHERE id = ?`, row.ID)
	return err
}

// unindex takes a message out of the index and the lexicon, if it is there.
func (t *tx) unindex(ctx context.Context, row indexedMessage) error {
	if row.Draft || row.Version == 0 && row.IndexedTitle == "" {
		return nil
	}
	body, err := t.body(ctx, row)
	if err != nil {
		return err
	}
	return search.Remove(ctx, t.Session, &t.words, row.place(t.workspaceNo), row.IndexedTitle, body)
}

// body reads the newest version of a transcript; nil where there is none.
func (t *tx) body(ctx context.Context, row indexedMessage) (body []byte, err error) {
	if row.Version > 0 {
		err = t.Get(ctx, &body, `SELECT body FROM transcripts WHERE message_id = ? AND version = ?`, row.ID, row.Version)
	}
	return body, err
}

// reindexTitle has a message found by the title that it has now, unless it is a draft.
func (t *tx) reindexTitle(ctx context.Context, id string) error {
	row, err := t.indexedMessage(ctx, id)
	if err != nil || row.Draft || row.Title == row.IndexedTitle {
		return err
	}
	if err := t.unindex(ctx, row); err != nil {
		return err
	}
	body, err := t.body(ctx, row)
	if err != nil {
		return err
	}
	if row.Title != "" || row.Version > 0 {
		return t.index(ctx, row, body)
	}
	_, err = t.Exec(ctx, `UPDATE messages SET indexed_title = '' WHERE id = ?`, id)
	return err
}

// SaveProgress keeps how far the attempt is with its message, 0 to 1, for who
// asks, and returns the event that is to pass, for who listens, without its
// data. It keeps no event. storage.ErrStale when the attempt is over, or the message is ready
// without it, so that nobody sees a message that is done go back.
func (db *DB) SaveProgress(ctx context.Context, task storage.Task, fraction float64) (passing storage.Event, err error) {
	err = db.write(ctx, "save progress", func(ctx context.Context, t *tx) error {
		n, err := t.Exec(ctx, `UPDATE messages SET progress = ? WHERE id = ? AND state <> ? AND EXISTS
			(SELECT 1 FROM jobs WHERE id = ? AND attempt = ? AND state = 'running')`,
			min(max(fraction, 0), 1), task.MessageID, storage.Ready, task.ID, task.Attempt)
		if err == nil && n == 0 {
			return storage.ErrStale
		}
		if err != nil {
			return err
		}
		var m messageRef
		err = t.Get(ctx, &m, `SELECT id, conversation_id, author_id, sent_at IS NULL AS draft, COALESCE(sent_at, 0) AS sent_at FROM messages WHERE id = ?`, task.MessageID)
		passing = storage.Event{
			WorkspaceID: task.WorkspaceID, Type: storage.MessageProgress, ConversationID: m.ConversationID, MessageID: m.ID, At: t.now, SentAt: m.SentAt,
		}
		if m.Draft {
			passing.OnlyFor = m.AuthorID
		}
		return err
	})
	return passing, err
}
