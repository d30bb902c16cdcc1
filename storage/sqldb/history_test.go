package sqldb_test

import (
	"slices"
	"strings"
	"testing"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// channel makes a channel that shows this of its past.
func (h *harness) channel(history storage.History, maker storage.Principal, others ...storage.Principal) storage.Conversation {
	h.tb.Helper()
	n := storage.NewConversation{Kind: storage.Channel, Title: "room", History: history}
	for _, p := range others {
		n.MemberIDs = append(n.MemberIDs, p.UserID)
	}
	c, _, err := h.CreateConversation(h.tb.Context(), maker, n)
	h.check(err)
	return c
}

func (h *harness) setHistory(by storage.Principal, id string, history storage.History) storage.Conversation {
	h.tb.Helper()
	return must(h.UpdateConversation(h.tb.Context(), by, id, storage.ConversationPatch{History: &history}))(h.tb)
}

// shown are the ids of the messages of a conversation that a principal sees, the newest
// first, page by page.
func (h *harness) shown(p storage.Principal, conversationID string) (ids []string) {
	h.tb.Helper()
	for page := (storage.MessagePage{Page: storage.Page{Limit: 1}}); ; {
		list := must(h.Messages(h.tb.Context(), p, conversationID, page))(h.tb)
		for _, m := range list.Messages {
			ids = append(ids, m.ID)
		}
		if page.Cursor = list.Older; page.Cursor == "" {
			return ids
		}
	}
}

// found are the hits of a search, in order of time, page by page, with the total that
// each page told.
func (h *harness) found(p storage.Principal, q storage.Query) (ids []string, totals []int) {
	h.tb.Helper()
	q.Sort, q.Page.Limit = storage.Newest, 1
	for {
		r := must(h.Search(h.tb.Context(), p, q))(h.tb)
		for _, hit := range r.Hits {
			ids = append(ids, hit.Message.ID)
		}
		totals = append(totals, r.Total)
		if q.Page.Cursor = r.NextCursor; q.Page.Cursor == "" {
			return ids, totals
		}
	}
}

// eventsOf are the messages of which events tell a principal: read from the records, and
// decided for who listens.
func (h *harness) eventsOf(p storage.Principal) (replayed, live []string) {
	h.tb.Helper()
	for _, e := range must(h.EventsAfter(h.tb.Context(), p, 0, 1000))(h.tb) {
		if e.MessageID != "" {
			replayed = append(replayed, e.MessageID)
		}
	}
	for _, e := range must(h.EventTail(h.tb.Context(), p.WorkspaceID, 0, 1000))(h.tb).Events {
		if e.MessageID != "" && must(h.CanHearEvent(h.tb.Context(), p, e))(h.tb) {
			live = append(live, e.MessageID)
		}
	}
	return replayed, live
}

// Who is added to a channel that shows nothing of its past learns nothing of it, in
// whatever way they ask; the others see all.
func TestHistoryFromJoining(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx := t.Context()
		room := h.channel(storage.HistoryFromJoining, h.ada, h.bob)
		if room.History != storage.HistoryFromJoining || !room.ShownSince.IsZero() {
			t.Errorf("made was %+v", room)
		}
		old := h.say(h.bob, room.ID, "ancient pumpkin at the harbor")
		older := h.say(h.ada, room.ID, "nobody hears of it")
		h.check(h.AddConversationMember(ctx, h.ada, room.ID, h.eve.UserID))

		c := must(h.Conversation(ctx, h.eve, room.ID))(t)
		list, _ := must2(h.Conversations(ctx, h.eve, storage.Page{}))(t)
		for _, one := range append(list, c) {
			if one.LastMessage != nil || !one.LastMessageAt.IsZero() || one.ShownSince.IsZero() || one.MemberCount != 3 {
				t.Errorf("the newcomer sees %+v", one)
			}
		}
		for name, ask := range map[string]func() error{
			"message":    func() error { _, err := h.Message(ctx, h.eve, old.ID); return err },
			"transcript": func() error { _, err := h.Transcript(ctx, h.eve, old.ID); return err },
			"around": func() error {
				_, err := h.Messages(ctx, h.eve, room.ID, storage.MessagePage{Around: old.ID})
				return err
			},
			"signed address": func() error {
				token, _, err := h.CreateToken(ctx, h.eve.UserID, storage.NewToken{Kind: storage.APIToken, Name: "x"})
				h.check(err)
				hearer := must(h.AuthenticateSigned(ctx, token.ID, old.ID))(t)
				_, err = h.Message(ctx, hearer, old.ID)
				return err
			},
			"reply": func() error {
				n := newMessage(room)
				n.ReplyTo = old.ID
				_, _, err := h.Accept(ctx, h.eve, n)
				return err
			},
			"deletion": func() error { return h.DeleteMessage(ctx, h.eve, old.ID) },
		} {
			if err := ask(); err == nil || !strings.Contains(err.Error(), storage.ErrNotFound.Error()) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, q := range []storage.Query{{Text: "pumpkin"}, {Text: "pumpkim"}, {Text: "nobod"}, {Text: `"at the"`}, {Conversation: room.ID}, {From: h.bob.UserID}, {Text: "pumpkin", From: h.bob.UserID}} {
			if r := must(h.Search(ctx, h.eve, q))(t); len(r.Hits) != 0 || r.Total != 0 || r.Corrected != "" {
				t.Errorf("%+v finds %+v", q, r)
			}
		}
		now := h.say(h.ada, room.ID, "a new pumpkin in the harbour")
		must(h.UpdateMessage(ctx, h.bob, old.ID, storage.MessagePatch{Title: new("worked on later")}))(t)
		must(h.RetryMessage(ctx, h.bob, old.ID))(t)
		h.begin(h.jobOf(old.ID))
		h.check(h.DeleteMessage(ctx, h.ada, older.ID))
		replayed, live := h.eventsOf(h.eve)
		for _, ids := range [][]string{replayed, live} {
			if !slices.Contains(ids, now.ID) || slices.Contains(ids, old.ID) || slices.Contains(ids, older.ID) {
				t.Errorf("the newcomer hears of %v", ids)
			}
		}
		if ids := h.shown(h.eve, room.ID); !slices.Equal(ids, []string{now.ID}) {
			t.Errorf("the newcomer sees %v", ids)
		}
		if last := must(h.Conversation(ctx, h.eve, room.ID))(t).LastMessage; last == nil || last.ID != now.ID {
			t.Errorf("the newest for the newcomer is %+v", last)
		}
		for _, q := range []storage.Query{{Text: "pumpkin"}, {Text: "pump"}, {Conversation: room.ID}, {Text: "new -ancient"}} {
			if ids, totals := h.found(h.eve, q); !slices.Equal(ids, []string{now.ID}) || !slices.Equal(totals, []int{1}) {
				t.Errorf("%+v finds %v of %v", q, ids, totals)
			}
		}
		// What was said before is not known to be spelt right, nor wrong.
		if r := must(h.Search(ctx, h.eve, storage.Query{Text: "harbor"}))(t); r.Corrected != "harbour" || len(r.Hits) != 1 {
			t.Errorf("corrected to %q, with %d hits", r.Corrected, len(r.Hits))
		}
		if ids, totals := h.found(h.bob, storage.Query{Text: "pumpkin"}); len(ids) != 2 || !slices.Equal(totals, []int{2, 2}) {
			t.Errorf("who was there finds %v of %v", ids, totals)
		}
		if ids := h.shown(h.bob, room.ID); !slices.Equal(ids, []string{now.ID, old.ID}) {
			t.Errorf("who was there sees %v", ids)
		}
	})
}

