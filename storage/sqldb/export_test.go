package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"hark/media/transcript"
	"hark/storage"
	"hark/storage/sqldb/search"
)

// MigrateTo stops at a version, for tests that begin with an older schema.
func (db *DB) MigrateTo(ctx context.Context, version int64) error {
	provider, err := db.conn.Migrations()
	if err == nil {
		_, err = provider.UpTo(ctx, version)
	}
	return err
}

// MigrateBack goes back to an older version.
func (db *DB) MigrateBack(ctx context.Context, version int64) error {
	provider, err := db.conn.Migrations()
	if err == nil {
		_, err = provider.DownTo(ctx, version)
	}
	return err
}

// AcceptAt1 records a message as version 1 of the schema had it: waiting for
// its job or, with a transcript, ready.
func (db *DB) AcceptAt1(ctx context.Context, principal storage.Principal, m storage.NewMessage, transcript *transcript.Transcript) error {
	return db.change(ctx, "accept message", principal.WorkspaceID, func(ctx context.Context, t *tx) error {
		n, err := t.next(ctx, "last_message", 1)
		if err != nil {
			return err
		}
		state, job := storage.Received, "waiting"
		if transcript != nil {
			state, job = storage.Ready, "done"
		}
		_, err = t.Exec(ctx, `INSERT INTO messages (id, doc, workspace_no, conversation_id, author_id, title, reply_to, reply_at_ms,
				recorded_at, created_at, updated_at, state, duration_ms, original_key, original_format, original_bytes,
				original_sha256, original_filename, rendition_key)
			VALUES (?, ?, ?, ?, ?, '', '', 0, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?)`, m.ID, search.Doc(t.workspaceNo, n), t.workspaceNo, m.ConversationID,
			principal.UserID, toMS(t.now), toMS(t.now), toMS(t.now), state, m.Original.Key, m.Original.Format, m.Original.Bytes,
			m.Original.SHA256, m.Original.Filename, "renditions/"+m.ID)
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, `INSERT INTO jobs (id, workspace_no, message_id, priority, state, run_at, waiting_since, created_at)
			VALUES (?, ?, ?, 0, ?, ?, ?, ?)`, m.ID, t.workspaceNo, m.ID, job, toMS(t.now), toMS(t.now), toMS(t.now))
		if err != nil || transcript == nil {
			return err
		}
		row := indexedMessage{ID: m.ID, Doc: search.Doc(t.workspaceNo, n), RecordedAt: toMS(t.now)}
		err = t.Get(ctx, &row, `SELECT c.no AS conversation_no, u.no AS author_no FROM messages m
			JOIN conversations c ON c.id = m.conversation_id JOIN users u ON u.id = m.author_id WHERE m.id = ?`, m.ID)
		if err != nil {
			return err
		}
		return t.putTranscript(ctx, row, transcript)
	})
}

// SpeakAt3 records a recording of a node as version 3 of the schema had it.
func (db *DB) SpeakAt3(ctx context.Context, principal storage.Principal, r storage.NewRecording) error {
	return db.change(ctx, "begin recording", principal.WorkspaceID, func(ctx context.Context, t *tx) error {
		n, err := t.next(ctx, "last_message", 1)
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, `INSERT INTO messages (id, doc, workspace_no, conversation_id, author_id, title, reply_to, reply_at_ms,
				recorded_at, created_at, updated_at, state, duration_ms, original_key, original_format, original_bytes,
				original_sha256, original_filename, rendition_key)
			VALUES (?, ?, ?, ?, ?, '', '', 0, ?, ?, ?, ?, 0, ?, '', 0, '', '', '')`, r.ID, search.Doc(t.workspaceNo, n), t.workspaceNo, r.ConversationID,
			principal.UserID, toMS(t.now), toMS(t.now), toMS(t.now), storage.Recording, r.OriginalKey)
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, `INSERT INTO recordings (message_id, workspace_no, node, lease_until, begun_at, captions) VALUES (?, ?, ?, ?, ?, ?)`,
			r.ID, t.workspaceNo, r.Node, toMS(t.now.Add(r.Lease)), toMS(t.now), r.Captions)
		return err
	})
}

// JobsAt13 lists the jobs that version 13 begins, by the questions that it asks: those
// that are due, and of these the one whose turn it is.
func (db *DB) JobsAt13(ctx context.Context) (due []string, next string, err error) {
	err = db.read(ctx, "find due jobs", func(ctx context.Context, s session) error {
		var rows []struct {
			ID        string
			MessageID string `db:"message_id"`
			AuthorID  string `db:"author_id"`
			Turn      int64
		}
		err := s.List(ctx, &rows, `SELECT j.id, j.message_id, j.author_id, j.turn FROM jobs j JOIN workspaces w ON w.no = j.workspace_no
			WHERE j.state = 'waiting' AND EXISTS (SELECT 1 FROM messages m WHERE m.id = j.message_id AND `+notDeleted+`) ORDER BY j.run_at, j.id`)
		if err != nil {
			return err
		}
		due = nil
		for _, r := range rows {
			due = append(due, r.MessageID)
		}
		return s.Get(ctx, &next, `SELECT j.id FROM jobs j WHERE j.state IN ('waiting', 'running') AND j.priority = 0 AND j.state = 'waiting'
			AND EXISTS (SELECT 1 FROM messages m WHERE m.id = j.message_id AND `+notDeleted+`) ORDER BY j.turn, j.id LIMIT 1`)
	})
	return due, next, err
}

