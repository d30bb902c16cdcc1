package recorder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"hark/media/opus"
	"hark/media/whip"
	"hark/storage"
	"hark/storage/blob"
	"hark/storage/blob/embedded"
	storagespool "hark/storage/spool"
	"hark/storage/sqldb"
)

// The object store is shared by all tests: ids do not meet.
var store *blob.Store

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "hark-recorder-*")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		quiet := slog.New(slog.DiscardHandler)
		s3, err := embedded.Serve(context.Background(), filepath.Join(dir, "objects"), quiet)
		if err != nil {
			panic(err)
		}
		defer s3.Close()
		if store, err = blob.Open(context.Background(), s3.Config()); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

// harness is a node with real records and a real spool. Its sessions are made by
// the tests, which say what WebRTC would.
type harness struct {
	*Recorder
	t         *testing.T
	db        *sqldb.DB
	spool     *storagespool.Spool
	dir       string // of the spool
	bus       *heardBus
	principal storage.Principal
	conv      string
	drafts    bool   // what begins is a draft
	stop      func() // ends Run

	mu       sync.Mutex
	sessions []*speaker
	failing  error // what tracks answer to Finish; nil: nothing
}

// tracks is a spool whose tracks fail when the test says so.
type tracks struct {
	*storagespool.Spool
	w *harness
}

func (s tracks) Create(ctx context.Context, id, key string, channels int) (Track, error) {
	track, err := s.Spool.Create(ctx, id, key, channels)
	if err != nil {
		return nil, err
	}
	return failingTrack{track, s.w}, nil
}

type failingTrack struct {
	Track
	w *harness
}

// fail has tracks answer an error to Finish, or none.
func (h *harness) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failing = err
}

func (f failingTrack) Finish(ctx context.Context) (storage.Original, int64, error) {
	f.w.mu.Lock()
	err := f.w.failing
	f.w.mu.Unlock()
	if err != nil {
		return storage.Original{}, 0, err
	}
	return f.Track.Finish(ctx)
}

// newHarness starts a node over a spool's folder and a database. Nil db and
// empty dir mean new ones.
func newHarness(t *testing.T, cfg Config, db *sqldb.DB, dir string) *harness {
	t.Helper()
	h := &harness{t: t, db: db, dir: dir, bus: &heardBus{}, stop: func() {}}
	if h.db == nil {
		var err error
		h.db, err = sqldb.Open(t.Context(), sqldb.Config{URL: "sqlite://" + filepath.Join(t.TempDir(), "hark.db"), Logger: slog.New(slog.DiscardHandler)})
		must(t, err)
		t.Cleanup(func() { h.db.Close() })
		must(t, h.db.Migrate(t.Context()))
	}
	if h.dir == "" {
		h.dir = t.TempDir()
	}
	var err error
	h.spool, err = storagespool.Open(storagespool.Config{
		Dir: h.dir, Objects: store, SyncEvery: 10 * time.Millisecond, PieceEvery: 50 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	h.Recorder, err = New(Deps{
		Spool: tracks{h.spool, h}, Records: recordsOf(h.db), Bus: h.bus, Registry: prometheus.NewRegistry(),
		Logger: slog.New(slog.NewTextHandler(testWriter{t}, nil)),
	}, cfg)
	must(t, err)
	h.open = h.openSession
	t.Cleanup(func() {
		h.stop()
		h.kill()
	})
	return h
}

// testWriter logs to the test.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

// settle makes a workspace with a conversation.
func (h *harness) settle() *harness {
	h.t.Helper()
	space, owner, err := h.db.CreateWorkspace(h.t.Context(), "First", "Olga")
	must(h.t, err)
	h.principal = h.signIn(storage.Principal{WorkspaceID: space.ID, UserID: owner.ID, UserName: owner.Name, Role: owner.Role})
	conv, _, err := h.db.CreateConversation(h.t.Context(), h.principal, storage.NewConversation{Kind: storage.Channel, Title: "Field notes"})
	must(h.t, err)
	h.conv = conv.ID
	return h
}

// signIn gives somebody a session of their own.
func (h *harness) signIn(principal storage.Principal) storage.Principal {
	h.t.Helper()
	token, _, err := h.db.CreateToken(h.t.Context(), principal.UserID, storage.NewToken{Kind: storage.SessionToken, Name: "browser", Life: time.Hour})
	must(h.t, err)
	principal.CredentialID = token.ID
	return principal
}

// run starts what goes on in the background.
func (h *harness) run() *harness {
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan struct{})
	go func() {
		h.Run(ctx)
		close(done)
	}()
	h.stop = func() {
		cancel()
		<-done
	}
	return h
}

// kill leaves all as a killed process would: nothing is finished.
func (h *harness) kill() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	h.fail(errors.New("killed"))
	_ = h.Close(ctx)
	must(h.t, h.spool.Close())
}

