package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hark/api/intake"
	"hark/api/listen"
	"hark/media"
	"hark/storage"
	"hark/storage/blob"
	storagebus "hark/storage/bus"
	"hark/storage/sqldb"
	"hark/transcribe/pipeline"
)

// The object store and the bus are shared by all tests; each has a database
// of its own, and ids do not meet. They start with the first world, so that
// fuzzing, which makes none, does without.
var (
	sharedObjects *blob.Store
	sharedBus     *storagebus.Bus
	startParts    = sync.OnceValue(openParts)
	closeParts    []func() error // in the order of opening
)

func TestMain(m *testing.M) {
	code := m.Run()
	for _, closePart := range slices.Backward(closeParts) {
		if err := closePart(); err != nil {
			fmt.Fprintln(os.Stderr, "close:", err) // what the tests found stands
		}
	}
	os.Exit(code)
}

func openParts() error {
	dir, err := os.MkdirTemp("", "hark-api-*")
	if err != nil {
		return err
	}
	closeParts = append(closeParts, func() error { return os.RemoveAll(dir) })
	ctx, quiet := context.Background(), slog.New(slog.DiscardHandler)
	s3, err := blob.Serve(ctx, filepath.Join(dir, "objects"), quiet)
	if err != nil {
		return err
	}
	closeParts = append(closeParts, s3.Close)
	if sharedObjects, err = blob.Open(ctx, s3.Config()); err != nil {
		return err
	}
	nats, err := storagebus.Serve(filepath.Join(dir, "bus"), quiet)
	if err != nil {
		return err
	}
	closeParts = append(closeParts, nats.Close)
	sharedBus, err = storagebus.Connect(ctx, storagebus.Config{Embedded: nats, Name: "api-test", Prefix: "api-test", Logger: quiet})
	if err == nil {
		closeParts = append(closeParts, sharedBus.Close)
	}
	return err
}

// world is a whole service without workers, with a workspace and its owner.
type world struct {
	t     *testing.T
	db    *sqldb.DB
	api   *Server
	http  *httptest.Server
	log   *lockedBuffer
	owner *client
	objs  *watchedObjects
}

// options change a world before it begins.
type options struct {
	config  func(*Config)
	deps    func(*Deps)
	publish func([]storage.Event)  // instead of the bus
	server  func(*httptest.Server) // before it starts
}

func newWorld(t *testing.T, opts ...options) *world {
	t.Helper()
	must(t, startParts())
	w := &world{t: t, log: &lockedBuffer{}, objs: &watchedObjects{Store: sharedObjects}}
	logger := slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	publish := func(events []storage.Event) { _ = sharedBus.PublishEvents(context.Background(), events) }
	cfg := Config{
		PublicURL: "http://hark.test", SigningKey: bytes.Repeat([]byte{7}, 32), Version: "test",
		Intake:    intake.Config{Limits: media.Limits{MaxBytes: 1 << 20, MaxDuration: 30 * time.Minute}},
		Heartbeat: time.Minute,
	}
	deps := Deps{Objects: w.objs, Bus: sharedBus, Registry: prometheus.NewRegistry(), Logger: logger}
	for _, o := range opts {
		if o.config != nil {
			o.config(&cfg)
		}
		if o.publish != nil {
			publish = o.publish
		}
	}
	var err error
	w.db, err = sqldb.Open(t.Context(), sqldb.Config{
		URL: "sqlite://" + filepath.Join(t.TempDir(), "hark.db"), Logger: logger,
		OnCommit: func(_ string, events []storage.Event) { publish(events) },
	})
	must(t, err)
	t.Cleanup(func() { w.db.Close() })
	must(t, w.db.Migrate(t.Context()))
	deps.DB = w.db
	for _, o := range opts {
		if o.deps != nil {
			o.deps(&deps)
		}
	}
	w.api, err = New(deps, cfg)
	must(t, err)
	w.http = httptest.NewUnstartedServer(w.api)
	w.http.Config = w.api.HTTPServer("")
	for _, o := range opts {
		if o.server != nil {
			o.server(w.http)
		}
	}
	w.http.Listener, err = listen.Wrap(w.http.Listener, listen.Config{
		StallTimeout: w.api.cfg.StallTimeout, Registry: deps.Registry, Logger: logger,
	})
	must(t, err)
	w.http.Start()
	t.Cleanup(func() { w.api.EndStreams(); w.http.Close() })

	space, owner, err := w.db.CreateWorkspace(t.Context(), "First", "Olga")
	must(t, err)
	w.owner = w.clientFor(space.ID, owner)
	return w
}

// client is a user with a token.
type client struct {
	*world
	actor storage.Actor
	token string
	http  *http.Client
}

func (w *world) clientFor(workspaceID string, u storage.User) *client {
	w.t.Helper()
	token, secret, err := w.db.CreateToken(w.t.Context(), u.ID, storage.APIToken, "test", 0)
	must(w.t, err)
	return &client{
		world: w, token: secret, http: w.http.Client(),
		actor: storage.Actor{WorkspaceID: workspaceID, UserID: u.ID, UserName: u.Name, Role: u.Role, TokenID: token.ID},
	}
}

