package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"hark/media/inspect"
	"hark/storage"
	"hark/storage/sqldb"
)

// manifest reads the manifest of a message; nil when there is none. One that
// cannot be read is a [lossError].
func (r *reindexer) manifest(ctx context.Context, m message) (*storage.Manifest, error) {
	o := m.first(storage.ManifestObject)
	if o == nil {
		return nil, nil //nolint:nilnil // none is an answer
	}
	b, err := r.read(ctx, o.Key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil //nolint:nilnil // deleted meanwhile
	}
	if err != nil {
		return nil, err
	}
	manifest, err := storage.ParseManifest(b)
	if err != nil {
		return nil, lossf("%s", err)
	}
	if manifest.Message.ID != m.id || manifest.Workspace.ID != m.workspace {
		return nil, lossf("its manifest is of message %s", manifest.Message.ID)
	}
	return &manifest, nil
}

// stillYoung is how long a recording may be on its way in.
const stillYoung = time.Hour

// newest is when the last of the message's objects was put.
func (m *message) newest() (at time.Time) {
	for _, o := range m.objects {
		if o.ModTime.After(at) {
			at = o.ModTime
		}
	}
	return at
}

// find makes out what a message is from what lies in the store. A message that
// cannot be made again is a [lossError].
func (r *reindexer) find(ctx context.Context, m message) (*sqldb.Restored, error) {
	manifest, err := r.manifest(ctx, m)
	if err != nil && notLoss(err) != nil {
		return nil, err
	}
	switch original := m.first(storage.OriginalObject); {
	case original != nil && manifest != nil:
		return r.fromManifest(ctx, m, manifest)
	case !r.Alone && m.newest().After(storage.Now().Add(-stillYoung)):
		return nil, lossf("it may still be on its way in; run 'hark reindex' again in an hour")
	case original != nil: // without a manifest, or with one that cannot be read
		return r.fromRecording(ctx, m, original)
	case err != nil:
		return nil, err
	case m.first(storage.PieceObject) != nil:
		return r.fromPieces(ctx, m, m.first(storage.PieceObject).Key)
	}
	return nil, lossf("its recording is not in the store")
}

// fromManifest is a message of which a manifest tells.
func (r *reindexer) fromManifest(ctx context.Context, m message, manifest *storage.Manifest) (*sqldb.Restored, error) {
	if !m.has(manifest.Original.Key) {
		return nil, lossf("its recording %s is not in the store", manifest.Original.Key)
	}
	r.latest.correct(manifest)
	if manifest.Rendition != nil && !m.has(manifest.Rendition.Key) {
		_, err := r.Objects.Stat(ctx, manifest.Rendition.Key) // one of an older version lies elsewhere
		if errors.Is(err, storage.ErrNotFound) {
			manifest.Rendition = nil
		} else if err != nil {
			return nil, err
		}
	}
	restored := &sqldb.Restored{Manifest: *manifest}
	o := m.first(storage.TranscriptObject)
	if o == nil {
		return restored, nil
	}
	b, err := r.read(ctx, o.Key)
	if err != nil {
		return nil, err
	}
	t, err := storage.ParseTranscript(b)
	if err != nil { // the job listens again
		r.Logger.WarnContext(ctx, "restoring transcript failed", "message", m.id, "error", err)
		return restored, nil
	}
	restored.Transcript = &t
	return restored, nil
}

// fromRecording is a message of which only the recording is there.
func (r *reindexer) fromRecording(ctx context.Context, m message, original *object) (*sqldb.Restored, error) {
	manifest, err := r.recoveredManifest(ctx, m)
	if err != nil {
		return nil, err
	}
	if manifest.Original, err = r.inspect(ctx, original); err != nil {
		return nil, err
	}
	return &sqldb.Restored{Manifest: manifest}, nil
}

// fromPieces is a recording that was not finished.
func (r *reindexer) fromPieces(ctx context.Context, m message, piece string) (*sqldb.Restored, error) {
	manifest, err := r.recoveredManifest(ctx, m)
	if err != nil {
		return nil, err
	}
	manifest.Original.Key = storage.OriginalOfPiece(piece)
	return &sqldb.Restored{Manifest: manifest, Node: r.Node}, nil
}

// inspect reads a recording and says what it is.
func (r *reindexer) inspect(ctx context.Context, o *object) (storage.ManifestOriginal, error) {
	body, size, err := r.Objects.Get(ctx, o.Key)
	if err != nil {
		return storage.ManifestOriginal{}, err
	}
	defer body.Close()
	head := make([]byte, min(size, inspect.SniffLen))
	if _, err := io.ReadFull(body, head); err != nil {
		return storage.ManifestOriginal{}, fmt.Errorf("read object %s: %w", o.Key, err)
	}
	format, err := inspect.Sniff(head)
	if err != nil {
		return storage.ManifestOriginal{}, lossf("its recording is no sound that Hark knows: %s", err)
	}
	sum := sha256.New()
	sum.Write(head)
	if _, err := io.Copy(sum, body); err != nil {
		return storage.ManifestOriginal{}, fmt.Errorf("read object %s: %w", o.Key, err)
	}
	return storage.ManifestOriginal{Key: o.Key, Format: format, Bytes: size, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}
