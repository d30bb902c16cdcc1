package bus_test

import (
	"context"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"hark/storage"
	"hark/storage/bus"
)

func TestCheckPrefix(t *testing.T) {
	for _, good := range []string{"hark", "hark-0192", "Hark_2", strings.Repeat("a", 64)} {
		if err := bus.CheckPrefix(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "a.b", "a*", ">", "a b", "ä", "a/b", strings.Repeat("a", 65)} {
		if bus.CheckPrefix(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// Two Harks on one server see nothing of each other.
func TestTwoHarksOnOneServer(t *testing.T) {
	url := external(t, t.TempDir(), server.RANDOM_PORT).ClientURL()
	ours := connect(t, bus.Config{URL: url, Prefix: "hark-ours"})
	theirs := connect(t, bus.Config{URL: url, Prefix: "hark-theirs"})
	got, ended := make(chan string, 10), make(chan error, 1)
	consume(t, theirs, bus.ConsumeConfig{Interactive: 1, Bulk: 1}, func(ctx context.Context, d bus.Delivery) bus.Verdict {
		id := d.ID
		got <- id
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return bus.Done()
	})
	sub, err := theirs.SubscribeEvents("w", 10)
	if err != nil {
		t.Fatal(err)
	}

	publish(t, ours, storage.Interactive, "ours")
	publish(t, theirs, storage.Interactive, "theirs")
	if id := receive(t, "job", got); id != "theirs" {
		t.Errorf("took the other's job %s", id)
	}
	for _, b := range []*bus.Bus{ours, theirs} {
		what := map[*bus.Bus]storage.EventType{ours: "ours", theirs: "theirs"}[b]
		if err := b.PublishEvents(t.Context(), []storage.Event{{WorkspaceID: "w", Type: what}}); err != nil {
			t.Fatal(err)
		}
		if err := b.CancelJob(t.Context(), map[*bus.Bus]string{ours: "theirs", theirs: "none"}[b]); err != nil {
			t.Fatal(err)
		}
	}
	if e := receive(t, "event", sub.C); e.Type != "theirs" {
		t.Errorf("heard the other's event %s", e.Type)
	}
	select {
	case err := <-ended:
		t.Errorf("the other called our job off: %v", err)
	default:
	}
	if w, taken := depth(t, ours); w != 1 || taken != 0 {
		t.Errorf("of our job %d wait and %d are taken", w, taken)
	}
	if err := theirs.CancelJob(t.Context(), "theirs"); err != nil {
		t.Fatal(err)
	}
	receive(t, "cancel", ended)
}

// The queue of a version without prefixes goes when nobody works on it, even
// where our own subjects would overlap with its own.
func TestLegacyQueue(t *testing.T) {
	for _, test := range []struct {
		name, prefix string
		used         bool
	}{{"idle", "hark-test", false}, {"idle with our subjects", "hark", false}, {"in use", "hark-test", true}} {
		t.Run(test.name, func(t *testing.T) {
			s := external(t, t.TempDir(), server.RANDOM_PORT)
			js := jetStream(t, s)
			_, err := js.AddStream(&nats.StreamConfig{
				Name: "HARK_JOBS", Subjects: []string{"hark.jobs.interactive.*", "hark.jobs.bulk.*"}, Retention: nats.WorkQueuePolicy,
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = js.AddConsumer("HARK_JOBS", &nats.ConsumerConfig{
				Durable: "interactive", FilterSubject: "hark.jobs.interactive.*", AckPolicy: nats.AckExplicitPolicy,
			})
			if err != nil {
				t.Fatal(err)
			}
			if test.used {
				pull, err := js.PullSubscribe("hark.jobs.interactive.*", "interactive", nats.Bind("HARK_JOBS", "interactive"))
				if err != nil {
					t.Fatal(err)
				}
				batch, err := pull.FetchBatch(1, nats.MaxWait(patience))
				if err != nil {
					t.Fatal(err)
				}
				eventually(t, "a worker that waits", func() bool {
					info, err := js.ConsumerInfo("HARK_JOBS", "interactive")
					return err == nil && info.NumWaiting == 1
				})
				defer func() {
					if _, err := js.Publish("hark.jobs.interactive.old", nil); err != nil {
						t.Error(err)
					}
					receive(t, "the older version's job", batch.Messages())
				}()
			} else if _, err := js.Publish("hark.jobs.bulk.old", []byte(`{"job":"old"}`)); err != nil {
				t.Fatal(err)
			}
			works(t, bus.Config{URL: s.ClientURL(), Prefix: test.prefix})
			if _, err := js.StreamInfo("HARK_JOBS"); (err == nil) != test.used {
				t.Errorf("the old queue: %v", err)
			}
		})
	}
}
