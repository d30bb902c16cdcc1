package work_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"hark/media/backoff"
	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
	"hark/storage/work"
)

const (
	letter storage.JobKind = "letter"
	parcel storage.JobKind = "parcel"
)

// quick are waits that no test notices.
var quick = backoff.Policy{First: time.Millisecond}

// attempts are what a handler was given, which does what do says.
type attempts struct {
	do func(ctx context.Context, a *work.Attempt) error

	mu   sync.Mutex
	list []work.Attempt
}

// Handle implements work.Handler.
func (h *attempts) Handle(ctx context.Context, a *work.Attempt) error {
	h.mu.Lock()
	h.list = append(h.list, *a)
	h.mu.Unlock()
	return h.do(ctx, a)
}

// tries are the numbers of the tries of each subject.
func (h *attempts) tries() map[string][]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	tries := map[string][]int{}
	for _, a := range h.list {
		tries[a.Subject] = append(tries[a.Subject], a.Try)
	}
	return tries
}

func (s sender) add(db *sqldb.DB, kind storage.JobKind, subjects ...string) {
	s.t.Helper()
	for _, subject := range subjects {
		if err := db.AddJob(s.t.Context(), s.conv.WorkspaceID, storage.NewJob{Kind: kind, Subject: subject, Args: map[string]string{"to": subject}}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// ended counts jobs that have ended, and calls stop after so many.
func ended(n int, stop func()) func(context.Context, storage.Job) {
	var mu sync.Mutex
	return func(context.Context, storage.Job) {
		mu.Lock()
		defer mu.Unlock()
		if n--; n == 0 {
			stop()
		}
	}
}

// Two kinds are done side by side, each by its own schedule: one is tried twice and
// the other four times, and what succeeds in between is done.
func TestKindsSideBySide(t *testing.T) {
	j := &jobs{}
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, _, _ := newSender(t, db, j)
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		failing := func(_ context.Context, a *work.Attempt) error {
			if a.Subject == "good" && a.Try == 2 {
				return nil
			}
			return &work.Failure{Err: errors.New("no stamp"), Reason: fmt.Sprintf("Try %d, the last: %v.", a.Try, a.Last)}
		}
		letters, parcels := &attempts{do: failing}, &attempts{do: failing}
		s.add(db, letter, "bad", "good")
		s.add(db, parcel, "bad", "good")
		count := ended(4, stop)
		s.work(ctx, t.Context(), db,
			work.Kind{Name: letter, Handler: letters, Interactive: 1, Attempts: 2, Waits: quick, Ended: count},
			work.Kind{Name: parcel, Handler: parcels, Interactive: 2, Attempts: 4, Waits: quick, Ended: count})
		for _, want := range []struct {
			h     *attempts
			tries map[string][]int
		}{{letters, map[string][]int{"bad": {1, 2}, "good": {1, 2}}}, {parcels, map[string][]int{"bad": {1, 2, 3, 4}, "good": {1, 2}}}} {
			if got := want.h.tries(); !maps.EqualFunc(got, want.tries, slices.Equal) {
				t.Errorf("tries %v, want %v", got, want.tries)
			}
			for _, a := range want.h.list {
				if args := string(a.Args); args != `{"to":"`+a.Subject+`"}` || a.WorkspaceID != s.conv.WorkspaceID {
					t.Errorf("%s was given %s in workspace %s", a.Subject, args, a.WorkspaceID)
				}
			}
		}
		failed, err := db.FailedJobs(t.Context(), 9)
		reasons := map[storage.JobKind]string{}
		for _, f := range failed {
			reasons[f.Kind] = f.Subject + ": " + f.Reason
		}
		if err != nil || len(failed) != 2 || reasons[letter] != "bad: Try 2, the last: true." || reasons[parcel] != "bad: Try 4, the last: true." {
			t.Errorf("failed are %+v: %v", failed, err)
		}
	}, storagetest.OnJobs(j.add))
}

// What a handler says of a failure is what becomes of the job, and how often it
// has been tried since.
func TestFailures(t *testing.T) {
	j := &jobs{}
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, _, _ := newSender(t, db, j)
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		h := &attempts{}
		h.do = func(ctx context.Context, a *work.Attempt) error {
			tries := h.tries()[a.Subject]
			switch {
			case a.Subject == "waits" && len(tries) < 5: // more often than it may be tried
				return fmt.Errorf("wrapped: %w", &work.Failure{Then: work.Wait})
			case a.Subject == "given up":
				return &work.Failure{Then: work.GiveUp, Reason: "It has no address."}
			case a.Subject == "hopeless":
				return &work.Failure{Then: work.Hopeless, Reason: "It is empty."}
			case a.Subject == "slow" && len(tries) == 1:
				<-ctx.Done()
				return ctx.Err()
			case a.Subject == "panics" && len(tries) == 1:
				panic("of a handler")
			}
			return nil
		}
		subjects := []string{"waits", "given up", "hopeless", "slow", "panics"}
		s.add(db, letter, subjects...)
		s.work(ctx, t.Context(), db, work.Kind{
			Name: letter, Handler: h, Interactive: 5, Attempts: 2, Waits: quick, Timeout: 300 * time.Millisecond, Ended: ended(len(subjects), stop),
		})
		want := map[string][]int{"waits": {1, 1, 1, 1, 1}, "given up": {1}, "hopeless": {1}, "slow": {1, 2}, "panics": {1, 2}}
		if got := h.tries(); !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("tries %v, want %v", got, want)
		}
		failed, err := db.FailedJobs(t.Context(), 9)
		slices.SortFunc(failed, func(a, b storage.FailedJob) int { return len(a.Reason) - len(b.Reason) })
		if err != nil || len(failed) != 2 || failed[0].Reason != "It is empty." || failed[1].Reason != "It has no address." {
			t.Errorf("failed are %+v: %v", failed, err)
		}
	}, storagetest.OnJobs(j.add))
}

