package intake

import (
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"hark/storage"
	"hark/transcribe"
)

// The fields of [Meta] as senders name them.
const (
	FieldTitle          = "title"
	FieldReplyTo        = "reply_to"
	FieldReplyAtMS      = "reply_at_ms"
	FieldRecordedAt     = "recorded_at"
	FieldFilename       = "filename"
	FieldPriority       = "priority"
	FieldIdempotencyKey = "Idempotency-Key"
)

// Meta is what a sender says about a clip.
type Meta struct {
	ConversationID string
	Title          string
	ReplyTo        string    // message id; empty means no reply
	ReplyAtMS      int64     // place in the message replied to
	RecordedAt     time.Time // zero means now
	Filename       string    // as the sender names it; any path is cut off
	IdempotencyKey string    // empty means none
	Priority       transcribe.Priority

	// Rest, when not nil, is called once, after the clip's last byte was read
	// and before anything is recorded, to add what came after the clip.
	Rest func(*Meta) error
}

// Bounds of what a sender may say.
const (
	maxTitle          = 200                  // runes
	maxIdempotencyKey = 255                  // bytes
	maxFieldName      = 64                   // bytes of a name that is not known, when it is said again
	maxReplyAtMS      = 7 * 24 * 3600 * 1000 // a week of sound
	clockSkew         = 24 * time.Hour       // how far ahead a sender's clock may be
)

// Set sets the field that a sender calls name, and refuses one that is not
// known: it would be a mistake that nobody hears of.
func (m *Meta) Set(name, value string) error {
	var err error
	switch name {
	case FieldTitle:
		m.Title = value
	case FieldReplyTo:
		m.ReplyTo = value
	case FieldReplyAtMS:
		m.ReplyAtMS, err = strconv.ParseInt(value, 10, 64)
		if err != nil {
			return &FieldError{Field: name, Problem: "must be a whole number of milliseconds"}
		}
	case FieldRecordedAt:
		m.RecordedAt, err = time.Parse(time.RFC3339, value)
		if err != nil {
			return &FieldError{Field: name, Problem: "must be a time such as 2026-03-01T09:30:00Z (RFC 3339)"}
		}
	case FieldFilename:
		m.Filename = value
	case FieldPriority:
		return m.setPriority(value)
	default:
		return &FieldError{Field: cutBytes(printable(name), maxFieldName), Problem: "is not known"}
	}
	return nil
}

func (m *Meta) setPriority(value string) error {
	switch value {
	case "", "interactive":
		m.Priority = transcribe.Interactive
	case "bulk":
		m.Priority = transcribe.Bulk
	default:
		return &FieldError{Field: FieldPriority, Problem: "must be interactive or bulk"}
	}
	return nil
}

// clean brings m to the form in which it is kept, or says which field cannot
// be. It may be called again after more was set.
func (m *Meta) clean() error {
	title, err := CleanTitle(m.Title)
	if err != nil {
		return err
	}
	m.Title = title
	m.Filename = CleanFilename(m.Filename)
	if err := m.cleanReply(); err != nil {
		return err
	}
	if err := checkIdempotencyKey(m.IdempotencyKey); err != nil {
		return err
	}
	return m.cleanRecordedAt()
}

func (m *Meta) cleanReply() error {
	if m.ReplyTo == "" {
		m.ReplyAtMS = 0
		return nil
	}
	id, err := uuid.Parse(m.ReplyTo)
	if err != nil {
		return &FieldError{Field: FieldReplyTo, Problem: "must be the id of a message"}
	}
	m.ReplyTo = id.String()
	if m.ReplyAtMS < 0 || m.ReplyAtMS > maxReplyAtMS {
		return &FieldError{Field: FieldReplyAtMS, Problem: "must be a place in the message, in milliseconds"}
	}
	return nil
}

func (m *Meta) cleanRecordedAt() error {
	if m.RecordedAt.IsZero() {
		return nil
	}
	m.RecordedAt = m.RecordedAt.UTC().Truncate(time.Millisecond)
	if m.RecordedAt.Unix() < 0 || m.RecordedAt.After(storage.Now().Add(clockSkew)) {
		return &FieldError{Field: FieldRecordedAt, Problem: "must lie between 1970 and now"}
	}
	return nil
}

func checkIdempotencyKey(key string) error {
	if len(key) > maxIdempotencyKey {
		return &FieldError{Field: FieldIdempotencyKey, Problem: fmt.Sprintf("must be %d characters or fewer", maxIdempotencyKey)}
	}
	for i := range len(key) {
		if key[i] < 0x20 || key[i] > 0x7e {
			return &FieldError{Field: FieldIdempotencyKey, Problem: "must be printable ASCII"}
		}
	}
	return nil
}
