package bus_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/bus"
)

func TestBulkNeverTakesKeptSlots(t *testing.T) {
	b := newBus(t)
	for i := range 6 {
		publish(t, b, storage.Bulk, fmt.Sprintf("bulk-%d", i))
	}
	begun, hold := make(chan string, 20), make(chan struct{})
	consume(t, b, bus.ConsumeConfig{Interactive: 2, Bulk: 2}, func(_ context.Context, d bus.Delivery) bus.Verdict {
		id := d.ID
		begun <- id
		<-hold
		return bus.Done()
	})
	for range 2 {
		if id := receive(t, "bulk job", begun); !strings.HasPrefix(id, "bulk") {
			t.Errorf("begun %s", id)
		}
	}
	for i := range 3 {
		publish(t, b, storage.Interactive, fmt.Sprintf("urgent-%d", i))
	}
	for range 2 {
		if id := receive(t, "interactive job", begun); !strings.HasPrefix(id, "urgent") {
			t.Errorf("begun %s", id)
		}
	}
	eventually(t, "that 5 wait and 4 are taken", func() bool { w, p := depth(t, b); return w == 5 && p == 4 })
	// Of the slots that become free, the last interactive job gets one first.
	hold <- struct{}{}
	if id := receive(t, "job", begun); id != "urgent-2" {
		t.Errorf("begun %s", id)
	}
	close(hold)
	for range 4 {
		receive(t, "bulk job", begun)
	}
}

func TestInteractiveMayTakeAll(t *testing.T) {
	b := newBus(t)
	begun, hold := make(chan string, 10), make(chan struct{})
	consume(t, b, bus.ConsumeConfig{Interactive: 1, Bulk: 2}, func(_ context.Context, d bus.Delivery) bus.Verdict {
		id := d.ID
		begun <- id
		<-hold
		return bus.Done()
	})
	publish(t, b, storage.Interactive, "1", "2", "3", "4")
	for range 3 {
		receive(t, "job", begun)
	}
	// Which somebody else could take: a request for one that stands already gets it,
	// and gives it back.
	publish(t, b, storage.Bulk, "5")
	eventually(t, "five in the queue", func() bool { w, p := depth(t, b); return w+p == 5 })
	if n := len(begun); n > 0 {
		t.Errorf("%d are begun beside the three", n)
	}
	close(hold)
	receive(t, "job", begun)
	receive(t, "job", begun)
}

func TestSlots(t *testing.T) {
	b := newBus(t)
	for _, cfg := range []bus.ConsumeConfig{
		{Kind: storage.Transcribe},
		{Kind: storage.Transcribe, Interactive: -1, Bulk: 2},
		{Kind: storage.Transcribe, Interactive: 1, Bulk: -1},
		{Interactive: 1},
		{Kind: "a.b", Interactive: 1},
	} {
		if err := b.Consume(t.Context(), t.Context(), cfg, nil); err == nil {
			t.Errorf("consuming with %+v", cfg)
		}
	}
}

// A job that runs longer than a worker may be silent stays where it is.
func TestLongJobIsNotGivenAway(t *testing.T) {
	b := newBus(t)
	var calls atomic.Int32
	ended := make(chan struct{})
	handle := func(context.Context, bus.Delivery) bus.Verdict {
		calls.Add(1)
		time.Sleep(2500 * time.Millisecond) // the work itself
		close(ended)
		return bus.Done()
	}
	consume(t, b, bus.ConsumeConfig{Interactive: 1}, handle)
	consume(t, b, bus.ConsumeConfig{Interactive: 1}, handle)
	publish(t, b, storage.Interactive, "long")
	receive(t, "end of the job", ended)
	eventually(t, "an empty queue", func() bool { w, p := depth(t, b); return w+p == 0 })
	if n := calls.Load(); n != 1 {
		t.Errorf("handled %d times", n)
	}
}

func TestDeadWorkersJobGoesToAnother(t *testing.T) {
	server := serve(t)
	dying, heir := connect(t, bus.Config{Embedded: server}), connect(t, bus.Config{Embedded: server})
	begun, hold := make(chan string, 1), make(chan struct{})
	stop := consume(t, dying, bus.ConsumeConfig{Interactive: 1}, func(_ context.Context, d bus.Delivery) bus.Verdict {
		id := d.ID
		begun <- id
		<-hold
		return bus.Done()
	})
	publish(t, dying, storage.Interactive, "a")
	receive(t, "job", begun)
	dying.Kill()
	inherited := make(chan string, 1)
	consume(t, heir, bus.ConsumeConfig{Interactive: 1}, func(_ context.Context, d bus.Delivery) bus.Verdict {
		id := d.ID
		inherited <- id
		return bus.Done()
	})
	if id := receive(t, "the dead worker's job", inherited); id != "a" {
		t.Errorf("inherited %s", id)
	}
	close(hold)
	stop()
}

