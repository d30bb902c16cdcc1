package sqldb_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/sqldb/conn"
	"hark/storage/storagetest"
)

// fixtures hold rows as an older schema had them, by the version that they
// need: a new migration adds the rows of the version before it. After the
// migration to the newest version, what the rows stand for must be found.
var fixtures = map[int64]func(t *testing.T, db *sqldb.DB) (check func(t *testing.T)){
	1: func(t *testing.T, db *sqldb.DB) func(t *testing.T) {
		h := oldHarness(t, db)
		m, waiting := newMessage(h.room), newMessage(h.room)
		h.check(h.AcceptAt1(t.Context(), h.ada, m, spoken("kept through every migration")))
		h.check(h.AcceptAt1(t.Context(), h.ada, waiting, nil))
		return func(t *testing.T) {
			if got := must(db.Message(t.Context(), h.ada, m.ID))(t); got.State != storage.Ready || got.EndReason != "" || got.TranscriptVersion != 1 {
				t.Errorf("message %+v", got)
			}
			if task := must(h.beginFor(waiting.ID, "worker", time.Minute))(t); task.HaveTranscript || task.Key != waiting.Original.Key {
				t.Errorf("task %+v", task)
			}
			r := must(db.Search(t.Context(), h.bob, storage.Query{Text: "migration"}))(t)
			if len(r.Hits) != 1 || r.Hits[0].Message.ID != m.ID || r.Hits[0].StartMS != 1500 {
				t.Errorf("hits %+v", r.Hits)
			}
		}
	},
	3: func(t *testing.T, db *sqldb.DB) func(t *testing.T) {
		h := oldHarness(t, db)
		live := newRecording(h.room, "n1")
		h.check(h.SpeakAt3(t.Context(), h.ada, live))
		odd := strings.Repeat("not a kind ", 6000)
		h.check(db.Exec(t.Context(), `UPDATE conversations SET kind = ?, title = '' WHERE id = ?`, odd, h.room.ID))
		h.check(db.Exec(t.Context(), `UPDATE users SET role = 'Owner' WHERE id = ?`, h.eve.UserID))
		h.check(db.Exec(t.Context(), `UPDATE recordings SET captions = '' WHERE message_id = ?`, live.ID))
		secret := h.oldToken(h.bob, storage.APIToken)
		h.check(db.Exec(t.Context(), `UPDATE tokens SET kind = 'API' WHERE user_id = ?`, h.bob.UserID))
		return func(t *testing.T) {
			if room := must(db.Conversation(t.Context(), h.bob, h.room.ID))(t); room.Kind != storage.Channel || room.Title == "" || room.MemberCount != 2 {
				t.Errorf("conversation %+v", room)
			}
			for _, u := range must(db.Users(t.Context(), h.ada.WorkspaceID))(t) {
				if u.ID == h.eve.UserID && u.Role != storage.Guest {
					t.Errorf("user %+v", u)
				}
			}
			if left := must(db.RecordingsOf(t.Context(), "n1"))(t); len(left) != 1 || left[0].Captions != storage.CaptionsPrivate {
				t.Errorf("recordings %+v", left)
			}
			for _, kind := range []storage.TokenKind{storage.APIToken, storage.SessionToken, storage.SignInToken} {
				_, err := db.Authenticate(t.Context(), secret, kind)
				wantErr(t, err, storage.ErrNotFound)
			}
		}
	},
	4: func(t *testing.T, db *sqldb.DB) func(t *testing.T) {
		h := oldHarness(t, db)
		m, live := newMessage(h.room), newRecording(h.room, "n1")
		h.check(h.AcceptAt1(t.Context(), h.ada, m, spoken("sent before there were drafts")))
		h.check(h.SpeakAt3(t.Context(), h.ada, live))
		return func(t *testing.T) {
			list := must(db.Messages(t.Context(), h.bob, h.room.ID, storage.MessagePage{}))(t).Messages
			if len(list) != 2 || list[0].ID != live.ID || list[1].ID != m.ID || list[0].Unsent || list[1].Unsent || list[1].CreatedAt.IsZero() {
				t.Errorf("bob sees %+v", list)
			}
			if drafts, _ := must2(db.Drafts(t.Context(), h.ada, storage.Page{}))(t); len(drafts) != 0 {
				t.Errorf("drafts %+v", drafts)
			}
		}
	},
	8: func(t *testing.T, db *sqldb.DB) func(t *testing.T) {
		h := oldHarness(t, db)
		secrets := map[storage.TokenKind]string{}
		for _, kind := range []storage.TokenKind{storage.APIToken, storage.SessionToken} {
			secrets[kind] = h.oldToken(h.bob, kind)
		}
		return func(t *testing.T) {
			for kind, secret := range secrets {
				if p := must(db.Authenticate(t.Context(), secret, kind))(t); p.UserID != h.bob.UserID || p.Scopes != "" {
					t.Errorf("who has the %s is %+v", kind, p)
				}
			}
			for _, token := range must(db.Tokens(t.Context(), h.bob))(t) {
				if token.ParentID != "" || token.Scopes != "" {
					t.Errorf("token %+v", token)
				}
			}
			for _, u := range must(db.Users(t.Context(), h.ada.WorkspaceID))(t) {
				if u.Disabled {
					t.Errorf("user %+v", u)
				}
			}
		}
	},
	2: func(t *testing.T, db *sqldb.DB) func(t *testing.T) {
		h := oldHarness(t, db)
		m := newMessage(h.room)
		h.check(h.AcceptAt1(t.Context(), h.ada, m, spoken("without a manifest")))
		return func(t *testing.T) {
			if stale := must(db.StaleManifests(t.Context(), "", 10))(t); !slices.Equal(stale, []string{m.ID}) {
				t.Errorf("manifests to write: %v", stale)
			}
			h.check(h.DeleteMessage(t.Context(), h.ada, m.ID))
			queued := must(db.ObjectsToDelete(t.Context(), 10))(t)
			for _, key := range []string{storage.MessagePrefix(h.ada.WorkspaceID, m.ID), "renditions/" + m.ID} {
				if !slices.Contains(queued, key) {
					t.Errorf("queued are %v, not %s", queued, key)
				}
			}
		}
	},
	9: eventsAt9,
	14: func(t *testing.T, db *sqldb.DB) func(t *testing.T) {
		h := oldHarness(t, db)
		return func(t *testing.T) {
			must(db.RenameWorkspace(t.Context(), h.ada, "house"))(t)
			if check := h.wholeAudit(); check.Entries != 1 {
				t.Errorf("the audit log has %d entries", check.Entries)
			}
		}
	},
	15: func(t *testing.T, db *sqldb.DB) func(t *testing.T) { // who was there before there were accounts and invitations
		h := oldHarness(t, db)
		secret := h.oldToken(h.bob, storage.SessionToken)
		return func(t *testing.T) {
			bob := must(db.Authenticate(t.Context(), secret, storage.SessionToken))(t)
			if a := must(db.Account(t.Context(), bob))(t); a.Email != "" || a.PasswordHash != "" || !a.ProvedUntil.IsZero() {
				t.Errorf("account %+v", a)
			}
			h.account(bob, "bob@example.org", "hash") // who has no password is not asked for it
			if all, _ := must2(db.Members(t.Context(), h.ada, "", storage.Page{}))(t); len(all) != 3 || all[2].Name != "Ada" || !all[0].LastActiveAt.IsZero() {
				t.Errorf("members %+v", all)
			}
			if found, _ := must2(db.Members(t.Context(), h.ada, "AD", storage.Page{}))(t); len(found) != 1 || found[0].Name != "Ada" {
				t.Errorf("found %+v", found)
			}
			_, code := h.invite(storage.NewInvitation{Role: storage.Guest, ConversationIDs: []string{h.room.ID}})
			if joined := must(h.Join(t.Context(), code, "Gus", storage.SignIn{Life: time.Hour}))(t); joined.ConversationID != h.room.ID {
				t.Errorf("%+v", joined)
			}
		}
	},
	20: func(t *testing.T, db *sqldb.DB) func(t *testing.T) { // who was there before there were identities
		h := oldHarness(t, db)
		secret := h.oldToken(h.bob, storage.SessionToken)
		return func(t *testing.T) {
			bob := must(db.Authenticate(t.Context(), secret, storage.SessionToken))(t)
			if list := must(db.Identities(t.Context(), bob))(t); len(list) != 0 {
				t.Errorf("identities %+v", list)
			}
			h.check(db.LinkIdentity(t.Context(), bob, *h.vouched("bob-1", nil).Vouched))
			if session, _ := must2(db.SignIn(t.Context(), h.vouched("bob-1", nil)))(t); session.UserID != bob.UserID {
				t.Errorf("session %+v", session)
			}
		}
	},
	25: func(t *testing.T, db *sqldb.DB) func(t *testing.T) { // who was there before there were integrations
		h := oldHarness(t, db)
		secret := h.oldToken(h.bob, storage.APIToken)
		return func(t *testing.T) {
			if bob := must(db.Authenticate(t.Context(), secret, storage.APIToken))(t); bob.Kind != storage.KindPerson || bob.Scopes != "" {
				t.Errorf("comes as %+v", bob)
			}
			late := h.oldUser(h.ada.WorkspaceID, 1, 9, "Late", storage.Owner) // as a node of the version before adds one
			for _, u := range must(db.Users(t.Context(), h.ada.WorkspaceID))(t) {
				if u.Kind != storage.KindPerson {
					t.Errorf("%+v", u)
				}
			}
			made := must(db.CreateIntegration(t.Context(), late, storage.NewIntegration{Name: "Bell", Role: storage.RoleMember}))(t)
			if list, _ := must2(db.Integrations(t.Context(), h.ada, storage.Page{}))(t); len(list) != 1 || list[0].ID != made.ID {
				t.Errorf("integrations %+v", list)
			}
		}
	},
	5: func(t *testing.T, db *sqldb.DB) func(t *testing.T) {
		h := oldHarness(t, db)
		h.exec(`UPDATE workspaces SET name = 'Hark' WHERE id = ?`, h.ada.WorkspaceID)
		h.exec(`UPDATE users SET name = 'Owner' WHERE id = ?`, h.ada.UserID)
		alone := h.oldConversation(1, storage.Channel, "General", h.ada) // not for everybody: ada may have talked to herself
		shared := h.oldConversation(1, storage.Channel, "General", h.ada, h.bob, h.eve)
		theirs := h.oldConversation(2, storage.Channel, "General", h.mal)
		h.exec(`UPDATE conversations SET last_message_at = 5 WHERE id = ?`, theirs.ID)
		first := h.oldConversation(1, storage.Direct, "", h.ada, h.bob)
		used := h.oldConversation(1, storage.Direct, "", h.bob, h.ada)
		h.exec(`UPDATE conversations SET last_message_at = 9 WHERE id = ?`, used.ID)
		h.oldConversation(1, storage.Direct, "", h.ada, h.bob, h.eve)
		return func(t *testing.T) {
			if p := must(db.Profile(t.Context(), h.ada))(t); p.Named || p.Workspace.Named || p.Workspace.GeneralID != shared.ID {
				t.Errorf("the owner is %+v; General is %s, not %s", p, shared.ID, alone.ID)
			}
			if p := must(db.Profile(t.Context(), h.mal))(t); !p.Named || !p.Workspace.Named || p.Workspace.GeneralID != "" {
				t.Errorf("the owner elsewhere is %+v", p)
			}
			for _, by := range []storage.Principal{h.bob, h.ada} {
				other := map[string]string{h.ada.UserID: h.bob.UserID, h.bob.UserID: h.ada.UserID}[by.UserID]
				if c, created := must2(db.CreateConversation(t.Context(), by, storage.NewConversation{Kind: storage.Direct, MemberIDs: []string{other}}))(t); created || c.ID != used.ID {
					t.Errorf("the direct conversation is %s, created %v; want %s, where something was said", c.ID, created, used.ID)
				}
			}
			if list, _ := must2(db.Conversations(t.Context(), h.ada, storage.Page{}))(t); !slices.ContainsFunc(list, func(c storage.Conversation) bool { return c.ID == first.ID }) {
				t.Error("the other direct conversation is gone")
			}
			ida := must(db.CreateUser(t.Context(), h.ada.WorkspaceID, "Ida", storage.RoleMember))(t)
			if members := must(db.ConversationMembers(t.Context(), h.ada, shared.ID))(t); len(members) != 4 || members[3].UserID != ida.ID {
				t.Errorf("in General are %+v", members)
			}
		}
	},
	13: jobsAt13,
	12: func(t *testing.T, db *sqldb.DB) func(t *testing.T) {
		h := oldHarness(t, db)
		m, gone := newMessage(h.room), newMessage(h.room)
		h.check(h.AcceptAt1(t.Context(), h.ada, m, spoken("counted")))
		h.check(h.AcceptAt1(t.Context(), h.ada, gone, nil))
		h.exec(`UPDATE messages SET rendition_bytes = 6 WHERE id = ?`, m.ID)
		return func(t *testing.T) {
			if u := must(db.Usage(t.Context(), h.ada))(t); u != (storage.Usage{Stored: 94, Waiting: 1}) {
				t.Errorf("usage %+v", u)
			}
			h.check(db.DeleteMessage(t.Context(), h.ada, gone.ID))
			if u := must(db.Usage(t.Context(), h.bob))(t); u != (storage.Usage{Stored: 50}) {
				t.Errorf("usage %+v", u)
			}
		}
	},
	11: func(t *testing.T, db *sqldb.DB) func(t *testing.T) {
		h := oldHarness(t, db)
		for i := range 21 {
			by := h.ada
			if i == 20 {
				by = h.bob
			}
			h.check(h.AcceptAt1(t.Context(), by, newMessage(h.room), nil))
		}
		h.exec(`UPDATE messages SET sent_at = created_at`)
		return func(t *testing.T) {
			if got := h.places("Bob", 1); got[0] > 2 {
				t.Errorf("Bob's job is begun at place %v", got)
			}
			h.send(h.bob, h.room.ID)
			if got := h.places("Bob", 1); got[0] > 2 {
				t.Errorf("Bob's new job is begun at place %v", got)
			}
			if got := h.places("Ada", 10); got[9] != 10 {
				t.Errorf("Ada's are begun at %v", got)
			}
		}
	},
}

