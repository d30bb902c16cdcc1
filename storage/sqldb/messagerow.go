package sqldb

import (
	"encoding/binary"
	"math"

	"hark/media"
	"hark/storage"
)

// messageRow is a message as it stands in the database.
type messageRow struct {
	ID                string
	Doc               int64
	Workspace         string `db:"workspace"`
	ConversationID    string `db:"conversation_id"`
	AuthorID          string `db:"author_id"`
	AuthorName        string `db:"author_name"`
	Title             string
	ReplyTo           string `db:"reply_to"`
	ReplyAtMS         int64  `db:"reply_at_ms"`
	RecordedAt        int64  `db:"recorded_at"`
	CreatedAt         int64  `db:"created_at"`
	UpdatedAt         int64  `db:"updated_at"`
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
}

const messageColumns = `m.id, m.doc, w.id AS workspace, m.conversation_id, m.author_id, u.name AS author_name, m.title, m.reply_to,
	m.reply_at_ms, m.recorded_at, m.created_at, m.updated_at, m.state, m.failure_reason, m.end_reason, m.progress, m.duration_ms, m.original_key,
	m.original_format, m.original_bytes, m.original_sha256, m.original_filename, m.rendition_key, m.rendition_type,
	m.rendition_bytes, m.loudness, m.transcript_version, m.language`

// selectMessages reads messages that ? (a user id) of ? (a workspace number)
// may hear; conditions may be added.
const selectMessages = `SELECT ` + messageColumns + `, m.waveform ` + fromMessages

const fromMessages = `FROM messages m JOIN workspaces w ON w.no = m.workspace_no JOIN users u ON u.id = m.author_id
	JOIN conversation_members me ON me.conversation_id = m.conversation_id AND me.user_id = ?
	WHERE m.workspace_no = ?`

func (r messageRow) message() storage.Message {
	m := storage.Message{
		ID: r.ID, WorkspaceID: r.Workspace, ConversationID: r.ConversationID,
		AuthorID: r.AuthorID, AuthorName: r.AuthorName, Title: r.Title, ReplyTo: r.ReplyTo, ReplyAtMS: r.ReplyAtMS,
		RecordedAt: fromMS(r.RecordedAt), CreatedAt: fromMS(r.CreatedAt), UpdatedAt: fromMS(r.UpdatedAt),
		State: r.State, FailureReason: r.FailureReason, EndReason: r.EndReason, Progress: r.Progress, DurationMS: r.DurationMS,
		Original: storage.Original{
			Key: r.OriginalKey, Format: r.OriginalFormat, Bytes: r.OriginalBytes,
			SHA256: r.OriginalSHA256, Filename: r.OriginalFilename,
		},
		Loudness: r.Loudness, Waveform: unpackPeaks(r.Waveform),
		TranscriptVersion: r.TranscriptVersion, Language: r.Language,
	}
	if r.RenditionType != "" {
		m.Rendition = &storage.Rendition{Key: r.RenditionKey, MediaType: r.RenditionType, Bytes: r.RenditionBytes}
	}
	if r.State == storage.Ready {
		m.Progress = 1
	}
	return m
}

// packPeaks keeps peaks in 16 bits each, little-endian.
func packPeaks(peaks []float64) []byte {
	b := make([]byte, 0, 2*len(peaks))
	for _, p := range peaks {
		if math.IsNaN(p) {
			p = 0
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(math.Round(min(max(p, 0), 1)*math.MaxUint16)))
	}
	return b
}

// unpackPeaks is the inverse of packPeaks, rounded to four decimals.
func unpackPeaks(b []byte) []float64 {
	if len(b) == 0 {
		return nil
	}
	peaks := make([]float64, len(b)/2)
	for i := range peaks {
		peaks[i] = math.Round(float64(binary.LittleEndian.Uint16(b[2*i:]))/math.MaxUint16*1e4) / 1e4
	}
	return peaks
}