// user adds somebody to the first workspace.
func (w *world) user(name string, role storage.Role) *client {
	w.t.Helper()
	u, err := w.db.CreateUser(w.t.Context(), w.owner.actor.WorkspaceID, name, role)
	must(w.t, err)
	return w.clientFor(w.owner.actor.WorkspaceID, u)
}

// stranger is the owner of another workspace.
func (w *world) stranger() *client {
	w.t.Helper()
	space, owner, err := w.db.CreateWorkspace(w.t.Context(), "Second", "Sven")
	must(w.t, err)
	return w.clientFor(space.ID, owner)
}

// answer is a response that was read.
type answer struct {
	t       *testing.T
	status  int
	header  http.Header
	body    []byte
	address string // path and query that it came from, behind redirects
}

// send makes a request; headers are names and values in turn.
func (c *client) send(method, path string, body io.Reader, headers ...string) *answer {
	c.t.Helper()
	resp, err := c.try(method, path, body, headers...)
	must(c.t, err)
	return resp
}

// try is send for requests that may fail.
func (c *client) try(method, path string, body io.Reader, headers ...string) (*answer, error) {
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.world.http.URL+path, body)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	return &answer{t: c.t, status: resp.StatusCode, header: resp.Header, body: read, address: resp.Request.URL.RequestURI()}, err
}

// unfollowed is c without following redirects.
func (c *client) unfollowed() *client {
	own, caller := *c, *c.http
	caller.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	own.http = &caller
	return &own
}

func (c *client) get(path string, headers ...string) *answer {
	c.t.Helper()
	return c.send(http.MethodGet, path, nil, headers...)
}

// json sends a value.
func (c *client) json(method, path string, value any) *answer {
	c.t.Helper()
	encoded, err := json.Marshal(value)
	must(c.t, err)
	return c.send(method, path, bytes.NewReader(encoded), "Content-Type", "application/json")
}

// want checks the status.
func (a *answer) want(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d; want %d: %s", a.status, status, a.body)
	}
	return a
}

// problem checks that the answer is a problem of this status and code.
func (a *answer) problem(status int, code string) Problem {
	a.t.Helper()
	a.want(status)
	if got := a.header.Get("Content-Type"); got != problemMediaType {
		a.t.Fatalf("content type %q of %s", got, a.body)
	}
	p := decode[Problem](a)
	if p.Code != code || p.Status != status || p.Title == "" || p.Detail == "" || p.Type == "" ||
		p.RequestID == "" || p.Instance == "" || a.header.Get("X-Request-Id") != p.RequestID {
		a.t.Fatalf("want problem %s of %d, whole; got %s", code, status, a.body)
	}
	return p
}

func decode[T any](a *answer) T {
	a.t.Helper()
	var v T
	if err := json.Unmarshal(a.body, &v); err != nil {
		a.t.Fatalf("%v in %s", err, a.body)
	}
	return v
}

// conversation makes a channel with members.
func (c *client) conversation(members ...*client) string {
	c.t.Helper()
	ids := []string{}
	for _, m := range members {
		ids = append(ids, m.actor.UserID)
	}
	return decode[Conversation](c.json(http.MethodPost, "/v1/conversations", map[string]any{
		"title": "Field notes", "member_ids": ids,
	}).want(http.StatusCreated)).ID
}

// record sends a second of sound.
func (c *client) record(conversation string, headers ...string) Message {
	c.t.Helper()
	return decode[Message](c.send(http.MethodPost, "/v1/conversations/"+conversation+"/messages",
		bytes.NewReader(sine(time.Second)), headers...).want(http.StatusCreated))
}

// finish does a worker's work on a message.
func (w *world) finish(messageID, words string) {
	w.t.Helper()
	ctx := w.t.Context()
	task := w.begin(messageID)
	must(w.t, w.db.SaveSound(ctx, task, pipeline.Sound{DurationMS: 1000, Peaks: make([]float64, 100), LoudnessLUFS: -20}))
	_, err := sharedObjects.Put(ctx, task.RenditionKey, "audio/mp4", strings.NewReader("a rendition"), 11)
	must(w.t, err)
	must(w.t, w.db.SaveRendition(ctx, task, pipeline.Rendition{Key: task.RenditionKey, MediaType: "audio/mp4", Bytes: 11}))
	must(w.t, w.db.SaveTranscript(ctx, task, spoken(words)))
}

func (w *world) begin(messageID string) pipeline.Task {
	w.t.Helper()
	due, err := w.db.DueJobs(w.t.Context(), 1000)
	must(w.t, err)
	for _, job := range due {
		task, err := w.db.BeginJob(w.t.Context(), job.ID, "test", time.Minute)
		must(w.t, err)
		if task.MessageID == messageID {
			return task
		}
		must(w.t, w.db.ReleaseJob(w.t.Context(), task))
	}
	w.t.Fatalf("no job of message %s is due", messageID)
	return pipeline.Task{}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
