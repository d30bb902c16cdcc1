package sqldb

import (
	"context"
	"fmt"
	"time"

	"hark/storage"
	"hark/storage/sqldb/codec"
)

// FinishRecording ends a recording whose sound is one object in the store. With
// a transcript, the message is ready and searchable at once, and its job makes
// the rendition; without, it is received, and its job listens.
//
// It fails with storage.ErrStale when another node has the recording, and with
// storage.ErrNotFound when it was deleted meanwhile. Finished before, it is
// returned as it is, so that a recorder that was cut off can do it again.
func (db *DB) FinishRecording(ctx context.Context, f storage.FinishedRecording) (msg storage.Message, err error) {
	err = db.changeRecording(ctx, "finish recording", f.ID, f.Node, func(ctx context.Context, t *tx, row messageRow, held bool) error {
		if held {
			if f.Original.Key != row.OriginalKey {
				return fmt.Errorf("key %q is not the recording's", f.Original.Key)
			}
			if err := t.finish(ctx, row, f); err != nil {
				return err
			}
			if row, err = t.anyMessage(ctx, f.ID); err != nil {
				return err
			}
		}
		if row.State == storage.Recording {
			return storage.ErrStale // by another node
		}
		msg = row.message()
		return nil
	})
	return msg, err
}

// finish writes all that a recording became.
func (t *tx) finish(ctx context.Context, row messageRow, f storage.FinishedRecording) error {
	var loudness *float64
	if f.LoudnessLUFS != nil {
		l := measurable(*f.LoudnessLUFS)
		loudness = &l
	}
	var waveform []byte // NULL
	if f.Peaks != nil {
		waveform = codec.EncodePeaks(f.Peaks)
	}
	_, err := t.Exec(ctx, `UPDATE messages SET original_format = ?, original_bytes = ?, original_sha256 = ?, original_filename = ?,
			duration_ms = ?, waveform = ?, loudness = ?, end_reason = ?, revision = revision + 1 WHERE id = ?`,
		f.Original.Format, f.Original.Bytes, f.Original.SHA256, clean(f.Original.Filename),
		f.DurationMS, waveform, loudness, clean(f.EndReason), f.ID)
	if err != nil {
		return err
	}
	if err := t.addUsage(ctx, row.AuthorID, f.Original.Bytes); err != nil {
		return err
	}
	state := storage.Received
	if f.Transcript != nil {
		state = storage.Ready
		indexed, err := t.indexedMessage(ctx, f.ID)
		if err != nil {
			return err
		}
		if err := t.putTranscript(ctx, indexed, f.Transcript); err != nil {
			return err
		}
	} else if err := t.reindexTitle(ctx, f.ID); err != nil {
		return err
	}
	priority := storage.PriorityOf(time.Duration(f.DurationMS) * time.Millisecond)
	if err := t.messageJob(ctx, f.ID, row.AuthorID, priority, "waiting", f.Transcript != nil && !f.Improve); err != nil {
		return err
	}
	return t.setState(ctx, row.ref(), state, "")
}

// DropRecording deletes a recording in which nothing was said. It fails with
// storage.ErrStale when another node has it or it is finished, and with
// storage.ErrNotFound when it is gone already.
func (db *DB) DropRecording(ctx context.Context, id, node string) error {
	return db.changeRecording(ctx, "drop recording", id, node, func(ctx context.Context, t *tx, row messageRow, held bool) error {
		if !held {
			return storage.ErrStale
		}
		return t.deleteMessage(ctx, row)
	})
}

// changeRecording runs fn with a recording's message. held says that the node
// had the recording; it is taken off the recordings then, and no other node can
// claim it unless fn fails.
func (db *DB) changeRecording(ctx context.Context, op, id, node string, fn func(ctx context.Context, t *tx, row messageRow, held bool) error) error {
	var row messageRow
	err := db.read(ctx, op, func(ctx context.Context, s session) (err error) {
		row, err = s.anyMessage(ctx, id)
		return err
	})
	if err != nil {
		return err
	}
	return db.change(ctx, op, row.Workspace, func(ctx context.Context, t *tx) error {
		row, err := t.anyMessage(ctx, id)
		if err != nil {
			return err
		}
		n, err := t.Exec(ctx, `DELETE FROM recordings WHERE message_id = ? AND node = ?`, id, node)
		if err != nil {
			return err
		}
		return fn(ctx, t, row, n > 0)
	})
}
