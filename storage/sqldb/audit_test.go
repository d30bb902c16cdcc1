package sqldb_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// log is the whole audit log, oldest first.
func (h *harness) log() (all []storage.AuditEntry) {
	h.tb.Helper()
	for page := (storage.Page{Limit: 7}); ; {
		entries, next, err := h.Audit(h.tb.Context(), h.ada, storage.AuditFilter{}, page)
		h.check(err)
		all = append(all, entries...)
		if page.Cursor = next; next == "" {
			slices.Reverse(all)
			return all
		}
	}
}

// since is what was recorded behind an entry, in short.
func (h *harness) since(seq int64) (short []string) {
	h.tb.Helper()
	names := strings.NewReplacer(h.ada.UserID, "ADA", h.bob.UserID, "BOB", h.eve.UserID, "EVE", h.room.ID, "ROOM", h.ada.WorkspaceID, "HOME")
	for _, e := range h.log() {
		if e.Seq > seq {
			short = append(short, names.Replace(fmt.Sprintf("%s by %s %s: %s %s in %s %v", e.Action, e.Actor.Kind, e.Actor.Name, e.Target.Kind, e.Target.ID, e.Target.ConversationID, e.Details)))
		}
	}
	return short
}

func (h *harness) wholeAudit() storage.AuditCheck {
	h.tb.Helper()
	check := must(h.VerifyAudit(h.tb.Context(), h.ada.WorkspaceID, ""))(h.tb)
	if !check.OK() {
		h.tb.Errorf("the audit log is broken: %+v", check)
	}
	return check
}

// What is done is recorded with who did it, and nothing of what is said or titled.
func TestAuditRecords(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		before := h.wholeAudit().Entries
		said := h.say(h.bob, h.room.ID, "remarkable pumpkin")
		_, err := h.UpdateMessage(t.Context(), h.bob, said.ID, storage.MessagePatch{Title: new("wonderful aubergine")})
		h.check(err)

		online := storage.WithOrigin(t.Context(), storage.Origin{Address: "203.0.113.7", Agent: "Mozilla/5.0 " + strings.Repeat("x", 500)})
		onServer := storage.WithOrigin(t.Context(), storage.Origin{Operator: "root", Agent: "hark user disable"})
		_, code, err := h.CreateToken(onServer, h.bob.UserID, storage.NewToken{Kind: storage.SignInToken, Name: "sign-in"})
		h.check(err)
		session, secret, err := h.SignIn(online, storage.SignIn{Code: code, Life: time.Hour})
		h.check(err)
		bob := must(h.Authenticate(t.Context(), secret, storage.SessionToken))(t)
		token, _, err := h.CreateToken(online, bob.UserID, storage.NewToken{Kind: storage.APIToken, Name: "laptop", Scopes: "read", MadeWith: bob.CredentialID})
		h.check(err)
		_, err = h.Rename(online, bob, "Robert")
		h.check(err)
		h.check(h.AddConversationMember(online, bob, h.room.ID, h.eve.UserID))
		h.check(h.RemoveConversationMember(online, h.ada, h.room.ID, h.eve.UserID))
		h.check(h.DeleteMessage(online, h.ada, said.ID))
		h.check(h.RevokeToken(online, h.ada, token.ID))
		h.check(h.RevokeToken(online, bob, bob.CredentialID))
		h.check(h.DisableUser(onServer, h.ada.WorkspaceID, h.eve.UserID))
		h.check(h.DisableUser(onServer, h.ada.WorkspaceID, h.eve.UserID)) // who is already
		h.check(h.EnableUser(t.Context(), h.ada.WorkspaceID, h.eve.UserID))
		_, err = h.RenameWorkspace(online, h.ada, "house")
		h.check(err)
		h.make(h.ada, storage.Direct, "", h.eve.UserID) // is not for the log
		h.check(h.AuditFailedSignIn(online, storage.FailedSignIn{Method: "link", Code: code, Reason: "expired", LeftOut: 3}))
		h.check(h.AuditFailedSignIn(online, storage.FailedSignIn{Method: "link", Code: "never made", Reason: "unknown"})) // of which workspace?
		h.check(h.DeleteConversation(online, h.ada, h.room.ID))

		entries := h.log()
		want := []string{
			"token_created by operator root: token " + entries[before].Target.ID + " in  map[kind:sign_in name:sign-in user_id:BOB]",
			"sign_in by user Bob: token " + session.ID + " in  map[method:link]",
			"token_created by user Bob: token " + token.ID + " in  map[kind:api name:laptop scopes:read user_id:BOB]",
			"user_renamed by user Bob: user BOB in  map[from:Bob to:Robert]",
			"member_added by user Bob: user EVE in ROOM map[]",
			"member_removed by user Ada: user EVE in ROOM map[]",
			"message_deleted by user Ada: message " + said.ID + " in ROOM map[author_id:BOB]",
			"token_revoked by user Ada: token " + token.ID + " in  map[ended:1 kind:api name:laptop user_id:BOB]",
			"sign_out by user Bob: token " + session.ID + " in  map[]",
			"user_disabled by operator root: user EVE in  map[name:Eve]",
			"user_enabled by system : user EVE in  map[name:Eve]",
			"workspace_renamed by user Ada: workspace HOME in  map[from:home to:house]",
			"sign_in_failed by nobody : user BOB in  map[left_out:3 method:link reason:expired]",
			"conversation_deleted by user Ada: conversation ROOM in ROOM map[kind:channel]",
		}
		got := h.since(before)
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Fatalf("recorded is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		if e := entries[before+2]; e.Address != "203.0.113.7" || len(e.Agent) != 160 || e.CredentialID != bob.CredentialID || time.Since(e.At).Abs() > time.Minute {
			t.Errorf("from where: %+v", e)
		}
		for _, word := range []string{"pumpkin", "aubergine", secret, code} {
			for _, table := range must(h.TablesWith(t.Context(), word))(t) {
				if table == "audit" {
					t.Errorf("%q is in the audit log", word)
				}
			}
		}
		h.wholeAudit()
	})
}

