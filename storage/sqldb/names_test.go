package sqldb_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

func TestNamesOfTheFirstStart(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		profile := func(a storage.Principal) storage.Profile { return must(db.Profile(t.Context(), a))(t) }
		owner, created := must2(db.Bootstrap(t.Context(), "", ""))(t)
		p := profile(owner)
		if !created || p.Name != storage.UnchosenOwner || p.Named || p.Workspace.Name != storage.UnchosenWorkspace || p.Workspace.Named {
			t.Errorf("created %v, %+v", created, p)
		}
		if c := must(db.Conversation(t.Context(), owner, p.Workspace.GeneralID))(t); c.Title != "General" || c.MemberCount != 1 {
			t.Errorf("%+v", c)
		}
		// A configuration that comes later names what nobody has named, and nothing else.
		must2(db.Bootstrap(t.Context(), "Office", ""))(t)
		must(db.ChangeProfile(t.Context(), owner, storage.ProfilePatch{Name: new("Ada")}))(t)
		again, created := must2(db.Bootstrap(t.Context(), "Elsewhere", "Boss"))(t)
		if p := profile(owner); created || p.Name != "Ada" || !p.Named || p.Workspace.Name != "Office" || !p.Workspace.Named || again.UserName != "Ada" {
			t.Errorf("%+v, %+v", p, again)
		}
	})
}

func TestRename(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		gus, lone := h.user("Gus", storage.Guest), h.user("Lone", storage.Guest)
		h.check(h.AddConversationMember(t.Context(), h.ada, h.room.ID, gus.UserID))
		said := h.say(h.bob, h.room.ID, "by one name")
		before := must(h.LastSeq(t.Context(), h.ada))(t)

		if p := must(h.Rename(t.Context(), h.bob, " Bob\u202e  Smith\n"))(t); p.Name != "Bob Smith" {
			t.Errorf("%+v", p)
		}
		if m := must(h.Message(t.Context(), h.ada, said.ID))(t); m.AuthorName != "Bob Smith" || m.AuthorNo != 2 {
			t.Errorf("author %+v", m)
		}
		if r := must(h.Search(t.Context(), h.ada, storage.Query{Text: "name"}))(t); r.Hits[0].Message.AuthorName != "Bob Smith" {
			t.Errorf("hits %+v", r.Hits)
		}
		if members := must(h.ConversationMembers(t.Context(), h.ada, h.room.ID))(t); members[1].Name != "Bob Smith" || members[1].UserNo != 2 {
			t.Errorf("members %+v", members)
		}
		must(h.RenameWorkspace(t.Context(), h.ada, "Harbour"))(t)
		heard := func(by storage.Principal) (types []storage.EventType) {
			for _, e := range must(h.EventsAfter(t.Context(), by, before, 0))(t) {
				types = append(types, e.Type)
				if !can(h.CanHearEvent(t.Context(), by, e))(t) {
					t.Errorf("%s may not hear of %s", by.UserName, e.Type)
				}
				var data struct {
					UserID string `json:"user_id"`
					Name   string `json:"name"`
				}
				h.check(json.Unmarshal(e.Data, &data))
				if e.Type == storage.UserUpdated && (data.UserID != h.bob.UserID || data.Name != "Bob Smith") || e.Type == storage.WorkspaceUpdated && data.Name != "Harbour" {
					t.Errorf("%s says %s", e.Type, e.Data)
				}
			}
			return types
		}
		for _, by := range []storage.Principal{h.ada, h.bob, h.eve, gus} {
			if got := heard(by); !slices.Equal(got, []storage.EventType{storage.UserUpdated, storage.WorkspaceUpdated}) {
				t.Errorf("%s hears of %v", by.UserName, got)
			}
		}
		if got := heard(lone); !slices.Equal(got, []storage.EventType{storage.WorkspaceUpdated}) {
			t.Errorf("a guest who does not know the user hears of %v", got)
		}
		if got := must(h.EventsAfter(t.Context(), h.mal, 0, 0))(t); slices.ContainsFunc(got, func(e storage.Event) bool { return strings.Contains(string(e.Data), "Bob") }) {
			t.Errorf("elsewhere it is heard of: %v", got)
		}
		for name, fails := range map[string]func() error{
			"empty name": func() error { _, err := h.Rename(t.Context(), h.bob, " \u200b"); return err },
			"long name":  func() error { _, err := h.RenameWorkspace(t.Context(), h.ada, strings.Repeat("x", 81)); return err },
			"nobody": func() error {
				_, err := h.CreateUser(t.Context(), h.ada.WorkspaceID, "\u202e", storage.RoleMember)
				return err
			},
		} {
			if err := fails(); err == nil {
				t.Errorf("%s is kept", name)
			}
		}
		_, err := h.RenameWorkspace(t.Context(), h.bob, "Bob's")
		wantErr(t, err, storage.ErrForbidden)
		seq := must(h.LastSeq(t.Context(), h.ada))(t)
		must(h.Rename(t.Context(), h.bob, "Bob Smith"))(t)
		if must(h.LastSeq(t.Context(), h.ada))(t) != seq {
			t.Error("the same name is told as another")
		}
	})
}