// jobsAt13 has jobs in every state, and a message that a node of version 13 adds while
// the new one is there, where the database serves several.
func jobsAt13(t *testing.T, db *sqldb.DB) func(t *testing.T) {
	h := oldHarness(t, db)
	accept := func() storage.NewMessage {
		m := newMessage(h.room)
		h.check(h.AcceptAt1(t.Context(), h.ada, m, nil))
		return m
	}
	waiting, running, failed, ready, late := accept(), accept(), accept(), newMessage(h.room), accept()
	h.check(h.AcceptAt1(t.Context(), h.ada, ready, spoken("ready before there were kinds")))
	h.exec(`UPDATE messages SET sent_at = created_at`)
	h.exec(`UPDATE jobs SET author_id = ?`, h.ada.UserID)
	h.exec(`UPDATE jobs SET state = 'running', attempt = 2, tries = 2, worker = 'old', lease_until = 1 WHERE id = ?`, running.ID)
	h.exec(`UPDATE jobs SET state = 'failed', attempt = 5, tries = 5 WHERE id = ?`, failed.ID)
	h.exec(`UPDATE messages SET state = 'failed', failure_reason = 'old' WHERE id = ?`, failed.ID)
	h.exec(`DELETE FROM jobs WHERE id = ?`, late.ID)
	return func(t *testing.T) {
		h.check(db.AddJob(t.Context(), h.ada.WorkspaceID, storage.NewJob{Kind: letter, Subject: "new"}))
		want := []string{waiting.ID}
		if db.Dialect() == "postgres" { // SQLite serves one process, so one version
			h.check(db.AddJobAt13(t.Context(), 1, late.ID, h.ada.UserID))
			want = []string{late.ID, waiting.ID}
		}
		if due, next := must2(db.JobsAt13(t.Context()))(t); !slices.Equal(due, want) || !slices.Contains(want, next) {
			t.Errorf("version 13 sees %v due and %s next, want %v", due, next, want)
		}
		for _, id := range want {
			if task := h.begin(storage.JobRef{ID: id}); task.ID != id || task.Kind != storage.Transcribe || task.Subject != id || task.MessageID != id || task.Attempt != 1 {
				t.Errorf("task %+v", task)
			}
		}
		if task := h.begin(storage.JobRef{ID: running.ID}); task.Attempt != 3 || task.Try != 2 {
			t.Errorf("after a lost attempt: %+v", task)
		}
		must(db.RetryMessage(t.Context(), h.ada, failed.ID))(t)
		must(db.RetryMessage(t.Context(), h.ada, ready.ID))(t)
		if got := h.places("Ada", 2); !slices.Equal(got, []int{1, 2}) {
			t.Errorf("those that are tried again are begun at %v", got)
		}
	}
}

