package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// outage is a harness whose Postgres comes and goes.
type outage struct {
	*harness
	server *storagetest.Cluster
}

func newOutage(t *testing.T) outage {
	server := storagetest.NewCluster(t)
	db := storagetest.Open(t, server.URL())
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return outage{newHarness(t, db), server}
}

// warm has several connections wait in the pool.
func (o outage) warm(t *testing.T) {
	t.Helper()
	var calls []func() error
	for range 6 {
		calls = append(calls, func() error { _, err := o.Search(t.Context(), o.ada, storage.Query{Text: "warm"}); return err })
	}
	o.check(errors.Join(atOnce(calls...)...))
}

// works sends a message, at the first try.
func (o outage) works(t *testing.T) {
	t.Helper()
	o.send(o.ada, o.room.ID)
	o.check(o.Ping(t.Context()))
}

// away finds that changes are refused for now, within what a request waits.
func (o outage) away(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, _, err := o.Accept(ctx, o.ada, newMessage(o.room))
	wantErr(t, err, storage.ErrUnreachable)
	wantErr(t, o.Ping(ctx), storage.ErrUnreachable)
}

// reads finds that what is kept can be read.
func (o outage) reads(t *testing.T) {
	t.Helper()
	if list, err := o.Messages(t.Context(), o.ada, o.room.ID, storage.MessagePage{}); err != nil || len(list.Messages) == 0 {
		t.Errorf("%d messages, %v", len(list.Messages), err)
	}
}

func TestPostgresComesAndGoes(t *testing.T) {
	o := newOutage(t)
	o.works(t)

	o.warm(t) // restarted: the connections that wait are all broken
	o.server.Stop()
	o.server.Start()
	o.works(t)

	o.server.Stop()
	o.away(t)
	o.server.Start()
	o.works(t)

	o.warm(t)
	o.server.Demote() // a failover to a standby that is not promoted yet
	o.away(t)
	o.reads(t)
	_, err := sqldb.Open(t.Context(), sqldb.Config{URL: o.server.URL()})
	wantErr(t, err, storage.ErrUnreachable)
	o.server.Promote()
	o.works(t)

	o.server.Set("default_transaction_read_only", "on")
	o.away(t)
	o.reads(t)
	o.server.Set("default_transaction_read_only", "off")
	o.works(t)
}

// TestConnectionsThatStayReadOnly has connections remember that the database
// was read-only when they were made.
func TestConnectionsThatStayReadOnly(t *testing.T) {
	url := storagetest.Postgres(t)
	o := outage{harness: newHarness(t, storagetest.Open(t, url))}
	o.warm(t)
	name := url[strings.LastIndex(url, "/")+1:]
	name, _, _ = strings.Cut(name, "?")
	storagetest.Exec(t, url, fmt.Sprintf(`ALTER DATABASE %s SET default_transaction_read_only = on`, name),
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	o.away(t)
	o.warm(t)
	storagetest.Exec(t, url, `SET default_transaction_read_only = off`, fmt.Sprintf(`ALTER DATABASE %s RESET default_transaction_read_only`, name))
	o.works(t)
}

// TestStatementTimeout has the server give up what Hark would have waited for.
func TestStatementTimeout(t *testing.T) {
	url := storagetest.Postgres(t)
	h := newHarness(t, storagetest.Open(t, url))
	h.DB = storagetest.Open(t, url+"&statement_timeout=100")
	began, held, over := make(chan struct{}), make(chan error), make(chan struct{})
	go func() {
		held <- storagetest.Open(t, url).HoldWorkspace(t.Context(), h.ada.WorkspaceID, func() { close(began); <-over })
	}()
	<-began
	_, _, err := h.Accept(t.Context(), h.ada, newMessage(h.room))
	wantErr(t, err, storage.ErrUnreachable)
	close(over)
	h.check(<-held)
	h.send(h.ada, h.room.ID)
}
