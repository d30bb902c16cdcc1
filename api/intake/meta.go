package intake

import (
	"errors"
	"fmt"
	"strconv"

	"hark/storage"
)

// The fields of [Meta] as senders name them.
const (
	FieldTitle          = "title"
	FieldReplyTo        = "reply_to"
	FieldReplyAtMS      = "reply_at_ms"
	FieldRecordedAt     = "recorded_at"
	FieldFilename       = "filename"
	FieldPriority       = "priority"
	FieldDraft          = "draft"
	FieldIdempotencyKey = "Idempotency-Key"
)

// Meta is what a sender says about a clip.
type Meta struct {
	ConversationID string
	storage.Draft
	Filename       string // as the sender names it; any path is cut off
	IdempotencyKey string // empty means none
	Priority       storage.Priority

	// Rest, when not nil, is called once, after the clip's last byte was read
	// and before anything is recorded, to add what came after the clip.
	Rest func(*Meta) error
}

// Bounds of what a sender may say.
const (
	maxIdempotencyKey = 255 // bytes
	maxFieldName      = 64  // bytes of a name that is not known, when it is said again
)

// notKnown is the problem of a field that [Meta.Set] does not know.
const notKnown = "is not known"

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
		m.RecordedAt, err = ParseTime(value)
		if err != nil {
			return &FieldError{Field: name, Problem: "must be " + wantedTime}
		}
	case FieldFilename:
		m.Filename = value
	case FieldPriority:
		return m.setPriority(value)
	case FieldDraft:
		return m.setDraft(value)
	default:
		return &FieldError{Field: storage.CutBytes(storage.Printable(name), maxFieldName), Problem: notKnown}
	}
	return nil
}

func (m *Meta) setPriority(value string) error {
	switch value {
	case "", "interactive":
		m.Priority = storage.Interactive
	case "bulk":
		m.Priority = storage.Bulk
	default:
		return &FieldError{Field: FieldPriority, Problem: "must be interactive or bulk"}
	}
	return nil
}

func (m *Meta) setDraft(value string) error {
	switch value {
	case "", "false":
		m.Unsent = false
	case "true":
		m.Unsent = true
	default:
		return &FieldError{Field: FieldDraft, Problem: "must be true or false"}
	}
	return nil
}

// clean brings m to the form in which it is kept, or says which field cannot
// be. It may be called again after more was set.
func (m *Meta) clean() error {
	if err := asFieldError(m.Clean()); err != nil {
		return err
	}
	m.Filename = storage.CleanFilename(m.Filename)
	return checkIdempotencyKey(m.IdempotencyKey)
}

// complete adds what came after the sound.
func (m *Meta) complete() error {
	if m.Rest == nil {
		return nil
	}
	if err := m.Rest(m); err != nil {
		return err
	}
	return m.clean()
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

// asFieldError is err or, of a value that storage refuses, a [FieldError]:
// here values come as parameters and form fields.
func asFieldError(err error) error {
	var invalid *storage.InvalidError
	if errors.As(err, &invalid) {
		return &FieldError{Field: invalid.Field, Problem: invalid.Problem}
	}
	return err
}
