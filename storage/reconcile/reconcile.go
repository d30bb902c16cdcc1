// Package reconcile keeps database and object store in agreement, so that
// neither is cleared because of what the other lost.
//
// # Identity
//
// The database has an id and the id of the object store that it belongs to; the
// store has a marker, hark.json, with both ids too. [Stores.Pair] binds the two
// at the first start. From then on nothing is removed from the store unless
// both still name each other ([Stores.Check]): a database that is empty because
// it was lost or mistyped knows none of the recordings, and would have all of
// them removed. The disagreement is a [*Disagreement], which says what to do.
//
// # Manifests
//
// Beside each message's objects lies a manifest with all that its record holds,
// and a copy of its transcript ([Stores.WriteManifest]). The worker writes them
// at the beginning and the end of its job, and a sweep ([Stores.WriteManifests])
// those that are stale or missing. [Stores.Reindex] makes the records again.
//
// # Orphans
//
// An object that no record has is an orphan ([Stores.Survey]), unless a
// manifest lies beside it: then it belongs to an unknown recording, which the
// database forgot (an older backup was restored), and which is never removed
// unless somebody asks for it. [Stores.Sweep] moves orphans aside, to be
// removed for good 30 days later, and stops where they are too many to be what
// crashes leave.
//
// # Limits
//
// What is younger than 48 hours is no orphan yet: its record may be about to
// be committed. Objects whose keys are not of a shape that Hark makes are
// somebody else's, and are neither listed nor touched.
package reconcile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"

	"hark/storage/blob"
	"hark/storage/sqldb"
)

// Stores are the database and the object store of one Hark. It is safe for
// concurrent use.
type Stores struct {
	Records *sqldb.DB
	Objects *blob.Store
	Logger  *slog.Logger
}

const jsonType = "application/json"

// maxObject bounds what is read of a marker, a manifest or a transcript, in
// bytes. A day of speech has a transcript of some 30 MB.
const maxObject = 256 << 20

// read returns the bytes of a small object.
func (s *Stores) read(ctx context.Context, key string) (_ []byte, err error) {
	body, size, err := s.Objects.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if size > maxObject {
		return nil, fmt.Errorf("read object %s: it has %d bytes", key, size)
	}
	b, err := io.ReadAll(io.LimitReader(body, maxObject))
	if err != nil {
		return nil, fmt.Errorf("read object %s: %w", key, err)
	}
	return b, nil
}

// write keeps a small object.
func (s *Stores) write(ctx context.Context, key string, b []byte) error {
	_, err := s.Objects.Put(ctx, key, jsonType, bytes.NewReader(b), int64(len(b)))
	return err
}
