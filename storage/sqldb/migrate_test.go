package sqldb_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// fixtures hold rows as an older schema had them, by the version that they
// need: a new migration adds the rows of the version before it. After the
// migration to the newest version, what the rows stand for must be found.
var fixtures = map[int64]func(t *testing.T, db *sqldb.DB) (check func(t *testing.T)){
	1: func(t *testing.T, db *sqldb.DB) func(t *testing.T) {
		w := newWorld(t, db)
		m, waiting := newMessage(w.room), newMessage(w.room)
		w.check(w.AcceptAt1(t.Context(), w.ada, m, spoken("kept through every migration")))
		w.check(w.AcceptAt1(t.Context(), w.ada, waiting, nil))
		return func(t *testing.T) {
			if got := must(db.Message(t.Context(), w.ada, m.ID))(t); got.State != storage.Ready || got.EndReason != "" || got.TranscriptVersion != 1 {
				t.Errorf("message %+v", got)
			}
			if task := must(db.BeginJob(t.Context(), waiting.ID, "worker", 0))(t); task.HaveTranscript || task.Key != waiting.Original.Key {
				t.Errorf("task %+v", task)
			}
			r := must(db.Search(t.Context(), w.bob, storage.Query{Text: "migration"}))(t)
			if len(r.Hits) != 1 || r.Hits[0].Message.ID != m.ID || r.Hits[0].StartMS != 1500 {
				t.Errorf("hits %+v", r.Hits)
			}
		}
	},
	3: func(t *testing.T, db *sqldb.DB) func(t *testing.T) {
		w := newWorld(t, db)
		live := w.speak("n1")
		odd := strings.Repeat("not a kind ", 6000)
		w.check(db.Exec(t.Context(), `UPDATE conversations SET kind = ?, title = '' WHERE id = ?`, odd, w.room.ID))
		w.check(db.Exec(t.Context(), `UPDATE users SET role = 'Owner' WHERE id = ?`, w.eve.UserID))
		w.check(db.Exec(t.Context(), `UPDATE recordings SET captions = '' WHERE message_id = ?`, live.ID))
		_, secret, err := db.CreateToken(t.Context(), w.bob.UserID, storage.APIToken, "odd", 0)
		w.check(err)
		w.check(db.Exec(t.Context(), `UPDATE tokens SET kind = 'API' WHERE user_id = ?`, w.bob.UserID))
		return func(t *testing.T) {
			if room := must(db.Conversation(t.Context(), w.bob, w.room.ID))(t); room.Kind != storage.Channel || room.Title == "" || room.MemberCount != 2 {
				t.Errorf("conversation %+v", room)
			}
			for _, u := range must(db.Users(t.Context(), w.ada.WorkspaceID))(t) {
				if u.ID == w.eve.UserID && u.Role != storage.Guest {
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
	2: func(t *testing.T, db *sqldb.DB) func(t *testing.T) {
		w := newWorld(t, db)
		m := newMessage(w.room)
		w.check(w.AcceptAt1(t.Context(), w.ada, m, spoken("without a manifest")))
		return func(t *testing.T) {
			if stale := must(db.StaleManifests(t.Context(), "", 10))(t); !slices.Equal(stale, []string{m.ID}) {
				t.Errorf("manifests to write: %v", stale)
			}
			w.check(w.DeleteMessage(t.Context(), w.ada, m.ID))
			doomed := must(db.DoomedObjects(t.Context(), 10))(t)
			for _, key := range []string{storage.MessagePrefix(w.ada.WorkspaceID, m.ID), "renditions/" + m.ID} {
				if !slices.Contains(doomed, key) {
					t.Errorf("doomed are %v, not %s", doomed, key)
				}
			}
		}
	},
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
		w := newWorld(t, db)
		m := w.say(w.ada, w.room.ID, "there and back")
		_, newest, err := db.SchemaVersion(t.Context())
		w.check(err)
		w.check(db.MigrateBack(t.Context(), newest-1))
		w.check(db.Migrate(t.Context()))
		if got := must(db.Message(t.Context(), w.ada, m.ID))(t); got.State != storage.Ready {
			t.Errorf("message %+v", got)
		}
		if r := must(db.Search(t.Context(), w.bob, storage.Query{Text: "back"}))(t); len(r.Hits) != 1 {
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
			db := storagetest.Open(t, url)
			if err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, newest, err := db.SchemaVersion(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			storagetest.Exec(t, url, fmt.Sprintf(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, TRUE)`, newest+3))
			err = db.Migrate(t.Context())
			wantErr(t, err, sqldb.ErrNewerSchema)
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
	w := newWorld(t, first)
	m := w.say(w.ada, w.room.ID, "still here")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := storagetest.Open(t, url)
	if got := must(second.Message(t.Context(), w.ada, m.ID))(t); got.State != storage.Ready {
		t.Errorf("message %+v", got)
	}
	if err := second.Ping(t.Context()); err != nil || second.Dialect() != "sqlite" {
		t.Errorf("ping: %v", err)
	}
}
