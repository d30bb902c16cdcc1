package bus_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"hark/storage"
	"hark/storage/bus"
)

const letter storage.JobKind = "letter"

// What nobody takes stays in the queue, and those of other kinds pass it by. Who
// takes it later finds it there.
func TestKindThatNobodyTakesWaits(t *testing.T) {
	b := newBus(t)
	const jobs = 50
	for i := range jobs {
		job := storage.JobRef{Kind: letter, ID: fmt.Sprintf("letter-%d", i), Priority: storage.Priority(i % 2)}
		for range 2 { // again, as maintenance does
			if err := b.PublishJob(t.Context(), job); err != nil {
				t.Fatal(err)
			}
		}
	}
	taken := make(chan bus.Delivery, 2*jobs)
	take := func(_ context.Context, d bus.Delivery) bus.Verdict {
		taken <- d
		return bus.Done()
	}
	consume(t, b, bus.ConsumeConfig{Interactive: 1, Bulk: 1}, take)
	publish(t, b, storage.Interactive, "a")
	publish(t, b, storage.Bulk, "b")
	ids := []string{receive(t, "job", taken).ID, receive(t, "job", taken).ID}
	if slices.Sort(ids); !slices.Equal(ids, []string{"a", "b"}) || len(taken) > 0 {
		t.Errorf("taken are %v and %d more", ids, len(taken))
	}

	consume(t, b, bus.ConsumeConfig{Kind: letter, Interactive: 1, Bulk: 1}, take)
	got := map[string]storage.Priority{}
	for range jobs {
		d := receive(t, "letter", taken)
		got[d.ID] = d.Priority
	}
	for i := range jobs {
		if p, ok := got[fmt.Sprintf("letter-%d", i)]; !ok || p != storage.Priority(i%2) {
			t.Errorf("letter %d was taken: %v, as %s", i, ok, p)
		}
	}
	eventually(t, "an empty queue", func() bool {
		depths, err := b.Stats(t.Context(), letter)
		return err == nil && depths[0] == bus.Depth{Priority: storage.Interactive} && depths[1] == bus.Depth{Priority: storage.Bulk}
	})
}

// A node of the version that knew one kind shares the queue: it takes what this
// version publishes of that kind and sees no other, and what it left is taken.
func TestQueueOfTheVersionWithOneKind(t *testing.T) {
	url := external(t, t.TempDir(), server.RANDOM_PORT).ClientURL()
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := conn.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	_, err = js.AddStream(&nats.StreamConfig{
		Name: "hark-test-jobs", Subjects: []string{"hark-test.jobs.interactive.*", "hark-test.jobs.bulk.*"}, Retention: nats.WorkQueuePolicy,
		MaxMsgsPerSubject: 1, Discard: nats.DiscardNew, DiscardNewPerSubject: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, class := range []string{"interactive", "bulk"} {
		_, err = js.AddConsumer("hark-test-jobs", &nats.ConsumerConfig{
			Durable: class, FilterSubject: "hark-test.jobs." + class + ".*", AckPolicy: nats.AckExplicitPolicy, MaxDeliver: -1,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := js.Publish("hark-test.jobs.bulk.old", []byte(`{"job":"old","attempt":0}`)); err != nil {
		t.Fatal(err)
	}

	b := connect(t, bus.Config{URL: url})
	if err := b.PublishJob(t.Context(), storage.JobRef{Kind: letter, ID: "letter"}); err != nil {
		t.Fatal(err)
	}
	publish(t, b, storage.Interactive, "new")
	pull, err := js.PullSubscribe("hark-test.jobs.interactive.*", "interactive", nats.Bind("hark-test-jobs", "interactive"))
	if err != nil {
		t.Fatal(err)
	}
	msgs, err := pull.Fetch(2, nats.MaxWait(patience/10))
	if err != nil || len(msgs) != 1 || string(msgs[0].Data) != `{"job":"new","attempt":0}` {
		t.Errorf("the older version takes %d jobs: %v", len(msgs), err)
	}
	taken := make(chan string, 2)
	consume(t, b, bus.ConsumeConfig{Interactive: 1, Bulk: 1}, func(_ context.Context, d bus.Delivery) bus.Verdict {
		taken <- d.ID
		return bus.Done()
	})
	if id := receive(t, "what the older version published", taken); id != "old" {
		t.Errorf("took %s", id)
	}
}