// eventsAt9 has events of one person, of several and of none, as version 9 of the
// schema wrote them.
func eventsAt9(t *testing.T, db *sqldb.DB) func(t *testing.T) {
	h := oldHarness(t, db)
	names := map[string]string{"ada": h.ada.UserID, "bob": h.bob.UserID, "eve": h.eve.UserID, "": ""}
	seq := 0
	event := func(typ storage.EventType, conversationID, audience string) {
		seq++
		for name, id := range names {
			audience = strings.ReplaceAll(audience, ","+name+",", ","+id+",")
		}
		h.exec(`INSERT INTO events (workspace_no, seq, type, conversation_id, message_id, audience, data, at) VALUES (1, ?, ?, ?, '', ?, '', 1)`,
			seq, typ, conversationID, audience)
	}
	event(storage.MessageCreated, h.room.ID, "")
	event(storage.DraftCreated, h.room.ID, ",ada,")
	event(storage.ConversationDeleted, storage.NewID(), ",bob,,eve,")
	event(storage.ConversationDeleted, storage.NewID(), ",eve,")
	event(storage.UserCreated, "", "*,,")
	event(storage.ConversationDeleted, storage.NewID(), ",,")
	h.exec(`UPDATE workspaces SET last_event = ? WHERE no = 1`, seq)
	return func(t *testing.T) {
		for _, want := range []struct {
			who  storage.Principal
			seqs []int64
		}{{h.ada, []int64{1, 2, 5}}, {h.bob, []int64{1, 3, 5}}, {h.eve, []int64{3, 4, 5}}} {
			if got := h.heard(want.who); !slices.Equal(got, want.seqs) {
				t.Errorf("%s hears %v, want %v", want.who.UserName, got, want.seqs)
			}
		}
		tail := must(db.EventTail(t.Context(), h.ada.WorkspaceID, 0, 100))(t)
		for i, user := range []string{"", h.ada.UserID, "", h.eve.UserID, "", ""} {
			if tail.Events[i].OnlyFor != user {
				t.Errorf("event %d is for %q, want %q", i+1, tail.Events[i].OnlyFor, user)
			}
		}
	}
}

