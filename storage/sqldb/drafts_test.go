package sqldb_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// newDraft is a clip that is not sent yet.
func newDraft(room storage.Conversation) storage.NewMessage {
	m := newMessage(room)
	m.Unsent = true
	return m
}

// draft accepts a clip of ada's that she does not send yet.
func (h *harness) draft() (storage.Message, storage.JobRef) {
	h.tb.Helper()
	m, created, err := h.Accept(h.tb.Context(), h.ada, newDraft(h.room))
	if err != nil || !created || !m.Unsent {
		h.tb.Fatalf("accepted %+v, created %v, %v", m, created, err)
	}
	return m, h.jobOf(m.ID)
}

// hears lists the events that somebody gets from a place on, and moves the place.
func (h *harness) hears(who storage.Principal, seq *int64) (sent []string) {
	h.tb.Helper()
	for _, e := range must(h.EventsAfter(h.tb.Context(), who, *seq, 0))(h.tb) {
		sent = append(sent, string(e.Type))
	}
	*seq = must(h.LastSeq(h.tb.Context(), who))(h.tb)
	return sent
}

// sight is all that somebody can find out.
type sight struct {
	Conversations []storage.Conversation
	Messages      storage.MessageList
	Drafts        []storage.Message
	Searches      []storage.Results
	Words         int
}

func (h *harness) sight(who storage.Principal) (s sight) {
	h.tb.Helper()
	ctx := h.tb.Context()
	s.Conversations, _ = must2(h.Conversations(ctx, who, storage.Page{}))(h.tb)
	s.Messages = must(h.Messages(ctx, who, h.room.ID, storage.MessagePage{}))(h.tb)
	s.Drafts, _ = must2(h.Drafts(ctx, who, storage.Page{}))(h.tb)
	for _, text := range []string{"zebra", "zeb*", "zebar", `"hidden zebra"`, "lion", "lion -zebra"} {
		s.Searches = append(s.Searches, must(h.Search(ctx, who, storage.Query{Text: text}))(h.tb))
	}
	s.Words, _ = must2(h.LexiconRows(ctx))(h.tb)
	return s
}

// Whatever its author does with a draft, nobody else can tell that it is there:
// not by a list, a search, a correction, an event, a time or an error.
func TestDraftIsItsAuthorsAlone(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		boss := h.user("Boss", storage.Admin)
		h.check(h.AddConversationMember(t.Context(), h.ada, h.room.ID, boss.UserID))
		h.conversation(h.ada, h.bob, boss) // more lately active than the room
		h.say(h.bob, h.room.ID, "lion of the savanna")
		seq := must(h.LastSeq(t.Context(), h.bob))(t)
		others := []storage.Principal{h.bob, boss}
		before := []sight{h.sight(h.bob), h.sight(boss)}

		clip, job := h.draft()
		live := newRecording(h.room, "n1")
		live.Unsent = true
		spokenDraft := must(h.BeginRecording(t.Context(), h.ada, live))(t)
		task := h.begin(job)
		title := "Hidden"
		for _, stage := range []struct {
			name string
			do   func()
		}{
			{"measure", func() {
				h.check(h.SaveSound(t.Context(), task, storage.Sound{DurationMS: 700, Peaks: make([]float64, 100)}))
			}},
			{"hear", func() { h.check(h.SaveTranscript(t.Context(), task, spoken("hidden zebra"))) }},
			{"rename", func() { must(h.UpdateMessage(t.Context(), h.ada, clip.ID, storage.MessagePatch{Title: &title}))(t) }},
			{"finish", func() { h.finish(finished(spokenDraft, "n1", "another zebra")) }},
		} {
			stage.do()
			for i, who := range others {
				if now := h.sight(who); !reflect.DeepEqual(now, before[i]) {
					t.Errorf("%s: %s sees\n%+v and saw\n%+v", stage.name, who.UserName, now, before[i])
				}
			}
		}
		mine, _ := must2(h.Drafts(t.Context(), h.ada, storage.Page{}))(t)
		if len(mine) != 2 || mine[0].ID != spokenDraft.ID || mine[1].ID != clip.ID || mine[1].Title != title {
			t.Errorf("ada's drafts are %+v", mine)
		}
		if got := must(h.Transcript(t.Context(), h.ada, clip.ID))(t); got.Text() != "hidden zebra" {
			t.Errorf("ada reads %q", got.Text())
		}
		for _, who := range append(others, h.eve, h.mal) {
			for method, call := range map[string]func() error{
				"Message":    func() error { _, err := h.Message(t.Context(), who, clip.ID); return err },
				"Transcript": func() error { _, err := h.Transcript(t.Context(), who, clip.ID); return err },
				"UpdateMessage": func() error {
					_, err := h.UpdateMessage(t.Context(), who, clip.ID, storage.MessagePatch{Title: &title})
					return err
				},
				"DeleteMessage": func() error { return h.DeleteMessage(t.Context(), who, clip.ID) },
				"RetryMessage":  func() error { _, err := h.RetryMessage(t.Context(), who, clip.ID); return err },
				"SendMessage":   func() error { _, err := h.SendMessage(t.Context(), who, clip.ID); return err },
				"UnsendMessage": func() error { _, err := h.UnsendMessage(t.Context(), who, clip.ID); return err },
				"DiscardDraft":  func() error { return h.DiscardDraft(t.Context(), who, clip.ID) },
				"Messages around it": func() error {
					_, err := h.Messages(t.Context(), who, h.room.ID, storage.MessagePage{Around: clip.ID})
					return err
				},
				"reply": func() error {
					m := newMessage(h.room)
					m.ReplyTo = clip.ID
					_, _, err := h.Accept(t.Context(), who, m)
					return err
				},
			} {
				if err := call(); !errors.Is(err, storage.ErrNotFound) {
					t.Errorf("%s of %s gives %v", method, who.UserName, err)
				}
			}
		}
		h.check(h.DiscardDraft(t.Context(), h.ada, clip.ID))
		h.check(h.DeleteMessage(t.Context(), h.ada, spokenDraft.ID))
		for i, who := range others {
			if now := h.sight(who); !reflect.DeepEqual(now, before[i]) {
				t.Errorf("discarded: %s sees\n%+v and saw\n%+v", who.UserName, now, before[i])
			}
			from := seq
			if sent := h.hears(who, &from); len(sent) > 0 {
				t.Errorf("%s gets %v", who.UserName, sent)
			}
		}
		sent := h.hears(h.ada, &seq)
		if len(sent) < 6 || slices.ContainsFunc(sent, func(e string) bool { return e[:6] != "draft." }) {
			t.Errorf("ada gets %v", sent)
		}
	})
}

