package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"hark/storage"
	"hark/storage/bus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func serve(t *testing.T) *bus.Embedded {
	t.Helper()
	e, err := bus.Serve(filepath.Join(t.TempDir(), "nats"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close server: %v", err)
		}
	})
	return e
}

func connect(t *testing.T, cfg bus.Config) *bus.Bus {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = quiet()
	}
	if cfg.Prefix == "" {
		cfg.Prefix = "hark-test"
	}
	b, err := bus.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.Quicken()
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

func newBus(t *testing.T) *bus.Bus {
	t.Helper()
	return connect(t, bus.Config{Embedded: serve(t)})
}

// consume runs Consume until the test ends or stop is called, which waits for it.
func consume(t *testing.T, b *bus.Bus, cfg bus.ConsumeConfig, handle bus.Handler) (stop func()) {
	t.Helper()
	if cfg.Kind == "" {
		cfg.Kind = storage.Transcribe
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Consume(ctx, t.Context(), cfg, handle) }()
	var stopped bool
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("consume: %v", err)
			}
		case <-time.After(patience):
			t.Error("consume did not end")
		}
	}
	t.Cleanup(stop)
	return stop
}

func publish(t *testing.T, b *bus.Bus, p storage.Priority, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := b.PublishJob(t.Context(), storage.JobRef{Kind: storage.Transcribe, ID: id, Priority: p}); err != nil {
			t.Fatal(err)
		}
	}
}

func receive[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
		panic("unreachable")
	}
}

// eventually waits for what no channel tells.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come about", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func depth(t *testing.T, b *bus.Bus) (waiting, taken int) {
	t.Helper()
	depths, err := b.Stats(t.Context(), storage.Transcribe)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range depths {
		waiting, taken = waiting+d.Waiting, taken+d.Taken
	}
	return waiting, taken
}

func TestStats(t *testing.T) {
	b := newBus(t)
	if err := b.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	publish(t, b, storage.Interactive, "1")
	publish(t, b, storage.Bulk, "2", "3")
	want := []bus.Depth{{Priority: storage.Interactive, Waiting: 1}, {Priority: storage.Bulk, Waiting: 2}}
	eventually(t, "the depth that was published", func() bool {
		depths, err := b.Stats(t.Context(), storage.Transcribe)
		return err == nil && slices.Equal(depths, want)
	})
}

func TestQueueOutlivesServer(t *testing.T) {
	dir := t.TempDir()
	first, err := bus.Serve(dir, quiet())
	if err != nil {
		t.Fatal(err)
	}
	b := connect(t, bus.Config{Embedded: first})
	publish(t, b, storage.Bulk, "kept")
	if _, err := bus.Serve(dir, quiet()); err == nil {
		t.Error("two servers over one folder")
	}
	if err := errors.Join(b.Close(), first.Close(), first.Close()); err != nil {
		t.Fatal(err)
	}

	second, err := bus.Serve(dir, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.Close() }()
	b = connect(t, bus.Config{Embedded: second})
	eventually(t, "the job that was kept", func() bool { w, _ := depth(t, b); return w == 1 })
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestPublishJob(t *testing.T) {
	b := newBus(t)
	for range 3 { // the sweeper may publish what is there already
		publish(t, b, storage.Interactive, "a")
	}
	eventually(t, "one job", func() bool { w, _ := depth(t, b); return w == 1 })
	for _, bad := range []string{"", "a.b", "*", ">", "a b", "ä"} {
		for _, job := range []storage.JobRef{{Kind: storage.Transcribe, ID: bad}, {Kind: storage.JobKind(bad), ID: "b"}} {
			if err := b.PublishJob(t.Context(), job); err == nil {
				t.Errorf("job %+v was published", job)
			}
		}
	}
	done := make(chan string, 10)
	consume(t, b, bus.ConsumeConfig{Interactive: 1}, func(_ context.Context, d bus.Delivery) bus.Verdict {
		id := d.ID
		done <- id
		return bus.Done()
	})
	receive(t, "job", done)
	eventually(t, "an empty queue", func() bool { w, p := depth(t, b); return w+p == 0 })
	publish(t, b, storage.Interactive, "a") // a person asked for another try
	receive(t, "job for the second time", done)
}

func TestNoServer(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "nats://" + l.Addr().String()
	_ = l.Close()
	if _, err := bus.Connect(t.Context(), bus.Config{URL: url, Prefix: "hark-test", Logger: quiet()}); err == nil {
		t.Error("connected to nothing")
	}
}

// external is a NATS server on a port of its own, as another machine's.
func external(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		t.Fatal("NATS server is not ready")
	}
	t.Cleanup(func() { stopExternal(s) })
	return s
}