func TestMigrateFromEachVersion(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": storagetest.SQLite, "postgres": storagetest.EmptyPostgres} {
		t.Run(name, func(t *testing.T) {
			for version, fill := range fixtures {
				db := storagetest.Open(t, url(t))
				if have, newest, err := db.SchemaVersion(t.Context()); err != nil || have != 0 || newest < version {
					t.Fatalf("an empty database has version %d of %d, %v", have, newest, err)
				}
				if err := db.MigrateTo(t.Context(), version); err != nil {
					t.Fatal(err)
				}
				check := fill(t, db)
				for range 2 { // the second time has nothing to do
					if err := db.Migrate(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				if have, newest, err := db.SchemaVersion(t.Context()); err != nil || have != newest {
					t.Errorf("version %d of %d, %v", have, newest, err)
				}
				check(t)
			}
		})
	}
}

// What the newest version keeps is there after going back one version and
// forth again, as far as that version knew it.
func TestMigrateBackAndForth(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m := h.say(h.ada, h.room.ID, "there and back")
		_, newest, err := db.SchemaVersion(t.Context())
		h.check(err)
		h.check(db.MigrateBack(t.Context(), newest-1))
		h.check(db.Migrate(t.Context()))
		if got := must(db.Message(t.Context(), h.ada, m.ID))(t); got.State != storage.Ready {
			t.Errorf("message %+v", got)
		}
		if r := must(db.Search(t.Context(), h.bob, storage.Query{Text: "back"}))(t); len(r.Hits) != 1 {
			t.Errorf("hits %+v", r.Hits)
		}
	})
}