// The first workspace's log begins with it, and a server that has one workspace
// records in it who cannot be told apart.
func TestAuditOfFirstWorkspace(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := &harness{DB: db, tb: t}
		for _, name := range []string{"", "Harbour"} {
			h.ada, _ = must2(db.Bootstrap(t.Context(), name, name))(t)
		}
		h.check(h.AuditFailedSignIn(t.Context(), storage.FailedSignIn{Method: "link", Code: "never made", Reason: "unknown"}))
		var actions []string
		for _, e := range h.log() {
			actions = append(actions, string(e.Action))
		}
		if want := []string{"workspace_created", "user_created", "workspace_renamed", "user_renamed", "sign_in_failed"}; !slices.Equal(actions, want) {
			t.Errorf("recorded are %v, want %v", actions, want)
		}
		h.wholeAudit()
	})
}

// What was done to the log is found, and where.
func TestVerifyAuditFindsChanges(t *testing.T) {
	for name, c := range map[string]struct {
		change []string // statements; the log has ten entries or more
		broken int64    // 0: found by the expected head alone
	}{
		"changed name":         {[]string{`UPDATE audit SET actor_name = 'x' WHERE seq = 4 AND workspace_no = 1`}, 4},
		"changed details":      {[]string{`UPDATE audit SET details = '{"a":"b"}' WHERE seq = 4 AND workspace_no = 1`}, 4},
		"details that are not": {[]string{`UPDATE audit SET details = '[' WHERE seq = 4 AND workspace_no = 1`}, 4},
		"changed time":         {[]string{`UPDATE audit SET at = at - 1 WHERE seq = 4 AND workspace_no = 1`}, 4},
		"removed":              {[]string{`DELETE FROM audit WHERE seq = 4 AND workspace_no = 1`}, 4},
		"removed first":        {[]string{`DELETE FROM audit WHERE seq = 1 AND workspace_no = 1`}, 1},
		"removed and moved up": {[]string{`DELETE FROM audit WHERE seq = 4 AND workspace_no = 1`, `UPDATE audit SET seq = 4 WHERE seq = 5 AND workspace_no = 1`}, 4},
		"cut off":              {[]string{`DELETE FROM audit WHERE seq > 4 AND workspace_no = 1`}, 5},
		"emptied":              {[]string{`DELETE FROM audit WHERE workspace_no = 1`}, 1},
		"cut off by who knows": {[]string{
			`DELETE FROM audit WHERE seq > 4 AND workspace_no = 1`,
			`UPDATE workspaces SET audit_count = 4, audit_head = (SELECT hash FROM audit WHERE workspace_no = 1 AND seq = 4) WHERE no = 1`,
		}, 0},
		"emptied by who knows": {[]string{
			`DELETE FROM audit WHERE workspace_no = 1`, `UPDATE workspaces SET audit_count = 0, audit_head = '` + storage.AuditRoot + `' WHERE no = 1`,
		}, 0},
		"another's": {[]string{`DELETE FROM audit WHERE workspace_no = 1 AND seq = 2`, `UPDATE audit SET workspace_no = 1 WHERE workspace_no = 2 AND seq = 2`}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
				h := newHarness(t, db)
				for i := range 6 {
					_, err := h.Rename(t.Context(), h.ada, fmt.Sprint("Ada ", i))
					h.check(err)
				}
				head := h.wholeAudit().Head
				_, err := h.Rename(t.Context(), h.ada, "Ada")
				h.check(err)
				if check := must(h.VerifyAudit(t.Context(), h.ada.WorkspaceID, head))(t); !check.OK() || check.Head == head {
					t.Fatalf("whole, it is %+v", check)
				}
				for _, statement := range c.change {
					h.exec(statement)
				}
				check := must(h.VerifyAudit(t.Context(), h.ada.WorkspaceID, head))(t)
				if check.OK() || check.Broken != c.broken || (check.Problem == "") != (c.broken == 0) {
					t.Errorf("got %+v", check)
				}
			})
		})
	}
}

