package conn_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"hark/storage"
	"hark/storage/sqldb/conn"
	"hark/storage/storagetest"
)

func open(t *testing.T, url string, conns int) *conn.DB {
	t.Helper()
	db, err := conn.Open(t.Context(), conn.Config{URL: url, MaxConns: conns, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// write makes a change.
func write(ctx context.Context, db *conn.DB) error {
	return db.Write(ctx, "write", func(ctx context.Context, s conn.Session) error {
		_, err := s.Exec(ctx, `UPDATE workspaces SET name = name`)
		return err
	})
}

// TestTooManyConnections has others take all connections that there may be.
func TestTooManyConnections(t *testing.T) {
	const most = 3
	url := storagetest.LimitedPostgres(t, most)
	db := open(t, url, 2)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := open(t, url, most)
	db.DropIdle()
	begun, over, held := make(chan struct{}, most), make(chan struct{}), make(chan error, most)
	for range most {
		go func() {
			held <- other.Write(t.Context(), "hold connection", func(context.Context, conn.Session) error {
				begun <- struct{}{}
				<-over
				return nil
			})
		}()
	}
	for range most {
		<-begun
	}
	_, opened := conn.Open(t.Context(), conn.Config{URL: url})
	for what, err := range map[string]error{"write": write(t.Context(), db), "ping": db.Ping(t.Context()), "open": opened} {
		if !errors.Is(err, storage.ErrUnreachable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	close(over)
	for range most {
		if err := <-held; err != nil {
			t.Error(err)
		}
	}
	other.DropIdle()
	if err := errors.Join(write(t.Context(), db), db.Ping(t.Context())); err != nil {
		t.Error(err)
	}
}

// TestPoolerRefused says what to set where a pooler cannot work.
func TestPoolerRefused(t *testing.T) {
	database := storagetest.Postgres(t)
	for name, c := range map[string]struct {
		mode, query string
		want        []string
	}{
		"statements":  {"statement", "", []string{"pool_mode = transaction", "session"}},
		"a parameter": {"transaction", "&work_mem=64MB", []string{"HARK_DATABASE_URL", "ignore_startup_parameters", "work_mem"}},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := conn.Open(t.Context(), conn.Config{URL: storagetest.Pooler(t, database, c.mode) + c.query})
			if err == nil {
				_ = db.Close()
				t.Fatal("opened")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}
