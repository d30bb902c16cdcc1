package sqldb

import (
	"strings"

	"hark/media"
	"hark/storage"
	"hark/storage/sqldb/codec"
)

// messageRow is a message as it stands in the database.
type messageRow struct {
	ID                string
	Doc               int64
	Workspace         string           `db:"workspace"`
	ConversationID    string           `db:"conversation_id"`
	AuthorID          string           `db:"author_id"`
	AuthorName        string           `db:"author_name"`
	AuthorNo          int64            `db:"author_no"`
	AuthorKind        storage.UserKind `db:"author_kind"`
	Title             string
	ReplyTo           string `db:"reply_to"`
	ReplyAtMS         int64  `db:"reply_at_ms"`
	RecordedAt        int64  `db:"recorded_at"`
	CreatedAt         int64  `db:"created_at"`
	UpdatedAt         int64  `db:"updated_at"`
	Draft             bool
	State             storage.State
	FailureReason     string `db:"failure_reason"`
	EndReason         string `db:"end_reason"`
	Progress          float64
	DurationMS        int64        `db:"duration_ms"`
	OriginalKey       string       `db:"original_key"`
	OriginalFormat    media.Format `db:"original_format"`
	OriginalBytes     int64        `db:"original_bytes"`
	OriginalSHA256    string       `db:"original_sha256"`
	OriginalFilename  string       `db:"original_filename"`
	RenditionKey      string       `db:"rendition_key"`
	RenditionType     string       `db:"rendition_type"`
	RenditionBytes    int64        `db:"rendition_bytes"`
	Loudness          *float64
	Waveform          []byte
	TranscriptVersion int `db:"transcript_version"`
	Language          string
	Beginning         []byte // of the transcript's blob; nil without one

	// Of who asks; zero in what is read for Hark itself.
	Heard       bool
	HeardSpans  []byte `db:"heard_spans"` // nil for none
	HeardResume int64  `db:"heard_resume"`
	HeardAt     int64  `db:"heard_at"`
}

const messageColumns = `m.id, m.doc, w.id AS workspace, m.conversation_id, m.author_id, u.name AS author_name, u.no AS author_no, u.kind AS author_kind, m.title, m.reply_to,
	m.reply_at_ms, m.recorded_at, COALESCE(m.sent_at, m.created_at) AS created_at, m.updated_at, m.sent_at IS NULL AS draft, m.state, m.failure_reason, m.end_reason, m.progress, m.duration_ms, m.original_key,
	m.original_format, m.original_bytes, m.original_sha256, m.original_filename, m.rendition_key, m.rendition_type,
	m.rendition_bytes, m.loudness, m.transcript_version, m.language,
	(SELECT SUBSTR(t.body, 1, 320) FROM transcripts t WHERE t.message_id = m.id AND t.version = m.transcript_version) AS beginning`

// selectMessages reads messages that a principal may hear; conditions may be
// added.
func selectMessages(principal storage.Principal, workspaceNo int64) statement {
	return statement{text: `SELECT ` + messageColumns + `, m.waveform, m.sent_at IS NOT NULL AND ` + isHeard + ` AS heard,
		h.spans AS heard_spans, COALESCE(h.resume_ms, 0) AS heard_resume, COALESCE(h.heard_at, 0) AS heard_at`}.with(visibleMessages(principal, workspaceNo))
}

// messageRef names a message and tells who may know of it.
type messageRef struct {
	ID             string
	ConversationID string `db:"conversation_id"`
	AuthorID       string `db:"author_id"`
	Draft          bool
	SentAt         int64 `db:"sent_at"` // 0 of a draft
}

func (r messageRow) ref() messageRef {
	ref := messageRef{ID: r.ID, ConversationID: r.ConversationID, AuthorID: r.AuthorID, Draft: r.Draft}
	if !r.Draft {
		ref.SentAt = r.CreatedAt
	}
	return ref
}

// hopelessMark begins the reason of a failure that no retry can mend.
const hopelessMark = "hopeless: "

func (r messageRow) message() storage.Message {
	reason, hopeless := strings.CutPrefix(r.FailureReason, hopelessMark)
	heard, resume := within(r.DurationMS, heardSpans(r.HeardSpans), r.HeardResume)
	m := storage.Message{
		ID: r.ID, WorkspaceID: r.Workspace, ConversationID: r.ConversationID,
		AuthorID: r.AuthorID, AuthorName: r.AuthorName, AuthorNo: r.AuthorNo, AuthorKind: r.AuthorKind,
		Draft:     storage.Draft{Title: r.Title, ReplyTo: r.ReplyTo, ReplyAtMS: r.ReplyAtMS, RecordedAt: fromMS(r.RecordedAt), Unsent: r.Draft},
		CreatedAt: fromMS(r.CreatedAt), UpdatedAt: fromMS(r.UpdatedAt),
		State: r.State, FailureReason: reason, Hopeless: hopeless, EndReason: r.EndReason, Progress: r.Progress, DurationMS: r.DurationMS,
		Original: storage.Original{
			Key: r.OriginalKey, Format: r.OriginalFormat, Bytes: r.OriginalBytes,
			SHA256: r.OriginalSHA256, Filename: r.OriginalFilename,
		},
		Loudness: r.Loudness, Waveform: codec.DecodePeaks(r.Waveform),
		TranscriptVersion: r.TranscriptVersion, Language: r.Language, FirstWords: codec.FirstWords(r.Beginning),
		Heard: storage.Heard{Done: r.Heard, Spans: heard, ResumeMS: resume, At: fromMS(r.HeardAt)},
	}
	if r.RenditionType != "" {
		m.Rendition = &storage.Rendition{Key: r.RenditionKey, MediaType: r.RenditionType, Bytes: r.RenditionBytes}
	}
	if r.State == storage.Ready {
		m.Progress = 1
	}
	return m
}