// asked is a database that notes which kinds it is asked for.
type asked struct {
	*sqldb.DB
	mu    sync.Mutex
	next  map[storage.JobKind]int
	begun map[storage.JobKind]int
}

func (a *asked) NextJob(ctx context.Context, kind storage.JobKind, p storage.Priority) (string, error) {
	a.mu.Lock()
	a.next[kind]++
	a.mu.Unlock()
	return a.DB.NextJob(ctx, kind, p)
}

func (a *asked) BeginJob(ctx context.Context, kind storage.JobKind, id, worker string, lease time.Duration) (storage.Job, error) {
	a.mu.Lock()
	a.begun[kind]++
	a.mu.Unlock()
	return a.DB.BeginJob(ctx, kind, id, worker, lease)
}

// A kind that no node does waits: other kinds are done past it, nobody asks for it,
// and maintenance comes to the others though there are more of it than it takes at
// a time. A node that comes to do it finds all.
func TestKindThatNobodyDoesWaits(t *testing.T) {
	j := &jobs{}
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, _, _ := newSender(t, db, j)
		publisher := j.to
		j.to = work.NewPublisher(s.bus, slog.New(slog.DiscardHandler)) // which never runs: a crash keeps all of it back
		var letters []string
		for i := range 40 {
			letters = append(letters, fmt.Sprint("letter ", i))
		}
		s.add(db, letter, letters...)
		s.add(db, parcel, "a", "b")
		var published []storage.JobKind
		for range 6 { // the leader, which takes ten at a time
			due, err := db.DueJobs(t.Context(), 10)
			for _, job := range due {
				published = append(published, job.Kind)
				err = errors.Join(err, s.bus.PublishJob(t.Context(), job))
			}
			if err = errors.Join(err, db.MarkPublished(t.Context(), due)); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(published); n != 42 || !slices.Contains(published, parcel) {
			t.Errorf("published %d", n)
		}
		j.to = publisher
		s.add(db, parcel, "c")

		does := &asked{DB: db, next: map[storage.JobKind]int{}, begun: map[storage.JobKind]int{}}
		do := func(kind storage.JobKind, n int) *attempts {
			t.Helper()
			ctx, stop := context.WithTimeout(t.Context(), time.Minute)
			defer stop()
			h := &attempts{do: func(context.Context, *work.Attempt) error { return nil }}
			s.work(ctx, t.Context(), does, work.Kind{Name: kind, Handler: h, Interactive: 2, Bulk: 1, Ended: ended(n, stop)})
			return h
		}
		if got := do(parcel, 3).tries(); len(got) != 3 {
			t.Errorf("done are %v", got)
		}
		if does.next[letter]+does.begun[letter] > 0 || does.next[parcel] > 6 || does.begun[parcel] > 6 {
			t.Errorf("asked for the next %v, begun %v", does.next, does.begun)
		}
		stats, err := db.QueueStats(t.Context())
		if err != nil || stats[0].Waiting != 0 {
			t.Errorf("stats %+v: %v", stats, err)
		}
		if got := do(letter, len(letters)).tries(); len(got) != len(letters) {
			t.Errorf("%d letters are done", len(got))
		}
	}, storagetest.OnJobs(j.add))
}

