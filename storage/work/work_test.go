package work_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"hark/media/backoff"
	"hark/media/transcript"
	"hark/storage"
	"hark/storage/bus"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
	"hark/storage/work"
)

// transcriber does the jobs of messages, and saves what it made up. Every seventh
// fails the first time.
type transcriber struct {
	db   *sqldb.DB
	all  int    // how many there are
	stop func() // is called when all are done

	mu    sync.Mutex
	begun []string // messages, as their first attempt was begun
	done  map[string]int
}

// Handle implements work.Handler.
func (w *transcriber) Handle(ctx context.Context, a *work.Attempt) error {
	task, err := w.db.Task(ctx, a.Job)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.Attempt == 1 {
		w.begun = append(w.begun, a.Subject)
		if len(w.begun)%7 == 0 {
			return errors.New("the first time")
		}
	}
	if w.done[a.Subject]++; len(w.done) == w.all {
		defer w.stop()
	}
	return w.db.SaveTranscript(ctx, task, &transcript.Transcript{Language: "en"})
}

// sender sends messages into a conversation, whose jobs are published.
type sender struct {
	t    *testing.T
	db   *sqldb.DB
	bus  *bus.Bus
	conv storage.Conversation
}

func (s sender) send(by storage.Principal) string {
	s.t.Helper()
	id := storage.NewID()
	_, _, err := s.db.Accept(s.t.Context(), by, storage.NewMessage{
		ID: id, ConversationID: s.conv.ID,
		Original: storage.Original{Key: storage.NewOriginalKey(by.WorkspaceID, id), Format: "wav", Bytes: 44},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// database is what a worker asks of the database.
type database interface {
	BeginJob(ctx context.Context, kind storage.JobKind, id, worker string, lease time.Duration) (storage.Job, error)
	RenewLease(ctx context.Context, job storage.Job, lease time.Duration) error
	FinishJob(ctx context.Context, job storage.Job) error
	FailJob(ctx context.Context, job storage.Job, reason string, retryAfter time.Duration) error
	ReleaseJob(ctx context.Context, job storage.Job) error
	NextJob(ctx context.Context, kind storage.JobKind, p storage.Priority) (string, error)
}

// work runs a worker until ctx ends and all it began has ended.
func (s sender) work(ctx, jobs context.Context, db database, kinds ...work.Kind) {
	s.t.Helper()
	w, err := work.NewWorker(db, s.bus, work.Config{Name: "worker", Logger: slog.New(slog.DiscardHandler)}, kinds...)
	if err == nil {
		err = w.Run(ctx, jobs)
	}
	if err != nil {
		s.t.Error(err)
	}
}

// jobs hands the jobs that are committed to whichever publisher there is.
type jobs struct{ to *work.Publisher }

func (j *jobs) add(committed []storage.JobRef) {
	if j.to != nil {
		j.to.Add(committed)
	}
}

func newSender(t *testing.T, db *sqldb.DB, j *jobs) (s sender, owner, other storage.Principal) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	server, err := bus.Serve(t.TempDir(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	s = sender{t: t, db: db}
	if s.bus, err = bus.Connect(t.Context(), bus.Config{Embedded: server, Prefix: "work", Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.bus.Close() })
	publisher := work.NewPublisher(s.bus, quiet)
	j.to = publisher
	publishing, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { publisher.Run(publishing) })
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	if owner, _, err = db.Bootstrap(t.Context(), "Hark", "Owner"); err != nil {
		t.Fatal(err)
	}
	u, err := db.CreateUser(t.Context(), owner.WorkspaceID, "Bob", storage.RoleMember)
	if err != nil {
		t.Fatal(err)
	}
	other = storage.Principal{WorkspaceID: u.WorkspaceID, UserID: u.ID, UserName: u.Name, Role: u.Role}
	s.conv, _, err = db.CreateConversation(t.Context(), owner, storage.NewConversation{Kind: storage.Channel, Title: "Field notes", MemberIDs: []string{u.ID}})
	if err != nil {
		t.Fatal(err)
	}
	return s, owner, other
}

// One person has put a thousand jobs in the queue when another's comes: it is
// begun among the first. All are done, each once, though none at its own place
// in the queue, and the queue is empty then.
func TestQueueOfThousandDelaysNobodyElse(t *testing.T) {
	j := &jobs{}
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, owner, other := newSender(t, db, j)
		const jobs = 1000
		for range jobs {
			s.send(owner)
		}
		theirs := s.send(other)

		ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
		defer stop()
		w := &transcriber{db: db, all: jobs + 1, stop: stop, done: map[string]int{}}
		s.work(ctx, t.Context(), db, work.Kind{
			Name: storage.Transcribe, Handler: w, Interactive: 2, Waits: backoff.Policy{First: time.Millisecond}, EndsItself: true,
		})
		if len(w.done) != jobs+1 {
			t.Fatalf("%d of %d are done", len(w.done), jobs+1)
		}
		place := 0
		for i, id := range w.begun {
			if id == theirs {
				place = i + 1
			}
		}
		t.Logf("behind %d of one person's, another's is begun at place %d", jobs, place)
		if place > 4 { // two each, at most
			t.Errorf("begun at place %d", place)
		}
		for id, n := range w.done {
			if n != 1 {
				t.Errorf("%s was done %d times", id, n)
			}
		}
		depth, err := s.bus.Stats(t.Context(), storage.Transcribe)
		if err != nil {
			t.Fatal(err)
		}
		if left := depth[0].Waiting + depth[0].Taken; left > 2 { // whose jobs were done at another's place, and who would find that
			t.Errorf("%d places are left in the queue", left)
		}
	}, storagetest.OnJobs(j.add))
}