func TestVerdicts(t *testing.T) {
	b := newBus(t)
	at := make(chan time.Time, 10)
	var calls atomic.Int32
	consume(t, b, bus.ConsumeConfig{Interactive: 1}, func(context.Context, bus.Delivery) bus.Verdict {
		at <- time.Now()
		switch calls.Add(1) {
		case 1:
			return bus.Retry(0)
		case 2:
			return bus.Retry(1500 * time.Millisecond)
		}
		return bus.Done()
	})
	publish(t, b, storage.Interactive, "a")
	first, second, third := receive(t, "try", at), receive(t, "try", at), receive(t, "try", at)
	if d := second.Sub(first); d > time.Second {
		t.Errorf("tried at once after %v", d)
	}
	if d := third.Sub(second); d < 1400*time.Millisecond {
		t.Errorf("tried later after %v", d)
	}
	eventually(t, "an empty queue", func() bool { w, p := depth(t, b); return w+p == 0 })
}

func TestPanicIsARetry(t *testing.T) {
	var log lines
	b := connect(t, bus.Config{Embedded: serve(t), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	panicked := make(chan struct{})
	consume(t, b, bus.ConsumeConfig{Interactive: 1}, func(_ context.Context, d bus.Delivery) bus.Verdict {
		id := d.ID
		if id == "good" {
			close(panicked)
			return bus.Done()
		}
		panic("of a recogniser")
	})
	publish(t, b, storage.Interactive, "bad", "good")
	receive(t, "the next job", panicked)
	eventually(t, "that only the job of the panic is left", func() bool { w, p := depth(t, b); return w == 0 && p == 1 })
	if text := log.String(); !strings.Contains(text, "of a recogniser") || !strings.Contains(text, "consume_test.go") {
		t.Errorf("logged %q", text)
	}
}

// A job that is worked on at the place of another is called off by its own name.
func TestCancelOfTheJobThatIsTaken(t *testing.T) {
	b := newBus(t)
	begun, ended := make(chan string, 1), make(chan error, 1)
	consume(t, b, bus.ConsumeConfig{Bulk: 1}, func(ctx context.Context, d bus.Delivery) bus.Verdict {
		d.Takes("taken")
		if d.Priority != storage.Bulk {
			t.Errorf("delivered as %v", d.Priority)
		}
		begun <- d.ID
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return bus.Done()
	})
	publish(t, b, storage.Bulk, "named")
	receive(t, "job", begun)
	for _, id := range []string{"named", "taken"} {
		if err := b.CancelJob(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if cause := receive(t, "end of the job", ended); !errors.Is(cause, bus.ErrCanceled) {
		t.Errorf("ended with %v", cause)
	}
}

func TestCancel(t *testing.T) {
	server := serve(t)
	here, there := connect(t, bus.Config{Embedded: server}), connect(t, bus.Config{Embedded: server})
	begun, ended := make(chan string, 4), make(chan error, 4)
	consume(t, there, bus.ConsumeConfig{Interactive: 3}, func(ctx context.Context, d bus.Delivery) bus.Verdict {
		id := d.ID
		begun <- id
		if id == "goes-on" {
			return bus.Done()
		}
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return bus.Done()
	})
	publish(t, here, storage.Interactive, "called-off")
	receive(t, "job", begun)
	for _, id := range []string{"another", "called-off"} {
		if err := here.CancelJob(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if cause := receive(t, "end of the job", ended); !errors.Is(cause, bus.ErrCanceled) {
		t.Errorf("ended with %v", cause)
	}
	publish(t, here, storage.Interactive, "goes-on")
	receive(t, "job", begun)
}

// When a node stops, what runs may go on until work ends, and what is then
// unfinished is another node's at once.
func TestStop(t *testing.T) {
	server := serve(t)
	stopping, other := connect(t, bus.Config{Embedded: server}), connect(t, bus.Config{Embedded: server})
	ctx, stop := context.WithCancel(t.Context())
	work, hurry := context.WithCancelCause(t.Context())
	begun, finish := make(chan string, 2), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- stopping.Consume(ctx, work, bus.ConsumeConfig{Kind: storage.Transcribe, Interactive: 2}, func(ctx context.Context, d bus.Delivery) bus.Verdict {
			id := d.ID
			begun <- id
			if id == "quick" {
				<-finish
				return bus.Done()
			}
			<-ctx.Done()
			return bus.Retry(0)
		})
	}()
	publish(t, other, storage.Interactive, "quick", "slow")
	receive(t, "job", begun)
	receive(t, "job", begun)
	stop()
	publish(t, other, storage.Interactive, "late")
	close(finish)
	eventually(t, "the end of the quick job", func() bool { w, p := depth(t, other); return w == 1 && p == 1 })
	hurry(errors.New("node stops"))
	if err := receive(t, "end of consuming", done); err != nil {
		t.Error(err)
	}
	select {
	case id := <-begun:
		t.Errorf("began %s after the stop", id)
	default:
	}
	left := make(chan string, 2)
	consume(t, other, bus.ConsumeConfig{Interactive: 2}, func(_ context.Context, d bus.Delivery) bus.Verdict {
		id := d.ID
		left <- id
		return bus.Done()
	})
	if got := map[string]bool{receive(t, "job", left): true, receive(t, "job", left): true}; !got["slow"] || !got["late"] {
		t.Errorf("left over: %v", got)
	}
}

// Three nodes share 500 jobs; handlers ask for retries at random, and one node
// dies in the middle. Each job is done, and done once, but for those that were
// running when their node died.
func TestManyJobsManyNodes(t *testing.T) {
	const jobs = 500
	server := serve(t)
	publisher := connect(t, bus.Config{Embedded: server})
	var (
		mu    sync.Mutex
		done  = map[string]int{}
		now   = map[string]int{} // running, by job
		twice []string
		all   = make(chan struct{})
		began = make(chan string, 3*jobs) // jobs of the node that is to die
	)
	handle := func(node string, dead *atomic.Bool) bus.Handler {
		return func(_ context.Context, d bus.Delivery) bus.Verdict {
			id := d.ID
			if node == "victim" {
				select {
				case began <- id:
				default:
				}
			}
			mu.Lock()
			if now[id]++; now[id] > 1 && !dead.Load() {
				twice = append(twice, node+" "+id)
			}
			mu.Unlock()
			time.Sleep(time.Duration(rand.IntN(4)) * time.Millisecond) // the work itself
			mu.Lock()
			defer mu.Unlock()
			now[id]--
			switch n := rand.IntN(10); {
			case dead.Load():
				return bus.Done() // which nobody hears
			case n == 0:
				return bus.Retry(0)
			case n == 1:
				return bus.Retry(time.Duration(rand.IntN(50)) * time.Millisecond)
			}
			if done[id]++; len(done) == jobs {
				select {
				case <-all:
				default:
					close(all)
				}
			}
			return bus.Done()
		}
	}
	var victim *bus.Bus
	var victimDead atomic.Bool
	for i, name := range []string{"one", "two", "victim"} {
		b := connect(t, bus.Config{Embedded: server, Name: name})
		dead := new(atomic.Bool)
		if name == "victim" {
			victim, dead = b, &victimDead
		}
		consume(t, b, bus.ConsumeConfig{Interactive: 2 + i, Bulk: 2}, handle(name, dead))
	}
	for i := range jobs {
		publish(t, publisher, storage.Priority(i%2), fmt.Sprintf("job-%d", i))
		if i == jobs/2 {
			receive(t, "job on the node that is to die", began)
			mu.Lock() // no handler answers between the two, else its job would be gone undone
			victimDead.Store(true)
			victim.Kill()
			mu.Unlock()
		}
	}
	receive(t, "the end of all jobs", all)
	eventually(t, "an empty queue", func() bool { w, p := depth(t, publisher); return w+p == 0 })
	mu.Lock()
	defer mu.Unlock()
	var again int // where the word that it was done died with its node
	for _, n := range done {
		again += n - 1
	}
	if again > 6 {
		t.Errorf("%d jobs were done again; the node that died had 6 slots", again)
	}
	if len(twice) > 6 {
		t.Errorf("jobs ran twice at once: %v", twice)
	}
}

// lines is a log that tests read.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
