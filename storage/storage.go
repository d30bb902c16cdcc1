// Package storage says what Hark keeps: workspaces and who is in them,
// conversations, messages, their jobs and events, and what a search asks and
// answers.
//
// The types here are plain records. Package sqldb keeps them in SQLite or
// Postgres, blob keeps the sound they point to in an S3 store, and bus carries
// jobs to workers and events to listeners. The database is the truth; the
// other two can be mended from it.
//
// Ids are UUIDv7 in text form. Times are UTC with millisecond resolution.
// Offsets into sound are integer milliseconds.
package storage

import (
	"time"

	"github.com/google/uuid"
)

// NewID returns a fresh UUIDv7: unguessable enough to name a record, and
// sorted by the time of its making.
func NewID() string {
	return uuid.Must(uuid.NewV7()).String()
}

// Now is the current time as Hark keeps it: UTC, cut to milliseconds.
func Now() time.Time {
	return time.Now().UTC().Truncate(time.Millisecond)
}

// Page asks for one page of a list. The zero value asks for the first page of
// the default size.
type Page struct {
	Cursor string // opaque, from a previous answer; empty means the first page
	Limit  int    // items at the most; 0 means the default of the list
}
