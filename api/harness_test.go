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

	"hark/api/conversations"
	"hark/api/intake"
	"hark/api/listen"
	"hark/api/messages"
	"hark/api/problem"
	"hark/api/profile"
	"hark/media"
	"hark/media/decode/confine"
	"hark/media/short"
	"hark/storage"
	"hark/storage/blob"
	"hark/storage/blob/embedded"
	storagebus "hark/storage/bus"
	"hark/storage/sqldb"
)

// The object store and the bus are shared by all tests; each has a database
// of its own, and ids do not meet. They start with the first harness, so that
// fuzzing, which makes none, does without.
var (
	sharedObjects *blob.Store
	sharedBus     *storagebus.Bus
	startParts    = sync.OnceValue(openParts)
	closeParts    []func() error // in the order of opening
)

func TestMain(m *testing.M) {
	confine.Main()
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
	s3, err := embedded.Serve(ctx, filepath.Join(dir, "objects"), quiet)
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

// harness is a whole service without workers, with a workspace and its owner.
type harness struct {
	t     *testing.T
	db    *sqldb.DB
	url   string // of the database
	api   *Server
	deps  Deps
	http  *httptest.Server
	log   *lockedBuffer
	owner *client
	objs  *watchedObjects
}

// options change a harness before it begins.
type options struct {
	config  func(*Config)
	deps    func(*Deps)
	publish func([]storage.Event)  // instead of the bus
	server  func(*httptest.Server) // before it starts
	grace   time.Duration          // of live sessions that are not heard; 0 means the default
	first   bool                   // the workspace is as the first start makes it
}

func newHarness(t *testing.T, opts ...options) *harness {
	t.Helper()
	must(t, startParts())
	h := &harness{t: t, log: &lockedBuffer{}, objs: &watchedObjects{Store: sharedObjects}}
	logger := slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	publish := func(events []storage.Event) { _ = sharedBus.PublishEvents(context.Background(), events) }
	cfg := Config{
		PublicURL: "http://hark.test", SigningKey: bytes.Repeat([]byte{7}, 32), Version: "test",
		Intake:    intake.Config{Limits: media.Limits{MaxBytes: 1 << 20, MaxDuration: 30 * time.Minute}},
		Heartbeat: time.Minute,
	}
	deps := Deps{Objects: h.objs, Bus: sharedBus, Sounds: short.New(short.Config{Limits: profile.PronunciationLimits}), Registry: prometheus.NewRegistry(), Logger: logger}
	for _, o := range opts {
		if o.config != nil {
			o.config(&cfg)
		}
		if o.publish != nil {
			publish = o.publish
		}
	}
	h.openDB(logger, publish)
	deps.Records = recordsOf(h.db)
	for _, o := range opts {
		if o.deps != nil {
			o.deps(&deps)
		}
	}
	h.deps = deps
	var err error
	h.api, err = New(deps, cfg)
	must(t, err)
	h.http = httptest.NewUnstartedServer(h.api)
	h.http.Config = h.api.HTTPServer("")
	for _, o := range opts {
		if o.server != nil {
			o.server(h.http)
		}
	}
	h.http.Listener, err = listen.Wrap(h.http.Listener, listen.Config{
		StallTimeout: cfg.StallTimeout, Registry: deps.Registry, Logger: logger,
	})
	must(t, err)
	h.http.Start()
	t.Cleanup(func() { h.api.hub.End(); h.http.Close(); h.settle() })

	if slices.ContainsFunc(opts, func(o options) bool { return o.first }) {
		principal, _, err := h.db.Bootstrap(t.Context(), "", "")
		must(t, err)
		h.owner = h.clientFor(principal.WorkspaceID, storage.User{ID: principal.UserID, Name: principal.UserName, Role: principal.Role})
		return h
	}
	space, owner, err := h.db.CreateWorkspace(t.Context(), "First", "Olga")
	must(t, err)
	h.owner = h.clientFor(space.ID, owner)
	return h
}

// openDB opens a database of the harness's own.
func (h *harness) openDB(logger *slog.Logger, publish func([]storage.Event)) {
	h.t.Helper()
	var err error
	h.url = "sqlite://" + filepath.Join(h.t.TempDir(), "hark.db")
	h.db, err = sqldb.Open(h.t.Context(), sqldb.Config{
		URL: h.url, Logger: logger,
		OnCommit: func(_ string, events []storage.Event) { publish(events) },
	})
	must(h.t, err)
	h.t.Cleanup(func() { h.db.Close() })
	must(h.t, h.db.Migrate(h.t.Context()))
}

// settle waits for what goes on after answers.
func (h *harness) settle() {
	h.t.Helper()
	if err := h.api.Finish(context.Background()); err != nil {
		h.t.Error(err)
	}
}

// recordsOf has one database answer all nouns.
func recordsOf(db *sqldb.DB) Records {
	return Records{
		Account: db, Passkeys: db, SignInPasskeys: db, Audit: db, Conversations: db, Drafts: db, Emails: db, Events: db, Heard: db, Identities: db, Intake: db, Integrations: db, Invitations: db,
		Live: db, Members: db, Messages: db, People: db, Persons: db, Profiles: db, Providers: db, Provisioning: db, Search: db, SignIn: db,
		Sound: db, Roster: db, Transcripts: db, Usage: db, Workspaces: db,
	}
}

// client is a user with a token.
type client struct {
	*harness
	principal storage.Principal
	token     string
	http      *http.Client
}

func (h *harness) clientFor(workspaceID string, u storage.User) *client {
	h.t.Helper()
	token, secret, err := h.db.CreateToken(h.t.Context(), u.ID, storage.NewToken{Kind: storage.APIToken, Name: "test"})
	must(h.t, err)
	return &client{
		harness: h, token: secret, http: h.http.Client(),
		principal: storage.Principal{WorkspaceID: workspaceID, UserID: u.ID, UserName: u.Name, Role: u.Role, CredentialID: token.ID},
	}
}

// user adds somebody to the first workspace.
func (h *harness) user(name string, role storage.Role) *client {
	h.t.Helper()
	u, err := h.db.CreateUser(h.t.Context(), h.owner.principal.WorkspaceID, name, role)
	must(h.t, err)
	return h.clientFor(h.owner.principal.WorkspaceID, u)
}

// stranger is the owner of another workspace.
func (h *harness) stranger() *client {
	h.t.Helper()
	space, owner, err := h.db.CreateWorkspace(h.t.Context(), "Second", "Sven")
	must(h.t, err)
	return h.clientFor(space.ID, owner)
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
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.harness.http.URL+path, body)
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
func (a *answer) problem(status int, code string) problem.Problem {
	a.t.Helper()
	a.want(status)
	if got := a.header.Get("Content-Type"); got != problem.MediaType {
		a.t.Fatalf("content type %q of %s", got, a.body)
	}
	p := decode[problem.Problem](a)
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
		ids = append(ids, m.principal.UserID)
	}
	return decode[conversations.Conversation](c.json(http.MethodPost, "/v1/conversations", map[string]any{
		"title": "Field notes", "member_ids": ids,
	}).want(http.StatusCreated)).ID
}