// All is shown to everybody when a channel becomes so; when it becomes otherwise, who is
// there keeps what they see.
func TestHistoryChanges(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx := t.Context()
		ida, gus := h.user("Ida", storage.RoleMember), h.user("Gus", storage.Guest)
		room := h.channel(storage.HistoryFromJoining, h.ada, h.bob)
		first := h.say(h.bob, room.ID, "first words")
		add := func(p storage.Principal) { t.Helper(); h.check(h.AddConversationMember(ctx, h.ada, room.ID, p.UserID)) }
		sees := func(p storage.Principal, want ...string) {
			t.Helper()
			if ids := h.shown(p, room.ID); !slices.Equal(ids, want) {
				t.Errorf("%s sees %v, want %v", p.UserName, ids, want)
			}
			if ids, _ := h.found(p, storage.Query{Text: "words"}); !slices.Equal(ids, want) {
				t.Errorf("%s finds %v, want %v", p.UserName, ids, want)
			}
		}
		add(h.eve)
		own := h.say(h.eve, room.ID, "own words")
		sees(h.eve, own.ID)
		if _, err := h.UpdateConversation(ctx, h.eve, room.ID, storage.ConversationPatch{History: new(storage.HistoryAll)}); err == nil {
			t.Error("who may not manage the channel has it show all")
		}
		if c := h.setHistory(h.ada, room.ID, storage.HistoryAll); c.History != storage.HistoryAll {
			t.Errorf("changed to %+v", c)
		}
		sees(h.eve, own.ID, first.ID)
		if heard, _ := h.eventsOf(h.eve); !slices.Contains(heard, first.ID) {
			t.Errorf("of the past is told %v", heard)
		}
		h.setHistory(h.bobAsMaker(room), room.ID, storage.HistoryFromJoining)
		add(ida)
		add(gus)
		sees(h.eve, own.ID, first.ID)
		sees(ida)
		sees(gus)
		h.check(h.RemoveConversationMember(ctx, h.ada, room.ID, h.eve.UserID))
		add(h.eve)
		sees(h.eve, own.ID) // what they said themselves
		direct := h.make(h.ada, storage.Direct, "", h.bob.UserID)
		_, err := h.UpdateConversation(ctx, h.ada, direct.ID, storage.ConversationPatch{History: new(storage.HistoryFromJoining)})
		wantErr(t, err, storage.ErrInvalid)
		_, err = h.UpdateConversation(ctx, h.ada, room.ID, storage.ConversationPatch{History: new(storage.History("none"))})
		wantErr(t, err, storage.ErrInvalid)
		entries, _ := must2(h.Audit(ctx, h.ada, storage.AuditFilter{Action: storage.AuditHistoryChanged}, storage.Page{}))(t)
		if len(entries) != 2 || entries[1].Details["from"] != "from_joining" || entries[1].Details["to"] != "all" || entries[1].Target.ID != room.ID {
			t.Errorf("audit log %+v", entries)
		}
	})
}

