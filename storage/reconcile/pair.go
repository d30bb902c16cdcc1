package reconcile

import (
	"context"
	"errors"
	"fmt"

	"hark/storage"
	"hark/storage/blob"
)

// Disagreement is the error of a database and an object store that do not name
// each other.
type Disagreement struct {
	Database storage.Binding // as the database has it; Store is empty when it belongs to none
	Marker   storage.Binding // as the store has it; both are empty when it has no marker

	// OtherStore says that the database belongs to another store. Nothing may
	// be kept in this one: the other's nodes would not find it.
	OtherStore bool
}

// Error is the reason.
func (d *Disagreement) Error() string { return d.Reason() }

// Reason says for operators what is wrong and what to do. It holds ids and
// names of settings, and no secrets.
func (d *Disagreement) Reason() string {
	switch {
	case d.OtherStore && d.Marker.Store == "":
		return fmt.Sprintf("the database (id %s) belongs to the object store %s, but the one that is set has no %s: "+
			"check HARK_S3_ENDPOINT, HARK_S3_BUCKET, HARK_S3_PREFIX and HARK_DATA, or HARK_DATABASE_URL; "+
			"if that store is gone for good, 'hark reindex --rebind' takes this one", d.Database.Database, d.Database.Store, storage.MarkerKey)
	case d.OtherStore:
		return fmt.Sprintf("the database (id %s) belongs to the object store %s, but the one that is set is %s: "+
			"check HARK_S3_ENDPOINT, HARK_S3_BUCKET, HARK_S3_PREFIX and HARK_DATA, or HARK_DATABASE_URL; nodes that share a database must share an object store; "+
			"if that store is gone for good, 'hark reindex --rebind' takes this one", d.Database.Database, d.Database.Store, d.Marker.Store)
	case d.Marker.Database == "":
		return fmt.Sprintf("the object store (id %s) holds other recordings than the database (id %s) knows: "+
			"if the database was lost, run 'hark reindex'; otherwise correct HARK_DATABASE_URL or HARK_DATA, or give this Hark a place of its own by HARK_S3_PREFIX; "+
			"nothing is removed from the store until then", d.Marker.Store, d.Database.Database)
	}
	return fmt.Sprintf("the object store (id %s) belongs to the database %s, but the one that is set is %s: "+
		"if that database was lost, run 'hark reindex'; otherwise correct HARK_DATABASE_URL or HARK_DATA, or give this Hark a place of its own by HARK_S3_PREFIX; "+
		"nothing is removed from the store until then", d.Marker.Store, d.Marker.Database, d.Database.Database)
}

// Pair binds database and store to each other where neither is bound, which is
// so at the first start, and after an upgrade from a version that had no ids.
// Then it does as [Stores.Check] does. Several nodes may pair at once.
func (s *Stores) Pair(ctx context.Context) error {
	b, err := s.Records.Bind(ctx, s.choose)
	if err != nil {
		return err
	}
	return s.compare(ctx, b)
}

// Check returns nil when database and store name each other, a [*Disagreement]
// when they do not, and any other error when either could not be asked.
func (s *Stores) Check(ctx context.Context) error {
	b, err := s.Records.Binding(ctx)
	if err != nil {
		return err
	}
	return s.compare(ctx, b)
}

func (s *Stores) compare(ctx context.Context, b storage.Binding) error {
	m, err := s.marker(ctx)
	if err != nil {
		return err
	}
	d := &Disagreement{Database: b}
	if m != nil {
		d.Marker = storage.Binding{Database: m.Database, Store: m.Store}
	}
	if b.Store != "" && d.Marker == b {
		return nil
	}
	d.OtherStore = b.Store != "" && b.Store != d.Marker.Store
	return d
}

// choose says which store a database that belongs to none belongs to: this one,
// if it names the database or is new to it; otherwise none.
func (s *Stores) choose(ctx context.Context, databaseID string) (storeID string, err error) {
	m, err := s.marker(ctx)
	switch {
	case err != nil:
		return "", err
	case m != nil && m.Database == databaseID:
		return m.Store, nil // a node ended between marking and committing
	case m != nil:
		return "", nil
	}
	ours, err := s.fits(ctx)
	if err != nil {
		return "", err
	}
	b := storage.Binding{Store: storage.NewID()}
	if ours {
		b.Database = databaseID
	}
	// A store of an unknown database is marked too, or what is recorded from
	// now on would make it look like this one's.
	if err := s.mark(ctx, b); err != nil || !ours {
		return "", err
	}
	return b.Store, nil
}

// sampled is how many of the newest recordings are looked for in a store
// before it is taken for the database's.
const sampled = 20

var errFound = errors.New("found")

// fits says whether a store without a marker may be the database's: one that
// holds recordings which the database knows or, where it knows none, no
// recording at all.
func (s *Stores) fits(ctx context.Context) (bool, error) {
	keys, err := s.Records.NewestOriginals(ctx, sampled)
	if err != nil {
		return false, err
	}
	for _, key := range keys {
		_, err := s.Objects.Stat(ctx, key)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, storage.ErrNotFound) {
			return false, err
		}
	}
	if len(keys) > 0 {
		return false, nil
	}
	for _, prefix := range []string{storage.MessagesPrefix, storage.OldRenditionsPrefix, storage.UsersPrefix} {
		err := s.Objects.List(ctx, prefix, func(o blob.Object) error {
			if _, ours := storage.ParseKey(o.Key); ours {
				return errFound
			}
			return nil
		})
		if errors.Is(err, errFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}
