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
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"hark/media/opus"
	"hark/media/whip"
	"hark/storage"
	"hark/storage/blob"
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
		s3, err := blob.Serve(context.Background(), filepath.Join(dir, "objects"), quiet)
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

// world is a node with real records and a real spool. Its sessions are made by
// the tests, which say what WebRTC would.
type world struct {
	*Recorder
	t     *testing.T
	db    *sqldb.DB
	spool *storagespool.Spool
	dir   string // of the spool
	bus   *heardBus
	actor storage.Actor
	conv  string
	stop  func() // ends Run

	mu       sync.Mutex
	sessions []*speaker
	failing  error // what tracks answer to Finish; nil: nothing
}

// tracks is a spool whose tracks fail when the test says so.
type tracks struct {
	*storagespool.Spool
	w *world
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
	w *world
}

// fail has tracks answer an error to Finish, or none.
func (w *world) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failing = err
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

// newWorld starts a node over a spool's folder and a database. Nil db and
// empty dir mean new ones.
func newWorld(t *testing.T, cfg Config, db *sqldb.DB, dir string) *world {
	t.Helper()
	w := &world{t: t, db: db, dir: dir, bus: &heardBus{}, stop: func() {}}
	if w.db == nil {
		var err error
		w.db, err = sqldb.Open(t.Context(), sqldb.Config{URL: "sqlite://" + filepath.Join(t.TempDir(), "hark.db"), Logger: slog.New(slog.DiscardHandler)})
		must(t, err)
		t.Cleanup(func() { w.db.Close() })
		must(t, w.db.Migrate(t.Context()))
	}
	if w.dir == "" {
		w.dir = t.TempDir()
	}
	var err error
	w.spool, err = storagespool.Open(storagespool.Config{
		Dir: w.dir, Objects: store, SyncEvery: 10 * time.Millisecond, PieceEvery: 50 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	w.Recorder, err = New(Deps{
		Spool: tracks{w.spool, w}, Records: w.db, Bus: w.bus, Registry: prometheus.NewRegistry(),
		Logger: slog.New(slog.NewTextHandler(testWriter{t}, nil)),
	}, cfg)
	must(t, err)
	w.open = w.openSession
	t.Cleanup(func() {
		w.stop()
		w.kill()
	})
	return w
}

// testWriter logs to the test.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

// settle makes a workspace with a conversation.
func (w *world) settle() *world {
	w.t.Helper()
	space, owner, err := w.db.CreateWorkspace(w.t.Context(), "First", "Olga")
	must(w.t, err)
	w.actor = w.signIn(storage.Actor{WorkspaceID: space.ID, UserID: owner.ID, UserName: owner.Name, Role: owner.Role})
	conv, err := w.db.CreateConversation(w.t.Context(), w.actor, storage.Channel, "Field notes", nil)
	must(w.t, err)
	w.conv = conv.ID
	return w
}

// signIn gives somebody a session of their own.
func (w *world) signIn(actor storage.Actor) storage.Actor {
	w.t.Helper()
	token, _, err := w.db.CreateToken(w.t.Context(), actor.UserID, storage.SessionToken, "browser", time.Hour)
	must(w.t, err)
	actor.TokenID = token.ID
	return actor
}

// run starts what goes on in the background.
func (w *world) run() *world {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		w.Run(ctx)
		close(done)
	}()
	w.stop = func() {
		cancel()
		<-done
	}
	return w
}

// kill leaves all as a killed process would: nothing is finished.
func (w *world) kill() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w.fail(errors.New("killed"))
	_ = w.Close(ctx)
	must(w.t, w.spool.Close())
}

func (w *world) openSession(_ context.Context, offer string, sink whip.Sink) (session, error) {
	if offer == "" {
		return nil, &whip.OfferError{Kind: whip.Malformed, Message: "The offer is empty."}
	}
	s := &speaker{id: uuid.NewString(), sink: sink, said: make(chan notice, 100)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sessions = append(w.sessions, s)
	return s, nil
}

// begin begins a recording, and returns who speaks.
func (w *world) begin(captions storage.CaptionAudience) (*Recording, *speaker) {
	w.t.Helper()
	rec, err := w.Begin(w.t.Context(), w.actor, w.start(captions))
	must(w.t, err)
	w.mu.Lock()
	defer w.mu.Unlock()
	return rec, w.sessions[len(w.sessions)-1]
}

func (w *world) start(captions storage.CaptionAudience) Start {
	return Start{ConversationID: w.conv, Captions: captions, Offer: "an offer"}
}

// await waits until a message is in a state; "" means gone.
func (w *world) await(id string, state storage.State) storage.Message {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); ; {
		msg, err := w.db.Message(w.t.Context(), w.actor, id)
		if errors.Is(err, storage.ErrNotFound) && state == "" {
			return msg
		}
		if err == nil && msg.State == state {
			return msg
		}
		select {
		case <-tick.C: // the records call nobody
		case <-late:
			w.t.Fatalf("message %s is %q, %v; want %q", id, msg.State, err, state)
		}
	}
}

// awaitEmptySpool waits until neither the folder nor the store has anything of
// a recording but its original.
func (w *world) awaitEmptySpool(rec *Recording, whole bool) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); ; {
		var left []string
		must(w.t, store.List(w.t.Context(), rec.key, func(o blob.Object) error {
			left = append(left, o.Key)
			return nil
		}))
		_, err := os.Stat(filepath.Join(w.dir, rec.id+".opus"))
		if os.IsNotExist(err) && (whole && len(left) == 1 && left[0] == rec.key || !whole && len(left) == 0) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			w.t.Fatalf("left: %v, file: %v", left, err)
		}
	}
}

// speaker is a session whose packets the test sends.
type speaker struct {
	id   string
	sink whip.Sink
	said chan notice // what the recorder sent

	mu     sync.Mutex // one call of the sink at a time
	at     int64      // position
	paused bool
	once   sync.Once
}

func (s *speaker) ID() string     { return s.id }
func (s *speaker) Answer() string { return "a=fmtp:111 minptime=10;stereo=1;useinbandfec=1\r\n" }
func (s *speaker) ETag() string   { return `"1"` }
func (s *speaker) Pause()         { s.paused = true }
func (s *speaker) Resume()        { s.paused = false }

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
	jobs   []storage.JobRef
	events []storage.Event
}

func (b *heardBus) published() []storage.JobRef {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.jobs
}

func (b *heardBus) PublishJob(_ context.Context, job storage.JobRef) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.jobs = append(b.jobs, job)
	return nil
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