// A draft of a conversation that its author has left is as everything there.
func TestDraftOfWhoLeft(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m, job := h.draft()
		h.check(h.RemoveConversationMember(t.Context(), h.ada, h.room.ID, h.ada.UserID))
		seq := must(h.LastSeq(t.Context(), h.ada))(t)
		h.check(h.SaveTranscript(t.Context(), h.begin(job), spoken("too late")))
		if sent := h.hears(h.ada, &seq); len(sent) > 0 {
			t.Errorf("got %v", sent)
		}
		_, err := h.SendMessage(t.Context(), h.ada, m.ID)
		wantErr(t, err, storage.ErrNotFound)
		if mine, _ := must2(h.Drafts(t.Context(), h.ada, storage.Page{}))(t); len(mine) != 0 {
			t.Errorf("drafts %+v", mine)
		}
		h.check(h.AddConversationMember(t.Context(), h.bob, h.room.ID, h.ada.UserID))
		if got := must(h.SendMessage(t.Context(), h.ada, m.ID))(t); got.Unsent {
			t.Errorf("back again, sent %+v", got)
		}
		later, _ := h.draft()
		h.check(h.DeleteConversation(t.Context(), h.ada, h.room.ID))
		_, err = h.SendMessage(t.Context(), h.ada, later.ID)
		wantErr(t, err, storage.ErrNotFound)
	})
}

