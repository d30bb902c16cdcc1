package sqldb_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hark/media/spans"
	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// part is that somebody heard a message from one ms to another.
func part(m storage.Message, from, to int64) storage.HeardPart {
	return storage.HeardPart{MessageID: m.ID, Spans: spans.Of(spans.Span{FromMS: from, ToMS: to}), ResumeMS: to}
}

// unread is what a list tells somebody of a conversation, which is the same alone.
func (h *harness) unread(p storage.Principal, id string) int {
	h.tb.Helper()
	list, _ := must2(h.Conversations(h.tb.Context(), p, storage.Page{Limit: 200}))(h.tb)
	for _, c := range list {
		if c.ID == id {
			if one := must(h.Conversation(h.tb.Context(), p, id))(h.tb); one.Unread != c.Unread {
				h.tb.Errorf("listed with %d unread, alone %d", c.Unread, one.Unread)
			}
			return c.Unread
		}
	}
	h.tb.Fatalf("%s is not listed", id)
	return 0
}

func TestAMessageIsHeardWhenMostOfItsSpeechWas(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m := h.say(h.ada, h.room.ID, "one two three four five six seven eight nine ten")
		said := must(h.Transcript(t.Context(), h.bob, m.ID))(t)
		begins, ends := said.Segments[0].StartMS, said.Segments[len(said.Segments)-1].EndMS
		hear := func(p storage.Principal, from, to int64) storage.HeardMessage {
			t.Helper()
			heard := must(h.Hear(t.Context(), p, []storage.HeardPart{part(m, from, to)}))(t)
			if len(heard) != 1 {
				t.Fatalf("heard %d messages", len(heard))
			}
			return heard[0]
		}
		if n := h.unread(h.bob, h.room.ID); n != 1 || h.unread(h.ada, h.room.ID) != 0 {
			t.Fatalf("%d unread", n)
		}
		length := ends - begins
		if got := hear(h.bob, begins, begins+length*8/10); got.Heard.Done || got.Unread != 1 || got.Heard.ResumeMS != begins+length*8/10 {
			t.Errorf("after 80 %% of the speech %+v", got)
		}
		if got := must(h.Message(t.Context(), h.bob, m.ID))(t).Heard; got.Done || got.Spans.Length() != length*8/10 || got.ResumeMS != begins+length*8/10 {
			t.Errorf("told of it %+v", got)
		}
		// From another device: what is new, and what is not.
		if got := hear(h.bob, begins+length/2, begins+length*92/100); !got.Heard.Done || got.Unread != 0 || len(got.Heard.Spans.Spans()) != 1 {
			t.Errorf("after 92 %% %+v", got)
		}
		if got := hear(h.bob, begins, ends); !got.Heard.Done || got.Unread != 0 || h.unread(h.bob, h.room.ID) != 0 {
			t.Errorf("again %+v", got)
		}
		if got := hear(h.ada, begins, begins+10); !got.Heard.Done || got.Unread != 0 {
			t.Errorf("one's own %+v", got)
		}

		// Of what one may not hear nothing is kept or told.
		for _, p := range []storage.Principal{h.eve, h.mal} {
			if got, err := h.Hear(t.Context(), p, []storage.HeardPart{part(m, 0, ends)}); err != nil || len(got) != 0 {
				t.Errorf("%s heard %v, %v", p.UserName, got, err)
			}
			if _, err := h.MarkHeard(t.Context(), p, h.room.ID); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("%s marks: %v", p.UserName, err)
			}
			if _, err := h.MarkUnheard(t.Context(), p, m.ID); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("%s marks: %v", p.UserName, err)
			}
		}
	})
}