func (h *harness) openSession(_ context.Context, offer string, sink whip.Sink) (*session, error) {
	if offer == "" {
		return nil, &whip.OfferError{Kind: whip.Malformed, Message: "The offer is empty."}
	}
	s := &speaker{id: uuid.NewString(), sink: sink, said: make(chan notice, 100)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sessions = append(h.sessions, s)
	return &session{s, s, s}, nil
}

// begin begins a recording, and returns who speaks.
func (h *harness) begin(captions storage.CaptionAudience) (*Recording, *speaker) {
	h.t.Helper()
	rec, err := h.Begin(h.t.Context(), h.principal, h.start(captions))
	must(h.t, err)
	h.mu.Lock()
	defer h.mu.Unlock()
	return rec, h.sessions[len(h.sessions)-1]
}

func (h *harness) start(captions storage.CaptionAudience) Start {
	return Start{ConversationID: h.conv, Captions: captions, Draft: storage.Draft{Unsent: h.drafts}, Offer: "an offer"}
}

// await waits until a message is in a state; "" means gone.
func (h *harness) await(id string, state storage.State) storage.Message {
	h.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); ; {
		msg, err := h.db.Message(h.t.Context(), h.principal, id)
		if errors.Is(err, storage.ErrNotFound) && state == "" {
			return msg
		}
		if err == nil && msg.State == state {
			return msg
		}
		select {
		case <-tick.C: // the records call nobody
		case <-late:
			h.t.Fatalf("message %s is %q, %v; want %q", id, msg.State, err, state)
		}
	}
}

// awaitEmptySpool waits until neither the folder nor the store has anything of
// a recording but its original.
func (h *harness) awaitEmptySpool(rec *Recording, whole bool) {
	h.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); ; {
		var left []string
		must(h.t, store.List(h.t.Context(), rec.key, func(o blob.Object) error {
			left = append(left, o.Key)
			return nil
		}))
		_, err := os.Stat(filepath.Join(h.dir, rec.id+".opus"))
		if os.IsNotExist(err) && (whole && len(left) == 1 && left[0] == rec.key || !whole && len(left) == 0) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			h.t.Fatalf("left: %v, file: %v", left, err)
		}
	}
}

func recordsOf(db *sqldb.DB) Records { return Records{Access: db, Recordings: db, Abandoned: db} }

// speaker is a session whose packets the test sends.
type speaker struct {
	id   string
	sink whip.Sink
	said chan notice // what the recorder sent

	mu     sync.Mutex // one call of the sink at a time
	at     int64      // position
	paused atomic.Bool
	once   sync.Once
}

func (s *speaker) ID() string     { return s.id }
func (s *speaker) Answer() string { return "a=fmtp:111 minptime=10;stereo=1;useinbandfec=1\r\n" }
func (s *speaker) ETag() string   { return `"1"` }
func (s *speaker) Pause()         { s.paused.Store(true) }
func (s *speaker) Resume()        { s.paused.Store(false) }
func (s *speaker) Paused() bool   { return s.paused.Load() }

func (s *speaker) Patch(context.Context, string, string) (whip.Patched, error) {
	return whip.Patched{}, nil
}

func (s *speaker) Send(message []byte) error {
	var n notice
	if err := json.Unmarshal(message, &n); err != nil {
		return fmt.Errorf("%s: %w", message, err)
	}
	select {
	case s.said <- n:
		return nil
	default:
		return whip.ErrBehind
	}
}

func (s *speaker) Close(reason whip.Reason) {
	s.once.Do(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sink.Ended(reason)
	})
}

func (s *speaker) End(reason whip.Reason) { go s.Close(reason) }
func (s *speaker) Stats() whip.Stats      { return whip.Stats{Lost: 1} }

// speak sends a length of sound.
func (s *speaker) speak(length time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := length / (20 * time.Millisecond); n > 0; n-- {
		s.sink.Opus(opus.Packet{Position: s.at, Samples: 960, Data: []byte{0xf8, 0xff, 0xfe}})
		s.at += 960
	}
}

func (s *speaker) ask(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sink.Message([]byte(message))
}

// hears waits for a message of a type.
func (s *speaker) hears(t *testing.T, kind string) notice {
	t.Helper()
	for late := time.After(time.Minute); ; {
		select {
		case n := <-s.said:
			if n.Type == kind {
				return n
			}
		case <-late:
			t.Fatalf("no %q came", kind)
		}
	}
}

// heardBus keeps what was published.
type heardBus struct {
	mu     sync.Mutex
	events []storage.Event
}

func (b *heardBus) PublishEvents(_ context.Context, events []storage.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, events...)
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