// away is a database that a worker cannot reach any more from its first renewal on.
type away struct{ *sqldb.DB }

var errAway = errors.New("no route to host")

func (away) RenewLease(context.Context, storage.Job, time.Duration) error { return errAway }

func (away) ReleaseJob(context.Context, storage.Job) error { return errAway }

func (away) FailJob(context.Context, storage.Job, string, time.Duration) error { return errAway }

// A worker that loses its lease stops, and another has the job; what the first still
// reports changes nothing. A lost attempt counts as no try.
func TestLostLease(t *testing.T) {
	j := &jobs{}
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, _, _ := newSender(t, db, j)
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		first, firstStop := context.WithCancel(ctx)
		cut := &attempts{do: func(ctx context.Context, _ *work.Attempt) error {
			<-ctx.Done()
			firstStop() // it takes no more
			return context.Cause(ctx)
		}}
		s.add(db, letter, "a")
		s.work(first, t.Context(), away{db}, work.Kind{Name: letter, Handler: cut, Interactive: 1, Lease: 300 * time.Millisecond})
		second := &attempts{do: func(context.Context, *work.Attempt) error { return nil }}
		s.work(ctx, t.Context(), db, work.Kind{Name: letter, Handler: second, Interactive: 1, Ended: ended(1, stop)})
		if len(cut.list) != 1 || len(second.list) != 1 || second.list[0].Attempt != 2 || second.list[0].Try != 1 {
			t.Fatalf("begun %+v and %+v", cut.list, second.list)
		}
		if err := db.FailJob(t.Context(), cut.list[0].Job, "late", storage.ForGood); !errors.Is(err, storage.ErrStale) {
			t.Errorf("the first still reports: %v", err)
		}
	}, storagetest.OnJobs(j.add))
}

// A process that is killed in the middle reports nothing: its lease runs out, and
// another begins again with the same args.
func TestWorkerKilledInTheMiddle(t *testing.T) {
	j := &jobs{}
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, _, _ := newSender(t, db, j)
		s.add(db, letter, "a")
		due, err := db.DueJobs(t.Context(), 1)
		if err != nil || len(due) != 1 {
			t.Fatal(due, err)
		}
		killed, err := db.BeginJob(t.Context(), letter, due[0].ID, "killed", 500*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		h := &attempts{do: func(context.Context, *work.Attempt) error { return nil }}
		s.work(ctx, t.Context(), db, work.Kind{Name: letter, Handler: h, Interactive: 1, Lease: time.Second, Ended: ended(1, stop)})
		if len(h.list) != 1 || h.list[0].Attempt != 2 || h.list[0].Try != 1 || !slices.Equal(h.list[0].Args, killed.Args) || !json.Valid(killed.Args) {
			t.Errorf("begun %+v after %+v", h.list, killed)
		}
	}, storagetest.OnJobs(j.add))
}

// A node that is told to hurry hands its jobs back, and that is no try.
func TestShutdownHandsBack(t *testing.T) {
	j := &jobs{}
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, _, _ := newSender(t, db, j)
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		taking, hurry := context.WithCancel(t.Context())
		h := &attempts{do: func(ctx context.Context, _ *work.Attempt) error {
			hurry()
			<-ctx.Done()
			return errors.New("what falls over then")
		}}
		s.add(db, letter, "a")
		s.work(taking, taking, db, work.Kind{Name: letter, Handler: h, Interactive: 1})
		h.do = func(context.Context, *work.Attempt) error { return nil }
		s.work(ctx, t.Context(), db, work.Kind{Name: letter, Handler: h, Interactive: 1, Ended: ended(1, stop)})
		if got := h.tries()["a"]; !slices.Equal(got, []int{1, 1}) {
			t.Errorf("tries %v", got)
		}
	}, storagetest.OnJobs(j.add))
}

func TestWorkerRefusesKinds(t *testing.T) {
	h := &attempts{}
	for name, kinds := range map[string][]work.Kind{
		"no name":      {{Handler: h}},
		"no handler":   {{Name: letter}},
		"two handlers": {{Name: letter, Handler: h}, {Name: letter, Handler: h}},
	} {
		if _, err := work.NewWorker(nil, nil, work.Config{Logger: slog.New(slog.DiscardHandler)}, kinds...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