// A draft gets its place when it is sent, so that nobody who has read on past
// the time of its recording misses it.
func TestSendDraft(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		first, _ := h.send(h.bob, h.room.ID)
		m, job := h.draft()
		h.check(h.SaveTranscript(t.Context(), h.begin(job), spoken("hidden zebra")))
		listening, lateJob := h.draft() // is being listened to when it is sent
		task := h.begin(lateJob)
		second, _ := h.send(h.bob, h.room.ID)
		seen := must(h.Messages(t.Context(), h.bob, h.room.ID, storage.MessagePage{Page: storage.Page{Limit: 1}}))(t)
		seq := must(h.LastSeq(t.Context(), h.bob))(t)
		from := seq
		time.Sleep(2 * time.Millisecond) // of the database's clock: it is sent later than the one before it

		sent := must(h.SendMessage(t.Context(), h.ada, m.ID))(t)
		if sent.Unsent || !sent.CreatedAt.After(second.CreatedAt) || !sent.RecordedAt.Equal(m.RecordedAt) {
			t.Errorf("sent %+v after %+v", sent, second)
		}
		if sent := h.hears(h.bob, &from); !slices.Equal(sent, []string{"message.created"}) {
			t.Errorf("bob gets %v", sent)
		}
		if sent := h.hears(h.ada, &seq); !slices.Equal(sent, []string{"draft.deleted", "message.created"}) {
			t.Errorf("ada gets %v", sent)
		}
		must(h.SendMessage(t.Context(), h.ada, m.ID))(t)
		if sent := h.hears(h.bob, &from); len(sent) > 0 {
			t.Errorf("sent twice, bob gets %v", sent)
		}
		_, err := h.SendMessage(t.Context(), h.bob, m.ID)
		wantErr(t, err, storage.ErrForbidden)
		wantErr(t, h.DiscardDraft(t.Context(), h.ada, m.ID), storage.ErrSent)

		must(h.SendMessage(t.Context(), h.ada, listening.ID))(t)
		h.check(h.SaveTranscript(t.Context(), task, spoken("a late zebra")))
		all := must(h.Messages(t.Context(), h.bob, h.room.ID, storage.MessagePage{}))(t).Messages
		order := []string{listening.ID, m.ID, second.ID, first.ID}
		for i, got := range all {
			if got.ID != order[i] {
				t.Errorf("place %d has %s, not %s", i, got.ID, order[i])
			}
		}
		if found := h.said("zebra"); len(found) != 2 || !slices.Contains(found, m.ID) || !slices.Contains(found, listening.ID) {
			t.Errorf("found %v", found)
		}
		// Bob had read up to the second, and reads on.
		older := must(h.Messages(t.Context(), h.bob, h.room.ID, storage.MessagePage{Page: storage.Page{Cursor: seen.Older}}))(t)
		newer := must(h.Messages(t.Context(), h.bob, h.room.ID, storage.MessagePage{Page: storage.Page{Cursor: older.Newer}}))(t)
		if len(newer.Messages) != 3 || newer.Messages[0].ID != listening.ID {
			t.Errorf("bob reads on to %+v", newer.Messages)
		}
		if c := must(h.Conversation(t.Context(), h.bob, h.room.ID))(t); c.LastMessageAt.Before(sent.CreatedAt) {
			t.Errorf("last message at %s", c.LastMessageAt)
		}
	})
}

func TestSendWhileItIsSpoken(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		r := newRecording(h.room, "n1")
		r.Unsent, r.Captions = true, storage.CaptionsConversation
		_, err := h.BeginRecording(t.Context(), h.ada, r)
		wantErr(t, err, storage.ErrInvalid)
		r.Captions = storage.CaptionsPrivate
		m := must(h.BeginRecording(t.Context(), h.ada, r))(t)
		_, err = h.SendMessage(t.Context(), h.ada, m.ID)
		wantErr(t, err, storage.ErrRecording)
		_, err = h.UnsendMessage(t.Context(), h.ada, h.speak("n1").ID)
		wantErr(t, err, storage.ErrRecording)

		// Its node is killed, and another finishes it: it is a draft still.
		h.check(h.Exec(t.Context(), `UPDATE recordings SET lease_until = 1`))
		must(h.ClaimRecording(t.Context(), m.ID, "n1", "n2", time.Minute))(t)
		if got, _ := h.finish(finished(m, "n2", "hidden zebra")); !got.Unsent || got.State != storage.Ready {
			t.Errorf("finished %+v", got)
		}
		if found := h.said("zebra"); len(found) > 0 {
			t.Errorf("bob finds %v", found)
		}
		must(h.SendMessage(t.Context(), h.ada, m.ID))(t)
		if found := h.said("zebra"); !slices.Equal(found, []string{m.ID}) {
			t.Errorf("bob finds %v", found)
		}
	})
}