func stopExternal(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// While the server is away, publishing fails at once; when it is back, with
// its queue or with none, consuming goes on.
func TestOutage(t *testing.T) {
	for _, test := range []struct {
		name   string
		forget bool
	}{{"the queue is kept", false}, {"the queue is lost", true}} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			s := external(t, dir, server.RANDOM_PORT)
			port := s.Addr().(*net.TCPAddr).Port
			b := connect(t, bus.Config{URL: s.ClientURL()})
			sub, err := b.SubscribeEvents("w", 1)
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan string, 10)
			hold := make(chan struct{})
			consume(t, b, bus.ConsumeConfig{Interactive: 2}, func(_ context.Context, d bus.Delivery) bus.Verdict {
				id := d.ID
				if id == "during" {
					done <- "begun"
					<-hold
				}
				done <- id
				return bus.Done()
			})
			publish(t, b, storage.Interactive, "before", "during")
			got := map[string]bool{receive(t, "job", done): true, receive(t, "job", done): true}
			if !got["before"] || !got["begun"] {
				t.Fatalf("got %v", got)
			}
			eventually(t, "the end of the first job", func() bool { w, p := depth(t, b); return w+p == 1 })

			stopExternal(s)
			started := time.Now()
			if err := b.PublishJob(t.Context(), storage.JobRef{Kind: storage.Transcribe, ID: "lost"}); err == nil {
				t.Error("published to nobody")
			}
			if err := b.Ping(t.Context()); err == nil {
				t.Error("pinged nobody")
			}
			if took := time.Since(started); took > 10*time.Second {
				t.Errorf("it took %v to notice", took)
			}
			if test.forget {
				dir = t.TempDir()
			}
			external(t, dir, port)
			receive(t, "word that events may be lost", sub.Dropped)
			eventually(t, "publishing again", func() bool {
				return b.PublishJob(t.Context(), storage.JobRef{Kind: storage.Transcribe, ID: "after"}) == nil
			})
			if id := receive(t, "job", done); id != "after" {
				t.Errorf("got %s", id)
			}
			close(hold) // the handler went through all this undisturbed
			if id := receive(t, "job", done); id != "during" {
				t.Errorf("got %s", id)
			}
			eventually(t, "an empty queue", func() bool { w, p := depth(t, b); return w+p == 0 })
		})
	}
}

// jetStream is a connection of somebody else's to a server.
func jetStream(t *testing.T, s *server.Server) nats.JetStreamContext {
	t.Helper()
	conn, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := conn.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// Another version's queue is used as far as it will do.
func TestQueueOfAnotherVersion(t *testing.T) {
	s := external(t, t.TempDir(), server.RANDOM_PORT)
	js := jetStream(t, s)
	_, err := js.AddStream(&nats.StreamConfig{
		Name: "hark-test-jobs", Subjects: []string{"hark-test.jobs.interactive.*", "hark-test.jobs.bulk.*", "hark-test.jobs.later.*"},
		Retention: nats.WorkQueuePolicy, Storage: nats.MemoryStorage, // cannot be changed afterwards
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = js.AddConsumer("hark-test-jobs", &nats.ConsumerConfig{
		Durable: "interactive", FilterSubject: "hark-test.jobs.interactive.*", AckPolicy: nats.AckExplicitPolicy,
		ReplayPolicy: nats.ReplayOriginalPolicy,
	})
	if err != nil {
		t.Fatal(err)
	}
	b := connect(t, bus.Config{URL: s.ClientURL()})
	done := make(chan string, 1)
	consume(t, b, bus.ConsumeConfig{Interactive: 1}, func(_ context.Context, d bus.Delivery) bus.Verdict {
		id := d.ID
		done <- id
		return bus.Done()
	})
	publish(t, b, storage.Interactive, "a")
	receive(t, "job", done)
}

// A server that is away is another matter than one that says no.
func TestUnreachable(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := closed.Addr().String()
	closed.Close()
	strict, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, Username: "hark", Password: "right"})
	if err != nil {
		t.Fatal(err)
	}
	strict.Start()
	t.Cleanup(func() {
		strict.Shutdown()
		strict.WaitForShutdown()
	})
	if !strict.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	for url, want := range map[string]bool{"nats://" + away: true, "nats://hark:wrong@" + strict.Addr().String(): false} {
		b, err := bus.Connect(t.Context(), bus.Config{URL: url, Prefix: "hark-test", Logger: quiet()})
		if err == nil {
			t.Errorf("connected to %s", url)
			_ = b.Close()
		}
		if errors.Is(err, storage.ErrUnreachable) != want {
			t.Errorf("%s: %v", url, err)
		}
	}
}