func can(ok bool, err error) func(testing.TB) bool { return must(ok, err) }

// What lies in the object store tells the new names once it is written again.
func TestRenameWritesManifests(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		other := h.conversation(h.ada, h.eve)
		old, newest, elsewhere := h.say(h.bob, h.room.ID, "old"), h.say(h.ada, h.room.ID, "new"), h.say(h.eve, other.ID, "elsewhere")
		h.written(old.ID)
		h.written(newest.ID)
		h.written(elsewhere.ID)
		if got := h.stale(); len(got) != 0 {
			t.Fatalf("stale from the start: %v", got)
		}
		must(h.Rename(t.Context(), h.bob, "Robert"))(t)
		if got := h.stale(); !slices.Equal(got, []string{newest.ID}) {
			t.Errorf("after a member's new name: %v", got)
		}
		if m, _ := h.written(newest.ID); !slices.ContainsFunc(m.People, func(p storage.ManifestPerson) bool { return p.Name == "Robert" }) {
			t.Errorf("people %+v", m.People)
		}
		must(h.RenameWorkspace(t.Context(), h.ada, "Harbour"))(t)
		if got := h.stale(); !slices.Equal(got, []string{elsewhere.ID, newest.ID}) {
			t.Errorf("after the workspace's new name: %v", got)
		}
		if m, _ := h.written(elsewhere.ID); m.Workspace.Name != "Harbour" {
			t.Errorf("workspace %+v", m.Workspace)
		}
	})
}

func TestGeneral(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		owner, _ := must2(db.Bootstrap(t.Context(), "home", "Ada"))(t)
		h := &harness{DB: db, tb: t, ada: owner}
		general := must(db.Profile(t.Context(), owner))(t).Workspace.GeneralID
		bob, gus := h.user("Bob", storage.RoleMember), h.user("Gus", storage.Guest)
		if list, _ := must2(db.Conversations(t.Context(), bob, storage.Page{}))(t); len(list) != 1 || list[0].ID != general || list[0].MemberCount != 2 {
			t.Errorf("somebody new is in %+v", list)
		}
		if list, _ := must2(db.Conversations(t.Context(), gus, storage.Page{}))(t); len(list) != 0 {
			t.Errorf("a guest is in %+v", list)
		}
		if p := must(db.Profile(t.Context(), gus))(t); p.Workspace.GeneralID != "" {
			t.Errorf("a guest is told of %s", p.Workspace.GeneralID)
		}
		if list := must(db.EventsAfter(t.Context(), owner, 0, 0))(t); !slices.ContainsFunc(list, func(e storage.Event) bool {
			return e.Type == storage.ConversationUpdated && e.ConversationID == general
		}) {
			t.Errorf("nobody hears of who joined: %v", list)
		}
		// Whoever left stays away, and what is gone is joined by nobody.
		h.check(db.RemoveConversationMember(t.Context(), bob, general, bob.UserID))
		if p := must(db.Profile(t.Context(), bob))(t); p.Workspace.GeneralID != "" {
			t.Errorf("who left is told of %s", p.Workspace.GeneralID)
		}
		h.check(db.DeleteConversation(t.Context(), owner, general))
		eve := h.user("Eve", storage.RoleMember)
		if list, _ := must2(db.Conversations(t.Context(), eve, storage.Page{}))(t); len(list) != 0 {
			t.Errorf("after General is gone, somebody new is in %+v", list)
		}
	})
}

func TestOneDirectConversation(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		var mu sync.Mutex
		var wg sync.WaitGroup
		ids, made := map[string]int{}, 0
		for i := range 8 {
			by, with := h.ada, h.bob
			if i%2 == 1 {
				by, with = with, by
			}
			wg.Go(func() {
				c, created, err := db.CreateConversation(t.Context(), by, storage.NewConversation{Kind: storage.Direct, MemberIDs: []string{with.UserID}})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if ids[c.ID]++; created {
					made++
				}
			})
		}
		wg.Wait()
		if len(ids) != 1 || made != 1 {
			t.Errorf("%d were made, of %v", made, ids)
		}
		trio := h.make(h.ada, storage.Direct, "", h.bob.UserID, h.eve.UserID)
		if ids[trio.ID] > 0 || h.make(h.eve, storage.Direct, "", h.ada.UserID, h.bob.UserID).ID != trio.ID {
			t.Error("the direct conversation of three is another's, or is made again")
		}
		h.check(db.DeleteConversation(t.Context(), h.ada, trio.ID))
		if h.make(h.ada, storage.Direct, "", h.bob.UserID, h.eve.UserID).ID == trio.ID {
			t.Error("what is gone is found")
		}
		if first, second := h.conversation(h.ada, h.bob), h.conversation(h.ada, h.bob); first.ID == second.ID {
			t.Error("channels are the same")
		}
		// The database itself keeps a second one out.
		if err := db.Exec(t.Context(), `UPDATE conversations SET direct_key = (SELECT MIN(direct_key) FROM conversations) WHERE kind = 'direct'`); err == nil {
			t.Error("two have one key")
		}
	})
}