// record sends a second of sound.
func (c *client) record(conversation string, headers ...string) messages.Message {
	c.t.Helper()
	return decode[messages.Message](c.send(http.MethodPost, "/v1/conversations/"+conversation+"/messages",
		bytes.NewReader(sine(time.Second)), headers...).want(http.StatusCreated))
}

// finish does a worker's work on a message.
func (h *harness) finish(messageID, words string) {
	h.t.Helper()
	ctx := h.t.Context()
	task := h.begin(messageID)
	must(h.t, h.db.SaveSound(ctx, task, storage.Sound{DurationMS: 1000, Peaks: make([]float64, 100), LoudnessLUFS: -20}))
	_, err := sharedObjects.Put(ctx, task.RenditionKey, "audio/mp4", strings.NewReader("a rendition"), 11)
	must(h.t, err)
	must(h.t, h.db.SaveRendition(ctx, task, storage.Rendition{Key: task.RenditionKey, MediaType: "audio/mp4", Bytes: 11}))
	must(h.t, h.db.SaveTranscript(ctx, task, spoken(words)))
}

func (h *harness) begin(messageID string) storage.Task {
	h.t.Helper()
	due, err := h.db.DueJobs(h.t.Context(), 1000)
	must(h.t, err)
	for _, ref := range due {
		job, err := h.db.BeginJob(h.t.Context(), ref.Kind, ref.ID, "test", time.Minute)
		must(h.t, err)
		if job.Subject == messageID {
			task, err := h.db.Task(h.t.Context(), job)
			must(h.t, err)
			return task
		}
		must(h.t, h.db.ReleaseJob(h.t.Context(), job))
	}
	h.t.Fatalf("no job of message %s is due", messageID)
	return storage.Task{}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