// AddJobAt13 gives a message its job as version 13 did.
func (db *DB) AddJobAt13(ctx context.Context, workspaceNo int, messageID, authorID string) error {
	return db.Exec(ctx, `INSERT INTO jobs (id, workspace_no, message_id, author_id, priority, turn, state, have_transcript, run_at, waiting_since, created_at)
		VALUES (?, ?, ?, ?, 0, 0, 'waiting', FALSE, 1, 1, 1)`, messageID, workspaceNo, messageID, authorID)
}

// HeardAt9 lists the events that version 9 tells a principal of, by the question
// that it asks.
func (db *DB) HeardAt9(ctx context.Context, principal storage.Principal) (seqs []int64, err error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return nil, err
	}
	id, all := principal.UserID, flag(storage.MaySeeEveryone(principal))
	err = db.read(ctx, "read events", func(ctx context.Context, s session) error {
		return s.List(ctx, &seqs, `SELECT e.seq FROM events e WHERE e.workspace_no = ? AND
			((e.audience = '' OR e.audience LIKE '%,' || ? || ',%') AND (e.type = 'conversation.deleted' AND e.audience <> ''
			OR EXISTS (SELECT 1 FROM conversation_members me WHERE me.conversation_id = e.conversation_id AND me.user_id = ?))
			OR e.conversation_id = '' AND (e.audience LIKE '%,' || ? || ',%' OR e.audience LIKE '*%' AND ? = 1)) ORDER BY e.seq`, no, id, id, id, all)
	})
	return seqs, err
}

// ObjectsToDeleteAgain lists the objects that are named again later.
func (db *DB) ObjectsToDeleteAgain(ctx context.Context) (keys []string, err error) {
	err = db.read(ctx, "list objects to delete", func(ctx context.Context, s session) error {
		return s.List(ctx, &keys, `SELECT key FROM doomed_objects WHERE due_at > `+s.NowSQL())
	})
	return keys, err
}

// SearchStatements runs a search, and returns the statements that it ran, each
// with its arguments.
func (db *DB) SearchStatements(ctx context.Context, principal storage.Principal, q storage.Query) (ran []string, results storage.Results, err error) {
	parsed, err := parse(q)
	if err != nil {
		return nil, results, err
	}
	no, seal, err := db.pages(ctx, principal)
	if err != nil {
		return nil, results, err
	}
	err = db.read(ctx, "search", func(ctx context.Context, s session) error {
		ran = nil
		s.Ext = &recordingExt{ExtContext: s.Ext, ran: &ran}
		run := searchRun{session: s, seal: seal, workspaceNo: no, principal: principal, asked: q}
		results, err = run.search(ctx, parsed)
		return err
	})
	return ran, results, err
}

// recordingExt notes the questions that a database is asked.
type recordingExt struct {
	sqlx.ExtContext
	ran *[]string
}

func (e *recordingExt) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	*e.ran = append(*e.ran, fmt.Sprint(query, args))
	return e.ExtContext.QueryContext(ctx, query, args...)
}

func (e *recordingExt) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	*e.ran = append(*e.ran, fmt.Sprint(query, args))
	return e.ExtContext.QueryxContext(ctx, query, args...)
}

func (e *recordingExt) QueryRowxContext(ctx context.Context, query string, args ...any) *sqlx.Row {
	*e.ran = append(*e.ran, fmt.Sprint(query, args))
	return e.ExtContext.QueryRowxContext(ctx, query, args...)
}

// LexiconRows counts the rows of the lexicon and of its trigrams.
func (db *DB) LexiconRows(ctx context.Context) (words, trigrams int, err error) {
	err = db.read(ctx, "count lexicon", func(ctx context.Context, s session) error {
		if err := s.Get(ctx, &words, `SELECT COUNT(*) FROM lexicon`); err != nil {
			return err
		}
		return s.Get(ctx, &trigrams, `SELECT COUNT(*) FROM lexicon_trigrams`)
	})
	return words, trigrams, err
}

// IndexRows counts the messages in the index.
func (db *DB) IndexRows(ctx context.Context) (n int, err error) {
	err = db.read(ctx, "count index", func(ctx context.Context, s session) error {
		return s.Get(ctx, &n, `SELECT COUNT(*) FROM search_docs`)
	})
	return n, err
}