// A log that others add to while it is verified is whole.
func TestAuditByManyAtOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx, done := context.WithCancel(t.Context())
		var checking, changing sync.WaitGroup
		checking.Go(func() {
			for ctx.Err() == nil {
				h.wholeAudit()
			}
		})
		for _, who := range []storage.Principal{h.ada, h.bob, h.eve} {
			changing.Go(func() {
				for i := range 20 {
					_, err := h.Rename(t.Context(), who, fmt.Sprint(who.UserName, i))
					if err == nil {
						_, _, err = h.CreateToken(t.Context(), who.UserID, storage.NewToken{Kind: storage.APIToken, Name: "x"})
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		before := int64(7) // workspace, three people, channel with two
		changing.Wait()
		done()
		checking.Wait()
		if check := h.wholeAudit(); check.Entries != before+120 {
			t.Errorf("%d entries", check.Entries)
		}
		for i, e := range h.log() {
			if e.Seq != int64(i)+1 {
				t.Fatalf("entry %d is number %d", i+1, e.Seq)
			}
		}
	})
}

func TestAuditFilters(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		h.check(h.AddConversationMember(t.Context(), h.bob, h.room.ID, h.eve.UserID))
		must2(h.CreateToken(t.Context(), h.bob.UserID, storage.NewToken{Kind: storage.APIToken, Name: "x"}))(t)
		h.check(h.ImportToken(t.Context(), h.bob.UserID, "y", "chosen"))
		log := h.log()
		first, last := log[0].At, log[len(log)-1].At
		for name, c := range map[string]struct {
			filter storage.AuditFilter
			want   func(e storage.AuditEntry) bool
		}{
			"action":           {storage.AuditFilter{Action: storage.AuditMemberAdded}, func(e storage.AuditEntry) bool { return e.Action == storage.AuditMemberAdded }},
			"actor":            {storage.AuditFilter{ActorID: h.bob.UserID}, func(e storage.AuditEntry) bool { return e.Actor.ID == h.bob.UserID }},
			"actor and action": {storage.AuditFilter{ActorID: h.ada.UserID, Action: storage.AuditChannelCreated}, func(e storage.AuditEntry) bool { return e.Action == storage.AuditChannelCreated }},
			"target":           {storage.AuditFilter{TargetID: h.eve.UserID}, func(e storage.AuditEntry) bool { return e.Target.ID == h.eve.UserID }},
			"conversation":     {storage.AuditFilter{ConversationID: h.room.ID}, func(e storage.AuditEntry) bool { return e.Target.ConversationID == h.room.ID }},
			"all but the time": {
				storage.AuditFilter{TargetID: h.eve.UserID, ConversationID: h.room.ID, ActorID: h.bob.UserID, Action: storage.AuditMemberAdded},
				func(e storage.AuditEntry) bool { return e.Actor.ID == h.bob.UserID },
			},
			"from":      {storage.AuditFilter{From: last}, func(e storage.AuditEntry) bool { return !e.At.Before(last) }},
			"to":        {storage.AuditFilter{To: last}, func(e storage.AuditEntry) bool { return e.At.Before(last) }},
			"before":    {storage.AuditFilter{To: first}, func(storage.AuditEntry) bool { return false }},
			"after":     {storage.AuditFilter{From: last.Add(time.Millisecond)}, func(storage.AuditEntry) bool { return false }},
			"nobody's":  {storage.AuditFilter{ActorID: storage.NewID()}, func(storage.AuditEntry) bool { return false }},
			"elsewhere": {storage.AuditFilter{ActorID: h.mal.UserID}, func(storage.AuditEntry) bool { return false }},
		} {
			var want, got, exported []int64
			var all int64 // exports among them
			for _, e := range slices.Backward(log) {
				if c.want(e) {
					want = append(want, e.Seq)
				}
			}
			for page := (storage.Page{Limit: 1}); ; {
				entries, next, err := h.Audit(t.Context(), h.ada, c.filter, page)
				h.check(err)
				all += int64(len(entries))
				for _, e := range entries {
					if e.Action != storage.AuditExported {
						got = append(got, e.Seq)
					}
				}
				if page.Cursor = next; next == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
			if count := must(h.CountAudit(t.Context(), h.ada, c.filter))(t); count.Capped || count.Entries != all {
				t.Errorf("%s: counted are %+v, want %d", name, count, all)
			}
			h.check(h.ExportAudit(t.Context(), h.ada, c.filter, func(entries []storage.AuditEntry) error {
				for _, e := range entries {
					if e.Action != storage.AuditExported {
						exported = append(exported, e.Seq)
					}
				}
				return nil
			}))
			slices.Reverse(exported)
			if !slices.Equal(exported, want) {
				t.Errorf("%s: exported are %v, want %v", name, exported, want)
			}
		}
		_, next, err := h.Audit(t.Context(), h.ada, storage.AuditFilter{}, storage.Page{Limit: 1})
		h.check(err)
		_, _, err = h.Audit(t.Context(), h.ada, storage.AuditFilter{Action: "other"}, storage.Page{Cursor: next})
		wantErr(t, err, storage.ErrBadCursor)
		for _, who := range []storage.Principal{h.bob, {WorkspaceID: h.ada.WorkspaceID}} {
			_, _, err = h.Audit(t.Context(), who, storage.AuditFilter{}, storage.Page{})
			wantErr(t, err, storage.ErrForbidden)
			wantErr(t, h.ExportAudit(t.Context(), who, storage.AuditFilter{}, nil), storage.ErrForbidden)
			_, err = h.CountAudit(t.Context(), who, storage.AuditFilter{})
			wantErr(t, err, storage.ErrForbidden)
			_, err = h.AuditNames(t.Context(), who, log)
			wantErr(t, err, storage.ErrForbidden)
		}
	})
}

// Who listens is recorded where that is wanted, once in an hour by however many
// requests and nodes, by the clock of the database.
func TestAuditListening(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m := h.say(h.bob, h.room.ID, "remarkable pumpkin")
		other := h.say(h.bob, h.room.ID, "wonderful aubergine")
		listen := func(who storage.Principal, m storage.Message, action storage.AuditAction) {
			t.Helper()
			h.check(h.AuditListening(t.Context(), who, m, action, "original"))
		}
		count := func() int64 {
			t.Helper()
			return h.wholeAudit().Entries
		}
		before := count()
		listen(h.ada, m, storage.AuditMessagePlayed)
		if n := count(); n != before {
			t.Errorf("%d entries that nobody wanted", n-before)
		}
		wantErr(t, h.RecordListening(t.Context(), h.bob, true), storage.ErrForbidden)
		h.check(h.RecordListening(t.Context(), h.ada, true))
		before++ // that it is recorded
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { listen(h.ada, m, storage.AuditMessagePlayed) })
		}
		all.Wait()
		listen(h.ada, m, storage.AuditMessageDownloaded)
		listen(h.bob, m, storage.AuditMessagePlayed)
		listen(h.ada, other, storage.AuditMessagePlayed)
		if n := count(); n != before+4 {
			t.Errorf("%d entries; want 4", n-before)
		}
		for who, sees := range map[*storage.Principal]bool{&h.ada: true, new(h.carl()): false} { // an owner who is not in the conversation
			names := must(h.AuditNames(t.Context(), *who, h.log()))(t)
			if names.Messages[m.ID] != sees || (names.Conversations[h.room.ID].Title != "") != sees || len(names.Users) < 3 || names.Users[h.bob.UserID].Name != "Bob" {
				t.Errorf("%s sees %+v", who.UserName, names)
			}
		}
		ago := (storage.ListeningPause + time.Second).Milliseconds()
		h.exec(fmt.Sprintf(`UPDATE audit SET at = at - %d`, ago)) // as if all was an hour ago; the chain does not fit any more
		listen(h.ada, m, storage.AuditMessagePlayed)
		listen(h.ada, m, storage.AuditMessagePlayed)
		if last := h.log1(storage.AuditFilter{}, storage.Page{Limit: 9}); last[0].Seq != before+6 || last[0].Action != storage.AuditMessagePlayed {
			t.Errorf("an hour later: %+v", last[0])
		}
	})
}