// A version that knows of no purging finds nothing of a conversation that was
// deleted and not purged yet.
func TestMigrateBackPurges(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		h.say(h.ada, h.room.ID, "remarkable pumpkin")
		h.say(h.ada, h.conversation(h.ada).ID, "wonderful aubergine")
		h.check(h.DeleteConversation(t.Context(), h.ada, h.room.ID))
		h.check(db.MigrateBack(t.Context(), 10))
		for _, table := range must(db.TablesWith(t.Context(), "pumpkin"))(t) {
			if table != "lexicon_trigrams" { // which offer nothing that the lexicon does not have
				t.Errorf("%s still has it", table)
			}
		}
		if n := must(db.IndexRows(t.Context()))(t); n != 1 {
			t.Errorf("%d messages are in the index", n)
		}
		h.check(db.Migrate(t.Context()))
		if r := must(db.Search(t.Context(), h.ada, storage.Query{Text: "aubergine"}))(t); len(r.Hits) != 1 {
			t.Errorf("hits %+v", r.Hits)
		}
	})
}

func TestNodesThatStartAtOnceMigrateOnce(t *testing.T) {
	url := storagetest.EmptyPostgres(t)
	var wg sync.WaitGroup
	for range 4 {
		node := storagetest.Open(t, url)
		wg.Go(func() {
			if err := node.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestNewerSchemaIsRefused(t *testing.T) {
	for name, url := range map[string]string{"sqlite": storagetest.SQLite(t), "postgres": storagetest.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			db, newest := storagetest.NewerSchema(t, url, 3)
			err := db.Migrate(t.Context())
			wantErr(t, err, conn.ErrNewerSchema)
			if said := fmt.Sprintf("version %d, and this hark knows versions up to %d", newest+3, newest); !strings.Contains(fmt.Sprint(err), said) {
				t.Errorf("%v does not say %q", err, said)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, url := range []string{"", "mysql://x", "hark.db", "sqlite:///proc/nowhere/hark.db", "postgres://127.0.0.1:1/none?connect_timeout=1", "postgres://%"} {
		db, err := sqldb.Open(t.Context(), sqldb.Config{URL: url})
		if err == nil {
			t.Errorf("%q was opened", url)
			_ = db.Close()
		}
		if away := strings.Contains(url, "127.0.0.1"); errors.Is(err, storage.ErrUnreachable) != away {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestSQLiteReopens(t *testing.T) {
	url := storagetest.SQLite(t)
	first, err := sqldb.Open(t.Context(), sqldb.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := newHarness(t, first)
	m := h.say(h.ada, h.room.ID, "still here")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := storagetest.Open(t, url)
	if got := must(second.Message(t.Context(), h.ada, m.ID))(t); got.State != storage.Ready {
		t.Errorf("message %+v", got)
	}
	if err := second.Ping(t.Context()); err != nil || second.Dialect() != "sqlite" {
		t.Errorf("ping: %v", err)
	}
}
