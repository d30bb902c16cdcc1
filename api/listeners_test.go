package api

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"hark/storage"
	"hark/storage/storagetest"
)

// TestListenersCostWhatOneCosts counts on the wire what the database is asked
// for while events are sent to one listener, and to two hundred.
func TestListenersCostWhatOneCosts(t *testing.T) {
	const stored, captions = 20, 20
	statements := map[int]int64{}
	for _, listeners := range []int{1, 200} {
		statements[listeners] = statementsOf(t, listeners, stored, captions)
		t.Logf("%d listeners: %d statements for %d stored events and %d captions", listeners, statements[listeners], stored, captions)
	}
	// The minute may change meanwhile, and with it the last use of the tokens: one
	// transaction for all.
	const ofLastUse = 4
	if statements[200] > statements[1]+ofLastUse {
		t.Errorf("%d statements for one listener, %d for 200", statements[1], statements[200])
	}
}

// statementsOf counts the statements that listeners in one conversation cost.
func statementsOf(t *testing.T, listeners, stored, captions int) int64 {
	t.Helper()
	must(t, startParts())
	database := storagetest.Postgres(t)
	publish := func(_ string, events []storage.Event) { _ = sharedBus.PublishEvents(context.Background(), events) }
	writer := storagetest.Open(t, database, storagetest.OnCommit(publish)) // whose statements are not counted
	counter := countStatements(t, database)
	reader := storagetest.Open(t, counter.url)
	h := newHarness(t, options{deps: func(d *Deps) { d.Records = recordsOf(reader) }})
	h.db = writer
	space, owner, err := writer.CreateWorkspace(t.Context(), "Busy", "Ora")
	must(t, err)
	h.owner = h.clientFor(space.ID, owner)
	people := []*client{h.owner}
	for i := 1; i < listeners; i++ {
		people = append(people, h.user(fmt.Sprint("Listener ", i), storage.RoleMember))
	}
	conversation := h.owner.conversation(people[1:]...)
	var streams []*listener
	for _, c := range people {
		streams = append(streams, c.listen(""))
	}
	hear := func(want storage.EventType) {
		t.Helper()
		for _, l := range streams {
			if e := l.next(); e.data.Type != want {
				t.Fatalf("heard %+v, want %s", e, want)
			}
		}
	}
	before := counter.statements.Load()
	for i := range stored {
		_, err := writer.UpdateConversation(t.Context(), h.owner.principal, conversation, storage.ConversationPatch{Title: new(fmt.Sprint("Title ", i))})
		must(t, err)
		hear(storage.ConversationUpdated)
	}
	for range captions {
		must(t, sharedBus.PublishEvents(t.Context(), []storage.Event{{
			WorkspaceID: space.ID, Type: storage.MessageCaption, ConversationID: conversation, At: storage.Now(),
		}}))
		hear(storage.MessageCaption)
	}
	return counter.statements.Load() - before
}

// statementCounter stands between a database and who asks it.
type statementCounter struct {
	url        string
	server     string // the socket of the database
	statements atomic.Int64
}

// countStatements passes on what is said to a Postgres, and counts the
// statements that it is to run.
func countStatements(t *testing.T, database string) *statementCounter {
	t.Helper()
	conf, err := pgconn.ParseConfig(database)
	must(t, err)
	dir, err := os.MkdirTemp("", "harkcount") // a socket's path must be short
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := fmt.Sprintf(".s.PGSQL.%d", conf.Port)
	c := &statementCounter{server: filepath.Join(conf.Host, socket)}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(conf.User, conf.Password), Path: "/" + conf.Database}
	u.RawQuery = url.Values{"host": {dir}, "port": {fmt.Sprint(conf.Port)}, "sslmode": {"disable"}}.Encode()
	c.url = u.String()
	l, err := net.Listen("unix", filepath.Join(dir, socket))
	must(t, err)
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				if err := c.pass(conn); err != nil {
					t.Errorf("pass on what is asked of the database: %v", err)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Wait() // the database was closed before
	})
	return c
}

func (c *statementCounter) pass(client net.Conn) error {
	defer client.Close()
	server, err := net.Dial("unix", c.server)
	if err != nil {
		return err
	}
	defer server.Close()
	go func() { _, _ = io.Copy(client, server) }() // ends with the connection
	// The first message has no type (PostgreSQL, chapter "Message Formats").
	for head := make([]byte, 4); ; head = make([]byte, 5) {
		_, err := io.ReadFull(client, head)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(head) == 5 && strings.Contains("EQ", string(head[0])) { // Execute and Query
			c.statements.Add(1)
		}
		if _, err := server.Write(head); err != nil {
			return err
		}
		rest := int64(binary.BigEndian.Uint32(head[len(head)-4:])) - 4
		if _, err := io.CopyN(server, client, rest); err != nil {
			return err
		}
	}
}
