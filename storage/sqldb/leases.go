package sqldb

import (
	"context"
	"errors"
	"time"

	"hark/storage"
)

// TakeLease gives a lease to a holder for a time, or renews the one that it has,
// by the database's clock. held is false while another holder's lasts. A lease
// lasts less than ten minutes.
func (db *DB) TakeLease(ctx context.Context, name, holder string, length time.Duration) (held bool, err error) {
	taken, err := db.leaseTaken(ctx, name, holder)
	if err != nil || taken {
		return false, err // and nothing is written by those who wait for it
	}
	err = db.write(ctx, "take lease", func(ctx context.Context, t *tx) error {
		n, err := t.Exec(ctx, `INSERT INTO leases (name, holder, until) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
			WHERE leases.holder = excluded.holder OR leases.until <= ? OR leases.until > ?`,
			name, holder, toMS(t.now.Add(length)), toMS(t.now), toMS(t.now.Add(farOff)))
		held = n > 0
		return err
	})
	return held, err
}

// leaseTaken says whether another holder has a lease.
func (db *DB) leaseTaken(ctx context.Context, name, holder string) (taken bool, err error) {
	err = db.read(ctx, "look at lease", func(ctx context.Context, s session) error {
		var row struct {
			Holder     string
			Until, Now int64
		}
		err := s.Get(ctx, &row, `SELECT holder, until, `+s.NowSQL()+` AS now FROM leases WHERE name = ?`, name)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		taken = row.Holder != holder && pending(row.Until, fromMS(row.Now))
		return err
	})
	return taken, err
}

// DropLease gives a lease up, so that another may have it at once. One that the
// holder does not have stays.
func (db *DB) DropLease(ctx context.Context, name, holder string) error {
	return db.write(ctx, "drop lease", func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, `DELETE FROM leases WHERE name = ? AND holder = ?`, name, holder)
		return err
	})
}
