package bus_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"hark/storage"
	"hark/storage/bus"
)

func event(workspace string, seq int64) storage.Event {
	return storage.Event{
		WorkspaceID: workspace, Seq: seq, Type: storage.MessageUpdated, ConversationID: "c", MessageID: "m",
		Data: json.RawMessage(`{"state":"ready"}`), At: storage.Now(),
	}
}

func TestEventsReachTheirWorkspaceOnEveryNode(t *testing.T) {
	server := serve(t)
	here, there := connect(t, bus.Config{Embedded: server}), connect(t, bus.Config{Embedded: server})
	var subs []storage.EventSubscription
	for _, b := range []*bus.Bus{here, there} {
		sub, err := b.SubscribeEvents("w1", 10)
		if err != nil {
			t.Fatal(err)
		}
		subs = append(subs, sub)
	}
	sent := []storage.Event{event("w1", 1), event("w2", 7), event("w1", 2)}
	if err := here.PublishEvents(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	for _, sub := range subs {
		for _, want := range []storage.Event{sent[0], sent[2]} {
			if got := receive(t, "event", sub.C); !reflect.DeepEqual(got, want) {
				t.Errorf("heard %+v, want %+v", got, want)
			}
		}
		sub.Close()
		sub.Close()
		if e, open := <-sub.C; open {
			t.Errorf("heard %+v after the end", e)
		}
	}
}

func TestSlowListenerIsTold(t *testing.T) {
	b := newBus(t)
	slow, err := b.SubscribeEvents("w", 2)
	if err != nil {
		t.Fatal(err)
	}
	quick, err := b.SubscribeEvents("w", 10)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if err := b.PublishEvents(t.Context(), []storage.Event{event("w", int64(i))}); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		receive(t, "event", quick.C)
	}
	receive(t, "word of what was dropped", slow.Dropped)
	for want := range 2 {
		if e := receive(t, "event", slow.C); e.Seq != int64(want) {
			t.Errorf("heard %d, want %d", e.Seq, want)
		}
	}
	select {
	case <-quick.Dropped:
		t.Error("the quick listener was told that it lost events")
	default:
	}
}

func TestWorkspacesThatReachOthers(t *testing.T) {
	b := newBus(t)
	for _, id := range []string{"", "*", ">", "w.x", "w *"} {
		if _, err := b.SubscribeEvents(id, 1); err == nil {
			t.Errorf("listening to workspace %q", id)
		}
		if err := b.PublishEvents(t.Context(), []storage.Event{event(id, 1)}); err == nil {
			t.Errorf("published to workspace %q", id)
		}
	}
}

func TestCloseEndsSubscriptions(t *testing.T) {
	b := newBus(t)
	sub, err := b.SubscribeEvents("w", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, open := <-sub.C; open {
		t.Error("an event after the end")
	}
	if _, err := b.SubscribeEvents("w", 1); err == nil {
		t.Error("subscribed to a closed bus")
	}
	if err := b.PublishEvents(t.Context(), []storage.Event{event("w", 1)}); err == nil {
		t.Error("published on a closed bus")
	}
	sub.Close()
}
