package conn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hark/storage"
)

// health is what the changes so far tell of the database.
type health struct {
	mu    sync.Mutex
	wrote time.Time // when a change was committed last, if none failed since; zero otherwise
}

// note remembers how a change ended, as far as that says something of the
// database.
func (h *health) note(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil:
		h.wrote = time.Now()
	case errors.Is(err, storage.ErrUnreachable), errors.Is(err, storage.ErrNoSpace), errors.Is(err, context.DeadlineExceeded):
		h.wrote = time.Time{}
	}
}

// proofHolds is how long a change that was committed shows that others can be.
const proofHolds = 10 * time.Second

// proven says whether the last change shows that the database takes changes.
func (h *health) proven() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.wrote.IsZero() && time.Since(h.wrote) < proofHolds
}

// Ping asks whether the database answers and takes changes: it makes a small
// one, unless another was made within the last ten seconds.
func (db *DB) Ping(ctx context.Context) error {
	err := db.Read(ctx, "ping database", func(ctx context.Context, s Session) error {
		var one int
		if err := s.Get(ctx, &one, `SELECT 1`); err != nil {
			return err
		}
		return s.writable(ctx, s)
	})
	if err != nil || db.health.proven() {
		return err
	}
	return db.Write(ctx, "ping database", func(ctx context.Context, s Session) error {
		now, err := s.Clock(ctx)
		if err != nil {
			return err
		}
		_, err = s.Exec(ctx, `INSERT INTO instance (name, value) VALUES ('pinged_at', ?)
			ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value`, fmt.Sprint(now.UnixMilli()))
		return err
	})
}