// What was heard of a message while nobody knew how long it would be ends where it ended.
func TestHeardEndsWithTheMessage(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m := h.speak("n1")
		var far []storage.HeardPart // a batch as large as one can be
		for range 100 {
			far = append(far, part(m, 1000, 1_000_000_000))
		}
		if got := must(h.Hear(t.Context(), h.bob, far))(t); len(got) != 100 || got[99].Heard.Done || got[99].Unread != 0 {
			t.Fatalf("while it is spoken: %d, %+v", len(got), got[99])
		}
		m, _ = h.finish(finished(m, "n1", ""))
		want := []spans.Span{{FromMS: 1000, ToMS: 2500}}
		if got := must(h.Message(t.Context(), h.bob, m.ID))(t).Heard; got.Done || got.ResumeMS != 2500 || !slices.Equal(got.Spans.Spans(), want) {
			t.Errorf("told %+v", got)
		}
		if got := must(h.Hear(t.Context(), h.bob, []storage.HeardPart{part(m, 1100, 1200)}))(t)[0].Heard; got.Done || !slices.Equal(got.Spans.Spans(), want) {
			t.Errorf("added to %+v", got)
		}
		if n := h.unread(h.bob, h.room.ID); n != 1 {
			t.Errorf("%d unread", n)
		}
	})
}

// heardModel is what a person heard, as it is plain to say.
type heardModel struct {
	in    bool
	heard map[string]bool // messages of others that they need not hear any more
}

