package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"hark/storage"
)

const (
	manifestBatch   = 200
	manifestsAtOnce = 4
)

// WriteManifest writes the manifest of a message and the copy of its
// transcript, unless they tell all already or the message is gone. It may run
// beside anything that changes or deletes the message.
func (s *Stores) WriteManifest(ctx context.Context, messageID string) error {
	m, transcript, err := s.Records.Manifest(ctx, messageID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.putManifest(ctx, m, transcript); err != nil {
		return fmt.Errorf("write manifest of message %s: %w", messageID, err)
	}
	err = s.Records.ManifestWritten(ctx, m)
	if errors.Is(err, storage.ErrNotFound) { // deleted meanwhile: gone is gone
		return s.Objects.Delete(ctx, storage.ManifestKey(m.Workspace.ID, messageID), storage.TranscriptKey(m.Workspace.ID, messageID))
	}
	return err
}

// putManifest puts the transcript first, so that no manifest tells of one that
// is not there.
func (s *Stores) putManifest(ctx context.Context, m storage.Manifest, transcript *storage.StoredTranscript) error {
	if transcript != nil {
		b, err := json.Marshal(transcript)
		if err != nil {
			return err
		}
		if err := s.write(ctx, storage.TranscriptKey(m.Workspace.ID, m.Message.ID), b); err != nil {
			return err
		}
	}
	b, err := m.Encode()
	if err != nil {
		return err
	}
	return s.write(ctx, storage.ManifestKey(m.Workspace.ID, m.Message.ID), b)
}

// WriteManifests writes all manifests that are stale or missing, the newest
// message's first, until ctx ends. Those that cannot be written are left for
// the next time; the error names the first. Several nodes may do so at once.
func (s *Stores) WriteManifests(ctx context.Context) (written int, err error) {
	var failed error
	before := ""
	for {
		ids, err := s.Records.StaleManifests(ctx, before, manifestBatch)
		if err != nil || len(ids) == 0 {
			return written, errors.Join(failed, err)
		}
		before = ids[len(ids)-1]
		errs := make([]error, len(ids))
		var group errgroup.Group
		group.SetLimit(manifestsAtOnce)
		for i, id := range ids {
			group.Go(func() error {
				errs[i] = s.WriteManifest(ctx, id)
				return nil
			})
		}
		_ = group.Wait() // the errors are in errs
		for _, err := range errs {
			switch {
			case err == nil:
				written++
			case failed == nil:
				failed = err
			}
		}
		if ctx.Err() != nil {
			return written, context.Cause(ctx)
		}
	}
}
