package sqldb

import (
	"context"
	"errors"

	"hark/storage"
)

// The rows of the table instance that tie a database to its object store.
const (
	databaseIDName = "database_id"
	storeIDName    = "store_id"
)

// Binding returns the id of this database and of the object store that it
// belongs to; each is empty until [DB.Bind] or [DB.Rebind] has set it.
func (db *DB) Binding(ctx context.Context) (b storage.Binding, err error) {
	err = db.read(ctx, "read ids", func(ctx context.Context, s session) error {
		b, err = s.binding(ctx)
		return err
	})
	return b, err
}

func (s session) binding(ctx context.Context) (b storage.Binding, err error) {
	for name, id := range map[string]*string{databaseIDName: &b.Database, storeIDName: &b.Store} {
		err := s.Get(ctx, id, `SELECT value FROM instance WHERE name = ?`, name)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return storage.Binding{}, err
		}
	}
	return b, nil
}

// Bind gives the database an id if it has none and, unless it belongs to a
// store already, has pair say to which it shall, given its id: empty for none
// yet. No other node binds meanwhile, so pair may look at the store and mark
// it. pair may be run again when the transaction clashed with another.
func (db *DB) Bind(ctx context.Context, pair func(ctx context.Context, databaseID string) (storeID string, err error)) (b storage.Binding, err error) {
	err = db.write(ctx, "bind to object store", func(ctx context.Context, t *tx) error {
		if err := t.lockInstance(ctx); err != nil {
			return err
		}
		if b, err = t.binding(ctx); err != nil {
			return err
		}
		if b.Database == "" {
			b.Database = storage.NewID()
			if err := t.setInstance(ctx, databaseIDName, b.Database); err != nil {
				return err
			}
		}
		if b.Store != "" {
			return nil
		}
		if b.Store, err = pair(ctx, b.Database); err != nil || b.Store == "" {
			return err
		}
		return t.setInstance(ctx, storeIDName, b.Store)
	})
	return b, err
}

// InstanceID returns the id of this database, for what its Hark shares with
// others. It is made with the first question and never changes.
func (db *DB) InstanceID(ctx context.Context) (string, error) {
	b, err := db.Bind(ctx, func(context.Context, string) (string, error) { return "", nil })
	return b.Database, err
}

// Rebind has the database belong to a store, whatever it belonged to before.
func (db *DB) Rebind(ctx context.Context, storeID string) error {
	return db.write(ctx, "bind to object store", func(ctx context.Context, t *tx) error {
		if err := t.lockInstance(ctx); err != nil {
			return err
		}
		return t.setInstance(ctx, storeIDName, storeID)
	})
}

func (t *tx) setInstance(ctx context.Context, name, value string) error {
	_, err := t.Exec(ctx, `INSERT INTO instance (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// NewestOriginals returns where the recordings of the newest messages lie, up
// to limit of them.
func (db *DB) NewestOriginals(ctx context.Context, limit int) ([]string, error) {
	var keys []string
	err := db.read(ctx, "list newest originals", func(ctx context.Context, s session) error {
		return s.List(ctx, &keys, `SELECT original_key FROM messages WHERE original_bytes > 0 ORDER BY id DESC LIMIT ?`, limit)
	})
	return keys, err
}
