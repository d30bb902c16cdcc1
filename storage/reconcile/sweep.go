package reconcile

import (
	"context"
	"errors"
	"strings"
	"time"

	"hark/storage"
	"hark/storage/blob"
)

const (
	trashKept   = 30 * 24 * time.Hour
	sweptAtOnce = 10_000 // strays that one sweep removes; the rest is the next one's
	deleteBatch = 500
)

// Swept is what a sweep found and did.
type Swept struct {
	Survey
	Held    bool // the orphans were too many, and were left for somebody to look at
	Removed int  // objects: orphans, which were moved aside, and leftovers
	Purged  int  // objects that were moved aside 30 days ago
	Aborted int  // uploads that were never finished
}

// Sweep removes what nobody has, when database and store agree: it moves
// orphans aside, unless they are too many, deletes leftovers and what was moved
// aside 30 days before now, and throws away unfinished uploads. Several nodes
// may sweep at once.
func (s *Stores) Sweep(ctx context.Context, now time.Time) (Swept, error) {
	if err := s.Check(ctx); err != nil {
		return Swept{}, err
	}
	var done Swept
	var err error
	before := OldEnough(now)
	if done.Aborted, err = s.abortUploads(ctx, before); err != nil {
		return done, err
	}
	if done.Purged, err = s.purge(ctx, now); err != nil {
		return done, err
	}
	var strays []Stray
	done.Survey, err = s.Survey(ctx, before, func(stray Stray) error {
		if stray.Kind != Unknown && len(strays) < sweptAtOnce {
			strays = append(strays, stray)
		}
		return nil
	})
	if err != nil {
		return done, err
	}
	s.logFindings(ctx, done.Survey)
	if done.Held = done.tooMany(); done.Held {
		return done, nil
	}
	done.Removed, err = s.Remove(ctx, now, strays)
	return done, err
}

// logFindings logs what somebody should look at.
func (s *Stores) logFindings(ctx context.Context, v Survey) {
	if v.Unknown > 0 {
		s.Logger.WarnContext(ctx, "unknown recordings in the object store: 'hark reindex' makes their records again, 'hark orphans remove --unknown' removes them", "recordings", v.Unknown)
	}
	if v.tooMany() {
		s.Logger.WarnContext(ctx, "orphan removal stopped, too many orphans: look at them by 'hark orphans list', then run 'hark orphans remove' or 'hark reindex'",
			"orphans", v.Orphans, "objects", v.Objects)
	}
}

// Remove moves strays aside, to be deleted for good 30 days after now, and
// deletes leftovers, whose recordings are whole. Strays that a record has by
// now stay. It fails with a [*Disagreement] when database and store do not
// agree.
func (s *Stores) Remove(ctx context.Context, now time.Time, strays []Stray) (removed int, err error) {
	if err := s.Check(ctx); err != nil {
		return 0, err
	}
	for len(strays) > 0 {
		n := min(len(strays), deleteBatch)
		gone, err := s.removeSome(ctx, now, strays[:n])
		removed += gone
		if err != nil {
			return removed, err
		}
		strays = strays[n:]
	}
	return removed, nil
}

func (s *Stores) removeSome(ctx context.Context, now time.Time, strays []Stray) (removed int, err error) {
	ids := make([]string, len(strays))
	for i, stray := range strays {
		ids[i] = stray.Message + stray.User
	}
	known, err := s.Records.KnownObjects(ctx, ids)
	if err != nil {
		return 0, err
	}
	var keys []string
	for _, stray := range strays {
		k, ours := storage.ParseKey(stray.Key)
		if record, recorded := known[k.ID()]; !ours || recorded && record.Has(k.Kind, stray.Key) {
			continue
		}
		if stray.Kind != Leftover {
			err := s.Objects.Copy(ctx, stray.Key, storage.TrashKey(now, stray.Key))
			if errors.Is(err, storage.ErrNotFound) {
				continue // another node was faster
			}
			if err != nil {
				return 0, err
			}
		}
		s.Logger.WarnContext(ctx, "orphan removed", "key", stray.Key, "bytes", stray.Bytes, "kind", stray.Kind, "modified_at", stray.ModifiedAt)
		keys = append(keys, stray.Key)
	}
	return len(keys), s.Objects.Delete(ctx, keys...)
}

// purge deletes what was moved aside 30 days before now.
func (s *Stores) purge(ctx context.Context, now time.Time) (purged int, err error) {
	var keys []string
	err = s.Objects.List(ctx, storage.TrashPrefix, func(o blob.Object) error {
		if day, _, ours := storage.ParseTrashKey(o.Key); ours && now.Sub(day) > trashKept+24*time.Hour {
			keys = append(keys, o.Key)
		}
		return nil
	})
	if err != nil || len(keys) == 0 {
		return 0, err
	}
	s.Logger.WarnContext(ctx, "orphans deleted for good that were removed 30 days ago", "objects", len(keys))
	return len(keys), s.Objects.Delete(ctx, keys...)
}

// RestoreTrash puts back what was moved aside, and returns how many objects. An
// object that is there again is left as it is.
func (s *Stores) RestoreTrash(ctx context.Context) (restored int, err error) {
	if err := s.Check(ctx); err != nil {
		return 0, err
	}
	var keys []string
	err = s.Objects.List(ctx, storage.TrashPrefix, func(o blob.Object) error {
		if _, _, ours := storage.ParseTrashKey(o.Key); ours {
			keys = append(keys, o.Key)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, key := range keys {
		_, from, _ := storage.ParseTrashKey(key)
		_, err := s.Objects.Stat(ctx, from)
		if errors.Is(err, storage.ErrNotFound) {
			err = s.Objects.Copy(ctx, key, from)
			restored++
		}
		if err == nil {
			err = s.Objects.Delete(ctx, key)
		}
		if err != nil {
			return restored, err
		}
	}
	return restored, nil
}

// abortUploads throws away uploads of Hark's own that began before a time and
// never ended.
func (s *Stores) abortUploads(ctx context.Context, before time.Time) (aborted int, err error) {
	return s.Objects.AbortStale(ctx, "", before, func(key string) bool {
		_, ours := storage.ParseKey(key)
		return ours
	})
}

// DeleteObjects deletes the objects of deleted messages, as the database names
// them: a key that ends in a slash stands for all of Hark's below it. It fails
// with a [*Disagreement] when database and store do not agree: then the keys
// may be another's.
func (s *Stores) DeleteObjects(ctx context.Context, keys []string) error {
	if err := s.Check(ctx); err != nil {
		return err
	}
	var objects []string
	for _, key := range keys {
		if _, ours := storage.ParseKey(key); ours {
			objects = append(objects, key)
			continue
		}
		if !strings.HasSuffix(key, "/") {
			continue
		}
		err := s.Objects.List(ctx, key, func(o blob.Object) error {
			if _, ours := storage.ParseKey(o.Key); ours {
				objects = append(objects, o.Key)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return s.Objects.Delete(ctx, objects...)
}