// carl is another owner.
func (h *harness) carl() storage.Principal {
	h.tb.Helper()
	u := must(h.CreateUser(h.tb.Context(), h.ada.WorkspaceID, "Carl", storage.Owner))(h.tb)
	return storage.Principal{WorkspaceID: u.WorkspaceID, UserID: u.ID, UserName: u.Name, Role: u.Role}
}

var auditEntries = flag.Int("audit.entries", 0, "entries of the audit log in which TestAuditPageTimes times pages; 0 skips it")

// TestAuditPageTimes times pages of a long log: 300 of each kind.
func TestAuditPageTimes(t *testing.T) {
	if *auditEntries == 0 {
		t.Skip("measures: run it with -audit.entries 1000000")
	}
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		began := time.Now()
		h.check(h.FillAudit(t.Context(), h.ada, *auditEntries))
		h.check(h.Vacuum(t.Context()))
		filled := time.Since(began)
		began = time.Now()
		check := h.wholeAudit()
		t.Logf("%d entries written in %.0f s, verified in %.1f s", check.Entries, filled.Seconds(), time.Since(began).Seconds())
		middle := h.log1(storage.AuditFilter{}, storage.Page{Limit: 1})[0].At.Add(-time.Duration(*auditEntries/2) * time.Millisecond)
		for name, filter := range map[string]storage.AuditFilter{
			"all":                           {},
			"common action":                 {Action: "common"},
			"rare action":                   {Action: "rare"},
			"action of long ago":            {Action: "old"},
			"action that is none":           {Action: "none"},
			"busy actor":                    {ActorID: "actor 0"},
			"actor with an action":          {ActorID: "actor 0", Action: "rare"},
			"actor without an action":       {ActorID: "actor 0", Action: "old"},
			"target":                        {TargetID: "target 77"},
			"target, actor and action":      {TargetID: "target 77", ActorID: "actor 0", Action: "common"},
			"a minute in the middle":        {From: middle, To: middle.Add(time.Minute)},
			"common action in a minute":     {Action: "common", From: middle, To: middle.Add(time.Minute)},
			"rare action before the middle": {Action: "rare", To: middle},
			"conversation":                  {ConversationID: "conversation 3"},
		} {
			var took []time.Duration
			page := storage.Page{Limit: 100}
			for range 300 {
				began := time.Now()
				_, next, err := h.Audit(t.Context(), h.ada, filter, page)
				took = append(took, time.Since(began))
				h.check(err)
				page.Cursor = next // and from the newest again after the last
			}
			slices.SortFunc(took, cmp.Compare)
			p99 := took[len(took)*99/100]
			t.Logf("%-30s p50 %5.1f ms  p99 %5.1f ms", name, took[len(took)/2].Seconds()*1000, p99.Seconds()*1000)
			if p99 > 50*time.Millisecond {
				t.Errorf("%s takes %v", name, p99)
			}
		}
	})
}

func (h *harness) log1(filter storage.AuditFilter, page storage.Page) []storage.AuditEntry {
	h.tb.Helper()
	entries, _, err := h.Audit(h.tb.Context(), h.ada, filter, page)
	h.check(err)
	return entries
}