// bobAsMaker is bob, to whom the room is given.
func (h *harness) bobAsMaker(room storage.Conversation) storage.Principal {
	h.tb.Helper()
	h.exec(`UPDATE conversations SET created_by = ? WHERE id = ?`, h.bob.UserID, room.ID)
	return h.bob
}

// Who did not see the past does not see it in records that were made again, nor do rules
// get lost.
func TestHistoryIsRestored(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx := t.Context()
		room := h.channel(storage.HistoryFromJoining, h.ada, h.bob)
		old := h.say(h.bob, room.ID, "old words")
		h.check(h.AddConversationMember(ctx, h.ada, room.ID, h.eve.UserID))
		now := h.say(h.bob, room.ID, "new words")
		must(h.SetRules(ctx, h.ada, storage.Rules{CreateChannels: storage.ByAdmins}))(t)
		var kept []sqldb.Restored
		for _, id := range []string{now.ID, old.ID} { // the old one last, and so behind the new one
			m, words, err := h.Manifest(ctx, id)
			h.check(err)
			text := must(m.Encode())(t)
			m = must(storage.ParseManifest(text))(t)
			if m.Format != 3 {
				t.Errorf("format %d", m.Format)
			}
			kept = append(kept, sqldb.Restored{Manifest: m, Transcript: words})
		}
		other := storagetest.Open(t, storagetest.SQLite(t))
		h.check(other.Migrate(ctx))
		kept[1].Conversation = kept[0].Conversation
		for _, one := range kept {
			h.check(other.RestoreWorkspace(ctx, one.Workspace))
			must(other.Restore(ctx, one.Workspace.ID, []sqldb.Restored{one}))(t)
		}
		again := *h
		again.DB = other
		if ids := again.shown(h.eve, room.ID); !slices.Equal(ids, []string{now.ID}) {
			t.Errorf("shown are %v", ids)
		}
		if ids, _ := again.found(h.eve, storage.Query{Text: "words"}); !slices.Equal(ids, []string{now.ID}) {
			t.Errorf("found are %v", ids)
		}
		if heard, _ := again.eventsOf(h.eve); slices.Contains(heard, old.ID) {
			t.Errorf("of the past is told %v", heard)
		}
		if ids := again.shown(h.bob, room.ID); len(ids) != 2 {
			t.Errorf("shown to who was there are %v", ids)
		}
		if c := must(other.Conversation(ctx, h.eve, room.ID))(t); c.History != storage.HistoryFromJoining || c.ShownSince.IsZero() {
			t.Errorf("restored is %+v", c)
		}
		if p := must(other.Profile(ctx, h.bob))(t); p.Workspace.Rules.CreateChannels != storage.ByAdmins {
			t.Errorf("the rules are %+v", p.Workspace.Rules)
		}
	})
}