// A room with three people in which anything happens: at each moment the counts are
// those of a model that looks at every message.
func TestUnreadIsWhatAModelCounts(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx := t.Context()
		r := rand.New(rand.NewPCG(5, 8))
		people := []storage.Principal{h.ada, h.bob, h.user("Carl", storage.RoleMember)}
		models := map[string]*heardModel{}
		for _, p := range people {
			models[p.UserID] = &heardModel{in: p != people[2], heard: map[string]bool{}}
		}
		type message struct {
			storage.Message
			by   storage.Principal
			sent bool
			live bool
			n    int // its place: when it began or, of a draft, was sent
		}
		var all []*message
		place := 0
		begin := func(m storage.Message, by storage.Principal, sent, live bool) {
			place++
			all = append(all, &message{m, by, sent, live, place})
		}
		pick := func(fit func(*message) bool) *message {
			var fits []*message
			for _, m := range all {
				if fit(m) {
					fits = append(fits, m)
				}
			}
			if len(fits) == 0 {
				return nil
			}
			return fits[r.IntN(len(fits))]
		}
		counted := func(m *message) bool { return m.sent && !m.live }
		forget := func(m *message) {
			for _, one := range models {
				delete(one.heard, m.ID)
			}
		}
		in := func() storage.Principal {
			for {
				if p := people[r.IntN(3)]; models[p.UserID].in {
					return p
				}
			}
		}
		steps := []struct {
			name string
			do   func() error
		}{
			{"send", func() error {
				by := in()
				n := newMessage(h.room)
				n.DurationMS = r.Int64N(2) * 2000 // not known of each
				m, _, err := h.Accept(ctx, by, n)
				begin(m, by, true, false)
				return err
			}},
			{"draft", func() error {
				by := in()
				m, _, err := h.Accept(ctx, by, newDraft(h.room))
				begin(m, by, false, false)
				return err
			}},
			{"begin", func() error {
				by := in()
				n := newRecording(h.room, "n1")
				n.Unsent = r.IntN(3) == 0
				m, err := h.BeginRecording(ctx, by, n)
				begin(m, by, !n.Unsent, true)
				return err
			}},
			{"finish", func() error {
				m := pick(func(m *message) bool { return m.live })
				if m == nil {
					return nil
				}
				_, err := h.FinishRecording(ctx, storage.FinishedRecording{ID: m.ID, Node: "n1", DurationMS: 2000, Original: storage.Original{Key: m.Original.Key, Format: "opus", Bytes: 9}})
				m.live = false
				return err
			}},
			{"drop", func() error {
				m := pick(func(m *message) bool { return m.live })
				if m == nil {
					return nil
				}
				all = slices.DeleteFunc(all, func(one *message) bool { return one == m })
				return h.DropRecording(ctx, m.ID, "n1")
			}},
			{"send draft", func() error {
				m := pick(func(m *message) bool { return !m.sent && !m.live && models[m.by.UserID].in })
				if m == nil {
					return nil
				}
				place++
				m.sent, m.n = true, place
				_, err := h.SendMessage(ctx, m.by, m.ID)
				return err
			}},
			{"unsend", func() error {
				m := pick(func(m *message) bool { return counted(m) && models[m.by.UserID].in })
				if m == nil {
					return nil
				}
				_, err := h.UnsendMessage(ctx, m.by, m.ID)
				if errors.Is(err, storage.ErrTooLate) { // on a machine that is slow just now
					return nil
				}
				m.sent = false
				forget(m)
				return err
			}},
			{"delete", func() error {
				m := pick(func(m *message) bool { return !m.live && models[m.by.UserID].in })
				if m == nil {
					return nil
				}
				all = slices.DeleteFunc(all, func(one *message) bool { return one == m })
				forget(m)
				return h.DeleteMessage(ctx, m.by, m.ID)
			}},
			{"hear", func() error {
				p, m := in(), pick(counted)
				if m == nil {
					return nil
				}
				got, err := h.Hear(ctx, p, []storage.HeardPart{part(m.Message, 0, 24*3600_000)})
				if err != nil || len(got) != 1 {
					return fmt.Errorf("%v, %w", got, err)
				}
				now := must(h.Message(ctx, p, m.ID))(t)
				if now.DurationMS > 0 {
					models[p.UserID].heard[m.ID] = true
				}
				return nil
			}},
			{"mark", func() error {
				p := in()
				for _, m := range all {
					if counted(m) {
						models[p.UserID].heard[m.ID] = true
					}
				}
				_, err := h.MarkHeard(ctx, p, h.room.ID)
				return err
			}},
			{"from here", func() error {
				p, m := in(), pick(counted)
				if m == nil {
					return nil
				}
				for _, other := range all {
					if other.n >= m.n {
						delete(models[p.UserID].heard, other.ID)
					}
				}
				_, err := h.MarkUnheard(ctx, p, m.ID)
				return err
			}},
			{"join or leave", func() error {
				p := people[2]
				model := models[p.UserID]
				if model.in = !model.in; !model.in {
					return h.RemoveConversationMember(ctx, p, h.room.ID, p.UserID)
				}
				for _, m := range all { // what was begun before too: it is before their time
					if m.sent {
						model.heard[m.ID] = true
					}
				}
				return h.AddConversationMember(ctx, h.ada, h.room.ID, p.UserID)
			}},
		}
		for i := range 400 {
			step := steps[r.IntN(len(steps))]
			if err := step.do(); err != nil {
				t.Fatalf("step %d, %s: %v", i, step.name, err)
			}
			for _, p := range people {
				model := models[p.UserID]
				if !model.in {
					continue
				}
				want := 0
				for _, m := range all {
					if counted(m) && m.by.UserID != p.UserID && !model.heard[m.ID] {
						want++
					}
				}
				if got := h.unread(p, h.room.ID); got != want {
					t.Fatalf("step %d, %s: %s has %d unread, want %d", i, step.name, p.UserName, got, want)
				}
				list := must(h.Messages(ctx, p, h.room.ID, storage.MessagePage{Page: storage.Page{Limit: 200}}))(t)
				for _, m := range list.Messages {
					if want := m.AuthorID == p.UserID || model.heard[m.ID]; m.State != storage.Recording && m.Heard.Done != want {
						t.Fatalf("step %d, %s: to %s %s is heard: %v, want %v", i, step.name, p.UserName, m.ID, m.Heard.Done, want)
					}
				}
			}
		}
	})
}

// What came before is heard by who comes later, as far as it is shown to them.
func TestWhoJoinsHasNothingToHear(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		room := h.channel(storage.HistoryFromJoining, h.ada)
		for range 3 {
			h.send(h.ada, room.ID)
		}
		h.check(h.AddConversationMember(t.Context(), h.ada, room.ID, h.bob.UserID))
		if n := h.unread(h.bob, room.ID); n != 0 {
			t.Errorf("%d unread", n)
		}
		time.Sleep(2 * time.Millisecond) // what is shown begins after the last
		m, _ := h.send(h.ada, room.ID)
		if n := h.unread(h.bob, room.ID); n != 1 {
			t.Errorf("%d unread", n)
		}
		h.check(second(h.MarkHeard(t.Context(), h.bob, room.ID)))
		c := must(h.MarkUnheard(t.Context(), h.bob, m.ID))(t)
		if c.Unread != 1 {
			t.Errorf("%d unread from the first that is shown", c.Unread)
		}
	})
}

func second[T any](_ T, err error) error { return err }
