// Package example holds the records that the examples of the description are made
// of. Each noun's package prints them by the same views that print its answers,
// so that the two cannot differ in form.
package example

import (
	"time"

	"hark/media"
	"hark/storage"
)

// The ids of the examples.
const (
	UserID         = "0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"
	WorkspaceID    = "0197a3c2-5b1e-7c44-9f0a-000000000001"
	ConversationID = "0197a3c2-6a00-7b11-8c22-3d44e5f60718"
	MessageID      = "0197a3c2-7f3a-7d05-b1c6-5e7788990a1b"
	TokenID        = "0197a3c2-8888-7d05-b1c6-5e7788990a1b" //nolint:gosec // an id, not a secret
)

// Time is so many seconds after all examples began.
func Time(sec int) time.Time {
	return time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC).Add(time.Duration(sec) * time.Second)
}

// Message is a message that is ready.
func Message() storage.Message {
	loudness := -21.4
	return storage.Message{
		ID: MessageID, ConversationID: ConversationID, AuthorID: UserID, AuthorName: "Ada", AuthorNo: 1,
		Draft:      storage.Draft{Title: "The bridge at noon", RecordedAt: Time(40)},
		FirstWords: "Ask not what your country can do for you.", CreatedAt: Time(72), UpdatedAt: Time(75),
		State: storage.Ready, Progress: 1, DurationMS: 5230, Loudness: &loudness, Language: "en", TranscriptVersion: 1,
		Original: storage.Original{
			Format: media.MP3, Bytes: 84213, Filename: "bridge.mp3",
			SHA256: "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
		},
		Rendition: &storage.Rendition{MediaType: "audio/mp4", Bytes: 41877},
	}
}