// What is taken back is as if it had never been sent, but for what was sent out.
func TestUnsend(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		h.say(h.bob, h.room.ID, "lion of the savanna")
		m := h.say(h.ada, h.room.ID, "hidden zebra") // sent as messages are, not as a draft
		must(h.UnsendMessage(t.Context(), h.ada, m.ID))(t)
		hidden := h.sight(h.bob)
		seq := must(h.LastSeq(t.Context(), h.bob))(t)
		from := seq
		for range 2 {
			must(h.SendMessage(t.Context(), h.ada, m.ID))(t)
			if found := h.said("zebra"); !slices.Equal(found, []string{m.ID}) {
				t.Errorf("bob finds %v", found)
			}
			_, err := h.UnsendMessage(t.Context(), h.bob, m.ID)
			wantErr(t, err, storage.ErrForbidden)
			for range 2 { // the second time has nothing to do
				if got := must(h.UnsendMessage(t.Context(), h.ada, m.ID))(t); !got.Unsent || !got.CreatedAt.Equal(m.CreatedAt) {
					t.Errorf("taken back %+v", got)
				}
			}
			if now := h.sight(h.bob); !reflect.DeepEqual(now, hidden) {
				t.Errorf("bob sees\n%+v and saw\n%+v", now, hidden)
			}
			if sent := h.hears(h.bob, &from); !slices.Equal(sent, []string{"message.created", "message.deleted"}) {
				t.Errorf("bob gets %v", sent)
			}
			if sent := h.hears(h.ada, &seq); !slices.Equal(sent, []string{"draft.deleted", "message.created", "message.deleted", "draft.created"}) {
				t.Errorf("ada gets %v", sent)
			}
		}
		for _, c := range []struct {
			ago  time.Duration
			want error
		}{{14 * time.Second, nil}, {16 * time.Second, storage.ErrTooLate}} { // the last stays sent
			must(h.SendMessage(t.Context(), h.ada, m.ID))(t)
			h.check(h.Exec(t.Context(), `UPDATE messages SET sent_at = sent_at - ? WHERE id = ?`, c.ago.Milliseconds(), m.ID))
			if _, err := h.UnsendMessage(t.Context(), h.ada, m.ID); !errors.Is(err, c.want) {
				t.Errorf("%s after it was sent: %v", c.ago, err)
			}
		}
	})
}

// Of a sending and a discarding at once, one is done and the other is refused.
func TestSendAndDiscardAtOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for range 10 {
			m, _ := h.draft()
			var sent, discarded error
			var both sync.WaitGroup
			both.Go(func() { _, sent = h.SendMessage(t.Context(), h.ada, m.ID) })
			both.Go(func() { discarded = h.DiscardDraft(t.Context(), h.ada, m.ID) })
			both.Wait()
			_, there := h.Message(t.Context(), h.bob, m.ID)
			switch {
			case sent == nil && errors.Is(discarded, storage.ErrSent) && there == nil:
			case errors.Is(sent, storage.ErrNotFound) && discarded == nil && errors.Is(there, storage.ErrNotFound):
			default:
				t.Errorf("sent: %v, discarded: %v, bob gets %v", sent, discarded, there)
			}
		}
	})
}

func TestDraftsInPages(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		var want, got []string
		for range 5 {
			m, _ := h.draft()
			want = append([]string{m.ID}, want...)
		}
		page := storage.Page{Limit: 2}
		for pages := 0; ; pages++ {
			list, next := must2(h.Drafts(t.Context(), h.ada, page))(t)
			for _, m := range list {
				got = append(got, m.ID)
			}
			if next == "" || pages > 5 {
				break
			}
			page.Cursor = next
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
		_, _, err := h.Drafts(t.Context(), h.bob, page)
		wantErr(t, err, storage.ErrBadCursor)
	})
}

// A database that is lost and made again from the store publishes nothing.
func TestRestoreDrafts(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		lost := storagetest.New(t)
		h := newHarness(t, lost)
		sent, _ := h.send(h.bob, h.room.ID)
		draft, job := h.draft()
		h.check(h.SaveTranscript(t.Context(), h.begin(job), spoken("hidden zebra")))
		var all []sqldb.Restored
		for _, id := range []string{sent.ID, draft.ID} {
			m, transcript, err := h.Manifest(t.Context(), id)
			h.check(err)
			again := must(storage.ParseManifest(must(m.Encode())(t)))(t)
			all = append(all, sqldb.Restored{Manifest: again, Transcript: transcript})
		}
		h.check(db.RestoreWorkspace(t.Context(), all[0].Workspace))
		must(db.Restore(t.Context(), h.ada.WorkspaceID, all))(t)
		back := *h
		back.DB = db
		list := must(back.Messages(t.Context(), h.bob, h.room.ID, storage.MessagePage{}))(t).Messages
		if len(list) != 1 || list[0].ID != sent.ID || len(back.said("zebra")) > 0 {
			t.Errorf("bob sees %+v", list)
		}
		if c := must(back.Conversation(t.Context(), h.bob, h.room.ID))(t); !c.LastMessageAt.Equal(list[0].CreatedAt) {
			t.Errorf("last message at %s", c.LastMessageAt)
		}
		if mine, _ := must2(back.Drafts(t.Context(), h.ada, storage.Page{}))(t); len(mine) != 1 || mine[0].ID != draft.ID {
			t.Errorf("ada's drafts are %+v", mine)
		}
		must(back.SendMessage(t.Context(), h.ada, draft.ID))(t)
		if found := back.said("zebra"); !slices.Equal(found, []string{draft.ID}) {
			t.Errorf("found %v", found)
		}
	})
}