// JobOf returns the job of a message.
func (db *DB) JobOf(ctx context.Context, messageID string) (ref storage.JobRef, err error) {
	return db.JobAbout(ctx, storage.Transcribe, messageID)
}

// JobAbout returns the job of a kind and subject.
func (db *DB) JobAbout(ctx context.Context, kind storage.JobKind, subject string) (ref storage.JobRef, err error) {
	err = db.read(ctx, "find job", func(ctx context.Context, s session) error {
		job, err := s.jobOf(ctx, kind, subject)
		ref = job.ref()
		return err
	})
	return ref, err
}

// PurgeStep does one step of purging, as the first of a new process.
func (db *DB) PurgeStep(ctx context.Context) error {
	p, err := db.nextPurge(ctx)
	if err == nil {
		_, err = p.step(ctx)
	}
	return err
}

// TablesWith lists the tables that have a text in any column, those apart that
// the full-text index of SQLite consists of.
func (db *DB) TablesWith(ctx context.Context, text string) (with []string, err error) {
	list := `SELECT CAST(relname AS text) FROM pg_class WHERE relkind = 'r' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())`
	if db.Dialect() == "sqlite" {
		list = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'search_index%'`
	}
	err = db.read(ctx, "look through all tables", func(ctx context.Context, s session) error {
		var tables []string
		if err := s.List(ctx, &tables, list); err != nil {
			return err
		}
		with = nil
		for _, table := range tables {
			rows, err := s.Ext.QueryxContext(ctx, `SELECT * FROM `+table)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				row, err := rows.SliceScan()
				if err != nil {
					return err
				}
				if strings.Contains(fmt.Sprintf("%s", row), text) {
					with = append(with, table)
				}
			}
			if err := rows.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	return with, err
}

// EndWaits makes every waiting job due now, as if its wait were over.
func (db *DB) EndWaits(ctx context.Context) error {
	return db.write(ctx, "end waits", func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, `UPDATE jobs SET run_at = 0 WHERE state = 'waiting'`)
		return err
	})
}

// Exec runs a statement.
func (db *DB) Exec(ctx context.Context, query string, args ...any) error {
	return db.write(ctx, "exec", func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, query, args...)
		return err
	})
}

// HoldWorkspace has a workspace locked while fn runs.
func (db *DB) HoldWorkspace(ctx context.Context, workspaceID string, fn func()) error {
	return db.change(ctx, "hold workspace", workspaceID, func(context.Context, *tx) error {
		fn()
		return nil
	})
}

// FillAudit adds n entries to a workspace's audit log, a millisecond apart: by 200
// actors, of whom the first does half, to 100,000 targets, in 500 conversations. One in
// 10,000 is rare, and the first tenth is old.
func (db *DB) FillAudit(ctx context.Context, principal storage.Principal, n int) error {
	const batch = 5000
	now, err := db.Now(ctx)
	if err != nil {
		return err
	}
	start := now.Add(-time.Duration(n) * time.Millisecond)
	for done := 0; done < n; done += batch {
		var entries []storage.AuditEntry
		for i := done; i < min(done+batch, n); i++ {
			entry := storage.AuditEntry{
				At: start.Add(time.Duration(i) * time.Millisecond), Action: "common", CredentialID: storage.NewID(),
				Actor:   storage.Actor{Kind: storage.ActorUser, ID: "actor 0", Name: "Ada Lovelace"},
				Target:  storage.Target{Kind: "user", ID: fmt.Sprintf("target %d", i*7%100_000), ConversationID: fmt.Sprintf("conversation %d", i%500)},
				Details: map[string]string{"name": "laptop", "scopes": "read write"},
			}
			if i%2 == 1 {
				entry.Actor.ID = fmt.Sprintf("actor %d", i%400/2)
			}
			switch {
			case i%10_000 == 0:
				entry.Action = "rare"
			case i < n/10:
				entry.Action = "old"
			}
			entries = append(entries, entry)
		}
		if err := db.ImportAudit(ctx, principal, entries); err != nil {
			return err
		}
	}
	return nil
}

// FillRoster adds n members to a workspace, each with four credentials that were used.
func (db *DB) FillRoster(ctx context.Context, principal storage.Principal, n int) error {
	const batch = 1000
	for done := 0; done < n; done += batch {
		err := db.change(ctx, "fill roster", principal.WorkspaceID, func(ctx context.Context, t *tx) error {
			for i := done; i < min(done+batch, n); i++ {
				user, err := t.createUser(ctx, fmt.Sprintf("Member Übermüller %d", i), storage.RoleMember)
				if err != nil {
					return err
				}
				for range 4 {
					token, err := t.createToken(ctx, user.ID, newSecret(), storage.NewToken{Kind: storage.SessionToken, Name: "browser"})
					if err != nil {
						return err
					}
					if _, err := t.Exec(ctx, `UPDATE tokens SET last_used_at = ? WHERE id = ?`, toMS(t.now), token.ID); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
